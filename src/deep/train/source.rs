use super::batches::Set;
use crate::data::embedded::{ImageSet, digits8x8, mnist_test, mnist_train};
use crate::data::images::{ImageFiles, Images, LabelledImages};
use crate::error::{InputError, Result};
use crate::math::random::Stream;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Test pictures of the embedded 8×8 digits, which have no split of their own: drawn by a fixed seed.
const DIGITS_TEST: usize = 597;

/// Pictures of ten classes, and how they are split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// The embedded pictures: 1,200 + 597 digits of 8×8, or 2,000 + 1,000 of MNIST.
    Images {
        /// digits8x8 or mnist.
        set: ImageSet,
        /// Training pictures; default all.
        samples: Option<usize>,
        /// Of these, how many are held out, and the epoch with the least error on them is noted.
        #[serde(default)]
        validation: usize,
    },
    /// A set in files, as `implicit-bias data fetch` leaves them.
    ImageFiles {
        /// mnist, fashion-mnist or cifar10.
        set: ImageFiles,
        /// The data folder.
        #[serde(default = "default_folder")]
        folder: PathBuf,
        /// Training pictures; default all.
        samples: Option<usize>,
        /// As for `images`.
        #[serde(default)]
        validation: usize,
    },
}

/// Pictures for training, held out, and for testing.
#[derive(Debug, Clone)]
pub struct Split {
    /// For training.
    pub training: Set,
    /// Held out of the training pictures.
    pub validation: Option<Set>,
    /// For testing.
    pub test: Set,
}

impl Source {
    /// Reads the pictures. Which ones are trained on and held out depends on the seed.
    ///
    /// # Errors
    /// Files that are missing or malformed (the message says which command fetches them), and counts that do not fit.
    pub fn load(&self, seed: u64) -> Result<Split> {
        let (training, test, samples, validation) = match self {
            Self::Images { set: ImageSet::Digits8x8, samples, validation } => {
                let all = digits8x8()?;
                let order = Stream::new(0, &["digits8x8", "split"]).permutation(all.labels.len());
                let (test, training) = order.split_at(DIGITS_TEST);
                let bright = |p: &u8| (u16::from(*p) * 255).div_ceil(16) as u8;
                let scaled = |mut s: LabelledImages| {
                    s.images.pixels = s.images.pixels.iter().map(bright).collect();
                    s
                };
                (scaled(pick(&all, training)), scaled(pick(&all, test)), samples, validation)
            }
            Self::Images { set: ImageSet::Mnist, samples, validation } => {
                (mnist_train()?, mnist_test()?, samples, validation)
            }
            Self::ImageFiles { set, folder, samples, validation } => {
                (set.training(folder)?, set.test(folder)?, samples, validation)
            }
        };
        let count = samples.unwrap_or(training.labels.len());
        let fits = |field: &str, v: usize, low: usize, high: usize| {
            let error = || InputError::value(field, v, &format!("{low} to {high}"), "Choose a number in that range.");
            (low..=high).contains(&v).then_some(()).ok_or_else(error)
        };
        fits("run.data.samples", count, 2, training.labels.len())?;
        fits("run.data.validation", *validation, 0, count - 2)?;
        let test = Set { pictures: test };
        if count == training.labels.len() && *validation == 0 {
            return Ok(Split { training: Set { pictures: training }, validation: None, test });
        }
        let order = Stream::new(seed, &["samples"]).permutation(training.labels.len());
        let (held, kept) = order[..count].split_at(*validation);
        let set = |indices: &[usize]| Set { pictures: pick(&training, indices) };
        Ok(Split { training: set(kept), validation: (*validation > 0).then(|| set(held)), test })
    }
}

fn pick(all: &LabelledImages, indices: &[usize]) -> LabelledImages {
    let Images { channels, height, width, pixels } = &all.images;
    let size = channels * height * width;
    let pixels = indices.iter().flat_map(|i| &pixels[i * size..(i + 1) * size]).copied().collect();
    LabelledImages {
        images: Images { channels: *channels, height: *height, width: *width, pixels },
        labels: indices.iter().map(|i| all.labels[*i]).collect(),
    }
}

fn default_folder() -> PathBuf {
    "data".into()
}
