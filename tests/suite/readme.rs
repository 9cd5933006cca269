//! The README's commands do what it says: each is run as it stands, in a folder with a copy of the results.

use crate::common::{files, root};
use crate::program::{SMALL, write_spec};
use regex::Regex;
use std::path::Path;
use std::process::Command;

/// Commands that are not run here, and why.
const ELSEWHERE: [(&str, &str); 9] = [
    (
        r"reproduce (gunasekar2018|hoffer2017( hoffer2018)?|hoffer2018|hubara2016|banner2018( banner2019)?|banner2019)( --full| --fresh)?$",
        ".ci/run runs every experiment; these differ in size",
    ),
    (r"data (fetch|verify)", "needs a download; tests/suite/fetch.rs has a server of its own"),
    (r"export parquet|--format pdf", "needs a build with a feature; .ci/roundtrip.sh"),
    (r"verify --rerun", "tests/suite/verify.rs, on a record that a debug build computes quickly"),
    (r"export notebook --from", "tests/suite/export.rs; .ci/notebooks.sh executes them"),
    (r"reproduce gunasekar2018/\S+$", "minutes in a debug build; .ci/run runs every experiment"),
    (r"man \| man", "needs a pager"),
    (r"--shard |^implicit-bias collect |--emit-slurm ", "tests/suite/shard.rs, and .ci/slurm.sh with a real Slurm"),
    (
        r"bnn (train|export|run)|bench (xnor|int8)|quantize ",
        "need a trained network and an optimised build; tests/suite/packed.rs and post_training.rs, on small ones",
    ),
];

/// What a person's data may look like.
const CSV: &str = "a,b,c,d,class\n1,2,0,1,1\n2,1,1,0,1\n-1,-2,1,-1,-1\n-2,0,-1,-1,-1\n";

fn readme_commands() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let inline = Regex::new(r"`((?:implicit-bias|cargo run --release --) [^`]+)`").unwrap();
    let block = Regex::new(r"(?m)^(?: {4})?((?:implicit-bias|cargo run --release --) [^`#\n]+)").unwrap();
    let found = inline.captures_iter(&text).chain(block.captures_iter(&text));
    let clean = |c: &str| c.trim().replace(r"\|", "|").replace("cargo run --release --", "implicit-bias");
    let mut all: Vec<String> = found.map(|c| clean(&c[1])).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn readme_commands_run() {
    let elsewhere: Vec<Regex> = ELSEWHERE.iter().map(|(pattern, _)| Regex::new(pattern).unwrap()).collect();
    let (here, there): (Vec<_>, Vec<_>) =
        readme_commands().into_iter().partition(|c| !elsewhere.iter().any(|e| e.is_match(c)));
    assert!(here.len() >= 10, "only {here:?} is run, {there:?} is not");
    let folder = tempfile::tempdir().unwrap();
    let results = root().join("results");
    for file in files(&results) {
        let copy = folder.path().join("results").join(file.strip_prefix(&results).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(file, copy).unwrap();
    }
    std::fs::write(folder.path().join("mine.csv"), CSV).unwrap();
    write_spec(folder.path(), SMALL);
    let program = Path::new(env!("CARGO_BIN_EXE_implicit-bias")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for command in here {
        // Where the README says DIR, the reader has a folder of their own.
        let _ = std::fs::remove_dir_all(folder.path().join("DIR"));
        let output = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).env("PATH", &path).output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "`{command}`: {} {}", said[0], said[1]);
    }
}
