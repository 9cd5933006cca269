/// The affine quantiser of GEMMLOWP (Jacob et al. 2018; banner2018, section 5): x ≈ (q − zero_point)·scale with
/// 0 ≤ q ≤ 2^bits − 1. Zero is represented exactly, so padding costs nothing.
///
/// ```
/// use implicit_bias::deep::quantize::Affine;
/// let eight = Affine::of_range(-1.0, 3.0, 8);
/// assert_eq!((eight.round(0.0), eight.quantize(9.0)), (0.0, 255));
/// assert!((eight.round(1.234) - 1.234).abs() <= eight.scale / 2.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Distance of two neighbouring values.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero_point: i32,
    /// Bits, 1 to 16.
    pub bits: u32,
}

impl Affine {
    /// For numbers from `low` to `high`; the range is extended to contain 0. A range of one point gets the scale 1.
    pub fn of_range(low: f32, high: f32, bits: u32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let levels = ((1u32 << bits) - 1) as f32;
        let scale = (high - low) / levels;
        let scale = if scale > 0.0 && scale.is_finite() { scale } else { 1.0 };
        Self { scale, zero_point: (-low / scale).round().clamp(0.0, levels) as i32, bits }
    }

    /// For all of `values`.
    pub fn of_values(values: &[f32], bits: u32) -> Self {
        let (low, high) = values.iter().fold((0f32, 0f32), |(l, h), x| (l.min(*x), h.max(*x)));
        Self::of_range(low, high, bits)
    }

    /// The largest integer.
    #[inline]
    pub fn top(self) -> i32 {
        (1 << self.bits) - 1
    }

    /// The nearest integer, ties to even; numbers outside the range are clipped.
    #[inline]
    pub fn quantize(self, x: f32) -> i32 {
        self.clamp((x / self.scale).round_ties_even())
    }

    /// ⌊x/scale + u⌋ for u uniform in [0, 1): its expectation is x inside the range (stochastic rounding).
    pub fn quantize_stochastically(self, x: f32, u: f32) -> i32 {
        self.clamp((x / self.scale + u).floor())
    }

    /// What an integer stands for.
    #[inline]
    pub fn dequantize(self, q: i32) -> f32 {
        (q - self.zero_point) as f32 * self.scale
    }

    /// The nearest number that the quantiser has.
    pub fn round(self, x: f32) -> f32 {
        self.dequantize(self.quantize(x))
    }

    #[inline]
    fn clamp(self, steps: f32) -> i32 {
        (steps as i32).saturating_add(self.zero_point).clamp(0, self.top())
    }
}
