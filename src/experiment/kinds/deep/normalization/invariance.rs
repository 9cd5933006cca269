use super::Found;
use crate::deep::normalize::{Reference, Statistic};
use crate::math::random::Stream;
use crate::math::sums::{max, norm};

/// y = N(Xw) and the gradient with respect to w of Σ log cosh(yᵢ − rᵢ), for one neuron with γ and β.
struct Neuron {
    x: Vec<Vec<f64>>,
    targets: Vec<f64>,
    layer: Reference,
    gamma: f64,
    beta: f64,
}

impl Neuron {
    fn output_and_gradient(&self, w: &[f64]) -> [Vec<f64>; 2] {
        let h: Vec<f64> = self.x.iter().map(|x| dot(x, w)).collect();
        let y = self.layer.forward(&h, self.gamma, self.beta);
        let slopes: Vec<f64> = y.iter().zip(&self.targets).map(|(y, r)| (y - r).tanh()).collect();
        let back = self.layer.pullback(&h, self.gamma, &slopes).input;
        let gradient = (0..w.len()).map(|j| self.x.iter().zip(&back).map(|(x, b)| x[j] * b).sum()).collect();
        [y, gradient]
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// ‖s·a − b‖/‖b‖.
fn distance(s: f64, a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| s * a - b).collect::<Vec<_>>()) / norm(b)
}

pub fn run(statistic: Statistic, [fan_in, batch]: [usize; 2], stream: &mut Stream) -> Found {
    let x = (0..batch).map(|_| stream.normals(fan_in)).collect();
    let (targets, w) = (stream.normals(batch), stream.normals(fan_in));
    let layer = Reference::published(statistic, batch, 0.0);
    let neuron = Neuron { x, targets, layer, gamma: stream.normal(), beta: stream.normal() };
    let [y, g] = neuron.output_and_gradient(&w);
    // How far output and gradient of a·w are from y and g/a.
    let deviations = |scales: &[f64]| {
        let at = |a: &f64| {
            let [output, gradient] = neuron.output_and_gradient(&w.iter().map(|w| a * w).collect::<Vec<_>>());
            [distance(1.0, &output, &y), distance(*a, &gradient, &g)]
        };
        let all: Vec<[f64; 2]> = scales.iter().map(at).collect();
        [0, 1].map(|i| max(&all.iter().map(|d| d[i]).collect::<Vec<_>>()))
    };
    let powers: Vec<f64> = (-10..=10).map(|k| 16f64.powi(k)).collect();
    let [output, gradient] = deviations(&[1e-6, 1e-3, 0.1, 0.3, 1.7, 3.0, 10.0, 1e3, 1e6]);
    let metrics = vec![
        ("output_deviation", output),
        ("gradient_deviation", gradient),
        ("power_of_two_deviation", max(&deviations(&powers))),
        ("orthogonality", dot(&g, &w).abs() / (norm(&g) * norm(&w))),
    ];
    Found { metrics, ..Found::default() }
}
