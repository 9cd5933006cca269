use crate::math::rows::dot;
use nalgebra::{Cholesky, DMatrix};

/// What is added to every diagonal entry of the moments, of their mean.
const DAMPING: f64 = 0.01;

/// Rounds a filter's weights w such that its outputs change least: with M the second moments of what the filter reads, the
/// mean square change is (w − q)ᵀ M (w − q).
///
/// Finding the best q is the closest-vector problem; this is Babai's nearest plane (1986), with M = L Lᵀ: one weight after the
/// other is rounded, after it has taken up what it can make good of the errors so far. GPTQ (Frantar et al. 2023) and
/// optimal brain quantisation in a fixed order are the same in another form.
#[derive(Debug, Clone)]
pub struct NearestPlane {
    /// Weight i of the factor is weight `order[i]` of the filter; the last is rounded first, being read most.
    order: Vec<usize>,
    /// L, column by column.
    factor: DMatrix<f64>,
}

impl NearestPlane {
    /// For filters of d weights, from d × d second moments; a hundredth of the mean of the diagonal is added to it.
    pub fn new(moments: &[f64]) -> Self {
        let d = moments.len().isqrt();
        let diagonal = |i: usize| moments[i * d + i];
        let mut order: Vec<usize> = (0..d).collect();
        order.sort_by(|a, b| diagonal(*a).total_cmp(&diagonal(*b)));
        let damping = (DAMPING * (0..d).map(diagonal).sum::<f64>() / d as f64).max(f64::MIN_POSITIVE);
        let entry = |i: usize, j: usize| moments[order[i] * d + order[j]] + if i == j { damping } else { 0.0 };
        let factor = Cholesky::new(DMatrix::from_fn(d, d, entry));
        // Moments that are no numbers leave rounding to the nearest.
        let factor = factor.map_or_else(|| DMatrix::identity(d, d), Cholesky::unpack);
        Self { order, factor }
    }

    /// The weights rounded by `round`, and what (w − q)ᵀ M (w − q) has become.
    pub fn round(&self, weights: &[f32], round: impl Fn(f32) -> f32) -> (Vec<f32>, f64) {
        let d = self.order.len();
        let (mut rounded, mut errors, mut square) = (vec![0.0; d], vec![0.0; d], 0.0);
        for j in (0..d).rev() {
            let column = &self.factor.as_slice()[j * d + j..(j + 1) * d];
            let pull = dot(&column[1..], &errors[j + 1..]) / column[0];
            let weight = f64::from(weights[self.order[j]]);
            let value = round((weight + pull) as f32);
            rounded[self.order[j]] = value;
            errors[j] = weight - f64::from(value);
            square += (column[0] * (errors[j] + pull)).powi(2);
        }
        (rounded, square)
    }
}
