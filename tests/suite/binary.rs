//! The kinds about binary arithmetic: counts by hand, configurations refused with a way on.

#[cfg(feature = "deep")]
use crate::program::{SMALL, program, write_spec};
use implicit_bias::experiment::kinds::{Context, Kind};
use implicit_bias::record::Scratch;
use std::sync::atomic::AtomicBool;
use toml::Table;

const ENERGY: &str = r#"
    arithmetic = "ARITHMETIC"
    network = { input = [1, 2, 2], layers = [{ convolution = 2 }, "pool", { dense = 3 }] }
    cost = { multiply = 3.7, add = 0.9, integer_add = 0.1, word_operations = 6.0, caches = [[8.0, 10.0], [32.0, 20.0]], dram = 1300.0 }
"#;

fn energies(text: &str) -> Vec<f64> {
    let config = Kind::Energy.check(&text.parse::<Table>().unwrap()).unwrap();
    let stop = AtomicBool::new(false);
    let context = Context { stop: &stop, scratch: Scratch::default(), tell: &|_| {} };
    let result = config.run(&context).unwrap();
    result.metrics.iter().map(|(_, v)| *v).collect()
}

#[test]
fn energy_of_a_network_counted_by_hand() {
    // Convolution: 9·1·2 weights at 4 places, 4 numbers in, 2 out after pooling. Dense: 2·3 weights, 2 in, 3 out.
    let (weights, connections, outputs) = (18.0 + 6.0, 72.0 + 6.0, 2.0 + 3.0);
    // Bits of parameters, bits of activations, picojoules of arithmetic.
    let cases = [
        ("float", 32.0 * weights + 64.0 * 5.0, 32.0 * (4.0 + 2.0 + 2.0 + 3.0), 4.6 * (connections + outputs)),
        ("binary-weights", weights + 64.0 * 5.0, 32.0 * (4.0 + 2.0 + 2.0 + 3.0), 0.9 * connections + 4.6 * outputs),
        (
            "binary",
            weights + 32.0 * 5.0,
            8.0 * 4.0 + 2.0 + 2.0 + 32.0 * 3.0,
            (8.0 * 72.0 + 6.0) * 0.6 / 32.0 + 0.1 * outputs,
        ),
    ];
    for (arithmetic, parameters, activations, picojoules) in cases {
        let found = energies(&ENERGY.replace("ARITHMETIC", arithmetic));
        let memory = [parameters, activations].map(|bits| bits / 64.0 * 10.0);
        let by_hand = [
            weights,
            connections,
            parameters / 8.0,
            activations / 8.0,
            picojoules / 1e6,
            memory[0] / 1e6,
            memory[1] / 1e6,
            (picojoules + memory[0] + memory[1]) / 1e6,
        ];
        let close = found.iter().zip(by_hand).all(|(a, b)| (a - b).abs() <= 1e-12 * b);
        assert!(close && found.len() == by_hand.len(), "{arithmetic}: {found:?}, by hand {by_hand:?}");
    }
    // What no cache holds comes from DRAM.
    let wide = ENERGY.replace("ARITHMETIC", "float").replace("[8.0, 10.0], [32.0, 20.0]", "[0.1, 10.0], [0.13, 20.0]");
    assert!((energies(&wide)[5] - 1088.0 / 64.0 * 1300.0 / 1e6).abs() < 1e-12);
}

#[test]
fn configurations_are_refused_by_field() {
    let energy = ENERGY.replace("ARITHMETIC", "binary");
    let identity = r#"
        seed = 0
        check = { identity = "stochastic-sign", x = 0.5, draws = 8 }
    "#;
    let cases: [(Kind, &str, &str, &str, &[&str]); 12] = [
        (Kind::Energy, &energy, "\"binary\"", "\"ternary\"", &["run.arithmetic", "ternary", "binary-weights"]),
        (Kind::Energy, &energy, "dram = 1300.0", "dram = -1.0", &["run.cost.dram", "is -1,", "above 0"]),
        (Kind::Energy, &energy, ", dram = 1300.0", "", &["run.cost.dram", "missing"]),
        (Kind::Energy, &energy, "dense = 3", "dense = 0", &["run.network.layers", "is 0,", "65536"]),
        (Kind::Energy, &energy, "dense = 3", "dens = 3", &["run.network.layers[2]", "dens", "convolution"]),
        (Kind::Energy, &energy, "[1, 2, 2]", "[1, 2]", &["run.network.input", "3"]),
        (Kind::Energy, &energy, "{ convolution = 2 }, \"pool\", { dense = 3 }", "", &["run.network.layers", "empty"]),
        (Kind::BinaryIdentity, identity, "seed = 0", "", &["run.seed", "missing"]),
        (Kind::BinaryIdentity, identity, "stochastic-sign", "sine", &["run.check", "sine", "stochastic-sign"]),
        (Kind::BinaryIdentity, identity, "x = 0.5, ", "", &["run.check.x", "missing"]),
        (Kind::BinaryIdentity, identity, "x = 0.5", "x = nan", &["run.check.x", "NaN"]),
        (Kind::BinaryIdentity, identity, "draws = 8", "draws = 0", &["run.check.draws", "is 0,", "above 0"]),
    ];
    for (kind, text, from, to, words) in cases {
        assert!(kind.check(&text.parse().unwrap()).is_ok() && text.contains(from), "{from}");
        let error = kind.check(&text.replacen(from, to, 1).parse().unwrap()).unwrap_err().to_string();
        assert!(words.iter().all(|w| error.contains(w)), "{from} → {to}: {error}");
    }
}

#[test]
#[cfg(feature = "deep")]
fn what_measures_time_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (head, expect) = (SMALL.split("[run]").next().unwrap(), SMALL.split("[[expect]]").nth(1).unwrap());
    let run = "threads = 1\nseconds = 0.01\ntask = { work = \"product\", m = 9, n = 33, k = 65 }";
    let spec = format!("{head}[run]\n{run}\n[grid]\nrepetition = [0, 1]\n[[expect]]{expect}");
    let spec = spec.replace("\"limit\"", "\"timing\"").replace("log_loss", "naive_seconds").replace("0.0\n", "1.0\n");
    write_spec(folder.path(), &spec);
    let reproduce = ["reproduce", "--experiments", "mine", "--out", "results", "--fresh"];
    for _ in 0..2 {
        let (code, out, err) = program(folder.path(), &reproduce);
        assert!(code == 0 && out.contains("own/01-small: measures time"), "{code} {out}{err}");
        assert!(!out.contains("differ from those stored") && !out.contains("byte for byte"), "{out}");
    }
    let (code, out, err) = program(folder.path(), &["verify", "--rerun", "2"]);
    assert!(code == 0 && out.contains("0 runs run again") && err.contains("measures time"), "{code} {out}{err}");
}
