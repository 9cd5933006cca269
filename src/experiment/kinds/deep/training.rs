use crate::deep::model::ModelConfig;
use crate::deep::train::{Source, TrainingConfig};
use crate::error::Result;
#[cfg(not(feature = "deep"))]
use crate::experiment::kinds::{Context, RunResult};
use serde::{Deserialize, Serialize};

/// The metrics of trace.csv, one row an epoch.
pub const COLUMNS: [&str; 6] =
    ["learning_rate", "train_loss", "train_error", "validation_error", "test_error", "sign_flips"];

/// The final metrics.
pub const FINAL: [&str; 12] = [
    "train_loss",
    "train_error",
    "validation_error",
    "test_error",
    "best_epoch",
    "best_test_error",
    "sign_flips",
    "saturated",
    "unique_filters",
    "parameters",
    "packed_bytes",
    "packed_disagreements",
];

/// One training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRun {
    /// Root of every random stream: weights, order of the pictures, what is drawn at random.
    pub seed: u64,
    /// The pictures.
    pub data: Source,
    /// The network.
    pub model: ModelConfig,
    /// The method.
    pub training: TrainingConfig,
}

impl TrainingRun {
    /// An error unless every number is in range; the shape of the pictures is known only once they are read.
    pub fn check(&self) -> Result<()> {
        self.training.check()?;
        self.model.check(None)
    }
}

/// Without the deep wing there is nothing to train with.
#[cfg(not(feature = "deep"))]
pub fn run(_: &TrainingRun, _: &Context) -> Result<RunResult> {
    Err(super::without_deep("training"))
}

#[cfg(feature = "deep")]
pub use with_burn::{fit, fit_shared, run};

#[cfg(feature = "deep")]
mod with_burn {
    use super::{FINAL, TrainingRun};
    use crate::deep::kernel::Instructions;
    use crate::deep::model::{Network, Role};
    use crate::deep::packed::PackedNetwork;
    use crate::deep::quantize::unique_filters;
    use crate::deep::train::{Epoch, Progress, Split, Status as Ended, Trainer, error_rate, predictions};
    use crate::error::Result;
    use crate::experiment::kinds::deep::kept::{Kept, Trace, pack, unpack};
    use crate::experiment::kinds::{Context, RunResult};
    use crate::linear::solver::Status;
    use std::cell::Cell;
    use std::ops::ControlFlow;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    /// Trains and tests; the same bytes at any number of threads, interrupted or not.
    pub fn run(config: &TrainingRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let fitted = fit(&split, config, context)?;
        let metrics = FINAL.into_iter().zip(measure(&fitted.trainer.network, &split, &fitted.trace)).collect();
        Ok(fitted.result(metrics))
    }

    /// A training that has ended.
    pub struct Fitted {
        /// What was trained.
        pub trainer: Trainer,
        /// What was observed, one row an epoch: see [`super::COLUMNS`].
        pub trace: Trace,
        ended: (Status, String),
    }

    impl Fitted {
        /// How the training ended.
        pub fn status(&self) -> Status {
            self.ended.0
        }

        /// With its final metrics.
        pub fn result(self, metrics: Vec<(&'static str, f64)>) -> RunResult {
            let (status, reason) = self.ended;
            let steps = self.trainer.optimizer.steps;
            RunResult { status, reason, steps, metrics, trace: self.trace, vectors: vec![] }
        }
    }

    /// Trains, and tests after every epoch; goes on from where it was interrupted.
    pub fn fit(split: &Split, config: &TrainingRun, context: &Context) -> Result<Fitted> {
        let picture = split.training.picture();
        config.model.check(Some(picture))?;
        let mut trainer = Trainer::new(Network::new(&config.model, picture, config.seed), config.seed);
        let (mut trace, training): (Trace, _) = (vec![], config.training.adapted());
        if let Some(bytes) = context.scratch.load() {
            trace = unpack(&trainer.load(&bytes)?)?;
        }
        let mut kept = Kept::now();
        let (mut status, mut reason) = (Status::MaxSteps, String::new());
        while trainer.epoch < training.epochs {
            let started = Instant::now();
            let spoken = Cell::new(started);
            let mut watch = |_: &Network, progress: Progress| {
                if spoken.get().elapsed() > Duration::from_millis(500) {
                    spoken.set(Instant::now());
                    (context.tell)(&progress_line(progress, training.epochs, started.elapsed()));
                }
                if context.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            match trainer.epoch(&split.training, &training, &mut watch) {
                Ended::Done(epoch) => trace.push((trainer.epoch as u64, observe(&trainer.network, split, &epoch))),
                Ended::Interrupted => {
                    context.scratch.save(&trainer.save(&pack(&trace))?)?;
                    (status, reason) = (Status::Interrupted, "the person asked to stop".into());
                    break;
                }
                Ended::Diverged => {
                    status = Status::Diverged;
                    reason = format!("the loss is not finite in epoch {}: try a smaller rate", trainer.epoch + 1);
                    break;
                }
            }
            if kept.is_due() {
                context.scratch.save(&trainer.save(&pack(&trace))?)?;
            }
        }
        Ok(Fitted { trainer, trace, ended: (status, reason) })
    }

    /// The same, for runs of an experiment that differ in what they do with one training: the first of them trains.
    pub fn fit_shared(split: &Split, config: &TrainingRun, context: &Context) -> Result<Fitted> {
        let shared = Context { stop: context.stop, scratch: context.scratch.shared(config), tell: context.tell };
        let fitted = fit(split, config, &shared)?;
        if fitted.status() == Status::MaxSteps {
            shared.scratch.save(&fitted.trainer.save(&pack(&fitted.trace))?)?;
        }
        Ok(fitted)
    }

    fn progress_line(progress: Progress, epochs: usize, elapsed: Duration) -> String {
        let speed = progress.pictures as f64 / elapsed.as_secs_f64();
        let left = (epochs - progress.epoch) * progress.of - progress.pictures;
        let (epoch, minutes) = (progress.epoch + 1, left as f64 / speed / 60.0);
        format!("epoch {epoch}/{epochs}: {speed:.0} images/s, about {minutes:.1} min left of this run")
    }

    fn observe(network: &Network, split: &Split, epoch: &Epoch) -> Vec<f64> {
        let validation = split.validation.as_ref().map_or(f64::NAN, |set| error_rate(network, set));
        let test = error_rate(network, &split.test);
        vec![epoch.rate, epoch.loss, epoch.error, validation, test, epoch.flips.unwrap_or(f64::NAN)]
    }

    /// One number for each of [`FINAL`].
    fn measure(network: &Network, split: &Split, trace: &Trace) -> [f64; 12] {
        let last = |column: usize| trace.last().map_or(f64::NAN, |(_, row)| row[column]);
        let held_out = |(_, row): &&(u64, Vec<f64>)| !row[3].is_nan();
        let best = trace.iter().filter(held_out).min_by(|(_, a), (_, b)| a[3].total_cmp(&b[3]));
        let latent: Vec<_> = network.parameters.iter().filter(|p| p.role == Role::Latent).collect();
        let numbers: Vec<f32> = latent.iter().flat_map(|p| p.numbers()).copied().collect();
        let saturated = numbers.iter().filter(|w| w.abs() == 1.0).count() as f64 / numbers.len() as f64;
        let filters: Vec<f64> = latent
            .iter()
            .filter(|p| p.shape.len() == 4)
            .map(|p| unique_filters(p.numbers(), p.shape[0], p.shape[1], p.shape[2]))
            .collect();
        let [bytes, disagreements] = packed(network, split).unwrap_or([f64::NAN; 2]);
        [
            last(1),
            last(2),
            last(3),
            last(4),
            best.map_or(f64::NAN, |(epoch, _)| *epoch as f64),
            best.map_or(f64::NAN, |(_, row)| row[4]),
            last(5),
            saturated,
            filters.iter().sum::<f64>() / filters.len() as f64,
            network.size() as f64,
            bytes,
            disagreements,
        ]
    }

    /// Bytes of the network as bits and thresholds, and on how many test pictures its class is another; of binary networks.
    fn packed(network: &Network, split: &Split) -> Result<[f64; 2]> {
        let packed = PackedNetwork::from_network(network)?;
        let classes = packed.classify(Instructions::best(), &split.test.pictures.images.pixels)?;
        let other =
            predictions(network, &split.test).iter().zip(&classes).filter(|(a, b)| usize::from(**a) != **b).count();
        Ok([packed.to_bytes().len() as f64, other as f64])
    }
}
