//! The mean of a few values, its interval, and how many more would settle a question.

/// The normal distribution's 97.5 % quantile.
const Z: f64 = 1.959_963_984_540_054;

/// A number and how far the truth may be from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its middle.
    pub centre: f64,
    /// The standard deviation of one value.
    pub deviation: f64,
    /// From the centre to either end.
    pub half_width: f64,
}

impl Interval {
    /// The 95 % interval of the mean of independent values, many or normal; NaN wide for fewer than two.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        Self::of_mean(mean, (squares / (n - 1.0)).sqrt(), values.len())
    }

    /// The same of `n` values with this mean and standard deviation (n − 1 in its denominator).
    pub fn of_mean(mean: f64, deviation: f64, n: usize) -> Self {
        let half_width = if n < 2 { f64::NAN } else { student_quantile(n - 1) * deviation / (n as f64).sqrt() };
        Self { centre: mean, deviation, half_width }
    }

    /// [low, high].
    pub fn ends(&self) -> [f64; 2] {
        [self.centre - self.half_width, self.centre + self.half_width]
    }
}

impl From<f64> for Interval {
    /// The number alone.
    fn from(centre: f64) -> Self {
        Self { centre, deviation: 0.0, half_width: 0.0 }
    }
}

/// The smallest n, from `from` to at most 2⁴⁰ times as many, at which `enough` is true; it must stay true from there on.
pub fn smallest(from: usize, enough: impl Fn(usize) -> bool) -> Option<usize> {
    let mut high = (0..=40).map(|k| from << k).find(|&n| enough(n))?;
    let mut low = from;
    while low < high {
        let middle = low.midpoint(high);
        if enough(middle) { high = middle } else { low = middle + 1 }
    }
    Some(high)
}

/// The t with P(|T| ≤ t) = 95 % for Student's T, to 1e-7; infinite without degrees of freedom.
///
/// Up to 100 degrees of freedom by bisection of the exact distribution, beyond by its expansion at the normal quantile
/// (Abramowitz and Stegun 1964, 26.7.3–26.7.5).
pub fn student_quantile(degrees: usize) -> f64 {
    if degrees == 0 {
        return f64::INFINITY;
    }
    if degrees > 100 {
        let (z, z2, v) = (Z, Z * Z, degrees as f64);
        let second = (5.0 * z2 + 16.0) * z2 + 3.0;
        let third = ((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0;
        return z + z / v * ((z2 + 1.0) / 4.0 + second / (96.0 * v) + third / (384.0 * v * v));
    }
    let (mut low, mut high) = (Z, 13.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if within(middle, degrees) < 0.95 { low = middle } else { high = middle }
    }
    high
}

/// P(|T| ≤ t).
fn within(t: f64, degrees: usize) -> f64 {
    let angle = (t / (degrees as f64).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let odd = degrees % 2;
    let (mut term, mut sum) = (if odd == 1 { cos } else { 1.0 }, 0.0);
    for k in (odd..degrees - 1).step_by(2) {
        sum += term;
        term *= cos * cos * (k + 1) as f64 / (k + 2) as f64;
    }
    if odd == 1 { (angle + sin * sum) * std::f64::consts::FRAC_2_PI } else { sin * sum }
}
