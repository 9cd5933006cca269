//! Gram matrices of a few rows, weighted by coordinate, and their Cholesky factor: the dense algebra of a flow step.

use super::rows::dot;
use multiversion::multiversion;
use rayon::prelude::*;

/// Gram matrices whose work (rows²·features) is above this are cut over threads.
const PARALLEL_WORK: usize = 1 << 23;

/// A symmetric n×n matrix, row-major, only the lower triangle meaningful, with its scratch space.
#[derive(Debug, Clone, Default)]
pub struct Gram {
    n: usize,
    entries: Vec<f64>,
    /// B in panels of eight rows, column by column; rows past the last are zero.
    packed: Vec<f64>,
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
    pub fn add<'a>(&mut self, rows: impl Iterator<Item = &'a [f64]> + Clone, root: Option<&[f64]>, c: f64) {
        let kept: Vec<(usize, f64)> = match root {
            None => (0..rows.clone().next().map_or(0, <[f64]>::len)).map(|k| (k, 1.0)).collect(),
            Some(root) => {
                let largest = root.iter().copied().fold(0.0, f64::max);
                root.iter().copied().enumerate().filter(|(_, r)| *r > 1e-8 * largest).collect()
            }
        };
        self.add_written(rows, &kept, |row, kept, out| out.extend(kept.iter().map(|&(k, r)| row[k] * r)), c);
    }

    /// A += c·B Bᵀ, each row of B written by `write` from one of `rows`: what some of the `columns` make of it. B is never
    /// held as a whole.
    pub fn add_written<'a, C>(
        &mut self,
        rows: impl Iterator<Item = &'a [f64]> + Clone,
        columns: &[C],
        write: impl Fn(&[f64], &[C], &mut Vec<f64>),
        c: f64,
    ) {
        for columns in columns.chunks(AT_ONCE) {
            let d = pack(self.n, rows.clone(), |row, out| write(row, columns, out), &mut self.packed);
            add_products(&self.packed, d, c, self.n, 0, &mut self.entries);
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

const PANEL: usize = 8;
/// Panels and columns of B that stay in a core's own cache while the other panels pass by.
const BLOCK: usize = 4;
const COLUMNS: usize = 256;
/// Columns that are packed at once.
const AT_ONCE: usize = 1 << 12;

/// Writes the `n` rows of B into panels; returns their length.
fn pack<'a>(
    n: usize,
    rows: impl Iterator<Item = &'a [f64]>,
    write: impl Fn(&[f64], &mut Vec<f64>),
    packed: &mut Vec<f64>,
) -> usize {
    let (mut d, mut line) = (0, vec![]);
    packed.clear();
    for (i, row) in rows.enumerate() {
        line.clear();
        write(row, &mut line);
        if i == 0 {
            d = line.len();
            packed.resize(n.div_ceil(PANEL) * PANEL * d, 0.0);
        }
        let panel = &mut packed[i / PANEL * PANEL * d..];
        panel.iter_mut().skip(i % PANEL).step_by(PANEL).zip(&line).for_each(|(p, v)| *p = *v);
    }
    d
}

/// Adds c·B Bᵀ to the n×n matrix `entries` from row and column `corner` on, lower triangle.
fn add_products(packed: &[f64], d: usize, c: f64, n: usize, corner: usize, entries: &mut [f64]) {
    let panels = (n - corner).div_ceil(PANEL);
    let fill = |(block, out): (usize, &mut [f64])| {
        let (first, end) = (block * BLOCK, panels.min((block + 1) * BLOCK));
        for k in (0..d).step_by(COLUMNS) {
            let columns = |panel: usize| &packed[(panel * d + k) * PANEL..(panel * d + d.min(k + COLUMNS)) * PANEL];
            for j in 0..end {
                for i in first.max(j)..end {
                    let products = tile(columns(i), columns(j));
                    let lines = out[(i - first) * PANEL * n..].chunks_mut(n);
                    for (line, products) in lines.zip(&products) {
                        line[corner + j * PANEL..].iter_mut().zip(products).for_each(|(o, p)| *o += c * p);
                    }
                }
            }
        }
    };
    let blocks = entries[corner * n..].chunks_mut(BLOCK * PANEL * n.max(1)).enumerate();
    if (n - corner) * (n - corner) * d < PARALLEL_WORK {
        blocks.for_each(fill);
    } else {
        // The last rows have the most products.
        blocks.rev().collect::<Vec<_>>().into_par_iter().with_max_len(1).for_each(fill);
    }
}

/// All products of the rows of two panels, each summed in the order of the columns.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn tile(a: &[f64], b: &[f64]) -> [[f64; PANEL]; PANEL] {
    const HALF: usize = PANEL / 2;
    let mut out = [[0.0; PANEL]; PANEL];
    for (half, out) in out.as_chunks_mut::<HALF>().0.iter_mut().enumerate() {
        // Half a panel at a time keeps the sums in registers.
        let mut sums = [[0.0; PANEL]; HALF];
        for (x, y) in a.as_chunks::<PANEL>().0.iter().zip(b.as_chunks::<PANEL>().0) {
            for i in 0..HALF {
                for l in 0..PANEL {
                    sums[i][l] += x[half * HALF + i] * y[l];
                }
            }
        }
        *out = sums;
    }
    out
}

/// The lower Cholesky factor of a symmetric positive definite matrix, row-major.
#[derive(Debug, Clone, Default)]
pub struct Cholesky {
    n: usize,
    factor: Vec<f64>,
    packed: Vec<f64>,
}

/// Columns of the factor that are found before the rest of the matrix learns of them.
const STRIPE: usize = 64;

impl Cholesky {
    /// Factors the matrix with lower entries `entry(i, j)`; false if it is not positive definite.
    pub fn factor(&mut self, n: usize, entry: impl Fn(usize, usize) -> f64) -> bool {
        self.n = n;
        self.factor.resize(n * n, 0.0);
        for i in 0..n {
            self.factor[i * n..=i * n + i].iter_mut().enumerate().for_each(|(j, f)| *f = entry(i, j));
        }
        for start in (0..n).step_by(STRIPE) {
            let end = n.min(start + STRIPE);
            for i in start..n {
                let (done, current) = self.factor.split_at_mut(i * n);
                for j in start..i.min(end) {
                    let above = &done[j * n + start..j * n + j + 1];
                    current[j] = (current[j] - dot(&current[start..j], &above[..j - start])) / above[j - start];
                }
                if i < end {
                    let square = current[i] - dot(&current[start..i], &current[start..i]);
                    if square.is_nan() || square <= 0.0 {
                        return false;
                    }
                    current[i] = square.sqrt();
                }
            }
            let rows = self.factor.chunks_exact(n).skip(end).map(|row| &row[start..end]);
            let d = pack(n - end, rows, |row, out| out.extend_from_slice(row), &mut self.packed);
            add_products(&self.packed, d, -1.0, n, end, &mut self.factor);
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
