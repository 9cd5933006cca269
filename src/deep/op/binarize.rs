use super::activation::{map, map2};
use super::{Operation, Storage, Values, View, tensor, view};
use crate::deep::quantize::{binarize_stochastically, sign};
use crate::math::random::Stream;

/// Binarises: stochastically where a seed is given.
fn binarize(x: &[f32], seed: Option<u64>) -> Vec<f32> {
    let Some(seed) = seed else { return map(x, sign) };
    let mut values = x.to_vec();
    binarize_stochastically(&mut values, &mut Stream::new(seed, &["binarize"]));
    values
}

/// Binary activations with the straight-through estimator: the gradient passes where |x| ≤ 1 (hubara2016, section 1.3).
#[derive(Debug, Clone, Copy)]
pub struct Sign {
    /// Whether the gradient is cancelled where |x| > 1.
    pub window: bool,
    /// The seed of stochastic binarisation.
    pub seed: Option<u64>,
}

impl Operation<1> for Sign {
    type Saved = ();

    fn forward(&self, [x]: [View; 1]) -> (Values, ()) {
        (Values { shape: x.shape, values: binarize(x.values, self.seed) }, ())
    }

    fn backward(&self, _: &(), [x]: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        let passes = |x: f32, g| if x.abs() <= 1.0 { g } else { 0.0 };
        [Some(if self.window { map2(x.values, gradient.values, passes) } else { gradient.values.to_vec() })]
    }
}

/// Binary weights: signs of the latent ones, drawn at random where a seed is given.
pub fn binarized(latent: &Storage, seed: Option<u64>) -> Storage {
    let latent = view(latent);
    tensor(latent.shape, binarize(latent.values, seed))
}
