//! Losses of a margin, as logarithms: nothing under- or overflows at margins of ±10⁶, nor at exp(−10³⁰⁰).

mod exponential;
mod logistic;

use crate::math::sums::log_sum_exp;
use serde::{Deserialize, Serialize};

/// A decreasing loss ℓ of the margin, summed over samples (not averaged): 𝓛 = Σ ℓ(mᵢ).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// ℓ(m) = exp(−m).
    Exponential,
    /// ℓ(m) = log(1 + exp(−m)).
    Logistic,
}

impl Loss {
    /// log ℓ(m).
    pub fn log_value(self, margin: f64) -> f64 {
        match self {
            Self::Exponential => exponential::log_value(margin),
            Self::Logistic => logistic::log_value(margin),
        }
    }

    /// The function log |ℓ'(m)|.
    pub fn log_slope(self) -> fn(f64) -> f64 {
        match self {
            Self::Exponential => exponential::log_slope,
            Self::Logistic => logistic::log_slope,
        }
    }

    /// log 𝓛 = log Σ ℓ(mᵢ).
    pub fn log_loss(self, margins: &[f64]) -> f64 {
        log_sum_exp(margins.iter().map(|&m| self.log_value(m)))
    }
}
