use super::Path;
use crate::linear::network::Network;
use crate::math::dft::Bins;
use crate::math::gram::Gram;
use crate::math::rows::Rows;
use std::f64::consts::SQRT_2;

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
            residual: f64::NAN,
        };
        path.renormalise();
        path
    }

    fn renormalise(&mut self) -> f64 {
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
        (2.0 * shift).exp()
    }
}

/// How r̂ acts on one bin over a step: φ = x + iy = r̂/|r̂|, û v̂ φ̄ = along + i·across (over |û|² + |v̂|²), and cosh, sinh of 2|r̂|Δ.
struct Pull {
    x: f64,
    y: f64,
    along: f64,
    across: f64,
    arg: f64,
    cosh: f64,
    sinh: f64,
}

impl TwoLayerPath<'_> {
    fn pull(&self, b: usize, r: &[f64], delta: f64) -> Pull {
        let pull = self.bins.value(r, b);
        let (x, y) = (pull.re, pull.im);
        let modulus = (x * x + y * y).sqrt();
        let (x, y) = if modulus > 0.0 { (x / modulus, y / modulus) } else { (1.0, 0.0) };
        let [a, c, d, e] = self.mantissa[b];
        let (re, im) = (a * d - c * e, a * e + c * d);
        let arg = 2.0 * modulus * delta;
        let grow = arg.exp_m1();
        let half = 0.5 * grow / (1.0 + grow);
        Pull {
            x,
            y,
            along: re * x + im * y,
            across: im * x - re * y,
            arg,
            cosh: 1.0 + grow * half,
            sinh: 0.5 * grow + half,
        }
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

    fn ahead(&mut self, r: &[f64], delta: f64, beta: &mut [f64]) {
        let Bins { real, pairs } = self.bins;
        for b in 0..self.bins.count() {
            let pull = self.pull(b, r, delta);
            let (along, across) = (pull.along * pull.cosh + 0.5 * pull.sinh, pull.across);
            if b < real {
                beta[b] = self.square[b] * along * pull.x;
            } else {
                beta[b] = SQRT_2 * self.square[b] * (along * pull.x - across * pull.y);
                beta[b + pairs] = SQRT_2 * self.square[b] * (along * pull.y + across * pull.x);
            }
        }
    }

    /// ZᵀZ with the derivative of the moved β̂ along and across r̂ as the weights of every bin.
    fn gram(&mut self, rows: &Rows, active: &[usize], r: &[f64], delta: f64, gram: &mut Gram) {
        let Bins { real, pairs } = self.bins;
        let weights: Vec<_> = (0..self.bins.count()).map(|b| (self.pull(b, r, delta), self.square[b])).collect();
        let derivative = |(p, s): &(Pull, f64)| {
            let radial = s * (2.0 * p.along * p.sinh + p.cosh);
            // (2 sinh² x Re c + sinh x cosh x)/x
            let turn = if p.arg > 0.0 { s * (2.0 * p.along * (p.cosh - 1.0) + p.sinh) / p.arg } else { *s };
            (radial.sqrt(), turn.sqrt())
        };
        let roots: Vec<(f64, f64)> = weights.iter().map(derivative).collect();
        let largest = roots.iter().map(|r| r.0).fold(0.0, f64::max);
        let kept: Vec<usize> = (0..roots.len()).filter(|&b| roots[b].0 > 1e-5 * largest).collect();
        gram.reset(active.len());
        let turned = |row: &[f64], kept: &[usize], out: &mut Vec<f64>| {
            for &b in kept {
                let (p, (radial, turn)) = (&weights[b].0, roots[b]);
                if b < real {
                    out.push(radial * row[b]);
                } else {
                    out.push(radial * (p.x * row[b] + p.y * row[b + pairs]));
                    out.push(turn * (p.x * row[b + pairs] - p.y * row[b]));
                }
            }
        };
        gram.add_written(active.iter().map(|&i| rows.row(i)), &kept, turned, 1.0);
    }

    fn rate(&mut self, r: &[f64]) -> f64 {
        let Bins { real, pairs } = self.bins;
        let own = r[..real].iter().fold(0.0, |m: f64, x| m.max(x * x));
        let paired = r[real..real + pairs].iter().zip(&r[real + pairs..]);
        paired.fold(own, |m, (x, y)| m.max(0.5 * (x * x + y * y))).sqrt()
    }

    fn largest_step(&self) -> f64 {
        f64::INFINITY
    }

    fn advance(&mut self, r: &[f64], delta: f64) -> f64 {
        let (mut size, mut along) = (0.0, 0.0);
        for b in 0..self.bins.count() {
            let pull = self.bins.value(r, b);
            let (x, y) = (pull.re, pull.im);
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
        self.renormalise()
    }

    fn residual(&self) -> f64 {
        self.residual
    }

    fn parameters(&self, log_scale: f64, w: &mut [f64]) {
        let Bins { real, pairs } = self.bins;
        let d = self.bins.features();
        for (b, (m, e)) in self.mantissa.iter().zip(&self.exponent).enumerate() {
            let s = (e + 0.5 * log_scale).exp();
            if b < real {
                (w[b], w[d + b]) = (m[0] * s, m[2] * s);
            } else {
                (w[b], w[b + pairs]) = (SQRT_2 * m[0] * s, SQRT_2 * m[1] * s);
                (w[d + b], w[d + b + pairs]) = (SQRT_2 * m[2] * s, SQRT_2 * m[3] * s);
            }
        }
    }
}
