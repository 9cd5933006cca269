use super::Window;
use multiversion::multiversion;

/// Channels that are computed together.
const LANES: usize = 16;
/// Output columns that share the loads of the weights.
const TILE: usize = 4;

/// A picture, channel last.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    pub values: &'a [f32],
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

/// Row `y` of a depthwise convolution, channel last: `weights[tap][channel]`, and what is added and where it is cut.
///
/// Without fused multiply-add and in one order: the same bits on every processor.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn depthwise_row(
    x: Picture,
    window: &Window,
    y: usize,
    weights: &[f32],
    (bias, low, high): (&[f32], f32, f32),
    out: &mut [f32],
) {
    let (channels, across) = (x.channels, out.len() / x.channels);
    let ([h, w], [top, _, left, _], stride) = (window.size, window.padding, window.stride);
    let rows = (top.saturating_sub(y * stride))..h.min(x.height + top - y * stride);
    for c in (0..channels).step_by(LANES) {
        let lanes = LANES.min(channels - c);
        let mut column = 0;
        while column < across {
            let first = column * stride;
            let inside = first >= left && first + (TILE - 1) * stride + w <= x.width + left;
            let (count, taps) = match inside && column + TILE <= across && lanes == LANES {
                true => (TILE, 0..w),
                false => (1, left.saturating_sub(first)..w.min(x.width + left - first)),
            };
            let mut sums = [[0.0_f32; LANES]; TILE];
            for i in rows.clone() {
                let row = &x.values[(y * stride + i - top) * x.width * channels..][..x.width * channels];
                for j in taps.clone() {
                    let weight = &weights[(i * w + j) * channels + c..][..lanes];
                    let at = (first + j - left) * channels + c;
                    if count == TILE {
                        let [a, b, d, e] = &mut sums;
                        let weight = &weight[..LANES];
                        let step = stride * channels;
                        let (xa, xb) = (&row[at..][..LANES], &row[at + step..][..LANES]);
                        let (xd, xe) = (&row[at + 2 * step..][..LANES], &row[at + 3 * step..][..LANES]);
                        for l in 0..LANES {
                            a[l] += weight[l] * xa[l];
                            b[l] += weight[l] * xb[l];
                            d[l] += weight[l] * xd[l];
                            e[l] += weight[l] * xe[l];
                        }
                    } else {
                        for (sum, (w, x)) in sums[0].iter_mut().zip(weight.iter().zip(&row[at..])) {
                            *sum += w * x;
                        }
                    }
                }
            }
            for (k, sums) in sums[..count].iter().enumerate() {
                let out = &mut out[(column + k) * channels + c..][..lanes];
                for ((o, s), b) in out.iter_mut().zip(sums).zip(&bias[c..]) {
                    *o = (s + b).max(low).min(high);
                }
            }
            column += count;
        }
    }
}

/// Adds a number a channel to rows of channels, and cuts.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn finish(values: &mut [f32], bias: &[f32], low: f32, high: f32) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (v, b) in row.iter_mut().zip(bias) {
            *v = (*v + b).max(low).min(high);
        }
    }
}
