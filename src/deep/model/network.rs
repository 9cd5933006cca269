use super::{Activation, ModelConfig, Normalization, Parameter, Role, Weights};
use crate::deep::op::{
    AveragePool, Batch, BatchNorm, Bias, Convolution, MaxPool, Moments, Relu, Scale, Sign, Sum, WeightNorm, apply,
    binarized, constant, frozen, leaf, linear, normalize, values,
};
use crate::math::random::Stream;
use std::cell::{Cell, RefCell};
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

/// Running statistics of a normalisation.
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
type GhostMoments = Arc<OnceLock<Vec<Moments>>>;

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

    /// γ/σ of a normalisation at test time.
    pub fn test_scale(&self, gamma: usize, running: usize) -> Vec<f32> {
        let (norm, gamma) = (self.norm(), self.parameters[gamma].numbers());
        gamma.iter().zip(&self.running[running].variance).map(|(g, v)| norm.gain(*g) * norm.inverse(*v)).collect()
    }
}

/// One way through a network: in training with a seed for what is drawn at random, at test time without.
pub struct Pass<'a> {
    network: &'a Network,
    seed: Option<u64>,
    draws: Cell<u64>,
    /// The parameters as leaves of the graph.
    pub leaves: Vec<Batch>,
    /// The statistics of each normalisation that was passed in training.
    pub moments: RefCell<Vec<(usize, GhostMoments)>>,
}

impl<'a> Pass<'a> {
    /// A pass; `seed` makes it one of training.
    pub fn new(network: &'a Network, seed: Option<u64>) -> Self {
        let mut pass = Self { network, seed, draws: Cell::new(0), leaves: vec![], moments: RefCell::default() };
        pass.leaves = network.parameters.iter().map(|p| pass.leaf(p)).collect();
        pass
    }

    /// What a parameter is in this pass. Of latent weights it is the binary ones: the gradient with respect to them is what
    /// moves the latent ones (hubara2016, algorithm 1), without a window.
    fn leaf(&self, parameter: &Parameter) -> Batch {
        let make = if self.seed.is_some() { leaf } else { frozen };
        match (parameter.role, self.network.config.weights) {
            (Role::Latent, Weights::BinaryStochastic) => make(&binarized(&parameter.values, self.draw())),
            (Role::Latent, _) => make(&binarized(&parameter.values, None)),
            (Role::Fixed, _) => frozen(&parameter.values),
            _ => make(&parameter.values),
        }
    }

    /// The outputs `[N, classes, 1, 1]` of inputs `[N, C, H, W]`.
    pub fn run(&self, inputs: Batch) -> Batch {
        self.through(&self.network.layers, inputs)
    }

    fn through(&self, layers: &[Layer], x: Batch) -> Batch {
        layers.iter().fold(x, |x, layer| self.layer(layer, x))
    }

    fn layer(&self, layer: &Layer, x: Batch) -> Batch {
        match layer {
            Layer::Linear { weight, bias } => self.biased(linear(&x, &self.weight(*weight)), *bias),
            Layer::Convolution { weight, bias, operation } => {
                self.biased(apply(*operation, [&x, &self.weight(*weight)]), *bias)
            }
            Layer::Normalize { gamma, beta, running } => self.normalize(&x, (*gamma, *beta, *running)),
            Layer::Activate => self.activate(&x),
            Layer::MaxPool(pool) => apply(*pool, [&x]),
            Layer::AveragePool => apply(AveragePool, [&x]),
            Layer::Residual { body, shortcut } => {
                apply(Sum, [&self.through(body, x.clone()), &self.through(shortcut, x)])
            }
        }
    }

    fn weight(&self, index: usize) -> Batch {
        match self.network.parameters[index].gain {
            Some(gain) => apply(WeightNorm, [&self.leaves[index], &self.leaves[gain]]),
            None => self.leaves[index].clone(),
        }
    }

    fn biased(&self, y: Batch, bias: Option<usize>) -> Batch {
        match bias {
            Some(b) => apply(Bias, [&y, &self.leaves[b]]),
            None => y,
        }
    }

    fn activate(&self, x: &Batch) -> Batch {
        let window = self.network.config.window;
        match self.network.config.activation {
            Activation::Relu => apply(Relu, [x]),
            Activation::Sign => apply(Sign { window, seed: None }, [x]),
            Activation::SignStochastic => apply(Sign { window, seed: self.draw() }, [x]),
        }
    }

    /// A fresh seed for each random operation of a training pass.
    fn draw(&self) -> Option<u64> {
        let seed = self.seed?;
        self.draws.set(self.draws.get() + 1);
        Some(Stream::seed(seed, &["draw", &self.draws.get().to_string()]))
    }

    fn normalize(&self, x: &Batch, (gamma, beta, running): (usize, usize, usize)) -> Batch {
        if self.seed.is_some() {
            let norm = self.network.norm();
            self.moments.borrow_mut().push((running, norm.moments.clone()));
            return apply(norm, [x, &self.leaves[gamma], &self.leaves[beta]]);
        }
        let scale = self.network.test_scale(gamma, running);
        normalize(x, &self.network.running[running].mean, &scale, self.network.parameters[beta].numbers())
    }
}
