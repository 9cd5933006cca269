//! ℓ(m) = exp(−m), the paper's loss.

/// log ℓ(m) = −m.
pub fn log_value(margin: f64) -> f64 {
    -margin
}

/// log |ℓ'(m)| = −m.
pub fn log_slope(margin: f64) -> f64 {
    -margin
}
