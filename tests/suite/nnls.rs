//! Non-negative least squares against every support in turn.

use implicit_bias::math::nnls::nnls;
use implicit_bias::math::random::Stream;
use nalgebra::{DMatrix, DVector};

#[test]
fn non_negative_least_squares_equals_the_best_support() {
    let (mut stream, mut bound) = (Stream::new(6, &["nnls"]), 0);
    for draw in 0..300 {
        let (m, n) = (1 + draw % 7, 1 + draw % 6);
        let mut a = DMatrix::from_vec(m, n, stream.normals(m * n));
        if draw % 3 == 0 && n > 1 {
            let copy = a.column(0) * 2.0;
            a.set_column(n - 1, &copy);
        }
        let b = DVector::from_vec(stream.normals(m));
        let x = nnls(&a, &b);
        assert!(x.min() >= 0.0);
        // The optimum is the unconstrained one of its support, so the best feasible one of all supports.
        let candidates = (0_usize..1 << n).filter_map(|mask| {
            let columns: Vec<usize> = (0..n).filter(|k| mask >> k & 1 == 1).collect();
            let sub = a.select_columns(&columns);
            let x = if columns.is_empty() {
                DVector::zeros(0)
            } else {
                sub.clone().svd(true, true).solve(&b, 1e-12).unwrap()
            };
            (x.iter().all(|x| *x >= -1e-12)).then(|| (sub * x - &b).norm())
        });
        let best = candidates.fold(f64::INFINITY, f64::min);
        let found = (&a * &x - &b).norm();
        assert!((found - best).abs() <= 1e-10 * b.norm(), "{m}×{n}, draw {draw}: {found}, the best is {best}");
        bound += usize::from(x.min() == 0.0 && n > 1);
    }
    assert!(bound > 100, "the constraint is active in {bound} draws only");
}
