use super::pass::Pass;
use super::{ModelConfig, Normalization, Parameter};
use crate::deep::op::{
    Batch, BatchNorm, Convolution, MaxPool, Moments, Scale, Storage, constant, rounded, values, view,
};
use std::sync::{Arc, OnceLock};

/// A layer; numbers are indices of parameters or of running statistics.
#[derive(Debug, Clone)]
pub enum Layer {
    /// x·Wᵀ + b over all of a sample's numbers.
    Linear {
        /// W.
        weight: usize,
        /// b.
        bias: Option<usize>,
    },
    /// Convolution, and b for every channel.
    Convolution {
        /// W.
        weight: usize,
        /// b.
        bias: Option<usize>,
        /// Stride and padding.
        operation: Convolution,
    },
    /// Normalisation; γ, β and the running statistics.
    Normalize {
        /// γ.
        gamma: usize,
        /// β.
        beta: usize,
        /// Mean and variance at test time.
        running: usize,
    },
    /// Rounding of what comes next, where the network is trained with few bits.
    Quantize {
        /// Least and largest number at test time.
        running: usize,
        /// A normalisation comes next, and not a product with weights.
        normalization: bool,
    },
    /// The configured activation.
    Activate,
    /// Max-pooling.
    MaxPool(MaxPool),
    /// The mean of every channel.
    AveragePool,
    /// The sum of two branches.
    Residual {
        /// One.
        body: Vec<Layer>,
        /// The other; empty for the identity.
        shortcut: Vec<Layer>,
    },
}

/// Running statistics of a normalisation, or in place of mean and variance the range of a quantiser.
#[derive(Debug, Clone)]
pub struct Running {
    /// The layer's name, e.g. `bn1`.
    pub name: String,
    /// Running means.
    pub mean: Vec<f32>,
    /// Running squared scales; of variances the unbiased ones.
    pub variance: Vec<f32>,
}

/// A network with its parameters.
#[derive(Debug, Clone)]
pub struct Network {
    /// What it was made from.
    pub config: ModelConfig,
    /// C, H, W of its inputs.
    pub picture: [usize; 3],
    /// Its layers, in order.
    pub layers: Vec<Layer>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its running statistics.
    pub running: Vec<Running>,
}

/// The statistics of the ghost batches of a normalisation.
pub(super) type GhostMoments = Arc<OnceLock<Vec<Moments>>>;

/// How much of a batch's statistics enters the running ones.
const MOMENTUM: f32 = 0.1;

impl Network {
    /// Number of trainable numbers.
    pub fn size(&self) -> usize {
        self.parameters.iter().map(|p| p.numbers().len()).sum()
    }

    /// The inputs of 8-bit pictures: pixels p as (2p − 255)/255; of binary nets as the integers 2p − 255, which are exact.
    pub fn inputs(&self, pixels: &[u8]) -> Batch {
        let scale = if self.config.is_binary() { 1.0 } else { 1.0 / 255.0 };
        let [c, h, w] = self.picture;
        let values = pixels.iter().map(|p| (2.0 * f32::from(*p) - 255.0) * scale).collect();
        constant([pixels.len() / (c * h * w), c, h, w], values)
    }

    /// The outputs at test time, one row a sample.
    pub fn predict(&self, inputs: Batch) -> Vec<f32> {
        values(&Pass::new(self, None).run(inputs))
    }

    /// Takes over a batch's statistics, one ghost batch after the other: as if they were batches (hoffer2017's code; the formula
    /// of its algorithm 1 has weights that do not sum to one).
    pub fn update(&mut self, moments: &[(usize, GhostMoments)]) {
        let mix = |old: &mut [f32], new: &[f32], factor: f32| {
            old.iter_mut().zip(new).for_each(|(o, n)| *o += MOMENTUM * (factor * n - *o));
        };
        for (index, moments) in moments {
            let running = &mut self.running[*index];
            for ghost in moments.get().into_iter().flatten() {
                mix(&mut running.mean, &ghost.mean, 1.0);
                mix(&mut running.variance, &ghost.variance, ghost.correction);
            }
        }
    }

    /// The normalisation of this network.
    pub fn norm(&self) -> BatchNorm {
        let ModelConfig { normalization, statistic, scale_factor, half, half_scale, eps, ghost, .. } = self.config;
        let half = half.map(|h| (h, half_scale.unwrap_or(1.0)));
        let scale = match normalization {
            Normalization::ShiftBatch => Scale::ShiftBased,
            Normalization::MeanOnly => Scale::One,
            Normalization::Batch | Normalization::None => {
                Scale::Of { statistic, factor: scale_factor.unwrap_or(1.0), half }
            }
        };
        BatchNorm { eps, scale, ghost, moments: Arc::default() }
    }

    /// γ or β, as a normalisation uses it.
    pub(super) fn of_norm(&self, index: usize) -> Storage {
        let values = &self.parameters[index].values;
        let bits = self.config.quantization.and_then(|q| q.normalization);
        bits.map_or_else(|| values.clone(), |bits| rounded(values, bits))
    }

    /// γ/σ of a normalisation at test time.
    pub fn test_scale(&self, gamma: usize, running: usize) -> Vec<f32> {
        let (norm, gamma) = (self.norm(), self.of_norm(gamma));
        view(&gamma)
            .values
            .iter()
            .zip(&self.running[running].variance)
            .map(|(g, v)| norm.gain(*g) * norm.inverse(*v))
            .collect()
    }
}
