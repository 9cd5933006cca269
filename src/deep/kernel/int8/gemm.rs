use super::weights::word;
use super::{COLUMNS, Instructions, ROWS, Weights};
use multiversion::multiversion;
use rayon::prelude::*;

/// Rows that one task multiplies by all weights, at most: few enough to stay in the second-level cache.
const BLOCK: usize = 128;

/// C = A Wᵀ: c[i·n + j] = Σ_l a[i·k + l] w[j·k + l] for m rows of k unsigned bytes and n rows of k signed ones.
///
/// Blocks of rows are shared among the threads of the current rayon pool. Sums are exact for k ≤ 65,793 whatever the
/// bytes; longer ones are exact modulo 2³². The result is the same on every set of instructions and any number of threads.
///
/// # Panics
/// If `a` and `c` are not the same number of rows.
pub fn gemm(with: Instructions, a: &[u8], weights: &Weights, c: &mut [i32]) {
    let (n, k) = (weights.rows(), weights.columns());
    let m = c.len() / n.max(1);
    assert!(a.len() == m * k && c.len() == m * n, "shapes of a product do not match");
    let share = m.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS);
    let block = BLOCK.min(share).max(1);
    c.par_chunks_mut((block * n).max(1)).enumerate().for_each_init(Vec::new, |packed, (t, c)| {
        let rows = c.len() / n;
        multiply_block(with, &a[t * block * k..][..rows * k], weights, c, packed);
    });
}

/// The same on the calling thread, for few rows; `packed` is room to work in.
///
/// # Panics
/// If `a` and `c` are not the same number of rows.
pub fn multiply_block(with: Instructions, a: &[u8], weights: &Weights, c: &mut [i32], packed: &mut Vec<u32>) {
    let (n, k) = (weights.rows(), weights.columns());
    let m = c.len() / n.max(1);
    assert!(a.len() == m * k && c.len() == m * n, "shapes of a product do not match");
    let panel_words = k.div_ceil(4) * ROWS;
    if m * n == 0 || k == 0 {
        return c.fill(0);
    }
    packed.clear();
    packed.resize(m.div_ceil(ROWS) * panel_words, 0);
    for (panel, rows) in packed.chunks_exact_mut(panel_words).zip(a.chunks(ROWS * k)) {
        pack(rows, k, panel);
    }
    let mut edge = [0; ROWS * COLUMNS];
    for (j, b) in weights.panels().enumerate() {
        let width = COLUMNS.min(n - j * COLUMNS);
        for (c, a) in c.chunks_mut(ROWS * n).zip(packed.chunks_exact(panel_words)) {
            if width == COLUMNS && c.len() == ROWS * n {
                with.tile(a, b, &mut c[j * COLUMNS..], n);
                continue;
            }
            with.tile(a, b, &mut edge, COLUMNS);
            for (c, edge) in c.chunks_mut(n).zip(edge.chunks(COLUMNS)) {
                c[j * COLUMNS..][..width].copy_from_slice(&edge[..width]);
            }
        }
    }
}

/// Four entries of each of eight rows, then the next four: the mirror of a panel of weights.
fn pack(rows: &[u8], k: usize, panel: &mut [u32]) {
    for (i, row) in rows.chunks_exact(k).enumerate() {
        let (fours, rest) = row.as_chunks();
        let slots = panel[i..].iter_mut().step_by(ROWS);
        let last = (!rest.is_empty()).then(|| word(rest.iter().copied()));
        slots.zip(fours.iter().map(|four| u32::from_le_bytes(*four)).chain(last)).for_each(|(slot, word)| *slot = word);
    }
}

/// Of c = A Wᵀ makes Σ_l (a_il − z)(w_jl − z′_j), where z is the zero point of A and z′_j that of a row of weights; no
/// `weight_zeros` at all are zeros (symmetric weights).
///
/// Σ (a − z)(w − z′) = Σ a w − z Σ w − z′ (Σ a − k z): the sums of weights were taken when they were packed.
///
/// # Panics
/// If shapes do not match.
pub fn fold_zero_points(a: &[u8], zero: i32, weights: &Weights, weight_zeros: &[i32], c: &mut [i32]) {
    let (n, k) = (weights.rows(), weights.columns());
    assert!(weight_zeros.is_empty() || weight_zeros.len() == n, "a zero point for each row of weights, or none");
    for (i, c) in c.chunks_exact_mut(n.max(1)).enumerate() {
        for (c, sum) in c.iter_mut().zip(weights.sums()) {
            *c = c.wrapping_sub(zero.wrapping_mul(*sum));
        }
        if !weight_zeros.is_empty() {
            let sum = a[i * k..][..k].iter().fold(0i32, |sum, a| sum.wrapping_add(i32::from(*a) - zero));
            for (c, zero) in c.iter_mut().zip(weight_zeros) {
                *c = c.wrapping_sub(zero.wrapping_mul(sum));
            }
        }
    }
}

/// The product by its definition, entry by entry: what the kernel is checked against and measured beside.
///
/// # Panics
/// If shapes do not match.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
pub fn naive(n: usize, k: usize, a: &[u8], weights: &[i8], c: &mut [i32]) {
    assert!(a.len() * n == c.len() * k && weights.len() == n * k, "shapes of a product do not match");
    for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
        for (w, c) in weights.chunks_exact(k).zip(c) {
            *c = a.iter().zip(w).map(|(a, w)| i32::from(*a) * i32::from(*w)).fold(0, i32::wrapping_add);
        }
    }
}
