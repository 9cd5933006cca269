//! Quantisation of a network that others trained on ImageNet (banner2019): EfficientNet-Lite0, read from its checkpoint.

use crate::data::images::{ImageFiles, Images, LabelledImages};
use crate::data::photograph::read_folder;
use crate::deep::inference::quantize::{Agreement, Pair, Recipe};
use crate::deep::inference::{Description, Graph, Groups, Preparation, Rule};
use crate::deep::torch;
use crate::error::{InputError, Result, between};
use crate::experiment::kinds::{Context, RunResult};
use crate::linear::solver::Status;
use crate::math::random::Stream;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

const NETWORK: &str = include_str!("../../../../assets/networks/efficientnet-lite0.toml");
const CLASSES: &str = include_str!("../../../../assets/networks/imagenet-to-cifar10.toml");
/// Test pictures that go through the network together.
const BATCH: usize = 25;
/// Numbers of a picture of CIFAR-10.
const PICTURE: usize = 3072;

/// The final metrics.
pub const FINAL: [&str; 11] = [
    "photographs_right",
    "photographs_right_in_floats",
    "zero_shot_error",
    "float_zero_shot_error",
    "error_increase",
    "agreement",
    "output_cosine",
    "weight_relative_mse",
    "quantized_bytes",
    "float_bytes",
    "photographs",
];

/// One way to quantise it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedRun {
    /// Which training pictures of CIFAR-10 calibrate.
    pub seed: u64,
    /// PyTorch's checkpoint of EfficientNet-Lite0.
    #[serde(default = "checkpoint")]
    pub checkpoint: PathBuf,
    /// Photographs whose file names end with their class.
    #[serde(default = "photographs")]
    pub photographs: PathBuf,
    /// The data folder of CIFAR-10.
    #[serde(default = "folder")]
    pub folder: PathBuf,
    /// Training pictures of CIFAR-10 that ranges and moments are taken from, 1 to 256.
    pub calibration: usize,
    /// Test pictures of CIFAR-10 that are compared, the first so many.
    pub test: usize,
    /// What is done to it.
    pub recipe: Recipe,
}

fn checkpoint() -> PathBuf {
    "data/imagenet/efficientnet-lite0-57934424.pth".into()
}

fn photographs() -> PathBuf {
    "data/imagenet".into()
}

fn folder() -> PathBuf {
    "data".into()
}

impl PretrainedRun {
    /// An error unless every number is in range.
    pub fn check(&self) -> Result<()> {
        self.recipe.check().map_err(|e| e.at("run.recipe"))?;
        between("run.calibration", self.calibration as f64, 0.0, 256.0)?;
        between("run.test", self.test as f64, 0.0, 10_000.0)
    }
}

/// Quantises and compares: on the photographs, and on CIFAR-10 through the classes of ImageNet that belong to each of its ten.
pub fn run(config: &PretrainedRun, context: &Context) -> Result<RunResult> {
    let description = Description::parse(NETWORK)?;
    let graph = network(&description, &config.checkpoint)?;
    let upscaled = Preparation { crop: 1.0, ..description.preparation() };
    let training = ImageFiles::Cifar10.training(&config.folder)?;
    let order = Stream::new(config.seed, &["calibration"]).permutation(training.labels.len());
    let sample = inputs(&upscaled, &training, &order[..config.calibration])?;
    let pair = Pair::new(graph, &sample, &config.recipe)?;

    let mut known = Agreement::default();
    for photograph in read_folder(&config.photographs)? {
        let x = description.preparation().inputs(&photograph.picture)?;
        pair.run(&x)?.iter().for_each(|[whole, few]| known.add(whole, few, photograph.class));
    }
    let test = ImageFiles::Cifar10.test(&config.folder)?;
    let chosen: Vec<usize> = (0..config.test.min(test.labels.len())).collect();
    let through = |run: &dyn Fn(&[f32]) -> Result<Vec<f32>>| -> Result<Option<Vec<f32>>> {
        let mut outputs = vec![];
        for (i, batch) in chosen.chunks(BATCH).enumerate() {
            if context.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            outputs.extend(run(&inputs(&upscaled, &test, batch)?)?);
            (context.tell)(&format!("{} of {} test pictures", i * BATCH + batch.len(), chosen.len()));
        }
        Ok(Some(outputs))
    };
    // In floats the outputs are the same for every recipe: the first run keeps them for the others.
    let classes = pair.whole.outputs();
    let kept = context.scratch.shared(&(&config.checkpoint, &config.folder, config.test));
    let numbers = |bytes: Vec<u8>| bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>();
    let before = kept.load().map(numbers).filter(|kept| kept.len() == chosen.len() * classes);
    let computed = before.is_none();
    let whole = before.map_or_else(|| through(&|x| pair.whole.run(x)), |kept| Ok(Some(kept)))?;
    if let Some(whole) = whole.as_ref().filter(|_| computed) {
        kept.save(&whole.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())?;
    }
    let (Some(whole), Some(few)) = (whole, through(&|x| pair.few.run(x))?) else {
        let (status, reason) = (Status::Interrupted, "the person asked to stop".into());
        return Ok(RunResult { status, reason, steps: 0, metrics: vec![], trace: vec![], vectors: vec![] });
    };

    let groups = Groups::parse(CLASSES, classes)?;
    let (mut score, mut right) = (Agreement::default(), [0usize; 2]);
    for ((whole, few), at) in whole.chunks(classes).zip(few.chunks(classes)).zip(&chosen) {
        score.add(whole, few, None);
        for (outputs, right) in [whole, few].into_iter().zip(&mut right) {
            let class = groups.class(outputs, Rule::LargestOutput);
            *right += usize::from(class == usize::from(test.labels[*at]));
        }
    }
    let share = |n: usize| n as f64 / chosen.len() as f64;
    let measured = [
        known.right as f64,
        known.right_in_floats as f64,
        1.0 - share(right[1]),
        1.0 - share(right[0]),
        share(right[0]) - share(right[1]),
        share(score.same),
        score.cosine(),
        pair.relative_mse(),
        pair.bytes() as f64,
        pair.float_bytes as f64,
        known.labelled as f64,
    ];
    Ok(RunResult {
        status: Status::Converged,
        reason: "all pictures were compared".into(),
        steps: 0,
        metrics: FINAL.into_iter().zip(measured).collect(),
        trace: vec![],
        vectors: vec![],
    })
}

fn network(description: &Description, checkpoint: &Path) -> Result<Graph> {
    let place = |e: InputError| e.at(checkpoint.display());
    let bytes = std::fs::read(checkpoint)
        .map_err(|e| place(InputError::new(format!("{e}. `scripts/get-imagenet.sh` puts it there"))))?;
    let weights = torch::to_safetensors(&torch::read(&bytes).map_err(place)?)?;
    let mut graph = description.graph(&weights).map_err(place)?;
    graph.fold_batch_norms();
    Ok(graph)
}

fn inputs(preparation: &Preparation, set: &LabelledImages, chosen: &[usize]) -> Result<Vec<f32>> {
    let Images { channels, height, width, pixels } = &set.images;
    let (channels, height, width) = (*channels, *height, *width);
    let one = |at: &usize| {
        let pixels = pixels[at * PICTURE..][..PICTURE].to_vec();
        preparation.inputs(&Images { channels, height, width, pixels })
    };
    Ok(chosen.iter().map(one).collect::<Result<Vec<_>>>()?.concat())
}
