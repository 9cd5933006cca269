use super::{Operation, Values, View};
use rayon::prelude::*;

/// Numbers that one thread works on at a time.
const CHUNK: usize = 1 << 14;

/// Applies a function to every number.
pub fn map(x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let chunks = out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
    chunks.for_each(|(out, x)| out.iter_mut().zip(x).for_each(|(o, x)| *o = f(*x)));
    out
}

/// Applies a function to every pair of numbers.
pub fn map2(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let chunks = out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(y.par_chunks(CHUNK));
    chunks.for_each(|((out, x), y)| out.iter_mut().zip(x).zip(y).for_each(|((o, x), y)| *o = f(*x, *y)));
    out
}

/// max(0, x).
#[derive(Debug, Clone, Copy)]
pub struct Relu;

impl Operation<1> for Relu {
    type Saved = ();

    fn forward(&self, [x]: [View; 1]) -> (Values, ()) {
        (Values { shape: x.shape, values: map(x.values, |x| if x > 0.0 { x } else { 0.0 }) }, ())
    }

    fn backward(&self, _: &(), [x]: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        [Some(map2(x.values, gradient.values, |x, g| if x > 0.0 { g } else { 0.0 }))]
    }
}
