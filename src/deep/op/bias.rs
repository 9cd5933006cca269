use super::channels::{each, sums};
use super::{Operation, Values, View};

/// x + b for every channel, b of shape `[1, C, 1, 1]`.
#[derive(Debug, Clone, Copy)]
pub struct Bias;

impl Operation<2> for Bias {
    type Saved = ();

    fn forward(&self, [x, b]: [View; 2]) -> (Values, ()) {
        (Values { shape: x.shape, values: each(x, x.values, [b.values], |[b], x, _| x + b) }, ())
    }

    fn backward(&self, _: &(), [x, _]: [View; 2], gradient: View, _: [bool; 2]) -> [Option<Vec<f32>>; 2] {
        let db = sums(x, gradient.values, [], |[], _, g| [g, 0.0]).iter().map(|s| s[0] as f32).collect();
        [Some(gradient.values.to_vec()), Some(db)]
    }
}
