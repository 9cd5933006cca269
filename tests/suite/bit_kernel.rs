//! The bit kernel against products written out, on every set of instructions.

use implicit_bias::deep::kernel::{BitMatrix, COLUMNS, Instructions, Layer, LayerShape, Panels, ROWS, gemm};

/// Bits as good as random for these purposes (SplitMix64), a different matrix for each seed.
fn random_bits(rows: usize, columns: usize, seed: u64) -> BitMatrix {
    BitMatrix::from_fn(rows, columns, |i, j| {
        let mut x = (seed << 40) ^ ((i * columns + j + 1) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) & 1 == 1
    })
}

fn sign(bits: &BitMatrix, i: usize, j: usize) -> i32 {
    if bits.get(i, j) { 1 } else { -1 }
}

/// Σ_l a_il b_jl, entry by entry.
fn written_out(a: &BitMatrix, b: &BitMatrix) -> Vec<i32> {
    let entry = |i, j| (0..a.columns()).map(|l| sign(a, i, l) * sign(b, j, l)).sum();
    (0..a.rows()).flat_map(|i| (0..b.rows()).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
}

fn check(m: usize, n: usize, k: usize) {
    let (a, b) = (random_bits(m, k, 1), random_bits(n, k, 2));
    let expected = written_out(&a, &b);
    for with in Instructions::available() {
        let mut c = vec![i32::MIN; m * n];
        gemm(with, &Panels::<ROWS>::new(&a), &Panels::<COLUMNS>::new(&b), &mut c);
        assert!(c == expected, "{m} × {n} × {k} on {}", with.name());
    }
}

#[test]
fn product_at_all_small_sizes_and_around_every_edge() {
    // 37 and 70 are coprime to the sizes' steps, so that every m, n, k of 1 … 70 occurs, in changing company
    for s in 0..70 {
        check(1 + s, 1 + (37 * s + 11) % 70, 1 + (23 * s + 5) % 70);
    }
    for k in [63, 64, 65, 127, 128, 129, 31 * 64 - 1, 31 * 64 + 1, 62 * 64 + 65] {
        check(9, 33, k);
    }
    for (m, n) in [(0, 3), (3, 0), (127, 31), (128, 32), (129, 64), (257, 65)] {
        check(m, n, 70);
    }
}

#[test]
fn counters_do_not_overflow_on_opposite_rows() {
    let k = 40_000;
    let (a, b) = (BitMatrix::from_fn(9, k, |_, _| true), BitMatrix::new(33, k));
    for with in Instructions::available() {
        let mut c = vec![0; 9 * 33];
        gemm(with, &Panels::<ROWS>::new(&a), &Panels::<COLUMNS>::new(&b), &mut c);
        assert!(c.iter().all(|&c| c == -(k as i32)), "{}", with.name());
    }
}

#[test]
fn bit_planes_are_the_binary_digits() {
    for columns in [1, 7, 8, 63, 64, 65, 130] {
        let bytes: Vec<u8> = (0..3 * columns).map(|i| (i * 89 + 17) as u8).collect();
        let planes = BitMatrix::bit_planes(columns, &bytes);
        for (at, &p) in bytes.iter().enumerate() {
            let (i, j) = (at / columns, at % columns);
            let value: i32 = (0..8).map(|b| (1 << b) * sign(&planes, 8 * i + b, j)).sum();
            assert_eq!(value, 2 * i32::from(p) - 255);
        }
        assert!(BitMatrix::from_words(24, columns, planes.words().to_vec()) == Some(planes), "padding bits are zero");
    }
}

#[test]
fn signs_of_zero_and_nan() {
    let bits = BitMatrix::from_signs(1, 6, &[0.0, -0.0, f32::NAN, -f32::MIN_POSITIVE, 1e-45, f32::NEG_INFINITY]);
    assert_eq!(bits.words(), [0b010011]);
}

/// Convolution with zero padding, pooled, from the definition: `input(image, y, x, channel)`.
fn convolved(
    s: &LayerShape,
    images: usize,
    input: impl Fn(usize, usize, usize, usize) -> i32,
    w: &BitMatrix,
) -> Vec<i32> {
    let (k, (height, width)) = ((s.kernel.0 as isize, s.kernel.1 as isize), s.output());
    let (inside_y, inside_x) = (0..s.height as isize, 0..s.width as isize);
    let sum = |image: usize, y: isize, x: isize, f: usize| -> i32 {
        let taps = (0..k.0 * k.1).map(|t| (t, y + t / k.1 - s.padding as isize, x + t % k.1 - s.padding as isize));
        let taps = taps.filter(|(_, y, x)| inside_y.contains(y) && inside_x.contains(x));
        let product = |t, y, x, c| input(image, y, x, c) * sign(w, f, t * s.channels + c);
        taps.map(|(t, y, x)| (0..s.channels).map(|c| product(t as usize, y as usize, x as usize, c)).sum::<i32>()).sum()
    };
    let window = |y: usize, x: usize| {
        (0..s.pool * s.pool).map(move |p| ((y * s.pool + p / s.pool) as isize, (x * s.pool + p % s.pool) as isize))
    };
    let mut out = Vec::new();
    for image in 0..images {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            out.extend((0..w.rows()).map(|f| window(y, x).map(|(y, x)| sum(image, y, x, f)).max().unwrap()));
        }
    }
    out
}

fn layer(height: usize, width: usize, channels: usize, kernel: usize, padding: usize, pool: usize) -> LayerShape {
    LayerShape { height, width, channels, bytes: false, kernel: (kernel, kernel), padding, pool }
}

#[test]
fn convolution_is_the_definition_zero_padding_and_pooling_included() {
    let shapes =
        [layer(5, 4, 3, 3, 1, 1), layer(6, 7, 65, 3, 1, 2), layer(5, 5, 64, 5, 2, 1), layer(7, 5, 20, 3, 0, 2)];
    let shapes = shapes.into_iter().chain([layer(3, 3, 2, 3, 3, 1), layer(4, 4, 9, 1, 0, 2), layer(1, 1, 70, 1, 0, 1)]);
    let shapes = shapes.chain([LayerShape { kernel: (3, 5), ..layer(3, 5, 40, 0, 0, 1) }]);
    for (shape, bytes) in shapes.flat_map(|s| [(s, false), (s, true)]) {
        let (shape, images, pixels) = (LayerShape { bytes, ..shape }, 3, shape.height * shape.width);
        let weights = random_bits(33, shape.taps(), 3);
        let rows = images * pixels * shape.channels;
        let values: Vec<u8> = (0..rows).map(|i| (i * i * 7 + i * 31 + 5) as u8).collect();
        let bits = random_bits(images * pixels, shape.channels, 4);
        let input = if bytes { BitMatrix::bit_planes(shape.channels, &values) } else { bits.clone() };
        let at = |image, y, x, c| match (image * pixels + y * shape.width + x, bytes) {
            (row, true) => 2 * i32::from(values[row * shape.channels + c]) - 255,
            (row, false) => sign(&bits, row, c),
        };
        let expected = convolved(&shape, images, at, &weights);
        for with in Instructions::available() {
            assert!(Layer::new(shape, &weights).sums(with, &input) == expected, "{shape:?} on {}", with.name());
        }
    }
}

/// Few and small sizes, for Miri (.ci/miri.sh): unsafe code on all instructions that it can interpret.
#[test]
fn small_product_for_miri() {
    check(9, 33, 129);
}
