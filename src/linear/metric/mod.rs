//! What is measured of a run: margins, certificates, angles, sparsity in frequency, drift, balancedness.

mod drift;
mod sparsity;

pub use drift::Drift;
pub use sparsity::Sparsity;

use super::Frame;
use super::predicted::{Optimum, Regularizer, certified_gap};
use super::solver::State;
use crate::math::sums::{angle, min, norm};

/// One observation: a value for each of [`COLUMNS`], NaN where it has no meaning.
pub type Observation = [f64; COLUMNS.len()];

/// The metrics of trace.csv, in order.
pub const COLUMNS: [&str; 17] = [
    "log_loss",
    "q",
    "margin",
    "parameter_norm",
    "normalized_margin",
    "regularized_margin",
    "certified_gap",
    "excess",
    "angle",
    "spectrum_ratio",
    "active_bins_entropy",
    "active_bins_participation",
    "active_bins_threshold",
    "phase_drift",
    "gradient_drift",
    "imbalance",
    "alignment",
];

/// Measures states of one run.
pub struct Meter<'a> {
    frame: &'a Frame,
    regularizer: Option<&'a Regularizer>,
    optimum: Option<&'a Optimum>,
    drift: Drift,
}

impl<'a> Meter<'a> {
    /// With the regulariser that theory predicts, and its optimum where it is convex.
    pub fn new(frame: &'a Frame, regularizer: Option<&'a Regularizer>, optimum: Option<&'a Optimum>) -> Self {
        Self { frame, regularizer, optimum, drift: Drift::default() }
    }

    /// All metrics of a state, in the order of [`COLUMNS`]:
    ///
    /// * `log_loss` = log 𝓛 and `q` = −log 𝓛; `margin` = min mᵢ; `parameter_norm` = ‖w‖;
    /// * `normalized_margin` = min mᵢ/‖w‖^L, `regularized_margin` = min mᵢ/R(β);
    /// * `certified_gap`, see [`certified_gap`]; `excess` = R(β)/min mᵢ over the oracle's optimum, minus one;
    /// * `angle` between β and the predicted direction, in radians;
    /// * sparsity of |β̂|, see [`Sparsity`]; drifts since the last observation, see [`Drift`];
    /// * `imbalance` = ‖conserved quantities‖/‖w‖² and `alignment` of neighbouring layers.
    pub fn measure(&mut self, state: &State) -> Observation {
        let log_loss = state.log_loss();
        let margin = min(state.margins);
        let size = norm(state.parameters);
        let (degree, beyond) = (state.network.degree(), state.beyond);
        let beta = self.frame.coordinates(state.predictor);
        let dual = self.frame.coordinates(state.dual);
        let value = self.regularizer.map_or(f64::NAN, |r| r.value(&beta));
        let gap = self.regularizer.and_then(|r| certified_gap(r, &beta, state.margins, &dual)).unwrap_or(f64::NAN);
        let excess = self.optimum.filter(|_| margin > 0.0).map_or(f64::NAN, |o| value / margin / o.value - 1.0);
        let angle = self.optimum.map_or(f64::NAN, |o| angle(&beta, &o.predictor));
        let spectrum = self.frame.spectrum(state.predictor);
        let bins = self.frame.dft().bins();
        let sparsity = Sparsity::of(bins, &spectrum);
        let (phase, gradient) = self.drift.since_last(bins, &spectrum, &dual);
        [
            log_loss,
            -log_loss,
            margin * beyond.exp(),
            size * (beyond / degree as f64).exp(),
            margin / size.powi(degree as i32),
            margin / value,
            gap,
            excess,
            angle,
            sparsity.ratio,
            sparsity.entropy,
            sparsity.participation,
            sparsity.threshold,
            phase,
            gradient,
            norm(&state.network.conserved(state.parameters)) / (size * size),
            state.network.alignment(state.parameters),
        ]
    }
}
