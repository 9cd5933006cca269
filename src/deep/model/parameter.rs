use crate::deep::op::{Storage, tensor, view};

/// What a parameter is for: it decides how it is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Weights of a linear layer or a convolution.
    Weight,
    /// Latent weights, used binarised: kept in [−1, 1].
    Latent,
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
}

impl Parameter {
    /// A parameter of a shape.
    pub fn new(name: String, role: Role, shape: Vec<usize>, values: Vec<f32>) -> Self {
        let area: usize = shape.iter().skip(2).product();
        let fans = shape.iter().take(2).sum::<usize>() * area;
        Self { name, role, values: tensor(four(&shape), values), glorot: (fans as f32 / 1.5).sqrt(), shape }
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
