//! What is fitted, checked.

use super::{Architecture, Loss, Start};
use crate::error::{InputError, Result, between};
use crate::linear::solver::{FlowOptions, Stop};

/// The most samples of the log-time flow, whose Gram matrix then takes half a GiB.
const FLOW_SAMPLES: usize = 1 << 13;

/// How the network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Gradient flow in logarithmic time.
    LogTimeFlow,
    /// w ← w − η ∇𝓛(w).
    GradientDescent,
    /// The same with η/𝓛' for η.
    NormalizedGradientDescent,
}

/// What is fitted, and until when. `None` is a default that depends on the method, see the fields.
#[derive(Debug, Clone)]
pub struct FitSpec {
    /// Which network.
    pub architecture: Architecture,
    /// Layers L, 1 … 16.
    pub depth: usize,
    /// Hidden width of a fully connected network.
    pub width: usize,
    /// The loss, summed over samples.
    pub loss: Loss,
    /// How it is trained.
    pub method: Method,
    /// Gradient descent: η (default: the largest that local smoothness allows at every step). Normalised: η (default
    /// 1/max‖xᵢ‖²). Log-time flow: the largest growth of a parameter over a step (default 0.4/L, at most 0.2).
    pub step: Option<f64>,
    /// The most steps.
    pub max_steps: u64,
    /// Certified gap to stop at, 0 for no such rule (default 1e-6 for the flow, none for gradient descent).
    pub until_gap: Option<f64>,
    /// Loss exp(−10^…) to stop at (default for the flow 150, or 10,000 when a gap is asked for; none for gradient descent).
    pub until_log10_q: Option<f64>,
    /// Where it starts.
    pub start: Start,
    /// Whether the predicted optimum is computed, too, for the columns `excess` and `angle` of the trace.
    pub oracle: bool,
}

impl Default for FitSpec {
    /// The ℓ₂ max-margin predictor by the log-time flow on a fully connected network of depth 2.
    fn default() -> Self {
        Self {
            architecture: Architecture::FullyConnected,
            depth: 2,
            width: 16,
            loss: Loss::Exponential,
            method: Method::LogTimeFlow,
            step: None,
            max_steps: 100_000,
            until_gap: None,
            until_log10_q: None,
            start: Start::Gaussian { scale: 0.1, seed: 0 },
            oracle: false,
        }
    }
}

impl FitSpec {
    pub(super) fn check(&self) -> Result<()> {
        let flow = self.method == Method::LogTimeFlow;
        between("depth", self.depth as f64, 0.0, 16.0)?;
        between("width", self.width as f64, 0.0, 4096.0)?;
        between("step", self.step.unwrap_or(1.0), 0.0, if flow { 10.0 } else { 1e12 })?;
        between("max-steps", self.max_steps as f64, 0.0, 1e12)?;
        between("until-log10-q", self.until_log10_q.unwrap_or(0.0), -300.0, if flow { 1e6 } else { 300.0 })?;
        if let Some(gap) = self.until_gap.filter(|g| !(0.0..=1e6).contains(g)) {
            let remedy = "A gap of 1e-6 is a relative error of one in a million.";
            return Err(InputError::value("until-gap", gap, "0 (no such rule) or at most 1000000", remedy));
        }
        Ok(())
    }

    /// The flow solves a dense problem over the samples; gradient descent takes any number.
    pub(super) fn check_samples(&self, samples: usize) -> Result<()> {
        if self.method == Method::LogTimeFlow && samples > FLOW_SAMPLES {
            let remedy = "Its Gram matrix grows with the square of their number: choose \
                          --solver normalized-gradient-descent, or fit a part of the samples.";
            let allowed = format!("at most {FLOW_SAMPLES} for --solver log-time-flow");
            return Err(InputError::value("the number of samples", samples, &allowed, remedy));
        }
        Ok(())
    }

    /// The stop rules. Where no gap can be certified, the flow stops at a stationary point, unless told how far to go.
    pub(super) fn stop(&self, convex: bool) -> Stop {
        let flow = self.method == Method::LogTimeFlow;
        // Who asks for a gap is not stopped short of it.
        let far = if self.until_gap.is_some_and(|g| g > 0.0) { 10_000.0 } else { 150.0 };
        Stop {
            max_steps: self.max_steps,
            log10_q: self.until_log10_q.or(flow.then_some(far)),
            certified_gap: self.until_gap.or(flow.then_some(1e-6)).filter(|g| *g > 0.0),
            residual: (flow && !convex && self.until_log10_q.is_none()).then_some(1e-9),
            time_budget: None,
        }
    }

    /// A network of depth L multiplies L factors: what is fine for two is cut to as fine a growth of β.
    pub(super) fn flow_options(&self) -> FlowOptions {
        let (limit, depth) = (FlowOptions::LIMIT, self.depth as f64);
        // R(P(θ)) ≤ L^(−L/2) for ‖θ‖ = 1, with equality in balance: so κ is as sharp at any depth.
        let kappa_cap = limit.kappa_cap * (0.5 * depth.powf(depth / 2.0)).max(1.0);
        let step = self.step.unwrap_or(limit.step * (2.0 / depth).min(1.0));
        let relative_step = if self.step.is_none() { limit.relative_step } else { 0.0 };
        FlowOptions { step, relative_step, kappa_cap, ..limit }
    }
}
