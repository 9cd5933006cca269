//! Real images that travel with the crate: UCI optical digits (8×8) and a cut of MNIST (28×28).
//!
//! Sources and licences are in `assets/data/ATTRIBUTION.md`.

pub use super::image_pair::{image_pair, test_pair};

use super::idx;
use super::images::LabelledImages;
use crate::error::Result;

/// An embedded image set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSet {
    /// UCI optical digits: 1,797 pictures of 8×8, values 0 … 16.
    #[serde(rename = "digits8x8")]
    Digits8x8,
    /// A stratified cut of MNIST: 2,000 training and 1,000 test pictures of 28×28, values 0 … 255.
    Mnist,
}

impl ImageSet {
    /// The name used in data set names, e.g. `digits8x8`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits8x8 => "digits8x8",
            Self::Mnist => "mnist",
        }
    }

    /// The byte that becomes the pixel value 1.
    pub fn white(self) -> u8 {
        match self {
            Self::Digits8x8 => 16,
            Self::Mnist => 255,
        }
    }

    pub(super) fn training(self) -> Result<LabelledImages> {
        match self {
            Self::Digits8x8 => digits8x8(),
            Self::Mnist => mnist_train(),
        }
    }
}

/// The 1,797 pictures of the UCI optical digits.
///
/// # Errors
/// Never with the files as committed.
pub fn digits8x8() -> Result<LabelledImages> {
    unpack(
        include_bytes!("../../assets/data/digits8x8-images-idx3-ubyte.gz"),
        include_bytes!("../../assets/data/digits8x8-labels-idx1-ubyte.gz"),
    )
}

/// 2,000 training pictures of MNIST, 200 a digit.
///
/// # Errors
/// Never with the files as committed.
pub fn mnist_train() -> Result<LabelledImages> {
    unpack(
        include_bytes!("../../assets/data/mnist-train2000-images-idx3-ubyte.gz"),
        include_bytes!("../../assets/data/mnist-train2000-labels-idx1-ubyte.gz"),
    )
}

/// 1,000 test pictures of MNIST, 100 a digit.
///
/// # Errors
/// Never with the files as committed.
pub fn mnist_test() -> Result<LabelledImages> {
    unpack(
        include_bytes!("../../assets/data/mnist-test1000-images-idx3-ubyte.gz"),
        include_bytes!("../../assets/data/mnist-test1000-labels-idx1-ubyte.gz"),
    )
}

fn unpack(images: &[u8], labels: &[u8]) -> Result<LabelledImages> {
    LabelledImages::new(idx::images(&idx::gunzip(images)?)?, idx::labels(&idx::gunzip(labels)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_what_the_attribution_says() {
        for (set, count, side) in [(digits8x8(), 1797, 8), (mnist_train(), 2000, 28), (mnist_test(), 1000, 28)] {
            let set = set.unwrap();
            assert_eq!((set.images.count(), set.images.height, set.images.width), (count, side, side));
            assert!(set.labels.iter().all(|&l| l < 10));
        }
        assert_eq!(digits8x8().unwrap().images.pixels.iter().max(), Some(&16));
    }
}
