use super::Spread;
use serde::{Deserialize, Serialize};

/// What of each output channel's weights is restored after rounding (banner2019, equations 12 and 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Correction {
    /// ‖w − mean w‖, first.
    pub variance: bool,
    /// The mean, then.
    pub mean: bool,
}

impl Correction {
    /// Changes `quantized` so that each of its `channels` equal parts has what `weights` has there: first
    /// q ← ξ(q − q̄) + q̄ with ξ = σ_w/σ_q, then q ← q − q̄ + w̄, in the order of the authors' code. (As printed, ξ(q + w̄ − q̄), the
    /// restored mean would be scaled as well.) A channel that was rounded to one value keeps its variance of 0.
    ///
    /// ```
    /// use implicit_bias::deep::quantize::Correction;
    /// let (weights, mut quantized) = ([0.1, 0.4, 0.6, 0.9], [0.0, 0.5, 0.5, 0.5]);
    /// Correction { variance: false, mean: true }.apply(&weights, &mut quantized, 1);
    /// assert!((quantized.iter().sum::<f32>() - 2.0).abs() < 1e-6);
    /// ```
    pub fn apply(self, weights: &[f32], quantized: &mut [f32], channels: usize) {
        let size = (weights.len() / channels.max(1)).max(1);
        for (w, q) in weights.chunks(size).zip(quantized.chunks_mut(size)) {
            let (target, found) = (Spread::of(w), Spread::of(q));
            let factor = if self.variance && found.standard > 0.0 { target.standard / found.standard } else { 1.0 };
            let mean = if self.mean { target.mean } else { found.mean };
            q.iter_mut().for_each(|x| *x = (factor * (f64::from(*x) - found.mean) + mean) as f32);
        }
    }
}
