use super::{Curvature, Network, Regularizer};
use crate::math::gram::Gram;
use crate::math::rows::{Rows, add_scaled, dot};
use crate::math::sums::{direction, norm};
use nalgebra::{DMatrix, DMatrixView};

/// The fully connected linear network β = W₁ W₂ ⋯ W_L (Gunasekar et al. 2018, section 2).
///
/// W₁ is D×H, the middle layers H×H, W_L is H×1; depth 1 is W₁ ∈ R^D. w holds the layers one after the other, row-major.
/// Theorem 1: the limit is the ℓ₂ max-margin predictor at every depth.
#[derive(Debug, Clone)]
pub struct FullyConnected {
    features: usize,
    shapes: Vec<(usize, usize)>,
    /// `suffix[l]` = W_{l+1} ⋯ W_L, a column.
    suffix: Vec<Vec<f64>>,
    prefix: Vec<f64>,
    next: Vec<f64>,
}

impl FullyConnected {
    /// `features` D, `depth` L ≥ 1, hidden `width` H ≥ 1 (unused at depth 1).
    pub fn new(features: usize, depth: usize, width: usize) -> Self {
        let side = |l: usize| {
            if l == 0 {
                features
            } else if l == depth {
                1
            } else {
                width
            }
        };
        let shapes: Vec<_> = (0..depth).map(|l| (side(l), side(l + 1))).collect();
        let suffix = shapes.iter().map(|s| vec![0.0; s.1]).collect();
        let widest = features.max(width);
        Self { features, shapes, suffix, prefix: vec![0.0; widest], next: vec![0.0; widest] }
    }

    fn layers<'a>(&self, w: &'a [f64]) -> Vec<&'a [f64]> {
        let mut rest = w;
        self.shapes
            .iter()
            .map(|(r, c)| {
                let (layer, tail) = rest.split_at(r * c);
                rest = tail;
                layer
            })
            .collect()
    }

    /// ‖W_l‖_F of every layer, and the product of all but those named.
    fn norms_without(norms: &[f64], skip: &[usize]) -> f64 {
        norms.iter().enumerate().filter(|(l, _)| !skip.contains(l)).map(|(_, n)| n).product()
    }

    fn matrices(&self, w: &[f64]) -> Vec<DMatrix<f64>> {
        self.layers(w)
            .iter()
            .zip(&self.shapes)
            .map(|(d, &(r, c))| DMatrixView::from_slice(d, c, r).transpose())
            .collect()
    }
}

impl Network for FullyConnected {
    fn features(&self) -> usize {
        self.features
    }

    fn parameters(&self) -> usize {
        self.shapes.iter().map(|(r, c)| r * c).sum()
    }

    fn degree(&self) -> usize {
        self.shapes.len()
    }

    fn predictor(&mut self, w: &[f64], beta: &mut [f64]) {
        let mut end = w.len();
        self.suffix.iter_mut().for_each(|s| s.fill(1.0));
        for l in (0..self.shapes.len()).rev() {
            let (rows, cols) = self.shapes[l];
            let layer = &w[end - rows * cols..end];
            end -= rows * cols;
            let (before, after) = self.suffix.split_at_mut(l);
            let out: &mut [f64] = before.last_mut().map_or(&mut *beta, |s| s.as_mut_slice());
            for (o, row) in out.iter_mut().zip(layer.chunks_exact(cols)) {
                *o = if cols == 1 { row[0] * after[0][0] } else { dot(row, &after[0]) };
            }
        }
    }

    fn pullback(&mut self, w: &[f64], r: &[f64], gradient: &mut [f64]) {
        // With `prefix` = (W₁ ⋯ W_{l−1})ᵀ r, the derivative in W_l is prefix · suffixᵀ.
        let mut beta = std::mem::take(&mut self.next);
        self.predictor(w, &mut beta[..self.features]);
        self.next = beta;
        self.prefix[..r.len()].copy_from_slice(r);
        let mut start = 0;
        for (l, &(rows, cols)) in self.shapes.iter().enumerate() {
            let layer = &w[start..start + rows * cols];
            let out = &mut gradient[start..start + rows * cols];
            self.next[..cols].fill(0.0);
            for i in 0..rows {
                let p = self.prefix[i];
                for (g, s) in out[i * cols..(i + 1) * cols].iter_mut().zip(&self.suffix[l]) {
                    *g = p * s;
                }
                add_scaled(&mut self.next[..cols], p, &layer[i * cols..(i + 1) * cols]);
            }
            std::mem::swap(&mut self.prefix, &mut self.next);
            start += rows * cols;
        }
    }

    fn fan_scales(&self) -> Vec<f64> {
        self.shapes.iter().flat_map(|&(r, c)| vec![1.0 / (r as f64).sqrt(); r * c]).collect()
    }

    fn regularizer(&self) -> Option<Regularizer> {
        Some(Regularizer::l2(self.features))
    }

    fn curvature(&mut self, w: &[f64], r: &[f64]) -> Option<Curvature> {
        let norms: Vec<f64> = self.layers(w).iter().map(|l| norm(l)).collect();
        let depth = norms.len();
        let first = (0..depth).map(|l| Self::norms_without(&norms, &[l]).powi(2)).sum();
        let pairs = (0..depth).flat_map(|l| (0..l).map(move |k| (l, k)));
        let largest = pairs.map(|(l, k)| Self::norms_without(&norms, &[l, k])).fold(0.0, f64::max);
        Some(Curvature { first, second: (depth - 1) as f64 * largest * norm(r) })
    }

    /// Σ_l ‖W_{l+1}⋯W_L‖² ⟨W₁⋯W_{l−1}ᵀ zᵢ, W₁⋯W_{l−1}ᵀ zⱼ⟩: a sum of Gram matrices of the hidden layers.
    fn gram(&mut self, w: &[f64], rows: &Rows, active: &[usize], gram: &mut Gram) {
        let mut beta = vec![0.0; self.features];
        self.predictor(w, &mut beta);
        gram.reset(active.len());
        let mut hidden = vec![];
        for (l, (layer, &(height, cols))) in self.layers(w).iter().zip(&self.shapes).enumerate() {
            let lines: Vec<&[f64]> = match l {
                0 => active.iter().map(|&i| rows.row(i)).collect(),
                _ => hidden.chunks_exact(height).collect(),
            };
            gram.add(lines.iter().copied(), None, dot(&self.suffix[l], &self.suffix[l]));
            let mut next = vec![0.0; active.len() * cols];
            for (h, out) in lines.into_iter().zip(next.chunks_exact_mut(cols)) {
                h.iter().zip(layer.chunks_exact(cols)).for_each(|(x, row)| add_scaled(out, *x, row));
            }
            hidden = next;
        }
    }

    /// The entries of W_{l+1} W_{l+1}ᵀ − W_lᵀ W_l.
    fn conserved(&self, w: &[f64]) -> Vec<f64> {
        let layers = self.matrices(w);
        layers.windows(2).flat_map(|p| (&p[1] * p[1].transpose() - p[0].tr_mul(&p[0])).as_slice().to_vec()).collect()
    }

    /// min over l of |⟨v_{l+1}, u_l⟩|, the leading singular vectors of neighbouring layers (Ji & Telgarsky 2019, theorem 1),
    /// times the smallest ‖W_l‖₂/‖W_l‖_F: one exactly when every layer is rank one and aligned.
    fn alignment(&self, w: &[f64]) -> f64 {
        let layers = self.matrices(w);
        let mut worst: f64 = 1.0;
        for layer in &layers {
            worst = worst.min(layer.clone().svd(false, false).singular_values.max() / layer.norm());
        }
        for pair in layers.windows(2) {
            // The left factor's leading right singular vector, the right factor's leading left one.
            let right = leading(&pair[0].tr_mul(&pair[0]));
            let left = leading(&(&pair[1] * pair[1].transpose()));
            worst = worst.min(dot(&right, &left).abs());
        }
        worst
    }
}

/// The leading eigenvector of a symmetric matrix.
fn leading(m: &DMatrix<f64>) -> Vec<f64> {
    let eigen = m.clone().symmetric_eigen();
    direction(eigen.eigenvectors.column(eigen.eigenvalues.imax()).as_slice())
}
