use super::{Affine, Connection, PackedNetwork, TrainedLayer};
use crate::deep::model::{Activation, Layer, Network, Weights};
use crate::error::{InputError, Result};

impl PackedNetwork {
    /// Packs a trained network: binary weights, sign activations, layers in a row.
    ///
    /// # Errors
    /// If it is no such network.
    pub fn from_network(network: &Network) -> Result<Self> {
        Self::new(network.picture, &TrainedLayer::of(network)?)
    }
}

impl<'a> TrainedLayer<'a> {
    /// The layers of a network that can be packed.
    ///
    /// # Errors
    /// If it is no such network.
    pub fn of(network: &'a Network) -> Result<Vec<Self>> {
        let refuse = |field: &str, found: String, allowed: &str| {
            Err(InputError::value(field, found, allowed, "Only binarized networks without shortcuts can be packed."))
        };
        let config = &network.config;
        if config.weights == Weights::Real {
            return refuse("model.weights", "real".into(), "binary or binary-stochastic");
        }
        if config.activation == Activation::Relu {
            return refuse("model.activation", "relu".into(), "sign or sign-stochastic");
        }
        let mut layers = vec![];
        for part in network.layers.split_inclusive(|l| matches!(l, Layer::Activate)) {
            let (weight, bias, mut connection) = match part.first() {
                Some(Layer::Linear { weight, bias }) => (*weight, *bias, Connection::Dense),
                Some(Layer::Convolution { weight, bias, operation }) if operation.stride == 1 => {
                    let (kernel, padding) = (network.parameters[*weight].shape[2], operation.padding);
                    (*weight, *bias, Connection::Convolution { kernel, padding, pool: 1 })
                }
                other => return refuse("layer", format!("{other:?}"), "linear, or a convolution of stride 1"),
            };
            let weight = &network.parameters[weight];
            let outputs = weight.shape[0];
            let (zeros, ones) = (vec![0.0; outputs], vec![1.0; outputs]);
            let bias = bias.map_or(zeros.clone(), |b| network.parameters[b].numbers().to_vec());
            let mut affine = Affine { scale: ones, mean: zeros, shift: bias };
            for layer in &part[1..] {
                match (layer, &mut connection) {
                    (Layer::MaxPool(of), Connection::Convolution { pool: pool @ 1, .. }) => *pool = of.size,
                    (Layer::Normalize { gamma, beta, running }, _) if affine.shift.iter().all(|b| *b == 0.0) => {
                        affine = Affine {
                            scale: network.test_scale(*gamma, *running),
                            mean: network.running[*running].mean.clone(),
                            shift: network.parameters[*beta].numbers().to_vec(),
                        };
                    }
                    (Layer::Activate, _) => {}
                    (other, _) => return refuse("layer", format!("{other:?}"), "max-pooling, normalisation or sign"),
                }
            }
            layers.push(TrainedLayer { connection, outputs, weight: weight.numbers(), affine });
        }
        Ok(layers)
    }
}
