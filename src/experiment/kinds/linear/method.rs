//! The method of a run: which solver, with which numbers, until when.

use super::LinearConfig;
use crate::error::{Result, between};
use crate::linear::solver::{
    FlowOptions, Objective, Outcome, Schedule, State, StepRule, Stop, gradient_descent, log_time_flow,
};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::time::Duration;

/// Which method.
#[allow(clippy::enum_variant_names, reason = "the field's names")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SolverConfig {
    /// Constant step.
    GradientDescent {
        /// η.
        eta: f64,
    },
    /// Step bounded by local smoothness.
    SmoothGradientDescent {
        /// The largest step; default none.
        eta: Option<f64>,
        /// Fraction of the bound's 1/β.
        safety: f64,
    },
    /// Loss-normalised step.
    NormalizedGradientDescent {
        /// η.
        eta: f64,
        /// Exponent of the decay in t.
        #[serde(default)]
        decay: f64,
    },
    /// Gradient flow in logarithmic time.
    LogTimeFlow {
        /// The largest step h.
        #[serde(default = "default_flow_step")]
        step: f64,
        /// The largest change of the driving vector over a step.
        #[serde(default = "default_flow_tolerance")]
        tolerance: f64,
        /// Cap of κ in the sample weights.
        #[serde(default = "default_kappa_cap")]
        kappa_cap: f64,
    },
}

fn default_flow_step() -> f64 {
    FlowOptions::default().step
}

fn default_flow_tolerance() -> f64 {
    FlowOptions::default().tolerance
}

fn default_kappa_cap() -> f64 {
    FlowOptions::default().kappa_cap
}

/// When to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopConfig {
    /// The most steps.
    pub max_steps: u64,
    /// Stop at loss exp(−10^…).
    pub log10_q: Option<f64>,
    /// Stop at this certified gap.
    pub certified_gap: Option<f64>,
    /// Stop at this stationarity residual in parameter space (log-time flow only).
    pub residual: Option<f64>,
    /// Time budget; runs that meet it are not reproducible to the step.
    pub seconds: Option<f64>,
}

impl LinearConfig {
    pub(super) fn check_method(&self) -> Result<()> {
        let optional = |field: &str, v: Option<f64>, low, high| v.map_or(Ok(()), |v| between(field, v, low, high));
        between("run.stop.max_steps", self.stop.max_steps as f64, 0.0, 1e12)?;
        optional("run.stop.log10_q", self.stop.log10_q, -300.0, 300.0)?;
        optional("run.stop.certified_gap", self.stop.certified_gap, 0.0, 1e6)?;
        optional("run.stop.residual", self.stop.residual, 0.0, 1.0)?;
        optional("run.stop.seconds", self.stop.seconds, 0.0, 1e9)?;
        match self.solver {
            SolverConfig::GradientDescent { eta } => between("run.solver.eta", eta, 0.0, 1e12),
            SolverConfig::SmoothGradientDescent { eta, safety } => {
                optional("run.solver.eta", eta, 0.0, 1e300)?;
                between("run.solver.safety", safety, 0.0, 1e6)
            }
            SolverConfig::NormalizedGradientDescent { eta, decay } => {
                between("run.solver.eta", eta, 0.0, 1e12)?;
                between("run.solver.decay", decay + 1e-300, 0.0, 1.0)
            }
            SolverConfig::LogTimeFlow { step, tolerance, kappa_cap } => {
                between("run.solver.step", step, 0.0, 10.0)?;
                between("run.solver.tolerance", tolerance, 0.0, f64::INFINITY)?;
                between("run.solver.kappa_cap", kappa_cap, 1.0, 1e12)
            }
        }
    }

    /// Runs the configured method from `w` (see [`gradient_descent`] and [`log_time_flow`]).
    pub fn solve(
        &self,
        objective: Objective,
        w: &mut [f64],
        observe: impl FnMut(&State) -> ControlFlow<(), Option<f64>>,
    ) -> Outcome {
        let per_decade = self.observe.per_decade;
        let steps = Schedule::log_spaced(per_decade);
        let rule = match self.solver {
            SolverConfig::GradientDescent { eta } => StepRule::Constant { eta },
            SolverConfig::SmoothGradientDescent { eta, safety } => {
                StepRule::Smooth { eta: eta.unwrap_or(f64::INFINITY), safety }
            }
            SolverConfig::NormalizedGradientDescent { eta, decay } => StepRule::Normalized { eta, decay },
            SolverConfig::LogTimeFlow { step, tolerance, kappa_cap } => {
                let options = FlowOptions { step, tolerance, kappa_cap, ..FlowOptions::default() };
                let decades = Schedule::even(1.0 / per_decade as f64);
                return log_time_flow(objective, w, &options, &self.stop(), decades, observe);
            }
        };
        gradient_descent(objective, w, rule, &self.stop(), steps, observe)
    }

    /// The stop rules.
    pub fn stop(&self) -> Stop {
        let StopConfig { max_steps, log10_q, certified_gap, residual, seconds } = self.stop;
        Stop { max_steps, log10_q, certified_gap, residual, time_budget: seconds.map(Duration::from_secs_f64) }
    }
}
