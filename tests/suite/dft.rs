//! The packed unitary DFT against the defining sum at every small size, and the identities of an orthogonal matrix.

use crate::common::{dot, norm};
use implicit_bias::math::dft::{Bins, UnitaryDft};
use implicit_bias::math::product::{multiply, multiply_conjugate};
use implicit_bias::math::random::Stream;
use rustfft::num_complex::Complex;
use std::f64::consts::TAU;

const IMAGES: [[usize; 2]; 16] = [
    [1, 1],
    [1, 2],
    [2, 1],
    [1, 9],
    [9, 1],
    [1, 16],
    [16, 1],
    [2, 2],
    [3, 3],
    [4, 6],
    [6, 4],
    [5, 7],
    [8, 8],
    [7, 13],
    [9, 12],
    [11, 11],
];

fn shapes() -> Vec<Vec<usize>> {
    (1..=257).map(|d| vec![d]).chain(IMAGES.map(|s| s.to_vec())).collect()
}

/// β̂[u, v] = D^(−1/2) Σ β[r, c] e^(−2πi (ur/h + vc/w)), one sum an entry; phases reduced by integers, so they are exact.
fn naive(shape: &[usize], signal: &[f64]) -> Vec<Complex<f64>> {
    let [h, w] = if let [h, w] = *shape { [h, w] } else { [1, shape[0]] };
    let roots = |n: usize| -> Vec<Complex<f64>> { (0..n).map(|k| Complex::cis(-TAU * k as f64 / n as f64)).collect() };
    let (rows, columns) = (roots(h), roots(w));
    let entry = |k: usize| -> Complex<f64> {
        let (u, v) = (k / w, k % w);
        signal.iter().enumerate().map(|(p, s)| rows[u * (p / w) % h] * columns[v * (p % w) % w] * s).sum()
    };
    (0..h * w).map(|k| entry(k) / (signal.len() as f64).sqrt()).collect()
}

/// Rounding of a transform of D numbers: eps times its depth in additions, times the norm, with a constant of 8.
fn tolerance(d: usize, size: f64) -> f64 {
    8.0 * f64::EPSILON * (2.0 + (d as f64).log2()) * size
}

#[test]
fn equals_the_defining_sum_at_every_size() {
    let mut stream = Stream::new(1, &["dft"]);
    for shape in shapes() {
        let d = shape.iter().product();
        let mut dft = UnitaryDft::new(&shape);
        let mut packed = vec![f64::NAN; d];
        // The second signal goes through the buffers that the first one left dirty.
        for _ in 0..2 {
            let signal = stream.normals(d);
            dft.analyze(&signal, &mut packed);
            let (full, wanted) = (dft.full(&packed), naive(&shape, &signal));
            // The naive sum itself errs by about eps·√D a entry.
            let allowed = tolerance(d, norm(&signal)) * (1.0 + (d as f64).sqrt() / 8.0);
            for (k, (a, b)) in full.iter().zip(&wanted).enumerate() {
                assert!((a - b).norm() <= allowed, "{shape:?} bin {k}: {a} against {b}");
            }
            let bins = dft.bins();
            assert_eq!((bins.features(), dft.index().len(), full.len()), (d, bins.count(), d), "{shape:?}");
            for b in 0..bins.count() {
                assert_eq!(bins.value(&packed, b), full[dft.index()[b]], "{shape:?} bin {b}");
            }
        }
    }
}

#[test]
fn spectra_are_conjugate_symmetric_to_the_bit() {
    let mut stream = Stream::new(2, &["dft"]);
    for shape in shapes() {
        let [h, w] = if let [h, w] = *shape { [h, w] } else { [1, shape[0]] };
        let full = UnitaryDft::new(&shape).full(&stream.normals(h * w));
        for k in 0..h * w {
            let mirror = (h - k / w) % h * w + (w - k % w) % w;
            assert_eq!(full[mirror], full[k].conj(), "{shape:?} bin {k}");
        }
    }
}

#[test]
fn is_an_orthogonal_matrix() {
    let mut stream = Stream::new(3, &["dft"]);
    for shape in shapes() {
        let d: usize = shape.iter().product();
        let mut dft = UnitaryDft::new(&shape);
        let (x, y) = (stream.normals(d), stream.normals(d));
        let (mut fx, mut fty, mut back) = (vec![f64::NAN; d], vec![f64::NAN; d], vec![f64::NAN; d]);
        dft.analyze(&x, &mut fx);
        dft.synthesize(&fx, &mut back);
        dft.synthesize(&y, &mut fty);
        let allowed = tolerance(d, norm(&x));
        assert!((norm(&fx) - norm(&x)).abs() <= allowed, "{shape:?}: the norm changes");
        let off: Vec<f64> = back.iter().zip(&x).map(|(a, b)| a - b).collect();
        assert!(norm(&off) <= 2.0 * allowed, "{shape:?}: the round trip is off by {}", norm(&off));
        let transpose = (dot(&fx, &y) - dot(&x, &fty)).abs();
        assert!(transpose <= 2.0 * allowed * norm(&y), "{shape:?}: transpose off by {transpose}");
    }
}

#[test]
fn packed_products_are_products_of_complex_bins() {
    let mut stream = Stream::new(4, &["dft"]);
    for bins in [Bins { real: 1, pairs: 0 }, Bins { real: 2, pairs: 9 }, Bins { real: 4, pairs: 70 }, Bins::signal(33)]
    {
        let (a, b) = (stream.normals(bins.features()), stream.normals(bins.features()));
        let (mut ab, mut conjugate) = (vec![f64::NAN; a.len()], vec![f64::NAN; a.len()]);
        multiply(bins, &a, &b, &mut ab);
        multiply_conjugate(bins, &a, &b, &mut conjugate);
        for k in 0..bins.count() {
            let (x, y) = (bins.value(&a, k), bins.value(&b, k));
            let allowed = 8.0 * f64::EPSILON * x.norm() * y.norm();
            assert!((bins.value(&ab, k) - x * y).norm() <= allowed, "{bins:?} bin {k}");
            assert!((bins.value(&conjugate, k) - x.conj() * y).norm() <= allowed, "{bins:?} bin {k}");
        }
    }
}
