use super::path::{ParameterPath, Path, TwoLayerPath};
use super::{Objective, Outcome, Schedule, State, Status, Stop};
use crate::linear::loss::Loss;
use crate::math::gram::Gram;
use crate::math::rows::{Rows, add_scaled};
use crate::math::simplex::EntropicSimplex;
use crate::math::sums::{log_sum_exp, min};
use std::ops::ControlFlow;
use std::time::Instant;

/// Weights below exp(−60) of the largest are left out of a step.
const SCREEN: f64 = 60.0;
const SMALLEST_STEP: f64 = 1e-4;
/// The largest log ρ^L at which states are shown.
const LARGEST_SHOWN: f64 = 700.0;

/// How finely the flow is followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowOptions {
    /// The largest step h: relative growth of the fastest coordinate. Where a step has no closed form 0.2 at most.
    pub step: f64,
    /// Where a step has one (two-layer bin-wise products), h may grow to this times log q if that is more: the gap falls like
    /// 1/log q, and steps even in log log q take it down at an even pace. 0 keeps every decade of q equally fine.
    pub relative_step: f64,
    /// The largest change of the driving dual vector over a step, in units of that growth; infinity for a constant step.
    pub tolerance: f64,
    /// κ = ρ^L is capped here in the sample weights: margins of the limit are perturbed by at most log N/κ.
    pub kappa_cap: f64,
}

impl FlowOptions {
    /// To the limit in few steps, when the way there need not be followed closely.
    pub const LIMIT: Self = Self { step: 0.2, relative_step: 0.05, tolerance: 0.02, kappa_cap: 1e8 };
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self { step: 0.2, relative_step: 0.0, tolerance: 0.01, kappa_cap: 1e8 }
    }
}

/// Gradient flow on 𝓛(w) = Σ ℓ(mᵢ(w)) in logarithmic time, to losses of exp(−10³⁰⁰) and far beyond.
///
/// With w = ρθ, ‖θ‖ = 1, κ = ρ^L and time rescaled by the loss the flow is θ' ∝ Σ pᵢ ∇mᵢ(θ) − (…)θ, p = softmax(−κ m(θ)): stiff in p
/// alone. A step is implicit in p (an entropic problem over the simplex, linear in the change of p) and explicit in θ, or exact
/// where a network has a closed form; the limit is a KKT point of min ‖w‖² s.t. mᵢ(w) ≥ 1 at any step size. The logistic loss differs by a factor
/// 1/(1 + e^(−m)) of the weights, taken at the start of the step; in the tail it is one.
pub fn log_time_flow(
    objective: Objective,
    w: &mut [f64],
    options: &FlowOptions,
    stop: &Stop,
    mut schedule: Schedule,
    mut observe: impl FnMut(&State) -> ControlFlow<(), Option<f64>>,
) -> Outcome {
    let Objective { rows, network, loss } = objective;
    let (mut two_layer, mut general);
    let path: &mut dyn Path = if let Some(bins) = network.two_layer_bins() {
        two_layer = TwoLayerPath::new(network, bins, w);
        &mut two_layer
    } else {
        general = ParameterPath::new(network, w);
        &mut general
    };
    let mut flow = Flow::new(rows, loss, *options, path);
    let (started, mut step) = (Instant::now(), 0);
    loop {
        let log10_q = flow.log10_q(path);
        let mut ended = if flow.margins.iter().any(|m| !m.is_finite()) {
            Some(Status::Diverged)
        } else if stop.log10_q.is_some_and(|e| log10_q >= e) || stop.residual.is_some_and(|r| path.residual() <= r) {
            Some(Status::Converged)
        } else if path.rate(&flow.dual) <= f64::MIN_POSITIVE {
            // r = 0: no direction improves every margin.
            Some(Status::Stalled)
        } else if step >= stop.max_steps {
            Some(Status::MaxSteps)
        } else if stop.time_budget.is_some_and(|b| started.elapsed() >= b) {
            Some(Status::TimeBudget)
        } else {
            None
        };
        if schedule.due(log10_q) || ended.is_some() {
            path.parameters(shown(path), w);
            match observe(&flow.state(path, step, w)) {
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
        if let Some(end) = stop.log10_q {
            // q grows by at most e^(2h): a long step does not pass the end by far.
            flow.h = flow.h.min(options.step.max(0.5 * (end - log10_q) * std::f64::consts::LN_10));
        }
        flow.step(path);
        step += 1;
    }
}

/// log ρ^L at which a state is shown.
fn shown(path: &dyn Path) -> f64 {
    path.log_scale().min(LARGEST_SHOWN)
}

/// The data side of the flow: margins, weights, dual vector, and the step size.
struct Flow<'a> {
    rows: &'a Rows,
    loss: Loss,
    options: FlowOptions,
    h: f64,
    /// Δ times the change of r over the last step.
    turned: f64,
    /// P(θ) and mᵢ(θ).
    beta: Vec<f64>,
    margins: Vec<f64>,
    /// log pᵢ of the last step, and r = Σ pᵢ zᵢ.
    log_p: Vec<f64>,
    dual: Vec<f64>,
    trial: Vec<f64>,
    ahead: Vec<f64>,
    active: Vec<usize>,
    local: [Vec<f64>; 2],
    gram: Gram,
    simplex: EntropicSimplex,
    /// β, mᵢ and log |ℓ'(mᵢ)| at the true scale, for observers.
    shown: [Vec<f64>; 3],
}

impl<'a> Flow<'a> {
    fn new(rows: &'a Rows, loss: Loss, options: FlowOptions, path: &mut dyn Path) -> Self {
        let (n, d) = (rows.samples(), rows.features());
        let mut flow = Self {
            rows,
            loss,
            options,
            h: options.step.min(0.02),
            turned: options.tolerance,
            beta: vec![0.0; d],
            margins: vec![0.0; n],
            log_p: vec![0.0; n],
            dual: vec![0.0; d],
            trial: vec![0.0; d],
            ahead: vec![0.0; n],
            active: vec![],
            local: [vec![], vec![]],
            gram: Gram::default(),
            simplex: EntropicSimplex::default(),
            shown: [vec![0.0; d], vec![0.0; n], vec![0.0; n]],
        };
        flow.look(path);
        // The first weights are explicit: those of the loss at the start.
        let scale = path.log_scale().exp();
        let slope = loss.log_slope();
        flow.log_p = flow.margins.iter().map(|m| slope(scale * m)).collect();
        let total = log_sum_exp(flow.log_p.iter().copied());
        flow.log_p.iter_mut().for_each(|l| *l -= total);
        let p: Vec<f64> = flow.log_p.iter().map(|l| l.exp()).collect();
        rows.combine(&p, &mut flow.dual);
        flow
    }

    fn look(&mut self, path: &mut dyn Path) {
        path.predictor(&mut self.beta);
        self.rows.times(&self.beta, &mut self.margins);
    }

    /// log10 q with q = log(1/loss); −∞ while the loss is above one.
    fn log10_q(&self, path: &dyn Path) -> f64 {
        let margin = min(&self.margins);
        if path.log_scale() > 30.0 && margin > 0.0 {
            return (path.log_scale() + margin.ln()) / std::f64::consts::LN_10;
        }
        let scale = path.log_scale().exp();
        let q = -log_sum_exp(self.margins.iter().map(|m| self.loss.log_value(scale * m)));
        if q > 0.0 { q.log10() } else { f64::NEG_INFINITY }
    }

    fn step(&mut self, path: &mut dyn Path) {
        let slope = self.loss.log_slope();
        self.active.clear();
        let taken = loop {
            let delta = self.h / path.rate(&self.dual);
            // Margins grow by e^(2h) over the step.
            let kappa = path.log_scale().exp().min(self.options.kappa_cap * (-2.0 * self.h).exp());
            // To first order about the step under the last r the margins at the end are m' + Δ A (p − p'). The logistic
            // loss adds log(1 + e^(−m)) at the start of the step.
            path.ahead(&self.dual, delta, &mut self.beta);
            self.rows.times(&self.beta, &mut self.ahead);
            let expected = self.ahead.clone();
            self.grow_active(SCREEN / kappa + 2.0 * self.turned * min(&expected));
            loop {
                path.gram(self.rows, &self.active, &self.dual, delta, &mut self.gram);
                let [m, log_p] = &mut self.local;
                *log_p = self.active.iter().map(|&i| self.log_p[i].max(-10.0 * SCREEN)).collect();
                let p: Vec<f64> = log_p.iter().map(|l| l.exp()).collect();
                m.resize(p.len(), 0.0);
                self.gram.times(&p, m);
                for (m, &i) in m.iter_mut().zip(&self.active) {
                    *m = expected[i] - delta * *m;
                    if self.loss == Loss::Logistic {
                        *m -= slope(kappa * self.margins[i]) / kappa + self.margins[i];
                    }
                }
                self.simplex.solve(m, &self.gram, delta, kappa, log_p);
                self.trial.fill(0.0);
                for (&i, l) in self.active.iter().zip(log_p.iter()).filter(|(_, l)| **l > -SCREEN) {
                    add_scaled(&mut self.trial, l.exp(), self.rows.row(i));
                }
                path.ahead(&self.trial, delta, &mut self.beta);
                self.rows.times(&self.beta, &mut self.ahead);
                if !self.grow_active(0.5 * SCREEN / kappa) {
                    break;
                }
            }
            // How much the driving vector turned over the step, in units of the growth it causes.
            self.dual.iter_mut().zip(&self.trial).for_each(|(old, new)| *old = new - *old);
            self.turned = delta * path.rate(&self.dual);
            self.dual.iter_mut().zip(&self.trial).for_each(|(change, new)| *change = new - *change);
            let ratio = self.options.tolerance / self.turned.max(f64::MIN_POSITIVE);
            if ratio < 0.5 && self.h > SMALLEST_STEP {
                self.h = (self.h * ratio.max(0.2)).max(SMALLEST_STEP);
                continue;
            }
            self.dual.copy_from_slice(&self.trial);
            let relative = self.options.relative_step * path.log_scale();
            let largest = self.options.step.max(relative).min(path.largest_step());
            self.h = (self.h * ratio.sqrt().clamp(0.5, 1.3)).max(SMALLEST_STEP).min(largest);
            break path.advance(&self.dual, delta);
        };
        self.log_p.fill(f64::NEG_INFINITY);
        for (&i, l) in self.active.iter().zip(&self.local[1]) {
            self.log_p[i] = *l;
        }
        path.predictor(&mut self.beta);
        self.margins.iter_mut().zip(&self.ahead).for_each(|(m, a)| *m = a / taken);
    }

    /// Adds the samples whose margins at the end of the step are within `reach` of the smallest: they alone carry weight.
    /// Returns whether any was added.
    fn grow_active(&mut self, reach: f64) -> bool {
        let lowest = min(&self.ahead);
        let before = self.active.len();
        let listed = &self.active;
        let more: Vec<usize> = (0..self.ahead.len())
            .filter(|&i| {
                (self.ahead[i] <= lowest + reach || self.log_p[i] > -SCREEN) && listed.binary_search(&i).is_err()
            })
            .collect();
        self.active.extend(more);
        self.active.sort_unstable();
        self.active.len() > before
    }

    fn state<'b>(&'b mut self, path: &'b dyn Path, step: u64, w: &'b [f64]) -> State<'b> {
        let scale = shown(path).exp();
        let slope = self.loss.log_slope();
        let [beta, margins, log_weights] = &mut self.shown;
        beta.iter_mut().zip(&self.beta).for_each(|(s, b)| *s = scale * b);
        margins.iter_mut().zip(&self.margins).for_each(|(s, m)| *s = scale * m);
        log_weights.iter_mut().zip(&self.log_p).for_each(|(s, l)| *s = *l);
        if step == 0 {
            log_weights.iter_mut().zip(margins.iter()).for_each(|(s, m)| *s = slope(*m));
        }
        State {
            step,
            parameters: w,
            predictor: beta,
            margins,
            log_weights,
            dual: &self.dual,
            loss: self.loss,
            network: path.network(),
            beyond: path.log_scale() - shown(path),
        }
    }
}
