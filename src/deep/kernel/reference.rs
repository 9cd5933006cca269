//! What the integer kernels are measured against, in f32: the triple loop and a real sgemm.

/// C = A B by the definition, row-major, A m × k and B k × n: the textbook's three loops.
pub fn naive(n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
        for j in 0..n {
            let mut sum = 0.0;
            for l in 0..k {
                sum += a[l] * b[l * n + j];
            }
            c[j] = sum;
        }
    }
}

/// C = A Bᵀ by the `gemm` crate, row-major, A m × k and B n × k, on the threads of the current rayon pool.
///
/// # Panics
/// If a slice is not as long as its shape says.
#[allow(unsafe_code)]
pub fn sgemm(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    assert!(a.len() == m * k && b.len() == n * k && c.len() == m * n, "shapes of a product do not match");
    let threads = match rayon::current_num_threads() {
        1 => gemm::Parallelism::None,
        _ => gemm::Parallelism::Rayon(0),
    };
    let (row, column) = (|width: usize| width as isize, 1);
    // SAFETY: the lengths are checked above; with these strides entry (i, l) of A is a[i·k + l], (l, j) of Bᵀ is
    // b[j·k + l] and (i, j) of C is c[i·n + j]: all inside the slices; C is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            m,
            n,
            k, //
            c.as_mut_ptr(),
            column,
            row(n),
            false, //
            a.as_ptr(),
            column,
            row(k), //
            b.as_ptr(),
            row(k),
            column, //
            0.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}
