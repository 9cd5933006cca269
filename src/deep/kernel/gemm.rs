use super::{COLUMNS, Instructions, Panels, ROWS};
use rayon::prelude::*;

/// Panels of rows that one task multiplies by all columns: few enough to stay in the second-level cache.
const BLOCK: usize = 16;

/// C = A Bᵀ for matrices of ±1: c[i·n + j] = ⟨aᵢ, bⱼ⟩ = k − 2 |aᵢ ⊕ bⱼ|, rows of k entries.
///
/// Blocks of rows are shared among the threads of the current rayon pool. Integers: the result is the same on every set of
/// instructions and any number of threads.
///
/// # Panics
/// If rows have different lengths, or `c` is not rows × rows.
pub fn gemm(with: Instructions, a: &Panels<ROWS>, b: &Panels<COLUMNS>, c: &mut [i32]) {
    let (n, k) = (b.rows(), a.columns());
    assert!(k == b.columns() && c.len() == a.rows() * n, "shapes of a product do not match");
    let left: Vec<_> = a.iter().collect();
    c.par_chunks_mut((BLOCK * ROWS * n).max(1)).zip(left.par_chunks(BLOCK)).for_each(|(c, block)| {
        let mut edge = [0; ROWS * COLUMNS];
        for (j, b) in b.iter().enumerate() {
            let width = COLUMNS.min(n - j * COLUMNS);
            for (c, a) in c.chunks_mut(ROWS * n).zip(block) {
                if width == COLUMNS && c.len() == ROWS * n {
                    with.tile(a, b, k as i32, &mut c[j * COLUMNS..], n);
                    continue;
                }
                with.tile(a, b, k as i32, &mut edge, COLUMNS);
                for (c, edge) in c.chunks_mut(n).zip(edge.chunks(COLUMNS)) {
                    c[j * COLUMNS..][..width].copy_from_slice(&edge[..width]);
                }
            }
        }
    });
}
