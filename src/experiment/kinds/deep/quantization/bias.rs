//! What rounding does to the mean and norm of a channel.

use super::Found;
use crate::deep::quantize::{Affine, Correction, Spread};
use crate::experiment::kinds::Vector;
use crate::math::random::Stream;
use std::f64::consts::PI;

/// Gaussian channels of different mean and width, rounded with one range for all, then corrected. Inputs are max(z, 0) of normal z:
/// with mean μ² = 1/2π and variance 1/2 − 1/2π, an error e of a channel's weights gives Var·‖e‖² + μ²(Σ e)² at its output.
pub fn run([channels, fan_in]: [usize; 2], bits: u32, correction: Correction, stream: &mut Stream) -> Found {
    let mut weights = Vec::with_capacity(channels * fan_in);
    for _ in 0..channels {
        let (width, centre) = ((0.5 * stream.normal()).exp(), 0.1 * stream.normal());
        weights.extend((0..fan_in).map(|_| (width * (centre + stream.normal())) as f32));
    }
    let grid = Affine::of_values(&weights, bits);
    let rounded: Vec<f32> = weights.iter().map(|w| grid.round(*w)).collect();
    let mut corrected = rounded.clone();
    correction.apply(&weights, &mut corrected, channels);
    let parts = |v: &[f32]| -> Vec<Spread> { v.chunks(fan_in).map(Spread::of).collect() };
    let (exact, before, after) = (parts(&weights), parts(&rounded), parts(&corrected));
    let step = f64::from(grid.scale);
    let shifts: Vec<f64> = after.iter().zip(&exact).map(|(a, w)| (a.mean - w.mean) / step).collect();
    let root = |values: &mut dyn Iterator<Item = f64>| (values.map(|v| v * v).sum::<f64>() / channels as f64).sqrt();
    let norms = after.iter().zip(&exact).map(|(a, w)| a.standard / w.standard - 1.0);
    // As printed, ξ(q + w̄ − q̄): the mean is ξ·w̄.
    let factor = |w: &Spread, q: &Spread| if q.standard > 0.0 { w.standard / q.standard } else { 1.0 };
    let printed = exact.iter().zip(&before).map(|(w, q)| (factor(w, q) - 1.0) * w.mean / step);
    let [square, variance] = [0.5 / PI, 0.5 - 0.5 / PI];
    let errors = |v: &[f32]| -> [f64; 2] {
        let difference: Vec<f64> = weights.iter().zip(v).map(|(w, q)| f64::from(q - w)).collect();
        let of = |e: &[f64]| [e.iter().map(|e| e * e).sum::<f64>(), e.iter().sum::<f64>().powi(2)];
        difference.chunks(fan_in).map(of).fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d])
    };
    let output = |[norm, sum]: [f64; 2]| variance * norm + square * sum;
    let signal = output(errors(&vec![0.0; weights.len()]));
    // Taking the mean off an error leaves ‖e‖² − (Σ e)²/n.
    let [norm, sum] = errors(&rounded);
    let predicted = output([norm - sum / fan_in as f64, 0.0]) / signal;
    let metrics = vec![
        ("mean_shift", root(&mut shifts.iter().copied())),
        ("norm_error", root(&mut norms.clone())),
        ("printed_shift", root(&mut printed.clone())),
        ("output_error", output(errors(&corrected)) / signal),
        ("predicted_error", predicted),
    ];
    let vectors = vec![
        Vector { step: 0, quantity: "mean_shift", values: shifts },
        Vector { step: 0, quantity: "norm_error", values: norms.collect() },
    ];
    Found { metrics, vectors, ..Found::default() }
}
