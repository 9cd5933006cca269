use crate::math::random::Stream;

/// +1 for x ≥ 0, −1 below: two values, not three, so that one bit holds them (Hubara et al. 2016).
pub fn sign(x: f32) -> f32 {
    if x >= 0.0 { 1.0 } else { -1.0 }
}

/// σ(x) = clip((x + 1)/2, 0, 1), the probability of +1 in stochastic binarisation.
pub fn hard_sigmoid(x: f32) -> f32 {
    ((x + 1.0) / 2.0).clamp(0.0, 1.0)
}

/// Deterministic binarisation: every x becomes [`sign`]`(x)`.
pub fn binarize(values: &mut [f32]) {
    values.iter_mut().for_each(|x| *x = sign(*x));
}

/// Stochastic binarisation: x becomes +1 with probability [`hard_sigmoid`]`(x)`, else −1, so that the mean is x
/// itself on [−1, 1]. One draw a value, in order.
pub fn binarize_stochastically(values: &mut [f32], stream: &mut Stream) {
    values.iter_mut().for_each(|x| *x = if stream.uniform() < f64::from(hard_sigmoid(*x)) { 1.0 } else { -1.0 });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_zero() {
        for (x, expected) in [(0.0, 1.0), (-0.0, 1.0), (f32::MIN_POSITIVE, 1.0), (-f32::MIN_POSITIVE, -1.0)] {
            assert_eq!(sign(x), expected, "{x}");
        }
        // Certain outside (−1, 1), whatever is drawn.
        let mut values = [1.0, -1.0, 7.0, -7.0, f32::INFINITY, f32::NEG_INFINITY].repeat(100);
        let signs: Vec<f32> = values.iter().map(|x| sign(*x)).collect();
        binarize_stochastically(&mut values, &mut Stream::new(0, &["test"]));
        assert_eq!(values, signs);
    }
}
