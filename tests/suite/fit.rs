//! `fit` as a person uses it: own data in, a certified limit out; every bad option is refused before anything runs.

mod memory;
mod refused;

use crate::common::{dot, files, norm, relative};
use crate::program::{command, program};
use implicit_bias::data::Dataset;
use implicit_bias::data::embedded::{ImageSet, image_pair};
use implicit_bias::data::generate::gaussian;
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::metric::COLUMNS;
use implicit_bias::linear::predicted::minimum_norm;
use implicit_bias::linear::solver::{Objective, Schedule, StepRule, Stop, gradient_descent};
use implicit_bias::linear::{Architecture, Task};
use implicit_bias::math::random::Stream;
use implicit_bias::record::table::Table;
use serde_json::Value;
use std::f64::consts::TAU;
use std::fs::{read_to_string, write};
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

/// Six signals of length 12, as a data set and as `data.csv` with these two labels.
fn signals(folder: &Path, labels: [&str; 2]) -> Dataset {
    let data = gaussian(&[12], 6, None, 3).unwrap();
    write(folder.join("data.csv"), csv(&data, labels)).unwrap();
    data
}

/// The label first, so that its column has to be looked for.
fn csv(data: &Dataset, labels: [&str; 2]) -> String {
    let names: Vec<String> = (0..data.features()).map(|j| format!("x{j}")).collect();
    let line = |i: usize| {
        let label = labels[usize::from(data.y[i] > 0.0)].to_string();
        let values = data.row(i).iter().map(|v| format!("{v:?}"));
        std::iter::once(label).chain(values).collect::<Vec<_>>().join(",")
    };
    let lines: Vec<String> = (0..data.samples()).map(line).collect();
    format!("class,{}\n{}\n", names.join(","), lines.join("\n"))
}

/// The arguments of a fit of `data.csv`; what `more` says comes after.
fn arguments<'a>(network: &'a str, depth: &'a str, more: &'a str) -> Vec<&'a str> {
    let base = ["fit", "--data", "data.csv", "--label", "class", "--network", network, "--depth", depth];
    base.into_iter().chain(more.split_whitespace()).collect()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let (code, out, err) = program(folder, &[arguments, &["--json"]].concat());
    assert!(code == 0 && err.is_empty(), "{arguments:?}: {code} {out}{err}");
    serde_json::from_str(&out).unwrap()
}

fn number(value: &Value, field: &str) -> f64 {
    value[field].as_f64().unwrap_or_else(|| panic!("no number `{field}` in {value}"))
}

fn column(path: &Path) -> Vec<f64> {
    read_to_string(path).unwrap().lines().map(|l| l.parse().unwrap()).collect()
}

fn smallest_margin(data: &Dataset, beta: &[f64]) -> f64 {
    (0..data.samples()).map(|i| data.y[i] * dot(data.row(i), beta)).fold(f64::INFINITY, f64::min)
}

/// ‖β‖₂, ‖β̂‖_p or ‖β‖_p, by the formulas.
fn by_hand(network: &str, depth: i32, beta: &[f64]) -> f64 {
    let (d, p) = (beta.len() as f64, 2.0 / f64::from(depth));
    let bin = |k: usize| {
        let turn = |n: usize| TAU * (k * n) as f64 / d;
        let part = |f: fn(f64) -> f64| beta.iter().enumerate().map(|(n, b)| b * f(turn(n))).sum::<f64>() / d.sqrt();
        part(f64::cos).hypot(part(f64::sin))
    };
    let power_sum = |v: Vec<f64>| v.iter().map(|x| x.abs().powf(p)).sum::<f64>().powf(1.0 / p);
    match (network, depth) {
        ("fully-connected", _) | (_, 1) => norm(beta),
        ("convolutional", _) => power_sum((0..beta.len()).map(bin).collect()),
        _ => power_sum(beta.to_vec()),
    }
}

#[test]
fn the_limit_is_the_oracles_within_the_certified_gap() {
    let folder = tempfile::tempdir().unwrap();
    let data = signals(folder.path(), ["-1", "1"]);
    for (network, depth, architecture) in [
        ("fully-connected", "2", Architecture::FullyConnected),
        ("fully-connected", "3", Architecture::FullyConnected),
        ("convolutional", "1", Architecture::Convolutional),
        ("convolutional", "2", Architecture::Convolutional),
        ("diagonal", "2", Architecture::Diagonal),
        ("convolutional", "3", Architecture::Convolutional),
        ("diagonal", "3", Architecture::Diagonal),
    ] {
        let found = json(folder.path(), &arguments(network, depth, "--predictor beta.csv --width 4"));
        let (margin, value) = (number(&found, "margin"), number(&found, "regularizer_value"));
        let (normalized, beta) = (number(&found, "normalized_value"), column(&folder.path().join("beta.csv")));
        assert_eq!((found["status"].as_str(), beta.len()), (Some("converged"), 12), "{found}");
        assert!((normalized * margin / value - 1.0).abs() < 1e-12, "{found}");
        assert!((smallest_margin(&data, &beta) / margin - 1.0).abs() < 1e-9, "{found}");
        let scaled: Vec<f64> = beta.iter().map(|b| b / margin).collect();
        assert!((by_hand(network, depth.parse().unwrap(), &scaled) / normalized - 1.0).abs() < 1e-9, "{found}");
        assert!(
            (number(&found, "loss_log10") / -10f64.powf(number(&found, "log10_q")) * 10f64.ln() - 1.0).abs() < 1e-9
        );
        assert!(number(&found, "kkt_residual") < 0.01 && number(&found, "seconds") > 0.0, "{found}");
        assert!((1..=12).contains(&found["active_bins"].as_u64().unwrap()) && number(&found, "steps") > 10.0);

        let task = Task::new(&data, architecture, depth.parse().unwrap(), 1);
        match minimum_norm(&task.regularized_rows(), &task.regularizer().unwrap()) {
            Ok(optimum) => {
                let (excess, gap) = (normalized / optimum.value - 1.0, number(&found, "certified_gap"));
                assert!(gap <= 1e-6 || gap <= 1e-4 && number(&found, "log10_q") > 149.9, "{found}");
                assert!((-1e-9..=gap + 1e-9).contains(&excess), "{network} {depth}: {excess} {gap}");
            }
            Err(_) => assert!(found["certified_gap"].is_null() && number(&found, "kkt_residual") < 1e-7, "{found}"),
        }
    }
}

#[test]
fn constant_steps_are_exactly_those_of_the_signal_domain() {
    let folder = tempfile::tempdir().unwrap();
    let data = signals(folder.path(), ["0", "1"]);
    for (network, depth, architecture) in [
        ("diagonal", 2, Architecture::Diagonal),
        ("convolutional", 1, Architecture::ConvolutionalSignal),
        ("convolutional", 3, Architecture::ConvolutionalSignal),
    ] {
        let mut w: Vec<f64> = Stream::new(5, &[]).normals(12 * depth).iter().map(|v| 0.3 * v).collect();
        let rows = w.chunks(12).map(|l| l.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>().join(", "));
        // A header and blank lines are no layers.
        let header = if depth == 3 { "k0,k1\n\n" } else { "" };
        write(folder.path().join("init.csv"), format!("{header}{}\n", rows.collect::<Vec<_>>().join("\n"))).unwrap();
        let more = "--solver gradient-descent --step 0.02 --max-steps 137 --init init.csv --predictor beta.csv";
        let found = json(folder.path(), &arguments(network, &depth.to_string(), more));
        assert_eq!((found["status"].as_str(), found["steps"].as_u64()), (Some("max-steps"), Some(137)));

        let mut task = Task::new(&data, architecture, depth, 1);
        let objective = Objective { rows: &mut task.rows, network: task.network.as_mut(), loss: Loss::Exponential };
        let stop = Stop { max_steps: 137, ..Stop::default() };
        let (rule, mut expected) = (StepRule::Constant { eta: 0.02 }, vec![]);
        gradient_descent(objective, &mut w, rule, &stop, Schedule::log_spaced(1), |state| {
            expected = state.predictor.to_vec();
            ControlFlow::Continue(None)
        });
        let beta = column(&folder.path().join("beta.csv"));
        assert!(relative(&beta, &expected) < 1e-12, "{network} {depth}: {}", relative(&beta, &expected));
    }
}

/// A NumPy file, version 1.
fn npy(shape: &str, values: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let data = values.iter().flat_map(|v| v.to_le_bytes());
    b"\x93NUMPY\x01\x00".iter().copied().chain(length).chain(header.into_bytes()).chain(data).collect()
}

#[test]
fn labels_and_file_formats_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut found = json(folder.path(), arguments);
        found["seconds"].take();
        found
    };
    let data = signals(folder.path(), ["-1", "1"]);
    let first = run(&arguments("convolutional", "2", "--shape 3x4"));
    for labels in [["0", "1"], ["cat", "dog"], ["7", "11"]] {
        signals(folder.path(), labels);
        assert_eq!(run(&arguments("convolutional", "2", "--shape 3x4")), first, "{labels:?}");
    }
    write(folder.path().join("X.npy"), npy("(6, 3, 4)", &data.x)).unwrap();
    write(folder.path().join("y.npy"), npy("(6,)", &data.y)).unwrap();
    let pair = ["fit", "--data", "X.npy", "--labels", "y.npy", "--network", "convolutional", "--depth", "2"];
    assert_eq!(run(&pair), first);
    assert_ne!(run(&arguments("convolutional", "2", "")), first, "the shape does matter");
    let logistic = run(&arguments("convolutional", "2", "--shape 3x4 --loss logistic"));
    let values = [&logistic, &first].map(|f| number(f, "normalized_value"));
    assert!((values[0] / values[1] - 1.0).abs() < 3e-6, "the losses differ: {values:?}");
}

#[test]
fn a_person_is_told_what_the_limit_is() {
    let folder = tempfile::tempdir().unwrap();
    let digits = image_pair(ImageSet::Digits8x8, (3, 8), Some(40), false, 0).unwrap();
    write(folder.path().join("data.csv"), csv(&digits, ["three", "eight"])).unwrap();
    for (network, depth, words) in [
        (
            "convolutional",
            "2",
            &["40 samples", "(8×8)", "Fourier l1 norm", "certified", "frequency (", "converged"][..],
        ),
        ("diagonal", "2", &["l1 norm", "\"x", "% of ‖β‖²", "of 64 features", "R/margin"]),
        ("diagonal", "3", &["not convex", "no certificate", "--seed"]),
    ] {
        let (code, out, err) = program(folder.path(), &arguments(network, depth, "--shape 8x8 --loss logistic"));
        assert!(code == 0 && err.is_empty(), "{out}{err}");
        words.iter().for_each(|w| assert!(out.contains(w), "no `{w}` in {out}"));
    }
    let (code, out, _) = program(folder.path(), &arguments("diagonal", "2", "--solver gradient-descent --max-steps 9"));
    assert!(code == 0 && out.contains("next") && out.contains("log-time-flow"), "{out}");
}

#[test]
fn files_are_whole_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    signals(folder.path(), ["0", "1"]);
    let found = json(folder.path(), &arguments("convolutional", "2", "--trace t.csv --plot f.svg --predictor b.csv"));
    let trace = Table::read(&folder.path().join("t.csv")).unwrap();
    assert_eq!(trace.columns, [&["step"], &COLUMNS[..]].concat());
    for (field, column) in [("steps", "step"), ("margin", "margin"), ("certified_gap", "certified_gap")] {
        assert_eq!(number(&found, field), *trace.numbers(column).last().unwrap());
    }
    let (excess, gaps) = (trace.numbers("excess"), trace.numbers("certified_gap"));
    assert!(
        excess.iter().zip(&gaps).all(|(e, g)| g.is_nan() || *e <= g + 1e-9 && *e > -1e-9)
            && !gaps[gaps.len() / 2].is_nan()
    );
    let svg = read_to_string(folder.path().join("f.svg")).unwrap();
    assert!(svg.contains("<svg") && svg.contains("certified gap") && !svg.contains("NaN") && !svg.contains("no data"));
    json(folder.path(), &arguments("diagonal", "3", "--plot f.png --shape 3x4"));
    assert!(std::fs::read(folder.path().join("f.png")).unwrap().starts_with(b"\x89PNG"));
    let names: Vec<_> = files(folder.path()).iter().map(|p| p.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["b.csv", "data.csv", "f.png", "f.svg", "t.csv"]);
}

#[test]
fn stop_rules_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    signals(folder.path(), ["0", "1"]);
    let far = json(folder.path(), &arguments("fully-connected", "2", "--until-gap 0 --until-log10-q 250"));
    assert!((number(&far, "log10_q") - 250.0).abs() < 1.0 && number(&far, "margin") > 1e249, "{far}");
    let near = json(folder.path(), &arguments("diagonal", "2", "--until-gap 0.1"));
    assert!((0.0..=0.1).contains(&number(&near, "certified_gap")) && number(&near, "log10_q") < 20.0, "{near}");
    let rule = "--solver gradient-descent --until-log10-q 0.5";
    let descent = json(folder.path(), &arguments("diagonal", "2", rule));
    assert!(descent["status"] == "converged" && number(&descent, "steps") < 1e5, "{descent}");

    let more = "--solver gradient-descent --step 1e9 --trace t.csv --predictor b.csv --json";
    let (code, out, err) = program(folder.path(), &arguments("diagonal", "2", more));
    assert!(code == 3 && out.contains("\"diverged\"") && err.is_empty(), "{code} {out}{err}");
    assert!(folder.path().join("t.csv").exists() && !folder.path().join("b.csv").exists());

    let more = "--solver gradient-descent --max-steps 1_000_000_000";
    let mut child = command(folder.path(), &arguments("diagonal", "2", more))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|l| l.trim().starts_with("1000 ")), "the run goes on");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(lines.any(|l| l.contains("interrupted after")));
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
