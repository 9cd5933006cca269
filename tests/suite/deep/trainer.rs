//! Training: the same bits at any number of threads, from a checkpoint as without it; checkpoints that do not fit.

use super::{binary_mlp, bytes, network, training};
use implicit_bias::data::images::{Images, LabelledImages};
use implicit_bias::deep::model::Network;
use implicit_bias::deep::train::{
    Set, Status, Trainer, TrainingConfig, load_network, load_state, predictions, save_network,
};
use implicit_bias::math::random::Stream;
use serde_json::{Value, json};
use std::ops::ControlFlow;

fn set(count: usize, [channels, height, width]: [usize; 3]) -> Set {
    let mut stream = Stream::new(0, &["pictures"]);
    let mut byte = |below: f64| (stream.uniform() * below) as u8;
    let pixels = (0..count * channels * height * width).map(|_| byte(256.0)).collect();
    let labels = (0..count).map(|_| byte(10.0)).collect();
    Set { pictures: LabelledImages::new(Images { channels, height, width, pixels }, labels).unwrap() }
}

fn sgd() -> Value {
    json!({ "method": "sgd", "momentum": 0.9 })
}

fn config(optimizer: Value, batch: usize) -> TrainingConfig {
    let schedule = json!({ "rule": "exponential", "last": 1e-3 });
    training(json!({
        "epochs": 4, "batch": batch, "rate": 0.01, "optimizer": optimizer, "schedule": schedule, "augment": true,
        "weight_decay": 1e-4, "clip_norm": 5.0,
    }))
}

/// Reports of the epochs, as text: NaN is to equal NaN.
fn train(trainer: &mut Trainer, set: &Set, config: &TrainingConfig, epochs: usize) -> String {
    let mut one = |_| trainer.epoch(set, config, &mut |_, _| ControlFlow::Continue(()));
    let done = |s: Status| if let Status::Done(epoch) = s { format!("{epoch:?}") } else { panic!("{s:?}") };
    (0..epochs).map(|k| done(one(k))).collect()
}

/// One of each kind, with pictures for it.
fn networks() -> Vec<(Network, Set)> {
    let stochastic = json!({
        "network": { "architecture": "vgg-small", "width": 4 }, "weights": "binary-stochastic",
        "activation": "sign-stochastic", "normalization": "shift-batch", "normalize_output": true,
    });
    let cases = [
        (json!({ "network": { "architecture": "mlp", "hidden": [300, 200] } }), [1, 28, 28]),
        (json!({ "network": { "architecture": "lenet", "channels": [6, 10], "hidden": 60 } }), [1, 28, 28]),
        (json!({ "network": { "architecture": "resnet", "depth": 8, "width": 8 } }), [3, 16, 16]),
        (binary_mlp(&[300, 200]), [1, 28, 28]),
        (stochastic, [3, 16, 16]),
    ];
    cases.map(|(model, picture)| (network(model, picture, 1), set(150, picture))).into()
}

#[test]
fn the_same_bits_at_any_number_of_threads() {
    for (network, set) in networks() {
        let config = config(sgd(), 70);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut trainer = Trainer::new(network.clone(), 3);
            pool.install(|| {
                (train(&mut trainer, &set, &config, 1), predictions(&trainer.network, &set), bytes(&trainer))
            })
        };
        let one = run(1);
        (2..=4).for_each(|threads| assert!(run(threads) == one, "{threads} threads: {:?}", network.config));
    }
}

#[test]
fn training_goes_on_exactly_from_a_checkpoint() {
    let methods = ["adam", "adamax", "shift-adamax"].map(|m| json!({ "method": m }));
    for optimizer in std::iter::once(sgd()).chain(methods) {
        let config = config(optimizer, 40);
        for (network, set) in networks().split_off(2) {
            let mut whole = Trainer::new(network.clone(), 3);
            let before = train(&mut whole, &set, &config, 1);
            let kept = whole.save("notes").unwrap();
            let after = train(&mut whole, &set, &config, 1);
            // The initial weights of another seed: all come from the file.
            let fresh = Network::new(&network.config, network.picture, 9);
            let mut resumed = Trainer::new(fresh, 3);
            assert_eq!(resumed.load(&kept).unwrap(), "notes");
            assert_eq!(train(&mut resumed, &set, &config, 1), after);
            assert!(before != after && bytes(&resumed) == bytes(&whole), "{:?}", config.optimizer);
        }
    }
}

#[test]
fn an_interrupted_epoch_counts_for_nothing() {
    let (network, set) = networks().remove(0);
    let (config, mut trainer) = (config(sgd(), 50), Trainer::new(network, 3));
    train(&mut trainer, &set, &config, 1);
    let (kept, mut asked) = (bytes(&trainer), 0);
    let end = trainer.epoch(&set, &config, &mut |_, progress| {
        asked += 1;
        if progress.pictures < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!((end, asked), (Status::Interrupted, 3));
    assert!(bytes(&trainer) == kept);
}

#[test]
fn networks_come_back_from_files() {
    for (network, set) in networks() {
        let mut trainer = Trainer::new(network, 3);
        train(&mut trainer, &set, &config(sgd(), 50), 1);
        let file = save_network(&trainer.network).unwrap();
        let read = load_network(&file, "net").unwrap();
        assert_eq!(read.config, trainer.network.config);
        assert_eq!(save_network(&read).unwrap(), file);
        assert_eq!(predictions(&read, &set), predictions(&trainer.network, &set));
    }
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let trainers: Vec<Trainer> = networks().into_iter().map(|(n, _)| Trainer::new(n, 3)).collect();
    let refused = |trainer: &Trainer, file: &[u8], words: &[&str]| {
        let message = trainer.clone().load(file).unwrap_err().to_string();
        words.iter().for_each(|w| assert!(message.contains(w), "{w} is not in: {message}"));
    };
    let whole = bytes(&trainers[0]);
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        refused(&trainers[0], &whole[..length], &["not a whole safetensors file"]);
        assert!(load_network(&whole[..length], "net").unwrap_err().to_string().starts_with("net: not a"));
    }
    refused(&trainers[1], &whole, &["`checkpoint.model` is", "Lenet"]);
    refused(&trainers[3], &whole, &["`checkpoint.model` is", "Binary"]);
    refused(&trainers[0], &save_network(&trainers[0].network).unwrap(), &["without its training's progress"]);
    let other = Trainer { seed: 4, ..trainers[0].clone() };
    refused(&other, &whole, &["`checkpoint.seed` is 3"]);
    let narrow = network(json!({ "network": { "architecture": "mlp", "hidden": [300, 100] } }), [1, 28, 28], 1);
    refused(&Trainer::new(narrow.clone(), 3), &whole, &["`checkpoint.model` is", "[300, 100]"]);
    let message = load_state(&mut narrow.clone(), &whole, "").unwrap_err().to_string();
    assert!(message.contains("tensor `fc2.weight`` is F32 [200, 300]"), "{message}");
}
