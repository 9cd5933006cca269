use super::{Operation, Values, View};
use std::sync::Arc;

/// Mean over the batch of −log softmax(y)\[label\].
#[derive(Debug, Clone)]
pub struct CrossEntropy {
    /// The class of each sample.
    pub labels: Arc<Vec<u8>>,
    /// Factors on the gradients of the samples; the value is that without them.
    pub noise: Option<Arc<Vec<f32>>>,
}

/// Mean over batch and classes of max(0, 1 − t·y)², t = +1 for the label and −1 for the others (hubara2016, the L2-SVM loss).
#[derive(Debug, Clone)]
pub struct SquaredHinge {
    /// The class of each sample.
    pub labels: Arc<Vec<u8>>,
}

/// A loss and its gradient, which is all that its pullback needs.
fn scalar(loss: f64, gradient: Vec<f32>) -> (Values, Vec<f32>) {
    (Values { shape: [1; 4], values: vec![loss as f32] }, gradient)
}

fn scaled(saved: &[f32], gradient: View) -> [Option<Vec<f32>>; 1] {
    [Some(saved.iter().map(|g| g * gradient.values[0]).collect())]
}

impl Operation<1> for CrossEntropy {
    type Saved = Vec<f32>;

    fn forward(&self, [y]: [View; 1]) -> (Values, Vec<f32>) {
        let [n, classes, ..] = y.shape;
        let (mut loss, mut gradient) = (0.0_f64, Vec::with_capacity(y.values.len()));
        for (i, (row, label)) in y.values.chunks_exact(classes).zip(self.labels.iter()).enumerate() {
            let share = self.noise.as_ref().map_or(1.0, |noise| noise[i]) / n as f32;
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = row.iter().map(|v| (v - top).exp()).collect();
            let total: f32 = weights.iter().sum();
            let label = *label as usize;
            loss += f64::from(total.ln() - (row[label] - top));
            let one = |(k, w): (usize, &f32)| (w / total - f32::from(u8::from(k == label))) * share;
            gradient.extend(weights.iter().enumerate().map(one));
        }
        scalar(loss / n as f64, gradient)
    }

    fn backward(&self, saved: &Vec<f32>, _: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        scaled(saved, gradient)
    }
}

impl Operation<1> for SquaredHinge {
    type Saved = Vec<f32>;

    fn forward(&self, [y]: [View; 1]) -> (Values, Vec<f32>) {
        let [n, classes, ..] = y.shape;
        let (mut loss, mut gradient) = (0.0_f64, Vec::with_capacity(y.values.len()));
        let count = (n * classes) as f32;
        for (row, label) in y.values.chunks_exact(classes).zip(self.labels.iter()) {
            for (k, y) in row.iter().enumerate() {
                let t = if k == *label as usize { 1.0 } else { -1.0 };
                let slack = (1.0 - t * y).max(0.0);
                loss += f64::from(slack * slack);
                gradient.push(-2.0 * t * slack / count);
            }
        }
        scalar(loss / f64::from(count), gradient)
    }

    fn backward(&self, saved: &Vec<f32>, _: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        scaled(saved, gradient)
    }
}
