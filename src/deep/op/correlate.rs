use multiversion::multiversion;

/// Positions of a row of sums; lengths are padded to a multiple of it.
pub const LANES: usize = 32;
/// Output planes that are computed together.
pub const BLOCK: usize = 8;
const TAPS: usize = 4;
const ROWS: usize = 4;
const WIDE: usize = 16;

/// `out[o][p] = Σ_t weights[t][o] · input[offsets[t] + p]` for every p below the common length of the rows of `out`, a multiple
/// of [`LANES`]. Without fused multiply-add and in one order: the same bits on every processor.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn correlate(input: &[f32], offsets: &[usize], weights: &[[f32; BLOCK]], out: &mut [f32], length: usize) {
    for p in (0..length).step_by(LANES) {
        let mut sums = [[0.0_f32; LANES]; BLOCK];
        for (offset, w) in offsets.iter().zip(weights) {
            let x = &input[offset + p..][..LANES];
            for o in 0..BLOCK {
                for l in 0..LANES {
                    sums[o][l] += w[o] * x[l];
                }
            }
        }
        for (o, row) in out.chunks_exact_mut(length).enumerate() {
            row[p..p + LANES].copy_from_slice(&sums[o]);
        }
    }
}

/// `out[o][t] += Σ_p rows[o][p] · input[offsets[t] + p]` over the first `length` positions, a multiple of [`LANES`], of every row
/// of `rows`, which lie `stride` apart; `out` has one row of `offsets.len()` for each.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn correlate_weights(rows: (&[f32], usize), length: usize, input: &[f32], offsets: &[usize], out: &mut [f32]) {
    let (rows, stride) = rows;
    let count = out.len() / offsets.len();
    for first in (0..count).step_by(ROWS) {
        for taps in (0..offsets.len()).step_by(TAPS) {
            // The last block is moved back, so that it is whole; its repeated sums are not added twice.
            let row = |i: usize| &rows[(first + i).min(count - 1) * stride..][..length];
            let tap = |j: usize| &input[offsets[(taps + j).min(offsets.len() - 1)]..][..length];
            let (y, x): ([&[f32]; ROWS], [&[f32]; TAPS]) = (std::array::from_fn(row), std::array::from_fn(tap));
            let mut sums = [[[0.0_f32; WIDE]; TAPS]; ROWS];
            for p in (0..length).step_by(WIDE) {
                for i in 0..ROWS {
                    let y = &y[i][p..p + WIDE];
                    for j in 0..TAPS {
                        let x = &x[j][p..p + WIDE];
                        for l in 0..WIDE {
                            sums[i][j][l] += y[l] * x[l];
                        }
                    }
                }
            }
            for i in 0..ROWS.min(count - first) {
                for j in 0..TAPS.min(offsets.len() - taps) {
                    out[(first + i) * offsets.len() + taps + j] += sums[i][j].iter().sum::<f32>();
                }
            }
        }
    }
}
