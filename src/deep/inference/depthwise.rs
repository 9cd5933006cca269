use super::Window;
use multiversion::multiversion;
use std::ops::Range;

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
    let rows = top.saturating_sub(y * stride)..h.min(x.height + top - y * stride);
    // Rows and weights that the window's rows in the picture see.
    let above = (y * stride + rows.start - top) * x.width * channels;
    let (seen, weights) = (&x.values[above..], &weights[rows.start * w * channels..]);
    let walk = |c: usize, taps: Range<usize>, at: usize| Walk { seen, weights, c, rows: rows.len(), taps, at, x, w };
    for c in (0..channels).step_by(LANES) {
        let lanes = LANES.min(channels - c);
        let mut column = 0;
        while column < across {
            let first = column * stride;
            let taps = left.saturating_sub(first)..w.min(x.width + left - first);
            let inside = first >= left && first + (TILE - 1) * stride + w <= x.width + left;
            let walk = walk(c, taps.clone(), first + taps.start - left);
            let (count, sums) = match lanes == LANES {
                true if inside && column + TILE <= across => (TILE, walk.tile(stride)),
                true => (1, [walk.lane(), [0.0; LANES], [0.0; LANES], [0.0; LANES]]),
                false => (1, [walk.part(lanes), [0.0; LANES], [0.0; LANES], [0.0; LANES]]),
            };
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

/// The taps of an output column: `at` is the column of the picture under the first of them.
struct Walk<'a> {
    seen: &'a [f32],
    weights: &'a [f32],
    c: usize,
    rows: usize,
    taps: Range<usize>,
    at: usize,
    x: Picture<'a>,
    w: usize,
}

impl Walk<'_> {
    /// Numbers and weights of a row of taps, from channel `c` on, and how many of both there are.
    #[inline(always)]
    fn row(&self, i: usize) -> (&[f32], &[f32]) {
        let channels = self.x.channels;
        let row = &self.seen[(i * self.x.width + self.at) * channels + self.c..];
        (row, &self.weights[(i * self.w + self.taps.start) * channels + self.c..])
    }

    /// [`TILE`] columns. Sums by name: of an array of arrays the compiler keeps none in a register.
    #[inline(always)]
    fn tile(&self, stride: usize) -> [[f32; LANES]; TILE] {
        let [mut s0, mut s1, mut s2, mut s3] = [[0.0_f32; LANES]; TILE];
        let (channels, step) = (self.x.channels, stride * self.x.channels);
        for i in 0..self.rows {
            let (row, weights) = self.row(i);
            for j in 0..self.taps.len() {
                let weight = &weights[j * channels..][..LANES];
                let x = &row[j * channels..];
                let (x0, x1) = (&x[..LANES], &x[step..][..LANES]);
                let (x2, x3) = (&x[2 * step..][..LANES], &x[3 * step..][..LANES]);
                for l in 0..LANES {
                    s0[l] += weight[l] * x0[l];
                    s1[l] += weight[l] * x1[l];
                    s2[l] += weight[l] * x2[l];
                    s3[l] += weight[l] * x3[l];
                }
            }
        }
        [s0, s1, s2, s3]
    }

    #[inline(always)]
    fn lane(&self) -> [f32; LANES] {
        let mut sums = [0.0_f32; LANES];
        for i in 0..self.rows {
            let (row, weights) = self.row(i);
            for j in 0..self.taps.len() {
                let (x, weight) = (&row[j * self.x.channels..][..LANES], &weights[j * self.x.channels..][..LANES]);
                for l in 0..LANES {
                    sums[l] += weight[l] * x[l];
                }
            }
        }
        sums
    }

    fn part(&self, lanes: usize) -> [f32; LANES] {
        let mut sums = [0.0; LANES];
        for i in 0..self.rows {
            let (row, weights) = self.row(i);
            for j in 0..self.taps.len() {
                let at = j * self.x.channels..j * self.x.channels + lanes;
                sums.iter_mut().zip(row[at.clone()].iter().zip(&weights[at])).for_each(|(s, (x, w))| *s += w * x);
            }
        }
        sums
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
