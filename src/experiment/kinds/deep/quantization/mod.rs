mod allocation;
mod angle;
mod bias;
mod clipping;
mod rounding;

use crate::deep::quantize::{Correction, Prior};
use crate::error::{InputError, Result, between};
use crate::experiment::kinds::{RunResult, Vector};
use crate::linear::solver::Status;
use crate::math::random::Stream;
use serde::{Deserialize, Serialize};

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

/// An identity of quantisation at one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizerConfig {
    /// Root of every random stream of the run.
    pub seed: u64,
    /// What is checked.
    pub check: Check,
}

/// What is checked, and at which size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "identity", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Check {
    /// The multiplier of least mean square error against its equation and what is published.
    Multiplier {
        /// The distribution.
        prior: Prior,
        /// Whether a ReLU follows.
        one_sided: bool,
        /// Bits.
        bits: u32,
        /// What is published for 0, 1, 2 … bits.
        published: Vec<f64>,
    },
    /// The analysis of clipping and rounding against two quantisers, exactly and by simulation, over a range of clips.
    ClippingNoise {
        /// The distribution.
        prior: Prior,
        /// Bits.
        bits: u32,
        /// Numbers drawn.
        draws: usize,
    },
    /// The affine quantiser with the range of the data against the same with the clip of the likelier prior.
    ClippingGain {
        /// The distribution.
        prior: Prior,
        /// Bits.
        bits: u32,
        /// Numbers drawn.
        draws: usize,
    },
    /// The error of two Gaussian channels for every division of some cells.
    TwoChannels {
        /// Their standard deviations.
        deviations: [f64; 2],
        /// Cells in all.
        cells: u32,
        /// Numbers drawn for each channel.
        draws: usize,
    },
    /// Bits or cells of many Gaussian channels by a power law of their standard deviations.
    Allocation {
        /// Channels.
        channels: usize,
        /// Standard deviation of the logarithm of the channels' standard deviations.
        log_deviation: f64,
        /// Mean number of bits.
        bits: f64,
        /// The power.
        exponent: f64,
        /// Numbers drawn for each channel.
        draws: usize,
    },
    /// What rounding does to mean and norm of each channel's weights, and what correcting it is worth.
    BiasCorrection {
        /// Output channels.
        channels: usize,
        /// Weights of each.
        fan_in: usize,
        /// Bits, with one range for all channels.
        bits: u32,
        /// What is restored.
        correction: Correction,
    },
    /// The angle by which rounding turns a Gaussian vector, against the bound of banner2018.
    Angle {
        /// Weights.
        weights: usize,
        /// Bits.
        bits: u32,
        /// What the bits count.
        reading: Reading,
    },
    /// The angle by which rounding to −1, 0 and 1 turns a Gaussian vector, by the threshold below which a weight becomes 0.
    Ternary {
        /// Weights.
        weights: usize,
    },
    /// The mean of stochastic rounding and the bias of rounding to nearest.
    StochasticRounding {
        /// Bits.
        bits: u32,
        /// Draws for each of 97 numbers.
        draws: usize,
    },
    /// What becomes of zero, and the largest error, of the affine quantiser with random ranges.
    ExactZero {
        /// Bits.
        bits: u32,
        /// Ranges.
        draws: usize,
        /// Whether zero is one of the values.
        zero_point: bool,
    },
}

/// What M bits of a weight count in the angle theorem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The magnitude: values are multiples of max|w|/2^M, and the sign comes on top.
    Magnitude,
    /// All: values are multiples of 2·max|w|/2^M.
    Total,
}

/// What a check gives.
#[derive(Default)]
struct Found {
    metrics: Vec<(&'static str, f64)>,
    trace: Vec<Vec<(&'static str, f64)>>,
    vectors: Vec<Vector>,
}

impl QuantizerConfig {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        let within = |field: &str, v: f64, low: f64, high: f64| between(&format!("run.check.{field}"), v, low, high);
        let count = |field: &str, n: usize| within(field, n as f64, 0.0, f64::from(1 << 26));
        let bits = |bits: u32, low: f64, high: f64| within("bits", f64::from(bits), low, high);
        match &self.check {
            Check::Multiplier { bits: b, published, .. } => {
                let missing = || {
                    let allowed = format!("a list with an entry for {b} bits");
                    let found = format!("a list of {}", published.len());
                    InputError::value("run.check.published", found, &allowed, "Add the entries.")
                };
                bits(*b, -1.0, 16.0)?;
                published.get(*b as usize).map(|_| ()).ok_or_else(missing)
            }
            Check::ClippingNoise { bits: b, draws, .. } | Check::ClippingGain { bits: b, draws, .. } => {
                bits(*b, 0.0, 12.0)?;
                within("draws", *draws as f64, 1.0, f64::from(1 << 26))
            }
            Check::TwoChannels { deviations, cells, draws } => {
                deviations.iter().try_for_each(|s| within("deviations", *s, 0.0, 1e6))?;
                within("cells", f64::from(*cells), 3.0, 4096.0)?;
                within("draws", *draws as f64, 1.0, f64::from(1 << 26))
            }
            Check::Allocation { channels, log_deviation, bits, exponent, draws } => {
                count("channels", *channels)?;
                within("log_deviation", *log_deviation, 0.0, 5.0)?;
                within("bits", *bits, 0.0, 8.0)?;
                within("exponent", *exponent, -f64::MIN_POSITIVE, 4.0)?;
                count("draws", *draws)?;
                count("draws (times channels)", draws.saturating_mul(*channels))
            }
            Check::BiasCorrection { channels, fan_in, bits: b, .. } => {
                count("channels", *channels)?;
                within("fan_in", *fan_in as f64, 1.0, 1e6)?;
                count("fan_in (times channels)", channels.saturating_mul(*fan_in))?;
                bits(*b, 0.0, 16.0)
            }
            Check::Angle { weights, bits: b, .. } => {
                bits(*b, 0.0, 16.0)?;
                within("weights", *weights as f64, 1.0, f64::from(1 << 26))
            }
            Check::Ternary { weights } => count("weights", *weights),
            Check::StochasticRounding { bits: b, draws } | Check::ExactZero { bits: b, draws, .. } => {
                bits(*b, 0.0, 16.0)?;
                count("draws", *draws)
            }
        }
    }
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
