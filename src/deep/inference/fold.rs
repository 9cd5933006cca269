use super::{BatchNorm, Graph, Layer};

impl Graph {
    /// Puts every batch normalisation that follows a convolution or a fully connected layer into its weights and bias. Others,
    /// for instance after pooling, stay.
    pub fn fold_batch_norms(&mut self) {
        fold(&mut self.layers);
    }
}

fn fold(layers: &mut Vec<Layer>) {
    let mut folded: Vec<Layer> = Vec::with_capacity(layers.len());
    for mut layer in layers.drain(..) {
        if let Layer::Residual { body, shortcut, .. } = &mut layer {
            fold(body);
            fold(shortcut);
        }
        match (&layer, folded.last_mut()) {
            (Layer::BatchNorm(norm), Some(Layer::Convolution(c))) => absorb(norm, &mut c.weight, &mut c.bias),
            (Layer::BatchNorm(norm), Some(Layer::Linear(l))) => absorb(norm, &mut l.weight, &mut l.bias),
            _ => folded.push(layer),
        }
    }
    *layers = folded;
}

/// s (w·x + b) + t = (s w)·x + (s b + t).
fn absorb(norm: &BatchNorm, weight: &mut [f32], bias: &mut Option<Vec<f32>>) {
    let affine = norm.affine();
    let part = (weight.len() / affine.len().max(1)).max(1);
    for (weight, (scale, _)) in weight.chunks_mut(part).zip(&affine) {
        weight.iter_mut().for_each(|w| *w *= scale);
    }
    let bias = bias.get_or_insert_with(|| vec![0.0; affine.len()]);
    bias.iter_mut().zip(&affine).for_each(|(b, (scale, shift))| *b = scale * *b + shift);
}
