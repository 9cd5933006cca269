//! The unitary discrete Fourier transform of real signals, in orthonormal real coordinates.
//!
//! β̂\[d\] = D^(−1/2) Σ_p β\[p\] e^(−2πi pd/D), and the same along both axes for images (Gunasekar et al. 2018, section 2).
//!
//! A real signal has β̂\[−d\] = conj β̂\[d\]. Storing the full complex array lets rounding break that symmetry, and deep
//! networks amplify the break. So a spectrum is kept **packed**: D real numbers, one entry for each self-conjugate bin,
//! then √2·Re of one bin out of each conjugate pair, then √2·Im of the same bins. The packed transform is a real
//! orthogonal matrix: inner products, norms and gradients are the same in both domains.

use rayon::prelude::*;
use rustfft::{Fft, FftPlannerScalar, num_complex::Complex};
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};
use std::sync::Arc;

/// Numbers that a thread transforms at once.
const AT_ONCE: usize = 1 << 14;

/// How a packed vector of `real + 2·pairs` numbers divides into bins.
///
/// A signal is the special case without pairs: every coordinate is its own bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bins {
    /// Bins that are real numbers.
    pub real: usize,
    /// Bins that are complex numbers and stand for themselves and their conjugate.
    pub pairs: usize,
}

impl Bins {
    /// `n` real coordinates, no transform.
    pub fn signal(n: usize) -> Self {
        Self { real: n, pairs: 0 }
    }

    /// Number of bins.
    pub fn count(self) -> usize {
        self.real + self.pairs
    }

    /// Length of the packed vector.
    pub fn features(self) -> usize {
        self.real + 2 * self.pairs
    }

    /// Bin `b` of a packed vector as a complex number in the units of β̂.
    pub fn value(self, packed: &[f64], b: usize) -> Complex<f64> {
        if b < self.real {
            Complex::new(packed[b], 0.0)
        } else {
            Complex::new(packed[b], packed[b + self.pairs]) * FRAC_1_SQRT_2
        }
    }

    /// How many entries of the full spectrum bin `b` stands for: 1 or 2.
    pub fn multiplicity(self, b: usize) -> usize {
        if b < self.real { 1 } else { 2 }
    }

    /// |β̂| of every bin.
    pub fn moduli(self, packed: &[f64]) -> Vec<f64> {
        (0..self.count()).map(|b| self.value(packed, b).norm()).collect()
    }
}

/// The unitary DFT of signals (`shape = [D]`) or images (`shape = [height, width]`, row-major).
#[derive(Clone)]
pub struct UnitaryDft {
    height: usize,
    width: usize,
    along_row: Arc<dyn Fft<f64>>,
    along_column: Arc<dyn Fft<f64>>,
    bins: Bins,
    /// Flat index of each bin in the full spectrum, self-conjugate ones first.
    index: Vec<usize>,
    /// Flat index of the conjugate partner of each pair.
    partner: Vec<usize>,
    buffer: Vec<Complex<f64>>,
    column: Vec<Complex<f64>>,
}

impl UnitaryDft {
    /// The transform for signals of the given shape (one or two axes, each of length ≥ 1).
    ///
    /// The scalar planner is used on purpose: its bits are the same on every machine.
    pub fn new(shape: &[usize]) -> Self {
        let (height, width) = match *shape {
            [d] => (1, d),
            [h, w] => (h, w),
            _ => (1, shape.iter().product()),
        };
        let mut planner = FftPlannerScalar::new();
        let (mut own, mut index, mut partner) = (vec![], vec![], vec![]);
        for k in 0..height * width {
            let (r, c) = (k / width, k % width);
            let mirror = (height - r) % height * width + (width - c) % width;
            match mirror.cmp(&k) {
                std::cmp::Ordering::Equal => own.push(k),
                std::cmp::Ordering::Greater => {
                    index.push(k);
                    partner.push(mirror);
                }
                std::cmp::Ordering::Less => {}
            }
        }
        let bins = Bins { real: own.len(), pairs: index.len() };
        own.extend(index);
        Self {
            height,
            width,
            along_row: planner.plan_fft_forward(width),
            along_column: planner.plan_fft_forward(height),
            bins,
            index: own,
            partner,
            buffer: vec![Complex::default(); height * width],
            column: vec![Complex::default(); height],
        }
    }

    /// The layout of packed spectra.
    pub fn bins(&self) -> Bins {
        self.bins
    }

    /// Whether the transform is two-dimensional.
    pub fn is_image(&self) -> bool {
        self.height > 1
    }

    /// Flat index (row-major) in the full spectrum of every bin.
    pub fn index(&self) -> &[usize] {
        &self.index
    }

    /// signal → packed spectrum (both of length D).
    pub fn analyze(&mut self, signal: &[f64], packed: &mut [f64]) {
        for (b, &s) in self.buffer.iter_mut().zip(signal) {
            *b = Complex::new(s, 0.0);
        }
        self.transform();
        let Bins { real, pairs } = self.bins;
        let scale = 1.0 / (signal.len() as f64).sqrt();
        for (k, &i) in self.index.iter().enumerate() {
            if k < real {
                packed[k] = self.buffer[i].re * scale;
            } else {
                packed[k] = self.buffer[i].re * scale * SQRT_2;
                packed[k + pairs] = self.buffer[i].im * scale * SQRT_2;
            }
        }
    }

    /// The same of each of these rows, in its place, by all threads.
    pub fn analyze_rows(&self, rows: &mut [f64]) {
        let d = self.bins().features();
        let scratch = || (self.clone(), vec![0.0; d]);
        rows.par_chunks_exact_mut(d).with_min_len(1 + AT_ONCE / d).for_each_init(scratch, |(dft, packed), row| {
            dft.analyze(row, packed);
            row.copy_from_slice(packed);
        });
    }

    /// packed spectrum → signal; the inverse and the transpose of [`Self::analyze`].
    pub fn synthesize(&mut self, packed: &[f64], signal: &mut [f64]) {
        // The inverse is conj ∘ forward ∘ conj, and the result is real.
        let full = self.full(packed);
        for (b, f) in self.buffer.iter_mut().zip(full) {
            *b = f.conj();
        }
        self.transform();
        let scale = 1.0 / (signal.len() as f64).sqrt();
        for (s, b) in signal.iter_mut().zip(&self.buffer) {
            *s = b.re * scale;
        }
    }

    /// The full complex spectrum β̂, row-major.
    pub fn full(&self, packed: &[f64]) -> Vec<Complex<f64>> {
        let mut full = vec![Complex::default(); packed.len()];
        for (b, &i) in self.index.iter().enumerate() {
            full[i] = self.bins.value(packed, b);
        }
        for (p, &i) in self.partner.iter().enumerate() {
            full[i] = self.bins.value(packed, self.bins.real + p).conj();
        }
        full
    }

    fn transform(&mut self) {
        self.along_row.process(&mut self.buffer);
        if self.height == 1 {
            return;
        }
        for c in 0..self.width {
            for r in 0..self.height {
                self.column[r] = self.buffer[r * self.width + c];
            }
            self.along_column.process(&mut self.column);
            for r in 0..self.height {
                self.buffer[r * self.width + c] = self.column[r];
            }
        }
    }
}
