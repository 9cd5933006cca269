//! What the program tells about itself: explanations, citations, completions, manual pages, JSON.

use crate::common::{files, root};
use crate::program::program;
use implicit_bias::experiment::kinds::{Kind, meaning};
use implicit_bias::experiment::load_all;
use implicit_bias::report::bibliography;
use regex::Regex;
use std::collections::BTreeSet;
use std::process::Command;

fn json(arguments: &[&str]) -> serde_json::Value {
    let (code, out, err) = program(&root(), arguments);
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn every_claim_is_explained() {
    for entry in load_all(None).unwrap() {
        let (code, out, err) = program(&root(), &["explain", &entry.id]);
        assert_eq!((code, err.as_str()), (0, ""), "{}", entry.id);
        let spec = &entry.spec;
        for words in [&spec.claim, &spec.source, &spec.question, &spec.title] {
            assert!(out.contains(words), "{}: {words} is missing in {out}", entry.id);
        }
        for claim in &spec.claims {
            let measured = meaning(&claim.metric).unwrap();
            for words in [&claim.claim, &claim.reason, &claim.condition(), &measured] {
                assert!(out.contains(words), "{}: {words} is missing in {out}", entry.id);
            }
        }
        assert_eq!(out.matches("  stored     ").count(), spec.claims.len(), "{out}");
        // One claim by its words, with the experiment in front where two experiments share them.
        let claim = &spec.claims[0];
        let one = json(&["explain", &format!("{}: {}", entry.id, claim.claim), "--json"]);
        assert_eq!(one["claims"][0]["reason"], claim.reason);
        let verdict = one["claims"][0]["stored"]["verdict"].as_str();
        assert!(
            verdict.is_some_and(|v| ["holds", "fails", "inconclusive"].contains(&v))
                && one["reference"]["year"].is_number(),
            "{one}"
        );
    }
}

#[test]
fn every_metric_has_a_meaning_and_every_meaning_a_metric() {
    let metrics: BTreeSet<&str> = Kind::ALL.iter().flat_map(|k| k.metrics()).chain(["steps"]).collect();
    let text = std::fs::read_to_string(root().join("assets/metrics.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table.keys().map(String::as_str).collect::<BTreeSet<_>>(), metrics);
}

#[test]
fn a_stored_verdict_belongs_to_its_condition() {
    let folder = tempfile::tempdir().unwrap();
    let summary = std::fs::read_to_string(root().join("results/summary.csv")).unwrap();
    let changed = summary.replace("<=,1e-5,", "<=,1e-4,");
    assert_ne!(changed, summary);
    std::fs::write(folder.path().join("summary.csv"), changed).unwrap();
    let from = folder.path().to_str().unwrap();
    let explained = json(&["explain", "modulus", "law", "--json", "--from", from]);
    assert_eq!(explained["claims"][0]["stored"], serde_json::Value::Null);
}

#[test]
fn what_is_ambiguous_or_unknown_is_said_with_a_way_on() {
    let cases: [(&[&str], &str); 7] = [
        (&["explain", "gunasekar2018"], "gunasekar2018/14-stationary-points"),
        (&["explain", "ever", "violated"], "02-convolutional-depth-2: No certificate is ever violated"),
        (&["explain", "09-decai-law"], "Did you mean `09-decay-law`?"),
        (&["show", "gunasekr2018"], "Did you mean `gunasekar2018`?"),
        (&["cite", "gunasekar"], "Did you mean `gunasekar2018`?"),
        (&["verify", "gunasekar"], "Did you mean `gunasekar2018`?"),
        (&["report", "gunasekar"], "Did you mean `gunasekar2018`?"),
    ];
    for (arguments, said) in cases {
        let (code, out, err) = program(&root(), arguments);
        assert!(code == 2 && out.is_empty() && err.contains(said), "{arguments:?}: {code} {out}{err}");
    }
}

#[test]
fn papers_are_cited() {
    let papers: BTreeSet<String> =
        load_all(None).unwrap().iter().map(|e| e.id.split('/').next().unwrap().to_owned()).collect();
    let list = program(&root(), &["cite"]).1;
    for paper in &papers {
        let (code, out, _) = program(&root(), &["cite", paper]);
        assert!(code == 0 && list.contains(paper) && out.starts_with('@') && out.matches('@').count() == 1, "{out}");
        let depth = out.chars().try_fold(0_i32, |depth, c| match c {
            '{' => Some(depth + 1),
            '}' => Some(depth - 1).filter(|d| *d >= 0),
            _ => Some(depth),
        });
        assert_eq!(depth, Some(0), "{out}");
        let entry = json(&["cite", paper, "--json"]);
        let title = entry[0]["title"].as_str().unwrap();
        assert_eq!(entry[0]["bibtex"], out.trim());
        // A title with a colon is quoted there.
        let software = std::fs::read_to_string(root().join("CITATION.cff")).unwrap().replace('"', "");
        assert!(software.contains(&format!("title: {title}")), "CITATION.cff does not name {title}");
    }
    assert_eq!(bibliography::papers(), papers.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The names in a section of a help text, e.g. the commands, or the options with two dashes.
fn named(help: &str, pattern: &str) -> BTreeSet<String> {
    Regex::new(pattern).unwrap().captures_iter(help).map(|c| c[1].to_owned()).collect()
}

fn commands(help: &str) -> BTreeSet<String> {
    let section = help.split("\nCommands:\n").nth(1).unwrap_or("").split("\n\n").next().unwrap();
    let mut names = named(section, r"(?m)^  ([a-z]\S*)");
    names.remove("help");
    names
}

fn help(path: &[&str]) -> String {
    program(&root(), &[path, &["--help"]].concat()).1
}

#[test]
fn completions_know_every_command() {
    let names = commands(&help(&[]));
    assert!(names.len() >= 14 && names.contains("explain"), "{names:?}");
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = program(&root(), &["completions", shell]);
        assert!(code == 0 && names.iter().all(|n| script.contains(n.as_str())), "{shell}");
        if shell == "bash" {
            let file = folder.path().join("script");
            std::fs::write(&file, script).unwrap();
            assert!(Command::new("bash").arg("-n").arg(file).status().unwrap().success());
        }
    }
}

#[test]
fn manual_pages_name_every_option() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(program(folder.path(), &["man", "--out", "man"]).0, 0);
    let mut expected = BTreeSet::from(["implicit-bias.1".to_owned()]);
    let page = |name: &str| std::fs::read_to_string(folder.path().join("man").join(name)).unwrap().replace('\\', "");
    for command in commands(&help(&[])) {
        let of = help(&[&command]);
        let inner = commands(&of).into_iter().map(|c| (vec![command.clone(), c.clone()], help(&[&command, &c])));
        for (path, help) in inner.chain([(vec![command.clone()], of.clone())]) {
            let name = format!("implicit-bias-{}.1", path.join("-"));
            let (text, options) = (page(&name), named(&help, r"(?m)^ +(?:-\w, )?(--[a-z-]+)"));
            assert!(!options.is_empty() && options.iter().all(|o| text.contains(o.as_str())), "{name}: {options:?}");
            assert!(help.contains("Example"), "`{}` has no example in its help", path.join(" "));
            expected.insert(name);
        }
    }
    let written = files(&folder.path().join("man"));
    assert_eq!(
        written.iter().map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect::<BTreeSet<_>>(),
        expected
    );
    assert!(program(&root(), &["man"]).1.contains(".TH implicit-bias 1"));
}

#[test]
fn scripts_get_json() {
    let shown = json(&["show", "06-induced-regularizer", "--json"]);
    assert!(shown[0]["runs"] == 75 && shown[0]["spec"]["expect"].as_array().unwrap().len() == 3, "{shown}");
    let verified = json(&["verify", "--as-recorded", "--json"]);
    let claims = verified["claims"].as_array().unwrap();
    assert!(claims.len() >= 40 && claims.iter().all(|c| c["verdict"] == "not-run" || c["measured"].is_number()));
    let linear = |c: &&serde_json::Value| c["paper"] == "gunasekar2018" && c["experiment"] != "15-phase-diagram";
    assert!(claims.iter().filter(linear).all(|c| c["verdict"] == "holds"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let written = json(&["report", "gunasekar2018", "--out", out, "--json"]);
    let written: Vec<&str> = written.as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    assert!(written.len() == 3 && written.iter().all(|p| std::path::Path::new(p).is_file()), "{written:?}");
}
