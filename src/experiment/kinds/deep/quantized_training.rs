//! Training with few bits, and how well the directions of outputs and gradients survive (banner2018, sections 4 and 5).

/// The final metrics; trace.csv is that of a training.
pub const FINAL: [&str; 6] =
    ["train_loss", "train_error", "test_error", "forward_cosine", "backward_cosine", "layer_cosine"];

#[cfg(not(feature = "deep"))]
pub fn run(
    _: &super::TrainingRun,
    _: &crate::experiment::kinds::Context,
) -> crate::error::Result<crate::experiment::kinds::RunResult> {
    Err(super::without_deep("quantized-training"))
}

#[cfg(feature = "deep")]
pub use with_burn::run;

#[cfg(feature = "deep")]
mod with_burn {
    use super::FINAL;
    use crate::deep::model::{Network, Rounding};
    use crate::deep::op::GradientRounding;
    use crate::deep::train::{Set, observe};
    use crate::error::Result;
    use crate::experiment::kinds::deep::{TrainingRun, training};
    use crate::experiment::kinds::{Context, RunResult};
    use crate::math::sums::cosine;

    /// Pictures of the batch on which the network is compared with itself in 32 bits.
    const PICTURES: usize = 256;

    /// Trains, tests, and compares the trained network with itself in 32 bits.
    pub fn run(config: &TrainingRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let fitted = training::fit(&split, config, context)?;
        let last = |column: usize| fitted.trace.last().map_or(f64::NAN, |(_, row)| row[column]);
        let network = &fitted.trainer.network;
        let [forward, backward, layer] = directions(network, &split.training, config.seed);
        let measured = [last(1), last(2), last(4), forward, backward, layer];
        Ok(fitted.result(FINAL.into_iter().zip(measured).collect()))
    }

    /// Cosines between what the network computes with few bits and with 32, with the same weights on the same batch: of the
    /// outputs, of the gradient of all weights, and of every layer's gradient and its rounded copy (the mean).
    fn directions(network: &Network, set: &Set, seed: u64) -> [f64; 3] {
        let mut float = network.clone();
        let Some(quantization) = float.config.quantization.take() else { return [1.0; 3] };
        let (pixels, labels) = set.take(&(0..PICTURES.min(set.len())).collect::<Vec<_>>(), None);
        let [few, all] = [network, &float].map(|n| observe(n, &pixels, &labels, seed));
        let random = quantization.rounding == Rounding::Stochastic;
        let rounded = |g: &Vec<f32>| {
            let rounding = quantization.gradients.map(|bits| GradientRounding { bits, seed: random.then_some(seed) });
            rounding.map_or(1.0, |r| cosine(g, &r.round(g)))
        };
        let layers: Vec<f64> = all.layer_gradients.iter().map(rounded).collect();
        [
            cosine(&few.outputs, &all.outputs),
            cosine(&few.weight_gradients.concat(), &all.weight_gradients.concat()),
            layers.iter().sum::<f64>() / layers.len() as f64,
        ]
    }
}
