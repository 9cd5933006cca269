use super::View;
use super::channels::sums;
use crate::deep::normalize::{HalfPrecision, Statistic};
use crate::deep::quantize::ap2;
use rayon::prelude::*;

/// What a normalisation divides by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// An estimate of the standard deviation.
    Of {
        /// Which.
        statistic: Statistic,
        /// Times the published constant.
        factor: f64,
        /// Computed in half precision, of inputs times the second number.
        half: Option<(HalfPrecision, f32)>,
    },
    /// As a shift by a power of two: shift-based batch normalisation (hubara2016, algorithm 3).
    ShiftBased,
    /// Nothing: only the mean is subtracted, as beside weight normalisation (hoffer2018, section 5).
    One,
}

/// The subgradient of an estimate s = C·m that is not a variance: ∂m/∂dᵢ is up where dᵢ ≥ high, −down where dᵢ ≤ low, and 0
/// between. One number a channel.
#[derive(Debug, Clone, Default)]
pub struct Edges {
    pub high: Vec<f32>,
    pub low: Vec<f32>,
    pub up: Vec<f32>,
    pub down: Vec<f32>,
    /// Sum of the subgradient over all numbers.
    pub total: Vec<f32>,
    /// C² m: half of ∂s²/∂m.
    pub slope: Vec<f32>,
}

impl Scale {
    /// Whether it is the root of a variance, whose running mean is made unbiased.
    pub fn is_variance(self) -> bool {
        matches!(self, Self::ShiftBased | Self::Of { statistic: Statistic::L2, .. })
    }

    /// s² over the variance, where it is proportional to it.
    pub fn variance_factor(self) -> f32 {
        match self {
            Self::Of { factor, .. } => (factor * factor) as f32,
            _ => 1.0,
        }
    }

    /// The squared scale of every channel of a batch. In half precision the gradient is still that of 32 bits.
    pub fn of_batch(self, x: View, mean: &[f32]) -> (Vec<f32>, Option<Edges>) {
        let (squares, edges) = self.exactly(x, mean);
        let Self::Of { statistic, factor, half: Some((half, scale)) } = self else { return (squares, edges) };
        let constant = (factor * statistic.published(x.values.len() / x.shape[1])) as f32;
        let one = |c: usize| {
            let numbers: Vec<f32> = channel(x, c).map(|x| x * scale).collect();
            half.square(statistic, constant, &numbers, mean[c] * scale) / (scale * scale)
        };
        ((0..mean.len()).into_par_iter().map(one).collect(), edges)
    }

    fn exactly(self, x: View, mean: &[f32]) -> (Vec<f32>, Option<Edges>) {
        let count = x.values.len() / x.shape[1];
        let means = |s: Vec<[f64; 2]>| s.iter().map(|s| (s[0] / count as f64) as f32).collect::<Vec<f32>>();
        match self {
            Self::One => (vec![1.0; mean.len()], None),
            Self::ShiftBased => {
                (means(sums(x, x.values, [mean], |[mean], x, _| [(x - mean) * ap2(x - mean), 0.0])), None)
            }
            Self::Of { statistic: Statistic::L2, .. } => {
                let squares = means(sums(x, x.values, [mean], |[mean], x, _| [(x - mean) * (x - mean), 0.0]));
                (squares.iter().map(|v| v * self.variance_factor()).collect(), None)
            }
            Self::Of { statistic, factor, .. } => {
                let constant = factor * statistic.published(count);
                let (m, mut edges) = match statistic {
                    Statistic::L1 => absolute(x, mean, count),
                    _ => extremes(statistic, x, mean),
                };
                edges.slope = m.iter().map(|m| (constant * constant * m) as f32).collect();
                (m.iter().map(|m| ((constant * m) * (constant * m)) as f32).collect(), Some(edges))
            }
        }
    }
}

/// The numbers of a channel.
fn channel(x: View<'_>, c: usize) -> impl Iterator<Item = f32> {
    let [n, channels, h, w] = x.shape;
    (0..n).flat_map(move |row| &x.values[(row * channels + c) * h * w..][..h * w]).copied()
}

/// Σ |dᵢ|/n.
fn absolute(x: View, mean: &[f32], count: usize) -> (Vec<f64>, Edges) {
    let found = sums(x, x.values, [mean], |[mean], x, _| {
        let d = x - mean;
        [d.abs(), f32::from(i8::from(d >= 0.0) - i8::from(d <= 0.0))]
    });
    let (zeros, part) = (vec![0.0; mean.len()], 1.0 / count as f64);
    let share = vec![part as f32; mean.len()];
    let total = found.iter().map(|s| (s[1] * part) as f32).collect();
    let m = found.iter().map(|s| s[0] * part).collect();
    (m, Edges { high: zeros.clone(), low: zeros, up: share.clone(), down: share, total, slope: vec![] })
}

/// Largest absolute values, or the range.
fn extremes(statistic: Statistic, x: View, mean: &[f32]) -> (Vec<f64>, Edges) {
    let one = |c: usize| {
        let mut d: Vec<f32> = channel(x, c).map(|x| x - mean[c]).collect();
        let (high, low) = match statistic {
            Statistic::Range => d.iter().fold((f32::MIN, f32::MAX), |(high, low), d| (high.max(*d), low.min(*d))),
            Statistic::Top(k) => {
                let at = d.len() - k.clamp(1, d.len());
                let edge = d.select_nth_unstable_by(at, |a, b| a.abs().total_cmp(&b.abs())).1.abs();
                (edge, -edge)
            }
            _ => {
                let edge = d.iter().fold(0.0_f32, |m, d| m.max(d.abs()));
                (edge, -edge)
            }
        };
        let (above, below): (Vec<f32>, Vec<f32>) =
            (d.iter().copied().filter(|d| *d >= high).collect(), d.iter().copied().filter(|d| *d <= low).collect());
        // Numbers that tie share the subgradient.
        let [up, down] = match statistic {
            Statistic::Range => [above.len(), below.len()].map(|n| 1.0 / n.max(1) as f64),
            _ => [1.0 / (above.len() + below.len()).max(1) as f64; 2],
        };
        let sum = |d: &[f32]| d.iter().map(|d| f64::from(*d)).sum::<f64>();
        let total = up * above.len() as f64 - down * below.len() as f64;
        (up * sum(&above) - down * sum(&below), [high, low, up as f32, down as f32, total as f32])
    };
    let found: Vec<(f64, [f32; 5])> = (0..mean.len()).into_par_iter().map(one).collect();
    let part = |k: usize| found.iter().map(|f| f.1[k]).collect::<Vec<f32>>();
    let edges = Edges { high: part(0), low: part(1), up: part(2), down: part(3), total: part(4), slope: vec![] };
    (found.iter().map(|f| f.0).collect(), edges)
}
