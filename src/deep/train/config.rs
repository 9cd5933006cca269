use crate::error::{Result, between, is_default};
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
    /// Weight decay is for these weights only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decay_on: DecayOn,
    /// Standard deviation of a factor with mean 1 on the gradient of every sample: noise as of a smaller batch (hoffer2017).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_noise: Option<f64>,
    /// What is adapted because the batch is larger than the one that rate and epochs were chosen for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_batch: Option<LargeBatch>,
}

/// Which weights decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecayOn {
    /// All.
    #[default]
    All,
    /// Those that no normalisation follows: of the output layer.
    Unnormalized,
}

/// How the training of a small batch becomes that of a large one (hoffer2017).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LargeBatch {
    /// The small batch.
    pub reference: usize,
    /// The learning rate is multiplied by the ratio of the batches to this power: ½ keeps the covariance of a step.
    #[serde(default)]
    pub rate_power: f64,
    /// Every number of epochs is multiplied by the ratio, rounded up: as many steps as with the small batch.
    #[serde(default)]
    pub adapt_regime: bool,
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
    /// A training with the defaults.
    pub fn new(optimizer: Method, epochs: usize, batch: usize, rate: f64) -> Self {
        Self {
            epochs,
            batch,
            loss: Loss::default(),
            optimizer,
            rate,
            schedule: Schedule::default(),
            weight_decay: 0.0,
            clip_norm: None,
            clip_latent: true,
            glorot_rates: true,
            augment: false,
            decay_on: DecayOn::default(),
            gradient_noise: None,
            large_batch: None,
        }
    }

    /// The training with its batch's rate, epochs and schedule.
    pub fn adapted(&self) -> Self {
        let mut adapted = self.clone();
        let Some(LargeBatch { reference, rate_power, adapt_regime }) = adapted.large_batch.take() else {
            return adapted;
        };
        adapted.rate *= (self.batch as f64 / reference as f64).powf(rate_power);
        if adapt_regime {
            let ratio = self.batch.div_ceil(reference);
            adapted.epochs *= ratio;
            if let Schedule::Steps { epochs, .. } = &mut adapted.schedule {
                epochs.iter_mut().for_each(|e| *e *= ratio);
            }
        }
        adapted
    }

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
        between("run.training.gradient_noise", self.gradient_noise.unwrap_or(1.0), 0.0, 1e6)?;
        if let Some(LargeBatch { reference, rate_power, .. }) = self.large_batch {
            between("run.training.large_batch.reference", reference as f64, 0.0, self.batch as f64)?;
            between("run.training.large_batch.rate_power", rate_power, -1e-300, 1.0)?;
        }
        match &self.schedule {
            Schedule::Exponential { last } => between("run.training.schedule.last", *last, 0.0, self.rate)?,
            Schedule::Steps { factor, .. } => between("run.training.schedule.factor", *factor, 0.0, 1.0)?,
            Schedule::Constant => {}
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
