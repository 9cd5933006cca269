//! EfficientNet-Lite0 in f32 and on integers, one picture, against ONNX Runtime or PyTorch, taking turns on the same machine.
//!
//! implicit-bias convert data/imagenet/efficientnet-lite0-57934424.pth lite0.safetensors
//! cargo bench --no-default-features --bench inference -- --model lite0.safetensors --peer path/to/python --engine onnxruntime
//! cargo bench --no-default-features --bench inference -- --model lite0.safetensors --peer path/to/python --engine torch --threads 1
#![allow(clippy::panic, clippy::unwrap_used)]

mod peers;

use implicit_bias::deep::inference::quantize::Calibration;
use implicit_bias::deep::inference::{Description, Program};
use implicit_bias::deep::integer::Network;
use implicit_bias::deep::kernel::int8::Instructions;
use peers::Peer;
use std::time::Instant;

const ROUNDS: usize = 15;
const RUNS: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).map(|i| arguments[i + 1].as_str());
    let threads: usize = option("--threads").map_or(2, |t| t.parse().unwrap());
    let model = std::fs::canonicalize(option("--model").unwrap_or("lite0.safetensors")).unwrap();
    let network = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/networks/efficientnet-lite0.toml");
    let description = Description::parse(&std::fs::read_to_string(network).unwrap()).unwrap();
    let mut graph = description.graph(&std::fs::read(&model).unwrap()).unwrap();
    graph.fold_batch_norms();
    let program = Program::new(&graph).unwrap();
    let input: Vec<f32> = (0..3 * 224 * 224).map(|i| (0.1 * f64::from(i)).sin() as f32).collect();
    let integers = Network::new(&graph, &Calibration::new(&graph, &input).unwrap()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let engine = option("--engine").unwrap_or("onnxruntime");
    let mut peer = option("--peer").map(|python| Peer::start("inference.py", python));
    let request = format!("{engine} {threads} {RUNS} {} {network}", model.display());
    let (mut ours, mut bytes, mut theirs) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        pool.install(|| {
            for _ in 0..RUNS {
                let started = Instant::now();
                let outputs = program.run(&input).unwrap();
                ours.push(1e3 * started.elapsed().as_secs_f64());
                assert!((outputs[905] - 8.64773).abs() < 1e-3);
                let started = Instant::now();
                let outputs = integers.run(Instructions::best(), &input).unwrap();
                bytes.push(1e3 * started.elapsed().as_secs_f64());
                assert!((outputs[905] - 8.64773).abs() < 2.0);
            }
        });
        if let Some(peer) = &mut peer {
            let answer = peer.ask(&request);
            theirs.extend(
                answer["ms"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|t| t.as_f64().unwrap()),
            );
            assert!((answer["output"].as_f64().unwrap() - 8.64773).abs() < 1e-3);
        }
    }
    let figures = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        (times[0], times[times.len() / 2])
    };
    let (least, median) = figures(&mut ours);
    println!("threads {threads}, ms a picture, least / median: this crate {least:.2} / {median:.2}");
    let (l, m) = figures(&mut bytes);
    println!("on integers {l:.2} / {m:.2}; ratio to f32 {:.2} / {:.2}", l / least, m / median);
    if peer.is_some() {
        let (l, m) = figures(&mut theirs);
        println!("{engine} {l:.2} / {m:.2}; ratio {:.2} / {:.2}", least / l, median / m);
    }
}
