//! Real images that travel with the crate: UCI optical digits (8×8) and a cut of MNIST (28×28).
//!
//! Sources and licences are in `assets/data/ATTRIBUTION.md`.
//!
//! SEPARABILITY

use super::{Dataset, idx};
use crate::error::{InputError, Result};
use crate::math::random::Stream;

/// Images with their labels, as stored: bytes, unscaled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImages {
    /// The pictures.
    pub images: idx::Images,
    /// The digit on each picture, 0 … 9.
    pub labels: Vec<u8>,
}

/// An embedded image set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSet {
    /// UCI optical digits: 1,797 pictures of 8×8, values 0 … 16.
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

    fn training(self) -> Result<LabelledImages> {
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

/// Two digits as a two-class set: the first of `pair` is −1, the second +1; pixels scaled to [0, 1].
///
/// `samples` is the total, half a class as far as the classes go (an odd one goes to the second), chosen by `seed`: with
/// the same seed a larger choice contains a smaller one. `None` takes every training picture. With `center` the mean of
/// the chosen pictures is subtracted. Classes alternate row by row.
///
/// # Errors
/// A digit above 9 or twice the same; fewer than 2 samples or more than the two classes have.
///
/// ```
/// use implicit_bias::data::embedded::{ImageSet, image_pair};
///
/// let data = image_pair(ImageSet::Digits8x8, (0, 1), Some(40), false, 1)?;
/// assert_eq!((data.samples(), data.shape.as_slice()), (40, &[8, 8][..]));
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
pub fn image_pair(set: ImageSet, pair: (u8, u8), samples: Option<usize>, center: bool, seed: u64) -> Result<Dataset> {
    let source = set.training()?;
    let [first, second] = split(set, &source, pair, samples, seed)?;
    let mean = mean(set, &source, &first.chosen, &second.chosen, center);
    dataset(set, pair, "", &source, (&first.chosen, &second.chosen), &mean)
}

/// The held-out pictures of the same two digits, for the predictor trained on [`image_pair`] of the same arguments.
///
/// For MNIST these are all of the test cut, for the 8×8 digits those that [`image_pair`] did not choose. With `center`
/// the mean of the *training* pictures is subtracted.
///
/// # Errors
/// As [`image_pair`]; for the 8×8 digits, `samples` that leave no picture of one class.
pub fn test_pair(set: ImageSet, pair: (u8, u8), samples: Option<usize>, center: bool, seed: u64) -> Result<Dataset> {
    let source = set.training()?;
    let [first, second] = split(set, &source, pair, samples, seed)?;
    let mean = mean(set, &source, &first.chosen, &second.chosen, center);
    if set == ImageSet::Mnist {
        let test = mnist_test()?;
        let [first, second] = split(set, &test, pair, None, seed)?;
        return dataset(set, pair, " test", &test, (&first.chosen, &second.chosen), &mean);
    }
    if first.left.is_empty() || second.left.is_empty() {
        let found = samples.map_or("absent".to_string(), |n| n.to_string());
        let allowed = "small enough to leave test pictures of both digits";
        return Err(InputError::value("samples", found, allowed, "Use fewer training samples, or `mnist`."));
    }
    dataset(set, pair, " test", &source, (&first.left, &second.left), &mean)
}

fn unpack(images: &[u8], labels: &[u8]) -> Result<LabelledImages> {
    let images = idx::images(&idx::gunzip(images)?)?;
    let labels = idx::labels(&idx::gunzip(labels)?)?;
    if images.count() != labels.len() {
        let allowed = format!("{}, one a picture", images.count());
        return Err(InputError::value("the number of labels", labels.len(), &allowed, "Restore assets/data/."));
    }
    Ok(LabelledImages { images, labels })
}

/// The pictures of one digit, by index: those of the training set, and the others.
struct Class {
    chosen: Vec<usize>,
    left: Vec<usize>,
}

fn split(
    set: ImageSet,
    source: &LabelledImages,
    pair: (u8, u8),
    samples: Option<usize>,
    seed: u64,
) -> Result<[Class; 2]> {
    if pair.0 > 9 || pair.1 > 9 || pair.0 == pair.1 {
        return Err(InputError::value("pair", format!("{pair:?}"), "two different digits of 0 … 9", "Try (0, 1)."));
    }
    let shuffled = |digit: u8| -> Vec<usize> {
        let all: Vec<usize> = (0..source.labels.len()).filter(|&i| source.labels[i] == digit).collect();
        let mut stream = Stream::new(seed, &["data", set.name(), &format!("digit={digit}")]);
        stream.permutation(all.len()).into_iter().map(|k| all[k]).collect()
    };
    let (mut first, mut second) = (shuffled(pair.0), shuffled(pair.1));
    let available = first.len() + second.len();
    let total = samples.unwrap_or(available);
    if !(2..=available).contains(&total) {
        let allowed = format!("in 2 … {available}, all training pictures of {} and {}", pair.0, pair.1);
        return Err(InputError::value("samples", total, &allowed, "Leave it out to take them all."));
    }
    let of_second = (total - (total / 2).min(first.len())).min(second.len());
    let left = (first.split_off(total - of_second), second.split_off(of_second));
    Ok([Class { chosen: first, left: left.0 }, Class { chosen: second, left: left.1 }])
}

/// The pixels of picture `i`, scaled to [0, 1].
fn picture(set: ImageSet, source: &LabelledImages, i: usize) -> impl Iterator<Item = f64> {
    let d = source.images.height * source.images.width;
    source.images.pixels[i * d..(i + 1) * d].iter().map(move |&p| f64::from(p) / f64::from(set.white()))
}

fn mean(set: ImageSet, source: &LabelledImages, first: &[usize], second: &[usize], center: bool) -> Vec<f64> {
    let mut mean = vec![0.0; source.images.height * source.images.width];
    if center {
        for &i in first.iter().chain(second) {
            mean.iter_mut().zip(picture(set, source, i)).for_each(|(m, p)| *m += p);
        }
        mean.iter_mut().for_each(|m| *m /= (first.len() + second.len()) as f64);
    }
    mean
}

fn dataset(
    set: ImageSet,
    pair: (u8, u8),
    suffix: &str,
    source: &LabelledImages,
    (first, second): (&[usize], &[usize]),
    mean: &[f64],
) -> Result<Dataset> {
    let (mut x, mut y) = (vec![], vec![]);
    for k in 0..first.len().max(second.len()) {
        for (class, label) in [(first, -1.0), (second, 1.0)] {
            if let Some(&i) = class.get(k) {
                x.extend(picture(set, source, i).zip(mean).map(|(p, m)| p - m));
                y.push(label);
            }
        }
    }
    let shape = vec![source.images.height, source.images.width];
    let name = format!("{} {}/{}{suffix}", set.name(), pair.0, pair.1);
    Dataset { name, shape, x, y, planted: None }.check()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the perceptron separates the set through the origin within so many passes.
    fn perceptron(data: &Dataset, passes: usize) -> bool {
        let (d, z) = (data.features(), data.signed_rows());
        let mut w = vec![0.0; d];
        (0..passes).any(|_| {
            let mut clean = true;
            for row in z.chunks(d) {
                if row.iter().zip(&w).map(|(a, b)| a * b).sum::<f64>() <= 0.0 {
                    w.iter_mut().zip(row).for_each(|(w, v)| *w += v);
                    clean = false;
                }
            }
            clean
        })
    }

    #[test]
    fn the_files_are_what_the_attribution_says() {
        for (set, count, side) in [(digits8x8(), 1797, 8), (mnist_train(), 2000, 28), (mnist_test(), 1000, 28)] {
            let set = set.unwrap();
            assert_eq!((set.images.count(), set.images.height, set.images.width), (count, side, side));
            assert!(set.labels.iter().all(|&l| l < 10));
        }
        assert_eq!(digits8x8().unwrap().images.pixels.iter().max(), Some(&16));
    }

    #[test]
    #[ignore]
    fn survey() {
        for set in [ImageSet::Digits8x8, ImageSet::Mnist] {
            for center in [false, true] {
                let mut bad = vec![];
                for a in 0..10 {
                    for b in a + 1..10 {
                        let data = image_pair(set, (a, b), None, center, 1).unwrap();
                        if !perceptron(&data, if set == ImageSet::Mnist { 3000 } else { 30000 }) {
                            bad.push((a, b, data.samples()));
                        }
                    }
                }
                eprintln!("{set:?} {center} not: {bad:?}");
            }
        }
    }
}
