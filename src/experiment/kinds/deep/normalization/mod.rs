mod half_precision;
mod invariance;
mod moments;
mod weight_decay;

use crate::deep::normalize::{HalfPrecision, Statistic};
use crate::error::{Result, between};
use crate::experiment::kinds::RunResult;
use crate::linear::solver::Status;
use crate::math::random::Stream;
use serde::{Deserialize, Serialize};
use weight_decay::WeightDecay;

/// The final metrics: each check gives those of its own.
pub const FINAL: [&str; 26] = [
    "output_deviation",
    "power_of_two_deviation",
    "orthogonality",
    "gradient_deviation",
    "turn",
    "largest_turn",
    "norm",
    "decayed_norm",
    "norm_law",
    "constant",
    "predicted",
    "measured",
    "standard_error",
    "standard_errors",
    "published",
    "limit",
    "code",
    "spread",
    "predicted_spread",
    "spread_errors",
    "efficiency",
    "predicted_efficiency",
    "first_scale",
    "last_scale",
    "error_at_one",
    "error_inside",
];

/// The metrics of trace.csv: of weight decay the first four, of half precision the others.
pub const COLUMNS: [&str; 6] = ["turn", "norm", "decayed_norm", "rate", "scale", "scale_error"];

/// An identity of normalisation, or a law of its statistics, at one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalizationConfig {
    /// Root of every random stream of the run.
    pub seed: u64,
    /// What the normalisation divides by.
    pub statistic: Statistic,
    /// What is checked.
    pub check: Check,
}

/// What is checked, and at which size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "identity", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Check {
    /// A normalised linear layer is the same for w and a·w, and its gradient is orthogonal to w and shrinks like 1/a.
    ScaleInvariance {
        /// Weights.
        fan_in: usize,
        /// Inputs.
        batch: usize,
    },
    /// Weight decay against its absence with a corrected rate.
    WeightDecay(WeightDecay),
    /// The statistic of n normal numbers against its moments, and against the factors of papers and code.
    Moments {
        /// n.
        count: usize,
        /// Numbers drawn in all.
        draws: usize,
    },
    /// The statistic in half precision over 12 decades of the standard deviation.
    HalfPrecision {
        /// n.
        count: usize,
        /// How it is computed.
        arithmetic: HalfPrecision,
    },
}

/// What a check gives.
#[derive(Default)]
struct Found {
    metrics: Vec<(&'static str, f64)>,
    trace: Vec<(u64, Vec<f64>)>,
    steps: u64,
}

impl NormalizationConfig {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        if let Statistic::Top(k) = self.statistic {
            between("run.statistic.top", k as f64, 0.0, 4096.0)?;
        }
        let size = |field: &str, n: usize, low: f64| between(&format!("run.check.{field}"), n as f64, low, 1e7);
        match &self.check {
            Check::ScaleInvariance { fan_in, batch } => {
                size("fan_in", *fan_in, 0.0)?;
                size("batch", *batch, 2.0)
            }
            Check::WeightDecay(config) => config.check(),
            Check::Moments { count, draws } => {
                size("count", *count, 7.0)?;
                between("run.check.draws", *draws as f64, 32.0 * *count as f64, 1e10)
            }
            Check::HalfPrecision { count, .. } => size("count", *count, 1.0),
        }
    }
}

/// Computes both sides.
pub fn run(config: &NormalizationConfig) -> RunResult {
    let statistic = config.statistic;
    // Arithmetic, corrections and statistics are compared on the same numbers.
    let stream =
        |name: &str, sizes: &[usize]| Stream::new(config.seed, &["normalization", name, &format!("{sizes:?}")]);
    let found = match &config.check {
        Check::ScaleInvariance { fan_in, batch } => {
            invariance::run(statistic, [*fan_in, *batch], &mut stream("layer", &[*fan_in, *batch]))
        }
        Check::WeightDecay(decay) => weight_decay::run(decay, statistic, &mut stream("network", &[])),
        Check::Moments { count, draws } => {
            moments::run(statistic, *count, draws / count, &mut stream("moments", &[*count]))
        }
        Check::HalfPrecision { count, arithmetic } => {
            half_precision::run(statistic, *count, *arithmetic, &mut stream("half", &[*count]))
        }
    };
    let value = |name| found.metrics.iter().find(|(n, _)| *n == name).map_or(f64::NAN, |m| m.1);
    RunResult {
        status: Status::Converged,
        reason: "both sides were computed".into(),
        steps: found.steps.max(1),
        metrics: FINAL.into_iter().map(|name| (name, value(name))).collect(),
        trace: found.trace,
        vectors: vec![],
    }
}
