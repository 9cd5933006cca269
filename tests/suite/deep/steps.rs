//! Ten training steps against tests/fixtures/training_steps.json and binary_steps.json (PyTorch in f64 and f32).

use super::{binary_mlp, network, training};
use crate::common::{fixture, numbers, root};
use implicit_bias::deep::model::Network;
use implicit_bias::deep::op::{Batch, constant};
use implicit_bias::deep::train::{Loss, Trainer, TrainingConfig, load_state};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::sync::Arc;

/// Inputs `(p + shift)·scale`, labels.
type Data = (Batch, Arc<Vec<u8>>);

fn batches(file: &SafeTensors, prefix: &str, [c, h, w]: [usize; 3], (shift, scale): (f32, f32)) -> [Data; 2] {
    [0, 1].map(|k| {
        let bytes = |kind: &str| file.tensor(&format!("{prefix}batch{k}.{kind}")).unwrap().data().to_vec();
        let labels = bytes("labels");
        let inputs = bytes("pixels").iter().map(|p| (f32::from(*p) + shift) * scale).collect();
        (constant([labels.len(), c, h, w], inputs), Arc::new(labels))
    })
}

/// Mean loss of scores in f64, by the formulas.
fn mean_loss(scores: &[f32], labels: &[u8], loss: Loss) -> f64 {
    let one = |(row, label): (&[f32], &u8)| {
        let row: Vec<f64> = row.iter().map(|y| f64::from(*y)).collect();
        let own = *label as usize;
        match loss {
            Loss::CrossEntropy => row.iter().map(|y| y.exp()).sum::<f64>().ln() - row[own],
            Loss::SquaredHinge => {
                let slack = |(k, y): (usize, &f64)| (1.0 - if k == own { *y } else { -y }).max(0.0).powi(2);
                row.iter().enumerate().map(slack).sum::<f64>() / row.len() as f64
            }
        }
    };
    scores.chunks_exact(scores.len() / labels.len()).zip(labels).map(one).sum::<f64>() / labels.len() as f64
}

fn norm(numbers: &[f32]) -> f64 {
    numbers.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt()
}

/// Trains ten steps and compares everything that the fixture tells of them. `first` is the share of a gradient in the first
/// moment after one step.
fn compare(network: Network, data: &[Data; 2], config: &TrainingConfig, wanted: &Value, first: f64, tolerance: f64) {
    let close = |what, found: f64, wanted: f64, floor: f64| {
        let off = (found - wanted).abs() / wanted.abs().max(floor);
        assert!(off < tolerance, "{what}: {found}, not {wanted}, off by {off:.1e}");
    };
    let mut trainer = Trainer::new(network, 0);
    for (t, wanted_loss) in numbers(&wanted["losses"]).into_iter().enumerate() {
        let (inputs, labels) = &data[t % 2];
        let (loss, scores) = trainer.step(inputs.clone(), labels, config.rate, config);
        close("loss", f64::from(loss), wanted_loss, 0.0);
        close("loss of the scores", mean_loss(&scores, labels, config.loss), wanted_loss, 0.0);
        if t == 0 {
            let gradients = wanted["gradient_norms"].as_object().unwrap();
            assert_eq!(gradients.len(), trainer.network.parameters.len());
            for (p, [moment, _]) in trainer.network.parameters.iter().zip(&trainer.optimizer.state) {
                close("gradient", norm(moment) / first, gradients[&p.name].as_f64().unwrap(), 0.1);
            }
        }
    }
    let network = &trainer.network;
    let running = network.running.iter().flat_map(|r| [("mean", &r.mean), ("var", &r.variance)].map(|k| (&r.name, k)));
    let running = running.map(|(name, (kind, values))| (format!("{name}.running_{kind}"), &values[..]));
    let all: Vec<_> = network.parameters.iter().map(|p| (p.name.clone(), p.numbers())).chain(running).collect();
    let norms = wanted["final_norms"].as_object().unwrap();
    assert_eq!(norms.len(), all.len());
    all.iter().for_each(|(name, values)| close("final norm", norm(values), norms[name].as_f64().unwrap(), 0.0));
    for ((inputs, labels), wanted) in data.iter().zip(numbers(&wanted["test_losses"])) {
        close("test loss", mean_loss(&network.predict(inputs.clone()), labels, config.loss), wanted, 0.0);
    }
}

#[test]
fn ten_steps_of_real_networks() {
    let wanted = fixture("training_steps.json");
    let file = std::fs::read(root().join("tests/fixtures/training_steps.safetensors")).unwrap();
    let sgd = json!({ "method": "sgd", "momentum": 0.9 });
    let config = training(json!({ "epochs": 1, "batch": 32, "rate": 0.05, "optimizer": sgd }));
    let cases = [
        ("mlp", json!({ "architecture": "mlp", "hidden": [128, 128, 128] }), [1, 8, 8]),
        ("lenet", json!({ "architecture": "lenet", "channels": [8, 16], "hidden": 64 }), [1, 28, 28]),
        ("resnet8", json!({ "architecture": "resnet", "depth": 8 }), [3, 32, 32]),
    ];
    for (name, architecture, picture) in cases {
        let mut network = network(json!({ "network": architecture }), picture, 0);
        load_state(&mut network, &file, &format!("{name}.")).unwrap();
        let data =
            batches(&SafeTensors::deserialize(&file).unwrap(), &format!("{name}."), picture, (-128.0, 1.0 / 128.0));
        compare(network, &data, &config, &wanted[name], 1.0, 1e-5);
    }
}

#[test]
fn ten_steps_of_a_binary_network() {
    let wanted = fixture("binary_steps.json");
    let file = std::fs::read(root().join("tests/fixtures/binary_steps.safetensors")).unwrap();
    let adam = json!({ "method": "adam" });
    let config =
        training(json!({ "epochs": 1, "batch": 32, "rate": 3e-3, "optimizer": adam, "loss": "squared-hinge" }));
    let mut network = network(binary_mlp(&[96, 96]), [1, 8, 8], 0);
    load_state(&mut network, &file, "").unwrap();
    let data = batches(&SafeTensors::deserialize(&file).unwrap(), "", [1, 8, 8], (-127.5, 2.0));
    compare(network, &data, &config, &wanted, 0.1, 1e-5);
}
