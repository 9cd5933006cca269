//! What SECURITY.md promises and no other test holds.

use crate::common::{files, root};
use crate::program::{SMALL, program, write_spec};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn unsafe_code_is_in_the_kernels_and_nowhere_else() {
    let word = regex::Regex::new(r"\bunsafe\b").unwrap();
    let users: Vec<_> = files(&root().join("src"))
        .into_iter()
        .filter(|p| word.is_match(&fs::read_to_string(p).unwrap()))
        .map(|p| p.strip_prefix(root().join("src")).unwrap().to_owned())
        .collect();
    assert!(users.len() >= 5 && users.iter().all(|p| p.starts_with("deep/kernel")), "{users:?}");
}

#[test]
fn dependencies_have_known_sources_and_licences_that_are_allowed() {
    let text = fs::read_to_string(root().join("deny.toml")).unwrap();
    let deny: toml::Table = text.parse().unwrap();
    let allowed: BTreeSet<&str> =
        deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(|l| l.as_str()).collect();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--all-features"]).current_dir(root());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 300, "{}", packages.len());
    for package in packages.iter().filter(|p| !p["source"].is_null()) {
        let name = package["name"].as_str().unwrap();
        assert!(package["source"].as_str().unwrap().starts_with("registry+"), "{name}: {}", package["source"]);
        // An expression of SPDX: one of the alternatives must be allowed in all its parts.
        let licence = package["license"].as_str().unwrap_or_else(|| {
            let file = Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("LICENSE");
            let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{name} has no licence: {e}"));
            assert!(text.contains("Licensed under the Apache License, Version 2.0"), "{name}: {text}");
            "Apache-2.0"
        });
        let plain = licence.replace('/', " OR ").replace(['(', ')'], "");
        let all = |parts: &str| parts.split(" AND ").all(|l| allowed.contains(l.trim()));
        // `(A OR B) AND C` has lost its brackets: then all of it must be allowed.
        let fits = match licence.contains('(') {
            true => plain.replace(" AND ", " OR ").split(" OR ").all(|l| allowed.contains(l.trim())),
            false => plain.split(" OR ").any(all),
        };
        assert!(fits, "{name}: {licence} is not in deny.toml");
    }
}

#[test]
fn sizes_that_are_too_large_are_refused_before_anything_is_allocated() {
    let folder = tempfile::tempdir().unwrap();
    let run = || program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "out"]);
    let long = format!("{SMALL}\n# {}\n", "x".repeat(5 << 20));
    let many = SMALL.replace("seed = [0, 1, 2]", &format!("seed = {:?}", (0..400).collect::<Vec<_>>()));
    let many =
        many.replace("[grid]", &format!("[grid]\n\"init.scale\" = {:?}", (1..400).map(f64::from).collect::<Vec<_>>()));
    let huge = SMALL.replace("shape = [16]", "shape = [1_000_000, 1_000_000]");
    let samples = SMALL.replace("samples = 6", "samples = 9_000_000_000_000");
    let deep = SMALL.replace("\"network.depth\" = [1, 2]", "\"network.depth\" = [1_000_000_000]");
    let nested = SMALL.replace("seed = [0, 1, 2]", &format!("seed = {}0{}", "[".repeat(20_000), "]".repeat(20_000)));
    for (what, text) in
        [("long", long), ("many", many), ("huge", huge), ("samples", samples), ("deep", deep), ("nested", nested)]
    {
        assert_ne!(text, SMALL, "{what}");
        write_spec(folder.path(), &text);
        let (code, out, err) = run();
        assert!(code == 2 && err.starts_with("error: ") && err.len() < 2000, "{what}: {code} {out}{err}");
        assert!(!folder.path().join("out").exists(), "{what}");
    }
}

#[test]
fn names_cannot_lead_out_of_the_results_folder() {
    let folder = tempfile::tempdir().unwrap();
    let figure = "\n[[figure]]\nname = \"NAME\"\ncaption = \"c\"\n[[figure.panel]]\nx = \"step\"\ny = \"q\"\n";
    for name in ["../../away", "/away", "a/b", "a\\\\b", "", "a\\nb", "a\\u0000b"] {
        write_spec(folder.path(), &(SMALL.to_owned() + &figure.replace("NAME", name)));
        let (code, _, err) = program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "deep/out"]);
        assert!(code == 2 && err.contains("letters, digits"), "{name}: {err}");
    }
    // A record that says it is somebody else's is not followed either.
    write_spec(folder.path(), SMALL);
    program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "deep/out"]);
    let record = folder.path().join("deep/out/own/01-small/record.toml");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("paper = \"own\"", "paper = \"../../../away\"")).unwrap();
    for command in [["report", "--from"], ["verify", "--from"]] {
        program(
            folder.path(),
            &[&command[..], &["deep/out"], if command[0] == "report" { &["--out", "copy"] } else { &[] }].concat(),
        );
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|n| ["mine", "deep", "copy"].iter().any(|k| n == k)), "{left:?}");
    assert!(!folder.path().parent().unwrap().join("away").exists());
}
