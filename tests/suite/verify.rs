//! `verify`: stored results judged, run again, and told to other programs.

use crate::program::{SMALL, program, write_spec};
use implicit_bias::record::table::{Cell, Table};
use std::fs;
use std::path::Path;

fn record(folder: &Path, spec: &str) {
    write_spec(folder, spec);
    program(folder, &["reproduce", "--experiments", "mine", "--out", "results"]);
}

#[test]
fn runs_are_run_again_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), SMALL);
    let verify = |more: &[&str]| program(folder.path(), &[&["verify", "--rerun", "4"], more].concat());
    let lines = |out: &str| -> Vec<String> {
        out.lines().filter(|l| l.contains("own/01-small  ")).map(str::to_owned).collect()
    };
    let (code, out, err) = verify(&["--tolerance", "0"]);
    assert!(code == 0 && out.contains("4 runs run again: 4 the same bytes, 0 within 0e0, 0 otherwise"), "{out}{err}");
    assert_eq!(lines(&out).len(), 4, "{out}");
    assert_eq!(lines(&out), lines(&verify(&["--seed", "0"]).1), "the sample follows from the seed");
    assert!((1..9).any(|s| lines(&verify(&["--seed", &s.to_string()]).1) != lines(&out)), "the seed says nothing");

    let csv = folder.path().join("results/own/01-small/runs.csv");
    let good = Table::read(&csv).unwrap();
    let column = |name: &str| good.column(name).unwrap();
    let cell = |name: &str| good.rows[3][column(name)].number();
    // Relative above one, absolute below; words and counts as they are.
    let cases = [
        ("parameter_norm", Cell::Float(cell("parameter_norm") * (1.0 + 1e-9)), 0),
        ("parameter_norm", Cell::Float(cell("parameter_norm") * (1.0 + 1e-5)), 1),
        ("imbalance", Cell::Float(cell("imbalance") + 1e-8), 0),
        ("imbalance", Cell::Float(cell("imbalance") + 1e-4), 1),
        ("steps", Cell::Int(99), 1),
        ("status", "converged".into(), 1),
        ("angle", Cell::Empty, 1),
    ];
    for (name, changed, expected) in cases {
        let mut runs = good.clone();
        runs.rows[3][column(name)] = changed;
        fs::write(&csv, runs.to_csv()).unwrap();
        let (code, out, err) = program(folder.path(), &["verify", "--rerun", "6"]);
        let said = if expected == 0 { "within the tolerance: " } else { "DIFFERS: " };
        assert!(code == expected && out.contains(&format!("{said}{name} of 1 by ")), "{name}: {code} {out}{err}");
        assert!(out.contains(&format!("  {name} ")) && out.contains("5 the same bytes"), "{out}");
    }
}

#[test]
fn junit_is_xml_and_says_what_fails() {
    let folder = tempfile::tempdir().unwrap();
    let strange = r#"claim = "a < b && \"c\" > 'd' \u0007\nline ‖β̂‖₁""#;
    let claims = [
        SMALL.replace(r#"claim = "The loss goes down""#, strange),
        SMALL[SMALL.find("[[expect]]").unwrap()..].replace("value = 0.0", "value = -1e9").replace("goes", "plunges"),
        SMALL[SMALL.find("[[expect]]").unwrap()..].replace("reason", "sizes = [\"full\"]\nreason"),
    ];
    record(folder.path(), &claims.join("\n"));
    let (code, out, err) = program(folder.path(), &["verify", "--junit", "verdicts.xml", "--rerun", "1"]);
    assert_eq!(code, 1, "{out}{err}");
    let text = fs::read_to_string(folder.path().join("verdicts.xml")).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let suite = document.descendants().find(|n| n.has_tag_name("testsuite")).unwrap();
    let numbers = ["tests", "failures", "errors", "skipped"].map(|a| suite.attribute(a).unwrap());
    assert_eq!((suite.attribute("name"), numbers), (Some("own/01-small"), ["4", "1", "0", "1"]));
    let cases: Vec<_> = suite.children().filter(|n| n.has_tag_name("testcase")).collect();
    let names: Vec<&str> = cases.iter().map(|c| c.attribute("name").unwrap()).collect();
    assert_eq!(names[..2], ["a < b && \"c\" > 'd' ?\nline ‖β̂‖₁", "The loss plunges down"]);
    let children = |i: usize| cases[i].children().filter(|n| n.is_element()).collect::<Vec<_>>();
    assert!(children(0).is_empty() && children(2)[0].has_tag_name("skipped") && children(3).is_empty());
    let failure = children(1)[0].attribute("message").unwrap();
    assert!(failure.contains("max log_loss <= ") && failure.contains("one hundred steps"), "{failure}");
}

#[test]
fn a_claim_known_to_fail_fails_and_is_no_news() {
    let folder = tempfile::tempdir().unwrap();
    let run = |known: &str, metric: &str| {
        let claim = "\n[[expect]]\nclaim = \"No\"\nmetric = \"METRIC\"\ncomparison = \"<=\"\nvalue = -1e9\nreason = \"a test\"\n";
        write_spec(folder.path(), &(SMALL.to_owned() + &claim.replace("METRIC", metric) + known));
        let _ = std::fs::remove_dir_all(folder.path().join("out"));
        let (code, out, err) = program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "out"]);
        let summary = std::fs::read_to_string(folder.path().join("out/summary.csv")).unwrap();
        assert!(summary.contains(",fails,") && out.contains("1 fail"), "{out}{err}");
        (code, summary.contains("a test; known to fail: so it is"))
    };
    assert_eq!(run("", "q"), (1, false));
    assert_eq!(run("known_to_fail = \"so it is\"\n", "q"), (0, true));
    // A metric that is missing in a run is no known failure.
    assert_eq!(run("known_to_fail = \"so it is\"\n", "q_within_ten_percent").0, 1);
}
