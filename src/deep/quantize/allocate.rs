/// The most bits of a channel.
const MOST: u32 = 8;

/// The exponent of banner2019, equation 10, which is right for a budget of cells.
pub const TWO_THIRDS: f64 = 2.0 / 3.0;

/// Bits of each channel, 0 to 8, with 2^bits ∝ scaleᵖ after rounding and ⌊mean_bits·n + ½⌋ bits in all (banner2019, equations 10
/// and 11).
///
/// The authors iterate the budget of cells until the mean number of bits is right. The outcome is known without: with more cells,
/// channel i takes its bit m when log₂ cells passes m − ½ − p·log₂ scale, so the bits are those of least such number; among equals
/// the first channel's. Whether one rounds to nearest or up makes no difference. A scale of 0 takes bits last.
///
/// ```
/// use implicit_bias::deep::quantize::{TWO_THIRDS, allocate};
/// assert_eq!(allocate(&[8.0, 1.0, 1.0, 0.1], 4.0, TWO_THIRDS), [6, 4, 4, 2]);
/// ```
pub fn allocate(scales: &[f64], mean_bits: f64, exponent: f64) -> Vec<u32> {
    let channels = scales.iter().enumerate();
    let mut steps: Vec<(f64, u32, usize)> = channels
        .flat_map(|(i, s)| (1..=MOST).map(move |m| (f64::from(m) - exponent * s.max(f64::MIN_POSITIVE).log2(), m, i)))
        .collect();
    steps.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let total = (mean_bits * scales.len() as f64).round() as usize;
    let mut bits = vec![0; scales.len()];
    steps.iter().take(total).for_each(|step| bits[step.2] += 1);
    bits
}

/// How many times less Σ αᵢ²/Bᵢ² is with Bᵢ ∝ αᵢ^{2/3} cells than with as many for each: mean(α²)/mean(α^{2/3})³, the largest gain
/// that any division of the same cells has.
pub fn allocation_gain(scales: &[f64]) -> f64 {
    let mean = |p: f64| scales.iter().map(|s| s.powf(p)).sum::<f64>() / scales.len() as f64;
    mean(2.0) / mean(TWO_THIRDS).powi(3)
}
