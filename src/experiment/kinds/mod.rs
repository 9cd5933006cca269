//! What can be computed for a run: one file a kind.

mod decay_law;
mod induced_regularizer;
mod limit;

use super::config::RunConfig;
use crate::error::Result;
use crate::linear::solver::Status;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// The kinds of experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Train, and compare what is reached with the predicted limit.
    Limit,
    /// Train, and fit how fast each bin off the predicted support decays.
    DecayLaw,
    /// Minimise ‖w‖² over all w with P(w) = β, and compare with the closed form.
    InducedRegularizer,
}

/// What a run is given.
pub struct Context<'a> {
    /// Its checked configuration.
    pub config: &'a RunConfig,
    /// Set when the person asks to stop.
    pub stop: &'a AtomicBool,
}

/// What a run gives.
#[derive(Debug)]
pub struct RunResult {
    /// How it ended.
    pub status: Status,
    /// Why, in a sentence.
    pub reason: String,
    /// Steps taken.
    pub steps: u64,
    /// Final metrics: the last columns of runs.csv.
    pub metrics: Vec<(&'static str, f64)>,
    /// The metrics of trace.csv.
    pub trace_columns: &'static [&'static str],
    /// Step and metrics of every observation.
    pub trace: Vec<(u64, Vec<f64>)>,
    /// Rows of vectors.csv.
    pub vectors: Vec<Vector>,
}

/// A named vector of one observation.
#[derive(Debug, Clone)]
pub struct Vector {
    /// When.
    pub step: u64,
    /// What.
    pub quantity: &'static str,
    /// Its entries.
    pub values: Vec<f64>,
}

impl Kind {
    /// Computes one run.
    ///
    /// # Errors
    /// If the data cannot be had or used; how the computation went is a status.
    pub fn run(self, context: &Context) -> Result<RunResult> {
        match self {
            Self::Limit => limit::run(context),
            Self::DecayLaw => decay_law::run(context),
            Self::InducedRegularizer => induced_regularizer::run(context),
        }
    }
}
