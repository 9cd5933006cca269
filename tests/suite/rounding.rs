//! Rounding that changes outputs least, against definitions and the best rounding found by trying all.

use crate::post_training::{graph, waves};
use implicit_bias::deep::inference::quantize::{Clip, Moments, Recipe, Rounding, quantize_weights};
use implicit_bias::deep::inference::{Convolution, Graph, Layer, Linear, Program, Window};
use implicit_bias::deep::quantize::{Affine, NearestPlane};
use implicit_bias::math::random::Stream;

/// XᵀX of so many random rows with a common part.
fn moments(d: usize, stream: &mut Stream) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = (0..3 * d)
        .map(|_| {
            let common = stream.normal();
            (0..d).map(|i| common + stream.normal() * (1.0 + i as f64)).collect()
        })
        .collect();
    (0..d * d).map(|at| rows.iter().map(|r| r[at / d] * r[at % d]).sum()).collect()
}

/// eᵀ (M + a hundredth of its diagonal's mean) e.
fn change(moments: &[f64], w: &[f32], q: &[f32]) -> f64 {
    let d = w.len();
    let e: Vec<f64> = w.iter().zip(q).map(|(w, q)| f64::from(*w) - f64::from(*q)).collect();
    let damping = 0.01 * (0..d).map(|i| moments[i * d + i]).sum::<f64>() / d as f64;
    let all: f64 = (0..d * d).map(|at| e[at / d] * moments[at] * e[at % d]).sum();
    all + damping * e.iter().map(|e| e * e).sum::<f64>()
}

#[test]
fn the_nearest_plane_is_between_the_best_and_the_bound() {
    let (mut stream, mut best_found, mut gain) = (Stream::new(0, &["plane"]), 0, 0.0);
    for _ in 0..100 {
        let m = moments(4, &mut stream);
        let w: Vec<f32> = (0..4).map(|_| stream.normal() as f32).collect();
        let affine = Affine::of_range(-8.0, 8.0, 4);
        let (q, error) = NearestPlane::new(&m).round(&w, |x| affine.round(x));
        assert!((error / change(&m, &w, &q) - 1.0).abs() < 1e-4);

        let value = |c: usize| affine.dequantize(c as i32);
        let near: Vec<usize> = w.iter().map(|x| affine.quantize(*x) as usize - 2).collect();
        let all = (0..625).map(|c| [c / 125, c / 25 % 5, c / 5 % 5, c % 5]);
        let tried = all.map(|c| change(&m, &w, &std::array::from_fn::<f32, 4, _>(|i| value(near[i] + c[i]))));
        let best = tried.fold(f64::INFINITY, f64::min);
        // Each of d orthogonal parts of the error is at most half a step; their lengths multiply to det M.
        let diagonal: f64 = (0..4).map(|i| 1.01 * m[i * 5]).sum();
        assert!(best <= error * (1.0 + 1e-6) && error <= 0.25 * f64::from(affine.scale).powi(2) * diagonal);
        best_found += usize::from(error <= best * (1.0 + 1e-6));
        let nearest: Vec<f32> = w.iter().map(|x| affine.round(*x)).collect();
        gain += (change(&m, &w, &nearest) / error).ln() / 100.0;
    }
    assert!(best_found > 50 && gain > 0.1, "{best_found} of 100 are the best, {gain}");

    // Weights that do not make good of one another are rounded each to its nearest value, as are those that nothing reads.
    let affine = Affine::of_range(-3.0, 3.0, 3);
    let w: Vec<f32> = (0..3).map(|_| stream.normal() as f32).collect();
    for m in [[2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 5.0], [0.0; 9], [f64::NAN; 9]] {
        let nearest: Vec<f32> = w.iter().map(|x| affine.round(*x)).collect();
        assert_eq!(NearestPlane::new(&m).round(&w, |x| affine.round(x)).0, nearest);
    }
}

fn convolution(outputs: usize, weights: usize, groups: usize, window: Window) -> Layer {
    let weight = (0..outputs * weights).map(|i| (0.7 * f64::from(i as u32)).cos() as f32).collect();
    Layer::Convolution(Convolution { name: "layer".into(), weight, bias: None, outputs, groups, window })
}

#[test]
fn moments_tell_how_much_outputs_change() {
    let x: Vec<f32> = (0..20 * 6 * 7 * 5).map(|i| (0.3 * f64::from(i)).sin() as f32 + 0.2).collect();
    let linear = (0..3 * 210).map(|i| (0.3 * f64::from(i)).cos() as f32).collect();
    for layer in [
        convolution(4, 6, 1, Window::square(1, 1, 0)),
        convolution(4, 54, 1, Window::square(3, 2, 1)),
        convolution(6, 9, 6, Window::square(3, 1, 1)),
        convolution(4, 60, 2, Window { size: [4, 5], stride: 1, padding: [1, 2, 0, 4] }),
        Layer::Linear(Linear { name: "layer".into(), weight: linear, bias: None, outputs: 3 }),
    ] {
        let mut graph = Graph { input: [6, 7, 5], layers: vec![layer] };
        let moments = Moments::new(&graph, &x).unwrap();
        let of = moments.of("layer").unwrap();
        let before = Program::new(&graph).unwrap().run(&x).unwrap();
        let (mut w, mut q, mut outputs) = (vec![], vec![], 0);
        graph.visit_weights(&mut |weights| {
            outputs = weights.outputs;
            w = weights.values.to_vec();
            weights.values.iter_mut().for_each(|x| *x = (4.0 * *x).round() / 4.0);
            q = weights.values.to_vec();
        });
        let after = Program::new(&graph).unwrap().run(&x).unwrap();
        let positions = before.len() / 20 / outputs;
        for f in 0..outputs {
            let of_f = |i: &usize| i / positions % outputs == f;
            let square = |i: usize| f64::from(before[i] - after[i]).powi(2);
            let found: f64 = (0..before.len()).filter(of_f).map(square).sum();
            let d = w.len() / outputs;
            let e: Vec<f64> = (f * d..(f + 1) * d).map(|i| f64::from(w[i] - q[i])).collect();
            let m = &of[f * of.len() / outputs];
            let expected: f64 = (0..d * d).map(|at| e[at / d] * m[at] * e[at % d]).sum();
            assert!((found / expected - 1.0).abs() < 1e-4, "{found} {expected}");
        }
    }
}

#[test]
fn a_network_rounded_so_keeps_its_outputs_better() {
    let (graph, x) = (graph(), waves(20));
    let before = Program::new(&graph).unwrap().run(&x).unwrap();
    let moments = Moments::new(&graph, &x).unwrap();
    let error = |rounding: Rounding, weight_clip: Clip, per_channel: bool| {
        let recipe =
            Recipe { weight_bits: Some(3), edge_bits: 3, rounding, weight_clip, per_channel, ..Recipe::default() };
        let mut rounded = graph.clone();
        let reports = quantize_weights(&mut rounded, &recipe, (rounding == Rounding::Outputs).then_some(&moments));
        let mut values = 0;
        rounded.visit_weights(&mut |w| {
            for filter in w.values.chunks(w.values.len() / w.outputs) {
                let mut distinct: Vec<u32> = filter.iter().map(|x| x.to_bits()).collect();
                distinct.sort_unstable();
                distinct.dedup();
                values = values.max(distinct.len());
            }
        });
        assert!(values <= 8 && reports.len() == 8, "{values} {}", reports.len());
        let after = Program::new(&rounded).unwrap().run(&x).unwrap();
        before.iter().zip(&after).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    for clip in [Clip::Range, Clip::LeastError] {
        for per_channel in [true, false] {
            let [nearest, outputs] = [Rounding::Nearest, Rounding::Outputs].map(|r| error(r, clip, per_channel));
            assert!(outputs < 0.7 * nearest, "{clip:?} {per_channel} {outputs} {nearest}");
        }
    }
}
