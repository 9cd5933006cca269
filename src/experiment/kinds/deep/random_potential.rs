use crate::deep::landscape::{FractionalNoise, Moments, Potential, Walk};
use crate::error::{InputError, Result, between};
use crate::experiment::kinds::{Context, RunResult};
use crate::linear::solver::Status;
use crate::math::random::Stream;
use crate::math::sums::{jackknife, slope};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::atomic::Ordering;

/// The final metrics. What is fitted and scaled has a standard error over environments.
pub const FINAL: [&str; 18] = [
    "exponent",
    "exponent_error",
    "valley_exponent",
    "valley_exponent_error",
    "growth",
    "growth_error",
    "square_growth",
    "square_growth_error",
    "scaled_distance",
    "scaled_distance_error",
    "scaled_square",
    "scaled_square_error",
    "transient",
    "transient_error",
    "diffusion",
    "diffusion_error",
    "predicted_exponent",
    "stopped",
];

/// What is observed at t = 10, 100, …: the step is log₁₀ t.
pub const COLUMNS: [&str; 6] = ["ln_time", "distance", "standard_error", "rms", "valley", "theory"];

/// Environments drawn and solved together.
const BATCH: usize = 64;

/// A walk in random potentials, one environment a walker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomPotentialConfig {
    /// Root of every random stream of the run.
    pub seed: u64,
    /// H: differences of the potential have standard deviation amplitude·distance^H.
    pub hurst: f64,
    /// Of one step; at 0 the walk diffuses freely.
    pub amplitude: f64,
    /// Environments.
    pub walkers: usize,
    /// The most sites on either side of the origin; fractional potentials have so many.
    pub reach: usize,
    /// The last time is 10^decades.
    pub decades: u32,
    /// Decades, up to the last, over which exponents are fitted.
    pub fitted: u32,
    /// n of the clock: its ringing has a Γ(n, t/n) law.
    pub stages: u32,
    /// The most probability that a wall may cut off.
    pub tail: f64,
}

impl RandomPotentialConfig {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        between("run.hurst", self.hurst, 0.0, 0.999)?;
        between("run.amplitude", self.amplitude + f64::MIN_POSITIVE, 0.0, 100.0)?;
        between("run.walkers", self.walkers as f64, 1.0, 1e7)?;
        between("run.reach", self.reach as f64, 0.0, f64::from(1 << 22))?;
        between("run.decades", f64::from(self.decades), 1.0, 100.0)?;
        between("run.stages", f64::from(self.stages), 0.0, 1000.0)?;
        between("run.tail", self.tail, 0.0, 0.1)?;
        if !(1..self.decades).contains(&self.fitted) {
            let allowed = format!("at least 1 and below run.decades ({})", self.decades);
            return Err(InputError::value("run.fitted", self.fitted, &allowed, "Fit fewer, or go on for longer."));
        }
        Ok(())
    }

    fn times(&self) -> Vec<f64> {
        (1..=self.decades).map(|k| 10f64.powi(k as i32)).collect()
    }

    /// Of the environments of one batch: E|x| at every time, E x², the valley's distance from the origin, and what was stopped.
    fn batch(&self, batch: usize, noise: &mut Option<FractionalNoise>) -> Vec<Vec<f64>> {
        let (times, walk) = (self.times(), Walk { stages: self.stages, tail: self.tail });
        let height = times.last().map_or(0.0, |t| walk.height(*t));
        let environments = (batch * BATCH..self.walkers.min((batch + 1) * BATCH)).map(|i| {
            let stream = &mut Stream::new(self.seed, &["environment", &i.to_string()]);
            match noise {
                Some(noise) => Potential::fractional(self.amplitude, noise, stream),
                None => Potential::brownian(self.amplitude, height, self.reach, stream),
            }
        });
        let environments: Vec<Potential> = environments.collect();
        let found = walk.moments(&environments, &times).into_iter().zip(&environments);
        found
            .map(|(moments, potential)| {
                let of = |f: fn(&Moments) -> f64| moments.iter().map(f).collect::<Vec<_>>();
                let valley = times.iter().map(|t| potential.valley(t.ln()).unsigned_abs() as f64).collect();
                [of(|m| m.distance), of(|m| m.square), valley, of(|m| m.stopped)].concat()
            })
            .collect()
    }
}

/// Environments are drawn and solved in batches on the threads of the current pool, and averaged in their order.
pub fn run(config: &RandomPotentialConfig, context: &Context) -> RunResult {
    let noise = (config.hurst != 0.5).then(|| FractionalNoise::new(config.hurst, 2 * config.reach));
    let batch = |noise: &mut Option<FractionalNoise>, batch: usize| {
        (!context.stop.load(Ordering::Relaxed)).then(|| config.batch(batch, noise))
    };
    let batches = (0..config.walkers.div_ceil(BATCH)).into_par_iter().map_with(noise, batch);
    let (status, reason) = (Status::Converged, "the distribution was computed in every environment");
    let mut result = RunResult {
        status,
        reason: reason.into(),
        steps: config.decades.into(),
        metrics: vec![],
        trace: vec![],
        vectors: vec![],
    };
    match batches.collect::<Option<Vec<_>>>() {
        Some(done) => average(config, &done.concat(), &mut result),
        None => (result.status, result.reason) = (Status::Interrupted, "interrupted; the same command goes on".into()),
    }
    result
}

fn average(config: &RandomPotentialConfig, samples: &[Vec<f64>], result: &mut RunResult) {
    let RandomPotentialConfig { hurst, amplitude, .. } = *config;
    let times = config.times();
    let logs: Vec<f64> = times.iter().map(|t| t.ln()).collect();
    let (count, last) = (times.len(), times.len() - 1);
    let [distance, square, valley, stopped] = [0, 1, 2, 3].map(|part| part * count);
    // Of a valley as deep as ln t: in this unit theory has no parameter left but H.
    let unit = |k: usize| (logs[k] / amplitude).powf(1.0 / hurst);
    let theory = |k: usize| if hurst == 0.5 && amplitude > 0.0 { 5.0 / 6.0 * unit(k) } else { f64::NAN };
    type Scale<'a> = &'a dyn Fn(f64) -> f64;
    let line = |means: &[f64], of_time: Scale, of_mean: Scale, decades: Range<usize>| {
        let x: Vec<f64> = logs[decades.clone()].iter().map(|l| of_time(*l)).collect();
        slope(&x, &means[decades].iter().map(|m| of_mean(*m)).collect::<Vec<_>>())
    };
    let fitted = last - config.fitted as usize..count;
    let exponent = |means: &[f64]| line(means, &f64::ln, &f64::ln, fitted.clone());
    // The slope of this line does not depend on the unit of time.
    let growth = |means: &[f64], power: f64| line(means, &|log| log, &|m| amplitude * m.powf(power), fitted.clone());
    type Estimate<'a> = &'a dyn Fn(&[f64]) -> f64;
    let estimates: [Estimate; 8] = [
        &|m| exponent(&m[distance..]),
        &|m| exponent(&m[valley..]),
        &|m| growth(&m[distance..], hurst),
        &|m| growth(&m[square..], hurst / 2.0),
        &|m| m[distance + last] / unit(last),
        &|m| m[square + last] / unit(last).powi(2),
        &|m| line(&m[distance..], &|log| log, &f64::ln, 0..count.min(3)),
        &|m| m[square + last] / (2.0 * times[last]),
    ];
    let estimates = estimates.into_iter().flat_map(|f| <[f64; 2]>::from(jackknife(samples, f)));
    let rest = [1.0 / hurst, jackknife(samples, |m| m[stopped + last]).0];
    result.metrics = FINAL.into_iter().zip(estimates.chain(rest)).collect();
    let row = |k: usize| {
        let [(mean, error), (square, _), (valley, _)] =
            [distance, square, valley].map(|part| jackknife(samples, |m| m[part + k]));
        (k as u64 + 1, vec![logs[k], mean, error, square.sqrt(), valley, theory(k)])
    };
    result.trace = (0..count).map(row).collect();
}
