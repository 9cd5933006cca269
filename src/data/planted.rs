//! Data built around a known max-margin predictor, with the dual vector that proves it optimal.

use super::generate::{dot, labelled};
use super::{Dataset, Planted, checked_features};
use crate::error::{InputError, Result};
use crate::math::dft::{Bins, UnitaryDft};
use crate::math::random::Stream;
use std::f64::consts::{SQRT_2, TAU};

/// The domain in which the planted predictor is sparse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Few Fourier bins: the predictor has the least Σ_d |β̂\[d\]|, as two-layer convolutional networks favour.
    Spectrum,
    /// Few coordinates: the predictor has the least Σ_d |β\[d\]|, as two-layer diagonal networks favour.
    Signal,
}

/// Data whose ℓ1 max-margin predictor β* and dual certificate are known.
///
/// With R(β) = Σ_d |β̂\[d\]| over the full spectrum (a conjugate pair counts twice), or Σ_d |β\[d\]| in the signal domain,
/// β* = argmin R(β) s.t. y_n⟨x_n, β⟩ ≥ 1, and every sample is a support vector. β* has `active_bins` bins (a conjugate
/// pair is one bin) with random phases and moduli within a factor of 3 of each other, scaled to ‖β*‖₂ = 1; the samples
/// are about N(0, I) across β*. The dual vector r = Σ α_n y_n x_n has r̂ = β̂*/|β̂*| on the support and the modulus
/// `certificate` off it, which is the KKT condition of Gunasekar et al. 2018, Theorem 2. On the support a second optimum
/// would have the same phases and the same margins, so with N ≥ `active_bins` β* is the only one, almost surely.
///
/// # Errors
/// As [`super::generate::gaussian`]; `active_bins` not in 1 … min(bins, samples); `certificate` not in \[0, 1).
///
/// ```
/// use implicit_bias::data::generate::{Domain, planted};
///
/// let data = planted(&[8, 8], 20, 3, 0.9, Domain::Spectrum, 1)?;
/// let beta = data.planted.as_ref().map(|p| p.predictor.as_slice()).unwrap_or_default();
/// let margin: f64 = data.row(0).iter().zip(beta).map(|(x, b)| data.y[0] * x * b).sum();
/// assert!((margin - 1.0).abs() < 1e-12);
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
pub fn planted(
    shape: &[usize],
    samples: usize,
    active_bins: usize,
    certificate: f64,
    domain: Domain,
    seed: u64,
) -> Result<Dataset> {
    let features = checked_features(shape, samples)?;
    let mut dft = UnitaryDft::new(shape);
    let bins = if domain == Domain::Spectrum { dft.bins() } else { Bins::signal(features) };
    let most = bins.count().min(samples);
    if !(1..=most).contains(&active_bins) {
        let allowed = format!("in 1 … {most}, the lesser of {} bins and {samples} samples", bins.count());
        let remedy = "Use more samples, a larger shape or fewer bins: else the predictor is not the only optimum.";
        return Err(InputError::value("active_bins", active_bins, &allowed, remedy));
    }
    if !(0.0..1.0).contains(&certificate) {
        let remedy = "At 1 the predictor would not be the only optimum.";
        return Err(InputError::value("certificate", certificate, "in [0, 1)", remedy));
    }
    let (mut predictor, dual) = target(bins, active_bins, certificate, seed);
    let mut multipliers = positive(samples, seed);
    let scale = dot(&dual, &predictor) / multipliers.iter().sum::<f64>();
    multipliers.iter_mut().for_each(|a| *a *= scale);

    let mut z = Stream::new(seed, &["data", "planted", "samples"]).normals(samples * features);
    for row in z.chunks_exact_mut(features) {
        let excess = dot(row, &predictor) - 1.0;
        row.iter_mut().zip(&predictor).for_each(|(v, b)| *v -= excess * b);
    }
    // e = r − Σ α_n z_n is orthogonal to β*, so handing it out over the samples keeps the margins.
    let mut rest = dual;
    for (row, a) in z.chunks_exact(features).zip(&multipliers) {
        rest.iter_mut().zip(row).for_each(|(e, v)| *e -= a * v);
    }
    let square = dot(&multipliers, &multipliers);
    for (row, a) in z.chunks_exact_mut(features).zip(&multipliers) {
        row.iter_mut().zip(&rest).for_each(|(v, e)| *v += e * a / square);
    }
    if domain == Domain::Spectrum {
        let mut signal = vec![0.0; features];
        for row in z.chunks_exact_mut(features).chain([predictor.as_mut_slice()]) {
            dft.synthesize(row, &mut signal);
            row.copy_from_slice(&signal);
        }
    }
    let certificate = if active_bins < bins.count() { certificate } else { 0.0 };
    labelled("planted", shape, z, seed, Some(Planted { predictor, certificate, multipliers }))
}

/// β* with ‖β*‖₂ = 1 and r, both packed.
fn target(bins: Bins, active_bins: usize, certificate: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut stream = Stream::new(seed, &["data", "planted", "target"]);
    let (mut predictor, mut dual) = (vec![0.0; bins.features()], vec![0.0; bins.features()]);
    for (rank, b) in stream.permutation(bins.count()).into_iter().enumerate() {
        let active = rank < active_bins;
        let modulus = if active { 0.5 + stream.uniform() } else { 0.0 };
        let dual_modulus = if active { 1.0 } else { certificate };
        let mut place = |k: usize, direction: f64| {
            predictor[k] = modulus * direction;
            dual[k] = dual_modulus * direction;
        };
        if b < bins.real {
            place(b, stream.sign());
        } else {
            let (sin, cos) = (TAU * stream.uniform()).sin_cos();
            place(b, SQRT_2 * cos);
            place(b + bins.pairs, SQRT_2 * sin);
        }
    }
    let norm = dot(&predictor, &predictor).sqrt();
    predictor.iter_mut().for_each(|v| *v /= norm);
    (predictor, dual)
}

/// Numbers uniform in [0.5, 1.5).
fn positive(n: usize, seed: u64) -> Vec<f64> {
    let mut stream = Stream::new(seed, &["data", "planted", "multipliers"]);
    (0..n).map(|_| 0.5 + stream.uniform()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_planted_predictor_satisfies_the_kkt_conditions() {
        for (shape, domain) in [
            (&[32][..], Domain::Spectrum),
            (&[33], Domain::Spectrum),
            (&[8, 8], Domain::Spectrum),
            (&[5, 6], Domain::Spectrum),
            (&[32], Domain::Signal),
            (&[4, 8], Domain::Signal),
        ] {
            for (samples, rho) in [(4, 0.0), (20, 0.9), (100, 0.7)] {
                let data = planted(shape, samples, 4, rho, domain, 3).unwrap();
                let answer = data.planted.as_ref().unwrap();
                let (d, z) = (data.features(), data.signed_rows());
                assert!(z.chunks(d).all(|z| (dot(z, &answer.predictor) - 1.0).abs() < 1e-10));
                assert!(answer.multipliers.iter().all(|&a| a > 0.0));

                let mut dual = vec![0.0; d];
                for (z, a) in z.chunks(d).zip(&answer.multipliers) {
                    dual.iter_mut().zip(z).for_each(|(r, v)| *r += a * v);
                }
                let (mut bins, mut beta) = (Bins::signal(d), answer.predictor.clone());
                if domain == Domain::Spectrum {
                    let mut dft = UnitaryDft::new(shape);
                    let signal = dual.clone();
                    dft.analyze(&signal, &mut dual);
                    dft.analyze(&answer.predictor, &mut beta);
                    bins = dft.bins();
                }
                let norm: f64 =
                    bins.moduli(&beta).iter().enumerate().map(|(b, m)| bins.multiplicity(b) as f64 * m).sum();
                assert!(
                    (dot(&dual, &beta) - norm).abs() < 1e-10
                        && (answer.multipliers.iter().sum::<f64>() - norm).abs() < 1e-10
                );
                let mut active = 0;
                for b in 0..bins.count() {
                    let (r, v) = (bins.value(&dual, b), bins.value(&beta, b));
                    if v.norm() > 1e-3 {
                        active += 1;
                        assert!((r - v / v.norm()).norm() < 1e-10);
                    } else {
                        assert!((r.norm() - rho).abs() < 1e-10 && v.norm() < 1e-14);
                    }
                }
                assert_eq!(active, 4);
            }
        }
    }

    #[test]
    fn refuses_parameters_out_of_range() {
        for (result, field) in [
            (planted(&[16], 8, 0, 0.5, Domain::Spectrum, 0), "active_bins"),
            (planted(&[16], 20, 10, 0.5, Domain::Spectrum, 0), "active_bins"),
            (planted(&[16], 3, 4, 0.5, Domain::Signal, 0), "active_bins"),
            (planted(&[16], 8, 2, 1.0, Domain::Spectrum, 0), "certificate"),
        ] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(&format!("`{field}`")), "{message}");
        }
    }
}
