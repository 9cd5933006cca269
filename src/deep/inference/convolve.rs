use super::depthwise::{Picture, depthwise_row, finish};
use super::{Activation, Convolution, Linear, Window};
use crate::deep::kernel::product;
use rayon::prelude::*;

/// Numbers that the rows of a task may hold: few enough for the second-level cache.
const BLOCK: usize = 1 << 16;

/// A convolution ready to run, with what is fused into it. A fully connected layer is one whose window is the picture.
#[derive(Debug, Clone)]
pub struct Convolve {
    shape: [usize; 3],
    output: [usize; 3],
    window: Window,
    groups: usize,
    /// `[tap][channel]` of a depthwise convolution, else `[group][tap, input channel][output channel]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
    limits: (f32, f32),
}

impl Convolve {
    pub fn new(c: &Convolution, shape: [usize; 3], output: [usize; 3]) -> Self {
        Self::packed((&c.weight, &c.bias), c.window, c.groups, shape, output)
    }

    pub fn linear(l: &Linear, shape: [usize; 3], output: [usize; 3]) -> Self {
        Self::packed((&l.weight, &l.bias), Window::whole([shape[1], shape[2]]), 1, shape, output)
    }

    fn packed(
        (weight, bias): (&[f32], &Option<Vec<f32>>),
        window: Window,
        groups: usize,
        shape: [usize; 3],
        output: [usize; 3],
    ) -> Self {
        let (inputs, outputs, taps) = (shape[0] / groups, output[0] / groups, window.size[0] * window.size[1]);
        let mut packed = vec![0.0; weight.len()];
        for (at, w) in weight.iter().enumerate() {
            let (o, i, tap) = (at / taps / inputs, at / taps % inputs, at % taps);
            let place = match inputs == 1 && outputs == 1 {
                true => tap * groups + o,
                false => ((o / outputs * taps + tap) * inputs + i) * outputs + o % outputs,
            };
            packed[place] = *w;
        }
        let bias = bias.clone().unwrap_or_else(|| vec![0.0; output[0]]);
        let limits = (f32::NEG_INFINITY, f32::INFINITY);
        Self { shape, output, window, groups, weight: packed, bias, limits }
    }

    pub fn fuse(&mut self, activation: Activation) {
        self.limits = activation.limits();
    }

    /// The outputs of pictures, channel last, on the threads of the current rayon pool; tasks are cut by shape alone.
    pub fn run(&self, x: &[f32], out: &mut [f32]) {
        let [channels, height, width] = self.shape;
        let [outputs, down, across] = self.output;
        let (low, high) = self.limits;
        let picture = |n: usize| {
            let size = channels * height * width;
            Picture { values: &x[n * size..][..size], height, width, channels }
        };
        if self.groups > 1 && self.groups == channels && outputs == channels {
            out.par_chunks_mut(across * outputs).enumerate().for_each(|(at, out)| {
                let finish = (&*self.bias, low, high);
                depthwise_row(picture(at / down), &self.window, at % down, &self.weight, finish, out);
            });
            return;
        }
        let [h, w] = self.window.size;
        let (inputs, part) = (channels / self.groups, outputs / self.groups);
        let taps = h * w * inputs;
        let positions = out.len() / outputs;
        let block = (BLOCK / taps.max(outputs)).clamp(8, positions.div_ceil(2).max(8));
        let direct = self.groups == 1 && self.is_direct();
        out.par_chunks_mut(block * outputs).enumerate().for_each_init(Vec::new, |patches, (at, out)| {
            let (first, rows) = (at * block, out.len() / outputs);
            for group in 0..self.groups {
                let weight = &self.weight[group * taps * part..][..taps * part];
                let a = if direct {
                    &x[first * taps..][..rows * taps]
                } else {
                    patches.clear();
                    let positions = (first..first + rows).map(|p| (p / (down * across), p % (down * across)));
                    positions.for_each(|(n, p)| self.patch(picture(n), group, [p / across, p % across], patches));
                    &patches[..]
                };
                product((rows, part, taps), (a, taps), (weight, part), (&mut out[group * part..], outputs));
            }
            finish(out, &self.bias, low, high);
        });
    }

    /// Whether what a window sees is a stretch of the input as it lies there.
    fn is_direct(&self) -> bool {
        let Window { size, stride, padding } = self.window;
        padding == [0; 4] && (size == [1, 1] && stride == 1 || size == self.shape[1..])
    }

    /// Appends what the window at an output position sees of a group's channels, zeros outside the picture.
    fn patch(&self, x: Picture, group: usize, [row, column]: [usize; 2], patch: &mut Vec<f32>) {
        let Window { size: [h, w], stride, padding: [top, _, left, _] } = self.window;
        let inputs = x.channels / self.groups;
        for i in 0..h {
            let y = (row * stride + i).wrapping_sub(top);
            let first = (column * stride).wrapping_sub(left);
            if self.groups == 1 && y < x.height && first < x.width && first + w <= x.width {
                patch.extend_from_slice(&x.values[(y * x.width + first) * inputs..][..w * inputs]);
                continue;
            }
            for j in 0..w {
                let column = (column * stride + j).wrapping_sub(left);
                match y < x.height && column < x.width {
                    true => {
                        let at = (y * x.width + column) * x.channels + group * inputs;
                        patch.extend_from_slice(&x.values[at..at + inputs]);
                    }
                    false => patch.resize(patch.len() + inputs, 0.0),
                }
            }
        }
    }
}
