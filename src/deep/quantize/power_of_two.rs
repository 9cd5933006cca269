/// The fraction bits of √2. No f32 lies between √2 and its f64 neighbour, so comparing with it is exact.
const SQRT_2: u64 = std::f64::consts::SQRT_2.to_bits() & FRACTION;
const FRACTION: u64 = (1 << 52) - 1;

/// AP2(x) = sign(x)·2^round(log₂|x|), the power of two nearest to x in logarithm (Hubara et al. 2016), exactly.
/// Multiplying by it is a shift. AP2(0) = 0; from 2^127.5 on it is infinite.
///
/// ```
/// use implicit_bias::deep::quantize::ap2;
/// assert_eq!([3.0, 2.8, -0.3, 0.0].map(ap2), [4.0, 2.0, -0.25, 0.0]); // 2√2 = 2.83 is the watershed
/// ```
pub fn ap2(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    // Every f32, a subnormal one too, is a normal f64: its fraction is x/2^⌊log₂|x|⌋ − 1. The sum carries into the exponent
    // where the fraction is at least that of √2.
    let bits = f64::from(x).to_bits() + ((1 << 52) - SQRT_2);
    f64::from_bits(bits & !FRACTION) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_formula_and_is_exact_at_the_watershed() {
        for bits in (0..=f32::MAX.to_bits()).step_by(9973) {
            let x = f32::from_bits(bits);
            let formula = f64::from(x).log2().round().exp2() as f32;
            assert_eq!((ap2(x), ap2(-x)), (formula, -formula), "{x:e}");
        }
        // The f32 next to 2^(k + 1/2), below and above: M² < 2^47 ≤ (M + 1)² for the 24-bit mantissa M = ⌊√2·2^23⌋.
        let below = (std::f64::consts::SQRT_2 * f64::from(1 << 23)).floor();
        assert!(below.powi(2) < 2f64.powi(47) && (below + 1.0).powi(2) > 2f64.powi(47));
        for k in -149..=103 {
            let (scale, one) = (2f64.powi(k), 2f64.powi(k + 23) as f32);
            assert_eq!([below, below + 1.0].map(|m| ap2((m * scale) as f32)), [one, 2.0 * one], "{k}");
        }
        assert!(ap2(f32::NAN).is_nan() && ap2(f32::INFINITY) == f32::INFINITY && ap2(-0.0) == 0.0);
    }
}
