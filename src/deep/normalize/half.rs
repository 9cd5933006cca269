use super::Statistic;
use half::f16;
use serde::{Deserialize, Serialize};

/// How a mean is accumulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accumulator {
    /// One sum in half precision, number by number, divided at the end.
    Sequential,
    /// Means of two halves, down to single numbers, each rounded to half precision: no sum can overflow.
    Pairwise,
    /// One sum in 32 bits.
    Single,
}

/// The scale of a channel in IEEE half precision: inputs, the mean and differences are rounded to it (11 significant bits, from
/// 6·10⁻⁸ to 65504).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfPrecision {
    /// How means are accumulated.
    pub accumulator: Accumulator,
    /// Round squares to half precision, too, before they are accumulated.
    pub squares: bool,
}

fn round(x: f32) -> f32 {
    f16::from_f32(x).to_f32()
}

impl HalfPrecision {
    /// s² = (C·statistic)² of the numbers of a channel with a given mean. What an accumulator in half precision gives is rounded:
    /// the variance for L2, C times the mean for the others.
    pub fn square(self, statistic: Statistic, factor: f32, numbers: &[f32], mean: f32) -> f32 {
        let mean = round(mean);
        let mut d: Vec<f32> = numbers.iter().map(|x| round(round(*x) - mean)).collect();
        let size = |d: &mut Vec<f32>| d.iter_mut().for_each(|d| *d = d.abs());
        match statistic {
            Statistic::L2 => {
                d.iter_mut().for_each(|d| *d = if self.squares { round(*d * *d) } else { *d * *d });
                return factor * factor * self.mean(&d);
            }
            Statistic::L1 => size(&mut d),
            Statistic::Linf => return self.square(Statistic::Top(1), factor, numbers, mean),
            Statistic::Top(k) => {
                size(&mut d);
                d.sort_unstable_by(|a, b| b.total_cmp(a));
                d.truncate(k.max(1));
            }
            Statistic::Range => {
                let [low, high] = d.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[a, b], d| [a.min(*d), b.max(*d)]);
                d = vec![round(high - low)];
            }
        }
        let s = factor * self.mean(&d);
        if self.accumulator == Accumulator::Single { s * s } else { round(s).powi(2) }
    }

    fn mean(self, terms: &[f32]) -> f32 {
        let n = terms.len() as f32;
        match self.accumulator {
            Accumulator::Sequential => round(terms.iter().fold(0.0, |sum, t| round(sum + t)) / n),
            Accumulator::Pairwise => pairwise(terms),
            Accumulator::Single => terms.iter().sum::<f32>() / n,
        }
    }
}

fn pairwise(terms: &[f32]) -> f32 {
    match terms {
        [] => f32::NAN,
        [one] => round(*one),
        _ => {
            let (a, b) = terms.split_at(terms.len() / 2);
            round((pairwise(a) * a.len() as f32 + pairwise(b) * b.len() as f32) / terms.len() as f32)
        }
    }
}
