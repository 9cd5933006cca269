//! Generated data: Gaussian samples, and samples built around a known max-margin predictor.
//!
//! All generators draw the signed samples z_n = y_n x_n first and the labels y_n after them as fair coins, so the labels
//! carry no information that the signed samples do not. Samples come row by row from one stream: with the same seed a
//! larger Gaussian set begins with the smaller one (but for the last label of a set whose labels would all agree).

pub use super::planted::{Domain, planted};

use super::{Dataset, Planted, checked_features};
use crate::error::{InputError, Result};
use crate::math::random::Stream;

/// x_n ~ N(0, I) in R^D with fair random labels, or with a teacher's labels and a margin.
///
/// Without `margin` the set is separable through the origin almost surely for N ≤ D, and hardly ever for N well above
/// 2D (Cover 1965). With `margin = Some(g)`, g ≥ 0, a hidden unit vector β* gives the labels y_n = sign⟨x_n, β*⟩ and
/// every x_n is moved by y_n g β*, so that y_n⟨x_n, β*⟩ ≥ g: separable at any N.
///
/// # Errors
/// A shape without one or two axes, fewer than 2 samples, more than [`super::MAX_NUMBERS`] numbers, a margin that is
/// negative or not finite.
///
/// ```
/// let data = implicit_bias::data::generate::gaussian(&[16], 8, None, 1)?;
/// assert_eq!((data.samples(), data.features()), (8, 16));
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
pub fn gaussian(shape: &[usize], samples: usize, margin: Option<f64>, seed: u64) -> Result<Dataset> {
    let features = checked_features(shape, samples)?;
    let mut z = Stream::new(seed, &["data", "gaussian", "samples"]).normals(samples * features);
    if let Some(g) = margin {
        if !(g.is_finite() && g >= 0.0) {
            return Err(InputError::value("margin", g, "a finite number ≥ 0", "Leave it out for random labels."));
        }
        let mut teacher = Stream::new(seed, &["data", "gaussian", "teacher"]).normals(features);
        let norm = dot(&teacher, &teacher).sqrt();
        teacher.iter_mut().for_each(|t| *t /= norm);
        for row in z.chunks_exact_mut(features) {
            let label = 1f64.copysign(dot(row, &teacher));
            row.iter_mut().zip(&teacher).for_each(|(v, t)| *v = label * *v + g * t);
        }
    }
    labelled("gaussian", shape, z, seed, None)
}

/// x_n = y_n z_n with fair random labels; where they all agree, the last one is turned.
pub(super) fn labelled(
    kind: &str,
    shape: &[usize],
    z: Vec<f64>,
    seed: u64,
    planted: Option<Planted>,
) -> Result<Dataset> {
    let features: usize = shape.iter().product();
    let mut stream = Stream::new(seed, &["data", kind, "labels"]);
    let mut y: Vec<f64> = (0..z.len() / features).map(|_| stream.sign()).collect();
    if let [others @ .., last] = y.as_mut_slice()
        && others.iter().all(|v| v == last)
    {
        *last = -*last;
    }
    let mut x = z;
    for (row, label) in x.chunks_exact_mut(features).zip(&y) {
        row.iter_mut().for_each(|v| *v *= label);
    }
    Dataset { name: kind.into(), shape: shape.to_vec(), x, y, planted }.check()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaussian_margin_holds_and_seeds_matter() {
        let (plain, moved) = (gaussian(&[4, 3], 50, None, 5).unwrap(), gaussian(&[4, 3], 50, Some(0.5), 5).unwrap());
        assert_eq!(plain, gaussian(&[12], 50, None, 5).map(|d| Dataset { shape: vec![4, 3], ..d }).unwrap());
        assert!(gaussian(&[12], 80, None, 5).unwrap().x.starts_with(&plain.x));
        assert_ne!(plain.x, gaussian(&[4, 3], 50, None, 6).unwrap().x);
        let mut teacher = Stream::new(5, &["data", "gaussian", "teacher"]).normals(12);
        let norm = dot(&teacher, &teacher).sqrt();
        teacher.iter_mut().for_each(|t| *t /= norm);
        assert!(moved.signed_rows().chunks(12).all(|z| dot(z, &teacher) >= 0.5 - 1e-12));
        assert!((0..64).all(|seed| gaussian(&[2], 2, None, seed).is_ok()), "both classes for every seed");
    }

    #[test]
    fn refuses_parameters_out_of_range() {
        for (result, field) in [
            (gaussian(&[4], 1, None, 0), "samples"),
            (gaussian(&[2, 2, 2], 4, None, 0), "shape"),
            (gaussian(&[4], 4, Some(f64::NAN), 0), "margin"),
            (gaussian(&[4], 4, Some(-1.0), 0), "margin"),
        ] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(&format!("`{field}`")), "{message}");
        }
    }
}
