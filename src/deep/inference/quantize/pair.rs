use super::{Calibration, LayerReport, Moments, Quantized, Recipe, Rounding, quantize_weights};
use crate::deep::inference::{Graph, Program};
use crate::error::Result;

/// A network in floats, and the same with few bits.
#[derive(Debug, Clone)]
pub struct Pair {
    /// In floats.
    pub whole: Program,
    /// With few bits.
    pub few: Quantized,
    /// What became of the weights, layer by layer; empty if they stay floats.
    pub layers: Vec<LayerReport>,
    /// Bytes of all weights and biases in floats.
    pub float_bytes: usize,
}

impl Pair {
    /// Applies a recipe to a network whose batch normalisations are folded, calibrated on a batch of inputs.
    ///
    /// # Errors
    /// As for [`Calibration::new`].
    pub fn new(mut graph: Graph, inputs: &[f32], recipe: &Recipe) -> Result<Self> {
        let (whole, calibration) = (Program::new(&graph)?, Calibration::new(&graph, inputs)?);
        let mut float_bytes = 0;
        graph.visit_weights(&mut |w| float_bytes += 4 * (w.values.len() + w.bias.as_ref().map_or(0, Vec::len)));
        let moments = match recipe.rounding {
            Rounding::Outputs => Some(Moments::new(&graph, inputs)?),
            Rounding::Nearest => None,
        };
        let layers = quantize_weights(&mut graph, recipe, moments.as_ref());
        recipe.restore.apply(&mut graph, &calibration, inputs)?;
        let few = Quantized::new(&graph, &calibration, recipe)?;
        Ok(Self { whole, few, layers, float_bytes })
    }

    /// Bytes of the weights with few bits.
    pub fn bytes(&self) -> usize {
        if self.layers.is_empty() { self.float_bytes } else { self.layers.iter().map(|l| l.bytes).sum() }
    }

    /// Square error of all weights over their squares, each layer's by its number of weights.
    pub fn relative_mse(&self) -> f64 {
        let weights: usize = self.layers.iter().map(|l| l.weights).sum();
        let squares: f64 = self.layers.iter().map(|l| l.relative_mse * l.weights as f64).sum();
        squares / weights.max(1) as f64
    }

    /// The outputs for a batch of inputs, in floats and with few bits, one row a picture.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run(&self, inputs: &[f32]) -> Result<Vec<[Vec<f32>; 2]>> {
        let (classes, [whole, few]) = (self.whole.outputs(), [self.whole.run(inputs)?, self.few.run(inputs)?]);
        let rows = whole.chunks(classes).zip(few.chunks(classes));
        Ok(rows.map(|(whole, few)| [whole.to_vec(), few.to_vec()]).collect())
    }
}
