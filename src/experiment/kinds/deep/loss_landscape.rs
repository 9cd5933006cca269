//! How the loss differs between the start and points at a distance, in random directions (hoffer2017, section 3).

use crate::deep::model::ModelConfig;
use crate::deep::train::Source;
use crate::error::{Result, between};
#[cfg(not(feature = "deep"))]
use crate::experiment::kinds::{Context, RunResult};
use serde::{Deserialize, Serialize};

/// The metrics of trace.csv, one row a distance.
pub const COLUMNS: [&str; 3] = ["radius", "loss_change", "loss_deviation"];

/// The final metrics.
pub const FINAL: [&str; 3] = ["power", "power_fit", "loss"];

/// One network, and where its loss is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandscapeRun {
    /// Root of every random stream.
    pub seed: u64,
    /// The pictures.
    pub data: Source,
    /// The network, at its initial weights.
    pub model: ModelConfig,
    /// Training pictures that the loss is the mean of.
    pub pictures: usize,
    /// Random directions.
    pub directions: usize,
    /// The least and the largest distance.
    pub radii: [f64; 2],
}

/// Distances, equally spaced on a logarithmic scale.
#[cfg(feature = "deep")]
const STEPS: u64 = 24;

impl LandscapeRun {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        between("run.pictures", self.pictures as f64, 1.0, 1e5)?;
        between("run.directions", self.directions as f64, 1.0, 1e5)?;
        between("run.radii (the largest)", self.radii[1], 0.0, 1e6)?;
        between("run.radii (the least)", self.radii[0], 0.0, self.radii[1])?;
        self.model.check(None)
    }
}

/// Without the deep wing there is no network.
#[cfg(not(feature = "deep"))]
pub fn run(_: &LandscapeRun, _: &Context) -> Result<RunResult> {
    Err(super::without_deep("loss-landscape"))
}

#[cfg(feature = "deep")]
pub use with_burn::run;

#[cfg(feature = "deep")]
mod with_burn {
    use super::{FINAL, LandscapeRun, STEPS};
    use crate::deep::model::{Network, Role};
    use crate::deep::train::batch_loss;
    use crate::error::Result;
    use crate::experiment::kinds::{Context, RunResult};
    use crate::linear::solver::Status;
    use crate::math::random::Stream;
    use crate::math::sums::{correlation, slope};
    use rayon::prelude::*;
    use std::sync::atomic::Ordering;

    /// The loss on one batch at w₀ + r·u, for directions u drawn uniformly from the sphere and distances r.
    pub fn run(config: &LandscapeRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let picture = split.training.picture();
        config.model.check(Some(picture))?;
        let start = Network::new(&config.model, picture, config.seed);
        let chosen: Vec<usize> = (0..config.pictures.min(split.training.len())).collect();
        let (pixels, labels) = split.training.take(&chosen, None);
        let loss = |network: &Network| f64::from(batch_loss(network, &pixels, &labels));
        let (at_start, [least, largest]) = (loss(&start), config.radii);
        let radius = |i: u64| least * (largest / least).powf(i as f64 / (STEPS - 1) as f64);
        let one = |direction: usize| {
            let mut stream = Stream::new(config.seed, &["direction", &direction.to_string()]);
            let weights = || start.parameters.iter().filter(|p| matches!(p.role, Role::Weight | Role::Latent));
            let u: Vec<Vec<f64>> = weights().map(|p| stream.normals(p.numbers().len())).collect();
            let norm = u.iter().flatten().map(|u| u * u).sum::<f64>().sqrt();
            let at = |i: u64| {
                let mut network = start.clone();
                let own = network.parameters.iter_mut().filter(|p| matches!(p.role, Role::Weight | Role::Latent));
                for (p, u) in own.zip(&u) {
                    let scale = radius(i) / norm;
                    p.values.storage_mut::<f32>().iter_mut().zip(u).for_each(|(w, u)| *w += (scale * u) as f32);
                }
                loss(&network) - at_start
            };
            let stopped = context.stop.load(Ordering::Relaxed);
            (!stopped).then(|| (0..STEPS).map(at).collect())
        };
        let found: Option<Vec<Vec<f64>>> = (0..config.directions).into_par_iter().map(one).collect();
        let Some(found) = found else {
            let (status, reason) = (Status::Interrupted, "the person asked to stop".into());
            return Ok(RunResult { status, reason, steps: 0, metrics: vec![], trace: vec![], vectors: vec![] });
        };
        let count = config.directions as f64;
        let row = |i: u64| {
            let mean = found.iter().map(|f| f[i as usize]).sum::<f64>() / count;
            let variance = found.iter().map(|f| (f[i as usize] - mean).powi(2)).sum::<f64>() / (count - 1.0);
            (i, vec![radius(i), mean, variance.sqrt()])
        };
        let trace: Vec<(u64, Vec<f64>)> = (0..STEPS).map(row).collect();
        let logs = |column: usize| trace.iter().map(|(_, row)| row[column].ln()).collect::<Vec<f64>>();
        let (radii, deviations) = (logs(0), logs(2));
        let values = [slope(&radii, &deviations), correlation(&radii, &deviations).powi(2), at_start];
        Ok(RunResult {
            status: Status::Converged,
            reason: "the loss was computed everywhere".into(),
            steps: STEPS,
            metrics: FINAL.into_iter().zip(values).collect(),
            trace,
            vectors: vec![],
        })
    }
}
