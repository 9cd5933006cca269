//! What weight decay does to normalised weights: it sets their effective learning rate (hoffer2018, section 3).

use super::TrainingRun;
use crate::deep::model::ModelConfig;
use crate::deep::train::{Source, TrainingConfig};
use crate::error::{InputError, Result};
#[cfg(not(feature = "deep"))]
use crate::experiment::kinds::{Context, RunResult};
use serde::{Deserialize, Serialize};

/// The metrics of trace.csv, one row an epoch.
pub const COLUMNS: [&str; 6] =
    ["learning_rate", "train_loss", "train_error", "test_error", "weight_norm", "effective_rate"];

/// The final metrics.
pub const FINAL: [&str; 6] =
    ["train_loss", "train_error", "test_error", "first_phase_error", "weight_norm", "effective_rate"];

/// One of the arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightDecayRun {
    /// Root of every random stream.
    pub seed: u64,
    /// The pictures.
    pub data: Source,
    /// The network.
    pub model: ModelConfig,
    /// The method, with weight decay.
    pub training: TrainingConfig,
    /// What is done with it.
    pub arm: Arm,
}

/// What is done about the weights that a normalisation follows; those of the output layer always decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// They decay.
    On,
    /// They do not.
    Off,
    /// They do not, and the rate of every output's weights w is multiplied by ‖w‖²/‖v‖², v those of a twin that decays.
    CorrectedRate,
    /// They do not, the rate stays that of the start, and the norm of every output's weights is set to ‖v‖ times the root of
    /// what the twin's rate has fallen by.
    NormSchedule,
}

impl WeightDecayRun {
    /// As for a training, with weight decay.
    pub fn check(&self) -> Result<()> {
        let Self { seed, data, model, training, .. } = self.clone();
        TrainingRun { seed, data, model, training }.check()?;
        if self.training.weight_decay == 0.0 {
            let remedy = "The arms differ in what they do about weight decay.";
            return Err(InputError::value("run.training.weight_decay", 0, "above 0", remedy));
        }
        Ok(())
    }
}

/// Without the deep wing there is nothing to train with.
#[cfg(not(feature = "deep"))]
pub fn run(_: &WeightDecayRun, _: &Context) -> Result<RunResult> {
    Err(super::without_deep("weight-decay"))
}

#[cfg(feature = "deep")]
pub use with_burn::run;

#[cfg(feature = "deep")]
mod with_burn {
    use super::{Arm, FINAL, WeightDecayRun};
    use crate::deep::model::{Network, Parameter};
    use crate::deep::train::{
        DecayOn, Epoch, NormRule, Norms, Progress, Schedule, Split, Status as Ended, Trainer, TrainingConfig,
        error_rate,
    };
    use crate::error::Result;
    use crate::experiment::kinds::deep::kept::{Kept, Trace, damaged, pack, unpack};
    use crate::experiment::kinds::{Context, RunResult, Vector};
    use crate::linear::solver::Status;
    use crate::math::sums::median;
    use std::ops::ControlFlow;
    use std::sync::atomic::Ordering;

    /// Channels whose effective rates are recorded.
    const CHANNELS: usize = 32;

    /// Trains one arm, and beside it the twin whose norms it needs: epoch by epoch, on the same batches; goes on from where it
    /// was interrupted.
    pub fn run(config: &WeightDecayRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let picture = split.training.picture();
        config.model.check(Some(picture))?;
        let with_decay = config.training.adapted();
        let without = match config.arm {
            Arm::On => with_decay.clone(),
            Arm::Off | Arm::CorrectedRate => TrainingConfig { decay_on: DecayOn::Unnormalized, ..with_decay.clone() },
            Arm::NormSchedule => {
                TrainingConfig { decay_on: DecayOn::Unnormalized, schedule: Schedule::Constant, ..with_decay.clone() }
            }
        };
        let mut trainer = Trainer::new(Network::new(&config.model, picture, config.seed), config.seed);
        let mut twin = matches!(config.arm, Arm::CorrectedRate | Arm::NormSchedule).then(|| trainer.clone());
        let (mut trace, mut rates): (Trace, Trace) = (vec![], vec![]);
        if let Some(bytes) = context.scratch.load() {
            (trace, rates) = load(&bytes, &mut trainer, twin.as_mut())?;
        }
        let (mut status, mut reason, mut kept) = (Status::MaxSteps, String::new(), Kept::now());
        let mut watch = |_: &Network, _: Progress| {
            if context.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        while trainer.epoch < with_decay.epochs {
            let (mut ended, before) = (None, twin.clone());
            if let Some(twin) = &mut twin {
                let fallen = with_decay.rate(0) / with_decay.rate(twin.epoch);
                ended = Some(twin.epoch(&split.training, &with_decay, &mut watch));
                trainer.norms = Some(match config.arm {
                    Arm::NormSchedule => norms(&twin.network, NormRule::Set, fallen.sqrt() as f32),
                    _ => norms(&twin.network, NormRule::CorrectRate, 1.0),
                });
            }
            if matches!(ended, None | Some(Ended::Done(_))) {
                ended = Some(trainer.epoch(&split.training, &without, &mut watch));
            }
            match ended {
                Some(Ended::Done(epoch)) => {
                    let step = trainer.epoch as u64;
                    let (row, own) = observe(&trainer, &split, &epoch);
                    trace.push((step, row));
                    rates.push((step, own));
                    if kept.is_due() {
                        context.scratch.save(&save(&trainer, twin.as_ref(), &trace, &rates)?)?;
                    }
                }
                Some(Ended::Interrupted) => {
                    context.scratch.save(&save(&trainer, before.as_ref(), &trace, &rates)?)?;
                    (status, reason) = (Status::Interrupted, "the person asked to stop".into());
                    break;
                }
                Some(Ended::Diverged) | None => {
                    status = Status::Diverged;
                    reason = format!("the loss is not finite in epoch {}", trainer.epoch + 1);
                    break;
                }
            }
            (context.tell)(&format!("epoch {}/{}", trainer.epoch, with_decay.epochs));
        }
        let metrics = FINAL.into_iter().zip(measure(&trace, with_decay.rate(0))).collect();
        let vectors =
            rates.into_iter().map(|(step, values)| Vector { step, quantity: "effective_rate", values }).collect();
        Ok(RunResult { status, reason, steps: trainer.optimizer.steps, metrics, trace, vectors })
    }

    /// Both trainings at the end of an epoch: the length of the arm's own, it, and the twin's.
    fn save(trainer: &Trainer, twin: Option<&Trainer>, trace: &Trace, rates: &Trace) -> Result<Vec<u8>> {
        let own = trainer.save(&format!("{}--\n{}", pack(trace), pack(rates)))?;
        let twin = twin.map_or(Ok(vec![]), |twin| twin.save(""))?;
        Ok([&(own.len() as u64).to_le_bytes()[..], &own, &twin].concat())
    }

    /// Takes over what [`save`] kept: trace and effective rates.
    fn load(bytes: &[u8], trainer: &mut Trainer, twin: Option<&mut Trainer>) -> Result<(Trace, Trace)> {
        let (length, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let (own, other) = rest.split_at_checked(u64::from_le_bytes(*length) as usize).ok_or_else(damaged)?;
        let notes = trainer.load(own)?;
        twin.map_or(Ok(String::new()), |twin| twin.load(other))?;
        let (trace, rates) = notes.split_once("--\n").ok_or_else(damaged)?;
        Ok((unpack(trace)?, unpack(rates)?))
    }

    fn norms(network: &Network, rule: NormRule, factor: f32) -> Norms {
        let own = |p: &Parameter| {
            let norms = if p.normalized { p.norms() } else { vec![] };
            norms.into_iter().map(|n| factor * n).collect()
        };
        Norms { rule, of: network.parameters.iter().map(own).collect() }
    }

    /// A row of the trace, and the effective rate η/‖w‖² of the first outputs of the first normalised layer; with a corrected rate it
    /// is that of the twin.
    fn observe(trainer: &Trainer, split: &Split, epoch: &Epoch) -> (Vec<f64>, Vec<f64>) {
        let normalized: Vec<usize> =
            (0..trainer.network.parameters.len()).filter(|i| trainer.network.parameters[*i].normalized).collect();
        let rates = |i: &usize| {
            let corrected = trainer.norms.as_ref().filter(|n| n.rule == NormRule::CorrectRate);
            let norms = corrected.map_or_else(|| trainer.network.parameters[*i].norms(), |n| n.of[*i].clone());
            norms.into_iter().map(|n| epoch.rate / f64::from(n).powi(2)).collect::<Vec<f64>>()
        };
        let norms: Vec<f64> =
            normalized.iter().flat_map(|i| trainer.network.parameters[*i].norms()).map(f64::from).collect();
        let all: Vec<f64> = normalized.iter().flat_map(rates).collect();
        let test = error_rate(&trainer.network, &split.test);
        let row = vec![epoch.rate, epoch.loss, epoch.error, test, median(&norms), median(&all)];
        let mut first = normalized.first().map_or(vec![], rates);
        first.truncate(CHANNELS);
        (row, first)
    }

    /// One number for each of [`FINAL`]; the first phase ends with the first change of the rate.
    fn measure(trace: &[(u64, Vec<f64>)], first_rate: f64) -> [f64; 6] {
        let last = |column: usize| trace.last().map_or(f64::NAN, |(_, row)| row[column]);
        let first = trace.iter().filter(|(_, row)| row[0] == first_rate).map(|(_, row)| row[3]);
        // The error swings at a high rate: the mean over the phase's second half.
        let first: Vec<f64> = first.collect();
        let half = &first[first.len() / 2..];
        let phase = half.iter().sum::<f64>() / half.len() as f64;
        [last(1), last(2), last(3), phase, last(4), last(5)]
    }
}
