use super::{Outcome, Schedule, State, Status, StepRule, Stop};
use crate::linear::loss::Loss;
use crate::linear::network::Network;
use crate::math::rows::{Rows, add_scaled};
use std::ops::ControlFlow;
use std::time::Instant;

/// What is minimised: 𝓛(w) = Σ ℓ(⟨zᵢ, P(w)⟩), with rows zᵢ = yᵢ xᵢ in the network's coordinates.
pub struct Objective<'a> {
    /// The rows zᵢ.
    pub rows: &'a mut Rows,
    /// P and its pullback.
    pub network: &'a mut dyn Network,
    /// ℓ.
    pub loss: Loss,
}

/// Gradient descent w ← w − η_t ∇𝓛(w).
///
/// `w` is the start and ends as the last iterate. `observe` is called on the schedule and on the last state; it returns the
/// certified gap, if it has one, for the stop rule, and may break off the run.
pub fn gradient_descent(
    objective: Objective,
    w: &mut [f64],
    rule: StepRule,
    stop: &Stop,
    mut schedule: Schedule,
    mut observe: impl FnMut(&State) -> ControlFlow<(), Option<f64>>,
) -> Outcome {
    let Objective { rows, network, loss } = objective;
    let (n, d) = (rows.samples(), rows.features());
    let (mut beta, mut dual, mut gradient) = (vec![0.0; d], vec![0.0; d], vec![0.0; w.len()]);
    let (mut margins, mut log_weights) = (vec![0.0; n], vec![0.0; n]);
    let (started, mut step, mut first_slope) = (Instant::now(), 0, f64::NAN);
    loop {
        // β = P(w), then the margins, the sample weights p and r = Σ pᵢ zᵢ in one pass over the data.
        network.predictor(w, &mut beta);
        let log_slope = rows.weigh(&beta, loss.log_slope(), &mut margins, &mut log_weights, &mut dual);
        // −∇𝓛/𝓛' = J_P(w)ᵀ r.
        network.pullback(w, &dual, &mut gradient);
        let factor = rule.factor(step, log_slope, rows.largest_square(), w, &dual, network);

        if step == 0 {
            first_slope = log_slope;
        }
        let mut ended = if !log_slope.is_finite() || !factor.is_finite() || log_slope > first_slope + 700.0 {
            Some(Status::Diverged)
        } else if stop.log10_q.is_some_and(|e| -log_slope >= 10f64.powf(e)) {
            Some(Status::Converged)
        } else if step >= stop.max_steps {
            Some(Status::MaxSteps)
        } else if step % 1024 == 1023 && stop.time_budget.is_some_and(|b| started.elapsed() >= b) {
            Some(Status::TimeBudget)
        } else if factor == 0.0 || step % 1024 == 1023 && unchanged(w, factor, &gradient) {
            Some(Status::Stalled)
        } else {
            None
        };
        if schedule.due(step as f64) || ended.is_some() {
            let (margins, log_weights) = (&margins, &log_weights);
            let state = State {
                step,
                parameters: w,
                predictor: &beta,
                margins,
                log_weights,
                dual: &dual,
                loss,
                network,
                beyond: 0.0,
            };
            match observe(&state) {
                ControlFlow::Break(()) => ended = ended.or(Some(Status::Interrupted)),
                ControlFlow::Continue(Some(gap)) if stop.certified_gap.is_some_and(|g| gap <= g) => {
                    ended = ended.or(Some(Status::Converged))
                }
                ControlFlow::Continue(_) => {}
            }
        }
        if let Some(status) = ended {
            return Outcome::new(status, step);
        }
        add_scaled(w, factor, &gradient);
        step += 1;
    }
}

fn unchanged(w: &[f64], factor: f64, gradient: &[f64]) -> bool {
    w.iter().zip(gradient).all(|(w, g)| w + factor * g == *w)
}
