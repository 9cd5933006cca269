use crate::deep::inference::{Graph, Layer, Program, Window};
use crate::deep::kernel::product;
use crate::error::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Pictures that go through a layer together.
const BATCH: usize = 16;

/// Second moments of what the filters of every weighted layer read: of each group a d × d matrix, d weights a filter.
#[derive(Debug, Clone, Default)]
pub struct Moments(BTreeMap<String, Vec<Vec<f64>>>);

impl Moments {
    /// Sums over all windows of a batch of inputs.
    ///
    /// # Errors
    /// Layers that do not fit one another, or inputs that are no whole number of pictures.
    pub fn new(graph: &Graph, inputs: &[f32]) -> Result<Self> {
        graph.output()?;
        let mut moments = Self::default();
        for batch in inputs.chunks(BATCH * graph.input.iter().product::<usize>()) {
            moments.through(&graph.layers, graph.input, batch.to_vec())?;
        }
        Ok(moments)
    }

    /// Those of a layer, group by group.
    pub fn of(&self, layer: &str) -> Option<&[Vec<f64>]> {
        self.0.get(layer).map(Vec::as_slice)
    }

    /// Adds those of pictures, and gives what the layers make of them.
    fn through(&mut self, layers: &[Layer], mut shape: [usize; 3], mut x: Vec<f32>) -> Result<Vec<f32>> {
        for layer in layers {
            match layer {
                Layer::Convolution(c) => self.add(&c.name, &x, shape, c.window, c.groups)?,
                Layer::Linear(l) => self.add(&l.name, &x, shape, Window::whole([shape[1], shape[2]]), 1)?,
                _ => {}
            }
            x = if let Layer::Residual { body, shortcut, .. } = layer {
                let mut sum = self.through(body, shape, x.clone())?;
                let other = self.through(shortcut, shape, x)?;
                sum.iter_mut().zip(other).for_each(|(a, b)| *a += b);
                sum
            } else {
                Program::new(&Graph { input: shape, layers: vec![layer.clone()] })?.run(&x)?
            };
            shape = layer.output(shape)?;
        }
        Ok(x)
    }

    fn add(&mut self, name: &str, x: &[f32], shape: [usize; 3], window: Window, groups: usize) -> Result<()> {
        let ([channels, height, width], count) = (shape, window.count([shape[1], shape[2]])?);
        let (part, taps) = (channels / groups * height * width, window.size[0] * window.size[1]);
        let d = channels / groups * taps;
        let all = self.0.entry(name.into()).or_insert_with(|| vec![vec![0.0; d * d]; groups]);
        all.par_iter_mut().enumerate().for_each(|(g, sum)| {
            let group = |picture: &[f32]| {
                let (rows, columns) = windows(&picture[g * part..][..part], [height, width], window, count);
                let positions = count[0] * count[1];
                let mut gram = vec![0.0; d * d];
                product((d, d, positions), (&rows, positions), (&columns, d), (&mut gram, d));
                gram
            };
            // Side by side where there is one group; added in order, so that the sums are the same at any number of threads.
            let grams: Vec<Vec<f32>> = x.par_chunks(channels * height * width).map(group).collect();
            grams.iter().for_each(|gram| sum.iter_mut().zip(gram).for_each(|(sum, x)| *sum += f64::from(*x)));
        });
        Ok(())
    }
}

/// Every window of a part of a picture's channels: a row for each weight of a filter, and the transpose.
fn windows(x: &[f32], [height, width]: [usize; 2], window: Window, count: [usize; 2]) -> (Vec<f32>, Vec<f32>) {
    let Window { size: [h, w], stride, padding: [top, _, left, _] } = window;
    let (d, positions) = (x.len() / (height * width) * h * w, count[0] * count[1]);
    let (mut rows, mut columns) = (vec![0.0; d * positions], vec![0.0; d * positions]);
    for at in 0..d {
        let (plane, tap) = (&x[at / (h * w) * height * width..][..height * width], at % (h * w));
        for position in 0..positions {
            let y = (position / count[1] * stride + tap / w).wrapping_sub(top);
            let x = (position % count[1] * stride + tap % w).wrapping_sub(left);
            if y < height && x < width {
                rows[at * positions + position] = plane[y * width + x];
                columns[position * d + at] = plane[y * width + x];
            }
        }
    }
    (rows, columns)
}
