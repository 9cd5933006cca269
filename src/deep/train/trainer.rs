use super::batches::Set;
use super::config::{Loss, TrainingConfig};
use super::optimizer::{Norms, Optimizer};
use crate::deep::model::{Network, Pass, Role};
use crate::deep::op::{Batch, CrossEntropy, SquaredHinge, Storage, apply, gradient, values};
use crate::math::random::Stream;
use crate::math::sums::largest;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Pictures that are predicted together.
const TEST_BATCH: usize = 500;

/// A network in training.
#[derive(Debug, Clone)]
pub struct Trainer {
    /// The network.
    pub network: Network,
    /// The optimiser's state.
    pub optimizer: Optimizer,
    /// Epochs done.
    pub epoch: usize,
    /// Root of every random stream of the training.
    pub seed: u64,
    /// Norms that steer it instead of weight decay.
    pub norms: Option<Norms>,
}

/// What an epoch of training gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Mean loss over its batches, as they were passed.
    pub loss: f64,
    /// Fraction of misclassified training pictures, as they were passed.
    pub error: f64,
    /// Learning rate.
    pub rate: f64,
    /// Fraction of latent weights whose sign changed over the epoch, where there are any.
    pub flips: Option<f64>,
}

/// How far an epoch is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Epochs done.
    pub epoch: usize,
    /// Pictures passed in this epoch.
    pub pictures: usize,
    /// Of how many.
    pub of: usize,
    /// Loss of the batch before.
    pub loss: f64,
}

/// How an epoch ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// All batches were passed.
    Done(Epoch),
    /// The loss stopped being finite.
    Diverged,
    /// The caller asked to stop; the epoch counts for nothing.
    Interrupted,
}

impl Trainer {
    /// At the start.
    pub fn new(network: Network, seed: u64) -> Self {
        Self { optimizer: Optimizer::new(&network.parameters), network, epoch: 0, seed, norms: None }
    }

    /// One step on a batch: loss and outputs before it. Parameters stay as they are if the loss is not finite.
    pub fn step(
        &mut self,
        inputs: Batch,
        labels: &Arc<Vec<u8>>,
        rate: f64,
        config: &TrainingConfig,
    ) -> (f32, Vec<f32>) {
        let draws = Stream::seed(self.seed, &["step", &self.optimizer.steps.to_string()]);
        let pass = Pass::new(&self.network, Some(draws));
        let outputs = pass.run(inputs);
        let scores = values(&outputs);
        let loss = match config.loss {
            Loss::CrossEntropy => {
                let noise = config.gradient_noise.map(|sigma| noise(sigma, labels.len(), draws));
                apply(CrossEntropy { labels: labels.clone(), noise }, [&outputs])
            }
            Loss::SquaredHinge => apply(SquaredHinge { labels: labels.clone() }, [&outputs]),
        };
        let found = values(&loss)[0];
        if !found.is_finite() {
            return (found, scores);
        }
        let mut gradients = loss.backward();
        let gradients: Vec<Option<Storage>> = pass.leaves.iter().map(|l| gradient(l, &mut gradients)).collect();
        let moments = pass.moments.take();
        drop((pass, outputs));
        self.network.update(&moments);
        self.optimizer.step(&mut self.network.parameters, &gradients, rate, config, self.norms.as_ref());
        (found, scores)
    }

    /// One epoch; `watch` sees the network before every step, and says whether to go on.
    pub fn epoch(
        &mut self,
        set: &Set,
        config: &TrainingConfig,
        watch: &mut dyn FnMut(&Network, Progress) -> ControlFlow<()>,
    ) -> Status {
        let (rate, before) = (config.rate(self.epoch), self.clone());
        let (mut loss, mut last, mut wrong, mut passed) = (0.0, f64::NAN, 0, 0);
        let changes = Stream::seed(self.seed, &["changes", &self.epoch.to_string()]);
        for batch in set.batches(config.batch, self.seed, self.epoch) {
            let progress = Progress { epoch: self.epoch, pictures: passed, of: set.len(), loss: last };
            if watch(&self.network, progress).is_break() {
                *self = before;
                return Status::Interrupted;
            }
            let (pixels, labels) = set.take(&batch, config.augment.then_some(changes));
            let (value, scores) = self.step(self.network.inputs(&pixels), &labels, rate, config);
            if !value.is_finite() {
                return Status::Diverged;
            }
            last = f64::from(value);
            loss += last * batch.len() as f64;
            wrong += count_wrong(&scores, &labels);
            passed += batch.len();
        }
        self.epoch += 1;
        let flips = flips(&before.network, &self.network);
        Status::Done(Epoch { loss: loss / passed as f64, error: wrong as f64 / passed as f64, rate, flips })
    }
}

/// Factors N(1, σ²) on the gradients of a batch's samples.
fn noise(sigma: f64, samples: usize, seed: u64) -> Arc<Vec<f32>> {
    let mut stream = Stream::new(seed, &["gradient noise"]);
    Arc::new((0..samples).map(|_| (1.0 + sigma * stream.normal()) as f32).collect())
}

fn flips(before: &Network, after: &Network) -> Option<f64> {
    let (mut flipped, mut total) = (0, 0);
    for (a, b) in before.parameters.iter().zip(&after.parameters).filter(|(a, _)| a.role == Role::Latent) {
        flipped += a.numbers().iter().zip(b.numbers()).filter(|(a, b)| (**a >= 0.0) != (**b >= 0.0)).count();
        total += a.numbers().len();
    }
    (total > 0).then(|| flipped as f64 / total as f64)
}

/// The class of every row of scores.
fn classes(scores: &[f32], classes: usize) -> Vec<u8> {
    scores.chunks_exact(classes).map(|row| largest(row) as u8).collect()
}

fn count_wrong(scores: &[f32], labels: &[u8]) -> usize {
    classes(scores, scores.len() / labels.len()).iter().zip(labels).filter(|(found, label)| found != label).count()
}

/// The cross-entropy of a batch, normalised by its own statistics as in training.
pub fn batch_loss(network: &Network, pixels: &[u8], labels: &Arc<Vec<u8>>) -> f32 {
    let outputs = Pass::without_gradients(network, 0).run(network.inputs(pixels));
    values(&apply(CrossEntropy { labels: labels.clone(), noise: None }, [&outputs]))[0]
}

/// The class of every picture, at test time.
pub fn predictions(network: &Network, set: &Set) -> Vec<u8> {
    let size: usize = set.picture().iter().product();
    let batch = |pixels: &[u8]| {
        let scores = network.predict(network.inputs(pixels));
        classes(&scores, scores.len() * size / pixels.len())
    };
    set.pictures.images.pixels.chunks(TEST_BATCH * size).flat_map(batch).collect()
}

/// The fraction of pictures that are misclassified at test time.
pub fn error_rate(network: &Network, set: &Set) -> f64 {
    let found = predictions(network, set);
    found.iter().zip(&set.pictures.labels).filter(|(found, label)| found != label).count() as f64 / set.len() as f64
}
