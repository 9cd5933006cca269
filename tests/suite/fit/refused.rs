//! What `fit` refuses: exit code 2, a paragraph that names the option and what is allowed, nothing left behind.

use super::{arguments, signals};
use crate::common::files;
use crate::program::program;
use std::fs::write;

#[test]
fn inseparable_data_are_explained_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("data.csv"), "class,a,b\n0,1,2\n1,1,2\n1,2,1\n").unwrap();
    for (loss, word) in [("exponential", "max-margin"), ("logistic", "finite minimiser")] {
        let (code, out, err) =
            program(folder.path(), &arguments("diagonal", "2", &format!("--loss {loss} --trace t.csv")));
        assert!(code == 2 && out.is_empty() && err.contains("not linearly separable") && err.contains(word), "{err}");
    }
    assert_eq!(files(folder.path()).len(), 1);
    // Units alone never make data inseparable.
    write(folder.path().join("data.csv"), "class,a,b\n0,1e-9,2e-9\n1,1e-9,-2e9\n1,2e6,1e-9\n").unwrap();
    let (code, _, err) = program(folder.path(), &arguments("diagonal", "2", "--max-steps 3"));
    assert!(code == 0, "{err}");
}

#[test]
fn bad_options_are_refused_in_one_paragraph() {
    let folder = tempfile::tempdir().unwrap();
    signals(folder.path(), ["0", "1"]);
    let row = ["0.1"; 12].join(",");
    let zeros = ["0"; 12].join(",");
    for (name, text) in [
        ("one.csv", row.clone()),
        ("narrow.csv", "1,2\n3,4\n".into()),
        ("word.csv", format!("{row}\n{}", row.replacen("0.1", "ten", 1))),
        ("zero.csv", format!("{zeros}\n{zeros}")),
        ("X.npy", "no array".into()),
    ] {
        write(folder.path().join(name), text).unwrap();
    }
    let before = files(folder.path());
    let cases: [(&str, &[&str]); 29] = [
        ("--depth 0", &["depth", "is 0,", "16"]),
        ("--depth 17", &["depth", "is 17,", "16"]),
        ("--depth -1", &["--depth", "-1", "whole number"]),
        ("--width 0", &["width", "is 0,", "4096"]),
        ("--shape 12", &["--shape", "28x28"]),
        ("--shape 0x12", &["--shape", "28x28"]),
        ("--shape 3x5", &["data.csv", "[3, 5]", "12"]),
        ("--network recurrent", &["--network", "convolutional"]),
        ("--loss hinge", &["--loss", "logistic"]),
        ("--solver newton", &["--solver", "log-time-flow"]),
        ("--step -0.1 --solver gradient-descent", &["step", "is -0.1,", "above 0"]),
        ("--step 20", &["step", "is 20,", "at most 1"]),
        ("--step nan", &["step", "is NaN,"]),
        ("--max-steps 0", &["max-steps", "is 0,"]),
        ("--until-gap -1", &["until-gap", "is -1,"]),
        ("--until-log10-q 2e6", &["until-log10-q", "is 2000000,", "1000000"]),
        ("--init-scale 0", &["init-scale", "is 0,"]),
        ("--seed -1", &["--seed", "-1"]),
        ("--init one.csv --init-scale 1", &["--init", "--init-scale"]),
        ("--init one.csv --network fully-connected", &["one.csv", "fully-connected", "--init-scale"]),
        ("--init one.csv", &["one.csv", "rows", "is 1,", "must be 2"]),
        ("--init narrow.csv", &["narrow.csv", "line 1", "columns", "is 2,", "must be 12"]),
        ("--init word.csv", &["word.csv", "line 2", "ten"]),
        ("--init zero.csv", &["gradient at the start", "is 0,"]),
        ("--init none.csv", &["none.csv", "cannot be read"]),
        ("--labels one.csv", &["labels", "--label COLUMN"]),
        ("--trace no/t.csv", &["trace", "no/t.csv", "folder"]),
        ("--predictor data.csv", &["predictor", "--data"]),
        ("--plot f.pdf", &["plot", "f.pdf", ".svg"]),
    ];
    let refused = |arguments: &[&str], words: &[&str]| {
        let (code, out, err) = program(folder.path(), arguments);
        assert!(code == 2 && out.is_empty() && !err.contains("panicked"), "{arguments:?}: {code} {out}{err}");
        words.iter().for_each(|w| assert!(err.contains(w), "{arguments:?}: no `{w}` in {err}"));
    };
    for (more, words) in cases {
        // The option under test replaces its own default.
        let mut all = arguments("diagonal", "2", "");
        for name in more.split_whitespace().filter(|w| ["--depth", "--network"].contains(w)) {
            let at = all.iter().position(|a| *a == name).unwrap();
            all.drain(at..at + 2);
        }
        refused(&[all, more.split_whitespace().collect()].concat(), words);
    }
    let rest = ["--network", "diagonal", "--depth", "2"];
    for (start, words) in [
        (&["fit", "--data", "data.csv"][..], &["data.csv", "label", "--label COLUMN"][..]),
        (&["fit", "--data", "data.csv", "--label", "clas"], &["Did you mean \"class\"?"]),
        (&["fit", "--data", "none.csv", "--label", "class"], &["none.csv", "cannot be opened"]),
        (&["fit", "--data", "X.npy"], &["X.npy", "labels", "--labels y.npy"]),
        (&["fit", "--data", "X.npy", "--label", "class", "--labels", "X.npy"], &["label", ".npy"]),
        (&["fit", "--data", "X.npy", "--labels", "X.npy"], &["no whole NPY file"]),
    ] {
        refused(&[start, &rest].concat(), words);
    }
    assert_eq!(files(folder.path()), before, "something was left behind");
}
