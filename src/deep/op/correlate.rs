use multiversion::multiversion;

/// Positions that are summed together; lengths are padded to a multiple of it.
pub const LANES: usize = 16;
/// Output planes that are computed together.
pub const BLOCK: usize = 8;
const TAPS: usize = 4;
const ROWS: usize = 4;

/// `out[o][p] = Σ_t weights[t][o] · input[offsets[t] + p]` for every p below the common length of the rows of `out`, a multiple
/// of [`LANES`]. Without fused multiply-add and in one order: the same bits on every processor.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn correlate(input: &[f32], offsets: &[usize], weights: &[[f32; BLOCK]], out: &mut [f32], length: usize) {
    for p in (0..length).step_by(LANES) {
        // Sums by name: of an array of arrays the compiler keeps none in a register.
        let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5, mut s6, mut s7] = [[0.0_f32; LANES]; BLOCK];
        for (offset, w) in offsets.iter().zip(weights) {
            let x = &input[offset + p..][..LANES];
            for l in 0..LANES {
                s0[l] += w[0] * x[l];
                s1[l] += w[1] * x[l];
                s2[l] += w[2] * x[l];
                s3[l] += w[3] * x[l];
                s4[l] += w[4] * x[l];
                s5[l] += w[5] * x[l];
                s6[l] += w[6] * x[l];
                s7[l] += w[7] * x[l];
            }
        }
        for (row, sums) in out.chunks_exact_mut(length).zip([s0, s1, s2, s3, s4, s5, s6, s7]) {
            row[p..p + LANES].copy_from_slice(&sums);
        }
    }
}

/// Rows of several pictures.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'a> {
    /// The numbers.
    pub values: &'a [f32],
    /// From one picture to the next.
    pub stride: usize,
}

/// `out[o][t] += Σ_p rows[o·row + p] · input[offsets[t] + p]` over the first `length` positions, a multiple of [`LANES`], of all
/// pictures; `out` has one row of `offsets.len()` for each o.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn correlate_weights(
    (rows, row, length): (Stack, usize, usize),
    (input, offsets): (Stack, &[usize]),
    pictures: usize,
    out: &mut [f32],
) {
    let count = out.len() / offsets.len();
    for first in (0..count).step_by(ROWS) {
        for taps in (0..offsets.len()).step_by(TAPS) {
            // The last block is filled up with repetitions, which are not added.
            let y = |i: usize| (first + i).min(count - 1) * row;
            let x = |j: usize| offsets[(taps + j).min(offsets.len() - 1)];
            let (y, x): ([usize; ROWS], [usize; TAPS]) = (std::array::from_fn(y), std::array::from_fn(x));
            let [mut a0, mut a1, mut a2, mut a3] = [[0.0_f32; LANES]; TAPS];
            let [mut b0, mut b1, mut b2, mut b3] = [[0.0_f32; LANES]; TAPS];
            let [mut c0, mut c1, mut c2, mut c3] = [[0.0_f32; LANES]; TAPS];
            let [mut d0, mut d1, mut d2, mut d3] = [[0.0_f32; LANES]; TAPS];
            for k in 0..pictures {
                let [ya, yb, yc, yd] = y.map(|at| &rows.values[k * rows.stride + at..][..length]);
                let [x0, x1, x2, x3] = x.map(|at| &input.values[k * input.stride + at..][..length]);
                for p in (0..length).step_by(LANES) {
                    let [ya, yb, yc, yd] = [ya, yb, yc, yd].map(|y| &y[p..p + LANES]);
                    let [x0, x1, x2, x3] = [x0, x1, x2, x3].map(|x| &x[p..p + LANES]);
                    for l in 0..LANES {
                        a0[l] += ya[l] * x0[l];
                        a1[l] += ya[l] * x1[l];
                        a2[l] += ya[l] * x2[l];
                        a3[l] += ya[l] * x3[l];
                        b0[l] += yb[l] * x0[l];
                        b1[l] += yb[l] * x1[l];
                        b2[l] += yb[l] * x2[l];
                        b3[l] += yb[l] * x3[l];
                        c0[l] += yc[l] * x0[l];
                        c1[l] += yc[l] * x1[l];
                        c2[l] += yc[l] * x2[l];
                        c3[l] += yc[l] * x3[l];
                        d0[l] += yd[l] * x0[l];
                        d1[l] += yd[l] * x1[l];
                        d2[l] += yd[l] * x2[l];
                        d3[l] += yd[l] * x3[l];
                    }
                }
            }
            let sums = [[a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3], [d0, d1, d2, d3]];
            for i in 0..ROWS.min(count - first) {
                for j in 0..TAPS.min(offsets.len() - taps) {
                    out[(first + i) * offsets.len() + taps + j] += sums[i][j].iter().sum::<f32>();
                }
            }
        }
    }
}
