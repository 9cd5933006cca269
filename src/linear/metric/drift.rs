use crate::math::dft::Bins;
use crate::math::sums::angle;

/// What the theorems assume to converge, the phases of β̂ and the direction of ∇_β 𝓛, compared with the last observation.
#[derive(Debug, Default)]
pub struct Drift {
    last: Option<(Vec<f64>, Vec<f64>)>,
}

impl Drift {
    /// (phase drift, gradient drift) in radians: Σ|β̂_d|·|∠β̂_d − ∠β̂_d'|/Σ|β̂_d| over the full spectrum, and the angle
    /// between r and r'. NaN at the first observation.
    pub fn since_last(&mut self, bins: Bins, spectrum: &[f64], dual: &[f64]) -> (f64, f64) {
        let drift = self.last.as_ref().map_or((f64::NAN, f64::NAN), |(before, r)| {
            let (mut turned, mut total) = (0.0, 0.0);
            for b in 0..bins.count() {
                let (now, then) = (bins.value(spectrum, b), bins.value(before, b));
                let weight = now.norm() * bins.multiplicity(b) as f64;
                turned += weight * (now * then.conj()).arg().abs();
                total += weight;
            }
            (turned / total, angle(dual, r))
        });
        self.last = Some((spectrum.to_vec(), dual.to_vec()));
        drift
    }
}
