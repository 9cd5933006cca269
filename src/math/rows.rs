//! A row-major matrix and the one pass over it that a gradient step needs.
//!
//! The kernels keep 32 running sums in a fixed order and never contract a multiplication with an addition, so that
//! SSE2, AVX2 and AVX-512 give the same bits; blocks are cut by size alone and joined in order, so that any number of
//! threads does too.

use multiversion::multiversion;
use rayon::prelude::*;

const LANES: usize = 32;
/// Matrices below this many numbers are one block: they sit in a core's own cache.
const ONE_BLOCK: usize = 1 << 17;
const BLOCKS: usize = 16;

/// N samples of D numbers each, one after the other.
#[derive(Debug, Clone)]
pub struct Rows {
    data: Vec<f64>,
    features: usize,
    blocks: Vec<Block>,
    largest_square: f64,
}

/// What one block of rows adds to the weighted sum: Σ exp(aᵢ − max)·zᵢ and Σ exp(aᵢ − max).
#[derive(Debug, Clone, Default)]
struct Block {
    first: usize,
    rows: usize,
    max: f64,
    sum: f64,
    weighted: Vec<f64>,
}

impl Rows {
    /// Takes row-major `data` of length N·`features`.
    pub fn new(data: Vec<f64>, features: usize) -> Self {
        let samples = data.len() / features.max(1);
        let count = if data.len() < ONE_BLOCK { 1 } else { BLOCKS.min(samples) };
        let cut = |b: usize| b * samples / count;
        let blocks = (0..count)
            .map(|b| Block {
                first: cut(b),
                rows: cut(b + 1) - cut(b),
                weighted: vec![0.0; features],
                ..Block::default()
            })
            .collect();
        let rows = data.par_chunks_exact(features.max(1)).with_min_len(1 + ONE_BLOCK / features.max(1));
        let largest_square = rows.map(|r| dot(r, r)).reduce(|| 0.0, f64::max);
        Self { data, features, blocks, largest_square }
    }

    /// Number of rows, N.
    pub fn samples(&self) -> usize {
        self.data.len() / self.features
    }

    /// Length of a row, D.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.features..(i + 1) * self.features]
    }

    /// All numbers, row-major.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// max_i ‖zᵢ‖₂².
    pub fn largest_square(&self) -> f64 {
        self.largest_square
    }

    /// ⟨zᵢ, β⟩ for every row.
    pub fn times(&self, beta: &[f64], margins: &mut [f64]) {
        let rows = self.data.par_chunks_exact(self.features).with_min_len(1 + ONE_BLOCK / self.features);
        margins.par_iter_mut().zip(rows).for_each(|(m, row)| *m = dot(row, beta));
    }

    /// Σ pᵢ zᵢ.
    pub fn combine(&self, p: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (&pi, row) in p.iter().zip(self.data.chunks_exact(self.features)) {
            add_scaled(out, pi, row);
        }
    }

    /// One pass over the matrix: margins mᵢ = ⟨zᵢ, β⟩, and with aᵢ = `log_weight(mᵢ)` and pᵢ = exp(aᵢ)/Σ exp(a)
    /// the dual vector Σ pᵢ zᵢ. Returns log Σ exp(aᵢ). A running maximum keeps every exponential in range.
    pub fn weigh(
        &mut self,
        beta: &[f64],
        log_weight: fn(f64) -> f64,
        margins: &mut [f64],
        log_weights: &mut [f64],
        dual: &mut [f64],
    ) -> f64 {
        let (data, features) = (&self.data, self.features);
        let mut jobs = Vec::new();
        let (mut margins, mut log_weights) = (margins, log_weights);
        if self.blocks.len() == 1 {
            one_block(&mut self.blocks[0], data, features, beta, log_weight, margins, log_weights);
        } else {
            for block in &mut self.blocks {
                let (m, rest_m) = margins.split_at_mut(block.rows);
                let (a, rest_a) = log_weights.split_at_mut(block.rows);
                (margins, log_weights) = (rest_m, rest_a);
                jobs.push((block, m, a));
            }
            jobs.into_par_iter().for_each(|(block, m, a)| one_block(block, data, features, beta, log_weight, m, a));
        }
        let max = self.blocks.iter().map(|b| b.max).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.blocks.iter().map(|b| b.sum * (b.max - max).exp()).sum();
        dual.fill(0.0);
        for b in &self.blocks {
            add_scaled(dual, (b.max - max).exp() / sum, &b.weighted);
        }
        max + sum.ln()
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn one_block(
    block: &mut Block,
    data: &[f64],
    features: usize,
    beta: &[f64],
    log_weight: fn(f64) -> f64,
    margins: &mut [f64],
    log_weights: &mut [f64],
) {
    let (mut max, mut sum) = (f64::NEG_INFINITY, 0.0);
    block.weighted.fill(0.0);
    for i in 0..block.rows {
        let start = (block.first + i) * features;
        let row = &data[start..start + features];
        let margin = dot_inline(row, beta);
        let a = log_weight(margin);
        (margins[i], log_weights[i]) = (margin, a);
        if a > max {
            let shrink = (max - a).exp();
            sum *= shrink;
            block.weighted.iter_mut().for_each(|g| *g *= shrink);
            max = a;
        }
        let weight = (a - max).exp();
        sum += weight;
        add_scaled_inline(&mut block.weighted, weight, row);
    }
    (block.max, block.sum) = (max, sum);
}

/// ⟨a, b⟩, summed in 32 fixed lanes.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    dot_inline(a, b)
}

/// out += s·a.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn add_scaled(out: &mut [f64], s: f64, a: &[f64]) {
    add_scaled_inline(out, s, a)
}

#[inline(always)]
fn dot_inline(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (whole_a, tail_a) = a.as_chunks::<LANES>();
    let (whole_b, tail_b) = b.as_chunks::<LANES>();
    for (x, y) in whole_a.iter().zip(whole_b) {
        for l in 0..LANES {
            lanes[l] += x[l] * y[l];
        }
    }
    for (l, (x, y)) in tail_a.iter().zip(tail_b).enumerate() {
        lanes[l] += x * y;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] += lanes[l + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn add_scaled_inline(out: &mut [f64], s: f64, a: &[f64]) {
    for (o, x) in out.iter_mut().zip(a) {
        *o += s * x;
    }
}
