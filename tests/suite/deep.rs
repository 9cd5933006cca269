//! The deep wing: against PyTorch, against formulas in f64, and against itself.

mod interrupted;
mod large_batch;
mod operations;
mod quantized;
mod shift;
mod steps;
mod trainer;

use implicit_bias::deep::model::{ModelConfig, Network};
use implicit_bias::deep::train::{Trainer, TrainingConfig};
use serde_json::{Value, json};

/// A network of a configuration written as a specification would.
fn network(model: Value, picture: [usize; 3], seed: u64) -> Network {
    let config: ModelConfig = serde_json::from_value(model).unwrap();
    config.check(Some(picture)).unwrap();
    Network::new(&config, picture, seed)
}

fn training(config: Value) -> TrainingConfig {
    let config: TrainingConfig = serde_json::from_value(config).unwrap();
    config.check().unwrap();
    config
}

fn binary_mlp(hidden: &[usize]) -> Value {
    let network = json!({ "architecture": "mlp", "hidden": hidden });
    json!({ "network": network, "weights": "binary", "activation": "sign", "normalize_output": true, "eps": 1e-4 })
}

/// Everything that training has changed.
fn bytes(trainer: &Trainer) -> Vec<u8> {
    trainer.save("").unwrap()
}
