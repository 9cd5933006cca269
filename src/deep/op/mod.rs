//! Differentiable operations written on slices, with their pullbacks: one file each, to be read next to the papers.
//!
//! Tensors have four axes throughout, `[N, C, H, W]`: a vector is a picture of one pixel. Burn keeps the graph.

mod activation;
mod average_pool;
mod batch_norm;
mod bias;
mod binarize;
mod channels;
mod convolution;
mod correlate;
mod linear;
mod loss;
mod max_pool;
mod planes;
mod probe;
mod quantize;
mod scale;
mod sum;
mod weight_norm;

pub use activation::Relu;
pub use average_pool::AveragePool;
pub use batch_norm::{BatchNorm, Moments};
pub use bias::Bias;
pub use binarize::{Sign, binarized};
pub use convolution::Convolution;
pub use linear::linear;
pub use loss::{CrossEntropy, SquaredHinge};
pub use max_pool::MaxPool;
pub use probe::Probe;
pub use quantize::{Bifurcated, Bifurcation, GradientRounding, Quantize, mean_range, rounded};
pub use scale::Scale;
pub use sum::Sum;
pub use weight_norm::WeightNorm;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Flex};
use burn::tensor::{Tensor, TensorData};
use std::fmt::Debug;
use std::sync::Arc;

/// A batch, `[N, C, H, W]`, in the graph.
pub type Batch = Tensor<4>;
/// Numbers that the back end keeps, outside the graph: parameters, gradients.
pub type Storage = FlexTensor;
type Node = FloatTensor<Autodiff<Flex>>;

/// What an operation sees of a tensor: its shape and its numbers, row-major.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// `[N, C, H, W]`.
    pub shape: [usize; 4],
    /// Their product many numbers.
    pub values: &'a [f32],
}

/// A tensor that an operation makes.
#[derive(Debug, Clone)]
pub struct Values {
    /// `[N, C, H, W]`.
    pub shape: [usize; 4],
    /// Their product many numbers.
    pub values: Vec<f32>,
}

/// A differentiable operation of N tensors: what PyTorch calls an `autograd.Function`.
pub trait Operation<const N: usize>: Debug + Send + Sync + 'static {
    /// What the pullback needs beside the inputs.
    type Saved: Debug + Send + Sync + 'static;

    /// The value, and what the pullback needs.
    fn forward(&self, inputs: [View; N]) -> (Values, Self::Saved);

    /// The gradient with respect to the inputs that need one, given the gradient with respect to the value.
    fn backward(
        &self,
        saved: &Self::Saved,
        inputs: [View; N],
        gradient: View,
        needed: [bool; N],
    ) -> [Option<Vec<f32>>; N];
}

struct State<F: Operation<N>, const N: usize> {
    operation: Arc<F>,
    saved: Arc<F::Saved>,
    inputs: [FlexTensor; N],
}

impl<F: Operation<N>, const N: usize> Clone for State<F, N> {
    fn clone(&self) -> Self {
        let (operation, saved) = (self.operation.clone(), self.saved.clone());
        Self { operation, saved, inputs: self.inputs.clone() }
    }
}

impl<F: Operation<N>, const N: usize> Debug for State<F, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.operation.fmt(f)
    }
}

#[derive(Debug)]
struct Pullback<F>(std::marker::PhantomData<F>);

impl<F: Operation<N>, const N: usize> Backward<Flex, N> for Pullback<F> {
    type State = State<F, N>;

    fn backward(self, ops: Ops<State<F, N>, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let State { operation, saved, inputs } = ops.state;
        let needed = ops.parents.each_ref().map(Option::is_some);
        let found = operation.backward(&saved, inputs.each_ref().map(view), view(&gradient), needed);
        for ((parent, input), values) in ops.parents.into_iter().zip(&inputs).zip(found) {
            if let (Some(node), Some(values)) = (parent, values) {
                gradients.register::<Flex>(node.id, tensor(view(input).shape, values));
            }
        }
    }
}

/// Applies an operation.
pub fn apply<F: Operation<N>, const N: usize>(operation: F, inputs: [&Batch; N]) -> Batch {
    let inputs = inputs.map(primitive);
    let nodes = inputs.each_ref().map(Node::node);
    let inputs = inputs.map(|x| contiguous(x.into_primitive()));
    let (value, saved) = operation.forward(inputs.each_ref().map(view));
    let value = tensor(value.shape, value.values);
    let output =
        match Pullback::<F>(std::marker::PhantomData).prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish(State { operation: Arc::new(operation), saved: Arc::new(saved), inputs }, value)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(value),
        };
    Tensor::from_primitive::<Autodiff<Flex>>(output)
}

/// The numbers of a batch.
pub fn values(batch: &Batch) -> Vec<f32> {
    view(&contiguous(primitive(batch).into_primitive())).values.to_vec()
}

/// A batch that is no parameter: data.
pub fn constant(shape: [usize; 4], values: Vec<f32>) -> Batch {
    frozen(&tensor(shape, values))
}

/// Numbers that no gradient is taken with respect to. Shares them.
pub fn frozen(values: &Storage) -> Batch {
    Tensor::from_primitive::<Autodiff<Flex>>(Autodiff::<Flex>::from_inner(values.clone()))
}

/// Batch normalisation at test time: scale·(x − mean) + β for every channel.
pub fn normalize(x: &Batch, mean: &[f32], scale: &[f32], beta: &[f32]) -> Batch {
    let x = contiguous(primitive(x).into_primitive());
    let x = view(&x);
    constant(x.shape, batch_norm::normalize(x, mean, scale, beta))
}

/// Takes the gradient with respect to a leaf out of what `backward` gave.
pub fn gradient(leaf: &Batch, gradients: &mut burn::tensor::Gradients) -> Option<Storage> {
    leaf.grad_remove(gradients)?.try_into_primitive::<Flex>().ok().map(contiguous)
}

/// A leaf of the graph that gradients are taken with respect to. Shares the numbers.
pub fn leaf(values: &FlexTensor) -> Batch {
    Tensor::from_primitive::<Autodiff<Flex>>(Autodiff::<Flex>::from_inner(values.clone()).require_grad())
}

/// A tensor of the back end.
pub fn tensor(shape: [usize; 4], values: Vec<f32>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

#[allow(clippy::expect_used, reason = "every batch is made by this file, on the one back end")]
fn primitive(batch: &Batch) -> Node {
    batch.clone().try_into_primitive::<Autodiff<Flex>>().expect("a batch lives on Flex")
}

fn contiguous(x: FlexTensor) -> FlexTensor {
    let whole = x.is_contiguous() && x.layout().start_offset() == 0;
    if whole { x } else { x.to_contiguous() }
}

/// What there is in a contiguous tensor.
pub fn view(x: &FlexTensor) -> View<'_> {
    let mut shape = [1; 4];
    shape.iter_mut().zip(x.layout().shape().iter()).for_each(|(s, n)| *s = *n);
    View { shape, values: &x.storage::<f32>()[..shape.iter().product()] }
}
