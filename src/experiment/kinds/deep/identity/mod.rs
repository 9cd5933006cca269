mod exact;
mod sampled;

use crate::error::{Result, between};
use crate::experiment::kinds::RunResult;
use crate::linear::solver::Status;
use crate::math::random::Stream;
use serde::{Deserialize, Serialize};

/// The final metrics: of exact identities the first two, of sampled ones all but `cases`, the last of angles only.
pub const FINAL: [&str; 7] =
    ["cases", "deviation", "predicted", "measured", "standard_error", "standard_errors", "angle_degrees"];

/// One identity of binary arithmetic at one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// Root of every random stream of the run.
    pub seed: u64,
    /// Which.
    pub check: Identity,
}

/// What is checked, and at which size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "identity", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Identity {
    /// n − 2·popcount(a xor b) against ⟨a, b⟩ in f32, a and b in {−1, +1}ⁿ, for a product of two matrices of random size.
    XnorProduct {
        /// n.
        fan_in: usize,
    },
    /// Σ_b 2^b ⟨2p_b − 1, w⟩ on bits against ⟨2p − 255, w⟩ in integers, for 8-bit p and w in {−1, +1}ⁿ.
    BitPlanes {
        /// n.
        fan_in: usize,
    },
    /// Batch norm and sign against one integer threshold, for every integer that a product of n signs can be.
    Threshold {
        /// n.
        fan_in: usize,
    },
    /// cos ∠(w, sign w) for w ~ N(0, I).
    Angle {
        /// The number of weights.
        weights: usize,
    },
    /// The mean of the stochastic binarisation of x.
    StochasticSign {
        /// x.
        x: f64,
        /// Draws.
        draws: usize,
    },
    /// E[x·AP2(x)]/E[x²] for x ~ N(0, σ²).
    PowerOfTwo {
        /// σ.
        sigma: f64,
        /// Draws.
        draws: usize,
    },
    /// The standard deviation of shift-based batch norm's output for inputs N(0, σ²).
    ShiftNorm {
        /// σ.
        sigma: f64,
        /// The batch.
        draws: usize,
    },
    /// The share of distinct sign patterns among the kernels of a random convolution that read one input map.
    UniqueFilters {
        /// Output maps: kernels that read one input map.
        outputs: usize,
        /// Input maps.
        inputs: usize,
        /// Side of a kernel.
        kernel: usize,
        /// How a pattern and its inverse are counted.
        inverses: Inverses,
    },
}

/// How a pattern and its inverse are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inverses {
    /// As two.
    Apart,
    /// As one.
    Together,
}

impl IdentityConfig {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        let count = |field: &str, n: usize| between(&format!("run.check.{field}"), n as f64, 0.0, f64::from(1 << 26));
        match self.check {
            Identity::XnorProduct { fan_in } | Identity::BitPlanes { fan_in } | Identity::Threshold { fan_in } => {
                between("run.check.fan_in", fan_in as f64, 0.0, f64::from(1 << 16))
            }
            Identity::Angle { weights } => count("weights", weights),
            Identity::StochasticSign { x, draws } => {
                between("run.check.x", x + f64::MIN_POSITIVE, -1e6, 1e6)?;
                count("draws", draws)
            }
            Identity::PowerOfTwo { sigma, draws } | Identity::ShiftNorm { sigma, draws } => {
                between("run.check.sigma", sigma, 1e-6, 1e6)?;
                count("draws", draws)
            }
            Identity::UniqueFilters { outputs, inputs, kernel, .. } => {
                between("run.check.kernel", kernel as f64, 0.0, 7.0)?;
                count("outputs", outputs)?;
                count("inputs", inputs)?;
                count("outputs (times inputs and kernel²)", outputs.saturating_mul(inputs * kernel * kernel))
            }
        }
    }
}

/// Computes both sides of the identity.
pub fn run(config: &IdentityConfig) -> RunResult {
    // Every case has a stream of its own, so that sizes compared are independent draws.
    let stream = &mut Stream::new(config.seed, &["identity", &format!("{:?}", config.check)]);
    let none = f64::NAN;
    let exact = |found: exact::Comparison| [found.cases as f64, found.largest, none, none, none, none, none];
    let sampled = |found: sampled::Estimate| {
        let deviation = (found.measured - found.predicted).abs();
        let errors = if deviation == 0.0 { 0.0 } else { deviation / found.standard_error };
        [none, deviation, found.predicted, found.measured, found.standard_error, errors, none]
    };
    let mut values = match config.check {
        Identity::XnorProduct { fan_in } => exact(exact::xnor_product(fan_in, stream)),
        Identity::BitPlanes { fan_in } => exact(exact::bit_planes(fan_in, stream)),
        Identity::Threshold { fan_in } => exact(exact::threshold(fan_in, stream)),
        Identity::Angle { weights } => sampled(sampled::angle(weights, stream)),
        Identity::StochasticSign { x, draws } => sampled(sampled::stochastic_sign(x, draws, stream)),
        Identity::PowerOfTwo { sigma, draws } => sampled(sampled::power_of_two(sigma, draws, stream)),
        Identity::ShiftNorm { sigma, draws } => sampled(sampled::shift_norm(sigma, draws, stream)),
        Identity::UniqueFilters { outputs, inputs, kernel, inverses } => {
            let together = inverses == Inverses::Together;
            sampled(sampled::unique_filters([outputs, inputs, kernel], together, stream))
        }
    };
    if let Identity::Angle { .. } = config.check {
        values[6] = values[3].acos().to_degrees();
    }
    RunResult {
        status: Status::Converged,
        reason: "both sides were computed".into(),
        steps: 1,
        metrics: FINAL.into_iter().zip(values).collect(),
        trace: vec![],
        vectors: vec![],
    }
}
