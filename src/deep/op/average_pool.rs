use super::{Operation, Values, View};

/// The mean of every picture: `[N, C, H, W]` to `[N, C, 1, 1]`.
#[derive(Debug, Clone, Copy)]
pub struct AveragePool;

impl Operation<1> for AveragePool {
    type Saved = ();

    fn forward(&self, [x]: [View; 1]) -> (Values, ()) {
        let [n, c, h, w] = x.shape;
        let mean = |picture: &[f32]| picture.iter().sum::<f32>() / (h * w) as f32;
        (Values { shape: [n, c, 1, 1], values: x.values.chunks_exact(h * w).map(mean).collect() }, ())
    }

    fn backward(&self, _: &(), [x]: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        let size = x.shape[2] * x.shape[3];
        [Some(gradient.values.iter().flat_map(|g| std::iter::repeat_n(g / size as f32, size)).collect())]
    }
}
