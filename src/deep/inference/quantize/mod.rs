//! Post-training quantisation (banner2019): a trained network's weights and activations with few bits, without training.
//!
//! Everything is simulated in f32: a weight or activation takes only values that its integers stand for; the corrections then
//! scale and shift the weights of a whole output channel, which a scale and an offset a channel hold.

mod activations;
mod agreement;
mod moments;
mod pair;
mod restore;
mod weights;

pub use activations::{ActivationReport, Calibration, Quantized};
pub use agreement::Agreement;
pub use moments::Moments;
pub use pair::Pair;
pub use restore::Restore;
pub use weights::{LayerReport, quantize_weights};

use crate::deep::quantize::{Affine, Correction, Prior, Spread};
use crate::error::{InputError, Result};
use serde::{Deserialize, Serialize};

/// What is done to a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Bits of a weight, 1 to 16; none leaves them as they are.
    pub weight_bits: Option<u32>,
    /// Bits of an activation, 1 to 16.
    pub activation_bits: Option<u32>,
    /// Bits of the first and last layer's weights and of the pictures, at least (the paper's protocol: 8).
    pub edge_bits: u32,
    /// Where weights are clipped.
    pub weight_clip: Clip,
    /// Where activations are clipped.
    pub activation_clip: Clip,
    /// Whether each weight is rounded to its nearest value.
    #[serde(skip_serializing_if = "Rounding::is_nearest")]
    pub rounding: Rounding,
    /// A quantiser for every output channel of weights and every channel of activations, or one a tensor.
    pub per_channel: bool,
    /// Divides the weights' bits among the channels by their widths (banner2019, section 4), at the same mean.
    pub allocate_weights: bool,
    /// … and those of activations.
    pub allocate_activations: bool,
    /// With cells ∝ width to this power; ⅔ in the paper.
    pub exponent: f64,
    /// What of each channel's weights is restored (banner2019, section 5).
    pub correction: Correction,
    /// What of each channel's outputs is restored; not the paper's.
    pub restore: Restore,
}

/// How weights are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// Each to its nearest value.
    #[default]
    Nearest,
    /// One after the other such that a filter's outputs change least on the calibration pictures, by
    /// [`NearestPlane`](crate::deep::quantize::NearestPlane); not the paper's.
    Outputs,
}

impl Rounding {
    fn is_nearest(&self) -> bool {
        *self == Self::Nearest
    }
}

/// Where a quantiser clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clip {
    /// Nowhere: least to largest number.
    #[default]
    Range,
    /// At the analytical optimum of the likelier prior, within the range (banner2019, section 3).
    Aciq,
    /// Where the square error of the numbers at hand is least, of a hundred fractions of the range; not the paper's. With
    /// [`Rounding::Outputs`] the error of the outputs, of 13 fractions from 0.4. For activations, of which only moments are
    /// kept, the same as `Aciq`.
    LeastError,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            weight_bits: Some(8),
            activation_bits: Some(8),
            edge_bits: 8,
            weight_clip: Clip::Range,
            activation_clip: Clip::Range,
            rounding: Rounding::Nearest,
            per_channel: true,
            allocate_weights: false,
            allocate_activations: false,
            exponent: crate::deep::quantize::TWO_THIRDS,
            correction: Correction::default(),
            restore: Restore::None,
        }
    }
}

impl Recipe {
    /// An error unless every number is in range.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<()> {
        let bits = [("weight_bits", self.weight_bits), ("activation_bits", self.activation_bits)];
        for (field, bits) in bits.into_iter().chain([("edge_bits", Some(self.edge_bits))]) {
            if let Some(bits) = bits.filter(|b| !(1..=16).contains(b)) {
                return Err(InputError::value(field, bits, "1 to 16", "Leave it out to keep 32-bit floats."));
            }
        }
        for (field, divided, bits) in [
            ("allocate_weights", self.allocate_weights, self.weight_bits),
            ("allocate_activations", self.allocate_activations, self.activation_bits),
        ] {
            if divided && !self.per_channel {
                return Err(InputError::value(field, true, "false for one quantiser a tensor", "Set per_channel."));
            }
            if divided && bits.is_some_and(|b| b > 8) {
                return Err(InputError::value(field, true, "false above 8 bits", "Divide 8 bits or fewer."));
            }
        }
        crate::error::between("exponent", self.exponent, 0.0, 4.0)
    }
}

/// The quantiser of numbers with this range and these moments; `one_sided` after a rectifier, where moments are those before it.
fn affine(clip: Clip, range: [f32; 2], spread: &Spread, bits: u32, one_sided: bool) -> Affine {
    let [low, high] = range;
    if clip == Clip::Range {
        return Affine::of_range(low, high, bits);
    }
    let prior: Prior = spread.prior();
    let [a, b] = spread.clip(prior, bits, one_sided).map(|v| v as f32);
    Affine::of_range(low.max(a), high.min(b), bits)
}
