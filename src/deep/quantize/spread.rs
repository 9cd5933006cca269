use super::Prior;
use std::f64::consts::{E, FRAC_2_PI};

/// Mean and width of the numbers of a tensor or channel. Over several batches, average each field, as the authors' code does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// b = mean |x − mean|.
    pub absolute: f64,
    /// σ = √(mean (x − mean)²).
    pub standard: f64,
}

impl Spread {
    /// Of these numbers; all zero if there are none.
    pub fn of(values: &[f32]) -> Self {
        let n = values.len().max(1) as f64;
        let average = |f: &dyn Fn(f64) -> f64| values.iter().map(|x| f(f64::from(*x))).sum::<f64>() / n;
        let mean = average(&|x| x);
        let [absolute, square] = [average(&|x| (x - mean).abs()), average(&|x| (x - mean).powi(2))];
        Self { mean, absolute, standard: square.sqrt() }
    }

    /// The prior of larger likelihood at its best scale: Gauss while σ/b < √(2e/π) = 1.3155. (Gauss's ratio is 1.2533, Laplace's
    /// 1.4142; the authors' code fixes Laplace for activations and Gauss for weights.)
    pub fn prior(&self) -> Prior {
        let gauss = self.standard < (E * FRAC_2_PI).sqrt() * self.absolute;
        if gauss { Prior::Gauss } else { Prior::Laplace }
    }

    /// b or σ.
    pub fn scale(&self, prior: Prior) -> f64 {
        match prior {
            Prior::Laplace => self.absolute,
            Prior::Gauss => self.standard,
        }
    }

    /// Where to clip, [low, high]: mean ± α, or [0, max(mean, 0) + α] where a ReLU follows (then these are statistics before it).
    ///
    /// ```
    /// use implicit_bias::deep::quantize::{Affine, Spread};
    /// let weights = [0.1, -0.2, 0.05, 0.3, -0.1, 2.0];
    /// let spread = Spread::of(&weights);
    /// let [low, high] = spread.clip(spread.prior(), 2, false);
    /// let four_values = Affine::of_range(low as f32, high as f32, 2);
    /// assert!(high < 2.0 && four_values.round(0.0) == 0.0);
    /// ```
    pub fn clip(&self, prior: Prior, bits: u32, one_sided: bool) -> [f64; 2] {
        let alpha = prior.multiplier(f64::from(bits), one_sided) * self.scale(prior);
        if one_sided { [0.0, self.mean.max(0.0) + alpha] } else { [self.mean - alpha, self.mean + alpha] }
    }
}
