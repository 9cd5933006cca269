//! Large batches and normalised weights: adapted regimes, ghost batches, noise, weight decay and what replaces it.

use super::{network, training};
use implicit_bias::deep::model::{Network, Role};
use implicit_bias::deep::op::{Batch, Operation, View, constant};
use implicit_bias::deep::train::{NormRule, Norms, Schedule, Trainer, TrainingConfig};
use implicit_bias::math::random::Stream;
use serde_json::{Value, json};
use std::sync::Arc;

const PICTURE: [usize; 3] = [1, 4, 4];

fn mlp(change: Value) -> Network {
    let mut model = json!({ "network": { "architecture": "mlp", "hidden": [12, 8] } });
    model.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    network(model, PICTURE, 2)
}

fn sgd(change: Value) -> TrainingConfig {
    let mut config = json!({ "epochs": 3, "batch": 32, "rate": 0.1, "optimizer": { "method": "sgd" } });
    config.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    training(config)
}

fn batch(samples: usize) -> (Batch, Arc<Vec<u8>>) {
    let mut stream = Stream::new(0, &["batch"]);
    let x = stream.normals(samples * 16).into_iter().map(|v| v as f32).collect();
    let labels = (0..samples).map(|_| (10.0 * stream.uniform()) as u8).collect();
    (constant([samples, 1, 4, 4], x), Arc::new(labels))
}

fn step(trainer: &mut Trainer, samples: usize, config: &TrainingConfig) {
    let (x, labels) = batch(samples);
    assert!(trainer.step(x, &labels, config.rate, config).0.is_finite());
}

/// The trained numbers after one step.
fn after(network: &Network, samples: usize, config: &TrainingConfig) -> Vec<Vec<f32>> {
    let mut trainer = Trainer::new(network.clone(), 0);
    step(&mut trainer, samples, config);
    trainer.network.parameters.iter().map(|p| p.numbers().to_vec()).collect()
}

#[test]
fn a_regime_is_adapted_to_the_batch() {
    let steps = json!({ "rule": "steps", "epochs": [1, 2], "factor": 0.1 });
    let large = json!({ "reference": 10, "rate_power": 0.5, "adapt_regime": true });
    let adapted = sgd(json!({ "schedule": steps, "large_batch": large })).adapted();
    assert_eq!(adapted.epochs, 12, "32 is 3.2 times 10: four epochs for one");
    assert_eq!(adapted.schedule, Schedule::Steps { epochs: vec![4, 8], factor: 0.1 });
    assert!((adapted.rate - 0.1 * 3.2_f64.sqrt()).abs() < 1e-15 && adapted.large_batch.is_none());
    assert!((adapted.rate(8) - adapted.rate * 0.01).abs() < 1e-15);
    let same = sgd(json!({ "schedule": steps, "large_batch": { "reference": 10 } })).adapted();
    assert_eq!((same.epochs, same.rate, same.schedule), (3, 0.1, sgd(json!({ "schedule": steps })).schedule));
}

/// Ghost batches are small batches: outputs, gradients and running statistics are those of each on its own.
#[test]
fn ghost_batches_are_small_batches() {
    let (plain, ghost) = (mlp(json!({})), mlp(json!({ "ghost": 8 })));
    let config = sgd(json!({}));
    assert_eq!(after(&plain, 8, &config), after(&ghost, 8, &config), "one ghost batch is the batch");
    assert_ne!(after(&plain, 32, &config), after(&ghost, 32, &config));

    let x: Vec<f32> = Stream::new(3, &["ghost"]).normals(24 * 12).into_iter().map(|v| v as f32).collect();
    let (gamma, beta) = ([1.5_f32; 12], [0.5_f32; 12]);
    let normalized = |network: &Network, x: &[f32]| {
        let vector = |values| View { shape: [1, 12, 1, 1], values };
        let norm = network.norm();
        let x = View { shape: [x.len() / 12, 12, 1, 1], values: x };
        (norm.forward([x, vector(&gamma), vector(&beta)]).0.values, norm.moments)
    };
    let (whole, moments) = normalized(&ghost, &x);
    let (mut one_by_one, mut at_once) = (plain.clone(), ghost.clone());
    for (x, y) in x.chunks(8 * 12).zip(whole.chunks(8 * 12)) {
        let (part, moments) = normalized(&plain, x);
        assert_eq!(part, y);
        one_by_one.update(&[(0, moments)]);
    }
    at_once.update(&[(0, moments)]);
    assert_eq!(at_once.running[0].mean, one_by_one.running[0].mean);
    assert_eq!(at_once.running[0].variance, one_by_one.running[0].variance);
}

/// Each sample's gradient is multiplied by a factor of mean one; the loss that is reported is the plain one.
#[test]
fn gradient_noise_has_mean_one() {
    let network = mlp(json!({ "normalization": "none" }));
    let quiet = sgd(json!({}));
    let start: Vec<Vec<f32>> = network.parameters.iter().map(|p| p.numbers().to_vec()).collect();
    let plain = after(&network, 32, &quiet);
    let noisy = sgd(json!({ "gradient_noise": 0.5 }));
    let (mut mean, draws) = (vec![0.0_f64; start[0].len()], 400);
    for seed in 0..draws {
        let mut trainer = Trainer::new(network.clone(), seed);
        step(&mut trainer, 32, &noisy);
        let moved = trainer.network.parameters[0].numbers().iter().zip(&start[0]);
        mean.iter_mut().zip(moved).for_each(|(m, (w, s))| *m += f64::from(w - s) / draws as f64);
    }
    let steps: Vec<f64> = plain[0].iter().zip(&start[0]).map(|(w, s)| f64::from(w - s)).collect();
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let size = distance(&steps, &vec![0.0; steps.len()]);
    let off = distance(&mean, &steps) / size;
    assert!(off < 0.1, "the mean step is off by {off} of its length");
    assert_ne!(after(&network, 32, &noisy), plain);
}

/// Weights that a normalisation follows are marked; the others are not, nor is anything without a normalisation.
#[test]
fn normalised_weights_are_known() {
    let marked = |network: &Network| {
        let own = network.parameters.iter().filter(|p| p.normalized).map(|p| p.name.clone());
        own.collect::<Vec<_>>()
    };
    assert_eq!(marked(&mlp(json!({}))), ["fc1.weight", "fc2.weight"]);
    assert!(marked(&mlp(json!({ "normalization": "none" }))).is_empty());
    assert!(marked(&mlp(json!({ "normalization": "mean-only" }))).is_empty());
    let resnet = json!({ "network": { "architecture": "resnet", "depth": 8, "width": 4 } });
    let resnet = network(resnet, [3, 16, 16], 0);
    let convolutions = resnet.parameters.iter().filter(|p| p.shape.len() == 4);
    assert_eq!(marked(&resnet), convolutions.map(|p| p.name.clone()).collect::<Vec<_>>());

    // Decay of the unnormalised: a step differs from one without by −ηλw in the output layer alone.
    let network = mlp(json!({}));
    let without = after(&network, 32, &sgd(json!({})));
    let with = after(&network, 32, &sgd(json!({ "weight_decay": 0.5, "decay_on": "unnormalized" })));
    for ((p, a), b) in network.parameters.iter().zip(&without).zip(&with) {
        let decays = p.role == Role::Weight && !p.normalized;
        let wanted = |w: &f32| if decays { 0.1 * 0.5 * w } else { 0.0 };
        for ((a, b), w) in a.iter().zip(b).zip(p.numbers()) {
            assert!((a - b - wanted(w)).abs() < 1e-6, "{}", p.name);
        }
    }
}

/// Corrected rates multiply each output's step by ‖w‖²/norm²; set norms are the norms after a step.
#[test]
fn norms_steer_a_training() {
    let network = mlp(json!({}));
    let config = sgd(json!({}));
    let targets: Vec<Vec<f32>> = network
        .parameters
        .iter()
        .map(|p| {
            if p.normalized {
                p.norms().iter().enumerate().map(|(c, n)| n * (1.0 + c as f32)).collect()
            } else {
                vec![]
            }
        })
        .collect();
    let steered = |rule| {
        let mut trainer = Trainer::new(network.clone(), 0);
        trainer.norms = Some(Norms { rule, of: targets.clone() });
        step(&mut trainer, 32, &config);
        trainer.network
    };
    let plain = after(&network, 32, &config);
    for (i, p) in steered(NormRule::CorrectRate).parameters.iter().enumerate() {
        let start = network.parameters[i].numbers();
        let fan_in = start.len() / targets[i].len().max(1);
        for (at, w) in p.numbers().iter().enumerate() {
            let factor = if p.normalized { (1.0 + (at / fan_in) as f32).powi(-2) } else { 1.0 };
            let wanted = start[at] + factor * (plain[i][at] - start[at]);
            assert!((w - wanted).abs() < 1e-6, "{} {at}: {w}, not {wanted}", p.name);
        }
    }
    for (p, targets) in steered(NormRule::Set).parameters.iter().zip(&targets) {
        p.norms().iter().zip(targets).for_each(|(n, to)| assert!((n / to - 1.0).abs() < 1e-6, "{}", p.name));
    }
}

/// Free norms change nothing at the start; bounded ones stay, and are one number a layer.
#[test]
fn weight_norms() {
    let mean_only = json!({ "normalization": "mean-only" });
    let with = |kind: &str| mlp(json!({ "normalization": "mean-only", "parametrization": kind }));
    let (x, _) = batch(16);
    let outputs = |network: &Network| network.predict(x.clone());
    let (plain, free) = (outputs(&mlp(mean_only)), outputs(&with("weight-norm")));
    plain.iter().zip(&free).for_each(|(a, b)| assert!((a - b).abs() < 1e-5));

    let mut trainer = Trainer::new(with("bounded-weight-norm"), 0);
    let fixed = |network: &Network| {
        let own = network.parameters.iter().filter(|p| p.role == Role::Fixed && p.name.ends_with("weight_g"));
        own.map(|p| p.numbers().to_vec()).collect::<Vec<_>>()
    };
    let before = fixed(&trainer.network);
    assert!(before.len() == 2 && before.iter().all(|g| g.iter().all(|v| *v == g[0])));
    (0..5).for_each(|_| step(&mut trainer, 32, &sgd(json!({}))));
    assert_eq!(fixed(&trainer.network), before);
}

/// A scale that overflows in half precision leaves the shift alone; in its range it is that of 32 bits to a percent.
#[test]
fn half_precision() {
    let with = |scale: f64| {
        let half = json!({ "accumulator": "single", "squares": true });
        mlp(json!({ "half": half, "half_scale": scale })).norm()
    };
    let x: Vec<f32> = Stream::new(5, &["half"]).normals(64).into_iter().map(|v| v as f32).collect();
    let (one, shift) = ([1.0_f32], [0.25_f32]);
    let vector = |values| View { shape: [1, 1, 1, 1], values };
    let run = |norm: implicit_bias::deep::op::BatchNorm| {
        let x = View { shape: [64, 1, 1, 1], values: &x };
        norm.forward([x, vector(&one), vector(&shift)]).0.values
    };
    let exact = run(mlp(json!({})).norm());
    assert!(run(with(1000.0)).iter().all(|y| *y == 0.25));
    run(with(1.0)).iter().zip(&exact).for_each(|(a, b)| assert!((a - b).abs() < 0.01 * b.abs().max(1.0)));
}
