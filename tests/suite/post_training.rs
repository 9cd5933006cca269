//! Quantisation after training, on the small network of tests/fixtures/inference.pth.

use crate::common::root;
use implicit_bias::deep::inference::quantize::{Calibration, Clip, Quantized, Recipe, Restore, quantize_weights};
use implicit_bias::deep::inference::{Description, Graph, Program, SiteKind};
use implicit_bias::deep::quantize::Correction;
use implicit_bias::deep::torch::{read, to_safetensors};
use implicit_bias::math::sums::cosine;
use std::collections::BTreeMap;
use std::fs;

pub fn graph() -> Graph {
    let bytes = |name: &str| fs::read(root().join("tests/fixtures").join(name)).unwrap();
    let description = Description::parse(str::from_utf8(&bytes("inference.toml")).unwrap()).unwrap();
    let mut graph = description.graph(&to_safetensors(&read(&bytes("inference.pth")).unwrap()).unwrap()).unwrap();
    graph.fold_batch_norms();
    graph
}

pub fn waves(pictures: usize) -> Vec<f32> {
    (0..pictures * 3 * 21 * 30).map(|i| (0.1 * f64::from(i as u32)).sin() as f32).collect()
}

fn weights(graph: &mut Graph) -> Vec<(String, usize, Vec<f32>)> {
    let mut all = vec![];
    graph.visit_weights(&mut |w| all.push((w.name.to_owned(), w.outputs, w.values.to_vec())));
    all
}

#[test]
fn sixteen_bits_change_nothing_and_fewer_change_more() {
    let (graph, x) = (graph(), waves(4));
    let expected = Program::new(&graph).unwrap().run(&x).unwrap();
    let calibration = Calibration::new(&graph, &x).unwrap();
    let same = |bits: u32, per_channel: bool| {
        let recipe = Recipe {
            weight_bits: Some(bits),
            activation_bits: Some(bits),
            edge_bits: 1,
            per_channel,
            ..Recipe::default()
        };
        let mut graph = graph.clone();
        quantize_weights(&mut graph, &recipe, None);
        cosine(&expected, &Quantized::new(&graph, &calibration, &recipe).unwrap().run(&x).unwrap())
    };
    for per_channel in [false, true] {
        let [finest, fine, coarse] = [16, 8, 3].map(|bits| same(bits, per_channel));
        assert!(1.0 - finest < 1e-6 && 1.0 - fine < 0.01 && coarse < fine, "{finest} {fine} {coarse}");
    }
    let nothing = Recipe { weight_bits: None, activation_bits: None, ..Recipe::default() };
    assert_eq!(quantize_weights(&mut graph.clone(), &nothing, None), []);
    assert_eq!(Quantized::new(&graph, &calibration, &nothing).unwrap().run(&x).unwrap(), expected);
}

#[test]
fn weights_take_as_many_values_as_their_bits_allow() {
    let before = weights(&mut graph());
    for clip in [Clip::Range, Clip::Aciq, Clip::LeastError] {
        let mut rounded = graph();
        let recipe = Recipe { weight_bits: Some(3), edge_bits: 5, weight_clip: clip, ..Recipe::default() };
        let reports = quantize_weights(&mut rounded, &recipe, None);
        let after = weights(&mut rounded);
        for (i, ((name, outputs, values), report)) in after.iter().zip(&reports).enumerate() {
            let edge = i == 0 || i + 1 == after.len();
            let bits = if edge { 5 } else { 3 };
            assert_eq!((&report.name, report.bits), (name, [f64::from(bits); 3]));
            for channel in values.chunks(values.len() / outputs) {
                let mut distinct: Vec<u32> = channel.iter().map(|w| (w + 0.0).to_bits()).collect();
                distinct.sort_unstable();
                distinct.dedup();
                assert!(distinct.len() <= 1 << bits, "{name}: {} values", distinct.len());
            }
            let error: f64 = before[i].2.iter().zip(values).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let square: f64 = before[i].2.iter().map(|a| f64::from(*a).powi(2)).sum();
            assert!((report.relative_mse - error / square).abs() < 1e-9);
        }
        if clip == Clip::LeastError {
            let mut naive = graph();
            let range = quantize_weights(&mut naive, &Recipe { weight_clip: Clip::Range, ..recipe }, None);
            assert!(reports.iter().zip(&range).all(|(a, b)| a.relative_mse <= b.relative_mse + 1e-9));
        }
    }
    let divided = Recipe { weight_bits: Some(4), allocate_weights: true, ..Recipe::default() };
    let reports = quantize_weights(&mut graph(), &divided, None);
    assert!(reports.iter().skip(1).rev().skip(1).all(|r| r.bits[0] == 4.0), "the mean is kept");
    assert!(reports.iter().any(|r| r.bits[1] < r.bits[2]), "and bits differ");
}

#[test]
fn corrections_restore_what_they_say() {
    let (whole, x) = (graph(), waves(6));
    let recipe =
        Recipe { weight_bits: Some(3), correction: Correction { mean: true, variance: false }, ..Recipe::default() };
    let mut rounded = whole.clone();
    quantize_weights(&mut rounded, &recipe, None);
    for ((name, outputs, a), (_, _, b)) in weights(&mut whole.clone()).iter().zip(&weights(&mut rounded)) {
        for (a, b) in a.chunks(a.len() / outputs).zip(b.chunks(b.len() / outputs)) {
            let mean = |v: &[f32]| v.iter().map(|x| f64::from(*x)).sum::<f64>() / v.len() as f64;
            assert!((mean(a) - mean(b)).abs() < 1e-6, "{name}");
        }
    }
    // Every channel's outputs before the rectifier, mean and deviation.
    let calibration = Calibration::new(&whole, &x).unwrap();
    let moments = |graph: &Graph| {
        let mut found = BTreeMap::new();
        let program = Program::unfused(graph).unwrap();
        let outputs = program.run_with(&x, &mut |site, values| {
            for c in (0..site.channels).filter(|_| site.kind == SiteKind::Weighted) {
                let channel: Vec<f64> = values.iter().skip(c).step_by(site.channels).map(|v| f64::from(*v)).collect();
                let mean = channel.iter().sum::<f64>() / channel.len() as f64;
                let square = channel.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / channel.len() as f64;
                found.insert((site.name.clone(), c), (mean, square.sqrt()));
            }
        });
        (found, outputs.unwrap())
    };
    let (expected, outputs) = moments(&whole);
    for restore in [Restore::None, Restore::Mean, Restore::MeanAndDeviation] {
        let mut corrected = rounded.clone();
        restore.apply(&mut corrected, &calibration, &x).unwrap();
        let (found, restored) = moments(&corrected);
        let largest =
            |f: fn(&(f64, f64)) -> f64| expected.iter().map(|(k, e)| (f(e) - f(&found[k])).abs()).fold(0.0, f64::max);
        let (mean, deviation) = (largest(|m| m.0), largest(|m| m.1));
        assert_eq!(mean < 1e-4, restore != Restore::None, "{restore:?}: {mean}");
        assert_eq!(deviation < 1e-4, restore == Restore::MeanAndDeviation, "{restore:?}: {deviation}");
        // Fused and unfused programs agree.
        let fused = Program::new(&corrected).unwrap().run(&x).unwrap();
        assert!(1.0 - cosine(&fused, &restored) < 1e-9 && outputs.len() == fused.len());
    }
}

#[test]
fn recipes_and_calibrations_are_refused() {
    for (recipe, words) in [
        (Recipe { weight_bits: Some(0), ..Recipe::default() }, "weight_bits"),
        (Recipe { activation_bits: Some(17), ..Recipe::default() }, "activation_bits"),
        (Recipe { edge_bits: 40, ..Recipe::default() }, "edge_bits"),
        (Recipe { allocate_weights: true, per_channel: false, ..Recipe::default() }, "allocate_weights"),
        (Recipe { allocate_activations: true, activation_bits: Some(9), ..Recipe::default() }, "allocate_activations"),
        (Recipe { exponent: f64::NAN, ..Recipe::default() }, "exponent"),
    ] {
        let error = recipe.check().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let graph = graph();
    assert!(Calibration::new(&graph, &[]).unwrap_err().to_string().contains("1 to 256"));
    let bad: Vec<f32> = vec![f32::NAN; 3 * 21 * 30];
    assert!(Calibration::new(&graph, &bad).unwrap_err().to_string().contains("not finite"));
}
