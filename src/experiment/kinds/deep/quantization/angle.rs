//! How far rounding turns a Gaussian vector.

use super::{Found, Reading};
use crate::deep::quantize::Prior;
use crate::math::random::Stream;
use std::f64::consts::SQRT_2;

/// cos ∠(w, q).
fn cosine(w: &[f64], q: impl Fn(f64) -> f64) -> f64 {
    let [product, a, b] = w.iter().fold([0.0; 3], |[p, a, b], w| {
        let q = q(*w);
        [p + w * q, a + w * w, b + q * q]
    });
    product / (a * b).sqrt()
}

/// cos θ of rounding to multiples of Δ, 2^M/(2^M + √(ln N/6)), and 1/√(1 + ln N/(6·4^M)): with ‖ε‖² = NΔ²/12 and
/// max|w| = √(2 ln N)·σ = 2^M Δ, the first adds lengths as if ε were parallel to w, the second as if it were orthogonal.
pub fn uniform(weights: usize, bits: u32, reading: Reading, stream: &mut Stream) -> Found {
    let w = stream.normals(weights);
    let cells = 2f64.powi(bits as i32);
    let largest = w.iter().fold(0f64, |m, w| m.max(w.abs()));
    let step = match reading {
        Reading::Magnitude => largest / cells,
        Reading::Total => 2.0 * largest / cells,
    };
    let cosine = cosine(&w, |w| (w / step).round() * step);
    let log = (weights as f64).ln();
    let bound = cells / (cells + (log / 6.0).sqrt());
    let sharper = 1.0 / (1.0 + log / (6.0 * cells * cells)).sqrt();
    let metrics = vec![
        ("cosine", cosine),
        ("bound", bound),
        ("bound_margin", cosine - bound),
        ("sharper", sharper),
        ("sharper_deviation", (cosine - sharper).abs()),
        ("angle_degrees", cosine.acos().to_degrees()),
    ];
    Found { metrics, ..Found::default() }
}

/// E[w·q]/√(E w² E q²) for q = sign(w) where |w| > t and 0 elsewhere: √2·φ(t)/√Q(t) with φ the density and Q the tail.
fn ternary_cosine(t: f64) -> f64 {
    let [tail, density, _] = Prior::Gauss.upper_moments(t);
    SQRT_2 * density / tail.sqrt()
}

/// The cosine over thresholds from 0 (binary) to 2σ; its maximum is where 2tQ(t) = φ(t).
pub fn ternary(weights: usize, stream: &mut Stream) -> Found {
    let w = stream.normals(weights);
    let measured = |t: f64| cosine(&w, |w| if w.abs() > t { w.signum() } else { 0.0 });
    let rising = |t: f64| {
        let [tail, density, _] = Prior::Gauss.upper_moments(t);
        2.0 * t * tail < density
    };
    let (mut low, mut high) = (0.0, 2.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if rising(middle) { low = middle } else { high = middle }
    }
    let row = |i: i32| {
        let t = f64::from(i) / 20.0;
        vec![("threshold", t), ("predicted_cosine", ternary_cosine(t)), ("cosine", measured(t))]
    };
    let trace: Vec<_> = (0..=40).map(row).collect();
    // In the spread of a cosine of N weights, 1/√N at most.
    let distance = trace.iter().map(|r| (r[1].1 - r[2].1).abs()).fold(0.0, f64::max);
    let metrics = vec![
        ("threshold", low),
        ("cosine", ternary_cosine(low)),
        ("angle_degrees", ternary_cosine(low).acos().to_degrees()),
        ("standard_errors", distance * (weights as f64).sqrt()),
    ];
    Found { metrics, trace, ..Found::default() }
}
