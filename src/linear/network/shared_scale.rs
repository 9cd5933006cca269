use super::{Curvature, Network, Regularizer};
use crate::math::rows::dot;
use crate::math::sums::norm;

/// A homogeneous polynomial network defined in a few lines: each group of features shares one scale, β_g = v_g·u_g.
///
/// w = (u ∈ R^D, v ∈ R^G). Degree 2 and neither diagonal nor convolutional: the example for the paper's theorem on
/// homogeneous polynomials. By the inequality of means min{‖w‖² : P(w) = β} = 2 Σ_g ‖β_g‖₂, so the limit is the
/// group-sparse max-margin predictor.
#[derive(Debug, Clone)]
pub struct SharedScale {
    features: usize,
    group: usize,
}

impl SharedScale {
    /// D features in groups of `group` neighbours (the last may be smaller).
    pub fn new(features: usize, group: usize) -> Self {
        Self { features, group }
    }
}

impl Network for SharedScale {
    fn features(&self) -> usize {
        self.features
    }

    fn parameters(&self) -> usize {
        self.features + self.features.div_ceil(self.group)
    }

    fn degree(&self) -> usize {
        2
    }

    fn predictor(&mut self, w: &[f64], beta: &mut [f64]) {
        let (u, v) = w.split_at(self.features);
        for (d, b) in beta.iter_mut().enumerate() {
            *b = v[d / self.group] * u[d];
        }
    }

    fn pullback(&mut self, w: &[f64], r: &[f64], gradient: &mut [f64]) {
        let (u, v) = w.split_at(self.features);
        let (gu, gv) = gradient.split_at_mut(self.features);
        for (d, g) in gu.iter_mut().enumerate() {
            *g = v[d / self.group] * r[d];
        }
        for ((g, u), r) in gv.iter_mut().zip(u.chunks(self.group)).zip(r.chunks(self.group)) {
            *g = dot(u, r);
        }
    }

    fn regularizer(&self) -> Option<Regularizer> {
        let groups = (0..self.features).collect::<Vec<_>>();
        Some(Regularizer::new("group l1 norm", groups.chunks(self.group).map(|g| (g.to_vec(), 1.0)).collect(), 1.0))
    }

    fn curvature(&mut self, w: &[f64], r: &[f64]) -> Option<Curvature> {
        let (u, v) = w.split_at(self.features);
        let first = u.chunks(self.group).zip(v).map(|(u, v)| dot(u, u) + v * v).fold(0.0, f64::max);
        Some(Curvature { first, second: r.chunks(self.group).map(norm).fold(0.0, f64::max) })
    }

    /// ‖u_g‖² − v_g² of every group.
    fn conserved(&self, w: &[f64]) -> Vec<f64> {
        let (u, v) = w.split_at(self.features);
        u.chunks(self.group).zip(v).map(|(u, v)| dot(u, u) - v * v).collect()
    }
}
