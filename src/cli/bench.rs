//! `bench`: how fast the kernels are on this machine.

use super::{Exit, Outcome, json, say};
use crate::deep::kernel::measure::{Timing, product};
use crate::deep::kernel::{Instructions, int8};
use crate::deep::packed::measure::mlp;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// The fully connected network of hubara2016 for MNIST.
const MLP: [usize; 5] = [784, 4096, 4096, 4096, 10];

#[derive(Subcommand)]
pub enum Command {
    /// XNOR–popcount products beside f32: the triple loop (some rows of it, scaled) and the sgemm of the `gemm` crate
    ///
    /// Examples:
    ///   implicit-bias bench xnor --m 4096 --n 4096 --k 4096 --threads 2 --json
    ///   implicit-bias bench xnor --mlp 1000
    #[command(verbatim_doc_comment)]
    Xnor(XnorArguments),
    /// Exact products of unsigned by signed bytes beside f32: the sgemm of the `gemm` crate
    ///
    /// Bytes are also multiplied by the definition (some of the rows, scaled), and every sum of the kernel is compared with
    /// that. Its time includes the packing of A; weights are packed once, so that is a line of its own.
    ///
    /// Examples:
    ///   implicit-bias bench int8
    ///   implicit-bias bench int8 --m 4096 --n 4096 --k 4096 --threads 2 --json
    #[command(verbatim_doc_comment)]
    Int8(Int8Arguments),
}

#[derive(Args)]
pub struct XnorArguments {
    /// Entries of a row
    #[arg(long, default_value_t = 4096)]
    k: usize,
    /// Also the network 784-3×4096-10 on so many pictures, packing included
    #[arg(long, value_name = "PICTURES")]
    mlp: Option<usize>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub struct Int8Arguments {
    /// Entries of a row
    #[arg(long, default_value_t = 1024)]
    k: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// Rows of A
    #[arg(long, default_value_t = 1024)]
    m: usize,
    /// Rows of B, columns of the product A Bᵀ
    #[arg(long, default_value_t = 1024)]
    n: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// The methods take turns for at least so long
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// One measurement: what, its multiplications and additions, and the timings, sgemm second.
struct Measured {
    what: String,
    operations: f64,
    timings: Vec<Timing>,
}

pub fn run(command: &Command) -> Outcome {
    match command {
        Command::Xnor(a) => xnor(a),
        Command::Int8(a) => {
            let timings = int8::measure::product((a.common.m, a.common.n, a.k), a.common.threads, a.common.seconds)?;
            a.common.show(int8::Instructions::best().name(), &[a.common.product(a.k, timings)])
        }
    }
}

fn xnor(a: &XnorArguments) -> Outcome {
    let &Common { m, n, threads, seconds, .. } = &a.common;
    let mut measured = vec![a.common.product(a.k, product((m, n, a.k), threads, seconds, vec![])?)];
    if let Some(pictures) = a.mlp {
        let weights: usize = MLP.windows(2).map(|w| w[0] * w[1]).sum();
        measured.push(Measured {
            what: format!("784-3×4096-10 on {pictures} pictures"),
            operations: 2.0 * (weights * pictures) as f64,
            timings: mlp(&MLP, pictures, threads, seconds)?,
        });
    }
    a.common.show(Instructions::best().name(), &measured)
}

impl Common {
    fn product(&self, k: usize, timings: Vec<Timing>) -> Measured {
        let (m, n) = (self.m, self.n);
        let operations = 2.0 * (m as f64) * (n as f64) * k as f64;
        Measured { what: format!("{m} × {k} times {k} × {n}"), operations, timings }
    }

    fn show(&self, instructions: &str, measured: &[Measured]) -> Outcome {
        if self.json {
            let results: Vec<Value> = measured.iter().map(Measured::json).collect();
            json::say_json(json!({ "threads": self.threads, "instructions": instructions, "results": results }));
        } else {
            say(&format!("{instructions}, threads: {}, methods take turns", self.threads));
            measured.iter().for_each(|m| say(&m.table()));
        }
        Ok(Exit::Holds)
    }
}

impl Measured {
    /// Times as fast as sgemm, round against round.
    fn ratio(&self, timing: &Timing) -> f64 {
        self.timings[1].median() / timing.median()
    }

    fn table(&self) -> String {
        let head = ["ms: median", "least", "largest", "Gop/s", "× sgemm"];
        let [median, least, largest, rate, ratio] = head;
        let mut text = format!("\n{:<40} {median:>12} {least:>11} {largest:>11} {rate:>9} {ratio:>8}", self.what);
        for t in &self.timings {
            let [median, least, largest] = [t.median(), t.least(), t.largest()].map(|s| 1e3 * s);
            let scaled = if t.scaled > 1.0 { format!(", 1/{:.0} of it, scaled", t.scaled) } else { String::new() };
            let method = format!("{}{scaled}", t.method);
            text += &format!("\n  {method:<38} {median:>12.3} {least:>11.3} {largest:>11.3}");
            if !t.packing() {
                text += &format!(" {:>9.1} {:>8.3}", self.operations / t.median() / 1e9, self.ratio(t));
            }
        }
        text
    }

    fn json(&self) -> Value {
        let row = |t: &Timing| {
            json!({
                "method": t.method, "rounds": t.seconds.len(), "scaled": t.scaled,
                "median_seconds": t.median(), "least_seconds": t.least(), "largest_seconds": t.largest(),
                "gops": (!t.packing()).then(|| self.operations / t.median() / 1e9),
                "times_sgemm": (!t.packing()).then(|| self.ratio(t)),
            })
        };
        json!({ "what": self.what, "operations": self.operations, "methods": self.timings.iter().map(row).collect::<Vec<_>>() })
    }
}
