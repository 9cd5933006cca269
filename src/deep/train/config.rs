use crate::error::{Result, between};
use serde::{Deserialize, Serialize};

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the training pictures.
    pub epochs: usize,
    /// Samples of a step; the last, smaller batch of an epoch is used, too, unless it is a single sample.
    pub batch: usize,
    /// The loss.
    #[serde(default)]
    pub loss: Loss,
    /// The update.
    pub optimizer: Method,
    /// Learning rate at the start.
    pub rate: f64,
    /// How it changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// λ of λ‖w‖²/2 over real weights (not over biases and normalisations), added to the gradient.
    #[serde(default)]
    pub weight_decay: f64,
    /// Gradients of a larger global norm are scaled down to this.
    pub clip_norm: Option<f64>,
    /// Keep latent weights in [−1, 1].
    #[serde(default = "yes")]
    pub clip_latent: bool,
    /// Scale the steps of latent weights by Glorot's coefficient √((fan in + fan out)/1.5).
    #[serde(default = "yes")]
    pub glorot_rates: bool,
    /// Random flips and crops.
    #[serde(default)]
    pub augment: bool,
}

/// The loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// −log softmax, without label smoothing.
    #[default]
    CrossEntropy,
    /// The L2-SVM's (hubara2016).
    SquaredHinge,
}

/// The update of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Method {
    /// v ← μv + g, w ← w − ηv, as PyTorch's: no dampening.
    Sgd {
        /// μ.
        #[serde(default)]
        momentum: f64,
    },
    /// Kingma & Ba 2015, algorithm 1; β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    Adam,
    /// Kingma & Ba 2015, algorithm 2; β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    #[serde(rename = "adamax")]
    AdaMax,
    /// hubara2016, algorithm 4, as its Torch7 code has it: rate and maximum rounded to powers of two, the maximum kept rounded.
    #[serde(rename = "shift-adamax")]
    ShiftAdaMax,
}

/// How the learning rate changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// By the same factor every epoch, to `last` in the last one.
    Exponential {
        /// The learning rate of the last epoch.
        last: f64,
    },
    /// Times `factor` at the start of each of these epochs (counted from 0).
    Steps {
        /// When.
        epochs: Vec<usize>,
        /// By what.
        factor: f64,
    },
}

impl TrainingConfig {
    /// The learning rate of an epoch, counted from 0.
    pub fn rate(&self, epoch: usize) -> f64 {
        match &self.schedule {
            Schedule::Constant => self.rate,
            Schedule::Exponential { last } => {
                let part = epoch as f64 / (self.epochs.max(2) - 1) as f64;
                self.rate * (last / self.rate).powf(part)
            }
            Schedule::Steps { epochs, factor } => {
                self.rate * factor.powi(epochs.iter().filter(|e| **e <= epoch).count() as i32)
            }
        }
    }

    /// An error unless the numbers are usable.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<()> {
        between("run.training.epochs", self.epochs as f64, 0.0, 1e6)?;
        between("run.training.batch", self.batch as f64, 1.0, 1e6)?;
        between("run.training.rate", self.rate, 0.0, 1e6)?;
        between("run.training.weight_decay", self.weight_decay, -1e-300, 1e6)?;
        between("run.training.clip_norm", self.clip_norm.unwrap_or(1.0), 0.0, 1e12)?;
        match (&self.schedule, self.optimizer) {
            (Schedule::Exponential { last }, _) => between("run.training.schedule.last", *last, 0.0, self.rate)?,
            (Schedule::Steps { factor, .. }, _) => between("run.training.schedule.factor", *factor, 0.0, 1.0)?,
            (Schedule::Constant, _) => {}
        }
        if let Method::Sgd { momentum } = self.optimizer {
            between("run.training.optimizer.momentum", momentum, -1e-300, 0.999_999)?;
        }
        Ok(())
    }
}

fn yes() -> bool {
    true
}
