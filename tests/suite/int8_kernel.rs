//! The kernel of bytes against products written out, on every set of instructions.

use implicit_bias::deep::kernel::int8::{Instructions, Weights, fold_zero_points, gemm, naive};

/// Bytes as good as random for these purposes (SplitMix64), others for each seed.
fn random_bytes(count: usize, seed: u64) -> Vec<u8> {
    let byte = |at: usize| {
        let mut x = (seed << 40) ^ (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) as u8
    };
    (0..count).map(byte).collect()
}

/// Σ_l (a_il − z)(w_jl − z′_j) in 64 bits, entry by entry.
fn written_out(n: usize, k: usize, a: &[u8], zero: i32, w: &[i8], zeros: &[i32]) -> Vec<i32> {
    let term = |a: u8, w: i8, j: usize| (i64::from(a) - i64::from(zero)) * (i64::from(w) - i64::from(zeros[j]));
    let sum = |a: &[u8], j: usize| a.iter().zip(&w[j * k..]).map(|(a, w)| term(*a, *w, j)).sum::<i64>();
    a.chunks(k).flat_map(|a| (0..n).map(move |j| i32::try_from(sum(a, j)).unwrap())).collect()
}

fn check(m: usize, n: usize, k: usize, a: &[u8], w: &[i8]) {
    let expected = written_out(n, k, a, 0, w, &vec![0; n]);
    let mut c = vec![i32::MIN; m * n];
    naive(n, k, a, w, &mut c);
    assert!(c == expected, "{m} × {n} × {k} by definition");
    for with in Instructions::available() {
        c.fill(i32::MIN);
        gemm(with, a, &Weights::new(n, k, w), &mut c);
        assert!(c == expected, "{m} × {n} × {k} on {}", with.name());
    }
}

fn check_random(m: usize, n: usize, k: usize) {
    let w: Vec<i8> = random_bytes(n * k, 2).iter().map(|b| *b as i8).collect();
    check(m, n, k, &random_bytes(m * k, 1), &w);
}

#[test]
fn product_at_all_small_sizes_and_around_every_edge() {
    // 37 and 70 are coprime to the sizes' steps, so that every m, n, k of 1 … 70 occurs, in changing company
    for s in 0..70 {
        check_random(1 + s, 1 + (37 * s + 11) % 70, 1 + (23 * s + 5) % 70);
    }
    for (m, n, k) in [(1, 1, 1), (127, 31, 3), (128, 32, 4), (129, 64, 257), (257, 65, 1023), (1, 1000, 1280)] {
        check_random(m, n, k);
    }
}

#[test]
fn nothing_saturates_at_the_extremes() {
    // the last length is the largest whose sums fit into 32 bits whatever the bytes
    for k in [1, 2, 3, 4, 5, 7, 64, 1001, 65_793] {
        for (a, w) in [(255, -128), (255, 127), (0, -128), (128, -128)] {
            check(9, 33, k, &vec![a; 9 * k], &vec![w; 33 * k]);
        }
    }
}

#[test]
fn longer_sums_are_exact_modulo_two_to_the_32() {
    let k = 70_000;
    let expected = (-255 * 128 * k as i64) as i32;
    for with in Instructions::available() {
        let mut c = [0];
        gemm(with, &vec![255; k], &Weights::new(1, k, &vec![-128; k]), &mut c);
        assert_eq!(c[0], expected, "{}", with.name());
    }
}

#[test]
fn zero_points_fold() {
    let (m, n, k) = (11, 37, 101);
    let (a, w) = (random_bytes(m * k, 3), random_bytes(n * k, 4).iter().map(|b| *b as i8).collect::<Vec<_>>());
    let affine: Vec<i32> = (0..n as i32).map(|j| j * 7 - 128).collect();
    let weights = Weights::new(n, k, &w);
    for (zero, zeros) in [(0, &affine), (131, &affine), (255, &vec![0; n])] {
        let expected = written_out(n, k, &a, zero, &w, zeros);
        for given in [&zeros[..], &[]].iter().filter(|g| !g.is_empty() || zeros.iter().all(|z| *z == 0)) {
            let mut c = vec![0; m * n];
            gemm(Instructions::best(), &a, &weights, &mut c);
            fold_zero_points(&a, zero, &weights, given, &mut c);
            assert!(c == expected, "zero point {zero}, {} of weights", given.len());
        }
    }
}

#[test]
fn the_same_at_any_number_of_threads_and_nothing_at_no_size() {
    let (m, n, k) = (300, 70, 130);
    let (a, w) = (random_bytes(m * k, 5), random_bytes(n * k, 6).iter().map(|b| *b as i8).collect::<Vec<_>>());
    let weights = Weights::new(n, k, &w);
    let product = |threads: usize| {
        let mut c = vec![0; m * n];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| gemm(Instructions::best(), &a, &weights, &mut c));
        c
    };
    assert!(product(1) == product(3));
    gemm(Instructions::best(), &[], &weights, &mut []);
    gemm(Instructions::best(), &[], &Weights::new(0, k, &[]), &mut []);
    let mut c = [7; 6];
    gemm(Instructions::best(), &[], &Weights::new(3, 0, &[]), &mut c);
    assert_eq!(c, [0; 6]);
}

/// Few and small sizes, for Miri (.ci/miri.sh): unsafe code on all instructions that it can interpret.
#[test]
fn small_product_for_miri() {
    check_random(9, 33, 7);
}
