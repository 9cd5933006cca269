use super::network::GhostMoments;
use super::{Activation, Layer, Network, Parameter, Quantization, Role, Rounding, Weights};
use crate::deep::op::{
    AveragePool, Batch, Bias, Bifurcated, Bifurcation, GradientRounding, Moments, Probe, Quantize, Relu, Sign, Sum,
    View, WeightNorm, apply, binarized, frozen, leaf, linear, mean_range, normalize, rounded, values, view,
};
use crate::deep::quantize::Affine;
use crate::math::random::Stream;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// The inputs of a layer, and a probe on its outputs.
type Probes = Vec<(Vec<f32>, Probe)>;

/// One way through a network: in training with a seed for what is drawn at random, at test time without.
pub struct Pass<'a> {
    network: &'a Network,
    seed: Option<u64>,
    /// Whether gradients can be taken.
    tracked: bool,
    draws: Cell<u64>,
    /// The parameters as leaves of the graph.
    pub leaves: Vec<Batch>,
    /// The statistics of each normalisation that was passed in training.
    pub moments: RefCell<Vec<(usize, GhostMoments)>>,
    /// Where asked for, of every layer with weights its inputs, and a probe on its outputs.
    pub probes: Option<RefCell<Probes>>,
}

impl<'a> Pass<'a> {
    /// A pass; `seed` makes it one of training.
    pub fn new(network: &'a Network, seed: Option<u64>) -> Self {
        Self::with(network, seed, seed.is_some())
    }

    /// A pass of training whose outputs alone are wanted: Burn frees a graph in its backward pass and not before.
    pub fn without_gradients(network: &'a Network, seed: u64) -> Self {
        Self::with(network, Some(seed), false)
    }

    fn with(network: &'a Network, seed: Option<u64>, tracked: bool) -> Self {
        let (draws, leaves, moments) = (Cell::new(0), vec![], RefCell::default());
        let mut pass = Self { network, seed, tracked, draws, leaves, moments, probes: None };
        pass.leaves = network.parameters.iter().map(|p| pass.leaf(p)).collect();
        pass
    }

    /// What a parameter is in this pass. Of latent weights it is the binary ones: the gradient with respect to them is what
    /// moves the latent ones (hubara2016, algorithm 1), without a window.
    fn leaf(&self, parameter: &Parameter) -> Batch {
        let make = if self.tracked { leaf } else { frozen };
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
        let bits = |q: Quantization| if normalization { q.normalization } else { q.activations };
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
