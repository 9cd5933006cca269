use super::correlate::{BLOCK, LANES, Stack, correlate, correlate_weights};
use super::planes::Planes;
use super::{Operation, Values, View};
use rayon::prelude::*;

/// Pictures whose weight gradients are summed one after the other: the order of the sum does not depend on the threads.
const GROUP: usize = 8;
/// Positions of pictures that are passed together for the weights' gradient.
const POSITIONS: usize = 1024;

/// Convolution (cross-correlation) of `[N, C, H, W]` with weights `[O, C, k, k]`, zero-padded.
#[derive(Debug, Clone, Copy)]
pub struct Convolution {
    /// Step between positions.
    pub stride: usize,
    /// Zeros on every side.
    pub padding: usize,
}

impl Convolution {
    fn planes(&self, x: View, w: View) -> Planes {
        let [_, c, h, width] = x.shape;
        Planes::new([c, h, width], [w.shape[2], self.stride, self.padding])
    }
}

/// The weights of each block of eight rows, tap by tap. `weight(o, t)` gives row o, tap t.
fn panels(rows: usize, taps: usize, weight: impl Fn(usize, usize) -> f32) -> Vec<Vec<[f32; BLOCK]>> {
    let entry = |o: usize, t: usize| if o < rows { weight(o, t) } else { 0.0 };
    let block = |b: usize| (0..taps).map(|t| std::array::from_fn(|o| entry(b * BLOCK + o, t))).collect();
    (0..rows.div_ceil(BLOCK)).map(block).collect()
}

impl Operation<2> for Convolution {
    type Saved = ();

    fn forward(&self, [x, w]: [View; 2]) -> (Values, ()) {
        let planes = self.planes(x, w);
        let ([n, ..], [outputs, ..], [oh, ow]) = (x.shape, w.shape, planes.output);
        let offsets = planes.offsets();
        let panels = panels(outputs, offsets.len(), |o, t| w.values[o * offsets.len() + t]);
        let (size, picture) = (oh * ow, x.values.len() / n.max(1));
        let mut out = vec![0.0; n * outputs * size];
        let scratch = || (vec![0.0; planes.size()], vec![0.0; BLOCK * planes.length]);
        let one = |(input, sums): &mut (Vec<f32>, Vec<f32>), (out, x): (&mut [f32], &[f32])| {
            planes.split(x, input);
            for (out, panel) in out.chunks_mut(BLOCK * size).zip(&panels) {
                correlate(input, &offsets, panel, sums, planes.length);
                for (out, sums) in out.chunks_exact_mut(size).zip(sums.chunks_exact(planes.length)) {
                    let rows = out.chunks_exact_mut(ow).zip(sums.chunks(planes.row));
                    rows.for_each(|(out, sums)| out.copy_from_slice(&sums[..ow]));
                }
            }
        };
        out.par_chunks_mut(outputs * size).zip(x.values.par_chunks(picture)).for_each_init(scratch, one);
        (Values { shape: [n, outputs, oh, ow], values: out }, ())
    }

    fn backward(&self, _: &(), [x, w]: [View; 2], gradient: View, needed: [bool; 2]) -> [Option<Vec<f32>>; 2] {
        let planes = self.planes(x, w);
        let ([n, channels, ..], [outputs, ..], [oh, ow]) = (x.shape, w.shape, planes.output);
        let (offsets, [k, ..]) = (planes.offsets(), planes.geometry);
        let margin = planes.shift(k - 1, k - 1);
        let width = planes.plane.next_multiple_of(LANES);
        let stride = margin + width.max(planes.length);
        // Of each phase: the taps (o, ky, kx) that read it, as offsets into the rows of gradients, and their weights.
        let phase = |phase: usize| {
            let taps: Vec<usize> = (0..k * k).filter(|t| planes.phase(t / k, t % k) == phase).collect();
            let read: Vec<(usize, usize)> = (0..outputs).flat_map(|o| taps.iter().map(move |t| (o, *t))).collect();
            let offset = |(o, t): &(usize, usize)| o * stride + margin - planes.shift(t / k, t % k);
            let weight = |c: usize, i: usize| w.values[(read[i].0 * channels + c) * k * k + read[i].1];
            (read.iter().map(offset).collect::<Vec<_>>(), panels(channels, read.len(), weight))
        };
        let phases: Vec<_> = if needed[0] { (0..planes.phases()).map(phase).collect() } else { vec![] };

        let (picture, size) = (x.values.len() / n.max(1), outputs * oh * ow);
        let group = |(x, (gradient, dx)): (&[f32], (&[f32], &mut [f32]))| {
            let mut dw = vec![0.0; w.values.len()];
            let together = (POSITIONS / planes.length).clamp(1, GROUP);
            let (reach, size_of_rows) = (planes.size(), outputs * stride + width);
            let (mut input, mut rows) = (vec![0.0; together * reach], vec![0.0; together * size_of_rows]);
            let (mut split, mut sums) = (vec![0.0; reach], vec![0.0; BLOCK * width]);
            for (i, (x, gradient)) in x.chunks(together * picture).zip(gradient.chunks(together * size)).enumerate() {
                for (rows, gradient) in rows.chunks_mut(size_of_rows).zip(gradient.chunks(size)) {
                    for (row, gradient) in rows.chunks_mut(stride).zip(gradient.chunks(oh * ow)) {
                        let lines = row[margin..].chunks_mut(planes.row).zip(gradient.chunks(ow));
                        lines.for_each(|(row, gradient)| row[..ow].copy_from_slice(gradient));
                    }
                }
                if needed[1] {
                    let pictures = x.chunks(picture).zip(input.chunks_mut(reach));
                    let pictures = pictures.map(|(x, input)| planes.split(x, input)).count();
                    let rows = Stack { values: &rows[margin..], stride: size_of_rows };
                    let input = Stack { values: &input, stride: reach };
                    correlate_weights((rows, stride, planes.length), (input, &offsets), pictures, &mut dw);
                }
                if needed[0] {
                    let dx = dx[i * together * picture..].chunks_mut(picture);
                    for (rows, dx) in rows.chunks(size_of_rows).zip(dx).take(together) {
                        for (phase, (offsets, panels)) in phases.iter().enumerate() {
                            for (block, panel) in panels.iter().enumerate() {
                                correlate(rows, offsets, panel, &mut sums, width);
                                for (c, sums) in (block * BLOCK..channels).zip(sums.chunks_exact(width)) {
                                    let at = (c * planes.phases() + phase) * planes.plane;
                                    split[at..at + planes.plane].copy_from_slice(&sums[..planes.plane]);
                                }
                            }
                        }
                        planes.join(&split, dx);
                    }
                }
            }
            dw
        };
        let mut dx = vec![0.0; if needed[0] { x.values.len() } else { n }];
        let per_picture = if needed[0] { picture } else { 1 };
        let parts = gradient.values.par_chunks(GROUP * size).zip(dx.par_chunks_mut(GROUP * per_picture));
        let groups: Vec<Vec<f32>> = x.values.par_chunks(GROUP * picture).zip(parts).map(group).collect();
        let mut dw = vec![0.0; w.values.len()];
        groups.iter().for_each(|g| dw.iter_mut().zip(g).for_each(|(sum, part)| *sum += part));
        [needed[0].then_some(dx), needed[1].then_some(dw)]
    }
}
