//! Where a log-time flow is on its path: w = ρθ with ‖θ‖ = 1 and log ρ carried apart, so that nothing overflows.

mod parameters;
mod two_layer;

pub use parameters::ParameterPath;
pub use two_layer::TwoLayerPath;

use crate::linear::network::Network;
use crate::math::gram::Gram;
use crate::math::rows::Rows;

/// A point θ on the path and how it moves for a frozen dual vector r = Σ pᵢ zᵢ.
pub trait Path {
    /// The network that moves.
    fn network(&self) -> &dyn Network;

    /// log ρ^L: what scales normalised margins to true ones.
    fn log_scale(&self) -> f64;

    /// P(θ), in the network's coordinates.
    fn predictor(&mut self, beta: &mut [f64]);

    /// P after a step of Δ under r, not renormalised.
    fn ahead(&mut self, r: &[f64], delta: f64, beta: &mut [f64]);

    /// How the margins after that step move with the weights of the active samples, over Δ: for small steps ⟨∇mᵢ(θ), ∇mⱼ(θ)⟩.
    fn gram(&mut self, rows: &Rows, active: &[usize], r: &[f64], delta: f64, gram: &mut Gram);

    /// Relative growth per unit of Δ of what grows fastest under r.
    fn rate(&mut self, r: &[f64]) -> f64;

    /// The largest relative growth per step that this path follows.
    fn largest_step(&self) -> f64;

    /// Moves θ by Δ under r and renormalises; returns what the predictor was divided by.
    fn advance(&mut self, r: &[f64], delta: f64) -> f64;

    /// sin of the angle between θ and ∇_θ⟨r, P(θ)⟩ at the last step: zero at a stationary point.
    fn residual(&self) -> f64;

    /// w = ρθ for ρ^L = exp(`log_scale`).
    fn parameters(&self, log_scale: f64, w: &mut [f64]);
}
