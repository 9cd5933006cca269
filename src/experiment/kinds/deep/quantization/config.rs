use crate::deep::quantize::{Correction, Prior};
use crate::error::{InputError, Result, between};
use serde::{Deserialize, Serialize};

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
                within("exponent", *exponent, -1.0, 4.0)?;
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
