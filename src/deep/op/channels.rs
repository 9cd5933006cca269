use super::View;
use rayon::prelude::*;

const LANES: usize = 16;
/// Channels whose sums are taken together where pictures have one pixel.
const CHANNELS: usize = 64;

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
    let mut out = vec![0.0; x.values.len()];
    each_into(&mut out, x, g, parameters, f);
    out
}

/// As [`each`], into a slice.
pub(super) fn each_into<const K: usize>(
    out: &mut [f32],
    x: View,
    g: &[f32],
    parameters: [&[f32]; K],
    f: impl Fn([f32; K], f32, f32) -> f32 + Sync,
) {
    let [_, channels, h, w] = x.shape;
    let (size, sample) = (h * w, channels * h * w);
    let parameters = parameters.map(|p| &p[..channels]);
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
}
