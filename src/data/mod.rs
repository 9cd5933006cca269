//! Two-class data sets and where they come from: generators, embedded images, files of the user's own.

pub mod cifar10;
pub mod csv;
pub mod embedded;
pub mod fetch;
pub mod generate;
pub mod idx;
mod image_pair;
pub mod images;
pub mod npy;
pub mod photograph;
mod planted;
mod table;

use crate::error::{InputError, Result};

/// The most numbers N·D a data set may hold: 2²⁷, one GiB of f64.
pub const MAX_NUMBERS: usize = 1 << 27;

/// N labelled samples (x_n, y_n) with x_n ∈ R^D and y_n = ±1, without a bias term.
///
/// ```
/// use implicit_bias::data::Dataset;
///
/// let (x, y) = (vec![1.0, 2.0, 3.0, 4.0], vec![1.0, -1.0]);
/// let data = Dataset { name: "by hand".into(), shape: vec![2], x, y, planted: None }.check()?;
/// assert_eq!((data.samples(), data.features()), (2, 2));
/// assert_eq!(data.signed_rows(), [1.0, 2.0, -3.0, -4.0]);
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What a figure or a table calls it.
    pub name: String,
    /// The shape of one sample: `[D]` for signals, `[height, width]` for images.
    pub shape: Vec<usize>,
    /// The samples, N×D, row-major; D is the product of `shape`.
    pub x: Vec<f64>,
    /// The labels, −1 or +1, one a sample.
    pub y: Vec<f64>,
    /// The known answer, where the data were built around one.
    pub planted: Option<Planted>,
}

/// The max-margin predictor that a data set was built around, with the proof that it is optimal.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// β*, length D, in the signal domain, with y_n⟨x_n, β*⟩ = 1 for every sample.
    pub predictor: Vec<f64>,
    /// The largest modulus of the dual vector r = Σ α_n y_n x_n off the support of β*, in [0, 1); 0 if there is no
    /// bin off the support. Below 1 it proves that every optimum has its support inside that of β*.
    pub certificate: f64,
    /// The multipliers α_n > 0, one a sample, Σ α_n = the norm of β*.
    pub multipliers: Vec<f64>,
}

impl Dataset {
    /// N, the number of samples.
    pub fn samples(&self) -> usize {
        self.y.len()
    }

    /// D, the number of features of a sample.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// x_i, length D. Panics, as indexing does, for i ≥ N.
    pub fn row(&self, i: usize) -> &[f64] {
        let d = self.features();
        &self.x[i * d..(i + 1) * d]
    }

    /// z_n = y_n x_n, N×D, row-major: the margins of β are ⟨z_n, β⟩.
    pub fn signed_rows(&self) -> Vec<f64> {
        self.clone().into_signed_rows()
    }

    /// The same, in the place of the samples.
    pub fn into_signed_rows(mut self) -> Vec<f64> {
        let d = self.features().max(1);
        for (row, y) in self.x.chunks_exact_mut(d).zip(&self.y) {
            row.iter_mut().for_each(|x| *x *= y);
        }
        self.x
    }

    /// The data set itself, if every number is finite, the lengths agree and both classes are present.
    ///
    /// # Errors
    /// Names the first field that is wrong, what it holds and what it may hold.
    pub fn check(self) -> Result<Self> {
        let features = checked_features(&self.shape, self.samples())?;
        let place = |e: InputError| e.at(&self.name);
        if self.x.len() != self.samples() * features {
            let allowed = format!("{} samples × {features} features", self.samples());
            let remedy = "Make `x`, `y` and `shape` agree.";
            return Err(place(InputError::value("x.len()", self.x.len(), &allowed, remedy)));
        }
        if let Some(k) = self.x.iter().position(|v| !v.is_finite()) {
            let field = format!("x[{}, {}]", k / features, k % features);
            let remedy = "Remove the sample or fill the value in.";
            return Err(place(InputError::value(&field, self.x[k], "a finite number", remedy)));
        }
        if let Some(i) = self.y.iter().position(|&v| v != 1.0 && v != -1.0) {
            let remedy = "Map the two classes to −1 and +1.";
            return Err(place(InputError::value(&format!("y[{i}]"), self.y[i], "−1 or +1", remedy)));
        }
        if self.y.iter().all(|&v| v == self.y[0]) {
            let remedy = "Add samples of the other class.";
            return Err(place(InputError::value(
                "the class of every sample",
                self.y[0],
                "−1 for some and +1 for others",
                remedy,
            )));
        }
        if let Some(p) = &self.planted
            && (p.predictor.len(), p.multipliers.len()) != (features, self.samples())
        {
            let found = format!("{} and {}", p.predictor.len(), p.multipliers.len());
            let allowed = format!("{features} and {}", self.samples());
            let remedy = "Give one number a feature and one multiplier a sample.";
            return Err(place(InputError::value(
                "the length of the planted predictor and multipliers",
                found,
                &allowed,
                remedy,
            )));
        }
        Ok(self)
    }
}

/// D, if `shape` and the number of samples are usable: one or two axes, at least two samples, not too large.
pub(crate) fn checked_features(shape: &[usize], samples: usize) -> Result<usize> {
    let remedy = "Use [D] for signals and [height, width] for images.";
    if !(1..=2).contains(&shape.len()) || shape.contains(&0) {
        return Err(InputError::value("shape", format!("{shape:?}"), "one or two lengths of at least 1", remedy));
    }
    if samples < 2 {
        return Err(InputError::value("samples", samples, "at least 2", "Two classes need a sample each."));
    }
    let features = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    match features.filter(|d| d.checked_mul(samples).is_some_and(|n| n <= MAX_NUMBERS)) {
        Some(d) => Ok(d),
        None => {
            let found = format!("{samples} samples of shape {shape:?}");
            let allowed = format!("at most {MAX_NUMBERS} numbers in all");
            Err(InputError::value("the size of the data", found, &allowed, "Use fewer samples or a smaller shape."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(shape: &[usize], x: &[f64], y: &[f64]) -> Dataset {
        Dataset { name: "t".into(), shape: shape.to_vec(), x: x.to_vec(), y: y.to_vec(), planted: None }
    }

    #[test]
    fn rows_and_signed_rows() {
        let d = data(&[1, 2], &[1.0, 2.0, 3.0, 4.0], &[1.0, -1.0]).check().unwrap();
        assert_eq!(d.row(1), [3.0, 4.0]);
        assert_eq!(d.signed_rows(), [1.0, 2.0, -3.0, -4.0]);
    }

    #[test]
    fn refuses_what_cannot_be_used() {
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.0, -1.0]);
        for (bad, word) in [
            (data(&[3], &x, &y), "x.len()"),
            (data(&[], &x, &y), "shape"),
            (data(&[0, 2], &[], &y), "shape"),
            (data(&[2], &x[..2], &y[..1]), "samples"),
            (data(&[2], &[1.0, 2.0, f64::NAN, 4.0], &y), "x[1, 0]"),
            (data(&[2], &x, &[1.0, 0.0]), "y[1]"),
            (data(&[2], &x, &[1.0, 1.0]), "class"),
            (data(&[usize::MAX, 2], &x, &y), "size"),
        ] {
            let message = bad.check().unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}
