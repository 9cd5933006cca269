//! How far weights travel, at logarithmically spaced steps (hoffer2017, section 3 and figure 2).

/// The metrics of trace.csv, one row an observation.
pub const COLUMNS: [&str; 5] = ["learning_rate", "log_step", "distance", "train_loss", "test_error"];

/// The final metrics.
pub const FINAL: [&str; 8] =
    ["train_loss", "test_error", "distance", "log_slope", "log_fit", "root_fit", "power", "power_fit"];

#[cfg(not(feature = "deep"))]
pub fn run(
    _: &super::TrainingRun,
    _: &crate::experiment::kinds::Context,
) -> crate::error::Result<crate::experiment::kinds::RunResult> {
    Err(super::without_deep("trajectory"))
}

#[cfg(feature = "deep")]
pub use with_burn::run;

#[cfg(feature = "deep")]
mod with_burn {
    use super::FINAL;
    use crate::deep::model::{Network, Role};
    use crate::deep::train::{Progress, Status as Ended, Trainer, TrainingConfig, error_rate};
    use crate::error::Result;
    use crate::experiment::kinds::deep::TrainingRun;
    use crate::experiment::kinds::deep::kept::{Kept, Trace, damaged, pack, unpack};
    use crate::experiment::kinds::{Context, RunResult};
    use crate::linear::solver::Status;
    use crate::math::sums::{correlation, slope};
    use std::ops::ControlFlow;
    use std::sync::atomic::Ordering;

    /// Observations for every factor of ten in time.
    const DECADE: f64 = 10.0;
    /// The first steps, at most so many, are left out of the fits.
    const TRANSIENT: f64 = 5.0;

    /// What is observed, and when next.
    struct Observer<'a> {
        start: Vec<f32>,
        next: u64,
        step: u64,
        loss: (f64, u64),
        test: &'a crate::deep::train::Set,
        rows: Trace,
    }

    impl Observer<'_> {
        /// Looks at the network before a step, or at the end; `loss` is that of the step before.
        fn see(&mut self, network: &Network, rate: f64, loss: f64, last: bool) {
            if loss.is_finite() {
                self.loss = (self.loss.0 + loss, self.loss.1 + 1);
            }
            if self.step > 0 && (last || self.step >= self.next) {
                let travelled = weights(network).zip(&self.start).map(|(w, s)| f64::from(w - s).powi(2)).sum::<f64>();
                let (mean, log) = (self.loss.0 / self.loss.1 as f64, (self.step as f64).ln());
                let test = error_rate(network, self.test);
                self.rows.push((self.step, vec![rate, log, travelled.sqrt(), mean, test]));
                self.loss = (0.0, 0);
                self.next = ((self.step as f64 * 10_f64.powf(1.0 / DECADE)).round() as u64).max(self.step + 1);
            }
            self.step += 1;
        }

        /// Everything that has been seen, as text.
        fn notes(&self) -> String {
            let [next, count] = [self.next, self.loss.1].map(|n| n as f64);
            let own = (self.step, vec![next, self.loss.0, count]);
            pack(&self.rows.iter().cloned().chain([own]).collect())
        }

        /// Takes over [`Self::notes`].
        fn take(&mut self, notes: &str) -> Result<()> {
            self.rows = unpack(notes)?;
            let (step, own) = self.rows.pop().filter(|(_, own)| own.len() == 3).ok_or_else(damaged)?;
            (self.step, self.next, self.loss) = (step, own[0] as u64, (own[1], own[2] as u64));
            Ok(())
        }
    }

    /// The weights of all layers, without biases and normalisations.
    fn weights(network: &Network) -> impl Iterator<Item = f32> {
        let own = network.parameters.iter().filter(|p| matches!(p.role, Role::Weight | Role::Latent));
        own.flat_map(|p| p.numbers()).copied()
    }

    /// Trains, and looks at steps that are equally spaced on a logarithmic scale; goes on from where it was interrupted.
    pub fn run(config: &TrainingRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let picture = split.training.picture();
        config.model.check(Some(picture))?;
        let training = config.training.adapted();
        let mut trainer = Trainer::new(Network::new(&config.model, picture, config.seed), config.seed);
        let start = weights(&trainer.network).collect();
        let mut observer = Observer { start, next: 1, step: 0, loss: (0.0, 0), test: &split.test, rows: vec![] };
        if let Some(bytes) = context.scratch.load() {
            observer.take(&trainer.load(&bytes)?)?;
        }
        let (mut status, mut reason, mut kept) = (Status::MaxSteps, String::new(), Kept::now());
        while trainer.epoch < training.epochs && status == Status::MaxSteps {
            let (rate, before) = (training.rate(trainer.epoch), observer.notes());
            let mut watch = |network: &Network, progress: Progress| {
                observer.see(network, rate, progress.loss, false);
                if context.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            match trainer.epoch(&split.training, &training, &mut watch) {
                Ended::Done(_) if kept.is_due() => context.scratch.save(&trainer.save(&observer.notes())?)?,
                Ended::Done(_) => {}
                Ended::Interrupted => {
                    context.scratch.save(&trainer.save(&before)?)?;
                    (status, reason) = (Status::Interrupted, "the person asked to stop".into());
                }
                Ended::Diverged => (status, reason) = (Status::Diverged, "the loss is not finite".into()),
            }
            (context.tell)(&format!("epoch {}/{}", trainer.epoch, training.epochs));
        }
        observer.see(&trainer.network, training.rate(trainer.epoch.max(1) - 1), f64::NAN, true);
        let metrics = FINAL.into_iter().zip(measure(&observer.rows, &training)).collect();
        let trace = observer.rows;
        Ok(RunResult { status, reason, steps: trainer.optimizer.steps, metrics, trace, vectors: vec![] })
    }

    /// Fits of the distance, at the first learning rate, to a + b ln t, a + b √t and c·t^p: b, p and the squared correlations.
    fn measure(rows: &[(u64, Vec<f64>)], training: &TrainingConfig) -> [f64; 8] {
        let fitted = |(step, row): &&(u64, Vec<f64>)| *step as f64 >= TRANSIENT && row[0] == training.rate(0);
        let (steps, distances): (Vec<f64>, Vec<f64>) =
            rows.iter().filter(fitted).map(|(step, row)| (*step as f64, row[2])).unzip();
        let with = |x: fn(f64) -> f64| steps.iter().map(|t| x(*t)).collect::<Vec<f64>>();
        let (logs, roots) = (with(f64::ln), with(f64::sqrt));
        let log_distances: Vec<f64> = distances.iter().map(|d| d.ln()).collect();
        let fit = |x: &[f64], y: &[f64]| correlation(x, y).powi(2);
        let last = |column: usize| rows.last().map_or(f64::NAN, |(_, row)| row[column]);
        [
            last(3),
            last(4),
            last(2),
            slope(&logs, &distances),
            fit(&logs, &distances),
            fit(&roots, &distances),
            slope(&logs, &log_distances),
            fit(&logs, &log_distances),
        ]
    }
}
