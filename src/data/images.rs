//! Pictures as bytes, and real image sets read from a data folder.

pub use super::image_pair::{file_pair, file_test_pair};

use super::{cifar10, idx};
use crate::error::{InputError, Result};
use std::path::Path;

/// Pictures, one byte a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Rows of a picture.
    pub height: usize,
    /// Columns of a picture.
    pub width: usize,
    /// count × channels × height × width, row-major.
    pub pixels: Vec<u8>,
}

impl Images {
    /// Number of pictures.
    pub fn count(&self) -> usize {
        self.pixels.len() / (self.channels * self.height * self.width).max(1)
    }
}

/// Pictures of ten classes with their labels, as stored: bytes, unscaled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImages {
    /// The pictures.
    pub images: Images,
    /// The class of each picture, 0 … 9.
    pub labels: Vec<u8>,
}

impl LabelledImages {
    /// Pictures and labels that belong together.
    ///
    /// # Errors
    /// For another number of labels than of pictures, and for a label above 9.
    pub fn new(images: Images, labels: Vec<u8>) -> Result<Self> {
        if images.count() != labels.len() {
            let allowed = format!("{}, one a picture", images.count());
            let remedy = "Give the labels that belong to these pictures.";
            return Err(InputError::value("the number of labels", labels.len(), &allowed, remedy));
        }
        if let Some(k) = labels.iter().position(|l| *l > 9) {
            let field = format!("the label of picture {}", k + 1);
            return Err(InputError::value(&field, labels[k], "a class, 0 … 9", "The file is damaged: fetch it again."));
        }
        Ok(Self { images, labels })
    }
}

/// An image set in files, as `implicit-bias data fetch` leaves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageFiles {
    /// Handwritten digits, 1×28×28.
    Mnist,
    /// Clothing, 1×28×28.
    FashionMnist,
    /// Photographs, 3×32×32.
    Cifar10,
}

impl ImageFiles {
    /// The name of the set, as `implicit-bias data` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar10",
        }
    }

    /// The training pictures (60,000; CIFAR-10 50,000) in the data folder `dest`.
    ///
    /// # Errors
    /// For a file that is missing or malformed, with the file named.
    pub fn training(self, dest: &Path) -> Result<LabelledImages> {
        self.read(dest, "train", &["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"])
    }

    /// The 10,000 test pictures in the data folder `dest`.
    ///
    /// # Errors
    /// As [`Self::training`].
    pub fn test(self, dest: &Path) -> Result<LabelledImages> {
        self.read(dest, "t10k", &["test_batch"])
    }

    fn read(self, dest: &Path, part: &str, batches: &[&str]) -> Result<LabelledImages> {
        let read = match self {
            Self::Cifar10 => {
                let folder = dest.join("cifar-10-batches-bin");
                cifar10::read(&batches.iter().map(|b| folder.join(format!("{b}.bin"))).collect::<Vec<_>>())
            }
            grey => {
                let file = |what: &str| dest.join(grey.name()).join(format!("{part}-{what}-ubyte"));
                let labels = file("labels-idx1");
                idx::read_images(&file("images-idx3")).and_then(|images| {
                    LabelledImages::new(images, idx::read_labels(&labels)?).map_err(|e| e.at(labels.display()))
                })
            }
        };
        let remedy = format!("`implicit-bias data fetch {} --dest {}` puts it there", self.name(), dest.display());
        read.map_err(|e| InputError::new(format!("{e} ({remedy})")))
    }
}
