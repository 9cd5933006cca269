//! Whole networks on integers against their simulation in f64, layer by layer by the definitions.

use crate::common::root;
use crate::integer::convolved;
use crate::post_training::{graph, waves};
use implicit_bias::data::photograph::{Photograph, read_folder};
use implicit_bias::deep::inference::quantize::Calibration;
use implicit_bias::deep::inference::{Activation, Description, Graph, Layer, Linear, Program, Window};
use implicit_bias::deep::integer::{Network, Shape, quantize_layer};
use implicit_bias::deep::kernel::int8::Instructions;
use implicit_bias::deep::quantize::Affine;
use implicit_bias::deep::torch::{read, to_safetensors};
use implicit_bias::math::sums::{cosine, largest};

/// Pictures as numbers that a quantiser of eight bits has, channel last.
struct Simulated<'a> {
    calibration: &'a Calibration,
    shape: [usize; 3],
    quantizer: Affine,
    x: Vec<f64>,
    /// What the last step gave before it was rounded.
    exact: Vec<f32>,
}

impl Simulated<'_> {
    fn round(&mut self, values: Vec<f64>, site: &str, limits: (f32, f32)) {
        let range = self.calibration.range(site).unwrap().map(|x| x.clamp(limits.0, limits.1));
        self.quantizer = Affine::of_range(range[0], range[1], 8);
        self.exact = values.iter().map(|y| *y as f32).collect();
        let own = self.quantizer;
        let value = |y: &f32| f64::from(own.quantize(*y) - own.zero_point) * f64::from(own.scale);
        self.x = self.exact.iter().map(value).collect();
    }

    fn weighted(&self, s: Shape, weights: &[f32], bias: &[f32]) -> Vec<f64> {
        let (w, scales) = quantize_layer(weights, bias, self.quantizer.scale);
        let step = |f: usize| f64::from(self.quantizer.scale) * f64::from(scales[f]);
        let bias: Vec<f64> =
            (0..s.filters).map(|f| (f64::from(bias[f]) / step(f)).round_ties_even() * step(f)).collect();
        let weights: Vec<f64> =
            w.iter().enumerate().map(|(at, w)| f64::from(*w) * f64::from(scales[at / s.taps()])).collect();
        convolved(&s, &self.x, &weights, &bias)
    }

    fn run(&mut self, layers: &[Layer]) {
        let mut layers = layers.iter().peekable();
        while let Some(layer) = layers.next() {
            let output = layer.output(self.shape).unwrap();
            let [channels, height, width] = self.shape;
            let square = Shape { size: [height, width], ..Shape::linear(channels, output[0]) };
            let mut limits = || match layers.next_if(|next| matches!(next, Layer::Activation(_))) {
                Some(Layer::Activation(a)) => a.limits(),
                _ => (f32::NEG_INFINITY, f32::INFINITY),
            };
            match layer {
                Layer::Convolution(c) => {
                    let Window { size: kernel, stride, padding } = c.window;
                    let s = Shape { kernel, stride, padding, groups: c.groups, ..square };
                    let none = vec![0.0; c.outputs];
                    let sums = self.weighted(s, &c.weight, c.bias.as_ref().unwrap_or(&none));
                    self.round(sums, &c.name, limits());
                }
                Layer::Linear(l) => {
                    let none = vec![0.0; l.outputs];
                    let s = Shape { kernel: [height, width], ..square };
                    let sums = self.weighted(s, &l.weight, l.bias.as_ref().unwrap_or(&none));
                    self.round(sums, &l.name, limits());
                }
                Layer::BatchNorm(norm) => {
                    let (scale, shift): (Vec<f32>, Vec<f32>) = norm.affine().into_iter().unzip();
                    let sums = self.weighted(Shape { groups: channels, ..square }, &scale, &shift);
                    self.round(sums, &norm.name, limits());
                }
                Layer::Activation(a) => {
                    let (own, (low, high)) = (self.quantizer, a.limits());
                    let ends = [0, own.top()].map(|q| own.dequantize(q).clamp(low, high));
                    let next = Affine::of_range(ends[0], ends[1], 8);
                    let value = |q: i32| f64::from(q - next.zero_point) * f64::from(next.scale);
                    let clamped = self.x.iter().map(|x| value(next.quantize((*x as f32).clamp(low, high)))).collect();
                    (self.x, self.quantizer) = (clamped, next);
                }
                Layer::MaxPool(window) => {
                    let (Window { size: [h, w], stride, padding: [top, _, left, _] }, [_, down, across]) =
                        (*window, output);
                    let mut out = vec![];
                    for picture in self.x.chunks(channels * height * width) {
                        for at in 0..down * across * channels {
                            let (row, column, c) = (at / channels / across, at / channels % across, at % channels);
                            let seen = (0..h * w).filter_map(|t| {
                                let y = (row * stride + t / w).checked_sub(top).filter(|y| *y < height)?;
                                let x = (column * stride + t % w).checked_sub(left).filter(|x| *x < width)?;
                                Some(picture[(y * width + x) * channels + c])
                            });
                            out.push(seen.fold(f64::NEG_INFINITY, f64::max));
                        }
                    }
                    self.x = out;
                }
                Layer::GlobalAveragePool => {
                    let mean = |picture: &[f64], c: usize| {
                        picture.iter().skip(c).step_by(channels).sum::<f64>() / (height * width) as f64
                    };
                    let pictures = self.x.chunks(channels * height * width);
                    let means = pictures.flat_map(|p| (0..channels).map(|c| mean(p, c)).collect::<Vec<_>>()).collect();
                    self.round(means, layer.name(), (f32::NEG_INFINITY, f32::INFINITY));
                }
                Layer::Residual { name, body, shortcut } => {
                    let branch = |layers: &[Layer]| {
                        let (x, exact) = (self.x.clone(), vec![]);
                        let mut own = Simulated { calibration: self.calibration, x, exact, ..*self };
                        own.run(layers);
                        own.x
                    };
                    let sums = branch(body).iter().zip(branch(shortcut)).map(|(a, b)| a + b).collect();
                    self.round(sums, name, limits());
                }
            }
            self.shape = output;
        }
    }
}

fn simulated(graph: &Graph, calibration: &Calibration, inputs: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let ([channels, height, width], size) = (graph.input, graph.input.iter().product::<usize>());
    let last = |at: usize| at / size * size + at % channels * height * width + at % size / channels;
    let pixels = (0..inputs.len()).map(|at| f64::from(inputs[last(at)])).collect();
    let (shape, quantizer) = (graph.input, Affine::of_range(0.0, 1.0, 8));
    let mut own = Simulated { calibration, shape, quantizer, x: vec![], exact: vec![] };
    own.round(pixels, "input", (f32::NEG_INFINITY, f32::INFINITY));
    own.run(&graph.layers);
    (own.x.iter().map(|x| *x as f32).collect(), own.exact)
}

/// Every kind of layer: pooling, residual sums, rectifiers of their own, batch normalisations that could not be folded.
#[test]
fn every_layer_gives_what_its_simulation_gives() {
    let (mut graph, x) = (graph(), waves(3));
    let calibration = Calibration::new(&graph, &x).unwrap();
    let network = Network::new(&graph, &calibration).unwrap();
    let (rounded, _) = simulated(&graph, &calibration, &x);
    for with in Instructions::available() {
        assert_eq!(network.run(with, &x).unwrap(), rounded, "{}", with.name());
    }
    let floats = Program::new(&graph).unwrap().run(&x).unwrap();
    assert!(cosine(&floats, &rounded) > 0.99 && floats != rounded);

    // Where a weighted layer is the last, its sums are the outputs, not rounded to bytes.
    let weight = (0..70).map(|i| (0.7 * f64::from(i)).cos() as f32).collect();
    graph.layers.push(Layer::Linear(Linear { name: "last".into(), weight, bias: None, outputs: 7 }));
    let calibration = Calibration::new(&graph, &x).unwrap();
    let network = Network::new(&graph, &calibration).unwrap();
    let (rounded, exact) = simulated(&graph, &calibration, &x);
    assert_eq!(network.run(Instructions::best(), &x).unwrap(), exact);
    assert_ne!(rounded, exact);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut graph, x) = (graph(), waves(1));
    let calibration = Calibration::new(&graph, &x).unwrap();
    let network = Network::new(&graph, &calibration).unwrap();
    assert!(network.run(Instructions::best(), &x[1..]).unwrap_err().to_string().contains("multiple of 1890"));
    let Layer::Convolution(first) = &mut graph.layers[0] else { panic!("the fixture begins with a convolution") };
    first.name = "another".into();
    assert!(Network::new(&graph, &calibration).unwrap_err().to_string().contains("`another` was not seen"));
    graph.layers.insert(0, Layer::Activation(Activation::Relu));
    graph.layers.push(Layer::GlobalAveragePool);
    assert!(Network::new(&graph, &calibration).is_err());
}

#[test]
#[ignore = "needs data/imagenet (scripts/get-imagenet.sh)"]
fn efficientnet_lite0_runs_on_integers() {
    let text = std::fs::read_to_string(root().join("assets/networks/efficientnet-lite0.toml")).unwrap();
    let description = Description::parse(&text).unwrap();
    let checkpoint = std::fs::read(root().join("data/imagenet/efficientnet-lite0-57934424.pth")).unwrap();
    let mut graph = description.graph(&to_safetensors(&read(&checkpoint).unwrap()).unwrap()).unwrap();
    graph.fold_batch_norms();
    let prepared = |p: &Photograph| (description.preparation().inputs(&p.picture).unwrap(), p.class.unwrap());
    let photographs: Vec<_> = read_folder(&root().join("data/imagenet")).unwrap().iter().map(prepared).collect();
    let sample: Vec<f32> = photographs.iter().flat_map(|(x, _)| x.iter().copied()).collect();
    let calibration = Calibration::new(&graph, &sample).unwrap();
    let (network, program) = (Network::new(&graph, &calibration).unwrap(), Program::new(&graph).unwrap());
    let mut right = [0, 0];
    for (i, (x, class)) in photographs.iter().enumerate() {
        let (bytes, floats) = (network.run(Instructions::best(), x).unwrap(), program.run(x).unwrap());
        assert!(cosine(&bytes, &floats) > 0.9);
        [&bytes, &floats].into_iter().zip(&mut right).for_each(|(y, n)| *n += usize::from(largest(y) == *class));
        if i == 7 {
            assert_eq!(bytes, simulated(&graph, &calibration, x).1);
        }
    }
    println!("{right:?} of {} photographs right; {} bytes", photographs.len(), network.bytes());
    assert!(right[0] + 4 >= right[1]);
}
