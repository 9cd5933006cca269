//! Two classes of an image set as a two-class data set.
//!
//! A predictor has no bias term, so what counts is separation by a hyperplane **through the origin**. It holds for every
//! one of the 45 pairs of digits in both embedded sets, on all training pictures, centred or not (tested with the
//! perceptron), and so for every smaller choice that is not centred. A smaller centred choice has a mean of its own, and
//! sets in files are their own: check them.

use super::Dataset;
use super::embedded::{ImageSet, mnist_test};
use super::images::{ImageFiles, LabelledImages};
use crate::error::{InputError, Result};
use crate::math::random::Stream;
use std::path::Path;

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
    Pictures::embedded(set, set.training()?).pair(pair, samples, center, seed)
}

/// The held-out pictures of the same two digits, for the predictor trained on [`image_pair`] of the same arguments.
///
/// For MNIST these are all of the test cut, for the 8×8 digits those that [`image_pair`] did not choose. With `center`
/// the mean of the *training* pictures is subtracted.
///
/// # Errors
/// As [`image_pair`]; for the 8×8 digits, `samples` that leave no picture of one class.
pub fn test_pair(set: ImageSet, pair: (u8, u8), samples: Option<usize>, center: bool, seed: u64) -> Result<Dataset> {
    let training = Pictures::embedded(set, set.training()?);
    if set == ImageSet::Mnist {
        return training.test(&Pictures::embedded(set, mnist_test()?), pair, samples, center, seed);
    }
    let [first, second] = training.split(pair, samples, seed)?;
    if first.left.is_empty() || second.left.is_empty() {
        let found = samples.map_or("absent".to_string(), |n| n.to_string());
        let allowed = "small enough to leave test pictures of both digits";
        return Err(InputError::value("samples", found, allowed, "Use fewer training samples, or `mnist`."));
    }
    let mean = training.mean(&first.chosen, &second.chosen, center);
    training.dataset(pair, " test", (&first.left, &second.left), &mean)
}

/// As [`image_pair`], from the training files in the data folder; colour pictures become the mean of their channels.
///
/// # Errors
/// As [`image_pair`] and [`ImageFiles::training`].
pub fn file_pair(
    (set, folder): (ImageFiles, &Path),
    pair: (u8, u8),
    samples: Option<usize>,
    center: bool,
    seed: u64,
) -> Result<Dataset> {
    Pictures::in_files(set, set.training(folder)?).pair(pair, samples, center, seed)
}

/// As [`test_pair`], from the test files in the data folder.
///
/// # Errors
/// As [`file_pair`] and [`ImageFiles::test`].
pub fn file_test_pair(
    (set, folder): (ImageFiles, &Path),
    pair: (u8, u8),
    samples: Option<usize>,
    center: bool,
    seed: u64,
) -> Result<Dataset> {
    let test = Pictures::in_files(set, set.test(folder)?);
    Pictures::in_files(set, set.training(folder)?).test(&test, pair, samples, center, seed)
}

/// The pictures of one class, by index: those of the training set, and the others.
struct Class {
    chosen: Vec<usize>,
    left: Vec<usize>,
}

/// An image set, with its name and the byte that becomes 1.
struct Pictures {
    name: &'static str,
    white: f64,
    source: LabelledImages,
}

impl Pictures {
    fn embedded(set: ImageSet, source: LabelledImages) -> Self {
        Self { name: set.name(), white: set.white().into(), source }
    }

    fn in_files(set: ImageFiles, source: LabelledImages) -> Self {
        Self { name: set.name(), white: 255.0, source }
    }

    fn pair(&self, pair: (u8, u8), samples: Option<usize>, center: bool, seed: u64) -> Result<Dataset> {
        let [first, second] = self.split(pair, samples, seed)?;
        let mean = self.mean(&first.chosen, &second.chosen, center);
        self.dataset(pair, "", (&first.chosen, &second.chosen), &mean)
    }

    /// All pictures of the pair in `held_out`, less the mean of those that are trained on.
    fn test(
        &self,
        held_out: &Self,
        pair: (u8, u8),
        samples: Option<usize>,
        center: bool,
        seed: u64,
    ) -> Result<Dataset> {
        let [first, second] = self.split(pair, samples, seed)?;
        let mean = self.mean(&first.chosen, &second.chosen, center);
        let [first, second] = held_out.split(pair, None, seed)?;
        held_out.dataset(pair, " test", (&first.chosen, &second.chosen), &mean)
    }

    fn split(&self, pair: (u8, u8), samples: Option<usize>, seed: u64) -> Result<[Class; 2]> {
        if pair.0 > 9 || pair.1 > 9 || pair.0 == pair.1 {
            return Err(InputError::value("pair", format!("{pair:?}"), "two different digits of 0 … 9", "Try (0, 1)."));
        }
        let labels = &self.source.labels;
        let shuffled = |digit: u8| -> Vec<usize> {
            let all: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == digit).collect();
            let mut stream = Stream::new(seed, &["data", self.name, &format!("digit={digit}")]);
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

    /// The pixels of picture `i`, the mean of its channels, scaled to [0, 1].
    fn picture(&self, i: usize) -> impl Iterator<Item = f64> {
        let images = &self.source.images;
        let (channels, d) = (images.channels, images.height * images.width);
        let planes = &images.pixels[i * channels * d..(i + 1) * channels * d];
        let sum = move |k: usize| planes.iter().skip(k).step_by(d).map(|p| f64::from(*p)).sum::<f64>();
        (0..d).map(move |k| sum(k) / (channels as f64 * self.white))
    }

    fn mean(&self, first: &[usize], second: &[usize], center: bool) -> Vec<f64> {
        let mut mean = vec![0.0; self.source.images.height * self.source.images.width];
        if center {
            for &i in first.iter().chain(second) {
                mean.iter_mut().zip(self.picture(i)).for_each(|(m, p)| *m += p);
            }
            mean.iter_mut().for_each(|m| *m /= (first.len() + second.len()) as f64);
        }
        mean
    }

    fn dataset(
        &self,
        pair: (u8, u8),
        suffix: &str,
        (first, second): (&[usize], &[usize]),
        mean: &[f64],
    ) -> Result<Dataset> {
        let (mut x, mut y) = (vec![], vec![]);
        for k in 0..first.len().max(second.len()) {
            for (class, label) in [(first, -1.0), (second, 1.0)] {
                if let Some(&i) = class.get(k) {
                    x.extend(self.picture(i).zip(mean).map(|(p, m)| p - m));
                    y.push(label);
                }
            }
        }
        let shape = vec![self.source.images.height, self.source.images.width];
        let name = format!("{} {}/{}{suffix}", self.name, pair.0, pair.1);
        Dataset { name, shape, x, y, planted: None }.check()
    }
}

#[cfg(test)]
mod tests {
    use super::super::embedded::digits8x8;
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
    fn every_pair_is_separable_through_the_origin() {
        for set in [ImageSet::Digits8x8, ImageSet::Mnist] {
            for (a, b) in (0..10).flat_map(|b| (0..b).map(move |a| (a, b))) {
                for center in [false, true] {
                    let data = image_pair(set, (a, b), None, center, 1).unwrap();
                    assert!(perceptron(&data, 3000), "{} centred: {center}", data.name);
                }
            }
        }
    }

    #[test]
    fn choices_are_balanced_nested_and_disjoint_from_the_test_pictures() {
        let chosen = |n| {
            let pictures = Pictures::embedded(ImageSet::Digits8x8, digits8x8().unwrap());
            let [a, b] = pictures.split((3, 8), Some(n), 7).unwrap();
            ([a.chosen.len(), b.chosen.len()], [a.chosen, b.chosen].concat(), [a.left, b.left].concat())
        };
        let ((sizes, small, _), (_, large, left)) = (chosen(51), chosen(200));
        assert_eq!(sizes, [25, 26]);
        assert!(small.iter().all(|i| large.contains(i)) && left.iter().all(|i| !large.contains(i)));
        assert_eq!(large.len() + left.len(), 183 + 174);
        assert_eq!(chosen(356).0, [182, 174], "the smaller class runs out");
    }

    #[test]
    fn the_training_mean_is_subtracted_from_both() {
        for (set, held_out) in [(ImageSet::Mnist, 200), (ImageSet::Digits8x8, 340)] {
            let train = |center| image_pair(set, (0, 1), Some(20), center, 2).unwrap();
            let test = |center| test_pair(set, (0, 1), Some(20), center, 2).unwrap();
            let (plain, centred, test, test_centred) = (train(false), train(true), test(false), test(true));
            assert_eq!(test.samples(), held_out);
            assert!(plain.x.iter().chain(&test.x).all(|p| (0.0..=1.0).contains(p)));
            for k in 0..plain.features() {
                let mean = (0..20).map(|i| centred.row(i)[k]).sum::<f64>();
                assert!(mean.abs() < 1e-13);
                let shift = (plain.row(3)[k] - centred.row(3)[k]) - (test.row(5)[k] - test_centred.row(5)[k]);
                assert!(shift.abs() < 1e-15);
            }
        }
    }

    #[test]
    fn refuses_what_is_not_there() {
        for (result, field) in [
            (image_pair(ImageSet::Mnist, (3, 3), None, false, 0), "pair"),
            (image_pair(ImageSet::Mnist, (3, 10), None, false, 0), "pair"),
            (image_pair(ImageSet::Mnist, (3, 8), Some(1), false, 0), "samples"),
            (image_pair(ImageSet::Mnist, (3, 8), Some(401), false, 0), "samples"),
            (test_pair(ImageSet::Digits8x8, (3, 8), None, false, 0), "samples"),
        ] {
            assert!(result.unwrap_err().to_string().contains(&format!("`{field}` is ")));
        }
    }
}
