use super::Shape;
use super::depthwise::sum_channels;
use crate::deep::kernel::int8::{Instructions, Weights, multiply_block};
use crate::deep::quantize::Affine;
use crate::error::{InputError, Result};
use multiversion::multiversion;
use rayon::prelude::*;

/// Output pixels of one task, at most: few enough for the second-level cache.
const BLOCK: usize = 128;

/// A convolution or a fully connected layer on integers.
///
/// ```
/// use implicit_bias::deep::{integer::{Layer, Shape, quantize}, kernel::int8::Instructions, quantize::Affine};
///
/// let (input, output) = (Affine::of_range(-1.0, 1.0, 8), Affine::of_range(0.0, 1.0, 8));
/// let layer = Layer::new(Shape::linear(2, 1), input, &[64, -32], &[1.0 / 64.0], &[0.25])?;
/// let x = quantize(&[0.5, 0.25], input);
/// let y = layer.floats(Instructions::best(), &x)[0]; // about 0.5 − 0.25/2 + 0.25
/// assert!((y - 0.625).abs() < 0.01);
/// assert_eq!(layer.bytes(Instructions::best(), &x, output), [output.quantize(y) as u8]);
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Layer {
    shape: Shape,
    zero_point: i32,
    weights: Packed,
    /// B of each filter, and, where inputs are multiplied as they are, − z Σ w.
    offsets: Vec<i32>,
    /// s s_f, exact.
    scales: Vec<f64>,
}

#[derive(Debug, Clone)]
enum Packed {
    /// Tap by tap, channel by channel.
    Depthwise(Vec<i8>),
    /// Of each group, a row a filter: tap by tap, channel by channel.
    Groups(Vec<Weights>),
}

/// What one task works with.
#[derive(Default)]
struct Scratch {
    patches: Vec<u8>,
    packed: Vec<u32>,
    part: Vec<i32>,
    sums: Vec<i32>,
    taps: Vec<(usize, usize)>,
}

impl Layer {
    /// `weights` in the order filter, channel of its group, row, column, with a scale and a bias for each filter.
    ///
    /// # Errors
    /// Sizes that do not fit together, an input of more than eight bits, a scale that is not positive, or a filter whose
    /// sums might not fit into 32 bits.
    pub fn new(shape: Shape, input: Affine, weights: &[i8], scales: &[f32], bias: &[f32]) -> Result<Self> {
        shape.check()?;
        let (taps, filters) = (shape.taps(), shape.filters);
        let lengths = [("weights", weights.len(), filters * taps), ("scales", scales.len(), filters)];
        for (field, length, expected) in lengths.into_iter().chain([("bias", bias.len(), filters)]) {
            if length != expected {
                let field = format!("{field} (their number)");
                return Err(InputError::value(&field, length, &expected.to_string(), "Give what the shape says."));
            }
        }
        if input.bits > 8 || !(0..=input.top()).contains(&input.zero_point) {
            let found = format!("{} bits with zero point {}", input.bits, input.zero_point);
            return Err(InputError::value(
                "input",
                found,
                "at most 8 bits, with a zero point among them",
                "Inputs are bytes.",
            ));
        }
        let products = scales.iter().map(|s| f64::from(input.scale) * f64::from(*s)).collect::<Vec<_>>();
        let mut offsets = Vec::with_capacity(filters);
        for (f, (weights, (scale, bias))) in weights.chunks_exact(taps).zip(products.iter().zip(bias)).enumerate() {
            let bias = (f64::from(*bias) / scale).round_ties_even();
            let largest = weights.iter().map(|w| 2.0 * 255.0 * f64::from(*w).abs()).sum::<f64>() + bias.abs();
            if !(scale.is_normal() && *scale > 0.0 && largest <= f64::from(i32::MAX)) {
                return Err(InputError::new(format!(
                    "filter {f} with scale {} and bias {bias} steps may reach sums beyond 32 bits, or has no scale. \
                     Give it a larger, positive scale, or leave this layer in floats",
                    scales[f]
                )));
            }
            let sum: i32 = weights.iter().map(|w| i32::from(*w)).sum();
            offsets.push(bias as i32 - if shape.is_depthwise() { 0 } else { input.zero_point * sum });
        }
        let (places, inputs) = (shape.kernel[0] * shape.kernel[1], shape.channels / shape.groups);
        let packed = if shape.is_depthwise() {
            Packed::Depthwise((0..filters * places).map(|at| weights[at % filters * places + at / filters]).collect())
        } else {
            let last = |at: usize| at / taps * taps + at % inputs * places + at % taps / inputs;
            let last: Vec<i8> = (0..weights.len()).map(|at| weights[last(at)]).collect();
            let part = filters / shape.groups;
            Packed::Groups(last.chunks_exact(part * taps).map(|group| Weights::new(part, taps, group)).collect())
        };
        Ok(Self { shape, zero_point: input.zero_point, weights: packed, offsets, scales: products })
    }

    /// Its sizes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Σ (q − z) w + B, (picture, row, column, filter), of pictures of bytes, channel last.
    ///
    /// Output pixels are shared among the threads of the current rayon pool. The result is the same on every set of
    /// instructions and any number of threads.
    ///
    /// # Panics
    /// If `x` is no whole number of pictures; also the following ones.
    pub fn integers(&self, with: Instructions, x: &[u8]) -> Vec<i32> {
        self.run(with, x, |sums, out| out.copy_from_slice(sums))
    }

    /// What the integers stand for: times s s_f, rounded to f32.
    pub fn floats(&self, with: Instructions, x: &[u8]) -> Vec<f32> {
        self.run(with, x, |sums, out| scale(sums, &self.scales, out))
    }

    /// The floats, quantised for the next layer; a quantiser of range 0 to 6 is a ReLU6.
    ///
    /// # Panics
    /// If it has more than eight bits.
    pub fn bytes(&self, with: Instructions, x: &[u8], output: Affine) -> Vec<u8> {
        assert!(output.bits <= 8, "a byte has eight bits");
        self.run(with, x, |sums, out| requantize(sums, &self.scales, output, out))
    }

    /// The sums of a few output pixels at a time, written by `write` to their place in the output.
    fn run<T: Copy + Default + Send>(
        &self,
        with: Instructions,
        x: &[u8],
        write: impl Fn(&[i32], &mut [T]) + Sync,
    ) -> Vec<T> {
        let (Shape { channels, size, filters, .. }, [down, across]) = (self.shape, self.shape.output());
        let picture = channels * size[0] * size[1];
        assert!(x.len().is_multiple_of(picture), "the input is no whole number of pictures");
        let pixels = x.len() / picture * down * across;
        let block = BLOCK.min(pixels.div_ceil(rayon::current_num_threads())).max(1);
        let mut out = vec![T::default(); pixels * filters];
        out.par_chunks_mut(block * filters).enumerate().for_each_init(Scratch::default, |scratch, (t, out)| {
            scratch.sums.resize(out.len(), 0);
            self.sum(with, x, t * block, scratch);
            for sums in scratch.sums.chunks_exact_mut(filters) {
                sums.iter_mut().zip(&self.offsets).for_each(|(sum, offset)| *sum += offset);
            }
            write(&scratch.sums, out);
        });
        out
    }

    /// The sums, without offsets, of output pixels from `first` on.
    fn sum(&self, with: Instructions, x: &[u8], first: usize, scratch: &mut Scratch) {
        let Scratch { patches, packed, part, sums, taps } = scratch;
        let (channels, filters) = (self.shape.channels, self.shape.filters);
        let rows = sums.len() / filters;
        match &self.weights {
            Packed::Depthwise(weights) => {
                for (pixel, sums) in sums.chunks_exact_mut(channels).enumerate() {
                    taps.clear();
                    let sources = self.shape.pixels(first + pixel).enumerate();
                    taps.extend(sources.filter_map(|(t, source)| Some((source? * channels, t * channels))));
                    sum_channels(x, self.zero_point as i16, weights, taps, sums);
                }
            }
            Packed::Groups(groups) if self.shape.is_direct() => {
                multiply_block(with, &x[first * channels..][..rows * channels], &groups[0], sums, packed);
            }
            Packed::Groups(groups) => {
                let inputs = channels / groups.len();
                for (g, weights) in groups.iter().enumerate() {
                    patches.clear();
                    for source in (first..first + rows).flat_map(|pixel| self.shape.pixels(pixel)) {
                        match source {
                            Some(pixel) => patches.extend(&x[pixel * channels + g * inputs..][..inputs]),
                            None => patches.resize(patches.len() + inputs, self.zero_point as u8),
                        }
                    }
                    part.resize(rows * weights.rows(), 0);
                    multiply_block(with, patches, weights, part, packed);
                    for (sums, part) in sums.chunks_exact_mut(filters).zip(part.chunks_exact(weights.rows())) {
                        sums[g * weights.rows()..][..weights.rows()].copy_from_slice(part);
                    }
                }
            }
        }
    }
}

/// i · s s_f, both exact in f64, rounded there and then to f32.
#[inline(always)]
fn value(integer: i32, scale: f64) -> f32 {
    (f64::from(integer) * scale) as f32
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn scale(sums: &[i32], scales: &[f64], out: &mut [f32]) {
    for (sums, out) in sums.chunks_exact(scales.len()).zip(out.chunks_exact_mut(scales.len())) {
        out.iter_mut().zip(sums.iter().zip(scales)).for_each(|(out, (sum, scale))| *out = value(*sum, *scale));
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn requantize(sums: &[i32], scales: &[f64], output: Affine, out: &mut [u8]) {
    for (sums, out) in sums.chunks_exact(scales.len()).zip(out.chunks_exact_mut(scales.len())) {
        let values = sums.iter().zip(scales).map(|(sum, scale)| value(*sum, *scale));
        out.iter_mut().zip(values).for_each(|(out, value)| *out = output.quantize(value) as u8);
    }
}
