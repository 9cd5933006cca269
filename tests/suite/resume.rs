//! What is computed is never lost, never computed twice and never taken for something else.

use crate::common::files;
use crate::program::{SMALL, command, contents, program, said, write_spec};
use implicit_bias::record::table::{Cell, Table};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RECORD: &str = "out/own/01-small";
const LOCK: &str = "out/.cache/own/01-small.lock";

fn reproduce<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["reproduce", "--experiments", "mine", "--jobs", "2", "--out", out], more].concat()
}

/// Two hundred runs or so, of a second or so together.
fn long() -> String {
    let seeds: Vec<String> = (0..100).map(|s| s.to_string()).collect();
    let many = SMALL.replace("seed = [0, 1, 2]", &format!("seed = [{}]", seeds.join(", ")));
    many.replace("max_steps = 100", "max_steps = 1500")
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    command(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finished(folder: &Path) -> usize {
    files(&folder.join(format!("{RECORD}.partial")))
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "run"))
        .count()
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// (computed, cached), as the program tells at its end.
fn counts(out: &str) -> (usize, usize) {
    let line = out.lines().find(|l| l.contains(" runs computed, ")).unwrap_or_else(|| panic!("{out}"));
    let before = |words: &str| line.split(words).next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    (before(" runs computed"), before(" cached"))
}

/// Two results folders hold the same files with the same bytes, machine facts apart.
fn same(folder: &Path, one: &str, other: &str) {
    let [one, other] = [one, other].map(|out| contents(&folder.join(out)));
    assert!(one.len() >= 5 && one.keys().eq(other.keys()), "{:?} and {:?}", one.keys(), other.keys());
    let differs: Vec<_> = one.iter().filter(|(name, bytes)| other[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differs.is_empty(), "{differs:?} differ");
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), &long());
    let mut kept = 0;
    for more in [1, 23, 61, 40] {
        let mut child = start(folder.path(), &reproduce("out", &[]));
        wait_for("no run finishes", || finished(folder.path()) >= kept + more);
        child.kill().unwrap();
        child.wait().unwrap();
        kept = finished(folder.path());
        assert!(kept < 200 && !folder.path().join(RECORD).exists(), "{kept} runs kept");
    }
    let (code, out, err) = program(folder.path(), &reproduce("out", &[]));
    assert!(code == 0 && err.contains(&format!("200 runs, {kept} finished before")), "{err}");
    assert_eq!(counts(&out), (200 - kept, kept));
    assert_eq!(program(folder.path(), &reproduce("again", &[])).0, 0);
    same(folder.path(), "out", "again");
}

#[test]
fn an_end_between_the_two_renames_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    assert_eq!(program(folder.path(), &reproduce("out", &[])).0, 0);
    let whole = contents(&folder.path().join("out"));
    let (record, partial) = (folder.path().join(RECORD), folder.path().join(format!("{RECORD}.partial")));
    fs::create_dir_all(partial.join("whole")).unwrap();
    fs::rename(&record, partial.join("old")).unwrap();
    let (code, out, err) = program(folder.path(), &reproduce("out", &[]));
    assert_eq!((code, counts(&out)), (0, (0, 6)), "{out}{err}");
    assert!(contents(&folder.path().join("out")) == whole && !partial.exists());
}

#[test]
fn interrupted_in_the_middle_of_a_long_run_it_ends_soon_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), &SMALL.replace("seed = [0, 1, 2]", "seed = [0]").replace("= 100 }", "= 1_000_000_000 }"));
    for signal in ["-INT", "-TERM"] {
        let child = start(folder.path(), &reproduce("out", &[]));
        wait_for("it does not start", || folder.path().join(LOCK).exists());
        std::thread::sleep(Duration::from_millis(100));
        let asked = Instant::now();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let (code, _, err) = said(child.wait_with_output().unwrap());
        assert!(asked.elapsed() < Duration::from_secs(2), "{signal}: {:?}", asked.elapsed());
        assert!(code == 130 && err.contains("the same command goes on from there"), "{signal}: {code}: {err}");
    }
}

#[test]
fn two_processes_in_one_folder_share_the_work() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), &long());
    fs::copy(folder.path().join("mine/own/01-small.toml"), folder.path().join("mine/own/02-other.toml")).unwrap();
    let both = [(); 2].map(|()| start(folder.path(), &reproduce("out", &[])));
    let mut computed = 0;
    for child in both {
        let (code, out, err) = said(child.wait_with_output().unwrap());
        assert_eq!(code, 0, "{out}{err}");
        computed += counts(&out).0;
    }
    assert_eq!(computed, 400, "a run was computed twice");
    assert_eq!(program(folder.path(), &reproduce("again", &[])).0, 0);
    same(folder.path(), "out", "again");
    assert!(!files(folder.path()).iter().any(|p| p.extension().is_some_and(|e| e == "lock" || e == "tmp")));

    // One at work: another waits and says for whom, and one that would throw the work away is refused.
    write_spec(folder.path(), &long().replace("1500", "100_000"));
    let first = start(folder.path(), &reproduce("busy", &["own/01-small"]));
    wait_for("it does not start", || !files(&folder.path().join("busy")).is_empty());
    let holder = format!("process {}", first.id());
    let (code, _, err) = program(folder.path(), &reproduce("busy", &["own/01-small", "--fresh"]));
    assert!(code == 2 && err.contains(&holder) && err.contains("--fresh"), "{err}");
    let mut second = start(folder.path(), &reproduce("busy", &["own/01-small"]));
    std::thread::sleep(Duration::from_millis(300));
    assert!(second.try_wait().unwrap().is_none(), "the second does not wait");
    for child in [first, second] {
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let (code, _, err) = said(child.wait_with_output().unwrap());
        assert!(code == 130 && (err.contains("200 runs") || err.contains(&holder)), "{err}");
    }
}

#[test]
fn runs_that_are_unchanged_are_taken_over_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.csv");
    fs::write(&data, "a,b,kind\n1,2,x\n-1,0.5,y\n2,1,x\n").unwrap();
    let own = format!("data = {{ source = \"csv\", file = {:?}, label = \"kind\" }}", data.display());
    let own = SMALL.replace(r#"data = { source = "gaussian", shape = [16], samples = 6 }"#, &own);
    assert_ne!(own, SMALL);
    let seeds = |list: &str| SMALL.replace("seed = [0, 1, 2]", &format!("seed = [{list}]"));
    let labelled = |name: &str| {
        seeds("0").replace("\"network.depth\" = [1, 2]", &format!("init = [{{ label = \"{name}\", scale = 0.3 }}]"))
    };
    type Step<'a> = (&'a str, String, &'a [&'a str], (usize, usize));
    let steps: [Step; 12] = [
        ("at first", SMALL.into(), &[], (6, 0)),
        ("again", SMALL.into(), &[], (0, 6)),
        ("one more seed", seeds("0, 1, 2, 3"), &["--replace"], (2, 6)),
        ("another order and fewer", seeds("3, 0"), &["--replace"], (0, 4)),
        ("another claim", seeds("3, 0").replace("goes down", "falls"), &["--replace"], (0, 4)),
        ("all anew", seeds("3, 0").replace("goes down", "falls"), &["--fresh"], (4, 0)),
        ("other steps", seeds("3, 0").replace("= 100 }", "= 101 }"), &["--replace"], (4, 0)),
        ("a label", labelled("a"), &["--replace"], (1, 0)),
        ("its name", labelled("b"), &["--replace"], (1, 0)),
        ("another kind", labelled("b").replace("\"limit\"", "\"decay-law\""), &["--replace"], (1, 0)),
        ("a file", own.clone(), &["--replace"], (6, 0)),
        ("the file again", own.clone(), &[], (0, 6)),
    ];
    for (what, spec, more, expected) in steps {
        write_spec(folder.path(), &spec);
        let (code, out, err) = program(folder.path(), &reproduce("out", more));
        assert_eq!((code, counts(&out)), (0, expected), "{what}: {out}{err}");
        let alone = format!("alone {what}");
        program(folder.path(), &reproduce(&alone, &[]));
        same(folder.path(), "out", &alone);
        let record = fs::read_to_string(folder.path().join(RECORD).join("record.toml")).unwrap();
        let stored: toml::Table = record.parse().unwrap();
        assert_eq!(stored["spec"].as_str().unwrap(), spec, "{what}");
    }
    fs::write(&data, "a,b,kind\n1,2,x\n-1,0.6,y\n2,1,x\n").unwrap();
    let (_, out, _) = program(folder.path(), &reproduce("out", &[]));
    assert_eq!(counts(&out), (6, 0), "the data file has changed");
    assert!(out.contains("6 of 6 runs differ from those stored before"), "{out}");
}

#[test]
fn a_record_is_reused_only_where_it_was_computed_and_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    program(folder.path(), &reproduce("out", &[]));
    let plan = || program(folder.path(), &reproduce("out", &["--dry-run"])).1;
    let before = contents(&folder.path().join("out"));
    assert!(plan().contains("6 cached") && plan().contains("0 of 6 runs to do"), "{}", plan());

    // As in a fresh clone: the cache is nothing that is committed.
    assert_eq!(fs::read_to_string(folder.path().join("out/.cache/.gitignore")).unwrap(), "*\n");
    fs::remove_dir_all(folder.path().join("out/.cache")).unwrap();
    assert!(plan().contains("6 to run, below 1 s (the record was not computed in this folder)"), "{}", plan());
    let (_, out, _) = program(folder.path(), &reproduce("out", &[]));
    assert!(counts(&out) == (6, 0) && out.contains("1 of 1 records computed again have the same runs.csv"), "{out}");

    let csv = folder.path().join(RECORD).join("runs.csv");
    let mut runs = Table::read(&csv).unwrap();
    let column = runs.column("margin").unwrap();
    runs.rows[2][column] = Cell::Float(1.0);
    fs::write(&csv, runs.to_csv()).unwrap();
    assert!(plan().contains("6 to run") && plan().contains("was changed after it was computed"), "{}", plan());
    let (_, out, _) = program(folder.path(), &reproduce("out", &[]));
    assert!(counts(&out) == (6, 0) && out.contains("1 of 6 runs differ") && out.contains("margin of run"), "{out}");
    assert!(contents(&folder.path().join("out")) == before);
}

#[test]
fn plan_and_status_tell_what_there_is_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), &long());
    let dry = |more: &[&str]| program(folder.path(), &reproduce("out", &[&["--dry-run"], more].concat())).1;
    let status = |more: &[&str]| {
        program(folder.path(), &[&["status", "--experiments", "mine", "--out", "out"], more].concat()).1
    };
    assert!(dry(&[]).contains("200 to run, time unknown") && status(&[]).contains("absent"), "{}", dry(&[]));
    assert!(!folder.path().join("out").exists());

    let mut child = start(folder.path(), &reproduce("out", &[]));
    wait_for("no run finishes", || finished(folder.path()) >= 10);
    child.kill().unwrap();
    child.wait().unwrap();
    let (kept, before) = (finished(folder.path()), files(folder.path()));
    assert!(dry(&[]).contains(&format!("{kept} cached, {} to run, ", 200 - kept)) && !dry(&[]).contains("unknown"));
    let runs = dry(&["--verbose"]);
    assert_eq!(["\n  cached ", "\n  to run "].map(|s| runs.matches(s).count()), [kept, 200 - kept], "{runs}");
    let json: serde_json::Value = serde_json::from_str(&dry(&["--json"])).unwrap();
    assert_eq!((json[0]["cached"].as_u64(), json[0]["state"].as_str()), (Some(kept as u64), Some("to run")));
    assert!(status(&[]).contains("partial ") && status(&[]).contains("B, 0 s old]"), "{}", status(&[]));

    write_spec(folder.path(), SMALL);
    program(folder.path(), &reproduce("out", &[]));
    write_spec(folder.path(), &SMALL.replace("[0, 1, 2]", "[1, 2, 3]"));
    for told in [dry(&[]), status(&[])] {
        let words = ["4 cached, 2 to run, ", "2 stale", "the record is of another spec", "needs --replace"];
        assert!(words.iter().all(|w| told.contains(w)), "{told}");
    }
    let json: serde_json::Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!((json[0]["state"].as_str(), json[0]["stale"].as_u64()), (Some("stale"), Some(2)));
    fs::rename(folder.path().join("mine/own/01-small.toml"), folder.path().join("mine/own/02-new.toml")).unwrap();
    assert!(status(&[]).contains("no experiment of this name"), "{}", status(&[]));
    assert!(
        files(folder.path()).len() > 5
            && !before.is_empty()
            && !files(folder.path()).iter().any(|f| f.ends_with("lock"))
    );
}

#[test]
fn clean_removes_what_the_program_made_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let clean = |more: &[&str]| program(folder.path(), &[&["clean", "--out", "out"], more].concat());
    assert!(clean(&["--partial"]).1.contains("nothing to remove") && clean(&[]).0 == 2);
    write_spec(folder.path(), &long());
    let mut child = start(folder.path(), &reproduce("out", &[]));
    wait_for("no run finishes", || finished(folder.path()) >= 3);
    child.kill().unwrap();
    child.wait().unwrap();
    write_spec(folder.path(), SMALL);
    fs::copy(folder.path().join("mine/own/01-small.toml"), folder.path().join("mine/own/02-other.toml")).unwrap();
    program(folder.path(), &reproduce("out", &["own/02-other"]));

    let before = files(folder.path());
    let (_, out, _) = clean(&["--partial", "--dry-run"]);
    assert!(out.contains("01-small.partial") && out.contains("would be removed") && files(folder.path()) == before);
    assert_eq!(clean(&["--partial"]).0, 0);
    let record = folder.path().join("out/own/02-other");
    assert!(finished(folder.path()) == 0 && record.join("runs.csv").is_file());
    assert_eq!(clean(&["--cache"]).0, 0);
    assert!(!folder.path().join("out/.cache").exists() && record.is_dir());

    // Files of one's own stay, links are not followed.
    fs::write(record.join("notes.txt"), "mine").unwrap();
    fs::write(folder.path().join("out/own/paper.pdf"), "mine").unwrap();
    fs::create_dir_all(folder.path().join("elsewhere")).unwrap();
    fs::write(folder.path().join("elsewhere/runs.csv"), "mine").unwrap();
    let (code, _, err) = clean(&["own"]);
    assert!(code == 2 && err.contains("--yes") && record.join("runs.csv").is_file(), "{err}");
    #[cfg(unix)]
    {
        let link = folder.path().join("out/own/03-link");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        let (code, _, err) = clean(&["own", "--yes"]);
        assert!(code == 2 && err.contains("03-link") && err.contains("link"), "{err}");
        fs::remove_file(link).unwrap();
        std::os::unix::fs::symlink("../../../elsewhere", record.join("linked")).unwrap();
    }
    let (code, out, err) = clean(&["own", "--yes"]);
    assert!(code == 0 && out.contains("notes.txt  kept"), "{out}{err}");
    let left: Vec<_> = files(&folder.path().join("out")).iter().map(|p| p.file_name().unwrap().to_owned()).collect();
    assert!(!left.iter().any(|f| f == "record.toml") && left.iter().any(|f| f == "notes.txt"), "{left:?}");
    assert_eq!(fs::read_to_string(folder.path().join("elsewhere/runs.csv")).unwrap(), "mine");
    assert!(!folder.path().join("out/summary.csv").exists() && !folder.path().join("out/own/README.md").exists());
}
