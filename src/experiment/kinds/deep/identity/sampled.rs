//! Expectations in closed form against what is drawn.

use crate::deep::quantize;
use crate::math::random::Stream;
use std::f64::consts::{FRAC_2_PI, PI};

/// An expectation, the number drawn, and the standard deviation of that number.
pub struct Estimate {
    pub predicted: f64,
    pub measured: f64,
    pub standard_error: f64,
}

/// c = ‖w‖₁/(√N ‖w‖₂). For w ~ N(0, I) the direction is independent of the norm (Basu), so E[c] = E‖w‖₁/(√N E‖w‖₂) and
/// E[c²] = E‖w‖₁²/(N E‖w‖₂²) = 2/π + (1 − 2/π)/N, both exact at every N.
pub fn angle(weights: usize, stream: &mut Stream) -> Estimate {
    let n = weights as f64;
    let w: Vec<f32> = (0..weights).map(|_| stream.normal() as f32).collect();
    let mut signs = w.clone();
    quantize::binarize(&mut signs);
    let product: f64 = w.iter().zip(&signs).map(|(a, b)| f64::from(a * b)).sum();
    let square: f64 = w.iter().map(|a| f64::from(*a).powi(2)).sum();
    let predicted = (n / PI).sqrt() * gamma_ratio(weights);
    let variance = FRAC_2_PI + (1.0 - FRAC_2_PI) / n - predicted.powi(2);
    Estimate { predicted, measured: product / (n * square).sqrt(), standard_error: variance.sqrt() }
}

/// Γ(n/2)/Γ((n + 1)/2): consecutive ratios have the product 2/n.
fn gamma_ratio(n: usize) -> f64 {
    (1..n).fold(PI.sqrt(), |ratio, i| 2.0 / (i as f64 * ratio))
}

/// E[x^b] = clip(x, −1, 1), Var[x^b] = 1 − E[x^b]².
pub fn stochastic_sign(x: f64, draws: usize, stream: &mut Stream) -> Estimate {
    let mut values = vec![x as f32; draws];
    quantize::binarize_stochastically(&mut values, stream);
    let predicted = f64::from(x as f32).clamp(-1.0, 1.0);
    let measured = values.iter().map(|v| f64::from(*v)).sum::<f64>() / draws as f64;
    Estimate { predicted, measured, standard_error: ((1.0 - predicted.powi(2)) / draws as f64).sqrt() }
}

/// Σ x·AP2(x)/Σ x², its standard error from the residuals x·AP2(x) − ratio·x².
pub fn power_of_two(sigma: f64, draws: usize, stream: &mut Stream) -> Estimate {
    let x: Vec<f32> = (0..draws).map(|_| (sigma * stream.normal()) as f32).collect();
    let square = |x: &f32| f64::from(*x).powi(2);
    let product = |x: &f32| f64::from(*x) * f64::from(quantize::ap2(*x));
    let squares: f64 = x.iter().map(square).sum();
    let measured = x.iter().map(product).sum::<f64>() / squares;
    let residuals: f64 = x.iter().map(|x| (product(x) - measured * square(x)).powi(2)).sum();
    Estimate { predicted: power_ratio(sigma), measured, standard_error: residuals.sqrt() / squares }
}

/// E[x·AP2(x)]/E[x²] for x ~ N(0, σ²): AP2 is 2^k on [2^(k−½), 2^(k+½)), and ∫ x φ(x/σ)/σ dx = −σ φ(x/σ).
pub fn power_ratio(sigma: f64) -> f64 {
    let density = |x: f64| (-0.5 * (x / sigma).powi(2)).exp() / (2.0 * PI).sqrt();
    let about = sigma.log2().floor() as i32;
    let term =
        |k: i32| 2f64.powi(k) * (density(2f64.powf(f64::from(k) - 0.5)) - density(2f64.powf(f64::from(k) + 0.5)));
    2.0 / sigma * (about - 60..about + 8).map(term).sum::<f64>()
}

/// Shift-based batch norm (algorithm 3 of the paper) without its scale and shift. Its variance is E[c·AP2(c)], and what it
/// divides by is a power of two, so that the output's standard deviation is 1 only by chance.
pub fn shift_norm(sigma: f64, draws: usize, stream: &mut Stream) -> Estimate {
    const EPS: f64 = 1e-5;
    let ap2 = |x: f64| f64::from(quantize::ap2(x as f32));
    let n = draws as f64;
    let x: Vec<f64> = (0..draws).map(|_| sigma * stream.normal()).collect();
    let mean = x.iter().sum::<f64>() / n;
    let centred: Vec<f64> = x.iter().map(|x| x - mean).collect();
    let variance = centred.iter().map(|c| c * ap2(*c)).sum::<f64>() / n;
    let shift = ap2(1.0 / (variance + EPS).sqrt());
    let measured = (centred.iter().map(|c| (c * shift).powi(2)).sum::<f64>() / n).sqrt();
    let predicted = sigma * ap2(1.0 / (power_ratio(sigma) * sigma.powi(2) + EPS).sqrt());
    Estimate { predicted, measured, standard_error: predicted / (2.0 * n).sqrt() }
}

/// Of P equally likely patterns, M draws leave each out with probability (1 − 1/P)^M; mean and variance of the number of
/// distinct ones follow from one and two patterns left out.
pub fn unique_filters([outputs, inputs, kernel]: [usize; 3], together: bool, stream: &mut Stream) -> Estimate {
    let size = kernel * kernel;
    let weights: Vec<f32> = (0..outputs * inputs * size).map(|_| stream.normal() as f32).collect();
    let measure = if together { quantize::unique_filters_up_to_sign } else { quantize::unique_filters };
    let patterns = 2f64.powi((size - usize::from(together)) as i32);
    let m = outputs as f64;
    // ln(1 − 1/P) keeps its digits where P is large.
    let left_out = |share: f64| (m * (-share / patterns).ln_1p()).exp();
    let (one, two) = (left_out(1.0), left_out(2.0));
    let variance = patterns * one + patterns * (patterns - 1.0) * two - (patterns * one).powi(2);
    Estimate {
        predicted: patterns * -(m * (-1.0 / patterns).ln_1p()).exp_m1() / m,
        measured: measure(&weights, outputs, inputs, kernel),
        standard_error: (variance.max(0.0) / inputs as f64).sqrt() / m,
    }
}
