//! The one seeded generator. Streams are named, so that methods compared share their data.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};

/// A ChaCha8 stream derived from a root seed and named axes, e.g. `Stream::new(7, &["data", "rep=3"])`.
///
/// The key is the BLAKE3 hash of the seed and the names: adding an axis elsewhere never moves this stream.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of these axes.
    pub fn new(seed: u64, axes: &[&str]) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(&seed.to_le_bytes());
        for axis in axes {
            hash.update(&(axis.len() as u64).to_le_bytes());
            hash.update(axis.as_bytes());
        }
        Self(ChaCha8Rng::from_seed(*hash.finalize().as_bytes()))
    }

    /// The seed of a further stream, named by the same kind of axes.
    pub fn seed(seed: u64, axes: &[&str]) -> u64 {
        Self::new(seed, axes).0.next_u64()
    }

    /// One standard normal number.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// `n` standard normal numbers.
    pub fn normals(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }

    /// A number uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        // 53 random bits: every value is exact.
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// −1 or +1, each with probability one half.
    pub fn sign(&mut self) -> f64 {
        if self.0.next_u64() & 1 == 0 { 1.0 } else { -1.0 }
    }

    /// The numbers 0…n−1 in random order (Fisher–Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut p: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            if let Ok(d) = Uniform::new_inclusive(0, i) {
                p.swap(i, d.sample(&mut self.0));
            }
        }
        p
    }
}
