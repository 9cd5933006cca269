//! What runs on bits, against numbers, case by case.

use crate::deep::kernel::{BitMatrix, Instructions, Layer, LayerShape, Panels, gemm};
use crate::deep::packed::Affine;
use crate::deep::quantize::sign;
use crate::math::random::Stream;

/// How many cases were compared, and the largest difference between the two sides.
pub struct Comparison {
    pub cases: usize,
    pub largest: f64,
}

impl Comparison {
    fn of(pairs: impl Iterator<Item = (f64, f64)>) -> Self {
        let start = Self { cases: 0, largest: 0.0 };
        pairs.fold(start, |c, (a, b)| Self { cases: c.cases + 1, largest: c.largest.max((a - b).abs()) })
    }
}

/// A number of rows from 1 to 40.
fn some(stream: &mut Stream) -> usize {
    1 + (40.0 * stream.uniform()) as usize
}

fn signs(n: usize, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| stream.sign() as f32).collect()
}

/// Products of all rows of two random ±1 matrices, on every set of instructions that this processor has.
pub fn xnor_product(n: usize, stream: &mut Stream) -> Comparison {
    let (rows, columns) = (some(stream), some(stream));
    let (a, b) = (signs(rows * n, stream), signs(columns * n, stream));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let float: Vec<f32> = a.chunks(n).flat_map(|a| b.chunks(n).map(move |b| dot(a, b))).collect();
    let bits = |with| {
        let mut product = vec![0; rows * columns];
        let (a, b) = (BitMatrix::from_signs(rows, n, &a), BitMatrix::from_signs(columns, n, &b));
        gemm(with, &Panels::new(&a), &Panels::new(&b), &mut product);
        product
    };
    let compare = |with| Comparison::of(float.iter().map(|x| f64::from(*x)).zip(bits(with).into_iter().map(f64::from)));
    // How many sets there are is the machine's affair and not counted.
    let worst = |a: Comparison, b: Comparison| if a.largest > b.largest { a } else { b };
    Instructions::available().into_iter().map(compare).fold(Comparison { cases: 0, largest: 0.0 }, worst)
}

/// Products of 8-bit pictures, taken as 2p − 255, with ±1 weights.
pub fn bit_planes(n: usize, stream: &mut Stream) -> Comparison {
    let (rows, columns) = (some(stream), some(stream));
    let p: Vec<u8> = (0..rows * n).map(|_| (256.0 * stream.uniform()) as u8).collect();
    let w = signs(columns * n, stream);
    let dot = |p: &[u8], w: &[f32]| p.iter().zip(w).map(|(p, w)| (2 * i64::from(*p) - 255) * *w as i64).sum::<i64>();
    let integer: Vec<i64> = p.chunks(n).flat_map(|p| w.chunks(n).map(move |w| dot(p, w))).collect();
    let layer = Layer::new(LayerShape::dense(n, true), &BitMatrix::from_signs(columns, n, &w));
    let planes = layer.sums(Instructions::best(), &BitMatrix::bit_planes(n, &p));
    Comparison::of(integer.into_iter().map(|i| i as f64).zip(planes.into_iter().map(f64::from)))
}

/// The sign of γ(a − μ)/√(σ² + ε) + β for all a from −n to n, of neurons with random statistics, γ of both signs, and γ = 0
/// with every sign of β.
pub fn threshold(n: usize, stream: &mut Stream) -> Comparison {
    const EPS: f32 = 1e-4;
    const NEURONS: usize = 64;
    let spread = (n as f64).sqrt();
    let mut draw = |scale: f64| (0..NEURONS).map(|_| (scale * stream.normal()) as f32).collect::<Vec<f32>>();
    let (mut gamma, mut shift, mean, deviation) = (draw(1.0), draw(0.5), draw(0.5 * spread), draw(spread));
    gamma[..3].fill(0.0);
    shift[..3].copy_from_slice(&[-1.0, 0.0, 1.0]);
    let scale = gamma.iter().zip(deviation).map(|(g, s)| g / (s * s + EPS).sqrt()).collect();
    let norm = Affine { scale, mean, shift };
    let bound = n as i32;
    let neuron = |c: usize| {
        let (threshold, flipped) = norm.threshold(c, bound);
        let on_bits = move |a: i32| if (a >= threshold) != flipped { 1.0 } else { -1.0 };
        let norm = &norm;
        (-bound..=bound).map(move |a| (f64::from(sign(norm.value(c, a))), on_bits(a)))
    };
    Comparison::of((0..NEURONS).flat_map(neuron))
}
