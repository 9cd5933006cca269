use super::Regularizer;
use crate::linear::network::Network;
use crate::math::nnls::nnls;
use crate::math::rows::Rows;
use crate::math::sums::{max, min, norm};
use nalgebra::{DMatrix, DVector};

/// Samples within this factor of the smallest margin may carry a multiplier: the widest set, and tighter ones that are
/// preferred where they explain β as well.
const ACTIVE_MARGINS: [f64; 4] = [1.0 + 1e-6, 1.0 + 1e-4, 1.0 + 1e-2, 1.05];
/// The largest matrix (features × active samples) of which least squares are solved.
const MOST_NUMBERS: usize = 1 << 22;
/// Groups above this fraction of the largest are reported as the support.
const SUPPORT: f64 = 1e-3;

/// How well β satisfies the first-order conditions of min R(β) s.t. margins ≥ 1 (facts: KKT in the Fourier domain).
#[derive(Debug, Clone)]
pub struct BridgeKkt {
    /// ‖w − Σ αᵢ ∇mᵢ(w)‖/‖w‖ at the balanced parameters of β: one scale-free number, blind to where the support ends.
    pub residual: f64,
    /// max/min over the support of |r_g|·‖β_g‖^(1−p)/c_g, minus one: the modulus law.
    pub modulus_spread: f64,
    /// Largest angle in radians between r_g and β_g on the support: the phase law.
    pub phase_error: f64,
    /// Σ αᵢ (mᵢ/min m − 1)/Σ αᵢ: complementary slackness.
    pub slackness: f64,
    /// Groups in the support.
    pub support: usize,
    /// αᵢ ≥ 0 for β scaled to margin one.
    pub multipliers: Vec<f64>,
}

/// [`BridgeKkt`] on the tightest active set whose residual is within a tenth of the widest one's.
pub fn bridge_kkt(rows: &Rows, regularizer: &Regularizer, beta: &[f64]) -> Option<BridgeKkt> {
    let [tighter @ .., widest] = ACTIVE_MARGINS;
    let widest = bridge_kkt_on(rows, regularizer, beta, widest)?;
    let limit = 1.1 * widest.residual + 1e-12;
    let tight = tighter.iter().filter_map(|f| bridge_kkt_on(rows, regularizer, beta, *f)).find(|k| k.residual <= limit);
    tight.or(Some(widest))
}

/// KKT residual of β (in the coordinates of R). Multipliers by non-negative least squares on the active set, because the
/// softmax weights of large steps chatter. `None` unless every margin is positive and the active set is not
/// too large.
fn bridge_kkt_on(rows: &Rows, regularizer: &Regularizer, beta: &[f64], factor: f64) -> Option<BridgeKkt> {
    let (margins, active) = active_set(rows, beta, factor)?;
    if active.len().saturating_mul(beta.len()) > MOST_NUMBERS {
        return None;
    }
    let beta: Vec<f64> = beta.iter().map(|b| b / min(&margins)).collect();
    let (p, norms) = (regularizer.exponent(), regularizer.group_norms(&beta));
    // Row j of group g, scaled by ‖β_g‖^(1−p/2) c_g^(−1/2): Σ αᵢ z_ij against c_g ‖β_g‖^(p−2) β_j.
    let mut matrix = DMatrix::zeros(beta.len(), active.len());
    let mut target = DVector::zeros(beta.len());
    for ((group, c), &size) in regularizer.groups().iter().zip(&norms) {
        for &j in group.iter().filter(|_| size > 0.0) {
            let scale = size.powf(1.0 - p / 2.0) / c.sqrt();
            target[j] = c.sqrt() * size.powf(p / 2.0 - 1.0) * beta[j];
            active.iter().enumerate().for_each(|(a, &i)| matrix[(j, a)] = scale * rows.row(i)[j]);
        }
    }
    let alpha = nnls(&matrix, &target);
    let residual = (&matrix * &alpha - &target).norm() / target.norm();
    let mut multipliers = vec![0.0; rows.samples()];
    active.iter().zip(alpha.iter()).for_each(|(&i, &a)| multipliers[i] = a);
    let mut dual = vec![0.0; beta.len()];
    rows.combine(&multipliers, &mut dual);

    let certificates = regularizer.dual_certificates(&dual);
    let largest = max(&norms);
    let support: Vec<usize> = (0..norms.len()).filter(|&g| norms[g] > SUPPORT * largest).collect();
    let law: Vec<f64> = support.iter().map(|&g| certificates[g] * norms[g].powf(1.0 - p)).collect();
    let angle = |&g: &usize| {
        let pick = |v: &[f64]| regularizer.groups()[g].0.iter().map(|&j| v[j]).collect::<Vec<_>>();
        crate::math::sums::angle(&pick(&dual), &pick(&beta))
    };
    let slack = |i: usize| multipliers[i] * (margins[i] / min(&margins) - 1.0);
    Some(BridgeKkt {
        residual,
        modulus_spread: max(&law) / min(&law) - 1.0,
        phase_error: support.iter().map(angle).fold(0.0, f64::max),
        slackness: (0..rows.samples()).map(slack).sum::<f64>() / multipliers.iter().sum::<f64>(),
        support: support.len(),
        multipliers,
    })
}

/// ‖w − Σ αᵢ ∇mᵢ(w)‖/‖w‖ minimised over α ≥ 0 on the active set, for **any** homogeneous network: zero exactly at the
/// first-order stationary points of min ‖w‖² s.t. mᵢ(w) ≥ 1 (the homogeneous-polynomial theorem). `rows` are in the
/// network's coordinates. `None` unless every margin is positive.
pub fn parameter_kkt(rows: &Rows, network: &mut dyn Network, w: &[f64]) -> Option<f64> {
    let mut beta = vec![0.0; network.features()];
    network.predictor(w, &mut beta);
    let [.., widest] = ACTIVE_MARGINS;
    let (_, active) = active_set(rows, &beta, widest)?;
    let mut gradients = DMatrix::zeros(w.len(), active.len());
    let mut gradient = vec![0.0; w.len()];
    for (a, &i) in active.iter().enumerate() {
        network.pullback(w, rows.row(i), &mut gradient);
        gradients.column_mut(a).copy_from_slice(&gradient);
    }
    let scale = gradients.norm() / norm(w);
    let target = DVector::from_column_slice(w);
    let gradients = gradients / scale;
    let alpha = nnls(&gradients, &target);
    Some((&gradients * &alpha - &target).norm() / target.norm())
}

/// The margins, and the samples near the smallest one.
fn active_set(rows: &Rows, beta: &[f64], factor: f64) -> Option<(Vec<f64>, Vec<usize>)> {
    let mut margins = vec![0.0; rows.samples()];
    rows.times(beta, &mut margins);
    let smallest = min(&margins);
    let active = (0..margins.len()).filter(|&i| margins[i] <= factor * smallest).collect();
    (smallest > 0.0 && smallest.is_finite()).then_some((margins, active))
}
