use super::activation::map;
use super::{Operation, Storage, Values, View, tensor, view};
use crate::deep::quantize::Affine;
use crate::math::random::Stream;

/// Rounds to the numbers of a quantiser; the gradient passes as it is (straight-through estimator).
#[derive(Debug, Clone, Copy)]
pub struct Quantize(pub Affine);

impl Operation<1> for Quantize {
    type Saved = ();

    fn forward(&self, [x]: [View; 1]) -> (Values, ()) {
        (Values { shape: x.shape, values: map(x.values, |x| self.0.round(x)) }, ())
    }

    fn backward(&self, _: &(), _: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        [Some(gradient.values.to_vec())]
    }
}

/// Numbers rounded to so many bits, over the range from their least to their largest.
pub fn rounded(numbers: &Storage, bits: u32) -> Storage {
    let v = view(numbers);
    let affine = Affine::of_values(v.values, bits);
    tensor(v.shape, map(v.values, |x| affine.round(x)))
}

/// Least and largest number of every sample, each averaged over the samples: the range of activations in banner2018's code.
pub fn mean_range(x: View) -> [f32; 2] {
    let range = |s: &[f32]| s.iter().fold([f32::MAX, f32::MIN], |[low, high], x| [low.min(*x), high.max(*x)]);
    let ranges = x.values.chunks_exact(x.values.len() / x.shape[0]).map(range);
    let total = ranges.fold([0.0; 2], |[low, high], [l, h]| [low + f64::from(l), high + f64::from(h)]);
    total.map(|t| (t / x.shape[0] as f64) as f32)
}

/// What a gradient is rounded to: over its own range, without clipping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientRounding {
    /// Bits.
    pub bits: u32,
    /// The seed of stochastic rounding; without one to nearest.
    pub seed: Option<u64>,
}

impl GradientRounding {
    /// The rounded numbers.
    pub fn round(self, gradient: &[f32]) -> Vec<f32> {
        let affine = Affine::of_values(gradient, self.bits);
        let Some(seed) = self.seed else { return map(gradient, |g| affine.round(g)) };
        let mut stream = Stream::new(seed, &["gradient"]);
        let draw = |g: &f32| affine.dequantize(affine.quantize_stochastically(*g, stream.uniform() as f32));
        gradient.iter().map(draw).collect()
    }
}

/// Gradient bifurcation (banner2018, section 5): of a layer's gradient a coarse copy is passed on to the layer below, a fine one
/// multiplies the inputs to give the gradient of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bifurcation {
    /// The copy that is passed on; default as it is.
    pub passed: Option<GradientRounding>,
    /// The copy for the weights; default as it is.
    pub weights: Option<GradientRounding>,
}

/// A layer of inputs and weights whose gradient forks.
#[derive(Debug, Clone, Copy)]
pub struct Bifurcated<F> {
    /// The layer.
    pub layer: F,
    /// The two copies.
    pub gradients: Bifurcation,
}

impl<F: Operation<2>> Operation<2> for Bifurcated<F> {
    type Saved = F::Saved;

    fn forward(&self, inputs: [View; 2]) -> (Values, F::Saved) {
        self.layer.forward(inputs)
    }

    fn backward(
        &self,
        saved: &F::Saved,
        inputs: [View; 2],
        gradient: View,
        [to_inputs, to_weights]: [bool; 2],
    ) -> [Option<Vec<f32>>; 2] {
        let Bifurcation { passed, weights } = self.gradients;
        if passed.is_none() && weights.is_none() {
            return self.layer.backward(saved, inputs, gradient, [to_inputs, to_weights]);
        }
        let one = |rounding: Option<GradientRounding>, needed: [bool; 2]| {
            let copy = rounding.map(|r| r.round(gradient.values));
            let values = copy.as_deref().unwrap_or(gradient.values);
            self.layer.backward(saved, inputs, View { shape: gradient.shape, values }, needed)
        };
        let [dx, _] = if to_inputs { one(passed, [true, false]) } else { [None, None] };
        let [_, dw] = if to_weights { one(weights, [false, true]) } else { [None, None] };
        [dx, dw]
    }
}
