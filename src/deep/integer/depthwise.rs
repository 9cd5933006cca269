use multiversion::multiversion;

/// Channels that are computed together.
const LANES: usize = 32;

/// Σ (q − z) w over taps, channel by channel, where `taps` says at what places of `x` and `weights` the channels begin.
///
/// A product fits into 16 bits: 255 · 128 < 2¹⁵.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
pub fn sum_channels(x: &[u8], zero: i16, weights: &[i8], taps: &[(usize, usize)], sums: &mut [i32]) {
    let product = |x: u8, w: i8| i32::from((i16::from(x) - zero).wrapping_mul(i16::from(w)));
    let (whole, rest) = sums.as_chunks_mut::<LANES>();
    let first = LANES * whole.len();
    for (c, sums) in whole.iter_mut().enumerate() {
        let mut lanes = [0; LANES];
        for (x_at, w_at) in taps {
            let (x, w) = (&x[x_at + LANES * c..][..LANES], &weights[w_at + LANES * c..][..LANES]);
            for l in 0..LANES {
                lanes[l] += product(x[l], w[l]);
            }
        }
        *sums = lanes;
    }
    rest.fill(0);
    for (x_at, w_at) in taps {
        for (sum, (x, w)) in rest.iter_mut().zip(x[x_at + first..].iter().zip(&weights[w_at + first..])) {
            *sum += product(*x, *w);
        }
    }
}
