//! The entropic problem over the simplex that one implicit step of the log-time flow solves.

use super::gram::{Cholesky, Gram};
use super::sums::log_sum_exp;

/// Inactive weights may jump freely up to this over the number of samples.
const WAKE: f64 = 1e-3;
/// log p is kept above this.
const FLOOR: f64 = -700.0;
const MAX_ITERATIONS: usize = 100;

/// argmin over p in the simplex of (1/κ) Σ pᵢ log pᵢ + ⟨m, p⟩ + (Δ/2) pᵀA p.
///
/// Its optimality condition is pᵢ ∝ exp(−κ (m + Δ A p)ᵢ): softmax of the margins at the end of a linearised step. Strongly convex;
/// solved by Newton's method in log p, warm-started from the last p, with guards: an inactive weight that must wake up jumps
/// freely to 10⁻³/n and then grows by at most e an iteration; an active one shrinks by at most e² an iteration.
#[derive(Debug, Clone, Default)]
pub struct EntropicSimplex {
    factor: Cholesky,
    p: Vec<f64>,
    root: Vec<f64>,
    product: Vec<f64>,
    ones: Vec<f64>,
    right: Vec<f64>,
    change: Vec<f64>,
}

impl EntropicSimplex {
    /// Solves for `log_p` in place (start and answer, Σ p = 1 to rounding); returns the number of Newton iterations.
    pub fn solve(&mut self, m: &[f64], gram: &Gram, delta: f64, kappa: f64, log_p: &mut [f64]) -> usize {
        let iterations = self.newton(m, gram, delta, kappa, log_p);
        let total = log_sum_exp(log_p.iter().copied());
        log_p.iter_mut().for_each(|l| *l -= total);
        iterations
    }

    fn newton(&mut self, m: &[f64], gram: &Gram, delta: f64, kappa: f64, log_p: &mut [f64]) -> usize {
        let n = m.len();
        let lowest = m.iter().copied().fold(f64::INFINITY, f64::min);
        let wake = (WAKE / n as f64).ln();
        for v in [&mut self.p, &mut self.root, &mut self.product, &mut self.ones, &mut self.right, &mut self.change] {
            v.clear();
            v.resize(n, 0.0);
        }
        for iteration in 1..=MAX_ITERATIONS {
            for i in 0..n {
                self.p[i] = log_p[i].exp();
                self.root[i] = self.p[i].sqrt();
            }
            gram.times(&self.p, &mut self.product);
            // F = log p/κ + m + Δ A p; at the solution F = ν for all i and Σ p = 1.
            let total: f64 = self.p.iter().sum();
            let mut scale = 0.0_f64;
            for i in 0..n {
                let pull = delta * self.product[i];
                scale = scale.max(pull.abs());
                self.right[i] = -(log_p[i] / kappa + (m[i] - lowest) + pull);
            }
            let nu = -self.right.iter().zip(&self.p).map(|(f, p)| f * p).sum::<f64>() / total;
            let worst = (0..n).filter(|&i| self.p[i] > 1e-9).map(|i| (self.right[i] + nu).abs()).fold(0.0, f64::max);
            let sleeping = (0..n).filter(|&i| self.p[i] <= 1e-9).all(|i| kappa * (self.right[i] + nu) < 1.0);
            // Rounding of F, about 10⁻¹⁶, is amplified by κ in log p.
            if worst < 1e-9 * scale.max(1.0 / kappa) && (total - 1.0).abs() < 1e-12 + 1e-15 * kappa && sleeping {
                return iteration;
            }
            // ν' is found as a correction of ν: with F − ν on the right rounding shrinks along with the residual.
            self.right.iter_mut().for_each(|f| *f += nu);
            // (I/κ + Δ √P A √P) y = √P (ν' − F): two right-hand sides, for F and for ν'.
            let (root, product) = (&self.root, &mut self.product);
            let matrix =
                |i: usize, j: usize| delta * root[i] * root[j] * gram.at(i, j) + if i == j { 1.0 / kappa } else { 0.0 };
            if !self.factor.factor(n, matrix) {
                return iteration;
            }
            for i in 0..n {
                self.change[i] = root[i] * self.right[i];
                self.ones[i] = root[i];
            }
            self.factor.solve(&mut self.change);
            self.factor.solve(&mut self.ones);
            // Σ pᵢ dᵢ = 1 − Σ p fixes ν'.
            let along = |y: &[f64]| y.iter().zip(root).map(|(y, r)| y * r).sum::<f64>();
            let nu = (1.0 - total - along(&self.change)) / along(&self.ones);
            for i in 0..n {
                self.change[i] = root[i] * (self.change[i] + nu * self.ones[i]);
            }
            gram.times(&self.change, product);
            for i in 0..n {
                let newton = kappa * (self.right[i] + nu - delta * product[i]);
                let up = (wake - log_p[i]).max(1.0);
                let down = if self.p[i] > 1e-6 { -2.0 } else { f64::NEG_INFINITY };
                log_p[i] = (log_p[i] + newton.clamp(down, up)).max(FLOOR);
            }
            let total = log_sum_exp(log_p.iter().copied());
            log_p.iter_mut().for_each(|l| *l -= total);
        }
        MAX_ITERATIONS
    }
}
