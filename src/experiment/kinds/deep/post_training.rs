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
    /// Test pictures, the first so many; default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
    /// What is done to it.
    pub recipe: Recipe,
}

impl PostTrainingRun {
    /// An error unless every number is in range.
    pub fn check(&self) -> Result<()> {
        self.recipe.check().map_err(|e| e.at("run.recipe"))?;
        between("run.calibration", self.calibration as f64, 0.0, 256.0)?;
        between("run.test", self.test.unwrap_or(1) as f64, 0.0, 1e5)?;
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
    use crate::deep::inference::quantize::{Agreement, Pair};
    use crate::deep::model::Network;
    use crate::deep::op::values;
    use crate::deep::train::Set;
    use crate::error::Result;
    use crate::experiment::kinds::deep::training;
    use crate::experiment::kinds::{Context, RunResult};
    use crate::linear::solver::Status;

    /// Test pictures that go through a network together.
    const BATCH: usize = 256;

    /// Trains, unless another run has trained the same, quantises, and compares on the test pictures.
    pub fn run(config: &PostTrainingRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let fitted = training::fit_shared(&split, &config.training(), context)?;
        if fitted.status() != Status::MaxSteps {
            return Ok(fitted.result(vec![]));
        }
        let network = &fitted.trainer.network;
        let mut graph = network.graph()?;
        graph.fold_batch_norms();
        let pair = Pair::new(graph, &inputs(network, &split.training, 0, config.calibration), &config.recipe)?;

        let (test, mut score) = (&split.test, Agreement::default());
        let count = config.test.map_or(test.len(), |most| most.min(test.len()));
        for first in (0..count).step_by(BATCH) {
            let outputs = pair.run(&inputs(network, test, first, BATCH.min(count - first)))?;
            for ([whole, few], label) in outputs.iter().zip(&test.pictures.labels[first..]) {
                score.add(whole, few, Some(usize::from(*label)));
            }
        }
        let share = |count: usize| count as f64 / score.samples as f64;
        let [float_error, error] = [score.right_in_floats, score.right].map(|right| 1.0 - share(right));
        let measured = [
            error,
            float_error,
            share(score.right_in_floats) - share(score.right),
            share(score.same),
            score.cosine(),
            pair.relative_mse(),
            pair.bytes() as f64,
            pair.float_bytes as f64,
        ];
        Ok(fitted.result(FINAL.into_iter().zip(measured).collect()))
    }

    fn inputs(network: &Network, set: &Set, first: usize, count: usize) -> Vec<f32> {
        let indices: Vec<usize> = (first..set.len().min(first + count)).collect();
        values(&network.inputs(&set.take(&indices, None).0))
    }
}
