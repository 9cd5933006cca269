//! Where the log-time flow ends: the oracle's optimum, certified; stationary points at depth; decay and rebirth of bins.

use crate::common::*;
use crate::flow::{follow, log10_q, until};
use implicit_bias::data::Dataset;
use implicit_bias::data::generate::{Domain, gaussian, planted};
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::predicted::{Regularizer, bridge_kkt, certified_gap, minimum_norm};
use implicit_bias::linear::solver::{FlowOptions, State, Status, Stop};
use implicit_bias::linear::{Architecture, Task};
use implicit_bias::math::sums::{max, min, quantile, slope};
use std::f64::consts::LN_10;

const CONVEX: [(Architecture, usize, usize); 6] = [
    (Architecture::Convolutional, 2, 1),
    (Architecture::Diagonal, 2, 1),
    (Architecture::FullyConnected, 1, 1),
    (Architecture::FullyConnected, 2, 4),
    (Architecture::FullyConnected, 3, 4),
    (Architecture::SharedScale, 2, 4),
];

/// R(β)/min m, the certified gap and log10 q at the end of a flow.
fn limit(task: &mut Task, loss: Loss, options: FlowOptions, stop: Stop) -> (f64, f64, f64) {
    let (regularizer, frame) = (task.regularizer().unwrap(), task.frame.clone());
    let (mut w, mut found) = (task.initial(0.3, 5), (f64::NAN, f64::NAN, f64::NAN));
    let end = follow(task, &mut w, (loss, options, stop), 1.0, |s| {
        let beta = frame.coordinates(s.predictor);
        let gap = certified_gap(&regularizer, &beta, s.margins, &frame.coordinates(s.dual));
        found = (regularizer.value(&beta) / min(s.margins), gap.unwrap_or(f64::NAN), log10_q(s));
    });
    assert_eq!(end.status, Status::Converged, "{end:?}");
    found
}

#[test]
fn limits_are_the_oracles_optima_within_the_certified_gap() {
    let (mut tested, mut reached, mut rest) = (0, 0, vec![]);
    for (architecture, depth, width) in CONVEX {
        let domain = if architecture == Architecture::Diagonal { Domain::Signal } else { Domain::Spectrum };
        let sizes = [(4, &[16][..]), (8, &[32]), (12, &[31]), (6, &[6, 8]), (20, &[48]), (64, &[256])];
        for (k, (samples, shape)) in sizes.into_iter().enumerate() {
            for data in [
                gaussian(shape, samples, None, 3).unwrap(),
                gaussian(shape, samples, Some(0.5), 4).unwrap(),
                planted(shape, samples, 3, 0.5, domain, 7).unwrap(),
            ] {
                let mut task = Task::new(&data, architecture, depth, width);
                let optimum = minimum_norm(&task.regularized_rows(), &task.regularizer().unwrap()).unwrap().value;
                let stop = Stop { certified_gap: Some(1e-6), ..until(290.0) };
                let options = [FlowOptions::default(), FlowOptions::LIMIT][tested / 2 % 2];
                let (value, gap, q) = limit(&mut task, LOSSES[(k + tested) % 2], options, stop);
                let (excess, place) = (value / optimum - 1.0, format!("{architecture:?} {depth}, {}", data.name));
                // 1e-8 is what the oracle itself is good for.
                assert!((-1e-8..=gap + 1e-9).contains(&excess), "{place}: excess {excess:.1e}, gap {gap:.1e}");
                assert!(gap <= 1e-6 || q >= 290.0, "{place}: gap {gap:.1e} at q = 10^{q}");
                assert!(gap < 5e-2 && excess < 1e-4, "{place}: excess {excess:.1e}, gap {gap:.1e}");
                tested += 1;
                reached += usize::from(gap <= 1e-6);
                if gap > 1e-6 {
                    rest.push(format!("{place}: gap {gap:.1e}, excess {excess:.1e}"));
                }
            }
        }
    }
    assert!(tested > 100 && reached as f64 >= 0.9 * tested as f64, "{reached} of {tested} reached 1e-6; not {rest:#?}");
}

#[test]
fn limits_do_not_depend_on_the_step_or_on_where_kappa_is_capped() {
    for ((architecture, depth, width), seed) in CONVEX.into_iter().flat_map(|c| [1, 2, 3].map(|s| (c, s))) {
        let data = gaussian(&[32], 10, None, seed).unwrap();
        let mut task = Task::new(&data, architecture, depth, width);
        let usual = FlowOptions::default();
        let half = FlowOptions { step: 0.5 * usual.step, tolerance: 0.5 * usual.tolerance, ..usual };
        let [usual, half, higher, lower] =
            [usual, half, FlowOptions { kappa_cap: 1e9, ..usual }, FlowOptions { kappa_cap: 1e7, ..usual }]
                .map(|o| limit(&mut task, LOSSES[0], o, until(100.0)));
        for other in [half, higher, lower] {
            let moved = (other.0 / usual.0 - 1.0).abs();
            let place = format!("{architecture:?} {depth} seed {seed}: {usual:?}, {other:?}");
            assert!(moved <= usual.1.max(other.1) + 1e-9 && usual.1 < 1e-2, "moved by {moved:.1e}, {place}");
        }
    }
}

#[test]
fn the_flow_goes_on_past_the_range_of_numbers() {
    for ((architecture, depth, width), seed) in CONVEX.into_iter().flat_map(|c| [1, 2, 3].map(|s| (c, s))) {
        let data = gaussian(&[32], 10, None, seed).unwrap();
        let mut task = Task::new(&data, architecture, depth, width);
        let optimum = minimum_norm(&task.regularized_rows(), &task.regularizer().unwrap()).unwrap().value;
        let [near, far] = [250.0, 1000.0].map(|q| limit(&mut task, LOSSES[0], FlowOptions::LIMIT, until(q)));
        let place = format!("{architecture:?} {depth} seed {seed}: {near:?}, {far:?}");
        assert!((1000.0..1010.0).contains(&far.2) && far.1 <= near.1 + 1e-5, "{place}");
        assert!((-1e-8..=far.1 + 1e-9).contains(&(far.0 / optimum - 1.0)), "{place}");
    }
}

#[test]
fn deep_flows_reach_stationary_points_and_stay() {
    for (architecture, depth) in
        [Architecture::Convolutional, Architecture::Diagonal].into_iter().flat_map(|a| [3, 4, 5].map(|d| (a, d)))
    {
        for seed in 0..6 {
            let data = gaussian(&[32], 8, None, seed).unwrap();
            let mut task = Task::new(&data, architecture, depth, 1);
            let (rows, regularizer) = (task.regularized_rows().into_owned(), task.regularizer().unwrap());
            let (mut w, mut residuals) = (task.initial(0.5, seed), vec![]);
            follow(&mut task, &mut w, (LOSSES[0], FlowOptions::default(), until(240.0)), 10.0, |s| {
                let kkt = bridge_kkt(&rows, &regularizer, s.predictor);
                residuals.push((log10_q(s), kkt.map_or(f64::NAN, |k| k.residual)));
            });
            // Not there yet at 10^10; there at 10^120, and twice as far in log q.
            let at = |q: f64| residuals.iter().find(|r| r.0 >= q).unwrap().1;
            assert!(at(10.0) > 1e-4, "{architecture:?} {depth} seed {seed}: at once, {:.1e}", at(10.0));
            for (q, residual) in residuals.iter().filter(|r| r.0 > 119.0) {
                assert!(*residual < 1e-6, "{architecture:?} {depth} seed {seed}: residual {residual:.1e} at 10^{q}");
            }
        }
    }
}

/// ⟨r_g, β_g⟩/(c_g ‖β_g‖) of every group: its certificate where β_g has the phase (or sign) of r_g.
fn signed_certificates(regularizer: &Regularizer, state: &State) -> Vec<f64> {
    let (beta, norms) = (state.predictor, regularizer.group_norms(state.predictor));
    let along = |g: usize| regularizer.groups()[g].0.iter().map(|&j| state.dual[j] * beta[j]).sum::<f64>();
    (0..norms.len()).map(|g| along(g) / (norms[g] * regularizer.groups()[g].1)).collect()
}

fn start(data: &Dataset, architecture: Architecture, seed: u64) -> (Task, Vec<f64>, Regularizer) {
    let task = Task::new(data, architecture, 2, 1);
    let (w, regularizer) = (task.initial(0.3, seed), task.regularizer().unwrap());
    (task, w, regularizer)
}

#[test]
fn bins_off_the_support_decay_by_the_law() {
    for (architecture, domain) in
        [(Architecture::Convolutional, Domain::Spectrum), (Architecture::Diagonal, Domain::Signal)]
    {
        for (rho, seed) in [0.3, 0.5].into_iter().flat_map(|r| [0, 1, 2].map(|s| (r, s))) {
            let (samples, active) = if domain == Domain::Spectrum { (6, 4) } else { (4, 4) };
            let data = planted(&[32], samples, active, rho, domain, seed).unwrap();
            assert_eq!(data.planted.as_ref().unwrap().certificate, rho);
            let (mut task, mut w, regularizer) = start(&data, architecture, seed);
            let (mut q, mut sizes, mut duals) = (vec![], vec![], vec![]);
            let mut aligned = vec![true; regularizer.groups().len()];
            follow(&mut task, &mut w, (LOSSES[0], FlowOptions::default(), until(40.0)), 0.1, |s| {
                if log10_q(s) >= 30.0 {
                    q.push(log10_q(s));
                    let norms = regularizer.group_norms(s.predictor);
                    sizes.push(norms.iter().map(|n| (n / norm(s.predictor)).log10()).collect::<Vec<_>>());
                    duals = signed_certificates(&regularizer, s);
                    aligned.iter_mut().zip(&duals).for_each(|(a, r)| *a &= *r > 0.0);
                }
            });
            let off: Vec<usize> = (0..duals.len()).filter(|&g| duals[g] < 0.99 * max(&duals)).collect();
            assert!(q.len() > 50 && off.len() + active == duals.len(), "{} off the support", off.len());
            let mut slopes = vec![];
            // A coordinate of the other sign first has to vanish, faster than the law.
            for &g in off.iter().filter(|&&g| aligned[g]) {
                let rate = slope(&q, &sizes.iter().map(|s| s[g]).collect::<Vec<_>>());
                let certificate = duals[g] / max(&duals);
                let place = format!("{architecture:?} ρ = {rho} seed {seed}, group {g}: slope {rate}");
                assert!((rate - (certificate - 1.0)).abs() < 0.002, "{place}, certificate {certificate}");
                slopes.push(rate);
            }
            assert!(slopes.len() as f64 > 0.8 * off.len() as f64, "{} of {} aligned", slopes.len(), off.len());
            assert!((max(&slopes) - (rho - 1.0)).abs() < 0.02, "{architecture:?} ρ = {rho} seed {seed}: {slopes:?}");
        }
    }
}

/// Follows one flow to q = 10^290. Groups above 1e3 grow by d log‖β_g‖ = ρ_g d log q, with ρ_g the certificate relative to
/// its mean over the support: `off` gets how far off each step was. Returns the depth of the deepest fall from which a group came back to 1e-2.
fn deepest_rebirth(data: &Dataset, architecture: Architecture, seed: u64, off: &mut Vec<f64>) -> f64 {
    let (mut task, mut w, regularizer) = start(data, architecture, seed);
    let groups = regularizer.groups().len();
    let (mut lowest, mut called) = (vec![f64::INFINITY; groups], vec![false; groups]);
    let (mut last, mut deepest) = (None::<(f64, Vec<f64>)>, 1.0_f64);
    follow(&mut task, &mut w, (LOSSES[0], FlowOptions::default(), until(290.0)), 1e-9, |s: &State| {
        if log10_q(s).is_nan() || log10_q(s) < 1.0 {
            return;
        }
        let (sizes, duals) = (regularizer.group_norms(s.predictor), signed_certificates(&regularizer, s));
        // The support drives the margin: d log m = Σ p dm/Σ p m, with |û|² + |v̂|² = 2|β̂| once layers are balanced.
        let weight = |g: usize| regularizer.groups()[g].1 * sizes[g] * duals[g];
        let square = |g: usize| regularizer.dual_certificates(s.dual)[g].powi(2) * regularizer.groups()[g].1 * sizes[g];
        let mean = (0..groups).map(square).sum::<f64>() / (0..groups).map(weight).sum::<f64>();
        let (log_q, top) = (log10_q(s) * LN_10, max(&sizes));
        for g in 0..groups {
            let (size, certificate) = (sizes[g] / top, duals[g] / mean);
            if size < lowest[g] {
                (lowest[g], called[g]) = (size, false);
            }
            called[g] |= certificate > 1.0;
            if size > 1e-2 && called[g] {
                deepest = deepest.min(lowest[g]);
            }
            if let Some((q, before)) = &last
                && *q > 10.0 * LN_10
                && before[g] > 1e3
            {
                let rate = (sizes[g] / before[g]).ln() / (log_q - q);
                off.push((rate - certificate).abs());
            }
        }
        last = Some((log_q, sizes));
    });
    deepest
}

#[test]
fn bins_grow_by_their_certificates_and_are_born_again_above_one() {
    for (architecture, samples, fall) in [(Architecture::Convolutional, 8, 1e-3), (Architecture::Diagonal, 20, 1e-6)] {
        let mut off = vec![];
        let falls: Vec<f64> = (0..20)
            .map(|seed| {
                let data = gaussian(&[32], samples, None, seed).unwrap();
                deepest_rebirth(&data, architecture, seed, &mut off)
            })
            .collect();
        let reborn = falls.iter().filter(|f| **f < fall).count();
        assert!(reborn >= 1, "{architecture:?}: none of 20 reborn from {fall}, {falls:?}");
        // Within a step r is frozen; a few steps see a sample change roles, and log q with it.
        let (most, nearly_all) = (quantile(&off, 0.99), quantile(&off, 0.999));
        let place = format!("{architecture:?}: off by {most:.1e} (99 %), {nearly_all:.1e} (99.9 %)");
        assert!(off.len() > 100_000 && most < 1e-3 && nearly_all < 1e-2, "{place}");
    }
}
