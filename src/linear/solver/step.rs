use crate::linear::network::Network;
use crate::math::sums::norm;

/// The size η_t of a gradient step w ← w − η_t ∇𝓛(w).
///
/// Rules return η_t·𝓛', the factor of the *normalised* gradient J_P(w)ᵀ Σ pᵢ zᵢ with 𝓛' = Σ|ℓ'(mᵢ)|, because 𝓛' itself
/// underflows long before the direction of w has converged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepRule {
    /// η_t = η.
    Constant {
        /// η > 0.
        eta: f64,
    },
    /// η_t = min(η, safety/β(w)) with β(w) a bound of the local smoothness of 𝓛: the steps of Gunasekar et al. 2018, theorem 2.
    Smooth {
        /// The largest step; infinity for none.
        eta: f64,
        /// 1 is the classical choice; above 2 descent is no longer guaranteed.
        safety: f64,
    },
    /// η_t = η/(𝓛' max(1, ‖w‖)^(2L−2) (t+1)^decay): loss-normalised (Nacson et al. 2019), scaled for degree L so that it stays stable.
    Normalized {
        /// η > 0.
        eta: f64,
        /// 0 for none; 1/2 is the choice of Nacson et al.
        decay: f64,
    },
}

impl StepRule {
    /// η_t·𝓛' at step t, given log 𝓛', max‖zᵢ‖², the parameters w and the dual vector r.
    pub(super) fn factor(
        &self,
        t: u64,
        log_slope: f64,
        row_square: f64,
        w: &[f64],
        r: &[f64],
        network: &mut dyn Network,
    ) -> f64 {
        match *self {
            Self::Constant { eta } => eta * log_slope.exp(),
            Self::Smooth { eta, safety } => {
                let local = network.curvature(w, r).map_or(f64::NAN, |c| row_square * c.first + c.second);
                (eta.ln() + log_slope).exp().min(safety / local)
            }
            Self::Normalized { eta, decay } => {
                let scale = norm(w).max(1.0).powi(2 * network.degree() as i32 - 2);
                let decayed = if decay == 0.0 { 1.0 } else { ((t + 1) as f64).powf(decay) };
                eta / (scale * decayed)
            }
        }
    }
}
