use super::Prior;
use serde::{Deserialize, Serialize};

/// Where the values of a uniform quantiser on [−α, α] lie, given its number of cells (2^bits).
///
/// [`Prior::mse`] supposes noise of Δ²/12 everywhere; here is what these quantisers do exactly, clipped numbers included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grid {
    /// In the middle of each cell (Max 1960): as many as cells; none is zero if their number is even.
    MidRise,
    /// At the edges, one more than cells: the authors' simulation. One is zero if the number of cells is even.
    MidTread,
}

impl Grid {
    /// The nearest value.
    pub fn round(self, x: f64, alpha: f64, cells: u32) -> f64 {
        let (width, last) = (2.0 * alpha / f64::from(cells), f64::from(cells));
        let position = (x + alpha) / width;
        let index = match self {
            Self::MidRise => position.floor().clamp(0.0, last - 1.0) + 0.5,
            Self::MidTread => position.round_ties_even().clamp(0.0, last),
        };
        index * width - alpha
    }

    /// E(x − round(x))² for x of this prior at scale 1, exactly.
    pub fn mse(self, prior: Prior, alpha: f64, cells: u32) -> f64 {
        self.error(prior, alpha, cells)[0]
    }

    /// The α of least [`Self::mse`], to rounding, for at least two cells: where its derivative changes sign.
    ///
    /// ```
    /// use implicit_bias::deep::quantize::{Grid, Prior};
    /// let alpha = Grid::MidRise.optimum(Prior::Gauss, 8);
    /// assert!((alpha - 4.0 * 0.5860).abs() < 2e-4); // Max 1960, table II: 8 values at distance 0.5860
    /// ```
    pub fn optimum(self, prior: Prior, cells: u32) -> f64 {
        let (mut low, mut high) = (0.1, 100.0);
        for _ in 0..64 {
            let middle = f64::midpoint(low, high);
            if self.error(prior, middle, cells)[1] < 0.0 { low = middle } else { high = middle }
        }
        low
    }

    /// The mean square error and its derivative by α. With values αrₖ between borders midway, the latter is
    /// 2 Σ rₖ ∫ (αrₖ − x) f(x) dx, since at a border both values are as far. By symmetry x > 0 is half of it.
    fn error(self, prior: Prior, alpha: f64, cells: u32) -> [f64; 2] {
        let half_width = 1.0 / f64::from(cells);
        let first = match self {
            Self::MidRise => 1 - cells as i32 % 2,
            Self::MidTread => cells as i32 % 2,
        };
        let last = if self == Self::MidRise { cells as i32 - 1 } else { cells as i32 };
        let border = |k: i32| if k > last { f64::INFINITY } else { f64::from(k.max(0)) * half_width * alpha };
        let mut error = [0.0; 2];
        for k in (first..=last).step_by(2) {
            let (r, [above, below]) =
                (f64::from(k) * half_width, [k - 1, k + 1].map(|b| prior.upper_moments(border(b))));
            let [m0, m1, m2] = [0, 1, 2].map(|p| above[p] - below[p]);
            let c = alpha * r;
            error[0] += 2.0 * ((m2 - c * m1) + c * (c * m0 - m1));
            error[1] += 4.0 * r * (c * m0 - m1);
        }
        error
    }
}
