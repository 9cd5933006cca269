//! Specs: read, resolved, checked; now and then run, judged and drawn, if that is a matter of milliseconds.

use crate::harness::{Case, Seed};
use implicit_bias::experiment::kinds::{Config, linear::DataConfig};
use implicit_bias::experiment::{Options, ResolvedSpec, Size, Spec, judge, run_experiment};
use implicit_bias::record::Store;
use implicit_bias::record::table::Table;
use implicit_bias::report::draw_record;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// One in so many accepted specs is run.
const RUN: u64 = 256;

/// Every experiment of the repository.
pub fn corpus() -> Vec<Seed> {
    let mut seeds = vec![];
    for paper in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")).unwrap() {
        let mut specs: Vec<_> = fs::read_dir(paper.unwrap().path()).unwrap().map(|e| e.unwrap().path()).collect();
        specs.sort();
        seeds.extend(specs.into_iter().map(|p| ("toml", fs::read(p).unwrap())));
    }
    assert!(seeds.len() > 10);
    seeds
}

pub fn check(case: &Case) -> bool {
    let text = String::from_utf8_lossy(&case.bytes);
    let size = [Size::Smoke, Size::Quick, Size::Full][case.number as usize % 3];
    let Ok(resolved) = Spec::parse(&text, "mutated").and_then(|s| s.resolve("paper/mutated", size)) else {
        return false;
    };
    assert!(resolved.runs.iter().all(|r| r.values.len() == resolved.parameters.len()));
    if case.number.is_multiple_of(RUN) {
        run(resolved, &case.folder.join("out"));
    }
    true
}

/// The first two runs, a few steps each; everything that is written is below `out`.
fn run(mut spec: ResolvedSpec, out: &Path) {
    spec.runs.truncate(2);
    spec.spec.figures.truncate(1);
    for run in &mut spec.runs {
        let (Config::Limit(config) | Config::DecayLaw(config) | Config::InducedRegularizer(config)) = &mut run.config
        else {
            return;
        };
        config.stop.max_steps = config.stop.max_steps.min(5);
        match &config.data {
            DataConfig::Gaussian { shape, samples, .. } | DataConfig::Planted { shape, samples, .. }
                if shape.iter().product::<usize>().saturating_mul(*samples) <= 4096 => {}
            _ => return,
        }
        if config.network.width > 64 {
            return;
        }
    }
    let options = Options { jobs: 1, stop: &AtomicBool::new(false) };
    let store = Store::open(out, "paper", "mutated").unwrap().unwrap();
    if let Ok(Some(_)) = run_experiment(&spec, &store, &options, &|_| ()) {
        let folder = store.places().folder.clone();
        let runs = Table::read(&folder.join("runs.csv")).unwrap();
        assert_eq!(runs.rows.len(), spec.runs.len());
        let _ = judge(&spec, &runs);
        let _ = draw_record(&folder, &spec.spec.figures);
    }
    let _ = fs::remove_dir_all(out);
}
