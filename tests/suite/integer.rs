//! Layers on integers against simulated quantisation: convolutions written out, in floats.

use crate::common::root;
use crate::program::program;
use implicit_bias::deep::integer::{Layer, Shape, quantize, quantize_weights};
use implicit_bias::deep::kernel::int8::Instructions;
use implicit_bias::deep::quantize::Affine;
use implicit_bias::math::random::Stream;
use std::ops::{AddAssign, Mul};

/// A convolution with zero padding by its definition, on the numbers and in the arithmetic of T.
pub fn convolved<T: Copy + Default + Mul<Output = T> + AddAssign>(s: &Shape, x: &[T], w: &[T], bias: &[T]) -> Vec<T> {
    let ([height, width], [down, across]) = (s.size, s.output());
    let (inputs, part) = (s.channels / s.groups, s.filters / s.groups);
    let mut out = vec![];
    for picture in x.chunks(height * width * s.channels) {
        for (y, x0) in (0..down).flat_map(|y| (0..across).map(move |x| (y, x))) {
            for f in 0..s.filters {
                let mut sum = bias[f];
                for (i, j) in (0..s.kernel[0]).flat_map(|i| (0..s.kernel[1]).map(move |j| (i, j))) {
                    let at = |n: usize, i: usize, before: usize| (n * s.stride + i).checked_sub(before);
                    let (Some(y), Some(x)) = (at(y, i, s.padding[0]), at(x0, j, s.padding[2])) else { continue };
                    for c in (0..inputs).filter(|_| y < height && x < width) {
                        let value = picture[(y * width + x) * s.channels + f / part * inputs + c];
                        sum += value * w[((f * inputs + c) * s.kernel[0] + i) * s.kernel[1] + j];
                    }
                }
                out.push(sum);
            }
        }
    }
    out
}

fn shape(channels: usize, size: [usize; 2], filters: usize, kernel: [usize; 2], groups: usize) -> Shape {
    Shape { channels, size, filters, kernel, stride: 1, padding: [0; 4], groups }
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape::linear(37, 41),
        shape(19, [5, 4], 35, [1, 1], 1),
        Shape { padding: [1; 4], ..shape(3, [7, 6], 33, [3, 3], 1) },
        Shape { padding: [0, 1, 0, 1], stride: 2, ..shape(5, [8, 9], 7, [3, 3], 1) },
        Shape { padding: [2, 1, 0, 3], stride: 3, ..shape(12, [9, 7], 8, [5, 2], 4) },
        Shape { padding: [1; 4], ..shape(70, [6, 5], 70, [3, 3], 70) },
        Shape { padding: [1, 2, 1, 2], stride: 2, ..shape(33, [8, 8], 33, [5, 5], 33) },
        shape(6, [4, 4], 12, [2, 2], 6),
        shape(4, [3, 5], 9, [3, 5], 1),
    ]
}

/// A layer with random weights and inputs: x, w, s_f, b and the input's quantiser.
fn numbers(
    s: &Shape,
    stream: &mut Stream,
    scale: impl Fn(f64) -> f64,
) -> (Vec<u8>, Vec<i8>, Vec<f32>, Vec<f32>, Affine) {
    let mut bytes = |n: usize| -> Vec<u8> { (0..n).map(|_| (256.0 * stream.uniform()) as u8).collect() };
    let x = bytes(3 * s.channels * s.size[0] * s.size[1]);
    let w = bytes(s.filters * s.taps()).into_iter().map(|b| b as i8).collect();
    let mut scales =
        |n: usize, s: f64| -> Vec<f32> { (0..n).map(|_| scale(s * (0.5 + stream.uniform())) as f32).collect() };
    let (of_filters, of_input) = (scales(s.filters, 0.01), scales(1, 0.02)[0]);
    let bias = (0..s.filters).map(|_| stream.normal() as f32).collect();
    (x, w, of_filters, bias, Affine { scale: of_input, zero_point: 113, bits: 8 })
}

#[test]
fn sums_are_the_convolution_of_the_integers() {
    let mut stream = Stream::new(0, &["integer"]);
    for s in shapes() {
        let (x, w, scales, bias, input) = numbers(&s, &mut stream, |s| s);
        let layer = Layer::new(s, input, &w, &scales, &bias).unwrap();
        let steps = |b: f32, s: f32| (f64::from(b) / (f64::from(input.scale) * f64::from(s))).round_ties_even() as i32;
        let bias: Vec<i32> = bias.iter().zip(&scales).map(|(b, s)| steps(*b, *s)).collect();
        let x0: Vec<i32> = x.iter().map(|q| i32::from(*q) - input.zero_point).collect();
        let expected = convolved(&s, &x0, &w.iter().map(|w| i32::from(*w)).collect::<Vec<_>>(), &bias);
        for with in Instructions::available() {
            assert!(layer.integers(with, &x) == expected, "{s:?} on {}", with.name());
        }
    }
}

/// Where nothing is rounded, the customary simulation (dequantise, convolve in f32, quantise) gives the same bits: with
/// scales that are powers of two, f32 holds every product and every sum below 2²⁴ steps.
#[test]
fn outputs_equal_the_simulation_in_f32_to_the_bit_where_that_is_exact() {
    let mut stream = Stream::new(1, &["integer"]);
    for s in shapes() {
        let (x, w, scales, bias, input) = numbers(&s, &mut stream, |s| s.log2().round().exp2());
        let step = |f: usize| input.scale * scales[f];
        let bias: Vec<f32> = (0..s.filters).map(|f| (bias[f] / step(f)).round() * step(f)).collect();
        let layer = Layer::new(s, input, &w, &scales, &bias).unwrap();
        let values: Vec<f32> = x.iter().map(|q| input.dequantize(i32::from(*q))).collect();
        let weights: Vec<f32> = w.iter().enumerate().map(|(at, w)| f32::from(*w) * scales[at / s.taps()]).collect();
        let simulated = convolved(&s, &values, &weights, &bias);
        assert!(layer.integers(Instructions::best(), &x).iter().all(|i| i.abs() < 1 << 24));
        assert!(layer.floats(Instructions::best(), &x) == simulated, "{s:?}");
        for output in [Affine::of_range(-9.0, 8.0, 8), Affine::of_range(0.0, 6.0, 8), Affine::of_range(-3.0, 5.0, 4)] {
            assert!(layer.bytes(Instructions::best(), &x, output) == quantize(&simulated, output), "{s:?}, {output:?}");
        }
    }
}

/// With other scales f32 rounds products and sums; the simulation in f64 does not, to f32. Bytes are equal, and those of the
/// simulation in f32 are neighbours, and differ only where its value is within rounding of a tie.
#[test]
fn bytes_equal_the_simulation_for_any_scales() {
    let (mut stream, mut count, mut apart) = (Stream::new(2, &["integer"]), 0, 0);
    for (s, _) in shapes().into_iter().flat_map(|s| (0..10).map(move |again| (s, again))) {
        let (x, w, scales, bias, input) = numbers(&s, &mut stream, |s| s);
        let layer = Layer::new(s, input, &w, &scales, &bias).unwrap();
        let step = |f: usize| f64::from(input.scale) * f64::from(scales[f]);
        let bias: Vec<f64> =
            (0..s.filters).map(|f| (f64::from(bias[f]) / step(f)).round_ties_even() * step(f)).collect();
        let values: Vec<f64> =
            x.iter().map(|q| f64::from(i32::from(*q) - input.zero_point) * f64::from(input.scale)).collect();
        let weights: Vec<f64> =
            w.iter().enumerate().map(|(at, w)| f64::from(*w) * f64::from(scales[at / s.taps()])).collect();
        let wide = convolved(&s, &values, &weights, &bias);
        let [values, weights, bias] = [values, weights, bias].map(|v| v.iter().map(|v| *v as f32).collect::<Vec<_>>());
        let narrow = convolved(&s, &values, &weights, &bias);
        let output = Affine::of_range(-9.0, 8.0, 8);
        let bytes = layer.bytes(Instructions::best(), &x, output);
        assert!(bytes == quantize(&wide.iter().map(|y| *y as f32).collect::<Vec<_>>(), output), "{s:?}");
        for ((b, y), exact) in bytes.iter().zip(&narrow).zip(&wide) {
            count += 1;
            if i32::from(*b) != output.quantize(*y) {
                let steps = exact / f64::from(output.scale);
                assert!((i32::from(*b) - output.quantize(*y)).abs() == 1 && (steps.fract().abs() - 0.5).abs() < 1e-3);
                apart += 1;
            }
        }
    }
    assert!(count > 10_000 && apart * 1000 < count, "{apart} of {count}");
}

#[test]
fn a_network_of_bytes_is_the_simulated_one() {
    let mut stream = Stream::new(3, &["integer"]);
    let layers = [
        Shape { padding: [0, 1, 0, 1], stride: 2, ..shape(3, [16, 16], 20, [3, 3], 1) },
        Shape { padding: [1; 4], ..shape(20, [8, 8], 20, [3, 3], 20) },
        shape(20, [8, 8], 9, [1, 1], 1),
        Shape::linear(8 * 8 * 9, 10),
    ];
    let input = Affine::of_range(0.0, 1.0, 8);
    let pixels: Vec<f32> = (0..4 * 16 * 16 * 3).map(|_| stream.uniform() as f32).collect();
    let (mut bytes, mut quantizer) = (quantize(&pixels, input), input);
    let mut simulated: Vec<f64> =
        pixels.iter().map(|x| f64::from(input.quantize(*x) - input.zero_point) * f64::from(input.scale)).collect();
    for (i, s) in layers.iter().enumerate() {
        let spread = (2.0 / s.taps() as f64).sqrt();
        let weights: Vec<f32> = (0..s.filters * s.taps()).map(|_| (spread * stream.normal()) as f32).collect();
        let (w, scales) = quantize_weights(&weights, s.filters);
        assert!(weights.iter().zip(&w).enumerate().all(|(at, (x, w))| {
            let scale = scales[at / s.taps()];
            (x - f32::from(*w) * scale).abs() <= 0.5001 * scale
        }));
        let layer = Layer::new(*s, quantizer, &w, &scales, &vec![0.0; s.filters]).unwrap();
        let weights: Vec<f64> =
            w.iter().enumerate().map(|(at, w)| f64::from(*w) * f64::from(scales[at / s.taps()])).collect();
        let sums: Vec<f32> =
            convolved(s, &simulated, &weights, &vec![0.0; s.filters]).iter().map(|y| *y as f32).collect();
        let output = if i + 1 < layers.len() { Affine::of_range(0.0, 3.0, 8) } else { Affine::of_values(&sums, 8) };
        bytes = layer.bytes(Instructions::best(), &bytes, output);
        assert!(bytes == quantize(&sums, output), "layer {i}");
        assert!(bytes.iter().max() > bytes.iter().min());
        let value = |y: &f32| f64::from(output.quantize(*y) - output.zero_point) * f64::from(output.scale);
        (simulated, quantizer) = (sums.iter().map(value).collect(), output);
    }
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let (s, input) = (Shape::linear(40_000, 1), Affine::of_range(0.0, 1.0, 8));
    let refusal = |s, input, w: &[i8], scale: f32| Layer::new(s, input, w, &[scale], &[1.0]).unwrap_err().to_string();
    assert!(refusal(s, input, &[127; 40_000], 1.0).contains("beyond 32 bits"));
    assert!(refusal(Shape::linear(1, 1), input, &[1], 1e-12).contains("larger, positive scale"));
    assert!(refusal(Shape::linear(1, 1), input, &[1], -1.0).contains("larger, positive scale"));
    assert!(refusal(Shape::linear(2, 1), input, &[1], 1.0).contains("`weights (their number)` is 1, but must be 2"));
    assert!(refusal(Shape { groups: 2, ..Shape::linear(3, 1) }, input, &[1; 3], 1.0).contains("groups"));
    assert!(refusal(Shape { kernel: [2, 1], ..Shape::linear(1, 1) }, input, &[1; 2], 1.0).contains("kernel"));
    let wide = Affine::of_range(0.0, 1.0, 9);
    assert!(refusal(Shape::linear(1, 1), wide, &[1], 1.0).contains("9 bits"));
}

#[test]
fn a_person_measures_products_of_bytes() {
    let bench = |line: &str| program(&root(), &line.split(' ').collect::<Vec<_>>());
    let (code, out, err) = bench("bench int8 --m 20 --n 40 --k 70 --seconds 0.01 --json");
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let methods = json["results"][0]["methods"].as_array().unwrap();
    assert_eq!((&methods[1]["method"], &methods[2]["method"]), (&"sgemm".into(), &"int8".into()));
    assert!(methods[2]["times_sgemm"].as_f64().unwrap() > 0.0 && methods[3]["times_sgemm"].is_null());
    assert!(bench("bench int8 --m 20 --seconds 0.01").1.contains("packing of weights"));
    let (code, _, err) = bench("bench int8 --k 0");
    assert!(code == 2 && err.contains("`k` is 0"), "{err}");
}
