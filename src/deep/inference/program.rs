use super::convolve::Convolve;
use super::depthwise::finish;
use super::{Activation, Graph, Layer, Window};
use crate::error::{InputError, Result};
use rayon::prelude::*;
use std::sync::{Arc, Mutex};

/// Where activations may be quantised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The layer's name; `input` for the pictures.
    pub name: String,
    /// Channels: value i is of channel i mod `channels`.
    pub channels: usize,
    /// What was computed there.
    pub kind: SiteKind,
    /// The rectifier that is already applied.
    pub activation: Option<Activation>,
}

/// What was computed at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteKind {
    /// The pictures.
    Input,
    /// A convolution or a fully connected layer.
    Weighted,
    /// A batch normalisation or an activation that could not be fused.
    Pointwise,
    /// The sum of two branches.
    Sum,
    /// The means of the channels.
    Pooled,
}

/// A graph with its weights in the order of computation, and activations fused into the layers before them.
#[derive(Debug, Clone)]
pub struct Program {
    input: Site,
    shape: [usize; 3],
    output: [usize; 3],
    steps: Vec<Step>,
    spare: Spare,
}

/// A step, the numbers that it gives for a picture, and the site it ends at.
#[derive(Debug, Clone)]
struct Step {
    run: Run,
    size: usize,
    site: Option<Site>,
}

#[derive(Debug, Clone)]
enum Run {
    Convolve(Convolve),
    Affine { scale: Vec<f32>, shift: Vec<f32>, limits: (f32, f32) },
    MaxPool { window: Window, shape: [usize; 3], output: [usize; 3] },
    Average { positions: usize },
    Sum { body: Vec<Step>, shortcut: Vec<Step>, limits: (f32, f32) },
}

const OPEN: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

impl Program {
    /// Prepares a graph; fold its batch normalisations first to have them fused.
    ///
    /// # Errors
    /// Layers that do not fit one another.
    pub fn new(graph: &Graph) -> Result<Self> {
        Self::prepare(graph, true)
    }

    /// The same with every activation a step of its own, so that the sites before show what enters it.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn unfused(graph: &Graph) -> Result<Self> {
        Self::prepare(graph, false)
    }

    fn prepare(graph: &Graph, fuse: bool) -> Result<Self> {
        let output = graph.output()?;
        let input = Site { name: "input".into(), channels: graph.input[0], kind: SiteKind::Input, activation: None };
        Ok(Self {
            input,
            shape: graph.input,
            output,
            steps: steps(&graph.layers, graph.input, fuse)?,
            spare: Spare::default(),
        })
    }

    /// The sites in the order in which [`Self::run`] passes them.
    pub fn sites(&self) -> Vec<&Site> {
        let mut found = vec![&self.input];
        collect(&self.steps, &mut found);
        found
    }

    /// Numbers of an output.
    pub fn outputs(&self) -> usize {
        self.output.iter().product()
    }

    /// The outputs for a batch of inputs, picture by picture as (channel, row, column), one row a picture.
    ///
    /// # Errors
    /// As [`Self::run_with`].
    pub fn run(&self, inputs: &[f32]) -> Result<Vec<f32>> {
        self.run_with(inputs, &mut |_, _| {})
    }

    /// The same, showing `hook` the activations of the batch at each site, which it may replace. They are stored picture by
    /// picture as (row, column, channel).
    ///
    /// # Errors
    /// If the inputs are no whole number of pictures.
    pub fn run_with(&self, inputs: &[f32], hook: &mut dyn FnMut(&Site, &mut [f32])) -> Result<Vec<f32>> {
        let size = self.shape.iter().product::<usize>();
        if !inputs.len().is_multiple_of(size) {
            let allowed = format!("a multiple of {size}, {:?} each", self.shape);
            return Err(InputError::value("inputs", inputs.len(), &allowed, "Give it pictures of its own shape."));
        }
        let mut x = self.spare.take(inputs.len());
        inputs.chunks(size).zip(x.chunks_mut(size)).for_each(|(p, x)| transpose(p, self.shape[0], x));
        hook(&self.input, &mut x);
        let x = through(&self.steps, x, inputs.len() / size, hook, &self.spare);
        let [channels, down, across] = self.output;
        Ok(match down * across {
            1 => x,
            positions => {
                let mut out = vec![0.0; x.len()];
                let size = channels * positions;
                x.chunks(size).zip(out.chunks_mut(size)).for_each(|(p, out)| transpose(p, positions, out));
                out
            }
        })
    }
}

/// The transpose of a matrix of so many rows.
pub(in crate::deep) fn transpose(matrix: &[f32], rows: usize, out: &mut [f32]) {
    for (i, row) in matrix.chunks_exact(matrix.len() / rows).enumerate() {
        row.iter().zip(out.chunks_exact_mut(rows)).for_each(|(value, out)| out[i] = *value);
    }
}

fn collect<'a>(steps: &'a [Step], found: &mut Vec<&'a Site>) {
    for step in steps {
        if let Run::Sum { body, shortcut, .. } = &step.run {
            collect(body, found);
            collect(shortcut, found);
        }
        found.extend(&step.site);
    }
}

fn steps(layers: &[Layer], mut shape: [usize; 3], fuse: bool) -> Result<Vec<Step>> {
    let mut made: Vec<Step> = vec![];
    for layer in layers {
        let output = layer.output(shape)?;
        if let (Layer::Activation(a), Some(last)) = (layer, made.last_mut())
            && fuse
            && last.fuse(*a)
        {
            continue;
        }
        let (run, kind) = match layer {
            Layer::Convolution(c) => (Run::Convolve(Convolve::new(c, shape, output)), Some(SiteKind::Weighted)),
            Layer::Linear(l) => (Run::Convolve(Convolve::linear(l, shape, output)), Some(SiteKind::Weighted)),
            Layer::BatchNorm(norm) => {
                let (scale, shift) = norm.affine().into_iter().unzip();
                (Run::Affine { scale, shift, limits: OPEN }, Some(SiteKind::Pointwise))
            }
            Layer::Activation(a) => {
                let (scale, shift) = (vec![1.0; shape[0]], vec![0.0; shape[0]]);
                (Run::Affine { scale, shift, limits: a.limits() }, Some(SiteKind::Pointwise))
            }
            Layer::MaxPool(window) => (Run::MaxPool { window: *window, shape, output }, None),
            Layer::GlobalAveragePool => (Run::Average { positions: shape[1] * shape[2] }, Some(SiteKind::Pooled)),
            Layer::Residual { body, shortcut, .. } => {
                let (body, shortcut) = (steps(body, shape, fuse)?, steps(shortcut, shape, fuse)?);
                (Run::Sum { body, shortcut, limits: OPEN }, Some(SiteKind::Sum))
            }
        };
        let activation = if let Layer::Activation(a) = layer { Some(*a) } else { None };
        let site = kind.map(|kind| Site { name: layer.name().into(), channels: output[0], kind, activation });
        made.push(Step { run, size: output.iter().product(), site });
        shape = output;
    }
    Ok(made)
}

impl Step {
    /// Takes over the activation that follows, if it can.
    fn fuse(&mut self, activation: Activation) -> bool {
        let Some(site) = self.site.as_mut().filter(|s| s.activation.is_none()) else { return false };
        match &mut self.run {
            Run::Convolve(c) => c.fuse(activation),
            Run::Affine { limits, .. } | Run::Sum { limits, .. } => *limits = activation.limits(),
            Run::MaxPool { .. } | Run::Average { .. } => return false,
        }
        site.activation = Some(activation);
        true
    }
}

/// Buffers that are used again, which saves having the system clear fresh pages.
#[derive(Debug, Clone, Default)]
struct Spare(Arc<Mutex<Vec<Vec<f32>>>>);

impl Spare {
    /// So many numbers, of any value.
    fn take(&self, count: usize) -> Vec<f32> {
        let mut buffer = self.0.lock().ok().and_then(|mut s| s.pop()).unwrap_or_default();
        buffer.resize(count, 0.0);
        buffer
    }

    fn keep(&self, buffer: Vec<f32>) {
        if let Ok(mut spare) = self.0.lock() {
            spare.push(buffer);
        }
    }
}

fn through(
    steps: &[Step],
    mut x: Vec<f32>,
    pictures: usize,
    hook: &mut dyn FnMut(&Site, &mut [f32]),
    spare: &Spare,
) -> Vec<f32> {
    for step in steps {
        match &step.run {
            Run::Affine { scale, shift, limits } => {
                x.par_chunks_mut(scale.len() * 1024).for_each(|x| {
                    x.chunks_exact_mut(scale.len()).for_each(|x| x.iter_mut().zip(scale).for_each(|(x, s)| *x *= s));
                    finish(x, shift, limits.0, limits.1);
                });
            }
            Run::Sum { body, shortcut, limits } => {
                let mut copy = spare.take(x.len());
                copy.copy_from_slice(&x);
                let mut sum = through(body, copy, pictures, hook, spare);
                x = through(shortcut, x, pictures, hook, spare);
                sum.par_chunks_mut(1 << 14).zip(x.par_chunks(1 << 14)).for_each(|(a, b)| add(a, b, *limits));
                spare.keep(std::mem::replace(&mut x, sum));
            }
            run => {
                let mut out = spare.take(pictures * step.size);
                match run {
                    Run::Convolve(c) => c.run(&x, &mut out),
                    Run::MaxPool { window, shape, output } => {
                        out.fill(f32::NEG_INFINITY);
                        window.max(*shape, *output, &x, &mut out);
                    }
                    Run::Average { positions } => average(*positions, step.size, &x, &mut out),
                    Run::Affine { .. } | Run::Sum { .. } => {}
                }
                spare.keep(std::mem::replace(&mut x, out));
            }
        }
        if let Some(site) = &step.site {
            hook(site, &mut x);
        }
    }
    x
}

fn add(a: &mut [f32], b: &[f32], (low, high): (f32, f32)) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a = (*a + b).max(low).min(high));
}

fn average(positions: usize, channels: usize, x: &[f32], out: &mut [f32]) {
    for (x, out) in x.chunks_exact(positions * channels).zip(out.chunks_exact_mut(channels)) {
        out.fill(0.0);
        x.chunks_exact(channels).for_each(|x| out.iter_mut().zip(x).for_each(|(o, x)| *o += x));
        out.iter_mut().for_each(|o| *o /= positions as f32);
    }
}
