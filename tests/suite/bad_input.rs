//! Bad specs and bad data: exit code 2, one paragraph that names the place and what is allowed, nothing left behind.

use crate::common::files;
use crate::program::{SMALL, program, write_spec};
use std::fs;
use std::path::Path;

const GAUSSIAN: &str = r#"data = { source = "gaussian", shape = [16], samples = 6 }"#;

/// Runs the spec in `folder` and checks that it is refused in one paragraph with all of these words; gives standard error.
fn refused(folder: &Path, what: &str, words: &[&str]) -> String {
    let (code, out, err) = program(folder, &["reproduce", "--experiments", "mine", "--out", "out"]);
    assert_eq!(code, 2, "{what} is accepted: {out}{err}");
    let (_, message) = err.split_once("error: ").unwrap_or_else(|| panic!("{what}: no error in {err}"));
    assert!(out.is_empty() && !message.trim().contains("\n\n") && !err.contains("panicked"), "{what}: {out}{err}");
    for word in words.iter().chain([&"01-small"]) {
        assert!(message.contains(word), "{what}: no `{word}` in: {message}");
    }
    let left = files(&folder.join("out"));
    assert!(left.is_empty(), "{what} leaves {left:?}");
    err
}

#[test]
fn a_bad_spec_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let network = r#"network = { architecture = "fully-connected", depth = 2, width = 3 }"#;
    let solver = r#"solver = { method = "smooth-gradient-descent", safety = 1.0 }"#;
    let (depth, seed) = (r#""network.depth" = [1, 2]"#, "seed = [0, 1, 2]");
    let cases: Vec<(&str, String, &[&str])> = vec![
        (r#"kind = "limit""#, "".into(), &["kind"]),
        (r#"kind = "limit""#, r#"kind = "limits""#.into(), &["limits", "limit", "decay-law"]),
        (r#"title = "Small""#, "title = 3".into(), &["title", "string"]),
        (r#"title = "Small""#, "title = \"Small\"\ncolour = 1".into(), &["colour", "title"]),
        (r#"question = "Does it run?""#, r#"qestion = "Does it run?""#.into(), &["qestion", "question"]),
        ("[grid]", "[gird]".into(), &["gird", "grid"]),
        ("[run]", "[run".into(), &["line"]),
        (r#"loss = "exponential""#, "".into(), &["run.loss", "missing"]),
        (r#"loss = "exponential""#, r#"loss = "hinge""#.into(), &["hinge", "exponential", "logistic"]),
        (GAUSSIAN, "".into(), &["run.data", "missing"]),
        (GAUSSIAN, r#"data = { source = "gauss" }"#.into(), &["run.data", "gauss", "gaussian"]),
        (GAUSSIAN, GAUSSIAN.replace("samples = 6", "sampels = 6"), &["run.data", "sampels", "samples"]),
        (GAUSSIAN, GAUSSIAN.replace("[16]", "[0]"), &["run.data.shape", "is 0,"]),
        (GAUSSIAN, GAUSSIAN.replace("[16]", "[100000, 100000]"), &["shape", "10000000000"]),
        (GAUSSIAN, GAUSSIAN.replace("[16]", "\"16\""), &["run.data"]),
        (GAUSSIAN, GAUSSIAN.replace("samples = 6", "samples = 1"), &["run.data.samples", "is 1,"]),
        (GAUSSIAN, GAUSSIAN.replace("samples = 6", "samples = -6"), &["run.data", "-6"]),
        (network, network.replace("architecture", "architectures"), &["run.network", "architectures"]),
        (network, network.replace("fully-connected", "connected"), &["run.network", "connected", "convolutional"]),
        (network, network.replace("width = 3", "width = 0"), &["run.network.width", "is 0,", "4096"]),
        (depth, r#""network.depth" = [1, 0]"#.into(), &["run.network.depth", "is 0,", "at most 16"]),
        (depth, r#""network.depth" = [17]"#.into(), &["run.network.depth", "is 17,", "at most 16"]),
        (depth, r#""network.depth" = [2.5]"#.into(), &["run.network", "2.5"]),
        (depth, r#""network.depth" = []"#.into(), &["grid.network.depth", "at least one"]),
        (depth, r#""network.depth" = 2"#.into(), &["grid.network.depth", "is 2,", "list"]),
        (depth, r#""network.dept" = [2]"#.into(), &["run.network", "dept"]),
        (depth, r#"data = [{ samples = 4 }]"#.into(), &["grid.data", "label"]),
        (seed, "seed = [-1]".into(), &["seed", "-1"]),
        (seed, "".into(), &["run.seed", "missing"]),
        ("scale = 0.3", "scale = 0.0".into(), &["run.init.scale", "is 0,", "1000000"]),
        ("scale = 0.3", "scale = inf".into(), &["run.init.scale", "inf"]),
        ("max_steps = 100", "max_steps = 0".into(), &["run.stop.max_steps", "is 0,"]),
        ("max_steps = 100", "max_steps = 100, seconds = nan".into(), &["run.stop.seconds", "NaN"]),
        (solver, r#"solver = { method = "gradient-descent", eta = -0.1 }"#.into(), &["run.solver.eta", "-0.1"]),
        (solver, r#"solver = { method = "gradient-descent", eta = nan }"#.into(), &["run.solver.eta", "NaN"]),
        (solver, r#"solver = { method = "gradient-descent" }"#.into(), &["run.solver", "eta"]),
        (solver, r#"solver = { method = "newton" }"#.into(), &["run.solver", "newton", "gradient-descent"]),
        (solver, solver.replace("safety = 1.0", "safety = 0"), &["run.solver.safety", "is 0,"]),
        ("comparison = \"<=\"", "comparison = \"<\"".into(), &["comparison", "<="]),
        ("[[expect]]", "[[figure]]\nname = \"../../evil\"\npanel = []\n[[expect]]".into(), &["../../evil", "letters"]),
        ("[[expect]]", "[size.tiny]\n[[expect]]".into(), &["tiny", "smoke, quick or full"]),
    ];
    for (from, to, words) in cases {
        let spec = SMALL.replace(from, &to);
        assert!(SMALL.contains(from) && spec != SMALL, "{from} → {to} changes nothing");
        write_spec(folder.path(), &spec);
        let error = refused(folder.path(), &to, words);
        assert!(error.starts_with("error: "), "{to}: the experiment starts before it is refused: {error}");
    }
}

#[test]
fn data_that_cannot_be_generated_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let planted = |changes: &str| {
        let base = r#"{ source = "planted", shape = [16], samples = 6, active_bins = 3, certificate = 0.5, domain = "signal" }"#;
        let (field, value) = changes.split_once('=').unwrap();
        let start = base.find(&format!("{field}=")).unwrap();
        let end = start + base[start..].find([',', '}']).unwrap();
        format!("data = {}{field}={value}{}", &base[..start], &base[end..])
    };
    let cases: [(String, &[&str]); 6] = [
        (GAUSSIAN.replace("[16]", "[2, 2, 4]"), &["run.data", "shape", "is [2, 2, 4],"]),
        (GAUSSIAN.replace("samples = 6", "samples = 6, margin = -1.0"), &["run.data", "margin", "is -1,"]),
        (planted("certificate = 1.0"), &["run.data", "certificate", "is 1,", "[0, 1)"]),
        (planted("certificate = nan"), &["run.data", "certificate", "is NaN,"]),
        (planted("active_bins = 7"), &["run.data", "active_bins", "is 7,", "active_bins"]),
        (planted("active_bins = 0"), &["run.data", "active_bins", "is 0,", "active_bins"]),
    ];
    for (data, words) in cases {
        write_spec(folder.path(), &SMALL.replace(GAUSSIAN, &data));
        refused(folder.path(), &data, words);
    }
}

#[test]
fn a_claim_about_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let misspelt = "value = 0.0\nwhere = { dept = 2 }";
    for (from, to, word, known) in [
        ("metric = \"log_loss\"", "metric = \"los\"", "los", "log_loss"),
        ("value = 0.0", misspelt, "dept", "depth, seed"),
    ] {
        write_spec(folder.path(), &SMALL.replace(from, to));
        let (code, _, err) = program(folder.path(), &["reproduce", "--experiments", "mine", "--out", word]);
        assert!(code == 2 && err.contains(word) && err.contains(known) && err.contains("01-small"), "{err}");
        assert!(
            err.starts_with("error: ") && !folder.path().join(word).exists(),
            "it runs before it is refused: {err}"
        );
    }
}

#[test]
fn bad_data_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.csv");
    let spec = |label: &str, more: &str| {
        let data = format!("data = {{ source = \"csv\", file = {:?}, label = \"{label}\"{more} }}", file.display());
        SMALL.replace(GAUSSIAN, &data)
    };
    write_spec(folder.path(), &spec("kind", ""));
    refused(folder.path(), "a missing file", &["data.csv", "cannot be opened"]);

    // Good data are good, so that what follows fails for its own reason.
    let good = "a,b,kind\n1,2,x\n-1,0.5,y\n2,1,x\n";
    fs::write(&file, good).unwrap();
    let (code, out, err) = program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "good"]);
    assert_eq!(code, 0, "{out}{err}");

    let cases: [(&str, &str, &[&str]); 12] = [
        ("an empty file", "", &["data.csv", "empty"]),
        ("a header only", "a,b,kind\n", &["data.csv", "samples"]),
        ("a ragged line", "a,b,kind\n1,2,x\n1,y\n", &["data.csv", "line 3", "is 2,", "must be 3"]),
        ("a word for a number", "a,b,kind\n1,2,x\n1,two,y\n", &["data.csv", "line 3", "\"b\"", "two"]),
        ("NaN", "a,b,kind\n1,NaN,x\n1,2,y\n", &["data.csv", "line 2", "\"b\"", "NaN", "finite"]),
        ("infinity", "a,b,kind\n1,2,x\ninf,2,y\n", &["data.csv", "line 3", "\"a\"", "inf", "finite"]),
        ("an empty value", "a,b,kind\n1,,x\n1,2,y\n", &["data.csv", "line 2", "\"b\""]),
        ("three classes", "a,b,kind\n1,2,x\n1,3,y\n2,2,z\n", &["data.csv", "3 classes", "exactly 2"]),
        ("one class", "a,b,kind\n1,2,x\n1,3,x\n", &["data.csv", "1 class", "exactly 2"]),
        ("one feature", "a,kind\n1,x\n-1,y\n", &["data.csv", "features", "at least 2"]),
        ("another separator", "a;b;kind\n1;2;x\n1;3;y\n", &["data.csv", "semicolons"]),
        ("inseparable data", "a,b,kind\n1,2,x\n1,2,y\n", &["not linearly separable", "constant feature"]),
    ];
    for (what, text, words) in cases {
        fs::write(&file, text).unwrap();
        refused(folder.path(), what, words);
    }
    fs::write(&file, good).unwrap();
    write_spec(folder.path(), &spec("kinds", ""));
    refused(folder.path(), "a misspelt label", &["data.csv", "kinds", "Did you mean \"kind\"?"]);
    write_spec(folder.path(), &spec("kind", ", shape = [2, 2]"));
    refused(folder.path(), "a shape that does not fit", &["data.csv", "is [2, 2],", "features, 2"]);
}

#[test]
fn folders_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write_spec(folder.path(), SMALL);
    fs::write(folder.path().join("file"), "in the way").unwrap();
    let (code, _, err) = program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "file/out"]);
    assert!(code == 2 && err.contains("file/out") && err.contains("--out DIR"), "{err}");
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "in the way");

    for (catalogue, word) in [("nowhere", "nowhere"), ("file", "file"), ("empty", "empty")] {
        fs::create_dir_all(folder.path().join("empty")).unwrap();
        let (code, out, err) = program(folder.path(), &["reproduce", "--experiments", catalogue, "--out", "out"]);
        assert!(
            code == 2 && err.contains(word) && err.contains("<paper>/<slug>.toml"),
            "{catalogue}: {code} {out}{err}"
        );
    }
    for arguments in [
        &["reproduce", "--jobs", "0"][..],
        &["reproduce", "--smoke", "--full"],
        &["reproduce", "("],
        &["nonsense"],
        &[],
    ] {
        let (code, _, err) = program(folder.path(), arguments);
        assert!(code == 2 && err.len() > 20 && !err.contains("panicked"), "{arguments:?}: {code} {err}");
    }
    assert!(!folder.path().join("out").exists() && !folder.path().join("results").exists());
}
