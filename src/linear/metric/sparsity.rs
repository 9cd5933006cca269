use crate::math::dft::Bins;

/// How few frequencies carry β̂, counted over the full spectrum of D bins. Smaller is sparser; a single pair gives 2.
#[derive(Debug, Clone, Copy)]
pub struct Sparsity {
    /// ‖β̂‖₁/‖β̂‖₂, between 1 and √D.
    pub ratio: f64,
    /// exp of the entropy of |β̂|²/‖β̂‖²: the effective number of bins in energy.
    pub entropy: f64,
    /// ‖β̂‖₁²/‖β̂‖₂² = `ratio`²: the participation number.
    pub participation: f64,
    /// Bins with |β̂| above 10⁻³ of the largest.
    pub threshold: f64,
}

impl Sparsity {
    /// Of a packed spectrum.
    pub fn of(bins: Bins, packed: &[f64]) -> Self {
        let moduli = bins.moduli(packed);
        let largest = moduli.iter().copied().fold(0.0, f64::max);
        let (mut one, mut two, mut entropy, mut threshold) = (0.0, 0.0, 0.0, 0.0);
        for (b, modulus) in moduli.iter().enumerate() {
            let (m, count) = (modulus / largest, bins.multiplicity(b) as f64);
            one += count * m;
            two += count * m * m;
            entropy -= if m > 0.0 { count * m * m * (m * m).ln() } else { 0.0 };
            threshold += if m > 1e-3 { count } else { 0.0 };
        }
        // −Σ s/S ln(s/S) = −Σ s ln s/S + ln S.
        let entropy = (entropy / two + f64::ln(two)).exp();
        Self { ratio: one / two.sqrt(), entropy, participation: one * one / two, threshold }
    }
}
