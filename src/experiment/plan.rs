use super::runner::keys;
use super::spec::ResolvedSpec;
use crate::error::Result;
use crate::record::{Finished, Places, Store};
use std::collections::BTreeSet;
use std::path::Path;

/// What `reproduce` would do for one experiment; made without writing anything.
#[derive(Debug)]
pub struct Plan {
    /// Of each run, in the spec's order: whether it is finished.
    pub cached: Vec<bool>,
    /// Finished runs that the spec does not ask for (any more).
    pub stale: usize,
    /// Whether there is a record.
    pub recorded: bool,
    /// Why the record is not what the spec asks for, or cannot be reused.
    pub why: Option<String>,
    /// Whether the record is of another spec, so that `--replace` is needed.
    pub another_spec: bool,
    /// Time of the runs to do, one after the other, in seconds; as long as those that were kept took on average, or else their
    /// share of what all took the experiment's author.
    pub seconds: Option<f64>,
    mean: Option<f64>,
}

impl Plan {
    /// Looks what there is under a results folder.
    ///
    /// # Errors
    /// A record.toml that cannot be read.
    pub fn new(spec: &ResolvedSpec, root: &Path) -> Result<Self> {
        let (paper, experiment) = spec.names();
        let places = Places::new(root, paper, experiment);
        let (finished, manifest) = (Finished::read(&places), Store::manifest(&places.folder)?);
        let keys = keys(spec);
        let cached: Vec<bool> = keys.iter().map(|key| finished.has(key)).collect();
        let other = manifest.as_ref().filter(|m| m.spec_hash != spec.hash);
        let other = other.map(|m| format!("the record is of another spec (hash {}, now {})", m.spec_hash, spec.hash));

        let mut times: Vec<f64> = finished.keys().filter_map(|key| finished.seconds(key)).collect();
        if let Some(m) = manifest.as_ref().filter(|_| times.is_empty()) {
            let total = m.provenance.run_seconds.unwrap_or(m.provenance.seconds * m.provenance.threads as f64);
            times.push(total / m.runs.max(1) as f64);
        }
        let authors = spec.seconds.map(|all| all / cached.len() as f64);
        let mean = (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64).or(authors);
        let asked: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        let to_run = cached.iter().filter(|c| !**c).count();
        Ok(Self {
            stale: finished.keys().filter(|key| !asked.contains(key)).count(),
            recorded: manifest.is_some(),
            another_spec: other.is_some(),
            why: other.or(finished.unusable),
            seconds: if to_run == 0 { Some(0.0) } else { mean.map(|m| m * to_run as f64) },
            mean,
            cached,
        })
    }

    /// The same if nothing is to be taken over.
    pub fn compute_all(&mut self) {
        self.cached.fill(false);
        self.seconds = self.mean.map(|m| m * self.cached.len() as f64);
    }

    /// Runs that are finished.
    pub fn finished(&self) -> usize {
        self.cached.iter().filter(|c| **c).count()
    }

    /// Runs to do.
    pub fn to_run(&self) -> usize {
        self.cached.len() - self.finished()
    }

    /// `cached`, `to run` or `stale`.
    pub fn state(&self) -> &'static str {
        match (self.to_run(), &self.why) {
            (0, None) if self.recorded => "cached",
            (_, Some(_)) => "stale",
            _ => "to run",
        }
    }
}
