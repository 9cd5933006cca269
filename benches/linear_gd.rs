//! One gradient-descent step of the depth-2 linear convolutional network, exponential loss, f64, loss-normalised step:
//! this crate against PyTorch autograd, interleaved on the same machine.
//!
//! cargo bench --bench linear_gd                                        this crate alone
//! cargo bench --bench linear_gd -- --peer path/to/python               beside benches/peers/linear_gd.py
//!
//! Each round times both; the table shows the smallest and the median time of a step over the rounds, and the ratio of
//! the medians. PyTorch is asked with one thread and with all of them and its faster answer counts.
#![allow(clippy::unwrap_used)]

mod peers;

use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::network::BinProduct;
use implicit_bias::linear::solver::{Objective, Schedule, StepRule, Stop, gradient_descent};
use implicit_bias::math::dft::UnitaryDft;
use implicit_bias::math::random::Stream;
use implicit_bias::math::rows::Rows;
use implicit_bias::math::sums::{median, min};
use peers::Peer;
use std::ops::ControlFlow;
use std::time::Instant;

const SIZES: [(usize, usize, u64, u64); 4] =
    [(8, 32, 50_000, 2_000), (32, 256, 10_000, 1_000), (512, 4096, 100, 60), (2000, 16384, 10, 6)];
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut peer = arguments.iter().position(|a| a == "--peer").map(|i| Peer::start("linear_gd.py", &arguments[i + 1]));
    println!("|     N |     D | this crate, µs a step: min / median | PyTorch: min / median | ratio of medians |");
    println!("|------:|------:|------------------------------------:|----------------------:|-----------------:|");
    for (n, d, steps, peer_steps) in SIZES {
        let mut problem = Problem::new(n, d);
        problem.time(steps / 5);
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            ours.push(problem.time(steps));
            if let Some(p) = &mut peer {
                let mut time = |threads| {
                    let answer = p.ask(&format!("{n} {d} {peer_steps} {threads}"));
                    answer["us_per_step"].as_f64().unwrap()
                };
                theirs.push(f64::min(time(1), time(2)));
            }
        }
        let ratio = median(&theirs) / median(&ours);
        println!(
            "| {n:5} | {d:5} | {:15.2} / {:17.2} | {:9.1} / {:9.1} | {ratio:16.1} |",
            min(&ours),
            median(&ours),
            min(&theirs),
            median(&theirs)
        );
    }
}

struct Problem {
    rows: Rows,
    network: BinProduct,
    start: Vec<f64>,
}

impl Problem {
    fn new(n: usize, d: usize) -> Self {
        let mut stream = Stream::new(0, &["bench"]);
        let mut dft = UnitaryDft::new(&[d]);
        let mut data = stream.normals(n * d);
        let mut packed = vec![0.0; d];
        for row in data.chunks_exact_mut(d) {
            dft.analyze(row, &mut packed);
            row.copy_from_slice(&packed);
        }
        let network = BinProduct::new(dft.bins(), 2);
        let start = stream.normals(2 * d).iter().map(|w| 0.1 * w).collect();
        Self { rows: Rows::new(data, d), network, start }
    }

    /// Microseconds a step.
    fn time(&mut self, steps: u64) -> f64 {
        let mut w = self.start.clone();
        let stop = Stop { max_steps: steps, ..Stop::default() };
        let objective = Objective { rows: &mut self.rows, network: &mut self.network, loss: Loss::Exponential };
        let rule = StepRule::Normalized { eta: 1e-3, decay: 0.0 };
        let started = Instant::now();
        let outcome =
            gradient_descent(objective, &mut w, rule, &stop, Schedule::log_spaced(1), |_| ControlFlow::Continue(None));
        let seconds = started.elapsed().as_secs_f64();
        assert_eq!(outcome.steps, steps, "{}", outcome.reason);
        seconds * 1e6 / steps as f64
    }
}
