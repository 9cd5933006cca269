use super::LinearConfig;
use super::limit::Training;
use crate::error::Result;
use crate::experiment::kinds::{Context, RunResult, Vector};
use crate::math::sums::{max, median, slope};

/// The final metrics beside those of the limit.
pub const FINAL: [&str; 6] = ["decay_bins", "decay_error", "decay_error_largest", "decay_slope", "deaths", "rebirths"];

/// Groups below this fraction of the largest, at the oracle's optimum, are off the support.
const OFF_SUPPORT: f64 = 1e-6;
/// The fit uses the last decades of q, up to this many.
const WINDOW_DECADES: f64 = 10.0;
/// A group has died below this fraction of R, and is born again when it passes `ALIVE` after that.
const DEAD: f64 = 1e-4;
const ALIVE: f64 = 1e-2;

/// Trains and fits, for every bin d off the predicted support, the exponent in |β̂_d|/R(β̂) ∝ q^e. Theory: e = ρ_d − 1.
pub fn run(config: &LinearConfig, context: &Context) -> Result<RunResult> {
    let dataset = config.dataset()?;
    let mut training = Training::new(config, &dataset)?;
    let regularizer = training.regularizer.clone();
    // log q and log(‖β_g‖/R) of every observation.
    let mut history: Vec<(f64, Vec<f64>)> = vec![];
    let outcome = training.go(config, context, |frame, state| {
        if let Some(r) = &regularizer {
            let beta = frame.coordinates(state.predictor);
            let total = r.value(&beta);
            history.push(((-state.log_loss()).ln(), r.group_norms(&beta).iter().map(|n| (n / total).ln()).collect()));
        }
    });
    let steps = outcome.steps;
    let optimum = training.optimum.clone();
    let mut result = training.result(config, &dataset, outcome);
    let (Some(r), Some(optimum)) = (regularizer, optimum) else { return Ok(result) };

    let sizes = r.group_norms(&optimum.predictor);
    let certificates = r.dual_certificates(&optimum.dual);
    let (largest, top) = (max(&sizes), max(&certificates));
    let last = history.last().map_or(f64::NAN, |h| h.0);
    let window: Vec<&(f64, Vec<f64>)> =
        history.iter().filter(|h| h.0 > 0.0 && h.0 >= last - WINDOW_DECADES * std::f64::consts::LN_10).collect();
    let x: Vec<f64> = window.iter().map(|h| h.0).collect();
    let off: Vec<usize> = (0..sizes.len()).filter(|&g| sizes[g] < OFF_SUPPORT * largest).collect();
    let predicted: Vec<f64> = off.iter().map(|&g| certificates[g] / top - 1.0).collect();
    let measured: Vec<f64> =
        off.iter().map(|&g| slope(&x, &window.iter().map(|h| h.1[g]).collect::<Vec<_>>())).collect();
    let errors: Vec<f64> = predicted.iter().zip(&measured).map(|(p, m)| (p - m).abs()).collect();
    let values = [
        off.len() as f64,
        median(&errors),
        errors.iter().copied().fold(f64::NAN, f64::max),
        slope(&predicted, &measured),
        (0..sizes.len()).filter(|&g| died(&history, g).is_some()).count() as f64,
        (0..sizes.len()).filter(|&g| reborn(&history, g)).count() as f64,
    ];
    result.metrics.extend(FINAL.into_iter().zip(values));
    result.vectors.push(Vector { step: steps, quantity: "decay-predicted", values: predicted });
    result.vectors.push(Vector { step: steps, quantity: "decay-measured", values: measured });
    Ok(result)
}

/// When group `g` first fell below [`DEAD`], as an index of the history.
fn died(history: &[(f64, Vec<f64>)], g: usize) -> Option<usize> {
    history.iter().position(|h| h.0 > 0.0 && h.1[g] < DEAD.ln())
}

fn reborn(history: &[(f64, Vec<f64>)], g: usize) -> bool {
    died(history, g).is_some_and(|from| history[from..].iter().any(|h| h.1[g] > ALIVE.ln()))
}
