//! Linear networks as parametrisations β = P(w) of one predictor, with their pullbacks J_P(w)ᵀ r.
//!
//! Every linear network computes ⟨x, β⟩, so data, loss and prediction live in β-space. A network adds P, its pullback and
//! what theory says of it. One short file each; a new one needs only the required methods of [`Network`].

mod bin_product;
mod convolutional;
mod fully_connected;
mod shared_scale;

pub use bin_product::BinProduct;
pub use convolutional::Convolutional;
pub use fully_connected::FullyConnected;
pub use shared_scale::SharedScale;

use super::predicted::Regularizer;
use crate::math::dft::Bins;
use crate::math::gram::Gram;
use crate::math::rows::Rows;

/// A parametrisation β = P(w), homogeneous of degree L: P(cw) = c^L P(w).
///
/// Methods take `&mut self` because a network owns its workspace: a step allocates nothing.
pub trait Network: Send {
    /// Number of features D, the length of β.
    fn features(&self) -> usize;

    /// Number of parameters, the length of w.
    fn parameters(&self) -> usize;

    /// Degree of homogeneity L.
    fn degree(&self) -> usize;

    /// β = P(w).
    fn predictor(&mut self, w: &[f64], beta: &mut [f64]);

    /// `gradient` = J_P(w)ᵀ r, the derivative of ⟨r, P(w)⟩.
    fn pullback(&mut self, w: &[f64], r: &[f64], gradient: &mut [f64]);

    /// How much one standard-normal number of each parameter is scaled at initialisation scale 1.
    fn fan_scales(&self) -> Vec<f64> {
        vec![1.0; self.parameters()]
    }

    /// The induced regulariser R with min{‖w‖² : P(w) = β} = L·R(β)^{2/L}, where it is known in closed form.
    fn regularizer(&self) -> Option<Regularizer> {
        None
    }

    /// Bounds for local smoothness at w, where they are known.
    fn curvature(&mut self, _w: &[f64], _r: &[f64]) -> Option<Curvature> {
        None
    }

    /// `gram` = the matrix ⟨∇mᵢ(w), ∇mⱼ(w)⟩ over the samples in `active`, for margins mᵢ = ⟨zᵢ, P(w)⟩.
    ///
    /// The default takes one pullback a sample; networks whose pullbacks share structure do better.
    fn gram(&mut self, w: &[f64], rows: &Rows, active: &[usize], gram: &mut Gram) {
        let mut gradients = vec![0.0; active.len() * w.len()];
        for (&i, gradient) in active.iter().zip(gradients.chunks_exact_mut(w.len())) {
            self.pullback(w, rows.row(i), gradient);
        }
        gram.reset(active.len());
        gram.add(gradients.chunks_exact(w.len()), None, 1.0);
    }

    /// The layout of bins if this is a two-layer bin-wise product, whose flow has a closed form for a frozen dual vector.
    fn two_layer_bins(&self) -> Option<Bins> {
        None
    }

    /// Quantities that gradient flow on w conserves for any loss and data, if any are known.
    fn conserved(&self, _w: &[f64]) -> Vec<f64> {
        vec![]
    }

    /// How well neighbouring layers align, in [0, 1] with 1 at the limit; NaN where it has no meaning.
    fn alignment(&self, _w: &[f64]) -> f64 {
        f64::NAN
    }
}

/// Bounds that make a step size safe: the Hessian of the loss at w is at most
/// 𝓛'·(max‖zᵢ‖²·`first` + `second`), with 𝓛' the sum of |ℓ'|.
#[derive(Debug, Clone, Copy)]
pub struct Curvature {
    /// ≥ ‖J_P(w)‖² (spectral).
    pub first: f64,
    /// ≥ ‖∇²_w ⟨r, P(w)⟩‖ (spectral).
    pub second: f64,
}
