use super::channels::{each, each_into, sums};
use super::scale::{Edges, Scale};
use super::{Operation, Values, View};
use crate::deep::quantize::ap2;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Batch normalisation of every channel over samples and pixels, with scale γ and shift β of shape `[1, C, 1, 1]`.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    /// Added to the squared scale.
    pub eps: f32,
    /// What is divided by.
    pub scale: Scale,
    /// Samples that are normalised together: ghost batch normalisation (hoffer2017, algorithm 1). Default all of the batch.
    pub ghost: Option<usize>,
    /// Filled with the statistics of every ghost batch.
    pub moments: Arc<OnceLock<Vec<Moments>>>,
}

/// Mean and squared scale of every channel.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f32>,
    /// Squared scales: of ordinary batch normalisation the (biased) variances.
    pub variance: Vec<f32>,
    /// What turns them into the running ones: n/(n − 1) for variances of n numbers.
    pub correction: f32,
    pub(super) edges: Option<Edges>,
}

impl Moments {
    /// Those of a quantiser, kept in the same way: least and largest number.
    pub fn of_range([low, high]: [f32; 2]) -> Self {
        Self { mean: vec![low], variance: vec![high], correction: 1.0, edges: None }
    }
}

/// y = scale·(x − mean) + β for every channel: batch normalisation at test time.
pub fn normalize(x: View, mean: &[f32], scale: &[f32], beta: &[f32]) -> Vec<f32> {
    each(x, x.values, [mean, scale, beta], |[mean, scale, beta], x, _| scale * (x - mean) + beta)
}

/// The samples of each ghost batch: of at most `size` samples and nearly equal, of at least two.
fn ghosts(samples: usize, size: Option<usize>) -> Vec<Range<usize>> {
    let count = size.map_or(1, |size| samples.div_ceil(size).min(samples / 2).max(1));
    (0..count).map(|i| i * samples / count..(i + 1) * samples / count).collect()
}

impl BatchNorm {
    /// 1/σ, as the normalisation uses it.
    pub fn inverse(&self, variance: f32) -> f32 {
        let inverse = 1.0 / (variance + self.eps).sqrt();
        match self.scale {
            Scale::ShiftBased => ap2(inverse),
            Scale::One => 1.0,
            Scale::Of { .. } => inverse,
        }
    }

    /// γ, as the normalisation uses it.
    pub fn gain(&self, gamma: f32) -> f32 {
        if self.scale == Scale::ShiftBased { ap2(gamma) } else { gamma }
    }

    /// `work(rows, number of the ghost batch)` on the slice of `out` of every ghost batch of x, and what it gives.
    fn by_ghost<T: Send>(
        &self,
        x: View,
        out: &mut [f32],
        work: impl Fn(usize, View, &mut [f32]) -> T + Sync,
    ) -> Vec<T> {
        let sample = x.values.len() / x.shape[0];
        let (mut rest, mut parts) = (out, vec![]);
        for rows in ghosts(x.shape[0], self.ghost) {
            let (own, after) = rest.split_at_mut((rows.len() * sample).min(rest.len()));
            let [_, channels, h, w] = x.shape;
            let values = &x.values[rows.start * sample..rows.end * sample];
            parts.push((View { shape: [rows.len(), channels, h, w], values }, own));
            rest = after;
        }
        parts.into_par_iter().enumerate().map(|(i, (x, out))| work(i, x, out)).collect()
    }

    fn moments(&self, x: View) -> &[Moments] {
        self.moments.get_or_init(|| self.by_ghost(x, &mut [], |_, x, _| self.of_batch(x)))
    }

    fn of_batch(&self, x: View) -> Moments {
        let count = x.values.len() / x.shape[1];
        let mean: Vec<f32> =
            sums(x, x.values, [], |[], x, _| [x, 0.0]).iter().map(|s| (s[0] / count as f64) as f32).collect();
        let (variance, edges) = self.scale.of_batch(x, &mean);
        let correction = if self.scale.is_variance() { count as f32 / (count as f32 - 1.0).max(1.0) } else { 1.0 };
        Moments { mean, variance, correction, edges }
    }

    /// Mean, 1/σ and γ/σ of every channel.
    fn factors(&self, moments: &Moments, gamma: View) -> [Vec<f32>; 3] {
        let inverse: Vec<f32> = moments.variance.iter().map(|v| self.inverse(*v)).collect();
        let scale = gamma.values.iter().zip(&inverse).map(|(g, i)| self.gain(*g) * i).collect();
        [moments.mean.clone(), inverse, scale]
    }

    /// The pullback of one ghost batch: dx into `out`; Σ dy and Σ dy·x̂.
    fn pull_back(&self, moments: &Moments, gamma: View, x: View, dy: &[f32], out: &mut [f32]) -> [Vec<f32>; 2] {
        let [mean, inverse, scale] = self.factors(moments, gamma);
        let (mean, count) = (&mean[..], (x.values.len() / x.shape[1]) as f32);
        let found = if self.scale == Scale::ShiftBased {
            sums(x, dy, [mean, &inverse], |[mean, inverse], x, g| [g, g * ap2((x - mean) * inverse)])
        } else {
            sums(x, dy, [mean, &inverse], |[mean, inverse], x, g| [g, g * ((x - mean) * inverse)])
        };
        let part = |k: usize| found.iter().map(|s| s[k] as f32).collect::<Vec<f32>>();
        let [dbeta, dgamma] = [part(0), part(1)];
        let level: Vec<f32> = dbeta.iter().map(|d| d / count).collect();
        let by_channel = |f: &dyn Fn(usize) -> f32| (0..dgamma.len()).map(f).collect::<Vec<f32>>();
        // Of every channel: dx = scale·(dy − κ w(x − μ) − mean of that), s ∂s/∂dᵢ ∝ w(dᵢ), which is dᵢ itself for variances.
        match (self.scale, &moments.edges) {
            (Scale::One, _) => each_into(out, x, dy, [&scale, &level], |[scale, level], _, g| scale * (g - level)),
            (_, Some(Edges { high, low, up, down, total, slope })) => {
                let slope = by_channel(&|c| inverse[c] * slope[c] * dgamma[c]);
                let level = by_channel(&|c| level[c] - slope[c] * total[c] / count);
                let [up, down] = [up, down].map(|f| by_channel(&|c| slope[c] * f[c]));
                let parameters = [mean, &scale, &level, high, low, &up, &down];
                each_into(out, x, dy, parameters, |[mean, scale, level, high, low, up, down], x, g| {
                    let d = x - mean;
                    let above = if d >= high { up } else { 0.0 };
                    let below = if d <= low { down } else { 0.0 };
                    scale * (g - level - (above - below))
                });
            }
            (shift_or_variance, None) => {
                let factor = self.scale.variance_factor();
                let slope = by_channel(&|c| dgamma[c] / count * inverse[c] * factor);
                let parameters = [mean, &scale, &level, &slope];
                if shift_or_variance == Scale::ShiftBased {
                    each_into(out, x, dy, parameters, |[mean, scale, level, slope], x, g| {
                        scale * (g - level - ap2(x - mean) * slope)
                    });
                } else {
                    each_into(out, x, dy, parameters, |[mean, scale, level, slope], x, g| {
                        scale * (g - level - (x - mean) * slope)
                    });
                }
            }
        }
        [dbeta, dgamma]
    }
}

impl Operation<3> for BatchNorm {
    type Saved = ();

    fn forward(&self, [x, gamma, beta]: [View; 3]) -> (Values, ()) {
        let moments = self.moments(x);
        let mut values = vec![0.0; x.values.len()];
        self.by_ghost(x, &mut values, |i, x, out| {
            let [mean, _, scale] = self.factors(&moments[i], gamma);
            let parameters = [&mean[..], &scale, beta.values];
            each_into(out, x, x.values, parameters, |[mean, scale, beta], x, _| scale * (x - mean) + beta);
        });
        (Values { shape: x.shape, values }, ())
    }

    /// The pullback of ordinary batch normalisation; of the shift-based one, with x − μ, 1/σ, γ and x̂ rounded to powers of two
    /// where they are factors, as the authors' Torch7 code does.
    fn backward(&self, (): &(), inputs: [View; 3], gradient: View, _: [bool; 3]) -> [Option<Vec<f32>>; 3] {
        let ([x, gamma, _], moments) = (inputs, self.moments(inputs[0]));
        let (mut dx, sample) = (vec![0.0; x.values.len()], x.values.len() / x.shape[0]);
        let rows = ghosts(x.shape[0], self.ghost);
        let found = self.by_ghost(x, &mut dx, |i, x, out| {
            let dy = &gradient.values[rows[i].start * sample..rows[i].end * sample];
            self.pull_back(&moments[i], gamma, x, dy, out)
        });
        let total = |k: usize| (0..x.shape[1]).map(|c| found.iter().map(|f| f[k][c]).sum()).collect();
        [Some(dx), Some(total(1)), Some(total(0))]
    }
}
