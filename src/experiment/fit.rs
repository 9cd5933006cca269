//! One network on a person's own data: what would gradient descent on it converge to, and how certain is that?

mod input;
mod spec;

pub use crate::linear::Architecture;
pub use crate::linear::loss::Loss;
pub use crate::linear::solver::Status;
pub use input::{DataFile, Start};
pub use spec::{FitSpec, Method};

use crate::data::Dataset;
use crate::error::Result;
use crate::linear::Task;
use crate::linear::metric::{COLUMNS, Meter, Observation};
use crate::linear::predicted::{Optimum, Regularizer, bridge_kkt, minimum_norm};
use crate::linear::solver::{Objective, Schedule, State, StepRule, Stop, gradient_descent, log_time_flow};
use crate::record::table::{Cell, Table};
use serde::Serialize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Coordinates and frequencies above this fraction of the largest count as active.
const ACTIVE: f64 = 1e-3;

/// Data sets of at most so many numbers are copied, for a convex solver: to see whether they are separable, and for the
/// optimum that a trace compares with. Larger ones are held in memory once.
const COPIED: usize = 1 << 22;

/// A fit that can run: checked, with separable data where [`Fit::separability_checked`].
pub struct Fit {
    spec: FitSpec,
    task: Task,
    regularizer: Regularizer,
    optimum: Option<Optimum>,
    parameters: Vec<f64>,
    stop: Stop,
    separability_checked: bool,
}

/// One line of an iteration table; NaN where a number has no meaning.
#[derive(Debug, Default, Clone, Copy)]
pub struct Progress {
    /// Steps taken.
    pub step: u64,
    /// log10 q, with 𝓛 = exp(−q).
    pub log10_q: f64,
    /// min yᵢ⟨xᵢ, β⟩.
    pub margin: f64,
    /// R(β)/margin.
    pub normalized_value: f64,
    /// How far R(β)/margin can be above the least possible.
    pub certified_gap: f64,
}

/// A coordinate of β, or a frequency of β̂ (and its conjugate), that carries the predictor.
#[derive(Debug, Clone, Copy)]
pub struct Carrier {
    /// Which feature, or which entry of the full spectrum (row-major).
    pub index: usize,
    /// Its value, or its modulus, at margin one.
    pub value: f64,
    /// Its share of ‖β‖₂².
    pub share: f64,
}

/// What was reached. Numbers that have no meaning are NaN, which JSON writes as null. Past q = 10³⁰⁰ β, its margin and R(β) are
/// scaled down into the range of numbers; log10 q is exact.
#[derive(Debug, Serialize)]
pub struct Fitted {
    /// How the run ended.
    pub status: Status,
    /// Steps taken.
    pub steps: u64,
    /// Wall time of the solver.
    pub seconds: f64,
    /// log10 q, with 𝓛 = exp(−q).
    pub log10_q: f64,
    /// log10 𝓛.
    pub loss_log10: f64,
    /// min yᵢ⟨xᵢ, β⟩.
    pub margin: f64,
    /// The name of R.
    pub regularizer: String,
    /// R(β).
    pub regularizer_value: f64,
    /// R(β)/margin: what the limit minimises.
    pub normalized_value: f64,
    /// R(β)/margin is at most this, relatively, above the least possible; absent where R is not convex.
    pub certified_gap: Option<f64>,
    /// ‖w − Σ αᵢ ∇mᵢ(w)‖/‖w‖ at the balanced parameters of β, for the best α ≥ 0; absent where features times active
    /// samples are more than 2²².
    pub kkt_residual: Option<f64>,
    /// Entries of β (convolutional: of the full spectrum β̂) above 10⁻³ of the largest.
    pub active_bins: usize,
    /// Whether R is convex on the data, so that the limit is its global minimum.
    pub convex: bool,
    /// β in the signal domain.
    #[serde(skip)]
    pub predictor: Vec<f64>,
    /// |β̂|, row-major, over the full spectrum.
    #[serde(skip)]
    pub spectrum: Vec<f64>,
    /// What carries β, the largest share first.
    #[serde(skip)]
    pub carriers: Vec<Carrier>,
    /// `step` and [`COLUMNS`], a row an observation.
    #[serde(skip)]
    pub trace: Table,
}

impl Fit {
    /// Checks everything that can be checked before a step is taken.
    ///
    /// # Errors
    /// A number out of range, a start that does not fit the network or never leaves, data that are not separable.
    pub fn new(dataset: Dataset, spec: FitSpec) -> Result<Self> {
        spec.check()?;
        spec.check_samples(dataset.samples()).map_err(|e| e.at(&dataset.name))?;
        let small = dataset.x.len() <= COPIED;
        let copy = small.then(|| dataset.clone());
        let mut task = Task::of(dataset, spec.architecture, spec.depth, spec.width);
        let parameters = input::start(&spec, &mut task)?;
        copy.map_or(Ok(()), |dataset| input::separable(&dataset, spec.loss))?;
        let regularizer = task.regularizer().unwrap_or_else(|| Regularizer::l2(task.rows.features()));
        let optimum = if spec.oracle && small {
            minimum_norm(&task.regularized_rows(), &regularizer).ok().filter(|o| o.residual < 1e-6)
        } else {
            None
        };
        let stop = spec.stop(regularizer.is_norm());
        Ok(Self { spec, task, regularizer, optimum, parameters, stop, separability_checked: small })
    }

    /// Whether the data are known to be separable; beyond 2²² numbers the run has to tell.
    pub fn separability_checked(&self) -> bool {
        self.separability_checked
    }

    /// R.
    pub fn regularizer(&self) -> &Regularizer {
        &self.regularizer
    }

    /// The rules by which it stops.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters.len()
    }

    /// Trains until a stop rule is met or `interrupted` is set; `see` is told of every observation.
    pub fn run(mut self, interrupted: &AtomicBool, mut see: impl FnMut(&Progress)) -> Fitted {
        let frame = self.task.frame.clone();
        let mut meter = Meter::new(&frame, Some(&self.regularizer), self.optimum.as_ref());
        let mut trace = Table::new(std::iter::once("step").chain(COLUMNS));
        let mut last = (vec![], [f64::NAN; COLUMNS.len()]);
        let mut now = Progress::default();
        let observe = |state: &State| {
            let observation = meter.measure(state);
            let step = i64::try_from(state.step).unwrap_or(i64::MAX);
            trace.push(std::iter::once(Cell::Int(step)).chain(observation.map(Cell::from)).collect());
            now = Progress::of(state, &observation);
            see(&now);
            last = (state.predictor.to_vec(), observation);
            let gap = now.certified_gap;
            match interrupted.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue((!gap.is_nan()).then_some(gap)),
            }
        };
        let row_square = self.task.rows.largest_square();
        let objective =
            Objective { rows: &mut self.task.rows, network: self.task.network.as_mut(), loss: self.spec.loss };
        let (w, stop, started) = (&mut self.parameters, &self.stop, Instant::now());
        let step = self.spec.step;
        let rule = match (self.spec.method, step) {
            (Method::GradientDescent, Some(eta)) => Some(StepRule::Constant { eta }),
            (Method::GradientDescent, None) => Some(StepRule::Smooth { eta: f64::INFINITY, safety: 1.0 }),
            (Method::NormalizedGradientDescent, _) => {
                Some(StepRule::Normalized { eta: step.unwrap_or(1.0 / row_square), decay: 0.0 })
            }
            (Method::LogTimeFlow, _) => None,
        };
        let outcome = match rule {
            Some(rule) => gradient_descent(objective, w, rule, stop, Schedule::log_spaced(20), observe),
            None => {
                let options = self.spec.flow_options();
                log_time_flow(objective, w, &options, stop, Schedule::even(0.1), observe)
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        let (beta, observation) = last;
        let coordinates = frame.coordinates(&beta);
        // In step with β, which is shown scaled down past q = 10³⁰⁰.
        let value = self.regularizer.value(&coordinates);
        let margin = if now.margin.is_finite() { now.margin } else { value / now.normalized_value };
        let kkt = bridge_kkt(&self.task.regularized_rows(), &self.regularizer, &coordinates);
        let (predictor, packed) = (frame.signal(&beta), frame.spectrum(&beta));
        let carriers = match self.spec.architecture {
            Architecture::Convolutional => {
                let (bins, moduli) = (frame.dft().bins(), frame.dft().bins().moduli(&packed));
                let bin = |b: usize| (frame.dft().index()[b], moduli[b], bins.multiplicity(b));
                carriers((0..bins.count()).map(bin).collect(), margin)
            }
            _ => carriers(predictor.iter().enumerate().map(|(i, b)| (i, *b, 1)).collect(), margin),
        };
        Fitted {
            status: outcome.status,
            steps: outcome.steps,
            seconds,
            log10_q: now.log10_q,
            loss_log10: entry(&observation, "log_loss") / std::f64::consts::LN_10,
            margin,
            regularizer: self.regularizer.name().into(),
            regularizer_value: value,
            normalized_value: now.normalized_value,
            certified_gap: Some(now.certified_gap).filter(|g| !g.is_nan()),
            kkt_residual: kkt.map(|k| k.residual),
            active_bins: carriers.1,
            convex: self.regularizer.is_norm(),
            spectrum: frame.dft().full(&packed).iter().map(|b| b.norm()).collect(),
            predictor,
            carriers: carriers.0,
            trace,
        }
    }
}

impl Progress {
    fn of(state: &State, observation: &Observation) -> Self {
        Self {
            step: state.step,
            log10_q: state.log10_q(),
            margin: entry(observation, "margin"),
            normalized_value: 1.0 / entry(observation, "regularized_margin"),
            certified_gap: entry(observation, "certified_gap"),
        }
    }
}

fn entry(observation: &Observation, column: &str) -> f64 {
    COLUMNS.iter().position(|c| *c == column).map_or(f64::NAN, |i| observation[i])
}

/// The active ones of (index, value, multiplicity) by share, and how many they are with multiplicity.
fn carriers(all: Vec<(usize, f64, usize)>, margin: f64) -> (Vec<Carrier>, usize) {
    let largest = all.iter().fold(0.0, |m: f64, (_, v, _)| m.max(v.abs()));
    let square = |(_, v, n): &(usize, f64, usize)| *n as f64 * (v / largest).powi(2);
    let total: f64 = all.iter().map(square).sum();
    let active: Vec<_> = all.into_iter().filter(|(_, v, _)| v.abs() > ACTIVE * largest).collect();
    let mut found: Vec<_> =
        active.iter().map(|one| Carrier { index: one.0, value: one.1 / margin, share: square(one) / total }).collect();
    found.sort_by(|a, b| b.share.total_cmp(&a.share));
    (found, active.iter().map(|(_, _, n)| n).sum())
}
