//! Whatever happens to the machine, no finished run is lost, no number is wrong, and the program says what happened.

use crate::common::files;
use crate::program::{SMALL, command, contents, program, said, write_spec};
use implicit_bias::math::random::Stream;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const RUNS: usize = 40;

fn arguments<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["reproduce", "--experiments", "mine", "--jobs", "1", "--out", out], more].concat()
}

/// Forty runs of ten milliseconds or so.
fn spec() -> String {
    let seeds: Vec<String> = (0..RUNS / 2).map(|s| s.to_string()).collect();
    let many = SMALL.replace("seed = [0, 1, 2]", &format!("seed = [{}]", seeds.join(", ")));
    many.replace("max_steps = 100", "max_steps = 3000")
}

fn kept(folder: &Path) -> Vec<PathBuf> {
    let mut kept = files(&folder.join("out"));
    kept.retain(|p| p.extension().is_some_and(|e| e == "run"));
    kept.sort();
    kept
}

/// Runs the program in a shell that lets no file grow beyond so many blocks of 512 bytes.
#[cfg(unix)]
fn confined(folder: &Path, blocks: usize, arguments: &[&str]) -> (i32, String, String) {
    let inner = command(folder, arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]).arg(inner.get_program());
    said(shell.args(inner.get_args()).current_dir(folder).output().unwrap())
}

/// Two hundred faults of six kinds at random places and moments, each followed by the same command without a fault.
#[test]
#[cfg(unix)]
fn two_hundred_faults_lose_nothing_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_spec(folder, &spec());
    let began = std::time::Instant::now();
    assert_eq!(program(folder, &arguments("alone", &[])).0, 0);
    let length = began.elapsed().as_secs_f64();
    let expected = contents(&folder.join("alone"));
    let mut stream = Stream::new(0, &["faults"]);
    let mut below = |n: usize| ((stream.uniform() * n as f64) as usize).min(n - 1);
    for fault in 0..200 {
        let what = format!("fault {fault}");
        fs::remove_dir_all(folder.join("out")).ok();
        let (mut told, mut damaged) = (String::new(), vec![]);
        match fault % 4 {
            // One of two shards is killed at any moment.
            0 => {
                let shards = ["1/2", "2/2"].map(|s| arguments("out", &["--shard", s]));
                let [mut killed, other] =
                    shards.map(|a| command(folder, &a).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
                std::thread::sleep(Duration::from_secs_f64(0.5 * length * below(1000) as f64 / 1000.0));
                killed.kill().unwrap();
                killed.wait().unwrap();
                let (code, _, err) = said(other.wait_with_output().unwrap());
                assert_eq!(code, 0, "{what}: {err}");
                told = err;
            }
            // No room for a run, for the record or for a figure.
            1 => {
                let (code, _, err) = confined(folder, below(40), &arguments("out", &[]));
                assert!(code == 2 || code == 0, "{what}: {err}");
                assert!(code == 0 || err.contains("cannot write"), "{what}: {err}");
                told = err;
            }
            // Finished runs of a shard are changed or cut off.
            2 => {
                program(folder, &arguments("out", &["--shard", "1/2"]));
                for file in kept(folder) {
                    let mut bytes = fs::read(&file).unwrap();
                    let at = below(bytes.len());
                    match below(6) {
                        0 => bytes[at] ^= 1 << below(8),
                        1 => bytes.truncate(at),
                        2 => bytes.insert(at, b'0'),
                        _ => continue,
                    }
                    fs::write(&file, bytes).unwrap();
                    damaged.push(file.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
            // So is a file of the record, or what is known about it.
            _ => {
                program(folder, &arguments("out", &[]));
                let mut all = files(&folder.join("out"));
                all.retain(|p| {
                    p.extension().is_some_and(|e| e == "csv" || (e == "toml" && !p.ends_with("record.toml")))
                });
                all.retain(|p| !p.ends_with("summary.csv") && fs::metadata(p).unwrap().len() > 0);
                all.sort();
                let file = &all[below(all.len())];
                let mut bytes = fs::read(file).unwrap();
                let at = below(bytes.len());
                bytes[at] ^= 1 << below(7);
                fs::write(file, bytes).unwrap();
            }
        }
        let whole = kept(folder).len() - damaged.len();
        let (code, out, err) = program(folder, &arguments("out", &[]));
        assert_eq!(code, 0, "{what}: {out}{err}");
        assert!(!told.contains("panicked") && !err.contains("panicked"), "{what}: {told}{err}");
        damaged.iter().for_each(|name| assert!(err.contains(name), "{what}: {name} is not told: {err}"));
        if whole > 0 {
            assert!(out.contains(&format!(" {} runs computed, {whole} cached", RUNS - whole)), "{what}: {out}");
        }
        assert!(contents(&folder.join("out")) == expected, "{what}: other bytes");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_loses_no_finished_run() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, disk) = (folder.path(), folder.path().join("disk"));
    write_spec(folder, &spec());
    fs::create_dir(&disk).unwrap();
    let mount = |options: &str| {
        let all = ["-t", "tmpfs", "-o", options, "tmpfs"];
        Command::new("mount").args(all).arg(&disk).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if !mount("size=64k") {
        println!(
            "SKIPPED: only root can mount a small disk; ulimit stands in for it in the test of two hundred faults"
        );
        return;
    }
    let first = program(folder, &arguments("disk/out", &[]));
    let count = || files(&disk).iter().filter(|p| p.extension().is_some_and(|e| e == "run")).count();
    let full = count();
    assert!(mount("remount,size=16m"));
    let second = program(folder, &arguments("disk/out", &[]));
    program(folder, &arguments("alone", &[]));
    let same = contents(&disk.join("out")) == contents(&folder.join("alone"));
    assert!(mount("remount,ro"));
    let third = program(folder, &arguments("disk/out", &["--fresh"]));
    Command::new("umount").arg(&disk).status().unwrap();
    assert!(first.0 == 2 && first.2.contains("cannot write") && first.2.contains("--out"), "{first:?}");
    assert!(second.0 == 0 && second.1.contains(&format!("{full} cached")) && full > 0, "{full}: {second:?}");
    assert!(same);
    assert!(third.0 == 2 && third.2.contains("cannot write") && third.2.contains("--out"), "{third:?}");
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    program(folder.path(), &arguments("alone", &[]));
    program(folder.path(), &arguments("out", &["--shard", "1/2"]));
    for years in [-60, 60] {
        for path in files(&folder.path().join("out")) {
            let year = Duration::from_secs(365 * 86_400);
            let now = std::time::SystemTime::now();
            let then = if years < 0 { now.checked_sub(year * 50) } else { now.checked_add(year * 60) };
            fs::File::options().write(true).open(path).unwrap().set_modified(then.unwrap()).unwrap();
        }
        let (code, out, err) = program(folder.path(), &["status", "--experiments", "mine", "--out", "out"]);
        assert!(code == 0 && out.contains("partial"), "{out}{err}");
    }
    let (code, out, err) = program(folder.path(), &arguments("out", &[]));
    assert!(code == 0 && out.contains("3 runs computed, 3 cached"), "{out}{err}");
    assert!(contents(&folder.path().join("out")) == contents(&folder.path().join("alone")));
}

#[test]
fn records_of_other_versions_are_read_or_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    program(folder.path(), &arguments("out", &[]));
    let path = folder.path().join("out/own/01-small/record.toml");
    let record = fs::read_to_string(&path).unwrap();
    let mut older: toml::Table = record.parse().unwrap();
    // What the first version did not write yet.
    older.remove("numerics_epoch");
    let provenance = older["provenance"].as_table_mut().unwrap();
    for field in ["target", "target_features", "opt_level", "computed", "cached", "run_seconds"] {
        provenance.remove(field);
    }
    fs::write(&path, toml::to_string(&older).unwrap()).unwrap();
    let verify = || program(folder.path(), &["verify", "--from", "out"]);
    assert_eq!(verify().0, 0, "{:?}", verify());
    let (code, out, err) = program(folder.path(), &arguments("out", &[]));
    assert!(code == 0 && out.contains("0 runs computed, 6 cached"), "{out}{err}");

    // A later one, or none of ours.
    for text in ["format = 9\n", "not toml at all", ""] {
        fs::write(&path, text).unwrap();
        let (code, _, err) = program(folder.path(), &arguments("out", &[]));
        assert!(code == 2 && err.contains("record.toml") && err.contains("Remove the folder or restore it"), "{err}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it was touched");
    }
}
