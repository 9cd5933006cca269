//! Gauss–Legendre quadrature.

use std::f64::consts::PI;

/// Nodes and weights on [−1, 1], exact for polynomials below degree 2n: roots of the Legendre polynomial Pₙ by Newton's method.
pub fn gauss_legendre(n: usize) -> Vec<[f64; 2]> {
    let root = |i: usize| {
        let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..8 {
            // Pₖ₋₁ and Pₖ by Bonnet's recursion, then P′ₙ.
            let (below, value) = (1..n).fold((1.0, x), |(a, b), k| {
                let k = k as f64;
                (b, ((2.0 * k + 1.0) * x * b - k * a) / (k + 1.0))
            });
            slope = n as f64 * (x * value - below) / (x * x - 1.0);
            x -= value / slope;
        }
        [x, 2.0 / ((1.0 - x * x) * slope * slope)]
    };
    (0..n).map(root).collect()
}

/// The nodes and weights of `rule` on each of `panels` equal parts of [a, b].
pub fn composite(rule: &[[f64; 2]], panels: usize, [a, b]: [f64; 2]) -> Vec<[f64; 2]> {
    let half = (b - a) / (2 * panels) as f64;
    let middles = (0..panels).map(|p| a + (2 * p + 1) as f64 * half);
    middles.flat_map(|m| rule.iter().map(move |[x, w]| [m + half * x, half * w])).collect()
}

/// Σ w f(x).
pub fn sum(nodes: &[[f64; 2]], f: impl Fn(f64) -> f64) -> f64 {
    nodes.iter().map(|[x, w]| w * f(*x)).sum()
}
