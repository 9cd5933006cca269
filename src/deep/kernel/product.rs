//! The product of matrices in f32, by the `gemm` crate.

/// A matrix in a slice, row-major: the numbers, and how far one row is from the next.
pub type Rows<S> = (S, usize);

/// C = A B on the calling thread, A m × k and B k × n.
///
/// # Panics
/// If a matrix does not fit its slice.
#[allow(unsafe_code)]
pub fn product((m, n, k): (usize, usize, usize), a: Rows<&[f32]>, b: Rows<&[f32]>, c: Rows<&mut [f32]>) {
    let fits = |rows: usize, columns: usize, stride: usize, length: usize| {
        rows == 0 || columns <= stride && (rows - 1).saturating_mul(stride).saturating_add(columns) <= length
    };
    let inside = fits(m, k, a.1, a.0.len()) && fits(k, n, b.1, b.0.len()) && fits(m, n, c.1, c.0.len());
    assert!(inside, "shapes of a product do not match");
    let (next, threads) = (|stride: usize| stride as isize, gemm::Parallelism::None);
    let (x, y, z) = (next(a.1), next(b.1), next(c.1));
    let (a, b, c) = (a.0.as_ptr(), b.0.as_ptr(), c.0.as_mut_ptr());
    // SAFETY: checked above, entry (i, j) of each matrix, at i·stride + j, is inside its slice; rows of C do not overlap, and C
    // is borrowed mutably, so it overlaps neither A nor B.
    unsafe {
        gemm::gemm(m, n, k, c, 1, z, false, a, 1, x, b, 1, y, 0.0, 1.0, false, false, false, threads);
    }
}
