use super::Regularizer;
use crate::math::rows::Rows;
use crate::math::sums::{max, min};
use nalgebra::{DMatrix, SymmetricEigen};

/// Groups above this fraction of the largest are the support; the others are at zero, where the bridge penalty has a cusp.
const SUPPORT: f64 = 1e-6;
/// Samples within this factor of the smallest margin hold with equality.
const ACTIVE: f64 = 1.0 + 1e-4;

/// The second-order condition of the bridge penalty at a stationary point β, on its active face.
#[derive(Debug, Clone, Copy)]
pub struct SecondOrder {
    /// Dimension of the face: directions on the support that keep every active margin. Zero for a vertex.
    pub face_dimension: usize,
    /// Smallest curvature of the penalty along the face, dimensionless; +∞ for a vertex. Positive: a strict local minimum.
    pub smallest: f64,
}

impl SecondOrder {
    /// Whether β is a local minimum on its face rather than a saddle.
    pub fn is_local_minimum(self) -> bool {
        self.smallest > 0.0
    }
}

/// Tests β (in the coordinates of R). With φ = Σ c_g ‖β_g‖^p the Hessian of a group is
/// c p ‖β_g‖^{p−2}(I + (p−2) u uᵀ), u = β_g/‖β_g‖: concave along u for p < 1, convex across. Directions are measured in units of
/// ‖β_g‖, so that the result has none. `None` unless every margin is positive.
pub fn second_order(rows: &Rows, regularizer: &Regularizer, beta: &[f64]) -> Option<SecondOrder> {
    let mut margins = vec![0.0; rows.samples()];
    rows.times(beta, &mut margins);
    let lowest = min(&margins);
    if lowest.is_nan() || lowest <= 0.0 {
        return None;
    }
    let (p, norms) = (regularizer.exponent(), regularizer.group_norms(beta));
    let largest = max(&norms);
    let kept: Vec<usize> = (0..norms.len()).filter(|&g| norms[g] > SUPPORT * largest).collect();
    let groups = regularizer.groups();
    let total: f64 = kept.iter().map(|&g| groups[g].1 * norms[g].powf(p)).sum();
    let columns: Vec<(usize, usize)> = kept.iter().flat_map(|&g| groups[g].0.iter().map(move |&j| (g, j))).collect();
    let n = columns.len();
    let hessian = DMatrix::from_fn(n, n, |a, b| {
        let ((g, i), (h, j)) = (columns[a], columns[b]);
        if g != h {
            return 0.0;
        }
        let along = (p - 2.0) * beta[i] * beta[j] / (norms[g] * norms[g]);
        groups[g].1 * p * norms[g].powf(p) / total * (along + if i == j { 1.0 } else { 0.0 })
    });
    // Aᵀ: one column an active sample, padded to square so that the SVD gives a whole basis.
    let active: Vec<usize> = (0..margins.len()).filter(|&i| margins[i] <= ACTIVE * lowest).collect();
    let side = n.max(active.len());
    let constraints = DMatrix::from_fn(side, n, |a, b| {
        active.get(a).map_or(0.0, |&i| rows.row(i)[columns[b].1] * norms[columns[b].0])
    });
    let svd = constraints.svd(false, true);
    let basis = svd.v_t?;
    let cutoff = 1e-10 * svd.singular_values.max();
    let free: Vec<usize> = (0..n).filter(|&k| svd.singular_values[k] <= cutoff).collect();
    let face = basis.select_rows(&free);
    let smallest = match free.len() {
        0 => f64::INFINITY,
        _ => SymmetricEigen::new(&face * hessian * face.transpose()).eigenvalues.min(),
    };
    Some(SecondOrder { face_dimension: free.len(), smallest })
}
