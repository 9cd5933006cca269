//! The program as a person uses it: reproduce, verify, list, show, interrupt, resume.

use crate::common::{files, relative};
use implicit_bias::record::table::{Cell, Table};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const REGULARIZER: &str = "gunasekar2018/06-induced-regularizer";

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_implicit-bias"));
    command.current_dir(folder).args(arguments);
    command
}

/// Exit code, standard output, standard error.
pub fn program(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    said(command(folder, arguments).output().unwrap())
}

pub fn said(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A small experiment of one's own, in `<folder>/mine/own/01-small.toml`: `--experiments mine`.
pub fn write_spec(folder: &Path, text: &str) {
    fs::create_dir_all(folder.join("mine/own")).unwrap();
    fs::write(folder.join("mine/own/01-small.toml"), text).unwrap();
}

pub const SMALL: &str = r#"
kind = "limit"
title = "Small"
question = "Does it run?"
claim = "It does."
source = "The suite"
prose = "Nothing to say."

[run]
loss = "exponential"
data = { source = "gaussian", shape = [16], samples = 6 }
network = { architecture = "fully-connected", depth = 2, width = 3 }
init = { scale = 0.3 }
solver = { method = "smooth-gradient-descent", safety = 1.0 }
stop = { max_steps = 100 }

[grid]
"network.depth" = [1, 2]
seed = [0, 1, 2]

[[expect]]
claim = "The loss goes down"
metric = "log_loss"
statistic = "max"
comparison = "<="
value = 0.0
reason = "one hundred steps"
"#;

/// Every file below a folder but record.toml, report.html and the cache, which hold machine facts.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |p: &Path| p.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
    let machine = |p: &Path| {
        p.ends_with("record.toml") || p.ends_with("report.html") || p.components().any(|c| c.as_os_str() == ".cache")
    };
    let kept = files(folder).into_iter().filter(|p| !machine(p));
    kept.map(|p| (name(&p), fs::read(&p).unwrap())).collect()
}

#[test]
fn reproduce_leaves_exactly_what_it_promises() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = program(folder.path(), &["reproduce", REGULARIZER, "--smoke", "--out", "results"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("3 claims hold, 0 fail, 0 not run") && !out.contains("nan"), "{out}");
    // No terminal: plain lines, no colours, no cursor movements.
    assert!(err.starts_with(REGULARIZER) && !out.contains('\x1b') && !err.contains(['\x1b', '\r']), "{out}{err}");

    let root = folder.path().join("results");
    let names = |p: &Path| p.strip_prefix(&root).unwrap().display().to_string();
    let (cache, found): (Vec<_>, Vec<_>) = files(&root).iter().map(|p| names(p)).partition(|f| f.starts_with(".cache"));
    let record = ["closed-form.png", "closed-form.svg", "record.toml", "runs.csv", "trace.csv", "vectors.csv"];
    let mut promised: Vec<String> = record.iter().map(|f| format!("{REGULARIZER}/{f}")).collect();
    promised.extend(["README.md", "report.html"].map(|page| format!("gunasekar2018/{page}")));
    promised.extend(["index.html", "summary.csv"].map(String::from));
    assert_eq!(found, promised);
    assert!(cache[0] == ".cache/.gitignore" && cache[1].starts_with(&format!(".cache/{REGULARIZER}/")), "{cache:?}");
    let all = promised.len() + cache.len();
    assert!(cache.len() == 2 && files(folder.path()).len() == all, "something was written outside --out");

    let runs = Table::read(&root.join(REGULARIZER).join("runs.csv")).unwrap();
    assert_eq!(runs.columns[..7], ["run", "architecture", "depth", "seed", "status", "reason", "steps"]);
    assert_eq!(runs.rows.len(), 6);
    // The closed form, once more and by hand: nothing in the record stands for something else.
    assert!(relative(&runs.numbers("squared_norm"), &runs.numbers("closed_form")) < 1e-6);
    let manifest: toml::Table =
        fs::read_to_string(root.join(REGULARIZER).join("record.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["runs"].as_integer(), Some(6));
    assert!(manifest["size"].as_str() == Some("smoke") && manifest["numerics_epoch"].as_integer() > Some(0));
    let provenance = manifest["provenance"].as_table().unwrap();
    for (key, word) in
        [("command", "--smoke"), ("version", "0."), ("rustc", "rustc 1."), ("target", "-"), ("commit", "")]
    {
        assert!(provenance[key].as_str().unwrap().contains(word), "{key}: {provenance:?}");
    }
    assert!(["target_features", "opt_level", "cpu", "finished", "dirty"].iter().all(|k| provenance.contains_key(*k)));
    assert_eq!(["computed", "cached"].map(|k| provenance[k].as_integer()), [Some(6), Some(0)]);
    let [wall, spent] = ["seconds", "run_seconds"].map(|k| provenance[k].as_float().unwrap());
    assert!(
        wall > 0.0 && spent > 0.0 && spent <= wall * provenance["threads"].as_integer().unwrap() as f64,
        "{wall} {spent}"
    );
    let trace = Table::read(&root.join(REGULARIZER).join("trace.csv")).unwrap();
    assert_eq!(trace.columns[..2], ["run", "step"]);
    for run in &runs.rows {
        let steps: Vec<&Cell> = trace.rows.iter().filter(|t| t[0] == run[0]).map(|t| &t[1]).collect();
        assert!(*steps[0] == Cell::Int(0) && **steps.last().unwrap() == run[6], "{run:?}");
    }
}

#[test]
fn every_experiment_gives_the_same_bytes_at_any_number_of_jobs_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    // 20-kernel measures time.
    let all = ["banner201./0", "gunasekar2018", "hoffer2017/0", "hoffer2018/0", "hubara2016/(0|1)"];
    let run = |jobs: &str| {
        let arguments = [&["reproduce"][..], &all, &["--smoke", "--jobs", jobs, "--out", jobs]].concat();
        let (code, out, err) = program(folder.path(), &arguments);
        assert_eq!(code, 0, "{out}{err}");
        contents(&folder.path().join(jobs))
    };
    let one = run("1");
    let count = |end: &str| one.keys().filter(|k| k.ends_with(end)).count();
    assert!(count("/runs.csv") >= 10 && count(".svg") >= 10 && !one.keys().any(|k| k.contains("partial")));
    for jobs in ["2", "4"] {
        let more = run(jobs);
        assert_eq!(one.keys().collect::<Vec<_>>(), more.keys().collect::<Vec<_>>());
        one.iter().for_each(|(name, bytes)| assert!(more[name] == *bytes, "{name} differs at --jobs {jobs}"));
    }
    // What was just written is judged again to the same verdicts, without running.
    let (code, out, err) = program(folder.path(), &["verify", "--from", "1"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(" 0 fail,"), "{out}");
}

#[test]
fn verify_judges_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path(), &["reproduce", REGULARIZER, "--smoke", "--out", "results"]);
    let verify = || program(folder.path(), &["verify", "--from", "results"]);
    assert_eq!(verify().0, 0);
    let record = folder.path().join("results").join(REGULARIZER);
    let (csv, manifest) = (record.join("runs.csv"), record.join("record.toml"));
    let (good_csv, good_manifest) = (fs::read_to_string(&csv).unwrap(), fs::read_to_string(&manifest).unwrap());

    let mut runs = Table::read(&csv).unwrap();
    let column = runs.column("relative_error").unwrap();
    for (corrupt, why) in [(Cell::Float(1.0), "too large"), (Cell::Float(-1.0), "too small"), (Cell::Empty, "missing")]
    {
        runs.rows[3][column] = corrupt;
        fs::write(&csv, runs.to_csv()).unwrap();
        let (code, out, err) = verify();
        assert!(code == 1 && out.contains("fails"), "{why}: {out}{err}");
    }
    let lines: Vec<&str> = good_csv.lines().collect();
    fs::write(&csv, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    let (code, _, err) = verify();
    assert!(code == 2 && err.contains("runs.csv") && err.contains("5 rows") && err.contains('6'), "{err}");
    fs::write(&csv, good_csv).unwrap();

    for (from, to) in [("value = 0.000001", "value = 1.0"), ("metric = \"constraint\"", "metric = \"steps\"")] {
        let tampered = good_manifest.replace(from, to).replace(&from.replace("0.000001", "1e-6"), to);
        assert_ne!(tampered, good_manifest, "{from}");
        fs::write(&manifest, tampered).unwrap();
        let (code, _, err) = verify();
        assert!(code == 2 && err.contains("spec_hash") && err.contains("record.toml"), "{err}");
    }
    fs::write(&manifest, "not a record").unwrap();
    let (code, _, err) = verify();
    assert!(code == 2 && err.contains("record.toml"), "{err}");
    let (code, _, err) = program(folder.path(), &["verify", "--from", "nowhere"]);
    assert!(code == 2 && err.contains("nowhere"), "{err}");
}

#[test]
fn runs_that_diverge_are_rows_and_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let diverging = SMALL.replace(r#""smooth-gradient-descent", safety = 1.0"#, r#""gradient-descent", eta = 1e9"#);
    assert_ne!(diverging, SMALL);
    for (spec, code) in [(diverging.clone(), 3), (diverging.replace("[run]", "may_diverge = true\n[run]"), 1)] {
        write_spec(folder.path(), &spec);
        let arguments = ["reproduce", "--experiments", "mine", "--out", "out", "--replace"];
        let (found, out, err) = program(folder.path(), &arguments);
        assert_eq!(found, code, "{out}{err}");
        let runs = Table::read(&folder.path().join("out/own/01-small/runs.csv")).unwrap();
        let status = runs.column("status").unwrap();
        assert_eq!(runs.rows.len(), 6, "a run that fails is a row");
        assert!(runs.rows.iter().any(|r| r[status].text() == "diverged" && r[status + 1].text().contains("smaller")));
    }
}

#[test]
fn list_and_show_tell_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, _) = program(folder.path(), &["list", "--json", "--smoke"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let listed = json.as_array().unwrap();
    assert!(code == 0 && listed.len() >= 10);
    let this = listed.iter().find(|e| e["id"] == REGULARIZER).unwrap();
    assert_eq!((this["runs"].as_u64(), this["claims"].as_array().unwrap().len()), (Some(6), 3));
    let (code, out, _) = program(folder.path(), &["list"]);
    assert!(code == 0 && listed.iter().all(|e| out.contains(e["id"].as_str().unwrap())), "{out}");
    for name in [REGULARIZER, "06-induced-regularizer"] {
        let (code, out, _) = program(folder.path(), &["show", name]);
        assert!(code == 0 && out.starts_with(REGULARIZER), "{out}");
        assert!(out.contains("max relative_error <= ") && out.contains("75 over architecture, depth, seed"), "{out}");
    }
    for arguments in [&["show", "nonsense"][..], &["list", "nonsense"], &["reproduce", "nonsense", "--out", "o"]] {
        let (code, out, err) = program(folder.path(), arguments);
        assert!(code == 2 && out.is_empty() && err.contains("nonsense") && err.contains(REGULARIZER), "{err}");
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [&["list"][..], &["list", "--json"], &["show", REGULARIZER]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let folder = tempfile::tempdir().unwrap();
        let (code, _, err) = said(command(folder.path(), arguments).stdout(writer).output().unwrap());
        assert!(code == 0 && err.is_empty(), "{arguments:?}: {code} {err}");
    }
}

#[test]
fn a_record_of_another_spec_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["reproduce", "--experiments", "mine", "--out", "out"];
    let csv = folder.path().join("out/own/01-small/runs.csv");
    write_spec(folder.path(), SMALL);
    assert_eq!(program(folder.path(), &arguments).0, 0);
    let first = contents(&folder.path().join("out"));
    assert_eq!(program(folder.path(), &arguments).0, 0, "the same spec may be run again");
    assert_eq!(contents(&folder.path().join("out")), first);

    write_spec(folder.path(), &SMALL.replace("seed = [0, 1, 2]", "seed = [0, 1]"));
    let (code, _, err) = program(folder.path(), &arguments);
    assert!(code == 2 && err.contains("--replace") && err.contains("--out") && err.contains("01-small"), "{err}");
    assert_eq!(contents(&folder.path().join("out")), first);
    assert_eq!(program(folder.path(), &[&arguments[..], &["--replace"]].concat()).0, 0);
    assert_eq!(Table::read(&csv).unwrap().rows.len(), 4);
}
