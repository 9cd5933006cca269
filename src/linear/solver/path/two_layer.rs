use super::Path;
use crate::linear::network::Network;
use crate::math::dft::Bins;
use crate::math::gram::Gram;
use crate::math::rows::Rows;
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

/// The two-layer bin-wise product β̂ = û ⊙ v̂, moved exactly.
///
/// For frozen r̂ every bin follows û' = r̂ conj(v̂), v̂' = r̂ conj(û), so with a = |r̂|Δ and φ = r̂/|r̂|
/// û ← cosh(a) û + sinh(a) φ conj(v̂), and the same with û and v̂ exchanged. Each bin is a mantissa (|û|² + |v̂|² = 1) with an
/// exponent of its own: a bin may decay for hundreds of decades and be born again.
pub struct TwoLayerPath<'a> {
    network: &'a dyn Network,
    bins: Bins,
    /// Re û, Im û, Re v̂, Im v̂ of every bin.
    mantissa: Vec<[f64; 4]>,
    /// Log size of every bin, relative to ‖θ‖ = 1.
    exponent: Vec<f64>,
    /// exp of twice the exponents.
    square: Vec<f64>,
    log_norm: f64,
    root: Vec<f64>,
    residual: f64,
}

impl<'a> TwoLayerPath<'a> {
    /// Starts at w = (û, v̂) ≠ 0, packed.
    pub fn new(network: &'a dyn Network, bins: Bins, w: &[f64]) -> Self {
        let (u, v) = w.split_at(bins.features());
        let mantissa =
            (0..bins.count()).map(|b| (bins.value(u, b), bins.value(v, b))).map(|(u, v)| [u.re, u.im, v.re, v.im]);
        let zeros = vec![0.0; bins.count()];
        let mut path = Self {
            network,
            bins,
            mantissa: mantissa.collect(),
            exponent: zeros.clone(),
            square: zeros,
            log_norm: 0.0,
            root: vec![0.0; bins.features()],
            residual: f64::NAN,
        };
        path.renormalise();
        path
    }

    fn renormalise(&mut self) {
        for (m, e) in self.mantissa.iter_mut().zip(&mut self.exponent) {
            let size = (m[0] * m[0] + m[1] * m[1] + m[2] * m[2] + m[3] * m[3]).sqrt();
            if size > 0.0 {
                m.iter_mut().for_each(|x| *x /= size);
                *e += size.ln();
            } else {
                *e = f64::NEG_INFINITY;
            }
        }
        let largest = self.exponent.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for (b, (s, e)) in self.square.iter_mut().zip(&self.exponent).enumerate() {
            *s = (2.0 * (e - largest)).exp();
            total += self.bins.multiplicity(b) as f64 * *s;
        }
        let shift = largest + 0.5 * total.ln();
        self.exponent.iter_mut().for_each(|e| *e -= shift);
        self.square.iter_mut().for_each(|s| *s /= total);
        self.log_norm += shift;
    }
}

impl Path for TwoLayerPath<'_> {
    fn network(&self) -> &dyn Network {
        self.network
    }

    fn log_scale(&self) -> f64 {
        2.0 * self.log_norm
    }

    fn predictor(&mut self, beta: &mut [f64]) {
        let Bins { real, pairs } = self.bins;
        for (b, (m, s)) in self.mantissa.iter().zip(&self.square).enumerate() {
            if b < real {
                beta[b] = m[0] * m[2] * s;
            } else {
                beta[b] = SQRT_2 * s * (m[0] * m[2] - m[1] * m[3]);
                beta[b + pairs] = SQRT_2 * s * (m[0] * m[3] + m[1] * m[2]);
            }
        }
    }

    fn gram(&mut self, rows: &Rows, active: &[usize], gram: &mut Gram) {
        // ZᵀZ weighted by |û|² + |v̂|² per bin.
        for (b, s) in self.square.iter().enumerate() {
            self.root[b] = s.sqrt();
            if b >= self.bins.real {
                self.root[b + self.bins.pairs] = self.root[b];
            }
        }
        gram.reset(active.len());
        gram.add(active.iter().map(|&i| rows.row(i)), Some(&self.root), 1.0);
    }

    fn ahead(&mut self, r: &[f64], delta: f64, beta: &mut [f64]) {
        self.predictor(beta);
        for (b, s) in self.square.iter().enumerate() {
            beta[b] += delta * s * r[b];
            if b >= self.bins.real {
                beta[b + self.bins.pairs] += delta * s * r[b + self.bins.pairs];
            }
        }
    }

    fn rate(&mut self, r: &[f64]) -> f64 {
        let Bins { real, pairs } = self.bins;
        let own = r[..real].iter().fold(0.0, |m: f64, x| m.max(x * x));
        let paired = r[real..real + pairs].iter().zip(&r[real + pairs..]);
        paired.fold(own, |m, (x, y)| m.max(0.5 * (x * x + y * y))).sqrt()
    }

    fn advance(&mut self, r: &[f64], delta: f64) {
        let Bins { real, pairs } = self.bins;
        let (mut size, mut along) = (0.0, 0.0);
        for b in 0..self.bins.count() {
            let (x, y) = if b < real { (r[b], 0.0) } else { (r[b] * FRAC_1_SQRT_2, r[b + pairs] * FRAC_1_SQRT_2) };
            let modulus = (x * x + y * y).sqrt();
            if modulus == 0.0 {
                continue;
            }
            // cosh and sinh from one exponential, with all digits for small arguments.
            let grow = (modulus * delta).exp_m1();
            let (cosh, sinh) = (1.0 + 0.5 * grow * grow / (1.0 + grow), 0.5 * (grow + grow / (1.0 + grow)));
            let (px, py) = (sinh * x / modulus, sinh * y / modulus);
            let m = &mut self.mantissa[b];
            let [a, c, d, e] = *m;
            let weight = self.square[b] * self.bins.multiplicity(b) as f64;
            size += weight * modulus * modulus;
            along += weight * 2.0 * (x * (a * d - c * e) + y * (a * e + c * d));
            // φ conj(v) = (px·d + py·e, py·d − px·e).
            *m = [
                cosh * a + px * d + py * e,
                cosh * c + py * d - px * e,
                cosh * d + px * a + py * c,
                cosh * e + py * a - px * c,
            ];
        }
        self.residual = (1.0 - along * along / size).max(0.0).sqrt();
        self.renormalise();
    }

    fn residual(&self) -> f64 {
        self.residual
    }

    fn parameters(&self, w: &mut [f64]) {
        let Bins { real, pairs } = self.bins;
        let d = self.bins.features();
        for (b, (m, e)) in self.mantissa.iter().zip(&self.exponent).enumerate() {
            let s = (e + self.log_norm).exp();
            if b < real {
                (w[b], w[d + b]) = (m[0] * s, m[2] * s);
            } else {
                (w[b], w[b + pairs]) = (SQRT_2 * m[0] * s, SQRT_2 * m[1] * s);
                (w[d + b], w[d + b + pairs]) = (SQRT_2 * m[2] * s, SQRT_2 * m[3] * s);
            }
        }
    }
}
