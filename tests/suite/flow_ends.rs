//! How the log-time flow ends, what its observers see, and that it gives the same bits twice.

use crate::common::*;
use crate::flow::{constant, follow, log10_q, until};
use implicit_bias::data::generate::gaussian;
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::network::{BinProduct, FullyConnected, Network, SharedScale};
use implicit_bias::linear::predicted::certified_gap;
use implicit_bias::linear::solver::{FlowOptions, Objective, Outcome, Schedule, State, Status, Stop, log_time_flow};
use implicit_bias::linear::{Architecture, Task};
use implicit_bias::math::dft::{Bins, UnitaryDft};
use implicit_bias::math::random::Stream;
use implicit_bias::math::rows::Rows;
use implicit_bias::math::sums::min;
use std::ops::ControlFlow;
use std::time::Duration;

/// The exact two-layer path and the general one.
const PATHS: [Architecture; 2] = [Architecture::Convolutional, Architecture::FullyConnected];

fn task(architecture: Architecture) -> Task {
    Task::new(&gaussian(&[16], 5, None, 6).unwrap(), architecture, 2, 3)
}

/// A run with these stop rules and this observer; every step is due.
fn run(
    architecture: Architecture,
    stop: Stop,
    mut see: impl FnMut(&State) -> ControlFlow<(), Option<f64>>,
) -> (Outcome, Vec<f64>) {
    let mut task = task(architecture);
    let mut w = task.initial(0.3, 1);
    let objective = Objective { rows: &mut task.rows, network: &mut *task.network, loss: Loss::Logistic };
    let end = log_time_flow(objective, &mut w, &FlowOptions::default(), &stop, Schedule::even(1e-9), &mut see);
    (end, w)
}

#[test]
fn flows_stop_at_the_loss_the_gap_the_residual_and_the_last_step() {
    for architecture in PATHS {
        let all = steps_only(100_000);
        for level in [-0.5, 0.0, 1.5, 6.0, 120.0, 300.0] {
            let mut q = vec![];
            let (end, _) = run(architecture, Stop { log10_q: Some(level), ..all }, |s| {
                q.push(log10_q(s));
                ControlFlow::Continue(None)
            });
            let (last, before) = (q[q.len() - 1], q[q.len() - 2]);
            assert!(end.status == Status::Converged && last >= level - 1e-9, "{end:?}, {last}");
            assert!(before.is_nan() || before < level + 1e-9, "{before} was past {level}");
            assert!(last - level.max(0.0) < 0.7, "{last} is far past {level}");
        }

        let (regularizer, mut gaps) = (task(architecture).regularizer().unwrap(), vec![]);
        let (end, _) = run(architecture, Stop { certified_gap: Some(1e-4), ..all }, |s| {
            let gap = certified_gap(&regularizer, s.predictor, s.margins, s.dual);
            gaps.push(gap.unwrap_or(f64::INFINITY));
            ControlFlow::Continue(gap)
        });
        let (last, before) = gaps.split_last().unwrap();
        assert!(end.status == Status::Converged && *last <= 1e-4 && min(before) > 1e-4, "{end:?}, {last}");

        let steps = [1e-1, 1e-2, 1e-3].map(|residual| {
            let (end, _) = run(architecture, Stop { residual: Some(residual), ..all }, |_| ControlFlow::Continue(None));
            assert!(end.status == Status::Converged, "{end:?}");
            end.steps
        });
        assert!(0 < steps[0] && steps[0] < steps[1] && steps[1] < steps[2], "{steps:?}");

        for max_steps in [0, 1, 2, 77] {
            let mut seen = vec![];
            let (end, _) = run(architecture, steps_only(max_steps), |s| {
                seen.push(s.step);
                ControlFlow::Continue(None)
            });
            assert_eq!((end.status, end.steps, seen[0]), (Status::MaxSteps, max_steps, 0));
            assert!(*seen.last().unwrap() == max_steps && seen.windows(2).all(|s| s[0] < s[1]), "{seen:?}");
        }
    }
}

#[test]
fn flows_stop_at_the_time_and_the_persons_wish() {
    for architecture in PATHS {
        let all = steps_only(100_000_000);
        let mut seen = 0;
        let (end, _) = run(architecture, Stop { time_budget: Some(Duration::ZERO), ..all }, |_| {
            seen += 1;
            ControlFlow::Continue(None)
        });
        assert_eq!((end.status, end.steps, seen), (Status::TimeBudget, 0, 1));
        for wish in [0, 1, 50] {
            let mut seen = 0;
            let (end, _) = run(architecture, all, |s| {
                seen += 1;
                if s.step >= wish { ControlFlow::Break(()) } else { ControlFlow::Continue(None) }
            });
            assert!(end.status == Status::Interrupted && end.steps >= wish && seen > 0, "{end:?}");
            assert!(end.steps < wish + 10 && !end.reason.is_empty(), "{end:?}");
        }
    }
}

#[test]
fn data_that_cannot_be_separated_end_with_a_status() {
    let mut stream = Stream::new(3, &["not separable"]);
    let bins = UnitaryDft::new(&[6]).bins();
    let row = stream.normals(6);
    let opposite: Vec<f64> = row.iter().map(|v| -v).collect();
    let data = [
        [row.clone(), opposite.clone(), stream.normals(6)].concat(),
        [row, opposite].concat(),
        stream.normals(40 * 6),
        vec![0.0; 18],
    ];
    for (k, z) in data.into_iter().enumerate() {
        let networks: [Box<dyn Network>; 5] = [
            Box::new(BinProduct::new(bins, 2)),
            Box::new(BinProduct::new(Bins::signal(6), 3)),
            Box::new(FullyConnected::new(6, 1, 1)),
            Box::new(FullyConnected::new(6, 2, 3)),
            Box::new(SharedScale::new(6, 2)),
        ];
        for (mut network, loss) in networks.into_iter().flat_map(|n| [(n, LOSSES[k % 2])]) {
            let (degree, mut rows) = (network.degree(), Rows::new(z.clone(), 6));
            let mut w = parameters(&*network, 0.5, &mut stream);
            let objective = Objective { rows: &mut rows, network: &mut *network, loss };
            let stop = Stop { log10_q: Some(10.0), ..steps_only(300) };
            let options = FlowOptions::default();
            let end =
                log_time_flow(objective, &mut w, &options, &stop, Schedule::even(0.1), |_| ControlFlow::Continue(None));
            let allowed = [Status::MaxSteps, Status::Diverged, Status::Stalled];
            assert!(allowed.contains(&end.status) && end.steps <= 300, "data {k}, degree {degree}: {end:?}");
        }
    }
}

#[test]
fn a_flow_from_nowhere_or_from_far_away_ends_with_a_status() {
    for architecture in PATHS {
        for scale in [0.0, 1e-160, 1e-9, 1e9, 1e150] {
            let mut task = task(architecture);
            let mut w = task.initial(scale, 1);
            let stop = Stop { max_steps: 20_000, ..until(20.0) };
            let end = follow(&mut task, &mut w, (Loss::Logistic, FlowOptions::default(), stop), 1.0, |_| {});
            let wanted = if scale == 0.0 { Status::Diverged } else { Status::Converged };
            assert!(end.status == wanted && end.steps < 5000, "{architecture:?} from {scale:e}: {end:?}");
            let finite = w.iter().all(|w| w.is_finite());
            assert!(scale == 0.0 || finite && norm(&w) > 0.99e9, "{architecture:?} from {scale:e}");
        }
    }
}

#[test]
fn observers_see_the_state_of_the_equations() {
    for architecture in PATHS {
        let (mut own, mut seen) = (task(architecture), 0);
        run(architecture, until(6.0), |s| {
            let beta = predictor(&mut *own.network, s.parameters);
            let m = margins(&own.rows, &beta);
            assert!(relative(s.predictor, &beta) < 1e-12 && relative(s.margins, &m) < 1e-11, "step {}", s.step);
            let weights = s.weights();
            let mut dual = vec![0.0; 16];
            own.rows.combine(&weights, &mut dual);
            assert!(relative(s.dual, &dual) < 1e-10, "step {}: r is not Σ p z", s.step);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && s.network.degree() == 2);
            seen += 1;
            ControlFlow::Continue(None)
        });
        assert!(seen > 20, "{seen}");
    }
    // With small steps the weights are those of the margins.
    let mut task = task(Architecture::Convolutional);
    let mut w = task.initial(0.3, 1);
    follow(&mut task, &mut w, (Loss::Logistic, constant(1e-3), until(1.5)), 0.1, |s| {
        let slopes: Vec<f64> = s.margins.iter().map(|&m| Loss::Logistic.log_slope()(m)).collect();
        let wanted = implicit_bias::math::sums::softmax(&slopes);
        assert!(relative(&s.weights(), &wanted) < 0.02, "step {}: {:?}, not {wanted:?}", s.step, s.weights());
    });
}

#[test]
fn the_same_flow_has_the_same_bits() {
    for architecture in PATHS {
        let bits = || {
            let mut path = vec![];
            let (end, w) = run(architecture, until(80.0), |s| {
                path.extend([s.predictor, s.dual, s.margins, s.log_weights].concat().iter().map(|v| v.to_bits()));
                ControlFlow::Continue(None)
            });
            path.extend(w.iter().map(|v| v.to_bits()));
            (end.steps, path)
        };
        let (first, second) = (bits(), bits());
        assert!(first == second && first.1.len() > 1000, "{} and {} steps", first.0, second.0);
    }
}
