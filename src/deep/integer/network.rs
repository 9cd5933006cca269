use super::{Layer, Shape, quantize, quantize_layer};
use crate::deep::inference::quantize::Calibration;
use crate::deep::inference::{self, Activation, Graph, Window, transpose};
use crate::deep::kernel::int8::Instructions;
use crate::deep::quantize::Affine;
use crate::error::{InputError, Result};
use rayon::prelude::*;

/// A whole network on integers: pictures become bytes once, every layer takes bytes and gives bytes, and the last one's sums
/// are the outputs.
///
/// Weights have 8 bits and a scale for each filter, activations 8 bits and a scale for each tensor, by the range that it has
/// on the calibration pictures. Rectifiers cost nothing: a range that begins at 0 is one.
#[derive(Debug, Clone)]
pub struct Network {
    shape: [usize; 3],
    input: Affine,
    steps: Vec<Step>,
    bytes: usize,
}

/// What is done to pictures of bytes, channel last.
#[derive(Debug, Clone)]
enum Step {
    Layer(Layer, Affine),
    /// The last layer: its sums in floats.
    Last(Layer),
    /// The outputs, where the last step is another one.
    Floats(Affine),
    /// Another byte for every byte.
    Table(Box<[u8; 256]>),
    MaxPool {
        window: Window,
        shape: [usize; 3],
        output: [usize; 3],
    },
    Average {
        positions: usize,
        channels: usize,
        input: Affine,
        output: Affine,
    },
    Sum {
        body: Vec<Step>,
        shortcut: Vec<Step>,
        inputs: [Affine; 2],
        output: Affine,
    },
}

/// Builds steps, knowing what quantiser and what shape the last one ended with.
struct Builder<'a> {
    calibration: &'a Calibration,
    quantizer: Affine,
    shape: [usize; 3],
    bytes: usize,
}

impl Network {
    /// From a network in floats; fold its batch normalisations first, those that stay become layers of one weight a channel.
    ///
    /// # Errors
    /// Layers that do not fit one another, a calibration of another network, or a filter
    /// that [`Layer::new`] refuses.
    pub fn new(graph: &Graph, calibration: &Calibration) -> Result<Self> {
        graph.output()?;
        let input = of_site(calibration, "input", None)?;
        let mut builder = Builder { calibration, quantizer: input, shape: graph.input, bytes: 0 };
        let mut steps = builder.steps(&graph.layers)?;
        let last = if ends_weighted(graph)
            && let Some(Step::Layer(layer, _)) = steps.pop()
        {
            Step::Last(layer)
        } else {
            Step::Floats(builder.quantizer)
        };
        steps.push(last);
        Ok(Self { shape: graph.input, input, steps, bytes: builder.bytes })
    }

    /// Bytes of its weights, with a scale and a bias for each filter.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The outputs for a batch of inputs, picture by picture as (channel, row, column), one row a picture; those of a network
    /// whose outputs are a picture as (row, column, channel). The same on every set of instructions.
    ///
    /// # Errors
    /// If the inputs are no whole number of pictures.
    pub fn run(&self, with: Instructions, inputs: &[f32]) -> Result<Vec<f32>> {
        let size = self.shape.iter().product::<usize>();
        if !inputs.len().is_multiple_of(size) {
            let allowed = format!("a multiple of {size}, {:?} each", self.shape);
            return Err(InputError::value("inputs", inputs.len(), &allowed, "Give it pictures of its own shape."));
        }
        let mut pixels = vec![0.0; inputs.len()];
        inputs.chunks(size).zip(pixels.chunks_mut(size)).for_each(|(p, x)| transpose(p, self.shape[0], x));
        let (last, steps) = self.steps.split_last().ok_or_else(|| InputError::new("a network without layers"))?;
        let bytes = through(steps, with, quantize(&pixels, self.input));
        Ok(match last {
            Step::Last(layer) => layer.floats(with, &bytes),
            Step::Floats(quantizer) => bytes.iter().map(|q| quantizer.dequantize(i32::from(*q))).collect(),
            other => unreachable!("{other:?} gives bytes"),
        })
    }
}

/// Is a weighted layer the last, without a rectifier?
fn ends_weighted(graph: &Graph) -> bool {
    matches!(graph.layers.last(), Some(inference::Layer::Convolution(_) | inference::Layer::Linear(_)))
}

/// Eight bits for what was seen at a site, within the limits of the rectifier that follows.
fn of_site(calibration: &Calibration, site: &str, after: Option<Activation>) -> Result<Affine> {
    let [low, high] = calibration.range(site).ok_or_else(|| {
        InputError::new(format!("`{site}` was not seen in the calibration. Calibrate with the same network"))
    })?;
    let (least, most) = after.map_or((f32::NEG_INFINITY, f32::INFINITY), Activation::limits);
    Ok(Affine::of_range(low.clamp(least, most), high.clamp(least, most), 8))
}

impl Builder<'_> {
    fn steps(&mut self, layers: &[inference::Layer]) -> Result<Vec<Step>> {
        let (mut made, mut rest) = (vec![], layers.iter().peekable());
        while let Some(layer) = rest.next() {
            let output = layer.output(self.shape)?;
            let [channels, height, width] = self.shape;
            // Each pixel by itself, until a layer says otherwise.
            let pixel = Shape { size: [height, width], ..Shape::linear(channels, output[0]) };
            let mut quantizer = |own: &Self| {
                let after = rest.next_if(|next| matches!(next, inference::Layer::Activation(_)));
                let after = after.map(|a| if let inference::Layer::Activation(a) = a { *a } else { unreachable!() });
                of_site(own.calibration, layer.name(), after)
            };
            made.push(match layer {
                inference::Layer::Convolution(c) => {
                    let Window { size: kernel, stride, padding } = c.window;
                    let shape = Shape { kernel, stride, padding, groups: c.groups, ..pixel };
                    self.layer(&c.name, shape, &c.weight, c.bias.as_deref(), quantizer(self)?)?
                }
                inference::Layer::Linear(l) => {
                    let shape = Shape { kernel: pixel.size, ..pixel };
                    self.layer(&l.name, shape, &l.weight, l.bias.as_deref(), quantizer(self)?)?
                }
                inference::Layer::BatchNorm(norm) => {
                    let shape = Shape { groups: pixel.channels, ..pixel };
                    let (scale, shift): (Vec<f32>, Vec<f32>) = norm.affine().into_iter().unzip();
                    self.layer(&norm.name, shape, &scale, Some(&shift), quantizer(self)?)?
                }
                inference::Layer::Activation(activation) => self.activation(*activation),
                inference::Layer::MaxPool(window) => Step::MaxPool { window: *window, shape: self.shape, output },
                inference::Layer::GlobalAveragePool => {
                    let (input, output) = (self.quantizer, of_site(self.calibration, layer.name(), None)?);
                    self.quantizer = output;
                    Step::Average { positions: height * width, channels, input, output }
                }
                inference::Layer::Residual { body, shortcut, .. } => {
                    let (before, shape) = (self.quantizer, self.shape);
                    let body = self.steps(body)?;
                    let first = std::mem::replace(&mut self.quantizer, before);
                    self.shape = shape;
                    let shortcut = self.steps(shortcut)?;
                    let inputs = [first, self.quantizer];
                    self.quantizer = quantizer(self)?;
                    Step::Sum { body, shortcut, inputs, output: self.quantizer }
                }
            });
            self.shape = output;
        }
        Ok(made)
    }

    fn layer(
        &mut self,
        name: &str,
        shape: Shape,
        weights: &[f32],
        bias: Option<&[f32]>,
        output: Affine,
    ) -> Result<Step> {
        let none = vec![0.0; shape.filters];
        let bias = bias.unwrap_or(&none);
        let (bytes, scales) = quantize_layer(weights, bias, self.quantizer.scale);
        let layer = Layer::new(shape, self.quantizer, &bytes, &scales, bias);
        self.bytes += bytes.len() + 8 * scales.len();
        self.quantizer = output;
        Ok(Step::Layer(layer.map_err(|e| e.at(format!("layer `{name}`")))?, output))
    }

    /// A rectifier that no sum precedes.
    fn activation(&mut self, activation: Activation) -> Step {
        let (before, (low, high)) = (self.quantizer, activation.limits());
        let [first, last] = [0, before.top()].map(|q| before.dequantize(q).clamp(low, high));
        self.quantizer = Affine::of_range(first, last, 8);
        let byte = |q: usize| self.quantizer.quantize(before.dequantize(q as i32).clamp(low, high)) as u8;
        Step::Table(Box::new(std::array::from_fn(byte)))
    }
}

fn through(steps: &[Step], with: Instructions, mut x: Vec<u8>) -> Vec<u8> {
    for step in steps {
        x = match step {
            Step::Layer(layer, output) => layer.bytes(with, &x, *output),
            Step::Table(table) => x.into_iter().map(|q| table[usize::from(q)]).collect(),
            Step::MaxPool { window, shape, output } => {
                // The largest byte stands for the largest number.
                let size = |shape: &[usize; 3]| shape.iter().product::<usize>();
                let mut out = vec![0; x.len() / size(shape) * size(output)];
                window.max(*shape, *output, &x, &mut out);
                out
            }
            Step::Average { positions, channels, input, output } => average(*positions, *channels, *input, *output, &x),
            Step::Sum { body, shortcut, inputs, output } => {
                let body = through(body, with, x.clone());
                add(&body, &through(shortcut, with, x), *inputs, *output)
            }
            Step::Last(_) | Step::Floats(_) => unreachable!("the last step gives floats"),
        };
    }
    x
}

/// The bytes of a + b; in f64, which holds the sum of any two products of a scale and an integer to f32's accuracy.
fn add(a: &[u8], b: &[u8], inputs: [Affine; 2], output: Affine) -> Vec<u8> {
    let [of_a, of_b] =
        inputs.map(|s| std::array::from_fn::<f64, 256, _>(|q| f64::from(s.scale) * f64::from(q as i32 - s.zero_point)));
    let sum = |(a, b): (&u8, &u8)| output.quantize((of_a[usize::from(*a)] + of_b[usize::from(*b)]) as f32) as u8;
    a.par_iter().with_min_len(1 << 14).zip(b).map(sum).collect()
}

/// The mean of every channel: a sum of integers, scaled once.
fn average(positions: usize, channels: usize, input: Affine, output: Affine, x: &[u8]) -> Vec<u8> {
    let scale = f64::from(input.scale) / positions as f64;
    let picture = |x: &[u8]| -> Vec<u8> {
        let mut sums = vec![-input.zero_point * positions as i32; channels];
        x.chunks_exact(channels).for_each(|x| sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += i32::from(*x)));
        sums.into_iter().map(|sum| output.quantize((f64::from(sum) * scale) as f32) as u8).collect()
    };
    x.par_chunks_exact(positions * channels).flat_map_iter(picture).collect()
}
