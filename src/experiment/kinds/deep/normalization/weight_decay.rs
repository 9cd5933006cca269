use super::Found;
use crate::deep::normalize::{Reference, Statistic};
use crate::error::{Result, between};
use crate::linear::solver::Schedule;
use crate::math::random::Stream;
use crate::math::sums::{direction, max, median, norm};
use serde::{Deserialize, Serialize};

/// A network of one hidden layer, t ≈ c + Σ uⱼ tanh(N(wⱼ·x)), trained twice on the same batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightDecay {
    /// Entries of x.
    pub inputs: usize,
    /// Normalised neurons.
    pub hidden: usize,
    /// Samples in all.
    pub samples: usize,
    /// Samples of a step.
    pub batch: usize,
    /// η.
    pub rate: f64,
    /// λ: the first network takes w ← (1 − ηλ)w − η∇ for the weights of normalised neurons.
    pub decay: f64,
    /// Steps.
    pub steps: u64,
    /// What the second does instead of decaying.
    pub correction: Correction,
}

/// The rate of a neuron without decay, from its norm ‖w‖ and that of its twin that decays, ‖v‖.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Correction {
    /// η‖w‖²/((1 − ηλ)‖v‖²).
    Exact,
    /// η‖w‖²/‖v‖², as printed.
    Printed,
    /// η.
    None,
}

impl WeightDecay {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        let sizes = [("inputs", self.inputs), ("hidden", self.hidden), ("samples", self.samples)];
        sizes.iter().try_for_each(|(field, n)| between(&format!("run.check.{field}"), *n as f64, 0.0, 4096.0))?;
        between("run.check.batch", self.batch as f64, 2.0, self.samples as f64)?;
        between("run.check.rate", self.rate, 0.0, 100.0)?;
        between("run.check.decay", self.decay, 0.0, 0.5 / self.rate)?;
        between("run.check.steps", self.steps as f64, 0.0, 1e7)
    }
}

/// Parameters: the weights of neurons, and for every neuron γ, β and u; then c.
#[derive(Clone)]
struct Network {
    weights: Vec<Vec<f64>>,
    heads: Vec<[f64; 3]>,
    offset: f64,
}

type Sample = (Vec<f64>, f64);

impl Network {
    /// The gradient of the mean of ½(prediction − target)².
    fn gradient(&self, layer: Reference, batch: &[&Sample]) -> Self {
        let products = |w: &Vec<f64>| batch.iter().map(|(x, _)| w.iter().zip(x).map(|(w, x)| w * x).sum()).collect();
        let before: Vec<Vec<f64>> = self.weights.iter().map(products).collect();
        let one = |(h, [gamma, beta, _]): (&Vec<f64>, &[f64; 3])| {
            layer.forward(h, *gamma, *beta).into_iter().map(f64::tanh).collect()
        };
        let after: Vec<Vec<f64>> = before.iter().zip(&self.heads).map(one).collect();
        let residual = |i: usize| {
            let prediction = after.iter().zip(&self.heads).map(|(a, head)| a[i] * head[2]).sum::<f64>() + self.offset;
            (prediction - batch[i].1) / batch.len() as f64
        };
        let residuals: Vec<f64> = (0..batch.len()).map(residual).collect();
        let neuron = |j: usize| {
            let [gamma, _, u] = self.heads[j];
            let slopes: Vec<f64> = residuals.iter().zip(&after[j]).map(|(r, a)| r * u * (1.0 - a * a)).collect();
            let back = layer.pullback(&before[j], gamma, &slopes);
            let weight = |k: usize| batch.iter().zip(&back.input).map(|((x, _), b)| x[k] * b).sum();
            let outer = residuals.iter().zip(&after[j]).map(|(r, a)| r * a).sum();
            ((0..self.weights[j].len()).map(weight).collect(), [back.scale, back.shift, outer])
        };
        let (weights, heads) = (0..self.heads.len()).map(neuron).unzip();
        Self { weights, heads, offset: residuals.iter().sum() }
    }

    /// A step with a rate for the weights of each neuron, which are multiplied by `keep` before.
    fn step(&mut self, gradient: &Self, rate: f64, rates: &[f64], keep: f64) {
        for (j, (w, g)) in self.weights.iter_mut().zip(&gradient.weights).enumerate() {
            w.iter_mut().zip(g).for_each(|(w, g)| *w = keep * *w - rates[j] * g);
        }
        for (head, g) in self.heads.iter_mut().zip(&gradient.heads) {
            head.iter_mut().zip(g).for_each(|(p, g)| *p -= rate * g);
        }
        self.offset -= rate * gradient.offset;
    }

    fn norms(&self) -> Vec<f64> {
        self.weights.iter().map(|w| norm(w)).collect()
    }
}

/// 1 − cos of the angle between two vectors, which keeps its digits near zero.
fn turn(a: &[f64], b: &[f64]) -> f64 {
    direction(a).iter().zip(direction(b)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / 2.0
}

/// Targets are the sine of a random projection, with noise. Both networks start alike.
pub fn run(config: &WeightDecay, statistic: Statistic, stream: &mut Stream) -> Found {
    let WeightDecay { inputs, hidden, rate, decay, .. } = *config;
    let teacher = stream.normals(inputs);
    let mut sample = || {
        let x = stream.normals(inputs);
        let projection: f64 = x.iter().zip(&teacher).map(|(x, t)| x * t).sum();
        (x, projection.sin() + 0.1 * stream.normal())
    };
    let samples: Vec<Sample> = (0..config.samples).map(|_| sample()).collect();
    let scale = 1.0 / (inputs as f64).sqrt();
    let start = |stream: &mut Stream| stream.normals(inputs).iter().map(|w| scale * w).collect();
    let weights: Vec<Vec<f64>> = (0..hidden).map(|_| start(stream)).collect();
    let heads = (0..hidden).map(|_| [1.0, 0.0, stream.normal() / (hidden as f64).sqrt()]).collect();
    let mut decaying = Network { weights, heads, offset: 0.0 };
    let mut corrected = decaying.clone();

    let layer = Reference::published(statistic, config.batch, 0.0);
    let keep = 1.0 - rate * decay;
    let (mut schedule, mut trace, mut largest) = (Schedule::log_spaced(12), vec![], 0.0_f64);
    let mut order = vec![];
    for t in 0..=config.steps {
        let [norms, decayed] = [corrected.norms(), decaying.norms()];
        let factor = |j: usize| match config.correction {
            Correction::Exact => (norms[j] / decayed[j]).powi(2) / keep,
            Correction::Printed => (norms[j] / decayed[j]).powi(2),
            Correction::None => 1.0,
        };
        let rates: Vec<f64> = (0..hidden).map(|j| rate * factor(j)).collect();
        let pairs = corrected.weights.iter().zip(&decaying.weights);
        let turned = max(&pairs.map(|(a, b)| turn(a, b)).collect::<Vec<_>>());
        largest = largest.max(turned);
        if schedule.due(t as f64) || t == config.steps {
            trace.push((t, vec![turned, median(&norms), median(&decayed), median(&rates), f64::NAN, f64::NAN]));
        }
        if t == config.steps {
            break;
        }
        if order.len() < config.batch {
            order = stream.permutation(samples.len());
        }
        let batch: Vec<&Sample> =
            order.split_off(order.len() - config.batch).into_iter().map(|i| &samples[i]).collect();
        let [mine, its] = [&corrected, &decaying].map(|network| network.gradient(layer, &batch));
        corrected.step(&mine, rate, &rates, 1.0);
        decaying.step(&its, rate, &vec![rate; hidden], keep);
    }
    let [norms, decayed] = [corrected.norms(), decaying.norms()];
    // Without decay a neuron is its twin times (1 − ηλ)^−t.
    let grown = keep.powf(config.steps as f64);
    let law: Vec<f64> = norms.iter().zip(&decayed).map(|(w, v)| (w / v * grown - 1.0).abs()).collect();
    let exact = config.correction == Correction::Exact;
    let metrics = vec![
        ("turn", trace.last().map_or(f64::NAN, |(_, row)| row[0])),
        ("largest_turn", largest),
        ("norm", median(&norms)),
        ("decayed_norm", median(&decayed)),
        ("norm_law", if exact { max(&law) } else { f64::NAN }),
    ];
    Found { metrics, trace, steps: config.steps }
}
