//! Solvers against theorems on their rates, and every way a run can end.

use crate::common::*;
use implicit_bias::data::generate::gaussian;
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::network::{FullyConnected, Network};
use implicit_bias::linear::predicted::{Regularizer, certified_gap, minimum_norm};
use implicit_bias::linear::solver::{Objective, Outcome, Schedule, State, Status, StepRule, Stop, gradient_descent};
use implicit_bias::math::random::Stream;
use implicit_bias::math::rows::Rows;
use implicit_bias::math::sums::{angle, min, slope};
use std::ops::ControlFlow;
use std::time::Duration;

/// Separable rows, the largest of norm one, and their ℓ2 max margin γ with its predictor at margin one.
fn unit_problem(features: usize, samples: usize, seed: u64) -> (Rows, f64, Vec<f64>) {
    let z = gaussian(&[features], samples, None, seed).unwrap().signed_rows();
    let largest = z.chunks(features).map(norm).fold(0.0, f64::max);
    let rows = Rows::new(z.iter().map(|v| v / largest).collect(), features);
    let optimum = minimum_norm(&rows, &Regularizer::l2(features)).unwrap();
    (rows, 1.0 / optimum.value, optimum.predictor)
}

#[test]
fn normalized_steps_meet_ji_and_telgarskys_bound() {
    // Ji & Telgarsky 2021, theorem 7: exponential loss, w₀ = 0, ‖x‖ ≤ 1, η̂ ≤ 1 and nonincreasing.
    let mut tight: f64 = 0.0;
    for (features, samples, seed) in [(6, 4, 1), (30, 12, 2), (20, 19, 3), (50, 40, 4)] {
        let (mut rows, gamma, _) = unit_problem(features, samples, seed);
        for (eta, decay) in [(1.0, 0.0), (0.5, 0.0), (1.0, 0.5), (1.0, 1.0)] {
            let mut network = FullyConnected::new(features, 1, 1);
            let (mut w, mut total, mut next, mut seen) = (vec![0.0; features], 0.0, 0, 0);
            let rule = StepRule::Normalized { eta, decay };
            descend((&mut rows, &mut network, Loss::Exponential), &mut w, rule, 20_000, |state| {
                while next < state.step {
                    next += 1;
                    total += eta / (next as f64).powf(decay);
                }
                if state.step > 0 {
                    let margin = min(state.margins) / norm(state.predictor);
                    let bound = gamma - ((samples as f64).ln() + 1.0) / (gamma * total);
                    let place = format!("D = {features}, η = {eta}, decay {decay}, step {}", state.step);
                    assert!(margin >= bound - 1e-12, "{place}: margin {margin} below the bound {bound}");
                    assert!(margin <= gamma * (1.0 + 1e-9), "{place}: margin {margin} above the largest, {gamma}");
                    tight = tight.max(bound / gamma);
                    seen += 1;
                }
            });
            assert!(seen > 400);
        }
    }
    assert!(tight > 0.9, "the bound says little: {tight} of the margin at most");
}

#[test]
fn constant_steps_grow_like_the_logarithm_of_time() {
    // Soudry et al. 2018, theorem 3: w(t) = ŵ log t + O(1), ŵ the SVM at margin one; the loss decays like 1/t.
    for (loss, seed) in [(Loss::Exponential, 1), (Loss::Logistic, 2)] {
        let (mut rows, gamma, svm) = unit_problem(12, 5, seed);
        let mut network = FullyConnected::new(12, 1, 1);
        let (mut w, mut log_t, mut size, mut log_loss) = (vec![0.0; 12], vec![], vec![], vec![]);
        descend((&mut rows, &mut network, loss), &mut w, StepRule::Constant { eta: 1.0 }, 200_000, |state| {
            if state.step >= 20_000 {
                log_t.push((state.step as f64).ln());
                size.push(norm(state.parameters));
                log_loss.push(state.log_loss());
            }
        });
        assert!(log_t.len() > 100);
        let growth = slope(&log_t, &size) * gamma;
        assert!((growth - 1.0).abs() < 0.02, "{loss:?}: ‖w‖ grows {growth} times as fast as ‖ŵ‖ log t");
        assert!((slope(&log_t, &log_loss) + 1.0).abs() < 0.02, "{loss:?}: loss ~ t^{}", slope(&log_t, &log_loss));
        assert!(angle(&w, &svm) < 0.2, "{loss:?}: angle {}", angle(&w, &svm));
    }
}

#[test]
fn smooth_steps_never_increase_the_loss() {
    let mut stream = Stream::new(3, &["smooth"]);
    for mut case in cases() {
        let (name, network) = (&case.name, &mut *case.network);
        for (loss, eta) in LOSSES.into_iter().flat_map(|l| [(l, f64::INFINITY), (l, 0.1)]) {
            let mut rows = gaussian_rows(3, network.features(), &mut stream);
            let mut w = parameters(network, 0.5, &mut stream);
            let (mut losses, rule) = (vec![], StepRule::Smooth { eta, safety: 1.0 });
            let end = descend((&mut rows, network, loss), &mut w, rule, 300, |s| losses.push(s.log_loss()));
            assert!(losses.len() == 301 && end.status == Status::MaxSteps, "{name} {loss:?}: {end:?}");
            let up = losses.windows(2).position(|l| l[1] > l[0] + 1e-12 * (1.0 + l[0].abs()));
            assert!(up.is_none() && losses[300] < losses[0], "{name} {loss:?} η = {eta}: up at step {up:?}");
        }
    }
}

#[test]
fn steps_that_are_too_large_end_with_a_status() {
    let (mut stream, mut ended) = (Stream::new(4, &["large"]), 0);
    for mut case in cases() {
        let (name, network) = (&case.name, &mut *case.network);
        for (loss, eta) in LOSSES.into_iter().flat_map(|l| [1e2, 1e6, 1e12, 1e300].map(|eta| (l, eta))) {
            let mut rows = gaussian_rows(3, network.features(), &mut stream);
            let mut w = parameters(network, 1.0, &mut stream);
            let rule = StepRule::Constant { eta };
            let end = descend((&mut rows, network, loss), &mut w, rule, 5000, |_| {});
            let place = format!("{name} {loss:?} η = {eta:e}: {end:?}");
            assert!(!end.reason.is_empty() && end.steps <= 5000, "{place}");
            let finite = w.iter().all(|w| w.is_finite());
            match end.status {
                Status::Diverged => assert!(end.reason.contains("smaller step"), "{place}"),
                Status::Stalled => assert!(finite && end.reason.contains("loss-normalised"), "{place}"),
                Status::MaxSteps => assert!(finite && end.steps == 5000 && loss == Loss::Logistic, "{place}"),
                _ => panic!("{place}"),
            }
            ended += usize::from(end.status != Status::MaxSteps);
        }
    }
    assert!(ended > 200, "only {ended} runs diverged or stalled");
}

/// A small separable run with these stop rules; `see` is the observer.
fn run(stop: Stop, per_decade: usize, see: impl FnMut(&State) -> ControlFlow<(), Option<f64>>) -> Outcome {
    let (mut rows, _, _) = unit_problem(8, 4, 9);
    let mut network = FullyConnected::new(8, 2, 3);
    let mut w = parameters(&network, 0.3, &mut Stream::new(5, &["run"]));
    let objective = Objective { rows: &mut rows, network: &mut network, loss: Loss::Exponential };
    let rule = StepRule::Smooth { eta: f64::INFINITY, safety: 1.0 };
    gradient_descent(objective, &mut w, rule, &stop, Schedule::log_spaced(per_decade), see)
}

#[test]
fn max_steps_are_taken_exactly_and_the_last_is_observed() {
    for max_steps in [0, 1, 2, 99, 1023, 1024, 2500] {
        for per_decade in [1, 7, 10_000] {
            let mut seen = vec![];
            let end = run(steps_only(max_steps), per_decade, |state| {
                seen.push(state.step);
                ControlFlow::Continue(None)
            });
            assert_eq!((end.status, end.steps), (Status::MaxSteps, max_steps));
            assert_eq!((seen[0], *seen.last().unwrap()), (0, max_steps), "{seen:?}");
            assert!(seen.windows(2).all(|s| s[0] < s[1]), "{seen:?}");
            let all = per_decade == 10_000;
            assert!(seen.len() as u64 == max_steps + 1 || !all && seen.len() < 10 + 5 * per_decade, "{seen:?}");
        }
    }
}

#[test]
fn a_schedule_is_dense_and_then_even_in_log_time() {
    let mut due = vec![];
    run(steps_only(100_000), 10, |state| {
        due.push(state.step);
        ControlFlow::Continue(None)
    });
    assert_eq!(due[..5], [0, 1, 2, 3, 4]);
    for decade in [100, 1000, 10_000] {
        let count = due.iter().filter(|t| (decade..10 * decade).contains(*t)).count();
        assert!((9..=11).contains(&count), "{count} observations in {decade}…");
    }
}

#[test]
fn runs_stop_at_the_loss_the_gap_the_time_and_the_persons_wish() {
    let none = steps_only(1_000_000);
    let mut q = vec![];
    let end = run(Stop { log10_q: Some(1.5), ..none }, 10_000, |state| {
        q.push(-state.log_loss());
        ControlFlow::Continue(None)
    });
    let level = 10f64.powf(1.5);
    assert!(end.status == Status::Converged && *q.last().unwrap() >= level && q[q.len() - 2] < level, "{end:?}");

    let (regularizer, mut gaps) = (Regularizer::l2(8), vec![]);
    let end = run(Stop { certified_gap: Some(1e-2), ..none }, 10_000, |state| {
        let gap = certified_gap(&regularizer, state.predictor, state.margins, state.dual);
        gaps.push(gap.unwrap_or(f64::INFINITY));
        ControlFlow::Continue(gap)
    });
    let (last, before) = gaps.split_last().unwrap();
    assert!(end.status == Status::Converged && *last <= 1e-2 && min(before) > 1e-2 && end.steps > 1, "{end:?}");

    let end = run(Stop { time_budget: Some(Duration::ZERO), ..none }, 10, |_| ControlFlow::Continue(None));
    assert!(end.status == Status::TimeBudget && end.steps < 10_000 && end.reason.contains("time"), "{end:?}");

    for wish in [0, 1, 50] {
        let mut seen = 0;
        let end = run(none, 10_000, |state| {
            seen += 1;
            if state.step == wish { ControlFlow::Break(()) } else { ControlFlow::Continue(None) }
        });
        assert_eq!((end.status, end.steps, seen), (Status::Interrupted, wish, wish + 1));
    }
}

#[test]
fn observers_see_the_state_of_the_equations() {
    let (rows, _, _) = unit_problem(8, 4, 9);
    let mut network = FullyConnected::new(8, 2, 3);
    let mut seen = 0;
    run(steps_only(200), 10, |state| {
        let beta = predictor(&mut network, state.parameters);
        let m = margins(&rows, &beta);
        assert!(relative(state.predictor, &beta) < 1e-14 && relative(state.margins, &m) < 1e-12);
        let total: f64 = m.iter().map(|m| (-m).exp()).sum();
        let p: Vec<f64> = m.iter().map(|m| (-m).exp() / total).collect();
        let r: Vec<f64> = (0..8).map(|k| (0..4).map(|i| p[i] * rows.row(i)[k]).sum()).collect();
        assert!(relative(&state.weights(), &p) < 1e-12 && relative(state.dual, &r) < 1e-11);
        assert!((state.log_loss() - total.ln()).abs() < 1e-12 && state.network.degree() == network.degree());
        seen += 1;
        ControlFlow::Continue(None)
    });
    assert!(seen > 20);
}
