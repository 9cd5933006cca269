//! CPU time of one training step, f32, SGD with momentum: this crate against PyTorch in eager mode, interleaved.
//!
//! cargo bench --bench training_step                                    this crate alone
//! cargo bench --bench training_step -- --peer path/to/python           beside benches/peers/training_step.py
//! cargo bench --bench training_step -- --threads 2                     on two threads instead of one
//! cargo bench --bench training_step -- --normalizations                ghost batches and L1 against plain batch normalisation
//!
//! Each round times this crate, PyTorch as a researcher writes it first (plain) and with channels-last convolutions and
//! the fused optimizer (tuned), on data of the same shape. CPU time is that of the whole process, of Linux's /proc.
#![allow(clippy::unwrap_used)]

mod peers;

use implicit_bias::deep::model::{ModelConfig, Network};
use implicit_bias::deep::train::{Trainer, TrainingConfig};
use implicit_bias::math::random::Stream;
use implicit_bias::math::sums::{median, min};
use peers::Peer;
use serde_json::json;
use std::sync::Arc;

/// Name, batch, steps of a round.
const CASES: [(&str, usize, usize); 2] = [("mlp", 256, 12), ("resnet8", 64, 8)];
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).map(|i| arguments[i + 1].as_str());
    let mut peer = option("--peer").map(|python| Peer::start("training_step.py", python));
    let threads: usize = option("--threads").map_or(1, |n| n.parse().unwrap());
    implicit_bias::deep::kernel::keep_freed_memory();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    if arguments.iter().any(|a| a == "--normalizations") {
        return pool.install(normalizations);
    }
    println!("CPU ms a step on {threads} thread(s): min / median of {ROUNDS} rounds, ratio of this crate's median\n");
    println!("| network | batch | this crate | PyTorch, plain | ratio | PyTorch, tuned | ratio |");
    println!("|:--------|------:|-----------:|---------------:|------:|---------------:|------:|");
    for (name, batch, steps) in CASES {
        let mut ours = Ours::new(name, batch, json!({}));
        let mut times = [vec![], vec![], vec![]];
        pool.install(|| ours.time(3));
        for _ in 0..ROUNDS {
            times[0].push(pool.install(|| ours.time(steps)));
            for (variant, times) in ["plain", "tuned"].into_iter().zip(&mut times[1..]) {
                if let Some(peer) = &mut peer {
                    let answer = peer.ask(&format!("{name} {batch} {steps} {threads} {variant}"));
                    times.push(answer["cpu_ms_per_step"].as_f64().unwrap());
                }
            }
        }
        let [own, plain, tuned] = times.each_ref().map(|t| format!("{:.1} / {:.1}", min(t), median(t)));
        let ratio = |peer: &[f64]| median(&times[0]) / median(peer);
        let [to_plain, to_tuned] = [ratio(&times[1]), ratio(&times[2])];
        println!("| {name} | {batch} | {own} | {plain} | {to_plain:.2} | {tuned} | {to_tuned:.2} |");
    }
}

/// Plain batch normalisation, ghost batches of an eighth of the batch, and L1, in turns.
fn normalizations() {
    println!("CPU ms a step: min / median of {ROUNDS} rounds, ratio of medians to plain batch normalisation\n");
    println!("| network | batch | plain | ghost batches of | | ratio | L1 | ratio |");
    println!("|:--------|------:|------:|-----------------:|-:|-----:|---:|------:|");
    for (name, batch, steps) in [("mlp", 1024, 4), ("mlp", 256, 12), ("resnet8", 128, 4)] {
        let ghost = batch / 8;
        let changes = [json!({}), json!({ "ghost": ghost }), json!({ "statistic": "l1" })];
        let mut all = changes.map(|change| (Ours::new(name, batch, change), vec![]));
        for (ours, _) in &mut all {
            ours.time(2);
        }
        for _ in 0..ROUNDS {
            all.iter_mut().for_each(|(ours, times)| times.push(ours.time(steps)));
        }
        let [plain, ghosts, l1] = all.each_ref().map(|(_, t)| format!("{:.1} / {:.1}", min(t), median(t)));
        let ratio = |i: usize| median(&all[i].1) / median(&all[0].1);
        let [to_ghost, to_l1] = [ratio(1), ratio(2)];
        println!("| {name} | {batch} | {plain} | {ghost} | {ghosts} | {to_ghost:.2} | {l1} | {to_l1:.2} |");
    }
}

struct Ours {
    trainer: Trainer,
    config: TrainingConfig,
    pixels: Vec<u8>,
    labels: Arc<Vec<u8>>,
}

impl Ours {
    /// `change` is merged into the model's configuration.
    fn new(name: &str, batch: usize, change: serde_json::Value) -> Self {
        let (network, picture) = match name {
            "mlp" => (json!({ "architecture": "mlp", "hidden": [1024, 1024, 1024] }), [1, 28, 28]),
            _ => (json!({ "architecture": "resnet", "depth": 8 }), [3, 32, 32]),
        };
        let mut model = json!({ "network": network });
        model.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let model: ModelConfig = serde_json::from_value(model).unwrap();
        let sgd = json!({ "method": "sgd", "momentum": 0.9 });
        let config = json!({ "epochs": 1, "batch": batch, "rate": 0.05, "optimizer": sgd });
        let mut stream = Stream::new(0, &["bench"]);
        let mut bytes = |n: usize, below: f64| (0..n).map(|_| (stream.uniform() * below) as u8).collect();
        let pixels = bytes(batch * picture.iter().product::<usize>(), 256.0);
        let labels = Arc::new(bytes(batch, 10.0));
        let trainer = Trainer::new(Network::new(&model, picture, 0), 0);
        Self { trainer, config: serde_json::from_value(config).unwrap(), pixels, labels }
    }

    /// CPU milliseconds a step.
    fn time(&mut self, steps: usize) -> f64 {
        let inputs = self.trainer.network.inputs(&self.pixels);
        let before = cpu_ms();
        for _ in 0..steps {
            let (loss, _) = self.trainer.step(inputs.clone(), &self.labels, self.config.rate, &self.config);
            assert!(loss.is_finite());
        }
        (cpu_ms() - before) / steps as f64
    }
}

/// CPU time of this process, user's and system's: Linux counts it in hundredths of a second.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| 10.0 * ticks.parse::<f64>().unwrap()).sum()
}
