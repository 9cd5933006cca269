use super::Regularizer;
use crate::math::sums::min;

/// R(β)/min mᵢ · R*(Σ pᵢ zᵢ) − 1 ≥ 0: how far β can be from the best normalised margin, with no solver.
///
/// For any norm R and any p in the simplex, max over R(β) ≤ 1 of minᵢ⟨zᵢ, β⟩ is at most R*(Σ pᵢ zᵢ), because a minimum is
/// at most a mean. `None` where R is not a norm or some margin is not positive.
pub fn certified_gap(regularizer: &Regularizer, beta: &[f64], margins: &[f64], dual: &[f64]) -> Option<f64> {
    let margin = min(margins);
    if margin.is_nan() || margin <= 0.0 {
        return None;
    }
    Some(regularizer.value(beta) / margin * regularizer.dual(dual)? - 1.0)
}
