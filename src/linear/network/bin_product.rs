use super::{Curvature, Network, Regularizer};
use crate::math::dft::Bins;
use crate::math::gram::Gram;
use crate::math::product::{multiply, multiply_conjugate};
use crate::math::rows::Rows;
use std::f64::consts::FRAC_1_SQRT_2;

/// Layers that multiply bin by bin: β = w₁ ⊙ w₂ ⊙ ⋯ ⊙ w_L.
///
/// On signals (no pairs) this is the **diagonal** network. On packed spectra it is the full-width **convolutional** network
/// trained in the Fourier domain: β̂ = ŵ₁ ⊙ ⋯ ⊙ ŵ_L, and gradient descent commutes with the unitary DFT, so training ŵ is
/// the same run as training w (Gunasekar et al. 2018, section 2 and theorem 2). w holds the layers one after the other.
#[derive(Debug, Clone)]
pub struct BinProduct {
    bins: Bins,
    depth: usize,
    /// `partial[l]` = w₁ ⊙ ⋯ ⊙ w_{l+2}, for l < depth − 2.
    partial: Vec<Vec<f64>>,
    cotangent: [Vec<f64>; 2],
    /// |ŵ_l| of every layer at one bin.
    moduli: Vec<f64>,
}

impl BinProduct {
    /// Depth L ≥ 1 on the given layout of bins.
    pub fn new(bins: Bins, depth: usize) -> Self {
        let d = bins.features();
        Self {
            bins,
            depth,
            partial: vec![vec![0.0; d]; depth.saturating_sub(2)],
            cotangent: [vec![0.0; d], vec![0.0; d]],
            moduli: vec![0.0; depth],
        }
    }

    /// The layout of bins.
    pub fn bins(&self) -> Bins {
        self.bins
    }

    fn layer<'a>(&self, w: &'a [f64], l: usize) -> &'a [f64] {
        let d = self.bins.features();
        &w[l * d..(l + 1) * d]
    }
}

impl Network for BinProduct {
    fn features(&self) -> usize {
        self.bins.features()
    }

    fn parameters(&self) -> usize {
        self.depth * self.bins.features()
    }

    fn degree(&self) -> usize {
        self.depth
    }

    fn predictor(&mut self, w: &[f64], beta: &mut [f64]) {
        let d = self.bins.features();
        if self.depth == 1 {
            return beta.copy_from_slice(w);
        }
        for l in 1..self.depth {
            let (done, rest) = self.partial.split_at_mut(l - 1);
            let left = done.last().map_or(&w[..d], |p| p.as_slice());
            let out = rest.first_mut().map_or(&mut *beta, |p| p.as_mut_slice());
            multiply(self.bins, left, &w[l * d..(l + 1) * d], out);
        }
    }

    fn pullback(&mut self, w: &[f64], r: &[f64], gradient: &mut [f64]) {
        // Back-propagation through β_l = β_{l−1} ⊙ w_l.
        let (d, bins) = (self.bins.features(), self.bins);
        for l in 1..self.depth.saturating_sub(1) {
            let (done, rest) = self.partial.split_at_mut(l - 1);
            multiply(bins, done.last().map_or(&w[..d], |p| p.as_slice()), &w[l * d..(l + 1) * d], &mut rest[0]);
        }
        let [now, before] = &mut self.cotangent;
        now.copy_from_slice(r);
        for l in (1..self.depth).rev() {
            let left = if l == 1 { &w[..d] } else { self.partial[l - 2].as_slice() };
            multiply_conjugate(bins, left, now, &mut gradient[l * d..(l + 1) * d]);
            multiply_conjugate(bins, &w[l * d..(l + 1) * d], now, before);
            std::mem::swap(now, before);
        }
        gradient[..d].copy_from_slice(now);
    }

    fn regularizer(&self) -> Option<Regularizer> {
        Some(Regularizer::bridge(self.bins, self.depth))
    }

    fn curvature(&mut self, w: &[f64], r: &[f64]) -> Option<Curvature> {
        let (d, bins, depth) = (self.bins.features(), self.bins, self.depth);
        let (mut first, mut second) = (0.0_f64, 0.0_f64);
        if depth == 2 {
            // |ŵ₁|² + |ŵ₂|² and |r̂| per bin, without square roots in the loop.
            let mut largest = 0.0_f64;
            let square = |v: &[f64], b: usize| v[b] * v[b] + v[b + bins.pairs] * v[b + bins.pairs];
            for b in 0..bins.real {
                first = first.max(w[b] * w[b] + w[d + b] * w[d + b]);
                largest = largest.max(r[b] * r[b]);
            }
            for b in bins.real..bins.count() {
                first = first.max(0.5 * (square(w, b) + square(&w[d..], b)));
                largest = largest.max(0.5 * square(r, b));
            }
            return Some(Curvature { first, second: largest.sqrt() });
        }
        for b in 0..bins.count() {
            let scale = if b < bins.real { 1.0 } else { FRAC_1_SQRT_2 };
            let modulus = |v: &[f64]| if b < bins.real { v[b].abs() } else { scale * v[b].hypot(v[b + bins.pairs]) };
            w.chunks_exact(d).zip(&mut self.moduli).for_each(|(layer, m)| *m = modulus(layer));
            let (mut all_but_one, mut all_but_two) = (0.0, 0.0_f64);
            for l in 0..depth {
                let others = |k: usize| self.moduli.iter().enumerate().filter(move |(j, _)| *j != l && *j != k);
                all_but_one += others(l).map(|(_, m)| m * m).product::<f64>();
                for k in 0..l {
                    all_but_two = all_but_two.max(others(k).map(|(_, m)| m).product());
                }
            }
            first = first.max(all_but_one);
            second = second.max((depth - 1) as f64 * all_but_two * modulus(r));
        }
        Some(Curvature { first, second })
    }

    /// ZᵀZ weighted by Σ_l ∏_{k≠l} |ŵ_k|² per bin.
    fn gram(&mut self, w: &[f64], rows: &Rows, active: &[usize], gram: &mut Gram) {
        let (d, bins) = (self.bins.features(), self.bins);
        let mut root = vec![0.0; d];
        for b in 0..bins.count() {
            w.chunks_exact(d).zip(&mut self.moduli).for_each(|(layer, m)| *m = bins.value(layer, b).norm());
            let others = |l: usize| self.moduli.iter().enumerate().filter(move |(k, _)| *k != l);
            let weight: f64 = (0..self.depth).map(|l| others(l).map(|(_, m)| m * m).product::<f64>()).sum();
            root[b] = weight.sqrt();
            if b >= bins.real {
                root[b + bins.pairs] = root[b];
            }
        }
        gram.reset(active.len());
        gram.add(active.iter().map(|&i| rows.row(i)), Some(&root), 1.0);
    }

    fn two_layer_bins(&self) -> Option<Bins> {
        (self.depth == 2).then_some(self.bins)
    }

    /// |ŵ_{l+1}|² − |ŵ_l|² of every bin.
    fn conserved(&self, w: &[f64]) -> Vec<f64> {
        let square = |l: usize, b: usize| self.bins.value(self.layer(w, l), b).norm_sqr();
        (1..self.depth).flat_map(|l| (0..self.bins.count()).map(move |b| square(l, b) - square(l - 1, b))).collect()
    }

    /// The smallest ⟨|ŵ_l|, |ŵ_{l+1}|⟩/(‖ŵ_l‖‖ŵ_{l+1}‖): one when neighbouring layers have proportional moduli.
    fn alignment(&self, w: &[f64]) -> f64 {
        let moduli = |l: usize| -> Vec<f64> {
            let weight = |b| (self.bins.multiplicity(b) as f64).sqrt();
            self.bins.moduli(self.layer(w, l)).iter().enumerate().map(|(b, m)| m * weight(b)).collect()
        };
        let cosine = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / (crate::math::sums::norm(a) * crate::math::sums::norm(b))
        };
        (1..self.depth).map(|l| cosine(&moduli(l - 1), &moduli(l))).fold(1.0, f64::min)
    }
}
