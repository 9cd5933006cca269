use super::kinds::Context;
use super::runner::tables;
use super::spec::ResolvedSpec;
use crate::error::Result;
use crate::linear::solver::Status;
use crate::math::random::Stream;
use crate::record::table::Table;
use crate::record::{Difference, Scratch, differences};
use std::sync::atomic::AtomicBool;

/// One stored run, run again.
#[derive(Debug)]
pub struct Rerun {
    /// Its id in runs.csv.
    pub run: String,
    /// The cells of runs.csv that differ, largest difference first; none where every byte is the same.
    pub differs: Vec<Difference>,
}

impl Rerun {
    /// The largest difference (see [`differences`]).
    pub fn largest(&self) -> f64 {
        self.differs.first().map_or(0.0, |d| d.size)
    }
}

/// Which `count` of `total` runs are sampled by a seed, in order: without replacement, all alike.
pub fn sample(total: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut chosen = Stream::new(seed, &["verify", "rerun"]).permutation(total);
    chosen.truncate(count);
    chosen.sort_unstable();
    chosen
}

/// Runs one run of a record again and compares it with its row in runs.csv. `None` if it was interrupted.
///
/// # Errors
/// Data that cannot be read any more.
pub fn rerun(spec: &ResolvedSpec, runs: &Table, index: usize, stop: &AtomicBool) -> Result<Option<Rerun>> {
    let run = &spec.runs[index];
    let result = run.config.run(&Context { stop, scratch: Scratch::default(), tell: &|_| {} })?;
    if result.status == Status::Interrupted {
        return Ok(None);
    }
    let stored = Table { columns: runs.columns.clone(), rows: vec![runs.rows[index].clone()] };
    let now = Table::parse(&tables(spec, run, &result).row.to_csv(), "runs.csv")?;
    Ok(Some(Rerun { run: run.id.clone(), differs: differences(&stored, &now) }))
}
