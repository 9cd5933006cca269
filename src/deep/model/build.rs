use super::{Architecture, Layer, ModelConfig, Network, Normalization, Parameter, Parametrization, Role, Running};
use crate::deep::op::{Convolution, MaxPool};
use crate::math::random::Stream;

/// Classes of every data set here.
pub const CLASSES: usize = 10;

/// Puts layers together, and keeps the shape that leaves them.
struct Builder<'a> {
    network: Network,
    shape: [usize; 3],
    seed: u64,
    config: &'a ModelConfig,
    biased: bool,
}

impl Network {
    /// A network for C×H×W pictures, its weights drawn from the seed: latent weights uniform in [−1, 1], real ones normal with
    /// variance 2/fan-in (He et al. 2015); γ = 1, all else 0.
    pub fn new(config: &ModelConfig, picture: [usize; 3], seed: u64) -> Self {
        let network = Self { config: config.clone(), picture, layers: vec![], parameters: vec![], running: vec![] };
        // A normalisation right after a layer makes its bias idle; MLP and LeNet have them as PyTorch's have by default.
        let plain = matches!(config.network, Architecture::Mlp { .. } | Architecture::Lenet { .. });
        let biased = !config.is_binary() && plain || config.normalization == Normalization::None;
        let mut builder = Builder { network, shape: picture, seed, config, biased };
        builder.network.layers = builder.all();
        builder.reparametrize();
        builder.network
    }
}

/// The weights of layers that a normalisation or an activation follows.
fn hidden(layers: &[Layer]) -> Vec<usize> {
    let (mut found, mut last) = (vec![], None);
    for layer in layers {
        match layer {
            Layer::Linear { weight, .. } | Layer::Convolution { weight, .. } => last = Some(*weight),
            Layer::Normalize { .. } | Layer::Activate => found.extend(last.take()),
            Layer::Residual { body, shortcut } => found.extend([body, shortcut].into_iter().flat_map(|l| hidden(l))),
            Layer::Quantize { .. } | Layer::MaxPool(_) | Layer::AveragePool => {}
        }
    }
    found
}

impl Builder<'_> {
    /// Marks the weights whose norms do not matter, and adds the norms of a parametrisation.
    fn reparametrize(&mut self) {
        let config = self.config;
        let divided = matches!(config.normalization, Normalization::Batch | Normalization::ShiftBatch);
        for weight in hidden(&self.network.layers) {
            let role = match config.parametrization {
                Parametrization::Plain => {
                    self.network.parameters[weight].normalized = divided;
                    continue;
                }
                Parametrization::WeightNorm => Role::Other,
                Parametrization::BoundedWeightNorm => Role::Fixed,
            };
            let gain = self.network.parameters.len();
            let parameter = &mut self.network.parameters[weight];
            (parameter.normalized, parameter.gain) = (true, Some(gain));
            let (mut norms, name) = (parameter.norms(), format!("{}_g", parameter.name));
            if role == Role::Fixed {
                let mean = norms.iter().map(|n| n * n).sum::<f32>() / norms.len() as f32;
                norms.fill(mean.sqrt());
            }
            self.add(name, role, vec![norms.len()], norms);
        }
    }

    fn all(&mut self) -> Vec<Layer> {
        match &self.config.network {
            Architecture::Mlp { hidden } => self.dense(hidden, 1, 1),
            Architecture::Lenet { channels: [first, second], hidden } => {
                let mut layers = self.conv_block(1, *first, 5, 0, true);
                layers.extend(self.conv_block(2, *second, 5, 0, true));
                layers.extend(self.dense(&[*hidden], 1, 3));
                layers
            }
            Architecture::VggSmall { width } => {
                let mut layers = vec![];
                for i in 0..6 {
                    layers.extend(self.conv_block(i + 1, width << (i / 2), 3, 1, i % 2 == 1));
                }
                layers.extend(self.dense(&[8 * width, 8 * width], 1, 7));
                layers
            }
            Architecture::Resnet { depth, width } => self.resnet((depth - 2) / 6, *width),
        }
    }

    /// Hidden layers fc{first}, … with bn{norm}, …, and the output layer.
    fn dense(&mut self, hidden: &[usize], first: usize, norm: usize) -> Vec<Layer> {
        let mut layers = vec![];
        for (i, width) in hidden.iter().enumerate() {
            layers.extend(self.linear(&format!("fc{}", first + i), *width, self.biased));
            layers.extend(self.norm(&format!("bn{}", norm + i)));
            layers.push(Layer::Activate);
        }
        let last = hidden.len();
        let normalized = self.config.normalize_output && self.config.normalization != Normalization::None;
        layers.extend(self.linear(&format!("fc{}", first + last), CLASSES, self.biased || !normalized));
        if normalized {
            layers.extend(self.norm(&format!("bn{}", norm + last)));
        }
        layers
    }

    /// Convolution, max-pooling, normalisation, activation: binary nets pool before they normalise, and the order of pooling and
    /// an increasing normalisation does not matter to the others.
    fn conv_block(&mut self, index: usize, channels: usize, k: usize, padding: usize, pool: bool) -> Vec<Layer> {
        let mut layers = self.convolution(&format!("conv{index}"), channels, k, (1, padding));
        let pooling = pool.then_some(Layer::MaxPool(MaxPool { size: 2 }));
        let binary = self.config.is_binary();
        if let (Some(pooling), true) = (&pooling, binary) {
            layers.push(pooling.clone());
            self.halve();
        }
        layers.extend(self.norm(&format!("bn{index}")));
        layers.push(Layer::Activate);
        if let (Some(pooling), false) = (pooling, binary) {
            layers.push(pooling);
            self.halve();
        }
        layers
    }

    fn halve(&mut self) {
        self.shape[1] /= 2;
        self.shape[2] /= 2;
    }

    fn resnet(&mut self, blocks: usize, width: usize) -> Vec<Layer> {
        let mut layers = self.convolution("conv1", width, 3, (1, 1));
        layers.extend(self.norm("bn1"));
        layers.push(Layer::Activate);
        for stage in 0..3 {
            for block in 0..blocks {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                layers.push(self.block(&format!("layer{}.{block}", stage + 1), width << stage, stride));
                layers.push(Layer::Activate);
            }
        }
        layers.push(Layer::AveragePool);
        self.shape = [self.shape[0], 1, 1];
        layers.extend(self.linear("fc", CLASSES, true));
        layers
    }

    fn block(&mut self, name: &str, channels: usize, stride: usize) -> Layer {
        let before = self.shape;
        let mut body = self.convolution(&format!("{name}.conv1"), channels, 3, (stride, 1));
        body.extend(self.norm(&format!("{name}.bn1")));
        body.push(Layer::Activate);
        body.extend(self.convolution(&format!("{name}.conv2"), channels, 3, (1, 1)));
        body.extend(self.norm(&format!("{name}.bn2")));
        let after = std::mem::replace(&mut self.shape, before);
        let mut shortcut = vec![];
        if before != after {
            shortcut.extend(self.convolution(&format!("{name}.downsample.0"), channels, 1, (stride, 0)));
            shortcut.extend(self.norm(&format!("{name}.downsample.1")));
        }
        self.shape = after;
        Layer::Residual { body, shortcut }
    }

    fn linear(&mut self, name: &str, outputs: usize, biased: bool) -> Vec<Layer> {
        let inputs = self.shape.iter().product();
        self.shape = [outputs, 1, 1];
        let weight = self.weight(name, vec![outputs, inputs]);
        let layer = Layer::Linear { weight, bias: self.bias(name, outputs, biased) };
        self.quantizer(name, false).into_iter().chain([layer]).collect()
    }

    fn convolution(&mut self, name: &str, outputs: usize, k: usize, (stride, padding): (usize, usize)) -> Vec<Layer> {
        let [channels, h, w] = self.shape;
        let out = |n: usize| (n + 2 * padding - k) / stride + 1;
        self.shape = [outputs, out(h), out(w)];
        let weight = self.weight(name, vec![outputs, channels, k, k]);
        let bias = self.bias(name, outputs, self.biased);
        let layer = Layer::Convolution { weight, bias, operation: Convolution { stride, padding } };
        self.quantizer(name, false).into_iter().chain([layer]).collect()
    }

    /// The rounding in front of a layer or a normalisation.
    fn quantizer(&mut self, name: &str, normalization: bool) -> Option<Layer> {
        self.config.quantization?;
        self.network.running.push(Running { name: format!("{name}.input"), mean: vec![0.0], variance: vec![1.0] });
        Some(Layer::Quantize { running: self.network.running.len() - 1, normalization })
    }

    fn norm(&mut self, name: &str) -> Vec<Layer> {
        let channels = self.shape[0];
        if self.config.normalization == Normalization::None {
            return vec![];
        }
        let role = if self.config.normalization == Normalization::MeanOnly { Role::Fixed } else { Role::Other };
        let gamma = self.add(format!("{name}.weight"), role, vec![channels], vec![1.0; channels]);
        let beta = self.add(format!("{name}.bias"), Role::Other, vec![channels], vec![0.0; channels]);
        let running = Running { name: name.into(), mean: vec![0.0; channels], variance: vec![1.0; channels] };
        self.network.running.push(running);
        let layer = Layer::Normalize { gamma, beta, running: self.network.running.len() - 1 };
        self.quantizer(name, true).into_iter().chain([layer]).collect()
    }

    fn weight(&mut self, name: &str, shape: Vec<usize>) -> usize {
        let (count, fan_in) = (shape.iter().product(), shape.iter().skip(1).product::<usize>());
        let mut stream = Stream::new(self.seed, &["weights", name]);
        let (role, values): (_, Vec<f32>) = if self.config.is_binary() {
            (Role::Latent, (0..count).map(|_| (2.0 * stream.uniform() - 1.0) as f32).collect())
        } else {
            let scale = (2.0 / fan_in as f64).sqrt();
            (Role::Weight, (0..count).map(|_| (scale * stream.normal()) as f32).collect())
        };
        self.add(format!("{name}.weight"), role, shape, values)
    }

    fn bias(&mut self, name: &str, count: usize, biased: bool) -> Option<usize> {
        biased.then(|| self.add(format!("{name}.bias"), Role::Other, vec![count], vec![0.0; count]))
    }

    fn add(&mut self, name: String, role: Role, shape: Vec<usize>, values: Vec<f32>) -> usize {
        self.network.parameters.push(Parameter::new(name, role, shape, values));
        self.network.parameters.len() - 1
    }
}
