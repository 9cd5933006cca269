//! ℓ(m) = log(1 + exp(−m)).

/// log ℓ(m). For large m, ℓ(m) = e^(−m)(1 − e^(−m)/2 + …), so its logarithm is −m + ln(1 − e^(−m)/2 + …).
pub fn log_value(margin: f64) -> f64 {
    if margin < -30.0 {
        // log(1 + e^t) = t + e^(−t) to rounding.
        (-margin + margin.exp()).ln()
    } else if margin < 30.0 {
        (-margin).exp().ln_1p().ln()
    } else {
        -margin - 0.5 * (-margin).exp()
    }
}

/// log |ℓ'(m)| = log σ(−m) = −log(1 + e^m).
pub fn log_slope(margin: f64) -> f64 {
    if margin > 0.0 { -margin - (-margin).exp().ln_1p() } else { -margin.exp().ln_1p() }
}
