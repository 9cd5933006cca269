//! Products of packed spectra, bin by bin (see [`super::dft`] for the packing).

use super::dft::Bins;
use multiversion::multiversion;
use std::f64::consts::FRAC_1_SQRT_2;

/// out = a ⊙ b as spectra: what the unitary DFT makes of a circular product without the √D.
pub fn multiply(bins: Bins, a: &[f64], b: &[f64], out: &mut [f64]) {
    kernel(bins.real, bins.pairs, a, b, 1.0, out);
}

/// out = conj(a) ⊙ g: the transpose of [`multiply`] in its second argument.
pub fn multiply_conjugate(bins: Bins, a: &[f64], g: &[f64], out: &mut [f64]) {
    kernel(bins.real, bins.pairs, a, g, -1.0, out);
}

/// A pair is packed as √2·(re, im), hence the factor 1/√2 for each product. `sign` is −1 to conjugate `a`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn kernel(real: usize, pairs: usize, a: &[f64], b: &[f64], sign: f64, out: &mut [f64]) {
    for k in 0..real {
        out[k] = a[k] * b[k];
    }
    let split = |v| {
        let (_, v): (&[f64], &[f64]) = <[f64]>::split_at(v, real);
        v.split_at(pairs)
    };
    let ((ar, ai), (br, bi)) = (split(a), split(b));
    let (or, oi) = out[real..].split_at_mut(pairs);
    let (ai, bi, oi) = (&ai[..pairs], &bi[..pairs], &mut oi[..pairs]);
    for k in 0..pairs {
        let (x, y) = (ar[k] * FRAC_1_SQRT_2, sign * ai[k] * FRAC_1_SQRT_2);
        or[k] = x * br[k] - y * bi[k];
        oi[k] = x * bi[k] + y * br[k];
    }
}
