use crate::deep::model::{Network, Pass, Role};
use crate::deep::op::{CrossEntropy, apply, gradient, values, view};
use std::sync::Arc;

/// What goes through a network on one batch, normalised by its own statistics as in training.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The outputs.
    pub outputs: Vec<f32>,
    /// The inputs of every layer with weights.
    pub activations: Vec<Vec<f32>>,
    /// The gradient with respect to the outputs of every such layer, before it is rounded.
    pub layer_gradients: Vec<Vec<f32>>,
    /// The gradient with respect to its weights.
    pub weight_gradients: Vec<Vec<f32>>,
}

/// One pass forward and back, with the cross-entropy; nothing is moved. The seed is that of what is drawn at random.
pub fn observe(network: &Network, pixels: &[u8], labels: &Arc<Vec<u8>>, seed: u64) -> Observed {
    let mut pass = Pass::new(network, Some(seed));
    pass.probes = Some(std::cell::RefCell::default());
    let outputs = pass.run(network.inputs(pixels));
    let loss = apply(CrossEntropy { labels: labels.clone(), noise: None }, [&outputs]);
    let mut gradients = loss.backward();
    let weights = network.parameters.iter().zip(&pass.leaves).filter(|(p, _)| p.role == Role::Weight);
    let weight_gradients =
        weights.filter_map(|(_, leaf)| Some(view(&gradient(leaf, &mut gradients)?).values.to_vec())).collect();
    let probes = pass.probes.take().unwrap_or_default().into_inner();
    let (activations, probes): (Vec<_>, Vec<_>) = probes.into_iter().unzip();
    let layer_gradients = probes.iter().map(crate::deep::op::Probe::take).collect();
    Observed { outputs: values(&outputs), activations, layer_gradients, weight_gradients }
}
