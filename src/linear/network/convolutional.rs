use super::{BinProduct, Curvature, Network, Regularizer};
use crate::math::dft::UnitaryDft;

/// The full-width circular convolutional network in the signal domain, in one dimension or two (images).
///
/// L−1 layers h_l\[d\] = D^(−1/2) Σ_k w_l\[k\] h_{l−1}\[(d+k) mod D\], then ⟨h_{L−1}, w_L⟩ (Gunasekar et al. 2018, equation 3):
/// a cross-correlation with circular padding. Then β̂ = ŵ₁ ⊙ ⋯ ⊙ ŵ_L with the unitary DFT, which is how P and its
/// pullback are computed here. [`BinProduct`] on the packed spectrum is the same run, faster.
#[derive(Clone)]
pub struct Convolutional {
    dft: UnitaryDft,
    product: BinProduct,
    spectra: Vec<f64>,
    gradients: Vec<f64>,
    packed: Vec<f64>,
}

impl Convolutional {
    /// Depth L ≥ 1 on signals (`shape = [D]`) or images (`[height, width]`).
    pub fn new(shape: &[usize], depth: usize) -> Self {
        let dft = UnitaryDft::new(shape);
        let product = BinProduct::new(dft.bins(), depth);
        let (n, d) = (product.parameters(), product.features());
        Self { dft, product, spectra: vec![0.0; n], gradients: vec![0.0; n], packed: vec![0.0; d] }
    }

    fn analyze_layers(&mut self, w: &[f64]) {
        let d = self.product.features();
        for (signal, packed) in w.chunks_exact(d).zip(self.spectra.chunks_exact_mut(d)) {
            self.dft.analyze(signal, packed);
        }
    }

    fn spectra_of(&self, w: &[f64]) -> Vec<f64> {
        let mut copy = self.clone();
        copy.analyze_layers(w);
        copy.spectra
    }
}

impl Network for Convolutional {
    fn features(&self) -> usize {
        self.product.features()
    }

    fn parameters(&self) -> usize {
        self.product.parameters()
    }

    fn degree(&self) -> usize {
        self.product.degree()
    }

    fn predictor(&mut self, w: &[f64], beta: &mut [f64]) {
        self.analyze_layers(w);
        self.product.predictor(&self.spectra, &mut self.packed);
        self.dft.synthesize(&self.packed, beta);
    }

    fn pullback(&mut self, w: &[f64], r: &[f64], gradient: &mut [f64]) {
        let d = self.features();
        self.analyze_layers(w);
        self.dft.analyze(r, &mut self.packed);
        self.product.pullback(&self.spectra, &self.packed, &mut self.gradients);
        for (packed, signal) in self.gradients.chunks_exact(d).zip(gradient.chunks_exact_mut(d)) {
            self.dft.synthesize(packed, signal);
        }
    }

    /// Acts on the packed spectrum of β, not on β.
    fn regularizer(&self) -> Option<Regularizer> {
        self.product.regularizer()
    }

    fn curvature(&mut self, w: &[f64], r: &[f64]) -> Option<Curvature> {
        self.analyze_layers(w);
        self.dft.analyze(r, &mut self.packed);
        self.product.curvature(&self.spectra, &self.packed)
    }

    fn conserved(&self, w: &[f64]) -> Vec<f64> {
        self.product.conserved(&self.spectra_of(w))
    }

    fn alignment(&self, w: &[f64]) -> f64 {
        self.product.alignment(&self.spectra_of(w))
    }
}
