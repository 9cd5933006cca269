//! How fast products of bytes are beside f32.

use super::{Instructions, Weights, gemm, naive};
use crate::deep::kernel::measure::{Method, NAIVE_OPERATIONS, Timing, check, take_turns};
use crate::deep::kernel::reference::sgemm;
use crate::error::{InputError, Result};
use crate::math::random::Stream;
use rayon::prelude::*;
use std::hint::black_box;

/// C = A Wᵀ with A m × k of unsigned and W n × k of signed bytes: the product by its definition (some of the rows), the
/// `gemm` crate's sgemm of the same numbers in f32, the kernel, which packs A on the way, and the packing of the weights.
///
/// # Errors
/// If a size is 0, or that many threads cannot be started.
pub fn product((m, n, k): (usize, usize, usize), threads: usize, seconds: f64) -> Result<Vec<Timing>> {
    check(m, n, k, threads)?;
    let with = Instructions::best();
    let mut stream = Stream::new(0, &["bench", "int8"]);
    let mut bytes = |count: usize| -> Vec<u8> { (0..count).map(|_| (256.0 * stream.uniform()) as u8).collect() };
    let (a, b): (_, Vec<i8>) = (bytes(m * k), bytes(n * k).into_iter().map(|b| b as i8).collect());
    let (float_a, float_b): (Vec<f32>, Vec<f32>) =
        (a.iter().map(|x| f32::from(*x)).collect(), b.iter().map(|x| f32::from(*x)).collect());
    let some = (NAIVE_OPERATIONS / (n * k)).clamp(1, m);
    let pack = || Weights::new(n, k, &b);
    let weights = pack();
    let (mut part, mut floats, mut sums) = (vec![0; some * n], vec![0.0; m * n], vec![0; m * n]);
    let methods: Vec<Method<'_>> = vec![
        (
            "by definition, u8 × i8",
            m as f64 / some as f64,
            Box::new(|| naive(n, k, &a[..some * k], &b, black_box(&mut part))),
        ),
        ("sgemm", 1.0, Box::new(|| sgemm(m, n, k, &float_a, &float_b, black_box(&mut floats)))),
        ("int8", 1.0, Box::new(|| gemm(with, &a, &weights, black_box(&mut sums)))),
        ("packing of weights", 1.0, Box::new(|| drop(black_box(pack())))),
    ];
    let timings = take_turns(threads, seconds, methods)?;
    let same = sums.par_chunks(n).zip(a.par_chunks(k)).all(|(sums, a)| {
        let mut row = vec![0; n];
        naive(n, k, a, &b, &mut row);
        row == sums
    });
    match same {
        true => Ok(timings),
        false => Err(InputError::new(
            "a sum is not the product by definition: this is a bug of the kernel, please report it",
        )),
    }
}
