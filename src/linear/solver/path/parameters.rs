use super::Path;
use crate::linear::network::Network;
use crate::math::gram::Gram;
use crate::math::rows::{Rows, add_scaled, dot};
use crate::math::sums::norm;

/// Any network: θ in its parameters, explicit Euler steps θ + Δ J_P(θ)ᵀ r.
pub struct ParameterPath<'a> {
    network: &'a mut dyn Network,
    theta: Vec<f64>,
    log_norm: f64,
    gradient: Vec<f64>,
    moved: Vec<f64>,
    residual: f64,
}

impl<'a> ParameterPath<'a> {
    /// Starts at w ≠ 0.
    pub fn new(network: &'a mut dyn Network, w: &[f64]) -> Self {
        let mut path = Self {
            network,
            theta: w.to_vec(),
            log_norm: 0.0,
            gradient: vec![0.0; w.len()],
            moved: vec![0.0; w.len()],
            residual: f64::NAN,
        };
        path.renormalise();
        path
    }

    fn move_by(&mut self, r: &[f64], delta: f64) {
        self.network.pullback(&self.theta, r, &mut self.gradient);
        self.moved.copy_from_slice(&self.theta);
        add_scaled(&mut self.moved, delta, &self.gradient);
    }

    fn renormalise(&mut self) -> f64 {
        let size = norm(&self.theta);
        self.theta.iter_mut().for_each(|t| *t /= size);
        self.log_norm += size.ln();
        size
    }
}

impl Path for ParameterPath<'_> {
    fn network(&self) -> &dyn Network {
        self.network
    }

    fn log_scale(&self) -> f64 {
        self.log_norm * self.network.degree() as f64
    }

    fn predictor(&mut self, beta: &mut [f64]) {
        self.network.predictor(&self.theta, beta);
    }

    /// J J₊ᵀ with the Jacobian before and after the step, to second order: the Gram matrix half way.
    fn gram(&mut self, rows: &Rows, active: &[usize], r: &[f64], delta: f64, gram: &mut Gram) {
        self.move_by(r, 0.5 * delta);
        self.network.gram(&self.moved, rows, active, gram);
    }

    fn ahead(&mut self, r: &[f64], delta: f64, beta: &mut [f64]) {
        self.move_by(r, delta);
        self.network.predictor(&self.moved, beta);
    }

    fn rate(&mut self, r: &[f64]) -> f64 {
        self.network.pullback(&self.theta, r, &mut self.gradient);
        norm(&self.gradient)
    }

    fn largest_step(&self) -> f64 {
        0.2
    }

    fn advance(&mut self, r: &[f64], delta: f64) -> f64 {
        let size = self.rate(r);
        let along = dot(&self.theta, &self.gradient) / size;
        let across: f64 = self.theta.iter().zip(&self.gradient).map(|(t, g)| (g / size - along * t).powi(2)).sum();
        self.residual = across.sqrt();
        add_scaled(&mut self.theta, delta, &self.gradient);
        self.renormalise().powi(self.network.degree() as i32)
    }

    fn residual(&self) -> f64 {
        self.residual
    }

    fn parameters(&self, log_scale: f64, w: &mut [f64]) {
        let norm = (log_scale / self.network.degree() as f64).exp();
        w.iter_mut().zip(&self.theta).for_each(|(w, t)| *w = t * norm);
    }
}
