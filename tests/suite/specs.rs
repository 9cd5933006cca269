//! The experiments that come with the program, and what their kinds refuse.

use implicit_bias::experiment::{Size, Spec, load_all};

#[test]
fn every_experiment_resolves_at_every_size() {
    for entry in load_all(None).unwrap() {
        for &size in &entry.spec.sizes {
            let spec = entry.spec.resolve(&entry.id, size).unwrap_or_else(|e| panic!("{e}"));
            assert!(!spec.runs.is_empty(), "{} ({})", entry.id, size.name());
        }
    }
}

/// Changes one place of an experiment that is fine, and looks for the words in the error.
#[test]
fn configurations_of_trainings_walks_and_identities_are_refused_by_field() {
    let cases: [(&str, &str, &str, &[&str]); 17] = [
        ("10-ladder", "clip_norm = 5.0", "clip_norm = 0.0", &["run.training.clip_norm", "above 0"]),
        ("10-ladder", "batch = 320", "batch = 0", &["run.training.batch"]),
        ("10-ladder", "ghost = 16", "ghost = 1", &["run.model.ghost", "2 to"]),
        ("10-ladder", "reference = 16", "reference = 0", &["run.training.large_batch.reference"]),
        ("10-ladder", "rate_power", "power", &["run.training.large_batch", "power", "rate_power"]),
        ("20-ultra-slow-diffusion", "epochs = 21", "epochs = 0", &["run.training.epochs"]),
        ("20-ultra-slow-diffusion", "digits8x8", "digits", &["run.data", "digits", "digits8x8"]),
        ("10-weight-decay", "weight_decay = 5e-3", "weight_decay = 0.0", &["run.training.weight_decay", "above 0"]),
        ("10-weight-decay", "\"norm-schedule\"", "\"norms\"", &["run.arm", "norms", "norm-schedule"]),
        ("21-random-directions", "directions = 50", "directions = 1", &["run.directions", "above 1"]),
        ("21-random-directions", "[0.05, 10.0]", "[10.0, 0.05]", &["run.radii (the least)"]),
        ("01-sinai-walk", "hurst = 0.5", "hurst = 1.0", &["run.hurst", "0.999"]),
        ("01-sinai-walk", "fitted = 8", "fitted = 99", &["run.fitted", "99"]),
        ("01-sinai-walk", "reach = 1048576", "reach = 1e9", &["run.reach"]),
        ("01-scale-invariance", "fan_in", "fan", &["run.check", "fan", "fan_in"]),
        ("04-half-precision", "[256, 4096", "[1, 4096", &["run.check.count", "above 1"]),
        ("03-constants", "draws = 4194304", "draws = 4", &["run.check.draws"]),
    ];
    let entries = load_all(None).unwrap();
    for (slug, from, to, words) in cases {
        let entry = entries.iter().find(|e| e.id.ends_with(&format!("/{slug}"))).unwrap();
        let run = entry.spec.text.find("[run]").unwrap();
        let (head, body) = entry.spec.text.split_at(run);
        assert!(body.contains(from), "{slug}: no `{from}`");
        let changed = format!("{head}{}", body.replacen(from, to, 1));
        let resolve = |size| Spec::parse(&changed, "spec").and_then(|s| s.resolve(&entry.id, size));
        let error = [Size::Quick, Size::Full].into_iter().find_map(|s| resolve(s).err());
        let error = error.unwrap_or_else(|| panic!("{slug}: `{to}` is accepted")).to_string();
        assert!(words.iter().all(|w| error.contains(w)), "{slug}, {from} → {to}: {error}");
    }
}
