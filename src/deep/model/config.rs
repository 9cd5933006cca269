use super::Quantization;
use crate::deep::normalize::{HalfPrecision, Statistic};
use crate::error::{InputError, Result, between, is_default};
use serde::{Deserialize, Serialize};

/// Which network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its shape.
    pub network: Architecture,
    /// What weights are in the forward pass.
    #[serde(default)]
    pub weights: Weights,
    /// Between layers.
    #[serde(default)]
    pub activation: Activation,
    /// Whether the straight-through estimator cancels the gradient where |x| > 1.
    #[serde(default = "yes")]
    pub window: bool,
    /// After every layer but the last.
    #[serde(default)]
    pub normalization: Normalization,
    /// Normalise the last layer's outputs, too (binary nets need it).
    #[serde(default)]
    pub normalize_output: bool,
    /// ε of the normalisation.
    #[serde(default = "default_eps")]
    pub eps: f32,
    /// What batch normalisation divides by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub statistic: Statistic,
    /// Factor on the published constant of the statistic; default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_factor: Option<f64>,
    /// Compute the statistic in half precision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half: Option<HalfPrecision>,
    /// What inputs of the statistic are multiplied by when it is computed in half precision, and it is divided by again; default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_scale: Option<f32>,
    /// Samples that are normalised together (ghost batch normalisation); default the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ghost: Option<usize>,
    /// How the weights of hidden layers are parametrised.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parametrization: Parametrization,
    /// Train with few bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Quantization>,
}

/// The shape of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "architecture", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Architecture {
    /// Fully connected.
    Mlp {
        /// Widths of the hidden layers.
        hidden: Vec<usize>,
    },
    /// Two 5×5 convolutions, each with 2×2 max-pooling, and two linear layers.
    Lenet {
        /// Channels of the convolutions.
        #[serde(default = "lenet_channels")]
        channels: [usize; 2],
        /// Width of the hidden linear layer.
        #[serde(default = "lenet_hidden")]
        hidden: usize,
    },
    /// The ConvNet of hubara2016 for CIFAR-10: 2×(w C3)-P2-2×(2w C3)-P2-2×(4w C3)-P2-2×(8w FC)-10, w = 128 in the paper.
    VggSmall {
        /// w.
        width: usize,
    },
    /// CIFAR-style residual network of depth 6n + 2 with 16, 32 and 64 channels (times `width`/16), 1×1 shortcuts.
    Resnet {
        /// 8, 20, 44, …
        depth: usize,
        /// Channels of the first stage.
        #[serde(default = "resnet_width")]
        width: usize,
    },
}

/// Weights in the forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// As they are.
    #[default]
    Real,
    /// Their signs; the latent weights are trained.
    Binary,
    /// Signs drawn at random in training, deterministic at test time.
    BinaryStochastic,
}

/// Activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(0, x).
    #[default]
    Relu,
    /// The sign, with the straight-through estimator.
    Sign,
    /// A sign drawn at random in training, deterministic at test time.
    SignStochastic,
}

/// Normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Batch normalisation.
    #[default]
    Batch,
    /// Shift-based batch normalisation (hubara2016, algorithm 3).
    ShiftBatch,
    /// Only the mean is subtracted, and a shift added.
    MeanOnly,
    /// None; layers have biases.
    None,
}

/// How the weights of hidden layers are parametrised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrization {
    /// By themselves.
    #[default]
    Plain,
    /// w = g·v/‖v‖ for every output, g and v trained: weight normalisation (Salimans & Kingma 2016).
    WeightNorm,
    /// w = ρ·v/‖v‖ for every output, ρ the root mean square norm of the layer's outputs at the start: bounded weight
    /// normalisation (hoffer2018, section 5).
    BoundedWeightNorm,
}

impl ModelConfig {
    /// A network with the defaults.
    pub fn new(network: Architecture) -> Self {
        Self {
            network,
            weights: Weights::default(),
            activation: Activation::default(),
            window: true,
            normalization: Normalization::default(),
            normalize_output: false,
            eps: default_eps(),
            statistic: Statistic::default(),
            scale_factor: None,
            half: None,
            half_scale: None,
            ghost: None,
            parametrization: Parametrization::default(),
            quantization: None,
        }
    }

    /// Whether the weights are binary.
    pub fn is_binary(&self) -> bool {
        self.weights != Weights::Real
    }

    /// An error unless the numbers are usable, for pictures of C×H×W where that is known.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self, picture: Option<[usize; 3]>) -> Result<()> {
        let range = |field: &str, v: usize, low: usize, high: usize| {
            let remedy = "Choose a value in that range.";
            let error = || InputError::value(field, v, &format!("{low} to {high}"), remedy);
            (low..=high).contains(&v).then_some(()).ok_or_else(error)
        };
        let side = picture.map_or(32, |p| p[1].min(p[2]));
        match &self.network {
            Architecture::Mlp { hidden } => {
                range("run.model.network.hidden (layers)", hidden.len(), 0, 16)?;
                hidden.iter().try_for_each(|w| range("run.model.network.hidden", *w, 1, 1 << 16))
            }
            Architecture::Lenet { channels, hidden } => {
                range("the pictures' side for lenet", side, 16, 512)?;
                channels.iter().try_for_each(|c| range("run.model.network.channels", *c, 1, 4096))?;
                range("run.model.network.hidden", *hidden, 1, 1 << 16)
            }
            Architecture::VggSmall { width } => {
                range("the pictures' side for vgg-small", side, 8, 512)?;
                range("run.model.network.width", *width, 1, 1024)
            }
            Architecture::Resnet { depth, width } => {
                range("run.model.network.width", *width, 1, 1024)?;
                range("run.model.network.depth", *depth, 8, 1202)?;
                let remedy = "ResNets of this kind have depth 6n + 2: 8, 14, 20, 26, 32, 38, 44, …";
                let fits = (depth - 2) % 6 == 0;
                fits.then_some(()).ok_or_else(|| InputError::value("run.model.network.depth", depth, "6n + 2", remedy))
            }
        }?;
        between("run.model.scale_factor", self.scale_factor.unwrap_or(1.0), 0.0, 1e6)?;
        between("run.model.half_scale", f64::from(self.half_scale.unwrap_or(1.0)), 0.0, 1e6)?;
        range("run.model.ghost", self.ghost.unwrap_or(2), 2, 1 << 20)?;
        if let Statistic::Top(k) = self.statistic {
            range("run.model.statistic.top", k, 1, 1 << 20)?;
        }
        if self.is_binary() && self.parametrization != Parametrization::Plain {
            let remedy = "The norm of a binary weight vector is fixed already.";
            return Err(InputError::value(
                "run.model.parametrization",
                "a weight norm",
                "plain for binary weights",
                remedy,
            ));
        }
        if let Some(quantization) = &self.quantization {
            quantization.check(self.is_binary())?;
        }
        let positive = self.eps > 0.0 && self.eps < 1.0;
        positive.then_some(()).ok_or_else(|| {
            InputError::value("run.model.eps", self.eps, "above 0 and below 1", "PyTorch's is 1e-5, hubara2016's 1e-4.")
        })
    }
}

fn yes() -> bool {
    true
}

fn default_eps() -> f32 {
    1e-5
}

fn lenet_channels() -> [usize; 2] {
    [20, 50]
}

fn lenet_hidden() -> usize {
    500
}

fn resnet_width() -> usize {
    16
}
