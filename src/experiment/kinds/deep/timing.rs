use super::training::TrainingRun;
use crate::deep::kernel::int8;
use crate::deep::kernel::measure::{Timing, product};
use crate::deep::packed::measure::mlp;
use crate::error::{Result, between};
use crate::experiment::kinds::{Context, RunResult};
use crate::linear::solver::Status;
use crate::math::sums::{max, min};
use serde::{Deserialize, Serialize};

/// The final metrics; seconds are those of the fastest round of each method, in rounds in which they take turns.
pub const FINAL: [&str; 13] = [
    "naive_seconds",
    "sgemm_seconds",
    "xnor_seconds",
    "int8_seconds",
    "packing_seconds",
    "over_naive",
    "over_sgemm",
    "over_sgemm_with_packing",
    "disturbance",
    "naive_error",
    "sgemm_error",
    "xnor_error",
    "error_spread",
];

/// One measurement of an integer kernel beside 32-bit floats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimingConfig {
    /// What is computed.
    pub task: Work,
    /// Threads.
    pub threads: usize,
    /// How long the methods take turns, at least.
    pub seconds: f64,
    /// Which of several measurements of the same.
    pub repetition: u64,
}

/// What is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Work {
    /// The product of an m × k and a k × n matrix of ±1.
    Product {
        /// Rows of the left one.
        m: usize,
        /// Columns of the right one.
        n: usize,
        /// Length of the sums.
        k: usize,
    },
    /// The product of an m × k matrix of unsigned and a k × n one of signed bytes.
    Bytes {
        /// Rows of the left one.
        m: usize,
        /// Columns of the right one.
        n: usize,
        /// Length of the sums.
        k: usize,
    },
    /// A fully connected network of ±1 from bytes to scores.
    Network {
        /// Inputs, hidden widths, classes.
        widths: Vec<usize>,
        /// Pictures.
        pictures: usize,
    },
    /// A multilayer perceptron of ±1, trained first, on its test pictures; with its error by each method.
    Trained {
        /// The training.
        run: Box<TrainingRun>,
    },
}

impl TimingConfig {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        between("run.threads", self.threads as f64, 0.0, 1024.0)?;
        between("run.seconds", self.seconds, 0.0, 3600.0)?;
        let sizes = match &self.task {
            Work::Product { m, n, k } | Work::Bytes { m, n, k } => vec![("m", *m), ("n", *n), ("k", *k)],
            Work::Network { widths, pictures } => {
                between("run.task.widths (their number)", widths.len() as f64, 1.0, 64.0)?;
                widths.iter().map(|w| ("widths", *w)).chain([("pictures", *pictures)]).collect()
            }
            Work::Trained { run } => {
                run.check()?;
                vec![]
            }
        };
        sizes.iter().try_for_each(|(field, n)| between(&format!("run.task.{field}"), *n as f64, 0.0, 65536.0))
    }
}

/// Measures.
///
/// # Errors
/// Threads that cannot be started.
pub fn run(config: &TimingConfig, context: &Context) -> Result<RunResult> {
    let (threads, seconds) = (config.threads, config.seconds);
    let unknown = |timings| (timings, [f64::NAN; 3]);
    let (timings, errors) = match &config.task {
        Work::Product { m, n, k } => product((*m, *n, *k), threads, seconds, vec![]).map(unknown),
        Work::Bytes { m, n, k } => int8::measure::product((*m, *n, *k), threads, seconds).map(unknown),
        Work::Network { widths, pictures } => mlp(widths, *pictures, threads, seconds).map(unknown),
        Work::Trained { run } => trained(run, context, threads, seconds),
    }?;
    let of = |method: &str| timings.iter().find(|t| t.method == method).map_or(f64::NAN, Timing::least);
    let (sgemm, xnor, int8) = (of("sgemm"), of("XNOR"), of("int8"));
    let (naive, kernel, packing, reason) = match &config.task {
        Work::Bytes { .. } => {
            (of("by definition, u8 × i8"), int8, of("packing of weights"), "every sum is the product by definition")
        }
        _ => {
            let packing = of("packing of A") + of("packing of B");
            (of("triple loop, f32"), xnor, packing, "floats and bits gave equal results")
        }
    };
    // A network's time has the packing of its inputs in it.
    let whole = if packing.is_nan() { kernel } else { kernel + packing };
    // On a busy machine long methods are interrupted more often than short ones, which flatters the integers.
    let disturbance = timings.iter().map(|t| t.median() / t.least()).fold(1.0, f64::max);
    let ratios = [naive / kernel, sgemm / kernel, sgemm / whole, disturbance];
    let spread = if errors[0].is_nan() { f64::NAN } else { max(&errors) - min(&errors) };
    let values = [naive, sgemm, xnor, int8, packing].into_iter().chain(ratios).chain(errors).chain([spread]);
    let stopped = context.stop.load(std::sync::atomic::Ordering::Relaxed);
    Ok(RunResult {
        status: if stopped { Status::Interrupted } else { Status::Converged },
        reason: format!("the methods took turns; {reason}"),
        steps: timings.first().map_or(0, |t| t.seconds.len() as u64),
        metrics: FINAL.into_iter().zip(values).collect(),
        trace: vec![],
        vectors: vec![],
    })
}

type Measured = (Vec<Timing>, [f64; 3]);

#[cfg(not(feature = "deep"))]
fn trained(_: &TrainingRun, _: &Context, _: usize, _: f64) -> Result<Measured> {
    Err(super::without_deep("timing of a trained network"))
}

#[cfg(feature = "deep")]
fn trained(run: &TrainingRun, context: &Context, threads: usize, seconds: f64) -> Result<Measured> {
    use crate::deep::packed::{TrainedLayer, measure};
    let split = run.data.load(run.seed)?;
    let fitted = super::training::fit(&split, run, context)?;
    let pictures = &split.test.pictures;
    let layers = TrainedLayer::of(&fitted.trainer.network)?;
    measure::trained(&layers, &pictures.images.pixels, &pictures.labels, threads, seconds)
}
