use crate::error::{InputError, Result};
use serde::{Deserialize, Serialize};

/// How a network is trained with few bits (banner2018, section 5): what is multiplied is rounded, by straight-through estimators;
/// weights are kept and moved in 32 bits. A field that is left out leaves its numbers as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantization {
    /// Bits of the weights of every layer, over the tensor's range.
    pub weights: Option<u32>,
    /// Bits of the inputs of every layer, over the range of [`crate::deep::op::mean_range`]; at test time over its running mean.
    pub activations: Option<u32>,
    /// Bits of what is normalised, and of γ and β.
    pub normalization: Option<u32>,
    /// Bits of the copy of a layer's gradient that is passed on to the layer below.
    pub gradients: Option<u32>,
    /// Bits of the copy that the weights' gradient is made from.
    pub weight_gradients: Option<u32>,
    /// How gradients are rounded.
    #[serde(default)]
    pub rounding: Rounding,
}

/// Rounding of gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// At random, so that the mean is the number itself.
    #[default]
    Stochastic,
    /// To the nearest.
    Nearest,
}

impl Quantization {
    /// 1 to 16 bits, of real weights.
    pub(super) fn check(&self, binary: bool) -> Result<()> {
        let Self { weights, activations, normalization, gradients, weight_gradients, .. } = *self;
        let fields = [
            ("weights", weights),
            ("activations", activations),
            ("normalization", normalization),
            ("gradients", gradients),
            ("weight_gradients", weight_gradients),
        ];
        for (field, bits) in fields {
            if let Some(bits) = bits.filter(|b| !(1..=16).contains(b)) {
                let field = format!("run.model.quantization.{field}");
                return Err(InputError::value(&field, bits, "1 to 16", "Leave it out for 32 bits."));
            }
        }
        if binary {
            let remedy = "Binary weights and activations have one bit already.";
            return Err(InputError::value("run.model.quantization", "given", "none for binary weights", remedy));
        }
        Ok(())
    }
}
