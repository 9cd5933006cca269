//! A run that was interrupted goes on to the numbers of one that was not, and runs that share a training share its numbers.

use implicit_bias::error::Result;
use implicit_bias::experiment::kinds::{Config, Context, Kind, RunResult};
use implicit_bias::experiment::{ResolvedSpec, Size, load_all};
use implicit_bias::linear::solver::Status;
use implicit_bias::record::{Scratch, Store};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Runs, and asks to stop once it has told so many things.
fn attempt(config: &Config, scratch: Scratch, told: usize) -> Result<RunResult> {
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(1));
    let tell = |_: &str| {
        stop.store(count.fetch_add(1, Ordering::Relaxed) >= told, Ordering::Relaxed);
    };
    config.run(&Context { stop: &stop, scratch, tell: &tell })
}

fn run(config: &Config, scratch: Scratch, told: usize) -> RunResult {
    attempt(config, scratch, told).unwrap()
}

fn smoke(kind: Kind) -> Vec<ResolvedSpec> {
    let all = load_all(None).unwrap().into_iter().filter(|e| e.spec.kind == kind && e.spec.is_at(Size::Smoke));
    all.map(|e| e.spec.resolve(&e.id, Size::Smoke).unwrap()).collect()
}

#[test]
fn an_interrupted_training_goes_on_to_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, name) in [(Kind::Trajectory, "trajectory"), (Kind::WeightDecay, "weight-decay")] {
        let store = Store::open(folder.path(), "paper", name).unwrap().unwrap();
        for (i, own) in smoke(kind)[0].runs.iter().enumerate() {
            let whole = run(&own.config, Scratch::default(), usize::MAX);
            let scratch = || store.scratch(&i.to_string());
            let mut ends = 0;
            let resumed = loop {
                let result = run(&own.config, scratch(), 1);
                if result.status != Status::Interrupted {
                    break result;
                }
                ends += 1;
            };
            assert!(ends >= 1 && scratch().load().is_some(), "{} {i}", name);
            assert_eq!(format!("{resumed:?}"), format!("{whole:?}"), "{} {i}", name);
            scratch().save(b"no state of a training").unwrap();
            assert!(attempt(&own.config, scratch(), usize::MAX).is_err());
        }
    }
}

#[test]
fn runs_that_share_a_training_train_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "paper", "shared").unwrap().unwrap();
    let spec = smoke(Kind::PostTrainingQuantization).remove(0);
    let trainings = || std::fs::read_dir(&store.places().partial).map_or(0, |files| files.count());
    for (i, own) in spec.runs.iter().take(3).enumerate() {
        let alone = run(&own.config, Scratch::default(), usize::MAX);
        let shared = run(&own.config, store.scratch(&i.to_string()), usize::MAX);
        assert_eq!(format!("{shared:?}"), format!("{alone:?}"));
        assert_eq!(trainings(), 1);
    }
}

#[test]
fn runs_side_by_side_keep_one_training() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "paper", "side-by-side").unwrap().unwrap();
    let shared = |run: u8| store.scratch(&run.to_string()).shared(&"the same training");
    std::thread::scope(|threads| {
        for run in 0..4 {
            let shared = &shared;
            threads.spawn(move || (0..100).for_each(|_| shared(run).save(&[7; 4096]).unwrap()));
        }
    });
    assert_eq!(shared(0).load().unwrap(), [7; 4096]);
    assert_eq!(std::fs::read_dir(&store.places().partial).unwrap().count(), 1);
}
