use super::activation::{map, map2};
use super::{Operation, Values, View};
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

/// Binary weights: the gradient with respect to the binary weight is that of the latent one, without a window.
#[derive(Debug, Clone, Copy)]
pub struct BinaryWeight {
    /// The seed of stochastic binarisation.
    pub seed: Option<u64>,
}

impl Operation<1> for BinaryWeight {
    type Saved = ();

    fn forward(&self, [w]: [View; 1]) -> (Values, ()) {
        (Values { shape: w.shape, values: binarize(w.values, self.seed) }, ())
    }

    fn backward(&self, _: &(), _: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        [Some(gradient.values.to_vec())]
    }
}
