use crate::math::lambert_w::lambert_w;
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_2_PI, SQRT_2};

/// What the numbers of a tensor are taken to be distributed like, about their mean (banner2019, section 3).
///
/// All here is in units of the scale: b = E|x| of Laplace's distribution e^{−|x|/b}/(2b), σ of Gauss's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prior {
    /// Laplace(b), whose tails are heavy.
    Laplace,
    /// N(0, σ²).
    Gauss,
}

impl Prior {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Laplace, Self::Gauss];

    /// The expected square error of clipping to [−α, α] and rounding to 2^bits cells of width Δ: E[(|x| − α)₊²] + Δ²/12. Bits
    /// may be a fraction.
    ///
    /// `one_sided` is after a ReLU: [0, α] has the cells and negative numbers cost nothing, which is half of the error with a bit more.
    pub fn mse(self, alpha: f64, bits: f64, one_sided: bool) -> f64 {
        if one_sided {
            return 0.5 * self.mse(alpha, bits + 1.0, false);
        }
        self.tail(alpha) + alpha * alpha / (3.0 * 4f64.powf(bits))
    }

    /// The α of least [`Self::mse`], to rounding: W₀(3·4^bits) for Laplace, and for Gauss the root of
    /// α·erfc(α/√2) − √(2/π)·e^{−α²/2} + α/(3·4^bits).
    ///
    /// ```
    /// use implicit_bias::deep::quantize::Prior;
    /// assert!((Prior::Laplace.multiplier(4.0, false) - 5.028_640_14).abs() < 5e-9);
    /// assert!((Prior::Gauss.multiplier(4.0, true) - 2.936_200_61).abs() < 5e-9);
    /// ```
    pub fn multiplier(self, bits: f64, one_sided: bool) -> f64 {
        let cells = 3.0 * 4f64.powf(if one_sided { bits + 1.0 } else { bits });
        match self {
            Self::Laplace => lambert_w(cells),
            // Increasing and concave: Newton's method comes from the left and stops at rounding.
            Self::Gauss => {
                let step = |a: f64| {
                    let outside = libm::erfc(a / SQRT_2);
                    let slope = a * outside - FRAC_2_PI.sqrt() * (-0.5 * a * a).exp() + a / cells;
                    a - slope / (outside + 1.0 / cells)
                };
                (0..100).fold(0.0, |a, _| step(a).max(a))
            }
        }
    }

    /// E[(|x| − α)₊²].
    fn tail(self, alpha: f64) -> f64 {
        match self {
            Self::Laplace => 2.0 * (-alpha).exp(),
            Self::Gauss => {
                let density = (-0.5 * alpha * alpha).exp();
                (alpha * alpha + 1.0) * libm::erfc(alpha / SQRT_2) - FRAC_2_PI.sqrt() * alpha * density
            }
        }
    }

    /// ∫ xᵖ f(x) dx from x to infinity for p = 0, 1, 2 and x ≥ 0, at scale 1.
    pub fn upper_moments(self, x: f64) -> [f64; 3] {
        match self {
            _ if x == f64::INFINITY => [0.0; 3],
            Self::Laplace => [1.0, x + 1.0, (x + 2.0) * x + 2.0].map(|p| 0.5 * p * (-x).exp()),
            Self::Gauss => {
                let (outside, density) =
                    (0.5 * libm::erfc(x / SQRT_2), (FRAC_2_PI.sqrt() / 2.0) * (-0.5 * x * x).exp());
                [outside, density, outside + x * density]
            }
        }
    }
}
