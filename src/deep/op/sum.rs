use super::activation::map2;
use super::{Operation, Values, View};

/// x + y.
#[derive(Debug, Clone, Copy)]
pub struct Sum;

impl Operation<2> for Sum {
    type Saved = ();

    fn forward(&self, [x, y]: [View; 2]) -> (Values, ()) {
        (Values { shape: x.shape, values: map2(x.values, y.values, |x, y| x + y) }, ())
    }

    fn backward(&self, _: &(), _: [View; 2], gradient: View, _: [bool; 2]) -> [Option<Vec<f32>>; 2] {
        [Some(gradient.values.to_vec()), Some(gradient.values.to_vec())]
    }
}
