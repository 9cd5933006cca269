use super::{Activation, Layer, Network, Normalization, Parameter, Parametrization};
use crate::deep::inference::{self, Graph, Window};
use crate::error::{InputError, Result};

impl Network {
    /// The network at test time, for whoever quantises it; its inputs are those of [`Network::inputs`].
    ///
    /// # Errors
    /// For networks of few bits or signs, and for weight normalisation.
    pub fn graph(&self) -> Result<Graph> {
        let c = &self.config;
        let plain = !c.is_binary() && c.quantization.is_none() && c.activation == Activation::Relu;
        if !plain || c.parametrization != Parametrization::Plain || c.normalization == Normalization::ShiftBatch {
            let remedy =
                "Train with real weights, rectifiers and the defaults of `quantization` and `parametrization`.";
            return Err(InputError::new(format!(
                "only a network of plain floats can be quantised after training. {remedy}"
            )));
        }
        Ok(Graph { input: self.picture, layers: self.layers.iter().filter_map(|l| self.at_test_time(l)).collect() })
    }

    fn at_test_time(&self, layer: &Layer) -> Option<inference::Layer> {
        let named = |index: usize| -> (String, &Parameter) {
            let parameter = &self.parameters[index];
            (parameter.name.trim_end_matches(".weight").into(), parameter)
        };
        let numbers = |index: usize| self.parameters[index].numbers().to_vec();
        Some(match layer {
            Layer::Linear { weight, bias } => {
                let (name, w) = named(*weight);
                let (weight, outputs) = (w.numbers().to_vec(), w.shape[0]);
                inference::Layer::Linear(inference::Linear { name, weight, bias: bias.map(numbers), outputs })
            }
            Layer::Convolution { weight, bias, operation } => {
                let (name, w) = named(*weight);
                let window = Window::square(w.shape[2], operation.stride, operation.padding);
                let (weight, outputs, bias) = (w.numbers().to_vec(), w.shape[0], bias.map(numbers));
                inference::Layer::Convolution(inference::Convolution { name, weight, bias, outputs, groups: 1, window })
            }
            // Whatever the statistic is, at test time it is a factor: γ/σ, with a variance of 1.
            Layer::Normalize { gamma, beta, running } => inference::Layer::BatchNorm(inference::BatchNorm {
                name: self.running[*running].name.clone(),
                gamma: self.test_scale(*gamma, *running),
                beta: numbers(*beta),
                mean: self.running[*running].mean.clone(),
                variance: vec![1.0; self.running[*running].mean.len()],
                eps: 0.0,
            }),
            Layer::Quantize { .. } => return None,
            Layer::Activate => inference::Layer::Activation(inference::Activation::Relu),
            Layer::MaxPool(pool) => inference::Layer::MaxPool(Window::square(pool.size, pool.size, 0)),
            Layer::AveragePool => inference::Layer::GlobalAveragePool,
            Layer::Residual { body, shortcut } => {
                let [body, shortcut] = [body, shortcut]
                    .map(|layers| layers.iter().filter_map(|l| self.at_test_time(l)).collect::<Vec<_>>());
                let first = body.first().map_or("block", inference::Layer::name);
                inference::Layer::Residual { name: format!("sum after {first}"), body, shortcut }
            }
        })
    }
}
