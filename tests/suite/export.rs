//! Notebooks are current; exports hold what the record holds.

use crate::common::{files, root};
use implicit_bias::record::table::Table;
use implicit_bias::report::{notebook, tensorboard, tidy};
use std::collections::BTreeSet;
use std::fs::read_to_string;

#[test]
fn committed_notebooks_are_current_and_well_formed() {
    let (results, notebooks) = (root().join("results"), root().join("notebooks-export"));
    let records = implicit_bias::record::Store::records(&results, None).unwrap();
    let mut expected = BTreeSet::new();
    for folder in &records {
        let id = folder.strip_prefix(&results).unwrap();
        let path = notebooks.join(id).with_extension("ipynb");
        let text = notebook(&results, folder, &format!("../../results/{}", id.display())).unwrap();
        let stored = read_to_string(&path).unwrap_or_default();
        assert!(text == stored, "{} is not current. Run `implicit-bias export notebook`", path.display());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let ids: Vec<_> = json["cells"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
        let valid = |id: &&str| id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        assert!(ids.iter().all(valid) && ids.iter().collect::<BTreeSet<_>>().len() == ids.len(), "{ids:?}");
        let spec: toml::Table =
            read_to_string(root().join(format!("experiments/{}.toml", id.display()))).unwrap().parse().unwrap();
        let count = |key: &str| spec.get(key).and_then(|v| v.as_array()).map_or(0, Vec::len);
        let with = |prefix: &str| ids.iter().filter(|id| id.starts_with(prefix)).count();
        assert_eq!((with("verdict-"), with("figure-")), (count("expect"), count("figure")), "{}", id.display());
        expected.insert(path);
    }
    let stray: Vec<_> = files(&notebooks).into_iter().filter(|f| !expected.contains(f)).collect();
    assert!(stray.is_empty() && records.len() >= 14, "no record has {stray:?}");
}

#[test]
fn a_claim_that_fails_is_asserted_to_fail() {
    let (folder, id) = (tempfile::tempdir().unwrap(), "gunasekar2018/12-life-of-the-spectrum");
    let copy = folder.path().join(id);
    std::fs::create_dir_all(&copy).unwrap();
    for file in ["runs.csv", "record.toml"] {
        std::fs::copy(root().join("results").join(id).join(file), copy.join(file)).unwrap();
    }
    let summary = read_to_string(root().join("results/summary.csv")).unwrap();
    let changed = summary.replacen(",1.0,20,holds,", ",1.0,20,fails,", 1);
    assert_ne!(summary, changed);
    std::fs::write(folder.path().join("summary.csv"), changed).unwrap();
    let text = notebook(folder.path(), &copy, "..").unwrap();
    assert!(text.contains("assert not (value >= 1.0)") && text.contains("**fails**"), "{text}");
    std::fs::write(folder.path().join("summary.csv"), "paper,experiment\n").unwrap();
    let error = notebook(folder.path(), &copy, "..").unwrap_err().to_string();
    assert!(error.contains("reproduce gunasekar2018/12-life-of-the-spectrum"), "{error}");
}

#[test]
fn tidy_and_scalars_hold_the_trace() {
    let folder = root().join("results/gunasekar2018/14-stationary-points");
    let (table, trace) = (tidy(&folder).unwrap(), Table::read(&folder.join("trace.csv")).unwrap());
    assert_eq!(table.columns[..4], ["run", "depth", "start", "step"].map(String::from));
    assert_eq!(table.rows.len(), trace.rows.len());
    assert_eq!(table.numbers("excess").len(), trace.numbers("excess").len());
    assert!(table.rows.iter().zip(&trace.rows).all(|(a, b)| a[0] == b[0] && a[3..] == b[1..]));
    let (runs, total) = tensorboard::tensorboard(&folder).unwrap();
    assert_eq!((runs.len(), total), (tensorboard::MOST_CURVES, 200));
    let names: BTreeSet<_> = runs.iter().map(|r| r.name.as_str()).collect();
    assert!(names.len() == runs.len() && names.iter().any(|n| n.starts_with("depth=4,start=")), "{names:?}");
}
