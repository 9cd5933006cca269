//! The log-time flow follows gradient flow: order of its steps, small-step gradient descent, what is conserved.

use crate::common::*;
use implicit_bias::data::generate::gaussian;
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::predicted::certified_gap;
use implicit_bias::linear::solver::{
    FlowOptions, Objective, Outcome, Schedule, State, StepRule, Stop, gradient_descent, log_time_flow,
};
use implicit_bias::linear::{Architecture, Task};
use implicit_bias::math::sums::{direction, max, slope};
use std::ops::ControlFlow;

/// Constant steps h, κ never capped on the way to 10⁸.
pub fn constant(step: f64) -> FlowOptions {
    FlowOptions { step, relative_step: 0.0, tolerance: f64::INFINITY, kappa_cap: 1e8 }
}

pub fn until(log10_q: f64) -> Stop {
    Stop { log10_q: Some(log10_q), max_steps: 1_000_000, ..Stop::default() }
}

pub fn log10_q(state: &State) -> f64 {
    state.log10_q()
}

/// A flow from w; `see` is called whenever log10 q has grown by `spacing`. The certified gap goes to the stop rule.
pub fn follow(
    task: &mut Task,
    w: &mut [f64],
    (loss, options, stop): (Loss, FlowOptions, Stop),
    spacing: f64,
    mut see: impl FnMut(&State),
) -> Outcome {
    let (regularizer, frame) = (task.regularizer().unwrap(), task.frame.clone());
    let objective = Objective { rows: &mut task.rows, network: &mut *task.network, loss };
    log_time_flow(objective, w, &options, &stop, Schedule::even(spacing), |state| {
        see(state);
        let at = |v| frame.coordinates(v);
        ControlFlow::Continue(certified_gap(&regularizer, &at(state.predictor), state.margins, &at(state.dual)))
    })
}

/// A path (log10 q, β/‖β‖), and its point at one loss by the cubic through the four nearest.
#[derive(Default)]
struct Trail(Vec<(f64, Vec<f64>)>);

impl Trail {
    fn see(&mut self, log_loss: f64, beta: &[f64]) {
        if log_loss < 0.0 {
            self.0.push(((-log_loss).log10(), direction(beta)));
        }
    }

    fn at(&self, level: f64) -> Vec<f64> {
        let after = self.0.iter().position(|p| p.0 > level).unwrap();
        let near = &self.0[(after - 2).min(self.0.len() - 4)..][..4];
        let mut point = vec![0.0; near[0].1.len()];
        for (j, (x, beta)) in near.iter().enumerate() {
            let others = near.iter().enumerate().filter(|(k, _)| *k != j);
            let weight: f64 = others.map(|(_, (other, _))| (level - other) / (x - other)).product();
            point.iter_mut().zip(beta).for_each(|(p, b)| *p += weight * b);
        }
        point
    }
}

/// Gradient flow by the classical Runge–Kutta method of order four, in the parameters at their true scale.
fn runge_kutta(task: &mut Task, w: &mut [f64], loss: Loss, end: f64) -> Trail {
    let Task { rows, network, .. } = task;
    let mut trail = Trail::default();
    while trail.0.last().is_none_or(|p| p.0 < end) {
        // w' = Jᵀ r at w + t k, the negative gradient over the sum of weights, and a step below its smallest time.
        let mut field = |k: &[f64], t: f64| {
            let moved: Vec<f64> = w.iter().zip(k).map(|(w, k)| w + t * k).collect();
            let (mut m, mut a) = (vec![0.0; rows.samples()], vec![0.0; rows.samples()]);
            let mut r = vec![0.0; rows.features()];
            rows.weigh(&predictor(&mut **network, &moved), loss.log_slope(), &mut m, &mut a, &mut r);
            let bound = network.curvature(&moved, &r).unwrap();
            (pullback(&mut **network, &moved, &r), 0.1 / (rows.largest_square() * bound.first + bound.second))
        };
        let (k1, t) = field(w, 0.0);
        let k2 = field(&k1, 0.5 * t).0;
        let k3 = field(&k2, 0.5 * t).0;
        let k4 = field(&k3, t).0;
        for (i, w) in w.iter_mut().enumerate() {
            *w += t / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
        let beta = predictor(&mut **network, w);
        trail.see(loss.log_loss(&margins(rows, &beta)), &beta);
    }
    trail
}

const KINDS: [(Architecture, usize, usize); 8] = [
    (Architecture::Convolutional, 2, 1),
    (Architecture::Convolutional, 3, 1),
    (Architecture::Diagonal, 2, 1),
    (Architecture::Diagonal, 4, 1),
    (Architecture::FullyConnected, 1, 1),
    (Architecture::FullyConnected, 2, 4),
    (Architecture::FullyConnected, 3, 4),
    (Architecture::SharedScale, 2, 3),
];

#[test]
fn the_error_is_of_first_order_in_the_step() {
    for ((architecture, depth, width), loss) in KINDS.into_iter().flat_map(|k| LOSSES.map(|l| (k, l))) {
        let data = gaussian(&[12], 5, None, 3).unwrap();
        let mut task = Task::new(&data, architecture, depth, width);
        let start = task.initial(0.5, 4);
        let exact = runge_kutta(&mut task, &mut start.clone(), loss, 1.55);
        let mut error = |h| {
            let mut trail = Trail::default();
            let see = |s: &State| trail.see(s.log_loss(), s.predictor);
            follow(&mut task, &mut start.clone(), (loss, constant(h), until(1.6)), 1e-9, see);
            max(&[0.7, 0.9, 1.1, 1.3, 1.5].map(|q| relative(&trail.at(q), &exact.at(q))))
        };
        // Every run starts with h ≤ 0.02, whatever is asked for.
        let steps = [0.02, 0.01, 0.005, 0.0025];
        let errors = steps.map(&mut error);
        let (order, coarse) = (slope(&steps.map(f64::ln), &errors.map(f64::ln)), error(0.1));
        let place = format!("{architecture:?} {depth} {loss:?}: errors {coarse} and {errors:?}, order {order}");
        assert!((order - 1.0).abs() < 0.1 && errors[3] < 1e-2, "{place}");
        assert!(coarse < 0.2 && (1.3..8.0).contains(&(coarse / errors[0])), "{place}");
    }
}

#[test]
fn small_steps_of_gradient_descent_go_the_same_way() {
    for (architecture, depth, width) in KINDS.into_iter().filter(|k| k.1 < 4) {
        let data = gaussian(&[16], 5, None, 6).unwrap();
        let mut task = Task::new(&data, architecture, depth, width);
        let (start, loss) = (task.initial(0.3, 7), Loss::Exponential);
        let mut exact = Trail::default();
        let rule = StepRule::Smooth { eta: f64::INFINITY, safety: 0.1 };
        let stop = Stop { max_steps: 10_000_000, ..until(3.02) };
        let objective = Objective { rows: &mut task.rows, network: &mut *task.network, loss };
        gradient_descent(objective, &mut start.clone(), rule, &stop, Schedule::log_spaced(1000), |s| {
            exact.see(s.log_loss(), s.predictor);
            ControlFlow::Continue(None)
        });
        let regularizer = task.regularizer().unwrap();
        for (name, options, early, late) in
            [("default", FlowOptions::default(), 0.05, 0.02), ("fine", constant(0.005), 5e-3, 5e-3)]
        {
            let mut trail = Trail::default();
            let see = |s: &State| trail.see(s.log_loss(), s.predictor);
            follow(&mut task, &mut start.clone(), (loss, options, until(3.2)), 1e-9, see);
            for q in [0.7, 1.0, 1.5, 2.0, 2.5, 3.0] {
                let (flow, descent) = (trail.at(q), exact.at(q));
                let off = relative(&flow, &descent);
                let allowed = if q < 2.0 { early } else { late };
                assert!(off < allowed, "{architecture:?} {depth}, {name} steps, q = 10^{q}: off by {off:.1e}");
                // Every modulus above 1e-4 of ‖β‖, the decaying ones included.
                let [now, wanted] = [&flow, &descent].map(|b| regularizer.group_norms(b));
                let ratios = now.iter().zip(&wanted).filter(|(_, w)| **w > 1e-4).map(|(n, w)| (n / w).ln().abs());
                let worst = ratios.fold(0.0, f64::max);
                assert!(name == "default" || worst < 0.06, "{architecture:?} {depth}, q = 10^{q}: moduli {worst:.1e}");
            }
        }
    }
}

#[test]
fn the_flow_conserves_what_gradient_flow_does() {
    for (architecture, depth, width) in KINDS.into_iter().filter(|k| k.1 > 1) {
        let data = gaussian(&[16], 5, None, 6).unwrap();
        let mut task = Task::new(&data, architecture, depth, width);
        let (start, bins) = (task.initial(0.5, 7), task.network.two_layer_bins());
        let before = task.network.conserved(&start);
        let steps = [0.02, 0.01, 0.005, 0.0025];
        let drifts = steps.map(|h| {
            let (mut drift, mut grown) = (0.0_f64, 0.0_f64);
            let see = |s: &State| {
                let square = dot(s.parameters, s.parameters);
                let after = s.network.conserved(s.parameters);
                let change: Vec<f64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
                if let Some(bins) = bins {
                    // |û|² − |v̂|² of every bin, against |û|² + |v̂|²; also the smallest bins keep theirs.
                    let (u, v) = s.parameters.split_at(bins.features());
                    let size = |b| bins.value(u, b).norm_sqr() + bins.value(v, b).norm_sqr();
                    drift = change.iter().enumerate().map(|(b, c)| c.abs() / size(b)).fold(drift, f64::max);
                } else {
                    drift = drift.max(norm(&change) / square);
                }
                grown = grown.max(square / dot(&start, &start));
            };
            let end = follow(&mut task, &mut start.clone(), (Loss::Exponential, constant(h), until(5.0)), 1e-9, see);
            assert!(end.steps > 100 && grown > 100.0, "{architecture:?} {depth}: {end:?}, grown {grown} times");
            drift
        });
        let place = format!("{architecture:?} {depth}: drifts {drifts:?}");
        if bins.is_some() {
            // Exact steps: rounding, and as much again for each of some thousand steps.
            assert!(max(&drifts) < 1e-12, "{place}");
        } else {
            let order = slope(&steps.map(f64::ln), &drifts.map(f64::ln));
            assert!((order - 1.0).abs() < 0.05 && drifts[0] < 1e-2, "{place}, order {order}");
        }
    }
}
