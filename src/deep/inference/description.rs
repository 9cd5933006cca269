//! A network described in TOML, its numbers in a safetensors file.

use super::Preparation;
use super::entry::{Entry, Padding, window};
use super::{Activation, BatchNorm, Convolution, Graph, Layer, Linear, Window};
use crate::error::{InputError, Result};
use safetensors::tensor::{Dtype, SafeTensors};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The most layers of a network, and how deep residual branches may nest.
const LAYERS: usize = 10_000;
const DEPTH: usize = 16;

/// A network as a user describes it.
///
/// ```toml
/// picture = [3, 32, 32]                 # channels, height, width
/// mean = [127.5]                        # a pixel p of 0 … 255 enters as (p − mean)/deviation; one number, or one a channel
/// deviation = [127.5]
/// crop = 1.0                            # of a photograph, the middle square: this part of its shorter side
/// layers = [
///   { kind = "convolution", name = "conv1", outputs = 16, kernel = 3, stride = 1, padding = 1, groups = 1 },
///   { kind = "batch-norm", name = "bn1", eps = 1e-5 },
///   { kind = "relu" },
///   { kind = "residual", name = "block1", body = [ … ], shortcut = [ … ] },
///   { kind = "max-pool", kernel = 2 },
///   { kind = "global-average-pool" },
///   { kind = "linear", name = "fc", outputs = 10 },
/// ]
/// ```
///
/// `kind` may also be `relu6`. A layer `conv1` reads the tensors `conv1.weight` and, where the file has it, `conv1.bias`; batch
/// normalisation also `.running_mean` and `.running_var`, all named and ordered as in PyTorch's `state_dict`. `kernel` is a
/// number or `[height, width]`; `padding` a number, `[top, bottom, left, right]` or `"same"` as TensorFlow pads, the smaller
/// half first. An empty or missing `shortcut` is the identity. The defaults are those written above, except that `eps` is 1e-5,
/// `padding` 0 and the `stride` of `max-pool` its kernel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    picture: [usize; 3],
    #[serde(default = "middle")]
    mean: Vec<f32>,
    #[serde(default = "middle")]
    deviation: Vec<f32>,
    #[serde(default = "whole")]
    crop: f64,
    layers: Vec<toml::Table>,
}

fn middle() -> Vec<f32> {
    vec![127.5]
}

fn whole() -> f64 {
    1.0
}

impl Description {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// What is no such description.
    pub fn parse(text: &str) -> Result<Self> {
        let read: Self = toml::from_str(text).map_err(|e| InputError::new(e.to_string()))?;
        let [channels, height, width] = read.picture;
        if [channels, height, width].iter().any(|n| !(1..=4096).contains(n)) {
            let found = format!("{:?}", read.picture);
            return Err(InputError::value(
                "picture",
                found,
                "three sizes, 1 to 4096",
                "Give [channels, height, width].",
            ));
        }
        for (field, values) in [("mean", &read.mean), ("deviation", &read.deviation)] {
            let usable = |v: &f32| v.is_finite() && (field == "mean" || *v > 0.0);
            if ![1, channels].contains(&values.len()) || !values.iter().all(usable) {
                let allowed = "one number, or one a channel, above 0 for a deviation";
                return Err(InputError::value(field, format!("{values:?}"), allowed, "Give what it was trained with."));
            }
        }
        crate::error::between("crop", read.crop, 0.0, 1.0)?;
        Ok(read)
    }

    /// What becomes of a photograph before it enters the network.
    pub fn preparation(&self) -> Preparation {
        let [channels, height, width] = self.picture;
        let all = |v: &[f32]| (0..channels).map(|c| v[c % v.len()]).collect();
        let (mean, deviation) = (all(&self.mean), all(&self.deviation));
        Preparation { crop: self.crop, size: [height, width], mean, deviation }
    }

    /// The network, with the numbers of a safetensors file.
    ///
    /// # Errors
    /// A layer that is described wrongly or does not fit, a tensor that is missing, of another shape or kind, or not used.
    pub fn graph(&self, file: &[u8]) -> Result<Graph> {
        let tensors =
            SafeTensors::deserialize(file).map_err(|e| InputError::new(format!("no safetensors file: {e}")))?;
        let mut reader = Reader { tensors, used: BTreeSet::new(), layers: 0 };
        let (layers, _) = reader.layers(&self.layers, self.picture, 0, "layer")?;
        let idle = |name: &&str| !reader.used.contains(*name) && !name.ends_with("num_batches_tracked");
        let names = reader.tensors.names();
        if let Some(name) = names.into_iter().filter(|n| idle(n)).min() {
            let remedy = "Describe the layer that it belongs to, or leave it out of the file.";
            return Err(InputError::new(format!("no layer uses the tensor `{name}`. {remedy}")));
        }
        let graph = Graph { input: self.picture, layers };
        graph.output()?;
        Ok(graph)
    }
}

struct Reader<'a> {
    tensors: SafeTensors<'a>,
    used: BTreeSet<String>,
    layers: usize,
}

impl Reader<'_> {
    fn layers(
        &mut self,
        entries: &[toml::Table],
        mut shape: [usize; 3],
        depth: usize,
        place: &str,
    ) -> Result<(Vec<Layer>, [usize; 3])> {
        let mut layers = Vec::with_capacity(entries.len());
        for (i, entry) in entries.iter().enumerate() {
            let place = format!("{place} {}", i + 1);
            self.layers += 1;
            if self.layers > LAYERS || depth > DEPTH {
                let limits = format!("at most {LAYERS} layers and {DEPTH} nested branches");
                return Err(InputError::new(format!("a network has {limits}")).at(place));
            }
            let read = entry.clone().try_into::<Entry>().map_err(|e| InputError::new(e.message()).at(&place))?;
            let layer = self.layer(read, shape, depth, &place)?;
            let named = |e: InputError| e.at(format!("`{}`", layer.name())).at(&place);
            shape = layer.output(shape).map_err(named)?;
            layers.push(layer);
        }
        Ok((layers, shape))
    }

    fn layer(&mut self, entry: Entry, shape: [usize; 3], depth: usize, place: &str) -> Result<Layer> {
        let [channels, height, width] = shape;
        let at = |e: InputError| e.at(place);
        Ok(match entry {
            Entry::Convolution { name, outputs, kernel, stride, padding, groups } => {
                let window = window(kernel, stride.max(1), padding, [height, width]);
                let [h, w] = window.size;
                let weight = self.tensor(&name, "weight", &[outputs, channels / groups.max(1), h, w]).map_err(at)?;
                let bias = self.optional(&name, "bias", &[outputs]).map_err(at)?;
                let window = Window { stride, ..window };
                Layer::Convolution(Convolution { name, weight, bias, outputs, groups, window })
            }
            Entry::Linear { name, outputs } => {
                let weight = self.tensor(&name, "weight", &[outputs, channels * height * width]).map_err(at)?;
                let bias = self.optional(&name, "bias", &[outputs]).map_err(at)?;
                Layer::Linear(Linear { name, weight, bias, outputs })
            }
            Entry::BatchNorm { name, eps } => {
                let mut read = |what| self.tensor(&name, what, &[channels]).map_err(at);
                let (gamma, beta) = (read("weight")?, read("bias")?);
                let (mean, variance) = (read("running_mean")?, read("running_var")?);
                if !(eps >= 0.0 && eps.is_finite()) || variance.iter().any(|v| v + eps <= 0.0) {
                    let error = InputError::value("eps", eps, "such that every variance + eps is above 0", "Raise it.");
                    return Err(at(error));
                }
                Layer::BatchNorm(BatchNorm { name, gamma, beta, mean, variance, eps })
            }
            Entry::Relu {} => Layer::Activation(Activation::Relu),
            Entry::Relu6 {} => Layer::Activation(Activation::Relu6),
            Entry::MaxPool { kernel, stride, padding } => {
                let size = window(kernel, 1, Padding::All(0), [0; 2]).size;
                let window = window(kernel, stride.unwrap_or(size[0]).max(1), padding, [height, width]);
                Layer::MaxPool(Window { stride: stride.unwrap_or(size[0]), ..window })
            }
            Entry::GlobalAveragePool {} => Layer::GlobalAveragePool,
            Entry::Residual { name, body, shortcut } => {
                let (body, _) = self.layers(&body, shape, depth + 1, &format!("{place}: body"))?;
                let (shortcut, _) = self.layers(&shortcut, shape, depth + 1, &format!("{place}: shortcut"))?;
                Layer::Residual { name, body, shortcut }
            }
        })
    }

    fn optional(&mut self, layer: &str, what: &str, shape: &[usize]) -> Result<Option<Vec<f32>>> {
        let there = self.tensors.tensor(&format!("{layer}.{what}")).is_ok();
        there.then(|| self.tensor(layer, what, shape)).transpose()
    }

    fn tensor(&mut self, layer: &str, what: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let name = format!("{layer}.{what}");
        let missing = || {
            let remedy = "Name the layer as in the file (without `.weight`).";
            InputError::new(format!("the tensor `{name}` is missing in the safetensors file. {remedy}"))
        };
        let tensor = self.tensors.tensor(&name).map_err(|_| missing())?;
        if tensor.dtype() != Dtype::F32 {
            let found = format!("{:?}", tensor.dtype());
            return Err(InputError::value(&name, found, "F32", "Save the network in single precision."));
        }
        if tensor.shape() != shape {
            let found = format!("of shape {:?}", tensor.shape());
            return Err(InputError::value(
                &name,
                found,
                &format!("of shape {shape:?}"),
                "Describe it as it was trained.",
            ));
        }
        let values: Vec<f32> = tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let found = format!("{} at position {at}", values[at]);
            return Err(InputError::value(&name, found, "finite throughout", "The training diverged."));
        }
        self.used.insert(name);
        Ok(values)
    }
}
