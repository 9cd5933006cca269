mod allocation;
mod angle;
mod bias;
mod clipping;
mod config;
mod rounding;

use crate::deep::quantize::Prior;
use crate::experiment::kinds::{RunResult, Vector};
use crate::linear::solver::Status;
use crate::math::random::Stream;
pub use config::QuantizerConfig;
use config::{Check, Reading};

/// The final metrics: each check gives those of its own.
pub const FINAL: [&str; 43] = [
    "multiplier",
    "noise",
    "residual",
    "tail_deviation",
    "published_deviation",
    "doubled",
    "doubled_excess",
    "rise_optimum",
    "rise_noise",
    "rise_excess",
    "tread_optimum",
    "tread_noise",
    "tread_excess",
    "standard_errors",
    "gain",
    "predicted_gain",
    "prior_found",
    "share",
    "model_share",
    "clipped_share",
    "gain_formula",
    "formula_deviation",
    "cells_gain",
    "bits_gain",
    "clipped_gain",
    "measured_gain",
    "mean_shift",
    "norm_error",
    "printed_shift",
    "output_error",
    "predicted_error",
    "cosine",
    "bound",
    "bound_margin",
    "sharper",
    "sharper_deviation",
    "threshold",
    "angle_degrees",
    "kept",
    "kept_nearest",
    "zero_error",
    "mean_zero_error",
    "largest_error",
];

/// The metrics of trace.csv: of the clip the first four, of two channels the next four, then three of thresholds and three of rounding.
pub const COLUMNS: [&str; 14] = [
    "clip",
    "analysis",
    "mid_rise",
    "mid_tread",
    "share",
    "model",
    "clipped",
    "simulated",
    "threshold",
    "predicted_cosine",
    "cosine",
    "x",
    "mean_error",
    "nearest_error",
];

/// What a check gives.
#[derive(Default)]
struct Found {
    metrics: Vec<(&'static str, f64)>,
    trace: Vec<Vec<(&'static str, f64)>>,
    vectors: Vec<Vector>,
}

/// Computes both sides.
pub fn run(config: &QuantizerConfig) -> RunResult {
    // What is compared on the same numbers has the same stream: names of a stream are what decides the numbers.
    let stream = |name: &str, sizes: &[usize]| Stream::new(config.seed, &["quantizer", name, &format!("{sizes:?}")]);
    let found = match &config.check {
        Check::Multiplier { prior, one_sided, bits, published } => {
            clipping::multiplier(*prior, *one_sided, *bits, published)
        }
        Check::ClippingNoise { prior, bits, draws } => {
            clipping::noise(*prior, *bits, *draws, &mut stream("noise", &[]))
        }
        Check::ClippingGain { prior, bits, draws } => {
            clipping::gain(*prior, *bits, *draws, &mut stream("gain", &[*draws]))
        }
        Check::TwoChannels { deviations, cells, draws } => {
            allocation::two_channels(*deviations, *cells, *draws, &mut stream("channels", &[]))
        }
        Check::Allocation { channels, log_deviation, bits, exponent, draws } => {
            let stream = &mut stream("allocation", &[*channels]);
            allocation::many_channels(*channels, *log_deviation, *bits, *exponent, *draws, stream)
        }
        Check::BiasCorrection { channels, fan_in, bits, correction } => {
            bias::run([*channels, *fan_in], *bits, *correction, &mut stream("bias", &[*channels, *fan_in]))
        }
        Check::Angle { weights, bits, reading } => {
            angle::uniform(*weights, *bits, *reading, &mut stream("angle", &[*weights]))
        }
        Check::Ternary { weights } => angle::ternary(*weights, &mut stream("ternary", &[*weights])),
        Check::StochasticRounding { bits, draws } => {
            rounding::stochastic(*bits, *draws, &mut stream("rounding", &[*bits as usize]))
        }
        Check::ExactZero { bits, draws, zero_point } => {
            rounding::exact_zero(*bits, *draws, *zero_point, &mut stream("zero", &[*bits as usize]))
        }
    };
    let value = |pairs: &[(&str, f64)], name| pairs.iter().find(|(n, _)| *n == name).map_or(f64::NAN, |m| m.1);
    let row = |(i, pairs): (usize, &Vec<_>)| (i as u64, COLUMNS.iter().map(|name| value(pairs, *name)).collect());
    RunResult {
        status: Status::Converged,
        reason: "both sides were computed".into(),
        steps: found.trace.len().max(1) as u64,
        metrics: FINAL.iter().map(|name| (*name, value(&found.metrics, *name))).collect(),
        trace: found.trace.iter().enumerate().map(row).collect(),
        vectors: found.vectors,
    }
}

/// n numbers of scale 1.
fn draw(prior: Prior, n: usize, stream: &mut Stream) -> Vec<f64> {
    let mut one = || match prior {
        Prior::Gauss => stream.normal(),
        Prior::Laplace => -stream.sign() * (1.0 - stream.uniform()).ln(),
    };
    (0..n).map(|_| one()).collect()
}

/// Mean and its standard error.
fn mean(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    [mean, (variance / n).sqrt()]
}
