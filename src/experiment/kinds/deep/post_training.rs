//! Quantisation after training (banner2019): a network is trained in floats, and then given few bits.

use super::TrainingRun;
use crate::deep::inference::quantize::Recipe;
use crate::deep::model::ModelConfig;
use crate::deep::train::{Source, TrainingConfig};
use crate::error::{Result, between};
#[cfg(not(feature = "deep"))]
use crate::experiment::kinds::{Context, RunResult};
use serde::{Deserialize, Serialize};

/// The final metrics; trace.csv is that of the training.
pub const FINAL: [&str; 8] = [
    "test_error",
    "float_test_error",
    "error_increase",
    "agreement",
    "output_cosine",
    "weight_relative_mse",
    "quantized_bytes",
    "float_bytes",
];

/// One training, and one way to quantise what it gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostTrainingRun {
    /// As for a training.
    pub seed: u64,
    /// The pictures.
    pub data: Source,
    /// The network, in floats.
    pub model: ModelConfig,
    /// The method.
    pub training: TrainingConfig,
    /// Training pictures that ranges and moments are taken from, 1 to 256.
    pub calibration: usize,
    /// What is done to it.
    pub recipe: Recipe,
}

impl PostTrainingRun {
    /// An error unless every number is in range.
    pub fn check(&self) -> Result<()> {
        self.recipe.check().map_err(|e| e.at("run.recipe"))?;
        between("run.calibration", self.calibration as f64, 0.0, 256.0)?;
        self.training().check()
    }

    fn training(&self) -> TrainingRun {
        let Self { seed, data, model, training, .. } = self.clone();
        TrainingRun { seed, data, model, training }
    }
}

/// Without the deep wing there is nothing to train with.
#[cfg(not(feature = "deep"))]
pub fn run(_: &PostTrainingRun, _: &Context) -> Result<RunResult> {
    Err(super::without_deep("post-training-quantization"))
}

#[cfg(feature = "deep")]
pub use with_burn::run;

#[cfg(feature = "deep")]
mod with_burn {
    use super::{FINAL, PostTrainingRun};
    use crate::deep::inference::Program;
    use crate::deep::inference::quantize::{Agreement, Calibration, LayerReport, Quantized, quantize_weights};
    use crate::deep::model::Network;
    use crate::deep::op::values;
    use crate::deep::train::Set;
    use crate::error::Result;
    use crate::experiment::kinds::deep::training;
    use crate::experiment::kinds::{Context, RunResult};
    use crate::linear::solver::Status;

    /// Test pictures that go through a network together.
    const BATCH: usize = 256;

    /// Trains, quantises, and compares on the test pictures.
    pub fn run(config: &PostTrainingRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let fitted = training::fit(&split, &config.training(), context)?;
        if fitted.status() != Status::MaxSteps {
            return Ok(fitted.result(vec![]));
        }
        let network = &fitted.trainer.network;
        let mut graph = network.graph()?;
        graph.fold_batch_norms();
        let mut floats = 0;
        graph.visit_weights(&mut |w| floats += 4 * (w.values.len() + w.bias.as_ref().map_or(0, Vec::len)));
        let sample = inputs(network, &split.training, 0, config.calibration);
        let (whole, calibration) = (Program::new(&graph)?, Calibration::new(&graph, &sample)?);
        let layers = quantize_weights(&mut graph, &config.recipe);
        config.recipe.restore.apply(&mut graph, &calibration, &sample)?;
        let few = Quantized::new(&graph, &calibration, &config.recipe)?;

        let (test, classes, mut score) = (&split.test, whole.outputs(), Agreement::default());
        for first in (0..test.len()).step_by(BATCH) {
            let x = inputs(network, test, first, BATCH);
            let (whole, few) = (whole.run(&x)?, few.run(&x)?);
            let outputs = whole.chunks(classes).zip(few.chunks(classes));
            for ((a, b), label) in outputs.zip(&test.pictures.labels[first..]) {
                score.add(a, b, Some(usize::from(*label)));
            }
        }
        let n = test.len() as f64;
        let share = |count: usize| count as f64 / n;
        let [float_error, error] = [score.right_in_floats, score.right].map(|right| 1.0 - share(right));
        let weights: usize = layers.iter().map(|l| l.weights).sum();
        let squares = |l: &LayerReport| l.relative_mse * l.weights as f64;
        let packed = if layers.is_empty() { floats } else { layers.iter().map(|l| l.bytes).sum() };
        let measured = [
            error,
            float_error,
            share(score.right_in_floats) - share(score.right),
            share(score.same),
            score.cosine(),
            if weights > 0 { layers.iter().map(squares).sum::<f64>() / weights as f64 } else { 0.0 },
            packed as f64,
            floats as f64,
        ];
        Ok(fitted.result(FINAL.into_iter().zip(measured).collect()))
    }

    fn inputs(network: &Network, set: &Set, first: usize, count: usize) -> Vec<f32> {
        let indices: Vec<usize> = (first..set.len().min(first + count)).collect();
        values(&network.inputs(&set.take(&indices, None).0))
    }
}
