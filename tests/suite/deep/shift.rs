//! Powers of two, shift-based normalisation and single steps of the optimisers against tests/fixtures/shift_steps.json
//! (NumPy and PyTorch, f64).

use crate::common::{fixture, numbers};
use implicit_bias::deep::op::{BatchNorm, Operation, Scale, View};
use implicit_bias::deep::quantize::ap2;
use implicit_bias::deep::train::{Method, Update};
use serde_json::Value;

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

/// A matrix, row-major.
fn matrix(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().flat_map(floats).collect()
}

fn close(what: &str, found: &[f32], wanted: &[f32]) {
    assert!(found.len() == wanted.len() && wanted.iter().any(|w| *w != 0.0));
    let size = wanted.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
    for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
        assert!((f - w).abs() <= 1e-6 * size, "{what}, number {i}: {f}, not {w}");
    }
}

#[test]
fn powers_of_two() {
    let pairs = fixture("shift_steps.json");
    let pairs = pairs["ap2"].as_array().unwrap();
    assert!(pairs.len() > 20);
    pairs.iter().map(floats).for_each(|pair| assert_eq!(ap2(pair[0]), pair[1], "AP2({})", pair[0]));
}

#[test]
fn shift_based_normalisation_and_its_gradient() {
    let case = &fixture("shift_steps.json")["shift_batch_norm"];
    let (given, wanted) = (&case["given"], &case["wanted"]);
    let [x, dy] = ["x", "gradient"].map(|k| matrix(&given[k]));
    let [gamma, beta] = ["gamma", "beta"].map(|k| floats(&given[k]));
    let vector = |values| View { shape: [1, 4, 1, 1], values };
    let inputs = [View { shape: [16, 4, 1, 1], values: &x }, vector(&gamma), vector(&beta)];
    let eps = case["eps"].as_f64().unwrap() as f32;
    let norm = BatchNorm { eps, scale: Scale::ShiftBased, ghost: None, moments: Default::default() };
    let (y, ()) = norm.forward(inputs);
    close("y", &y.values, &matrix(&wanted["y"]));
    let found = norm.backward(&(), inputs, View { values: &dy, ..inputs[0] }, [true; 3]).map(Option::unwrap);
    close("x's gradient", &found[0], &matrix(&wanted["grad_x"]));
    close("gamma's gradient", &found[1], &floats(&wanted["grad_gamma"]));
    close("beta's gradient", &found[2], &floats(&wanted["grad_beta"]));
}

#[test]
fn single_steps_of_the_optimisers() {
    let all = fixture("shift_steps.json");
    let steps: Vec<Vec<f32>> = all["gradients"].as_array().unwrap().iter().map(floats).collect();
    let shift = &all["shift_adamax"][0];
    assert_eq!(shift["feed_back"], true);
    for (method, case) in [(Method::Adam, &all["adam"]), (Method::AdaMax, &all["adamax"]), (Method::ShiftAdaMax, shift)]
    {
        let (mut w, after) = (floats(&all["start"]), case["after"].as_array().unwrap());
        let mut state = vec![(0.0, 0.0); w.len()];
        assert_eq!((steps.len(), after.len()), (6, 6));
        for (t, (gradient, after)) in steps.iter().zip(after).enumerate() {
            let update = Update::new(method, case["lr"].as_f64().unwrap(), t as u64 + 1);
            let numbers = w.iter_mut().zip(gradient).zip(&mut state);
            numbers.for_each(|((w, g), (m, v))| *w -= update.of(*g, m, v));
            close(&format!("{method:?}, step {t}"), &w, &floats(after));
        }
    }
}
