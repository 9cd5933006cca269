use crate::error::{InputError, Result, between};
use crate::experiment::kinds::RunResult;
use crate::linear::solver::Status;
use serde::{Deserialize, Serialize};

/// The final metrics; energies in microjoules for one picture.
pub const FINAL: [&str; 8] = [
    "weights",
    "connections",
    "parameter_bytes",
    "activation_bytes",
    "arithmetic_energy",
    "parameter_energy",
    "activation_energy",
    "energy",
];

/// Energy of one forward pass from operation counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyConfig {
    /// What runs.
    pub network: NetworkShape,
    /// With which numbers.
    pub arithmetic: Arithmetic,
    /// What operations cost.
    pub cost: Cost,
}

/// A feed-forward network; every layer is followed by batch norm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkShape {
    /// Channels, height, width.
    pub input: [usize; 3],
    /// From the input on.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// 3 × 3 with zero padding, to so many channels.
    Convolution(usize),
    /// To so many neurons.
    Dense(usize),
    /// The largest of 2 × 2.
    Pool,
}

/// Which numbers are binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arithmetic {
    /// None: 32-bit floats.
    Float,
    /// Weights: products become additions.
    BinaryWeights,
    /// Weights and activations: XNOR and popcount, 8-bit input in bit planes, batch norm an integer threshold.
    Binary,
}

/// Picojoules of an operation, or of an access to 64 bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Product of 32-bit floats.
    pub multiply: f64,
    /// Sum of 32-bit floats.
    pub add: f64,
    /// Sum of 32-bit integers.
    pub integer_add: f64,
    /// Operations on 32-bit words for 32 binary connections, each at the price of an integer sum.
    pub word_operations: f64,
    /// Caches: size in KiB, and cost.
    pub caches: Vec<[f64; 2]>,
    /// Memory outside the chip.
    pub dram: f64,
}

impl EnergyConfig {
    /// Refuses numbers out of range, and networks without a layer.
    pub fn check(&self) -> Result<()> {
        let NetworkShape { input, layers } = &self.network;
        let cost = &self.cost;
        for (field, value) in [
            ("multiply", cost.multiply),
            ("add", cost.add),
            ("integer_add", cost.integer_add),
            ("word_operations", cost.word_operations),
            ("dram", cost.dram),
        ] {
            between(&format!("run.cost.{field}"), value, 0.0, 1e6)?;
        }
        cost.caches.iter().flatten().try_for_each(|c| between("run.cost.caches", *c, 0.0, 1e9))?;
        input.iter().try_for_each(|n| between("run.network.input", *n as f64, 0.0, 4096.0))?;
        let widths = layers.iter().filter_map(|l| match l {
            Layer::Convolution(n) | Layer::Dense(n) => Some(*n as f64),
            Layer::Pool => None,
        });
        widths.clone().try_for_each(|n| between("run.network.layers", n, 0.0, 65536.0))?;
        if widths.count() == 0 {
            let remedy = "Add e.g. { dense = 10 }.";
            return Err(InputError::value("run.network.layers", "empty", "a list with a dense layer", remedy));
        }
        Ok(())
    }
}

/// What one layer does for one picture.
struct Count {
    connections: f64,
    weights: f64,
    inputs: f64,
    /// After pooling.
    outputs: f64,
    channels: f64,
}

fn counts(network: &NetworkShape) -> Vec<Count> {
    let [mut channels, mut height, mut width] = network.input.map(|n| n as f64);
    let mut counts: Vec<Count> = vec![];
    for layer in &network.layers {
        let inputs = channels * height * width;
        let (weights, places, to) = match layer {
            Layer::Convolution(to) => (9.0 * channels * *to as f64, height * width, *to as f64),
            Layer::Dense(to) => {
                (height, width) = (1.0, 1.0);
                (inputs * *to as f64, 1.0, *to as f64)
            }
            Layer::Pool => {
                (height, width) = ((height / 2.0).floor(), (width / 2.0).floor());
                if let Some(last) = counts.last_mut() {
                    last.outputs = channels * height * width;
                }
                continue;
            }
        };
        channels = to;
        counts.push(Count { connections: weights * places, weights, inputs, outputs: to * places, channels });
    }
    counts
}

/// Every parameter is read once, every activation written once and read once, from the smallest memory that holds all
/// parameters, or the inputs and outputs of the largest layer. Pooling's comparisons are not counted.
pub fn run(config: &EnergyConfig) -> RunResult {
    let (counts, cost) = (counts(&config.network), &config.cost);
    let binary = config.arithmetic == Arithmetic::Binary;
    let sum = |f: &dyn Fn(usize, &Count) -> f64| counts.iter().enumerate().map(|(i, c)| f(i, c)).sum::<f64>();
    // Scale and shift, or a threshold.
    let (weight_bits, norm_bits) = match config.arithmetic {
        Arithmetic::Float => (32.0, 64.0),
        Arithmetic::BinaryWeights => (1.0, 64.0),
        Arithmetic::Binary => (1.0, 32.0),
    };
    let parameter_bits = sum(&|_, c| weight_bits * c.weights + norm_bits * c.channels);
    // The scores at the end are numbers in any case.
    let output_bits = |i: usize| if binary && i + 1 < counts.len() { 1.0 } else { 32.0 };
    let input_bits = |i: usize| match i {
        0 => {
            if binary {
                8.0
            } else {
                32.0
            }
        }
        _ => output_bits(i - 1),
    };
    let traffic = |i: usize, c: &Count| input_bits(i) * c.inputs + output_bits(i) * c.outputs;
    let activation_bits = sum(&traffic);
    let largest = counts.iter().enumerate().map(|(i, c)| traffic(i, c)).fold(0.0, f64::max);
    let access = |bits: f64, held: f64| {
        let holds = cost.caches.iter().filter(|[kib, _]| kib * 8192.0 >= held).map(|c| c[1]);
        bits / 64.0 * holds.fold(cost.dram, f64::min)
    };
    let connection = |i: usize| match config.arithmetic {
        Arithmetic::Float => cost.multiply + cost.add,
        Arithmetic::BinaryWeights => cost.add,
        Arithmetic::Binary => (if i == 0 { 8.0 } else { 1.0 }) * cost.word_operations * cost.integer_add / 32.0,
    };
    let norm = if binary { cost.integer_add } else { cost.multiply + cost.add };
    let arithmetic = sum(&|i, c| connection(i) * c.connections + norm * c.outputs);
    let (parameters, activations) = (access(parameter_bits, parameter_bits), access(activation_bits, largest));
    let micro = |picojoules: f64| picojoules / 1e6;
    let values = [
        sum(&|_, c| c.weights),
        sum(&|_, c| c.connections),
        parameter_bits / 8.0,
        activation_bits / 8.0,
        micro(arithmetic),
        micro(parameters),
        micro(activations),
        micro(arithmetic + parameters + activations),
    ];
    RunResult {
        status: Status::Converged,
        reason: "operations were counted".into(),
        steps: 1,
        metrics: FINAL.into_iter().zip(values).collect(),
        trace: vec![],
        vectors: vec![],
    }
}
