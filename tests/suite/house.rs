//! Rules of the house, read off the sources: see DESIGN.md.

use crate::common::{files, root};
use regex::Regex;
use std::fs::read_to_string;

/// Arrows go down only: a room, and what it may name of this crate.
const ROOMS: &str = "math: error math; data: error math data; linear: error math data linear; deep: error math data deep; record: error record; \
    experiment: error math data linear deep record experiment; report: error record report; \
    cli: error data deep experiment record report cli";

/// Every dependency of Cargo.toml, in its order, and the rooms that may name it.
const CRATES: &str = "base64: report; blake3: math deep record experiment; burn: deep; clap: cli; clap_complete: cli; clap_mangen: cli; clarabel: linear/predicted; \
    csv: data record; ctrlc: cli; flate2: data; gemm: deep/kernel; half: deep/normalize; indicatif: cli; jiff: record; krilla: report/figure; krilla-svg: report/figure; libc: deep/kernel; libm: deep/normalize deep/quantize; \
    maud: report; multiversion: math deep; \
    nalgebra: math linear deep/quantize experiment; parquet: report; plotters: report/figure; pulldown-cmark: report; pulldown-latex: report; \
    rand: math; rand_chacha: math; rand_distr: math; rayon: math deep experiment; regex: experiment cli; \
    resvg: report/figure; ring: data/fetch; rustfft: math; safetensors: deep; serde: data linear deep experiment record report; serde_json: deep experiment report cli; serde_path_to_error: experiment; \
    sha2: report; strsim: experiment; tar: data/fetch; toml: data deep experiment record report cli; ureq: data/fetch; usvg: report/figure; zune-jpeg: data/photograph";

fn table(text: &'static str) -> Vec<(&'static str, Vec<&'static str>)> {
    let row = |r: &'static str| r.trim().split_once(": ").map(|(name, rooms)| (name, rooms.split(' ').collect()));
    text.split(';').map(|r| row(r).unwrap()).collect()
}

/// Path below src/ and text of every source file, without comments.
fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let rust = files(&src).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
    let code = |text: String| text.lines().flat_map(|l| [l.split("//").next().unwrap(), "\n"]).collect::<String>();
    let name = |p: &std::path::Path| p.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
    let found: Vec<_> = rust.map(|p| (name(&p), code(read_to_string(&p).unwrap()))).collect();
    assert!(found.len() > 50, "only {} sources found", found.len());
    found
}

#[test]
fn arrows_go_down_only() {
    let (name, mut seen) = (Regex::new(r"\bcrate::(\w+|\{)").unwrap(), 0);
    for (path, text) in sources().iter().filter(|(p, _)| p.contains('/')) {
        let allowed = table(ROOMS).into_iter().find(|(room, _)| path.starts_with(&format!("{room}/")));
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("the room of src/{path} is not in the table"));
        for used in name.captures_iter(text).map(|c| c.get(1).unwrap().as_str()) {
            assert!(allowed.contains(&used), "src/{path} names crate::{used}, which is above it");
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} uses found");
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let manifest: toml::Table = read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let named: Vec<_> = manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
    assert_eq!(named, table(CRATES).iter().map(|c| c.0).collect::<Vec<_>>(), "Cargo.toml and the table differ");
    for (name, rooms) in table(CRATES) {
        let usage = Regex::new(&format!(r"(^|[^\w:])(::)?{}(::|;)", name.replace('-', "_"))).unwrap();
        // `data::csv` is this crate's own reader.
        let rest = |t: &str| t.replace("pub mod csv;", "").replace("csv::read_csv", "");
        let users: Vec<_> = sources().into_iter().filter(|(_, t)| usage.is_match(&rest(t))).map(|s| s.0).collect();
        let stranger = users.iter().find(|u| !rooms.iter().any(|r| u.starts_with(&format!("{r}/"))));
        assert!(stranger.is_none() && !users.is_empty(), "{name} is named by {stranger:?} of {users:?}");
    }
}

#[test]
fn files_are_short_quiet_and_know_nothing_of_the_machine() {
    let prints = Regex::new(r"\be?print(ln)?!|\bdbg!|\btodo!").unwrap();
    let outside = Regex::new(r#"SystemTime|\benv::|Command::new|env!\("BUILD"#).unwrap();
    for (path, text) in sources() {
        let (code, lines) = (text.split("#[cfg(test)]").next().unwrap(), text.lines().count());
        assert!(lines <= if path == "main.rs" { 40 } else { 300 }, "src/{path} has {lines} lines");
        assert!(!prints.is_match(code), "src/{path} prints: only cli writes, through say and note");
        assert!(path.starts_with("record/") || !outside.is_match(code), "src/{path} reads clock, environment or git");
    }
    let local = Regex::new("(^|[^\\w.])/(work|root|home|tmp|Users)/\\w").unwrap();
    let places = ["src", "experiments", "examples", "benches", "tests", ".ci", "build.rs", "README.md", "DESIGN.md"];
    let read = places.iter().map(|p| root().join(p)).flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] });
    let texts: Vec<_> = read.filter_map(|p| read_to_string(&p).ok().map(|text| (p, text))).collect();
    let found = texts.iter().find_map(|(p, text)| text.lines().find(|l| local.is_match(l)).map(|l| (p, l)));
    assert!(found.is_none() && texts.len() > 80, "absolute path in {found:?}, {} files read", texts.len());
}
