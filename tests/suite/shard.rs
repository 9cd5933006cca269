//! A sweep by several processes is the sweep by one.

use crate::common::files;
use crate::program::{SMALL, command, contents, program, said, write_spec};
use implicit_bias::experiment::Shard;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn reproduce<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["reproduce", "--experiments", "mine", "--jobs", "1", "--out", out], more].concat()
}

fn collect(folder: &Path, out: &str, more: &[&str]) -> (i32, String, String) {
    program(folder, &[&["collect", "--experiments", "mine", "--out", out], more].concat())
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    command(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs of half a second or so together.
fn many() -> String {
    let seeds: Vec<String> = (0..50).map(|s| s.to_string()).collect();
    let many = SMALL.replace("seed = [0, 1, 2]", &format!("seed = [{}]", seeds.join(", ")));
    many.replace("max_steps = 100", "max_steps = 1500")
}

fn run_files(folder: &Path, out: &str) -> Vec<PathBuf> {
    files(&folder.join(out)).into_iter().filter(|p| p.extension().is_some_and(|e| e == "run")).collect()
}

fn same(folder: &Path, one: &str, other: &str) {
    let [one, other] = [one, other].map(|out| contents(&folder.join(out)));
    assert!(one.len() >= 5 && one == other, "{:?} and {:?}", one.keys(), other.keys());
}

#[test]
fn shards_are_balanced_and_every_run_belongs_to_one() {
    let keys: Vec<String> = (0..1000).map(|i: u32| blake3::hash(&i.to_le_bytes()).to_hex()[..20].to_owned()).collect();
    for of in [1, 2, 3, 7, 64, 999, 1000, 5000] {
        let dealt = Shard::deal(&keys, of);
        let mut counts = vec![0; of];
        dealt.iter().for_each(|i| counts[*i] += 1);
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most - least <= 1, "{of} shards: {least} to {most} runs");
        // Of neighbours in the grid each shard has one, and not in turn.
        let whole = dealt.chunks_exact(of);
        assert!(whole.clone().all(|block| block.iter().collect::<BTreeSet<_>>().len() == of), "{of} shards");
        assert!(of == 1 || whole.len() < 2 || whole.clone().any(|block| Some(block) != dealt.get(..of)), "{of} shards");
        let third: Shard = format!("{}/{of}", of.min(3)).parse().unwrap();
        assert!(third.own(&keys).iter().zip(&dealt).all(|(own, i)| *own == (*i == of.min(3) - 1)));
    }
    // Experiments of one run each do not all fall to the first shard.
    let alone = keys.iter().map(|key| Shard::deal(std::slice::from_ref(key), 4)[0]);
    assert!((200..300).contains(&alone.filter(|i| *i == 0).count()));
}

#[test]
fn shards_one_after_the_other_make_the_record_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    program(folder.path(), &reproduce("alone", &[]));
    for of in [1, 2, 4, 9] {
        let out = format!("in {of}");
        for i in 1..=of {
            assert!(!folder.path().join(&out).join("own/01-small").exists());
            let (code, said, err) = program(folder.path(), &reproduce(&out, &["--shard", &format!("{i}/{of}")]));
            assert!(code == 0 && said.contains(&format!("shard {i}/{of}: ")), "{said}{err}");
            assert!(said.contains(&format!("implicit-bias collect --out '{out}' --experiments mine")), "{said}");
        }
        let (code, said, err) = collect(folder.path(), &out, &[]);
        assert!(code == 0 && said.contains("0 runs computed, 6 cached"), "{said}{err}");
        same(folder.path(), "alone", &out);
    }
}

#[test]
fn shards_at_the_same_time_killed_and_begun_again_make_the_same_record() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), &many());
    program(folder.path(), &reproduce("alone", &[]));
    let shards = ["1/3", "2/3", "3/3"].map(|shard| reproduce("out", &["--shard", shard]));
    let mut children: Vec<Child> = shards.iter().map(|arguments| start(folder.path(), arguments)).collect();
    let began = Instant::now();
    while run_files(folder.path(), "out").len() < 5 {
        assert!(began.elapsed() < Duration::from_secs(60), "no run finishes");
    }
    // An ordinary command waits meanwhile, and says for whom.
    let mut other = start(folder.path(), &reproduce("out", &[]));
    children[1].kill().unwrap();
    for child in children {
        said(child.wait_with_output().map(|o| if o.status.code().is_none() { killed(o) } else { o }).unwrap());
    }
    let (code, out, err) = {
        let began = Instant::now();
        while other.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "it waits for ever");
        }
        said(other.wait_with_output().unwrap())
    };
    assert!(code == 0 && out.contains("runs computed"), "{out}{err}");
    let (code, out, err) = program(folder.path(), &shards[1]);
    assert!(code == 0 && out.contains("0 runs computed"), "{out}{err}");
    assert_eq!(collect(folder.path(), "out", &[]).0, 0);
    same(folder.path(), "alone", "out");
    assert!(!files(folder.path()).iter().any(|p| p.extension().is_some_and(|e| e == "lock" || e == "tmp")));
}

/// The output of a process that a signal has ended, with a code.
fn killed(output: std::process::Output) -> std::process::Output {
    std::process::Output { status: Command::new("false").status().unwrap(), ..output }
}

#[test]
fn collect_tells_what_is_missing_and_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), &many());
    for shard in ["1/4", "3/4"] {
        program(folder.path(), &reproduce("out", &["--shard", shard]));
    }
    let lost = run_files(folder.path(), "out").pop().unwrap();
    fs::remove_file(&lost).unwrap();
    let (code, out, err) = collect(folder.path(), "out", &["--shards", "4", "--partial", "seen"]);
    assert!(code == 130 && out.contains("own/01-small: 49 of 100 runs; 51 missing: "), "{out}{err}");
    let shards = |list: &str| out.contains(&format!("--shard I/4, for I = {list}"));
    assert!(shards("1, 2, 4") || shards("2, 3, 4"), "{out}");
    assert!(!folder.path().join("out/own/01-small").exists());
    for page in ["README.md", "report.html"] {
        let page = fs::read_to_string(folder.path().join("seen/own").join(page)).unwrap();
        assert!(page.contains("PARTIAL, 49 of 100 runs: Small"));
    }
    let runs = fs::read_to_string(folder.path().join("seen/own/01-small/runs.csv")).unwrap();
    assert_eq!(runs.lines().count(), 50);
    assert_eq!(collect(folder.path(), "out", &["--partial", "out"]).0, 2);

    // What is told to be run again is what is missing.
    let again: Vec<&str> = out.lines().find(|l| l.contains("--shard I/4")).unwrap().split("for I = ").collect();
    for i in again[1].split(", ") {
        program(folder.path(), &reproduce("out", &["--shard", &format!("{i}/4")]));
    }
    assert_eq!(collect(folder.path(), "out", &["--shards", "4"]).0, 0);
    program(folder.path(), &reproduce("alone", &[]));
    same(folder.path(), "alone", "out");
}

#[test]
fn shards_out_of_range_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    for wrong in ["0/3", "4/3", "1", "a/b", "1/0", "1/10001", "1/2/3", "1 /2"] {
        let (code, out, err) = program(folder.path(), &reproduce("out", &["--shard", wrong]));
        assert!(code == 2 && err.contains("1 ≤ I ≤ N ≤ 10000"), "{wrong}: {out}{err}");
    }
    for other in ["--fresh", "--dry-run", "--replace"] {
        assert_eq!(program(folder.path(), &reproduce("out", &["--shard", "1/2", other])).0, 2, "{other}");
    }
    assert!(!folder.path().join("out").exists());
}

#[test]
#[cfg(unix)]
fn scripts_for_slurm_say_what_was_asked_for_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    let name = "it's a $(folder) `x`";
    let emit = |more: &[&str]| {
        program(folder.path(), &reproduce(name, &[&["small", "--smoke", "--emit-slurm", "3"], more].concat()))
    };
    let (code, out, err) = emit(&["--partition", "gpu", "--account", "me", "--time", "1-02:00:00", "--cpus", "4"]);
    assert!(code == 0 && out.contains("sh slurm/submit.sh"), "{out}{err}");
    let script = |name: &str| fs::read_to_string(folder.path().join("slurm").join(name)).unwrap();
    let array = script("array.sbatch");
    for line in [
        "array=1-3",
        "requeue",
        "signal=B:TERM@120",
        "cpus-per-task=4",
        "partition=gpu",
        "account=me",
        "time=1-02:00:00",
    ] {
        assert!(array.contains(&format!("\n#SBATCH --{line}\n")), "{line}: {array}");
    }
    assert!(script("submit.sh").contains("afterany:"));
    // As the scheduler would run them, one task after the other.
    for i in 1..=3 {
        let mut run = Command::new("bash");
        run.arg("slurm/array.sbatch").env("SLURM_ARRAY_TASK_ID", i.to_string()).current_dir(folder.path());
        let run = run.output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    let run = Command::new("bash").arg("slurm/collect.sbatch").current_dir(folder.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(folder.path().join(name).join("own/01-small/runs.csv").is_file());
    for (option, wrong) in
        [("--partition", "a b"), ("--account", ""), ("--time", "1\n#SBATCH --x"), ("--scripts", "a b")]
    {
        let (code, _, err) = emit(&[option, wrong]);
        assert!(code == 2 && err.contains(option), "{err}");
    }
}

#[test]
fn a_damaged_run_is_computed_again_and_told() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), &many());
    program(folder.path(), &reproduce("alone", &[]));
    program(folder.path(), &reproduce("out", &["--shard", "1/2"]));
    let kept = run_files(folder.path(), "out");
    assert_eq!(kept.len(), 50);
    // One digit of a number, the seconds, a byte more, half of it, nothing, and the format of an older version.
    type Damage = fn(&mut Vec<u8>);
    let damages: [Damage; 6] = [
        |bytes| {
            let at = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
            bytes[at] = b'0' + (bytes[at] - b'0' + 1) % 10;
        },
        |bytes| bytes[18] ^= 1,
        |bytes| bytes.push(b'0'),
        |bytes| bytes.truncate(bytes.len() / 2),
        Vec::clear,
        |bytes| drop(bytes.drain(..17)),
    ];
    for (file, damage) in kept.iter().zip(damages) {
        let mut bytes = fs::read(file).unwrap();
        damage(&mut bytes);
        fs::write(file, bytes).unwrap();
    }
    let (code, out, err) = program(folder.path(), &reproduce("out", &[]));
    assert!(code == 0 && out.contains("56 runs computed, 44 cached"), "{out}{err}");
    for file in &kept[..6] {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(err.lines().any(|l| l.contains(name) && l.contains("damaged")), "{err}");
    }
    same(folder.path(), "alone", "out");
}
