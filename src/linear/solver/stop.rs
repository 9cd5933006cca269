use serde::Serialize;
use std::time::Duration;

/// When a run ends. The rules are fixed before it starts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stop {
    /// The most steps taken.
    pub max_steps: u64,
    /// Converged once log 𝓛 ≤ −q with log10 q at least this.
    pub log10_q: Option<f64>,
    /// Converged once the certified gap is at most this (checked whenever the run is observed).
    pub certified_gap: Option<f64>,
    /// Converged once the stationarity residual in parameter space is at most this (log-time flow only).
    pub residual: Option<f64>,
    /// A guard against runs that never end; runs that meet it are not reproducible to the step.
    pub time_budget: Option<Duration>,
}

/// How a run ended; never an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A stop rule for the loss or the gap was met.
    Converged,
    /// All steps were taken.
    MaxSteps,
    /// The time budget was spent.
    TimeBudget,
    /// A number stopped being finite, or the loss grew past any use.
    Diverged,
    /// A step no longer changes the parameters in floating point.
    Stalled,
    /// The person asked to stop.
    Interrupted,
}

impl Status {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxSteps => "max-steps",
            Self::TimeBudget => "time-budget",
            Self::Diverged => "diverged",
            Self::Stalled => "stalled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a solver says when it is done.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Why, and what to try next, in a sentence.
    pub reason: String,
    /// Steps taken.
    pub steps: u64,
}

impl Outcome {
    pub(super) fn new(status: Status, steps: u64) -> Self {
        let reason = match status {
            Status::Converged => "a stop rule for the loss or the certified gap was met",
            Status::MaxSteps => "all steps were taken; allow more (max_steps) to go further",
            Status::TimeBudget => "the time budget was spent; allow more, or a smaller problem",
            Status::Diverged => "the loss grew past any use or a number stopped being finite; try a smaller step",
            Status::Stalled => {
                "a step no longer changes the parameters in floating point; a loss-normalised method goes on"
            }
            Status::Interrupted => "interrupted; the same command goes on",
        };
        Self { status, reason: reason.into(), steps }
    }
}
