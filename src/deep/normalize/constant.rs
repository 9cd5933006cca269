use super::Statistic;
use crate::math::quadrature::{composite, gauss_legendre, sum};
use std::f64::consts::{FRAC_2_PI, PI, SQRT_2};

/// Factors beside [`Statistic::published`].
impl Statistic {
    /// The first-order limit of [`Self::exact`] for large n: 1, √(π/2), 1/√(2 ln n) for L∞ and top-k (which the first-order growth
    /// of the largest of n normal numbers suggests), 1/√(8 ln n) for range (as a figure of banner2018 has it).
    pub fn limit(self, n: usize) -> f64 {
        let growth = (2.0 * (n.max(2) as f64).ln()).sqrt();
        match self {
            Self::L2 | Self::L1 => self.published(n),
            Self::Linf | Self::Top(_) => 1.0 / growth,
            Self::Range => 0.5 / growth,
        }
    }

    /// The factor of the papers' code. For range it is 0.35·½(1 + √(π ln 4))/√(2 ln n), which is not what banner2018 prints.
    pub fn code(self, n: usize) -> f64 {
        match self {
            Self::Range => 0.35 * Self::Linf.published(n),
            _ => self.published(n),
        }
    }

    /// C*(n) = σ/E\[statistic\] for n ≥ 8 normal numbers less their mean, to 10⁻⁸.
    pub fn exact(self, n: usize) -> f64 {
        1.0 / self.moments(n)[0]
    }

    /// Expectation and standard deviation for n ≥ 8 standard normal numbers less their mean; the latter is NaN for the mean of the
    /// k largest, which is not known here.
    ///
    /// L1: Fisher 1920; its efficiency relative to L2 tends to 1/(π − 2) = 0.876. L∞ and top-k are exact as well, because
    /// differences from the mean are distributed as n independent numbers given that their sum is zero: no mean is neglected.
    pub fn moments(self, n: usize) -> [f64; 2] {
        let count = n as f64;
        let [mean, square] = match self {
            Self::L2 => {
                let ratio = libm::lgamma(count / 2.0) - libm::lgamma((count - 1.0) / 2.0);
                [(2.0 / count).sqrt() * ratio.exp(), 1.0 - 1.0 / count]
            }
            Self::L1 => {
                let bracket = PI / 2.0 + (count * (count - 2.0)).sqrt() + (1.0 / (count - 1.0)).asin();
                [((1.0 - 1.0 / count) * FRAC_2_PI).sqrt(), FRAC_2_PI * (count - 1.0) * bracket / (count * count)]
            }
            Self::Linf => largest(n, 1),
            Self::Top(k) => [largest(n, k.clamp(1, n))[0], f64::NAN],
            Self::Range => range(n),
        };
        [mean, (square - mean * mean).sqrt()]
    }
}

/// No more than one sample of n numbers in 10⁹ has one beyond this.
fn reach(n: usize) -> f64 {
    (2.0 * (n as f64).ln()).sqrt() + 6.0
}

/// E[R] and E[R²] of the range R. With Q = 1 − F the tail of the normal distribution they are ∫(1 − Fⁿ − Qⁿ) and
/// 2∬_{x<y} (1 − F(y)ⁿ − Q(x)ⁿ + (F(y) − F(x))ⁿ).
fn range(n: usize) -> [f64; 2] {
    let (rule, reach, n) = (gauss_legendre(16), reach(n), n as f64);
    let tail = |x: f64| 0.5 * libm::erfc(x / SQRT_2);
    let all_but = |q: f64| (n * (-q).ln_1p()).exp();
    let term = |x: f64, y: f64| 1.0 - all_but(tail(y)) - all_but(tail(-x)) + all_but(tail(y) + tail(-x));
    let inner = |x: f64| sum(&composite(&rule, 12, [x, reach]), |y| term(x, y));
    let nodes = composite(&rule, 16, [-reach, reach]);
    [sum(&nodes, |x| term(x, x)), 2.0 * sum(&nodes, inner)]
}

/// The expectations of the mean of the k largest of |x₁|, …, |xₙ| and of the square of the largest, given Σ x = 0.
///
/// With N the number of |xᵢ| > t, they are ∫ E[min(k, N)]/k dt and ∫ 2t P(N > 0) dt. With ψ(ω) = ∫_{−t}^{t} φ(x) cos ωx dx,
/// P(N = m) = (n over m) √(n/2π) ∫ ψ(ω)^{n−m} (e^{−ω²/2} − ψ(ω))^m dω: the density of the sum at zero, by Fourier.
fn largest(n: usize, k: usize) -> [f64; 2] {
    let nodes = composite(&gauss_legendre(16), 16, [0.0, reach(n)]);
    let (inner, binomials) = (gauss_legendre(64), (0..k).map(|m| log_binomial(n, m)).collect::<Vec<_>>());
    let [mut mean, mut square] = [0.0; 2];
    for [t, weight] in nodes {
        let [missing, none] = below(t, n, &inner, &binomials);
        mean += weight * (1.0 - missing / k as f64);
        square += weight * 2.0 * t * (1.0 - none);
    }
    [mean, square]
}

fn log_binomial(n: usize, m: usize) -> f64 {
    [n + 1, m + 1, n - m + 1].map(|i| libm::lgamma(i as f64)).into_iter().reduce(|a, b| a - b).unwrap_or(0.0)
}

/// E[max(k − N, 0)] and P(N = 0).
fn below(t: f64, n: usize, inner: &[[f64; 2]], binomials: &[f64]) -> [f64; 2] {
    let (count, k) = (n as f64, binomials.len());
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
    let nodes: Vec<_> = composite(inner, 1, [0.0, t]).into_iter().map(|[x, w]| [x, 2.0 * w * density(x)]).collect();
    // A lattice of this step adds the density of the sum at multiples of 2π/step, ten standard deviations.
    let step = 2.0 * PI / (10.0 * count.sqrt());
    // log |a|^m, and whether a^m < 0.
    let power = |a: f64, m: usize| (if m == 0 { 0.0 } else { m as f64 * a.abs().ln() }, a < 0.0 && m % 2 == 1);
    let mut sums = [0.0; 2];
    for j in 0..4096 {
        let omega = f64::from(j) * step;
        let inside = sum(&nodes, |x| (omega * x).cos());
        let outside = (-0.5 * omega * omega).exp() - inside;
        for (m, binomial) in binomials.iter().enumerate() {
            let ((a, minus), (b, other)) = (power(inside, n - m), power(outside, m));
            let term =
                if minus == other { 1.0 } else { -1.0 } * if j == 0 { 1.0 } else { 2.0 } * (binomial + a + b).exp();
            sums[0] += (k - m) as f64 * term;
            sums[1] += if m == 0 { term } else { 0.0 };
        }
        if (inside.abs() + outside.abs()).powf(count) < 1e-18 {
            break;
        }
    }
    sums.map(|s| s * step * (count / (2.0 * PI)).sqrt())
}
