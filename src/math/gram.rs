//! Gram matrices of a few rows, weighted by coordinate, and their Cholesky factor: the dense algebra of a flow step.

use super::rows::{dot, dot_block};
use rayon::prelude::*;

/// Gram matrices whose work (rows²·features) is above this are cut over threads.
const PARALLEL_WORK: usize = 1 << 23;

/// A symmetric n×n matrix, row-major, only the lower triangle meaningful, with its scratch space.
#[derive(Debug, Clone, Default)]
pub struct Gram {
    n: usize,
    entries: Vec<f64>,
    scaled: Vec<f64>,
}

impl Gram {
    /// Number of rows.
    pub fn size(&self) -> usize {
        self.n
    }

    /// Entry (i, j) with j ≤ i.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.entries[i * self.n + j]
    }

    /// A += c·B Bᵀ for n rows B of equal length, with each coordinate k scaled by `root[k]` if given; coordinates whose
    /// root is below 10⁻⁸ of the largest are left out. Sizes are set by [`Self::reset`].
    pub fn add<'a>(&mut self, rows: impl Iterator<Item = &'a [f64]>, root: Option<&[f64]>, c: f64) {
        self.scaled.clear();
        let largest = root.map_or(0.0, |r| r.iter().copied().fold(0.0, f64::max));
        let kept: Vec<(usize, f64)> =
            root.map_or(vec![], |r| r.iter().copied().enumerate().filter(|(_, r)| *r > 1e-8 * largest).collect());
        let mut d = kept.len();
        for row in rows {
            match root {
                Some(_) => self.scaled.extend(kept.iter().map(|&(k, r)| row[k] * r)),
                None => {
                    d = row.len();
                    self.scaled.extend_from_slice(row);
                }
            }
        }
        let (n, scaled) = (self.n, &self.scaled);
        let fill = |(band, out): (usize, &mut [f64])| band_products(scaled, d, n, band * BAND, c, out);
        let bands = self.entries.chunks_mut(BAND * n.max(1)).enumerate();
        if n * n * d < PARALLEL_WORK {
            bands.for_each(fill);
        } else {
            bands.collect::<Vec<_>>().into_par_iter().for_each(fill);
        }
    }

    /// An n×n matrix of zeros.
    pub fn reset(&mut self, n: usize) {
        self.n = n;
        self.entries.clear();
        self.entries.resize(n * n, 0.0);
    }

    /// out = A x, by the lower triangle.
    pub fn times(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for i in 0..self.n {
            let row = &self.entries[i * self.n..i * self.n + i];
            out[i] += dot(row, &x[..i]) + self.entries[i * self.n + i] * x[i];
            super::rows::add_scaled(&mut out[..i], x[i], row);
        }
    }
}

const BAND: usize = 4;

/// c·⟨bᵢ, bⱼ⟩ for the rows i of one band and all j ≤ i.
fn band_products(b: &[f64], d: usize, n: usize, first: usize, c: f64, out: &mut [f64]) {
    let row = |i: usize| &b[i * d..(i + 1) * d];
    let height = (n - first).min(BAND);
    let mut j = 0;
    while j < first + height {
        let width = (n - j).min(BAND);
        if height == BAND && width == BAND {
            let products = dot_block(
                [row(first), row(first + 1), row(first + 2), row(first + 3)],
                [row(j), row(j + 1), row(j + 2), row(j + 3)],
            );
            for (i, line) in products.iter().enumerate() {
                for (k, value) in line.iter().enumerate() {
                    out[i * n + j + k] += c * value;
                }
            }
        } else {
            for i in 0..height {
                for k in 0..width {
                    out[i * n + j + k] += c * dot(row(first + i), row(j + k));
                }
            }
        }
        j += BAND;
    }
}

/// The lower Cholesky factor of a symmetric positive definite matrix, row-major.
#[derive(Debug, Clone, Default)]
pub struct Cholesky {
    n: usize,
    factor: Vec<f64>,
}

impl Cholesky {
    /// Factors the matrix with lower entries `entry(i, j)`; false if it is not positive definite.
    pub fn factor(&mut self, n: usize, entry: impl Fn(usize, usize) -> f64) -> bool {
        self.n = n;
        self.factor.resize(n * n, 0.0);
        for i in 0..n {
            let (done, current) = self.factor.split_at_mut(i * n);
            for j in 0..i {
                let above = &done[j * n..j * n + j + 1];
                current[j] = (entry(i, j) - dot(&current[..j], &above[..j])) / above[j];
            }
            let square = entry(i, i) - dot(&current[..i], &current[..i]);
            if square.is_nan() || square <= 0.0 {
                return false;
            }
            current[i] = square.sqrt();
        }
        true
    }

    /// x ← A⁻¹ x.
    pub fn solve(&self, x: &mut [f64]) {
        let n = self.n;
        for i in 0..n {
            let row = &self.factor[i * n..i * n + i + 1];
            x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
        }
        for i in (0..n).rev() {
            let row = &self.factor[i * n..i * n + i + 1];
            x[i] /= row[i];
            let (before, rest) = x.split_at_mut(i);
            super::rows::add_scaled(before, -rest[0], &row[..i]);
        }
    }
}
