use super::{Operation, Values, View};
use crate::deep::quantize::ap2;
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

const LANES: usize = 16;

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

/// Sums over samples and pixels of the two numbers that `f(channel, x, g)` gives, for every channel; in one order.
fn sums(x: View, g: &[f32], f: impl Fn(usize, f32, f32) -> (f32, f32) + Sync) -> Vec<[f64; 2]> {
    let [n, channels, h, w] = x.shape;
    let size = h * w;
    if size == 1 {
        let block = |first: usize| {
            let count = LANES.min(channels - first);
            let mut total = [[0.0_f64; 2]; LANES];
            for row in 0..n {
                let at = row * channels + first;
                for (l, (x, g)) in x.values[at..at + count].iter().zip(&g[at..at + count]).enumerate() {
                    let (a, b) = f(first + l, *x, *g);
                    total[l][0] += f64::from(a);
                    total[l][1] += f64::from(b);
                }
            }
            total[..count].to_vec()
        };
        return (0..channels).into_par_iter().step_by(LANES).flat_map_iter(block).collect();
    }
    let one = |c: usize| {
        let mut total = [0.0_f64; 2];
        for row in 0..n {
            let at = (row * channels + c) * size;
            let (x, g) = (&x.values[at..at + size], &g[at..at + size]);
            let mut lanes = [[0.0_f32; LANES]; 2];
            for (x, g) in x.chunks(LANES).zip(g.chunks(LANES)) {
                for (l, (x, g)) in x.iter().zip(g).enumerate() {
                    let (a, b) = f(c, *x, *g);
                    lanes[0][l] += a;
                    lanes[1][l] += b;
                }
            }
            (0..2).for_each(|k| total[k] += f64::from(lanes[k].iter().sum::<f32>()));
        }
        total
    };
    (0..channels).into_par_iter().map(one).collect()
}

/// `f(channel, x, g)` of every number.
fn each(x: View, g: &[f32], f: impl Fn(usize, f32, f32) -> f32 + Sync) -> Vec<f32> {
    let [_, channels, h, w] = x.shape;
    let (size, sample) = (h * w, channels * h * w);
    let mut out = vec![0.0; x.values.len()];
    out.par_chunks_mut(sample).zip(x.values.par_chunks(sample)).zip(g.par_chunks(sample)).for_each(|((out, x), g)| {
        if size == 1 {
            out.iter_mut().zip(x).zip(g).enumerate().for_each(|(c, ((o, x), g))| *o = f(c, *x, *g));
        } else {
            let planes = out.chunks_exact_mut(size).zip(x.chunks_exact(size)).zip(g.chunks_exact(size));
            planes.enumerate().for_each(|(c, ((out, x), g))| {
                out.iter_mut().zip(x).zip(g).for_each(|((o, x), g)| *o = f(c, *x, *g));
            });
        }
    });
    out
}

/// y = scale·(x − mean) + β for every channel: batch normalisation at test time.
pub fn normalize(x: View, mean: &[f32], scale: &[f32], beta: &[f32]) -> Vec<f32> {
    each(x, x.values, |c, x, _| scale[c] * (x - mean[c]) + beta[c])
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
        let mean: Vec<f32> =
            sums(x, x.values, |_, x, _| (x, 0.0)).iter().map(|s| (s[0] / count as f64) as f32).collect();
        let square = |c: usize, x: f32, _: f32| {
            let centred = x - mean[c];
            (centred * if self.shift_based { ap2(centred) } else { centred }, 0.0)
        };
        let variance = sums(x, x.values, square).iter().map(|s| (s[0] / count as f64) as f32).collect();
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
        let rounded = |v: f32| if self.shift_based { ap2(v) } else { v };
        let found = sums(x, dy, |c, x, g| (g, g * rounded((x - mean[c]) * inverse[c])));
        let part = |k: usize| found.iter().map(|s| s[k] as f32).collect::<Vec<f32>>();
        let (dbeta, dgamma) = (part(0), part(1));
        // Of every channel: dx = scale·(dy − Σ dy/m − x̂ Σ dy x̂/m).
        let scale: Vec<f32> = gamma.values.iter().zip(inverse).map(|(g, i)| self.gain(*g) * i).collect();
        let slope: Vec<f32> = dgamma.iter().zip(inverse).map(|(d, i)| d / count * i).collect();
        let level: Vec<f32> = dbeta.iter().map(|d| d / count).collect();
        let dx = each(x, dy, |c, x, g| scale[c] * (g - level[c] - rounded(x - mean[c]) * slope[c]));
        [Some(dx), Some(dgamma), Some(dbeta)]
    }
}
