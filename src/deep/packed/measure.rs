//! How fast a whole network is: packed, and in f32 over a real sgemm and over the triple loop.

use super::{Affine, Connection, PackedNetwork, TrainedLayer};
use crate::deep::kernel::Instructions;
use crate::deep::kernel::measure::{Method, Timing, take_turns};
use crate::deep::kernel::reference::{naive, sgemm};
use crate::deep::quantize::sign;
use crate::error::{InputError, Result};
use crate::math::random::Stream;
use crate::math::sums::largest;
use rayon::prelude::*;
use std::hint::black_box;

/// Pictures that go through the f32 layers together.
const CHUNK: usize = 512;

/// A layer of ±1 in f32.
struct Dense {
    inputs: usize,
    weight: Vec<f32>,
    transposed: Vec<f32>,
    affine: Affine,
}

impl Dense {
    fn new(weight: Vec<f32>, affine: Affine) -> Self {
        let outputs = affine.scale.len();
        let inputs = weight.len() / outputs;
        let transposed = (0..weight.len()).map(|at| weight[at % outputs * inputs + at / outputs]).collect();
        Self { inputs, weight, transposed, affine }
    }

    fn random(stream: &mut Stream, inputs: usize, outputs: usize) -> Self {
        let weight = (0..outputs * inputs).map(|_| stream.sign() as f32).collect();
        let mut normals = |scale: f64| (0..outputs).map(|_| (scale * stream.normal()) as f32).collect();
        let affine = Affine { scale: normals(1.0), mean: normals((inputs as f64).sqrt()), shift: normals(1.0) };
        Self::new(weight, affine)
    }

    fn trained(&self) -> TrainedLayer<'_> {
        let outputs = self.affine.scale.len();
        TrainedLayer { connection: Connection::Dense, outputs, weight: &self.weight, affine: self.affine.clone() }
    }

    /// Its outputs for a batch, by the triple loop or by sgemm, and their signs unless it is the last layer.
    fn forward(&self, x: &[f32], by_definition: bool, last: bool) -> Vec<f32> {
        let (outputs, batch) = (self.affine.scale.len(), x.len() / self.inputs);
        let mut y = vec![0.0; batch * outputs];
        match by_definition {
            true => naive(outputs, self.inputs, x, &self.transposed, &mut y),
            false => sgemm(batch, outputs, self.inputs, x, &self.weight, &mut y),
        }
        let Affine { scale, mean, shift } = &self.affine;
        y.par_chunks_mut(outputs).for_each(|y| {
            for c in 0..outputs {
                let value = scale[c] * (y[c] - mean[c]) + shift[c];
                y[c] = if last { value } else { sign(value) };
            }
        });
        y
    }
}

fn forward(layers: &[Dense], pixels: &[u8], by_definition: bool) -> Vec<f32> {
    let through = |pixels: &[u8]| {
        let inputs = pixels.par_iter().map(|p| 2.0 * f32::from(*p) - 255.0).collect();
        let layer = |x: Vec<f32>, (i, layer): (usize, &Dense)| layer.forward(&x, by_definition, i + 1 == layers.len());
        layers.iter().enumerate().fold(inputs, layer)
    };
    pixels.chunks(CHUNK * layers[0].inputs).flat_map(through).collect()
}

/// A fully connected network of ±1 with these widths, inputs and classes included, on so many pictures of bytes: in f32 by
/// the triple loop (one picture, scaled) and by the `gemm` crate's sgemm, batch normalisation and signs included, and
/// packed, everything from the bytes on included.
///
/// # Errors
/// Sizes that cannot be measured, or that many threads cannot be started.
pub fn mlp(widths: &[usize], pictures: usize, threads: usize, seconds: f64) -> Result<Vec<Timing>> {
    if !(1..=100_000).contains(&pictures) {
        return Err(InputError::value("pictures", pictures, "1 to 100000", "Choose a number in that range."));
    }
    let mut stream = Stream::new(0, &["bench", "mlp"]);
    let layers: Vec<Dense> = widths.windows(2).map(|w| Dense::random(&mut stream, w[0], w[1])).collect();
    let pixels: Vec<u8> = (0..pictures * widths[0]).map(|_| (256.0 * stream.uniform()) as u8).collect();
    race(&layers, &pack(&layers)?, &pixels, threads, seconds)
}

/// The same of a trained network on its test pictures, and the error by each method, in the order of the timings.
///
/// # Errors
/// As [`mlp`]; layers that are not dense.
pub fn trained(
    layers: &[TrainedLayer],
    pixels: &[u8],
    labels: &[u8],
    threads: usize,
    seconds: f64,
) -> Result<(Vec<Timing>, [f64; 3])> {
    if layers.iter().any(|l| l.connection != Connection::Dense) {
        return Err(InputError::value(
            "run.model",
            "convolutional",
            "an mlp",
            "Choose network.architecture = \"mlp\".",
        ));
    }
    let signs = |l: &TrainedLayer| Dense::new(l.weight.iter().map(|w| sign(*w)).collect(), l.affine.clone());
    let layers: Vec<Dense> = layers.iter().map(signs).collect();
    let packed = pack(&layers)?;
    let timings = race(&layers, &packed, pixels, threads, seconds)?;
    let [naive, sgemm] = [true, false].map(|by_definition| forward(&layers, pixels, by_definition));
    let scores = [naive, sgemm, packed.scores(Instructions::best(), pixels)?];
    let wrong = |scores: &Vec<f32>| {
        let classes = scores.chunks_exact(scores.len() / labels.len()).map(largest);
        classes.zip(labels).filter(|(class, label)| *class != usize::from(**label)).count()
    };
    Ok((timings, scores.each_ref().map(|s| wrong(s) as f64 / labels.len() as f64)))
}

fn pack(layers: &[Dense]) -> Result<PackedNetwork> {
    let trained: Vec<_> = layers.iter().map(Dense::trained).collect();
    PackedNetwork::new([1, 1, layers.first().map_or(0, |l| l.inputs)], &trained)
}

fn race(layers: &[Dense], packed: &PackedNetwork, pixels: &[u8], threads: usize, seconds: f64) -> Result<Vec<Timing>> {
    let with = Instructions::best();
    if packed.scores(with, pixels)? != forward(layers, pixels, false) {
        return Err(InputError::new("packed and f32 scores differ: this is a bug, please report it"));
    }
    let pictures = pixels.len() / layers[0].inputs;
    let methods: Vec<Method<'_>> = vec![
        (
            "triple loop, f32",
            pictures as f64,
            Box::new(|| drop(black_box(forward(layers, &pixels[..layers[0].inputs], true)))),
        ),
        ("sgemm", 1.0, Box::new(|| drop(black_box(forward(layers, pixels, false))))),
        ("XNOR", 1.0, Box::new(|| drop(black_box(packed.scores(with, pixels))))),
    ];
    take_turns(threads, seconds, methods)
}
