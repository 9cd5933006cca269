//! Identities between integers and floating-point numbers, compared case by case.

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

/// Bits of a row, 1 for +1, in words whose last is filled up with zeros.
fn pack(row: &[f32]) -> Vec<u64> {
    let word = |chunk: &[f32]| chunk.iter().rev().fold(0, |word, s| word << 1 | u64::from(*s > 0.0));
    row.chunks(64).map(word).collect()
}

fn count(words: impl Iterator<Item = u64>) -> i64 {
    words.map(|w| i64::from(w.count_ones())).sum()
}

/// Products of all rows of two random ±1 matrices.
pub fn xnor_product(n: usize, stream: &mut Stream) -> Comparison {
    let (a, b) = (some(stream) * n, some(stream) * n);
    let (a, b) = (signs(a, stream), signs(b, stream));
    let float = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let bits = |a: &[f32], b: &[f32]| n as i64 - 2 * count(pack(a).into_iter().zip(pack(b)).map(|(x, y)| x ^ y));
    let pairs = a.chunks(n).flat_map(|a| b.chunks(n).map(move |b| (a, b)));
    Comparison::of(pairs.map(|(a, b)| (f64::from(float(a, b)), bits(a, b) as f64)))
}

/// Products of 8-bit pictures with ±1 weights: of the pixels p themselves, and of 2p − 255.
pub fn bit_planes(n: usize, stream: &mut Stream) -> Comparison {
    let (rows, columns) = (some(stream), some(stream));
    let p: Vec<u8> = (0..rows * n).map(|_| (256.0 * stream.uniform()) as u8).collect();
    let w = signs(columns * n, stream);
    let pairs = p.chunks(n).flat_map(|p| w.chunks(n).map(move |w| (p, w)));
    let both = pairs.flat_map(|(p, w)| {
        let packed = pack(w);
        let plane = |b: u32| {
            let bits = pack(&p.iter().map(|p| if p >> b & 1 == 1 { 1.0 } else { -1.0 }).collect::<Vec<_>>());
            (2 * count(bits.iter().zip(&packed).map(|(x, y)| x & y)) - count(bits.into_iter())) << b
        };
        let by_planes: i64 = (0..8).map(plane).sum();
        let sum = 2 * count(packed.iter().copied()) - n as i64;
        let dot = |f: fn(i64) -> i64| p.iter().zip(w).map(|(p, w)| f(i64::from(*p)) * *w as i64).sum::<i64>();
        [(dot(|p| p), by_planes), (dot(|p| 2 * p - 255), 2 * by_planes - 255 * sum)]
    });
    Comparison::of(both.map(|(a, b)| (a as f64, b as f64)))
}

/// sign(γ(a − μ)/√(σ² + ε) + β) for all a from −n to n, of neurons with random statistics, γ of both signs, and γ = 0 with
/// every sign of β.
pub fn threshold(n: usize, stream: &mut Stream) -> Comparison {
    const EPS: f32 = 1e-4;
    let spread = (n as f64).sqrt();
    let mut pairs = vec![];
    for neuron in 0..64 {
        let mut gamma = stream.normal() as f32;
        let mut beta = (0.5 * stream.normal()) as f32;
        if neuron < 3 {
            (gamma, beta) = (0.0, [-1.0, 0.0, 1.0][neuron]);
        }
        let mean = (0.5 * spread * stream.normal()) as f32;
        let variance = (spread * stream.normal()).powi(2) as f32;
        let scale = gamma / (variance + EPS).sqrt();
        let float = |a: i64| sign(scale * (a as f32 - mean) + beta);
        let n = n as i64;
        // Monotone in a: the first a at which the sign is that of the right end.
        let right = float(n);
        let (mut low, mut high) = (-n, n);
        while low < high {
            let middle = (low + high).div_euclid(2);
            if float(middle) == right { high = middle } else { low = middle + 1 }
        }
        pairs.extend((-n..=n).map(|a| (f64::from(float(a)), f64::from(if a >= low { right } else { -right }))));
    }
    Comparison::of(pairs.into_iter())
}
