//! Non-negative least squares (Lawson & Hanson 1974, chapter 23).

use nalgebra::{DMatrix, DVector};

/// argmin ‖A x − b‖₂ subject to x ≥ 0. `a` is m×n, `b` has m entries; the answer has n.
///
/// Starts from the positive part of the unconstrained solution: most of the answer's support, found at once. Linearly
/// dependent columns do no harm.
pub fn nnls(a: &DMatrix<f64>, b: &DVector<f64>) -> DVector<f64> {
    if a.nrows() > a.ncols() + 1 {
        // ‖Ax − b‖ depends on the triangular factor of (A b) alone.
        let mut both = a.clone().insert_column(a.ncols(), 0.0);
        both.set_column(a.ncols(), b);
        let r = both.qr().r();
        return nnls(&r.columns(0, a.ncols()).into_owned(), &r.column(a.ncols()).into_owned());
    }
    let n = a.ncols();
    let scale = (a.norm() * b.norm()).max(f64::MIN_POSITIVE);
    let tolerance = 1e-15 * scale;
    let mut x = DVector::zeros(n);
    let mut passive = vec![true; n];
    loop {
        let (free, z) = free_solution(a, b, &passive);
        free.iter().zip(z.iter()).for_each(|(&k, z)| passive[k] = *z > 0.0);
        if z.iter().all(|z| *z > 0.0) {
            free.iter().zip(z.iter()).for_each(|(&k, z)| x[k] = *z);
            break;
        }
    }
    for _ in 0..3 * n + 10 {
        let gradient = a.tr_mul(&(b - a * &x));
        let entering = (0..n)
            .filter(|&j| !passive[j] && gradient[j] > tolerance)
            .max_by(|&i, &j| gradient[i].total_cmp(&gradient[j]));
        let Some(j) = entering else { break };
        passive[j] = true;
        for _ in 0..=n {
            let (free, z) = free_solution(a, b, &passive);
            let limit = free
                .iter()
                .zip(z.iter())
                .filter(|(_, z)| **z <= 0.0)
                .map(|(&k, z)| x[k] / (x[k] - z))
                .fold(f64::INFINITY, f64::min);
            if !limit.is_finite() {
                x.fill(0.0);
                free.iter().zip(z.iter()).for_each(|(&k, z)| x[k] = *z);
                break;
            }
            for (&k, z) in free.iter().zip(z.iter()) {
                x[k] += limit * (z - x[k]);
                if *z <= 0.0 && x[k] <= 1e-14 * x.amax() {
                    x[k] = 0.0;
                    passive[k] = false;
                }
            }
            if limit == 0.0 && free.len() == 1 {
                break;
            }
        }
    }
    x
}

/// The passive columns and the least-squares solution on them: by QR where it can be trusted, by SVD where columns depend on
/// each other.
fn free_solution(a: &DMatrix<f64>, b: &DVector<f64>, passive: &[bool]) -> (Vec<usize>, DVector<f64>) {
    let free: Vec<usize> = (0..passive.len()).filter(|&k| passive[k]).collect();
    let a = a.select_columns(&free);
    let by_qr = || {
        let (qr, mut right) = (a.clone().qr(), b.clone());
        let (r, diagonal) = (qr.r(), qr.r().diagonal().abs());
        if !free.is_empty() && diagonal.min() <= 1e-8 * diagonal.max() {
            return None;
        }
        qr.q_tr_mul(&mut right);
        r.solve_upper_triangular(&right.rows(0, free.len()).into_owned())
    };
    let z = (free.len() <= a.nrows()).then(by_qr).flatten().unwrap_or_else(|| least_squares(&a, b));
    (free, z)
}

/// The minimum-norm least-squares solution of A x = b.
pub fn least_squares(a: &DMatrix<f64>, b: &DVector<f64>) -> DVector<f64> {
    let svd = a.clone().svd(true, true);
    let cutoff = 1e-13 * svd.singular_values.max();
    svd.solve(b, cutoff).unwrap_or_else(|_| DVector::zeros(a.ncols()))
}
