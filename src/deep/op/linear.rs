use super::{Batch, Bifurcation, GradientRounding, contiguous, primitive, tensor, view};
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

/// x·Wᵀ over all of a sample's numbers: `[N, C, H, W]` and weights `[O, C·H·W, 1, 1]` to `[N, O, 1, 1]`. Apart from
/// [`super::Operation`] because the back end multiplies its own tensors; every product comes out in the order it is read in. The gradient forks.
pub fn linear(x: &Batch, weight: &Batch, gradients: Bifurcation) -> Batch {
    let inputs = [x, weight].map(primitive);
    let nodes = inputs.each_ref().map(|t| t.node());
    let [x, w] = inputs.map(|t| contiguous(t.into_primitive()));
    let y = four(product(matrix(&x), matrix(&w).transpose(0, 1)), [view(&x).shape[0], view(&w).shape[0], 1, 1]);
    let output = match Linear.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((x, w, gradients), y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(output)
}

#[derive(Debug)]
struct Linear;

impl Backward<Flex, 2> for Linear {
    type State = (FlexTensor, FlexTensor, Bifurcation);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(gradients.consume::<Flex>(&ops.node));
        let ((x, w, Bifurcation { passed, weights }), [to_x, to_w]) = (ops.state, ops.parents);
        let copy = |rounding: Option<GradientRounding>| {
            let shape = view(&dy).shape;
            matrix(&rounding.map_or_else(|| dy.clone(), |r| tensor(shape, r.round(view(&dy).values))))
        };
        if let Some(node) = to_x {
            gradients.register::<Flex>(node.id, four(product(copy(passed), matrix(&w)), view(&x).shape));
        }
        if let Some(node) = to_w {
            gradients
                .register::<Flex>(node.id, four(product(copy(weights).transpose(0, 1), matrix(&x)), view(&w).shape));
        }
    }
}

fn product(a: FlexTensor, b: FlexTensor) -> FlexTensor {
    Flex::float_matmul(a, b)
}

/// One row for the first axis's every index.
fn matrix(x: &FlexTensor) -> FlexTensor {
    let [rows, c, h, w] = view(x).shape;
    x.reshape([rows, c * h * w].into())
}

fn four(x: FlexTensor, shape: [usize; 4]) -> FlexTensor {
    x.reshape(shape.into())
}
