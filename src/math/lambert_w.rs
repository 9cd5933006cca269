//! The Lambert function.

/// W₀(x), the w ≥ 0 with w·eʷ = x, for x ≥ 0, to rounding: Newton's method on w + ln w = ln x, which never overflows
/// (Iacono and Boyd 2017). NaN for x < 0.
///
/// ```
/// let w = implicit_bias::math::lambert_w::lambert_w(1.0);
/// assert!((w - 0.567_143_290_409_783_8).abs() < 1e-15);
/// ```
pub fn lambert_w(x: f64) -> f64 {
    if x == 0.0 || x == f64::INFINITY {
        return x;
    }
    // ln(1 + x) is above the root, and convergence is quadratic: five steps are enough anywhere.
    (0..8).fold(x.ln_1p(), |w, _| w / (1.0 + w) * (1.0 + (x / w).ln()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverts_w_exp_w() {
        for exponent in -300..=300 {
            let x = 10f64.powi(exponent) * 3.7;
            let w = lambert_w(x);
            // In logarithms, where w·eʷ loses no digits to a large w.
            assert!((w.ln() + w - x.ln()).abs() <= 4.0 * f64::EPSILON * (1.0 + x.ln().abs()), "{x:e}: {w}");
        }
        for w in [1e-9, 0.3, 1.0, 5.0, 40.0] {
            let found = lambert_w(w * f64::exp(w));
            assert!((found / w - 1.0).abs() < 1e-14, "{w}: {found}");
        }
        assert!(lambert_w(0.0) == 0.0 && lambert_w(-1.0).is_nan() && lambert_w(f64::INFINITY).is_infinite());
    }
}
