use super::{Operation, Values, View};
use crate::deep::quantize::ap2;
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

const LANES: usize = 16;
/// Channels whose sums are taken together where pictures have one pixel.
const CHANNELS: usize = 64;

/// Batch normalisation of every channel over samples and pixels, with scale γ and shift β of shape `[1, C, 1, 1]`.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f32,
    /// Round factors to powers of two: shift-based batch normalisation (hubara2016, algorithm 3).
    pub shift_based: bool,
    /// Filled with the batch's statistics.
    pub moments: Arc<OnceLock<Moments>>,
}

/// Mean and (biased) variance of every channel.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f32>,
    /// Variances; of shift-based normalisation its approximation.
    pub variance: Vec<f32>,
    /// Numbers that each was taken over.
    pub count: usize,
}

/// Sums over samples and pixels of the two numbers that `f(parameters of the channel, x, g)` gives, for every channel; in one
/// order, whatever the threads.
pub(super) fn sums<const K: usize>(
    x: View,
    g: &[f32],
    parameters: [&[f32]; K],
    f: impl Fn([f32; K], f32, f32) -> [f32; 2] + Sync,
) -> Vec<[f64; 2]> {
    let [n, channels, h, w] = x.shape;
    let size = h * w;
    if size == 1 {
        let block = |first: usize| {
            let count = CHANNELS.min(channels - first);
            let parameters = parameters.map(|p| &p[first..first + count]);
            let [mut a, mut b] = [[0.0_f64; CHANNELS]; 2];
            for row in 0..n {
                let at = row * channels + first;
                let (x, g) = (&x.values[at..at + count], &g[at..at + count]);
                for c in 0..count {
                    let [s, t] = f(parameters.map(|p| p[c]), x[c], g[c]);
                    a[c] += f64::from(s);
                    b[c] += f64::from(t);
                }
            }
            a.into_iter().zip(b).map(<[f64; 2]>::from).take(count).collect::<Vec<_>>()
        };
        return (0..channels).into_par_iter().step_by(CHANNELS).flat_map_iter(block).collect();
    }
    let one = |c: usize| {
        let (parameters, mut total) = (parameters.map(|p| p[c]), [0.0_f64; 2]);
        for row in 0..n {
            let at = (row * channels + c) * size;
            let [x, g] = [x.values, g].map(|v| v[at..at + size].as_chunks::<LANES>());
            let [mut a, mut b] = [[0.0_f32; LANES]; 2];
            for (x, g) in x.0.iter().zip(g.0) {
                for l in 0..LANES {
                    let [s, t] = f(parameters, x[l], g[l]);
                    a[l] += s;
                    b[l] += t;
                }
            }
            for (l, (x, g)) in x.1.iter().zip(g.1).enumerate() {
                let [s, t] = f(parameters, *x, *g);
                a[l] += s;
                b[l] += t;
            }
            total[0] += f64::from(a.iter().sum::<f32>());
            total[1] += f64::from(b.iter().sum::<f32>());
        }
        total
    };
    (0..channels).into_par_iter().map(one).collect()
}

/// `f(parameters of the channel, x, g)` of every number.
pub(super) fn each<const K: usize>(
    x: View,
    g: &[f32],
    parameters: [&[f32]; K],
    f: impl Fn([f32; K], f32, f32) -> f32 + Sync,
) -> Vec<f32> {
    let [_, channels, h, w] = x.shape;
    let (size, sample) = (h * w, channels * h * w);
    let parameters = parameters.map(|p| &p[..channels]);
    let mut out = vec![0.0; x.values.len()];
    out.par_chunks_mut(sample).zip(x.values.par_chunks(sample)).zip(g.par_chunks(sample)).for_each(|((out, x), g)| {
        if size == 1 {
            let (out, x, g) = (&mut out[..channels], &x[..channels], &g[..channels]);
            (0..channels).for_each(|c| out[c] = f(parameters.map(|p| p[c]), x[c], g[c]));
        } else {
            let planes = out.chunks_exact_mut(size).zip(x.chunks_exact(size)).zip(g.chunks_exact(size));
            planes.enumerate().for_each(|(c, ((out, x), g))| {
                let parameters = parameters.map(|p| p[c]);
                out.iter_mut().zip(x).zip(g).for_each(|((o, x), g)| *o = f(parameters, *x, *g));
            });
        }
    });
    out
}

/// y = scale·(x − mean) + β for every channel: batch normalisation at test time.
pub fn normalize(x: View, mean: &[f32], scale: &[f32], beta: &[f32]) -> Vec<f32> {
    each(x, x.values, [mean, scale, beta], |[mean, scale, beta], x, _| scale * (x - mean) + beta)
}

impl BatchNorm {
    /// 1/σ, as the normalisation uses it.
    pub fn inverse(&self, variance: f32) -> f32 {
        let inverse = 1.0 / (variance + self.eps).sqrt();
        if self.shift_based { ap2(inverse) } else { inverse }
    }

    /// γ, as the normalisation uses it.
    pub fn gain(&self, gamma: f32) -> f32 {
        if self.shift_based { ap2(gamma) } else { gamma }
    }

    fn of_batch(&self, x: View) -> Moments {
        let count = x.values.len() / x.shape[1];
        let means = |s: Vec<[f64; 2]>| s.iter().map(|s| (s[0] / count as f64) as f32).collect::<Vec<f32>>();
        let mean = means(sums(x, x.values, [], |[], x, _| [x, 0.0]));
        let variance = means(if self.shift_based {
            sums(x, x.values, [&mean], |[mean], x, _| [(x - mean) * ap2(x - mean), 0.0])
        } else {
            sums(x, x.values, [&mean], |[mean], x, _| [(x - mean) * (x - mean), 0.0])
        });
        Moments { mean, variance, count }
    }
}

impl Operation<3> for BatchNorm {
    /// Mean and 1/σ of every channel.
    type Saved = (Vec<f32>, Vec<f32>);

    fn forward(&self, [x, gamma, beta]: [View; 3]) -> (Values, Self::Saved) {
        let moments = self.moments.get_or_init(|| self.of_batch(x));
        let inverse: Vec<f32> = moments.variance.iter().map(|v| self.inverse(*v)).collect();
        let scale: Vec<f32> = gamma.values.iter().zip(&inverse).map(|(g, i)| self.gain(*g) * i).collect();
        let values = normalize(x, &moments.mean, &scale, beta.values);
        (Values { shape: x.shape, values }, (moments.mean.clone(), inverse))
    }

    /// The pullback of ordinary batch normalisation; of the shift-based one, with x − μ, 1/σ, γ and x̂ rounded to powers of two
    /// where they are factors, as the authors' Torch7 code does.
    fn backward(&self, saved: &Self::Saved, inputs: [View; 3], gradient: View, _: [bool; 3]) -> [Option<Vec<f32>>; 3] {
        let ([x, gamma, _], (mean, inverse)) = (inputs, saved);
        let (dy, count) = (gradient.values, (x.values.len() / x.shape[1]) as f32);
        let found = if self.shift_based {
            sums(x, dy, [mean, inverse], |[mean, inverse], x, g| [g, g * ap2((x - mean) * inverse)])
        } else {
            sums(x, dy, [mean, inverse], |[mean, inverse], x, g| [g, g * ((x - mean) * inverse)])
        };
        let part = |k: usize| found.iter().map(|s| s[k] as f32).collect::<Vec<f32>>();
        let (dbeta, dgamma) = (part(0), part(1));
        // Of every channel: dx = scale·(dy − Σ dy/m − x̂ Σ dy x̂/m).
        let scale: Vec<f32> = gamma.values.iter().zip(inverse).map(|(g, i)| self.gain(*g) * i).collect();
        let slope: Vec<f32> = dgamma.iter().zip(inverse).map(|(d, i)| d / count * i).collect();
        let level: Vec<f32> = dbeta.iter().map(|d| d / count).collect();
        let parameters = [&mean[..], &scale, &level, &slope];
        let dx = if self.shift_based {
            each(x, dy, parameters, |[mean, scale, level, slope], x, g| scale * (g - level - ap2(x - mean) * slope))
        } else {
            each(x, dy, parameters, |[mean, scale, level, slope], x, g| scale * (g - level - (x - mean) * slope))
        };
        [Some(dx), Some(dgamma), Some(dbeta)]
    }
}
