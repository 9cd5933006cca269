//! What several files of the suite share: networks by name, the objective, relative errors, fixtures.

use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::network::{BinProduct, Convolutional, FullyConnected, Network, SharedScale};
use implicit_bias::linear::solver::{Objective, Outcome, Schedule, State, StepRule, Stop, gradient_descent};
use implicit_bias::math::dft::{Bins, UnitaryDft};
use implicit_bias::math::random::Stream;
use implicit_bias::math::rows::Rows;
use std::f64::consts::SQRT_2;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub const LOSSES: [Loss; 2] = [Loss::Exponential, Loss::Logistic];

/// A network, and the transform of β to the coordinates of its regulariser where there is one.
pub struct Case {
    pub name: String,
    pub network: Box<dyn Network>,
    dft: Option<UnitaryDft>,
}

impl Case {
    fn new(name: String, network: impl Network + 'static) -> Self {
        Self { name, network: Box::new(network), dft: None }
    }

    pub fn coordinates(&self, beta: &[f64]) -> Vec<f64> {
        self.dft.clone().map_or(beta.to_vec(), |mut dft| analyze(&mut dft, beta))
    }
}

/// Every network of the crate at several depths and shapes.
pub fn cases() -> Vec<Case> {
    let mut all = vec![];
    for depth in [1, 2, 3, 5] {
        all.push(Case::new(format!("fully connected {depth}"), FullyConnected::new(7, depth, 4)));
    }
    for depth in 1..=4 {
        for shape in [&[7][..], &[8], &[3, 4], &[4, 2], &[1, 5]] {
            let dft = UnitaryDft::new(shape);
            all.push(Case::new(format!("packed spectrum {depth} {shape:?}"), BinProduct::new(dft.bins(), depth)));
            let signal = Case::new(format!("convolutional {depth} {shape:?}"), Convolutional::new(shape, depth));
            all.push(Case { dft: Some(dft), ..signal });
        }
        all.push(Case::new(format!("diagonal {depth}"), BinProduct::new(Bins::signal(7), depth)));
    }
    for group in [1, 2, 3, 7] {
        all.push(Case::new(format!("shared scale {group}"), SharedScale::new(7, group)));
    }
    all
}

pub fn analyze(dft: &mut UnitaryDft, signal: &[f64]) -> Vec<f64> {
    let mut packed = vec![f64::NAN; signal.len()];
    dft.analyze(signal, &mut packed);
    packed
}

/// w with P(w) = β and |ŵ_l| = |β̂|^(1/L) in every bin: the phases in the first layer, the moduli in all.
pub fn balanced_product(bins: Bins, depth: usize, beta: &[f64]) -> Vec<f64> {
    let mut w = vec![0.0; depth * beta.len()];
    for (l, layer) in w.chunks_exact_mut(beta.len()).enumerate() {
        for b in 0..bins.count() {
            let value = bins.value(beta, b);
            let root = value.norm().powf(1.0 / depth as f64);
            let unit = if l == 0 && root > 0.0 { value / value.norm() } else { 1.0.into() };
            if b < bins.real {
                layer[b] = root * unit.re;
            } else {
                (layer[b], layer[b + bins.pairs]) = (SQRT_2 * root * unit.re, SQRT_2 * root * unit.im);
            }
        }
    }
    w
}

/// w with P(w) = β and rank-one layers of norm ‖β‖^(1/L) along e₁.
pub fn balanced_fully_connected(depth: usize, width: usize, beta: &[f64]) -> Vec<f64> {
    if depth == 1 {
        return beta.to_vec();
    }
    let size = norm(beta).powf(1.0 / depth as f64);
    let mut w: Vec<f64> = beta
        .iter()
        .flat_map(|b| (0..width).map(move |k| if k == 0 { *b } else { 0.0 }))
        .map(|b| b * size / norm(beta))
        .collect();
    for l in 1..depth {
        let entries = if l + 1 == depth { width } else { width * width };
        w.extend((0..entries).map(|k| if k == 0 { size } else { 0.0 }));
    }
    w
}

/// w with v_g·u_g = β_g and v_g = ‖u_g‖.
pub fn balanced_groups(group: usize, beta: &[f64]) -> Vec<f64> {
    let scales: Vec<f64> = beta.chunks(group).map(|g| norm(g).sqrt()).collect();
    let u = beta.iter().enumerate().map(|(d, b)| if scales[d / group] > 0.0 { b / scales[d / group] } else { 0.0 });
    u.chain(scales.iter().copied()).collect()
}

/// Parameters such that predictors are of order one.
pub fn parameters(network: &dyn Network, scale: f64, stream: &mut Stream) -> Vec<f64> {
    network.fan_scales().iter().map(|f| scale * f * stream.normal()).collect()
}

pub fn gaussian_rows(samples: usize, features: usize, stream: &mut Stream) -> Rows {
    Rows::new(stream.normals(samples * features), features)
}

pub fn predictor(network: &mut dyn Network, w: &[f64]) -> Vec<f64> {
    let mut beta = vec![f64::NAN; network.features()];
    network.predictor(w, &mut beta);
    beta
}

pub fn pullback(network: &mut dyn Network, w: &[f64], r: &[f64]) -> Vec<f64> {
    let mut gradient = vec![f64::NAN; network.parameters()];
    network.pullback(w, r, &mut gradient);
    gradient
}

pub fn margins(rows: &Rows, beta: &[f64]) -> Vec<f64> {
    (0..rows.samples()).map(|i| dot(rows.row(i), beta)).collect()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// ‖a − b‖/‖b‖, and a check that neither side is empty or trivial.
pub fn relative(a: &[f64], b: &[f64]) -> f64 {
    assert!(a.len() == b.len() && norm(b) > 0.0, "nothing to compare");
    norm(&a.iter().zip(b).map(|(x, y)| x - y).collect::<Vec<_>>()) / norm(b)
}

/// Gradient descent with every observation handed to `see`: each of the first 400 steps, then 1000 in a decade.
pub fn descend(
    (rows, network, loss): (&mut Rows, &mut dyn Network, Loss),
    w: &mut [f64],
    rule: StepRule,
    steps: u64,
    mut see: impl FnMut(&State),
) -> Outcome {
    let objective = Objective { rows, network, loss };
    gradient_descent(objective, w, rule, &steps_only(steps), Schedule::log_spaced(1000), |state| {
        see(state);
        ControlFlow::Continue(None)
    })
}

pub fn steps_only(max_steps: u64) -> Stop {
    Stop { max_steps, ..Stop::default() }
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn fixture(name: &str) -> serde_json::Value {
    let path = root().join("tests/fixtures").join(name);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

pub fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

pub fn counts(value: &serde_json::Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// The rows zᵢ = yᵢ xᵢ of a fixture.
pub fn signed(value: &serde_json::Value) -> Vec<f64> {
    let (x, y) = (value["x"].as_array().unwrap(), numbers(&value["y"]));
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).flat_map(|(row, y)| numbers(row).into_iter().map(move |v| y * v)).collect()
}

/// All files under a folder, recursively, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
