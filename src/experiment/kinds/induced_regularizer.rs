use super::{Context, RunResult};
use crate::error::Result;
use crate::linear::network::Network;
use crate::linear::solver::Status;
use crate::math::random::Stream;
use crate::math::sums::norm;
use nalgebra::{DMatrix, DVector};
use std::sync::atomic::Ordering;

const COLUMNS: [&str; 2] = ["squared_norm", "constraint"];
/// Steps of the damped iteration between two observations.
const OBSERVE_EVERY: u64 = 10;

/// min{‖w‖² : P(w) = β} for a random β, against the closed form L·R(β)^{2/L}.
///
/// Sequential projection: with J = J_P(w) and Jw = L·P(w) (Euler), the least-norm point of the linearised constraint is
/// J⁺(β + (L−1)P(w)); w moves a 1/L of the way there. No closed form is used on the way.
pub fn run(context: &Context) -> Result<RunResult> {
    let config = context.config;
    let mut task = config.task(&config.dataset()?);
    let network = task.network.as_mut();
    let degree = network.degree() as f64;
    let beta = DVector::from_vec(Stream::new(config.seed, &["target"]).normals(network.features()));
    let mut w = DVector::from_vec(task.initial(config.init.scale, config.seed));
    let network = task.network.as_mut();
    let (mut trace, mut step, mut status) = (vec![], 0, Status::MaxSteps);
    loop {
        let (p, j) = linearize(network, &w);
        let goal = pseudo_solve(&j, &(&beta + (degree - 1.0) * &p));
        let change = (&goal - &w) / degree;
        let moved = change.norm() / w.norm();
        if step % OBSERVE_EVERY == 0 || moved < 1e-14 {
            trace.push((step, vec![w.norm_squared(), (&p - &beta).norm() / beta.norm()]));
        }
        if !moved.is_finite() {
            status = Status::Diverged;
        } else if moved < 1e-14 {
            status = Status::Converged;
        } else if context.stop.load(Ordering::Relaxed) {
            status = Status::Interrupted;
        } else if step < config.stop.max_steps {
            w += change;
            step += 1;
            continue;
        }
        break;
    }
    // Newton's last word on the constraint.
    for _ in 0..3 {
        let (p, j) = linearize(network, &w);
        w += pseudo_solve(&j, &(&beta - p));
    }
    let (p, _) = linearize(network, &w);
    let closed = task.regularizer().map_or(f64::NAN, |r| degree * r.value(beta.as_slice()).powf(2.0 / degree));
    let squared = norm(w.as_slice()).powi(2);
    let metrics = vec![
        ("squared_norm", squared),
        ("closed_form", closed),
        ("relative_error", squared / closed - 1.0),
        ("constraint", (p - &beta).norm() / beta.norm()),
    ];
    let reason = match status {
        Status::Converged => "the iteration no longer moves",
        Status::Diverged => "a number stopped being finite; try another init.scale",
        Status::Interrupted => "interrupted; the same command goes on",
        _ => "all steps were taken; allow more (max_steps) to go further",
    };
    Ok(RunResult {
        status,
        reason: reason.into(),
        steps: step,
        metrics,
        trace_columns: &COLUMNS,
        trace,
        vectors: vec![],
    })
}

/// P(w) and its Jacobian, row by row from pullbacks of unit vectors.
fn linearize(network: &mut dyn Network, w: &DVector<f64>) -> (DVector<f64>, DMatrix<f64>) {
    let (d, n) = (network.features(), network.parameters());
    let (mut p, mut j) = (vec![0.0; d], DMatrix::zeros(n, d));
    network.predictor(w.as_slice(), &mut p);
    let mut unit = vec![0.0; d];
    for k in 0..d {
        unit[k] = 1.0;
        network.pullback(w.as_slice(), &unit, j.column_mut(k).as_mut_slice());
        unit[k] = 0.0;
    }
    (DVector::from_vec(p), j)
}

/// J⁺ v with `j` = Jᵀ: Jᵀ(J Jᵀ)⁻¹ v.
fn pseudo_solve(j: &DMatrix<f64>, v: &DVector<f64>) -> DVector<f64> {
    j * crate::math::nnls::least_squares(&j.tr_mul(j), v)
}
