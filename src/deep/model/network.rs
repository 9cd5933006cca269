use super::{Activation, ModelConfig, Normalization, Parameter, Role, Rounding, Weights};
use crate::deep::op::{
    AveragePool, Batch, BatchNorm, Bias, Bifurcated, Bifurcation, Convolution, GradientRounding, MaxPool, Moments,
    Probe, Quantize, Relu, Scale, Sign, Storage, Sum, View, WeightNorm, apply, binarized, constant, frozen, leaf,
    linear, mean_range, normalize, rounded, values, view,
};
use crate::deep::quantize::Affine;
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

    /// γ or β, as a normalisation uses it.
    fn of_norm(&self, index: usize) -> Storage {
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

/// One way through a network: in training with a seed for what is drawn at random, at test time without.
pub struct Pass<'a> {
    network: &'a Network,
    seed: Option<u64>,
    draws: Cell<u64>,
    /// The parameters as leaves of the graph.
    pub leaves: Vec<Batch>,
    /// The statistics of each normalisation that was passed in training.
    pub moments: RefCell<Vec<(usize, GhostMoments)>>,
    /// Where asked for, of every layer with weights its inputs, and a probe on its outputs.
    pub probes: Option<RefCell<Vec<(Vec<f32>, Probe)>>>,
}

impl<'a> Pass<'a> {
    /// A pass; `seed` makes it one of training.
    pub fn new(network: &'a Network, seed: Option<u64>) -> Self {
        let mut pass =
            Self { network, seed, draws: Cell::new(0), leaves: vec![], moments: RefCell::default(), probes: None };
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
            (Role::Weight, _) => match self.network.config.quantization.and_then(|q| q.weights) {
                Some(bits) => make(&rounded(&parameter.values, bits)),
                None => make(&parameter.values),
            },
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
            Layer::Linear { weight, bias } => {
                self.biased(self.probed(&x, linear(&x, &self.weight(*weight), self.forks())), *bias)
            }
            Layer::Convolution { weight, bias, operation } => {
                let layer = Bifurcated { layer: *operation, gradients: self.forks() };
                self.biased(self.probed(&x, apply(layer, [&x, &self.weight(*weight)])), *bias)
            }
            Layer::Normalize { gamma, beta, running } => self.normalize(&x, (*gamma, *beta, *running)),
            Layer::Quantize { running, normalization } => self.quantize(x, *running, *normalization),
            Layer::Activate => self.activate(&x),
            Layer::MaxPool(pool) => apply(*pool, [&x]),
            Layer::AveragePool => apply(AveragePool, [&x]),
            Layer::Residual { body, shortcut } => {
                apply(Sum, [&self.through(body, x.clone()), &self.through(shortcut, x)])
            }
        }
    }

    /// The outputs y of a layer with inputs x, and a probe on them where one is asked for.
    fn probed(&self, x: &Batch, y: Batch) -> Batch {
        let Some(probes) = &self.probes else { return y };
        let probe = Probe::default();
        probes.borrow_mut().push((values(x), probe.clone()));
        apply(probe, [&y])
    }

    /// How the gradient of a layer is rounded, with fresh draws.
    fn forks(&self) -> Bifurcation {
        let Some(q) = self.network.config.quantization else { return Bifurcation::default() };
        let one = |bits: Option<u32>| {
            let seed = || if q.rounding == Rounding::Stochastic { self.draw() } else { None };
            bits.map(|bits| GradientRounding { bits, seed: seed() })
        };
        Bifurcation { passed: one(q.gradients), weights: one(q.weight_gradients) }
    }

    /// Rounds over the range of the batch; at test time over the running one.
    fn quantize(&self, x: Batch, running: usize, normalization: bool) -> Batch {
        let bits = |q: super::Quantization| if normalization { q.normalization } else { q.activations };
        let Some(bits) = self.network.config.quantization.and_then(bits) else { return x };
        let stored = &self.network.running[running];
        let mut range = [stored.mean[0], stored.variance[0]];
        if self.seed.is_some() {
            range = mean_range(View { shape: x.dims(), values: &values(&x) });
            self.moments.borrow_mut().push((running, Arc::new(vec![Moments::of_range(range)].into())));
        }
        apply(Quantize(Affine::of_range(range[0], range[1], bits)), [&x])
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

    /// γ or β in the graph.
    fn of_norm(&self, index: usize) -> Batch {
        let leaf = &self.leaves[index];
        match self.network.config.quantization.and_then(|q| q.normalization) {
            Some(bits) => {
                let affine = Affine::of_values(self.network.parameters[index].numbers(), bits);
                apply(Quantize(affine), [leaf])
            }
            None => leaf.clone(),
        }
    }

    fn normalize(&self, x: &Batch, (gamma, beta, running): (usize, usize, usize)) -> Batch {
        if self.seed.is_some() {
            let norm = self.network.norm();
            self.moments.borrow_mut().push((running, norm.moments.clone()));
            let [gamma, beta] = [gamma, beta].map(|i| self.of_norm(i));
            return apply(norm, [x, &gamma, &beta]);
        }
        let scale = self.network.test_scale(gamma, running);
        normalize(x, &self.network.running[running].mean, &scale, view(&self.network.of_norm(beta)).values)
    }
}
