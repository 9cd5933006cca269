use super::LinearConfig;
use crate::error::Result;
use crate::experiment::kinds::{Context, RunResult};
use crate::linear::network::Network;
use crate::linear::solver::Status;
use crate::math::random::Stream;
use nalgebra::{DMatrix, DVector};
use std::sync::atomic::Ordering;

/// The metrics of trace.csv.
pub const COLUMNS: [&str; 2] = ["squared_norm", "tangent"];
/// The final metrics.
pub const FINAL: [&str; 4] = ["squared_norm", "closed_form", "relative_error", "constraint"];
/// Random starts tried before giving up.
const MAX_DRAWS: u64 = 100;

/// min{‖w‖² : P(w) = β} for a random β, against the closed form L·R(β)^{2/L}, which is not used on the way.
///
/// From a random w, Newton's method finds the fibre P(w) = β (or another draw is taken). Then w descends along the fibre:
/// a step against the tangential part of w, which is w − J⁺Jw = w − L·J⁺β by Euler's identity, and back onto the fibre.
pub fn run(config: &LinearConfig, context: &Context) -> Result<RunResult> {
    let mut task = config.task(&config.dataset()?);
    let degree = task.network.degree() as f64;
    let beta = DVector::from_vec(Stream::new(config.seed, &["target"]).normals(task.network.features()));
    let found = (0..MAX_DRAWS).find_map(|draw| {
        let start = task.initial(config.init.scale, config.seed + 1_000_003 * draw);
        onto_fibre(&mut *task.network, DVector::from_vec(start), &beta, 100)
    });
    let network = &mut *task.network;
    let (mut trace, mut step, mut length) = (vec![], 0, 0.5);
    let mut w = found.clone().unwrap_or_else(|| DVector::zeros(network.parameters()));
    let status = loop {
        let (_, j) = linearize(network, &w);
        let tangent = &w - degree * pseudo_solve(&j, &beta);
        trace.push((step, vec![w.norm_squared(), tangent.norm() / w.norm()]));
        if found.is_none() {
            break Status::Diverged;
        } else if tangent.norm() < 1e-9 * w.norm() || length < 1e-12 {
            break Status::Converged;
        } else if context.stop.load(Ordering::Relaxed) {
            break Status::Interrupted;
        } else if step >= config.stop.max_steps {
            break Status::MaxSteps;
        }
        match onto_fibre(network, &w - length * &tangent, &beta, 5).filter(|next| next.norm() < w.norm()) {
            Some(next) => {
                w = next;
                length = (1.5 * length).min(0.5);
            }
            None => length *= 0.5,
        }
        step += 1;
    };
    let (p, _) = linearize(network, &w);
    let closed = task.regularizer().map_or(f64::NAN, |r| degree * r.value(beta.as_slice()).powf(2.0 / degree));
    let squared = w.norm_squared();
    let values = [squared, closed, squared / closed - 1.0, (p - &beta).norm() / beta.norm()];
    let metrics = FINAL.into_iter().zip(values).collect();
    let reason = match status {
        Status::Converged => "the iteration no longer moves",
        Status::Diverged => "no start reached P(w) = β; try another init.scale",
        Status::Interrupted => "interrupted; the same command goes on",
        _ => "all steps were taken; allow more (max_steps) to go further",
    };
    Ok(RunResult { status, reason: reason.into(), steps: step, metrics, trace, vectors: vec![] })
}

/// Newton's method for P(w) = β, each step at most half of ‖w‖ long; `None` if it does not get there.
fn onto_fibre(
    network: &mut dyn Network,
    mut w: DVector<f64>,
    beta: &DVector<f64>,
    steps: usize,
) -> Option<DVector<f64>> {
    for _ in 0..steps {
        let (p, j) = linearize(network, &w);
        let missing = beta - p;
        if missing.norm() <= 1e-13 * beta.norm() {
            break;
        }
        let change = pseudo_solve(&j, &missing);
        let shorten = (0.5 * w.norm() / change.norm()).min(1.0);
        w += shorten * change;
    }
    let (p, _) = linearize(network, &w);
    ((beta - p).norm() <= 1e-11 * beta.norm()).then_some(w)
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
