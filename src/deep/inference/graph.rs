use super::Window;
use crate::error::{InputError, Result};

/// The most numbers that one layer may give for a picture.
const LARGEST: usize = 1 << 26;

/// A trained network at test time: a list of layers, with residual branches.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Channels, height and width of its pictures.
    pub input: [usize; 3],
    /// In order.
    pub layers: Vec<Layer>,
}

/// A layer. Weights are ordered as PyTorch's.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A convolution.
    Convolution(Convolution),
    /// W x + b over all numbers of a picture, which are taken channel by channel.
    Linear(Linear),
    /// Batch normalisation with its running statistics.
    BatchNorm(BatchNorm),
    /// A rectifier.
    Activation(Activation),
    /// The largest number of every window.
    MaxPool(Window),
    /// The mean of every channel.
    GlobalAveragePool,
    /// The sum of two branches; an empty one is the identity.
    Residual {
        /// What the sum is called.
        name: String,
        /// One branch.
        body: Vec<Layer>,
        /// The other.
        shortcut: Vec<Layer>,
    },
}

/// A convolution in groups: the input and output channels are cut into as many equal parts, and part i reads part i.
#[derive(Debug, Clone, PartialEq)]
pub struct Convolution {
    /// What it is called.
    pub name: String,
    /// `[outputs, inputs / groups, height, width]`.
    pub weight: Vec<f32>,
    /// A number an output channel.
    pub bias: Option<Vec<f32>>,
    /// Output channels.
    pub outputs: usize,
    /// 1 for a common convolution, the number of channels for a depthwise one.
    pub groups: usize,
    /// Where it looks.
    pub window: Window,
}

/// A fully connected layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// What it is called.
    pub name: String,
    /// `[outputs, inputs]`.
    pub weight: Vec<f32>,
    /// A number an output.
    pub bias: Option<Vec<f32>>,
    /// Outputs.
    pub outputs: usize,
}

/// γ (x − mean)/√(variance + ε) + β, a number a channel each.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// What it is called.
    pub name: String,
    /// γ.
    pub gamma: Vec<f32>,
    /// β.
    pub beta: Vec<f32>,
    /// The running mean.
    pub mean: Vec<f32>,
    /// The running variance.
    pub variance: Vec<f32>,
    /// ε.
    pub eps: f32,
}

/// What follows a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// max(0, x).
    Relu,
    /// min(max(0, x), 6).
    Relu6,
}

/// The weights of a convolution or a fully connected layer, for a visitor that may change them.
#[derive(Debug)]
pub struct Weights<'a> {
    /// The layer's name.
    pub name: &'a str,
    /// Output channels: of so many equal parts, one after the other, `values` consists.
    pub outputs: usize,
    /// Whether each output channel reads a single input channel.
    pub depthwise: bool,
    /// The weights.
    pub values: &'a mut [f32],
    /// A number an output channel.
    pub bias: &'a mut Option<Vec<f32>>,
}

impl Activation {
    /// Between which numbers it keeps its input.
    pub fn limits(self) -> (f32, f32) {
        match self {
            Self::Relu => (0.0, f32::INFINITY),
            Self::Relu6 => (0.0, 6.0),
        }
    }
}

impl BatchNorm {
    /// The same as scale·x + shift, a pair a channel.
    pub fn affine(&self) -> Vec<(f32, f32)> {
        let channel = |c: usize| {
            let scale = f64::from(self.gamma[c]) / (f64::from(self.variance[c]) + f64::from(self.eps)).sqrt();
            (scale as f32, (f64::from(self.beta[c]) - f64::from(self.mean[c]) * scale) as f32)
        };
        (0..self.gamma.len()).map(channel).collect()
    }
}

impl Layer {
    /// Channels, height and width of what the layer makes of a picture.
    ///
    /// # Errors
    /// A layer that does not fit the picture, or whose numbers are not as many as its shape says.
    pub fn output(&self, shape: [usize; 3]) -> Result<[usize; 3]> {
        let [channels, height, width] = shape;
        let after = match self {
            Self::Convolution(c) => {
                let [down, across] = c.window.count([height, width])?;
                let divides = |n: usize| c.groups > 0 && n.is_multiple_of(c.groups);
                if !divides(channels) || !divides(c.outputs) || c.outputs == 0 {
                    let allowed = format!("a divisor of its {channels} input and {} output channels", c.outputs);
                    return Err(InputError::value("groups", c.groups, &allowed, "1 is a common convolution."));
                }
                let taps = channels / c.groups * c.window.size[0] * c.window.size[1];
                numbers("weight", c.weight.len(), c.outputs * taps)?;
                numbers("bias", c.bias.as_ref().map_or(c.outputs, Vec::len), c.outputs)?;
                [c.outputs, down, across]
            }
            Self::Linear(l) => {
                numbers("weight", l.weight.len(), l.outputs * channels * height * width)?;
                numbers("bias", l.bias.as_ref().map_or(l.outputs, Vec::len), l.outputs)?;
                [l.outputs, 1, 1]
            }
            Self::BatchNorm(n) => {
                for (field, values) in
                    [("weight", &n.gamma), ("bias", &n.beta), ("running_mean", &n.mean), ("running_var", &n.variance)]
                {
                    numbers(field, values.len(), channels)?;
                }
                shape
            }
            Self::Activation(_) => shape,
            Self::MaxPool(window) => {
                let [down, across] = window.count([height, width])?;
                [channels, down, across]
            }
            Self::GlobalAveragePool => [channels, 1, 1],
            Self::Residual { body, shortcut, .. } => {
                let [a, b] = [body, shortcut].map(|layers| output(layers, shape));
                let (a, b) = (a?, b?);
                if a != b {
                    let remedy = "Give the shortcut a convolution of kernel 1.";
                    return Err(InputError::value(
                        "shortcut",
                        format!("{b:?}"),
                        &format!("{a:?}, as the body"),
                        remedy,
                    ));
                }
                a
            }
        };
        let size = after.iter().fold(1usize, |all, n| all.saturating_mul(*n));
        if !(1..=LARGEST).contains(&size) {
            let allowed = format!("1 to {LARGEST} numbers");
            return Err(InputError::value("output", format!("{after:?}"), &allowed, "Use a smaller picture or layer."));
        }
        Ok(after)
    }

    /// What the layer is called, for those that have a name.
    pub fn name(&self) -> &str {
        match self {
            Self::Convolution(Convolution { name, .. }) | Self::Linear(Linear { name, .. }) => name,
            Self::BatchNorm(BatchNorm { name, .. }) | Self::Residual { name, .. } => name,
            Self::Activation(_) => "activation",
            Self::MaxPool(_) => "max-pool",
            Self::GlobalAveragePool => "global-average-pool",
        }
    }
}

fn numbers(field: &str, found: usize, wanted: usize) -> Result<()> {
    let error =
        || InputError::value(field, format!("{found} numbers"), &wanted.to_string(), "Give it as it was trained.");
    (found == wanted).then_some(()).ok_or_else(error)
}

/// What leaves a list of layers.
fn output(layers: &[Layer], shape: [usize; 3]) -> Result<[usize; 3]> {
    layers.iter().try_fold(shape, |shape, l| l.output(shape).map_err(|e| e.at(format!("layer `{}`", l.name()))))
}

impl Graph {
    /// Channels, height and width of its outputs.
    ///
    /// # Errors
    /// Layers that do not fit one another.
    pub fn output(&self) -> Result<[usize; 3]> {
        let size = self.input.iter().fold(1usize, |all, n| all.saturating_mul(*n));
        if !(1..=LARGEST).contains(&size) {
            let found = format!("{:?}", self.input);
            return Err(InputError::value("input", found, &format!("1 to {LARGEST} numbers"), "Use smaller pictures."));
        }
        output(&self.layers, self.input)
    }

    /// Visits all weights, in order; those of a body before those of its shortcut.
    pub fn visit_weights(&mut self, visitor: &mut impl FnMut(Weights)) {
        visit(&mut self.layers, visitor);
    }
}

fn visit(layers: &mut [Layer], visitor: &mut impl FnMut(Weights)) {
    for layer in layers {
        match layer {
            Layer::Convolution(Convolution { name, weight, bias, outputs, groups, window }) => {
                let depthwise = *groups > 1 && weight.len() == *outputs * window.size[0] * window.size[1];
                visitor(Weights { name, outputs: *outputs, depthwise, values: weight, bias });
            }
            Layer::Linear(Linear { name, weight, bias, outputs }) => {
                visitor(Weights { name, outputs: *outputs, depthwise: false, values: weight, bias });
            }
            Layer::Residual { body, shortcut, .. } => [body, shortcut].into_iter().for_each(|b| visit(b, visitor)),
            _ => {}
        }
    }
}
