use crate::deep::op::{Storage, tensor, view};

/// What a parameter is for: it decides how it is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Weights of a linear layer or a convolution.
    Weight,
    /// Latent weights, used binarised: kept in [−1, 1].
    Latent,
    /// The norms of weight normalisation that stay as they are.
    Fixed,
    /// A bias, or scale and shift of a normalisation.
    Other,
}

/// Trainable numbers with their name, as in PyTorch's `state_dict`.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// E.g. `layer1.0.conv1.weight`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its shape in files: `[out, in]`, `[out, in, k, k]` or `[channels]`.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Storage,
    /// Glorot's coefficient 1/√(1.5/(fan in + fan out)): binary nets scale the steps of latent weights by it.
    pub glorot: f32,
    /// Whether a normalisation follows, so that only the direction of each output's weights matters.
    pub normalized: bool,
    /// The parameter that holds the norm of each output's weights, where they are parametrised by direction and norm.
    pub gain: Option<usize>,
}

impl Parameter {
    /// A parameter of a shape.
    pub fn new(name: String, role: Role, shape: Vec<usize>, values: Vec<f32>) -> Self {
        let area: usize = shape.iter().skip(2).product();
        let fans = shape.iter().take(2).sum::<usize>() * area;
        Self {
            name,
            role,
            values: tensor(four(&shape), values),
            glorot: (fans as f32 / 1.5).sqrt(),
            shape,
            normalized: false,
            gain: None,
        }
    }

    /// The norm of the weights of each output.
    pub fn norms(&self) -> Vec<f32> {
        let fan_in: usize = self.shape.iter().skip(1).product();
        let norm = |w: &[f32]| w.iter().map(|w| f64::from(w * w)).sum::<f64>().sqrt() as f32;
        self.numbers().chunks_exact(fan_in).map(norm).collect()
    }

    /// Scales the weights of each output to a norm.
    pub fn set_norms(&mut self, norms: &[f32]) {
        let (fan_in, own) = (self.numbers().len() / norms.len(), self.norms());
        let rows = self.values.storage_mut::<f32>().chunks_exact_mut(fan_in);
        rows.zip(norms.iter().zip(own)).for_each(|(w, (to, norm))| w.iter_mut().for_each(|w| *w *= to / norm));
    }

    /// The numbers, row-major.
    pub fn numbers(&self) -> &[f32] {
        view(&self.values).values
    }
}

/// The shape with four axes: weights lead with (out, in), vectors are per channel.
fn four(shape: &[usize]) -> [usize; 4] {
    match shape {
        [c] => [1, *c, 1, 1],
        _ => std::array::from_fn(|i| shape.get(i).copied().unwrap_or(1)),
    }
}
