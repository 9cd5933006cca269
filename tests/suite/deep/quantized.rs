//! Training with few bits: the affine quantiser, forked gradients, and networks that round.

use super::{network, training};
use implicit_bias::deep::op::{
    Bifurcated, Bifurcation, Convolution, GradientRounding, Operation, View, apply, constant, gradient, leaf, linear,
    tensor, view,
};
use implicit_bias::deep::quantize::Affine;
use implicit_bias::deep::train::{Trainer, observe};
use implicit_bias::math::random::Stream;
use implicit_bias::math::sums::cosine;
use serde_json::json;
use std::sync::Arc;

fn normals(count: usize, stream: &mut Stream) -> Vec<f32> {
    stream.normals(count).into_iter().map(|v| v as f32).collect()
}

#[test]
fn the_affine_quantiser_keeps_zero_and_is_off_by_half_a_step() {
    let mut stream = Stream::new(0, &["affine"]);
    for bits in 1..=16 {
        for (low, high) in [(-1.0, 1.0), (-3.0, 0.1), (0.0, 6.0), (0.5, 2.0), (-2.0, -1.0), (0.0, 0.0)] {
            let q = Affine::of_range(low, high, bits);
            assert!(q.round(0.0) == 0.0 && (0..=q.top()).contains(&q.zero_point), "{bits} {low} {high}");
            // Zero moves the grid by at most half a step, so that an end may be clipped by as much.
            for _ in 0..100 {
                let x = low + (high - low) * stream.uniform() as f32;
                assert!((q.round(x) - x).abs() <= 1.001 * q.scale, "{bits}: {x} in {low} … {high}");
            }
            let all = (0..=q.top()).map(|i| q.quantize(q.dequantize(i)));
            assert!(all.eq(0..=q.top()), "{bits} bits do not round to themselves");
        }
    }
}

/// The mean of a million draws, at five standard errors; to the nearest, a third of a step becomes nothing.
#[test]
fn random_rounding_has_the_right_mean() {
    let draws = 1_000_000;
    let mut numbers = vec![1.0 / 3.0 / 255.0; draws];
    numbers[0] = 1.0;
    let mean = |seed| {
        let rounded = GradientRounding { bits: 8, seed }.round(&numbers);
        rounded[1..].iter().map(|x| f64::from(*x) * 255.0).sum::<f64>() / (draws - 1) as f64
    };
    let error = (2.0 / 9.0 / draws as f64).sqrt();
    assert!((mean(Some(1)) - 1.0 / 3.0).abs() < 5.0 * error, "{}", mean(Some(1)));
    assert_eq!(mean(None), 0.0);
    assert_eq!(mean(Some(1)), mean(Some(1)));
}

/// Of one gradient two copies: the inputs' gradient is made from the coarse one alone, the weights' from the fine one alone; the
/// same in a linear layer and in the convolution of one pixel that it is.
#[test]
fn gradients_fork() {
    let mut stream = Stream::new(1, &["fork"]);
    let ([n, c, o], coarse, fine) =
        ([6, 5, 4], GradientRounding { bits: 3, seed: None }, GradientRounding { bits: 8, seed: Some(3) });
    let (x, w, dy) = (normals(n * c, &mut stream), normals(o * c, &mut stream), normals(n * o, &mut stream));
    let gradients = Bifurcation { passed: Some(coarse), weights: Some(fine) };
    let plain = Convolution { stride: 1, padding: 0 };
    let inputs = [View { shape: [n, c, 1, 1], values: &x }, View { shape: [o, c, 1, 1], values: &w }];
    let back = |dy: &[f32], needed| plain.backward(&(), inputs, View { shape: [n, o, 1, 1], values: dy }, needed);
    let [dx, _] = back(&coarse.round(&dy), [true, false]);
    let [_, dw] = back(&fine.round(&dy), [false, true]);
    assert_ne!(back(&dy, [true, true]), [dx.clone(), dw.clone()]);

    let forked = Bifurcated { layer: plain, gradients };
    for layer in ["convolution", "linear"] {
        let [x, w] = inputs.map(|v| leaf(&tensor(v.shape, v.values.to_vec())));
        let y = if layer == "linear" { linear(&x, &w, gradients) } else { apply(forked, [&x, &w]) };
        let mut found = (y * constant([n, o, 1, 1], dy.clone())).sum().backward();
        for (leaf, wanted) in [(x, &dx), (w, &dw)] {
            let found = gradient(&leaf, &mut found).unwrap();
            for (f, w) in view(&found).values.iter().zip(wanted.as_ref().unwrap()) {
                assert!((f - w).abs() < 1e-5, "{layer}: {f}, not {w}");
            }
        }
    }
    let none = Bifurcated { layer: plain, gradients: Bifurcation::default() };
    let dy = View { shape: [n, o, 1, 1], values: &dy };
    assert_eq!(none.backward(&(), inputs, dy, [true; 2]), plain.backward(&(), inputs, dy, [true; 2]));
}

#[test]
fn a_network_of_eight_bits_learns_and_what_it_multiplies_is_rounded() {
    let bits = json!({ "weights": 8, "activations": 8, "normalization": 8, "gradients": 8, "weight_gradients": 16 });
    for shape in
        [json!({ "architecture": "mlp", "hidden": [16] }), json!({ "architecture": "resnet", "depth": 8, "width": 4 })]
    {
        let model = json!({ "network": shape, "statistic": "range", "quantization": bits });
        let config = training(
            json!({ "epochs": 1, "batch": 20, "rate": 0.05, "optimizer": { "method": "sgd", "momentum": 0.9 } }),
        );
        let mut trainer = Trainer::new(network(model, [1, 8, 8], 0), 0);
        let mut stream = Stream::new(2, &["pictures"]);
        let pixels: Vec<u8> = (0..20 * 64).map(|_| (256.0 * stream.uniform()) as u8).collect();
        let labels = Arc::new((0..20).map(|i| i % 10).collect::<Vec<u8>>());
        let inputs = trainer.network.inputs(&pixels);
        let losses: Vec<f32> = (0..60).map(|_| trainer.step(inputs.clone(), &labels, 0.05, &config).0).collect();
        assert!(losses[59] < 0.3 * losses[0], "{losses:?}");

        let seen = observe(&trainer.network, &pixels, &labels, 0);
        for numbers in &seen.activations {
            let mut levels: Vec<u32> = numbers.iter().map(|x| x.to_bits()).collect();
            levels.sort_unstable();
            levels.dedup();
            assert!(levels.len() <= 257, "{} levels", levels.len()); // −0 beside 0
        }
        // At test time, too, and in 32 bits the same network says something else.
        let mut float = trainer.network.clone();
        float.config.quantization = None;
        let [few, all] = [&trainer.network, &float].map(|n| n.predict(n.inputs(&pixels)));
        assert!(few != all && cosine(&few, &all) > 0.8, "{few:?}, {all:?}");
    }
}

#[test]
fn what_cannot_be_rounded_is_refused() {
    let check = |change: serde_json::Value| {
        let mut model = json!({ "network": { "architecture": "mlp", "hidden": [4] } });
        model.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value::<implicit_bias::deep::model::ModelConfig>(model).unwrap().check(None)
    };
    check(json!({ "quantization": { "weights": 16, "gradients": 1 } })).unwrap();
    for field in ["weights", "activations", "normalization", "gradients", "weight_gradients"] {
        for bits in [0, 17] {
            let error = check(json!({ "quantization": { field: bits } })).unwrap_err().to_string();
            assert!(error.contains(&format!("run.model.quantization.{field}")) && error.contains("1 to 16"), "{error}");
        }
    }
    let error = check(json!({ "quantization": {}, "weights": "binary" })).unwrap_err().to_string();
    assert!(error.contains("run.model.quantization") && error.contains("one bit already"), "{error}");
}
