use super::LinearConfig;
use crate::data::Dataset;
use crate::error::Result;
use crate::experiment::kinds::{Context, RunResult, Vector};
use crate::linear::metric::{COLUMNS, Meter, Observation};
use crate::linear::predicted::{Optimum, Regularizer, bridge_kkt, minimum_norm, parameter_kkt, second_order};
use crate::linear::solver::{Objective, Outcome, State, Status};
use crate::linear::{Frame, Task};
use crate::math::dft::Bins;
use crate::math::rows::Rows;
use crate::math::sums::{direction, max, min};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

/// Trains one network on one data set and compares it with what theory predicts.
pub fn run(config: &LinearConfig, context: &Context) -> Result<RunResult> {
    let dataset = config.dataset()?;
    let mut training = Training::new(config, &dataset)?;
    let outcome = training.go(config, context, |_, _| {});
    Ok(training.result(config, &dataset, outcome))
}

/// A run in progress: shared by the kinds that train.
pub struct Training {
    pub task: Task,
    pub regularizer: Option<Regularizer>,
    pub optimum: Option<Optimum>,
    parameters: Vec<f64>,
    trace: Vec<(u64, Observation)>,
    vectors: Vec<Vector>,
    /// β of the last observation, in the network's coordinates.
    last: Vec<f64>,
}

impl Training {
    /// # Errors
    /// If the data are not separable where theory predicts a convex optimum.
    pub fn new(config: &LinearConfig, dataset: &Dataset) -> Result<Self> {
        let task = config.task(dataset);
        let regularizer = task.regularizer();
        let convex = regularizer.as_ref().filter(|r| r.is_norm());
        let optimum = convex.map(|r| minimum_norm(&task.regularized_rows(), r)).transpose()?;
        let parameters = task.initial(config.init.scale, config.init.start.unwrap_or(config.seed));
        Ok(Self { task, regularizer, optimum, parameters, trace: vec![], vectors: vec![], last: vec![] })
    }

    /// Runs the solver; `also` sees every observed state.
    pub fn go(&mut self, config: &LinearConfig, context: &Context, mut also: impl FnMut(&Frame, &State)) -> Outcome {
        let frame = self.task.frame.clone();
        let mut meter = Meter::new(&frame, self.regularizer.as_ref(), self.optimum.as_ref());
        let (trace, vectors, last) = (&mut self.trace, &mut self.vectors, &mut self.last);
        let keep_spectra = config.observe.spectrum_seeds.contains(&config.seed);
        let observe = |state: &State| {
            let observation = meter.measure(state);
            trace.push((state.step, observation));
            if keep_spectra {
                let mut keep = |quantity, values| vectors.push(Vector { step: state.step, quantity, values });
                keep("spectrum", shown_spectrum(&frame, state.predictor));
                let dual = shown_spectrum(&frame, state.dual);
                let largest = max(&dual);
                keep("certificate", dual.iter().map(|r| r / largest).collect());
            }
            *last = state.predictor.to_vec();
            also(&frame, state);
            let gap = observation[GAP];
            if context.stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue((!gap.is_nan()).then_some(gap))
            }
        };
        let objective = Objective { rows: &mut self.task.rows, network: self.task.network.as_mut(), loss: config.loss };
        config.solve(objective, &mut self.parameters, observe)
    }

    /// Final metrics, trace and vectors.
    pub fn result(mut self, config: &LinearConfig, dataset: &Dataset, outcome: Outcome) -> RunResult {
        let mut metrics: Vec<(&'static str, f64)> = match self.trace.last() {
            Some((_, o)) => COLUMNS.into_iter().zip(*o).collect(),
            None => COLUMNS.into_iter().map(|c| (c, f64::NAN)).collect(),
        };
        let finite = self.last.iter().all(|b| b.is_finite()) && outcome.status != Status::Interrupted;
        metrics.extend(self.final_metrics(config, dataset, finite));
        if config.observe.final_seeds.contains(&config.seed) && finite {
            self.keep_final(outcome.steps);
        }
        let first = if config.observe.last_only { self.trace.len().saturating_sub(1) } else { 0 };
        let trace = self.trace.drain(first..).map(|(step, o)| (step, o.to_vec())).collect();
        RunResult {
            status: outcome.status,
            reason: outcome.reason,
            steps: outcome.steps,
            metrics,
            trace,
            vectors: self.vectors,
        }
    }

    fn final_metrics(&mut self, config: &LinearConfig, dataset: &Dataset, finite: bool) -> Vec<(&'static str, f64)> {
        let (frame, rows) = (&self.task.frame, self.task.regularized_rows().into_owned());
        let margin = self.trace.last().map_or(f64::NAN, |(_, o)| o[MARGIN]);
        let scaled = |v: Vec<f64>| -> Vec<f64> { v.iter().map(|b| b / margin).collect() };
        let at_margin_one =
            |regularizer: Regularizer, v: Vec<f64>| if finite { regularizer.value(&scaled(v)) } else { f64::NAN };
        let d = dataset.features();
        let kkt = self
            .regularizer
            .as_ref()
            .filter(|_| finite)
            .and_then(|r| bridge_kkt(&rows, r, &frame.coordinates(&self.last)));
        let kkt_value = |f: &dyn Fn(&crate::linear::predicted::BridgeKkt) -> f64| kkt.as_ref().map_or(f64::NAN, f);
        let in_parameters = match finite {
            true => parameter_kkt(&self.task.rows, self.task.network.as_mut(), &self.parameters).unwrap_or(f64::NAN),
            false => f64::NAN,
        };
        let face = self
            .regularizer
            .as_ref()
            .filter(|_| finite)
            .and_then(|r| second_order(&rows, r, &frame.coordinates(&self.last)));
        let within = self.trace.iter().find(|(_, o)| o[EXCESS] <= 0.1).map_or(f64::NAN, |(_, o)| o[Q]);
        let gaps: Vec<f64> = self.trace.iter().map(|(_, o)| o[GAP]).filter(|g| !g.is_nan()).collect();
        let values = [
            self.optimum.as_ref().map_or(f64::NAN, |o| o.value),
            self.optimum.as_ref().map_or(f64::NAN, |o| 1.0 / o.value),
            self.optimum.as_ref().map_or(f64::NAN, |o| o.residual),
            if gaps.is_empty() { f64::NAN } else { min(&gaps) },
            at_margin_one(Regularizer::l2(d), frame.signal(&self.last)),
            at_margin_one(Regularizer::bridge(frame.dft().bins(), 2), frame.spectrum(&self.last)),
            at_margin_one(Regularizer::bridge(Bins::signal(d), 2), frame.signal(&self.last)),
            kkt_value(&|k| k.residual),
            kkt_value(&|k| k.modulus_spread),
            kkt_value(&|k| k.phase_error),
            kkt_value(&|k| k.slackness),
            kkt_value(&|k| k.support as f64),
            face.map_or(f64::NAN, |f| f.face_dimension as f64),
            face.map_or(f64::NAN, |f| f.smallest),
            face.map_or(f64::NAN, |f| f64::from(f.is_local_minimum())),
            self.penalty_ratio(&rows, finite),
            within,
            test_error(config, &self.task.frame.signal(&self.last)),
            in_parameters,
        ];
        FINAL.into_iter().zip(values).collect()
    }

    /// R(β)/min mᵢ over the same of the convex ℓ1 solution, where R is not convex; NaN elsewhere and for images.
    fn penalty_ratio(&self, rows: &Rows, finite: bool) -> f64 {
        let Some(r) = self.regularizer.as_ref().filter(|r| finite && !r.is_norm() && rows.features() <= 256) else {
            return f64::NAN;
        };
        let l1 =
            Regularizer::new("l1", r.groups().iter().map(|(g, _)| (g.clone(), (g.len() as f64).sqrt())).collect(), 1.0);
        let margin = self.trace.last().map_or(f64::NAN, |(_, o)| o[MARGIN]);
        let reached = r.value(&self.task.frame.coordinates(&self.last)) / margin;
        minimum_norm(rows, &l1).map_or(f64::NAN, |o| reached / r.value(&o.predictor))
    }

    fn keep_final(&mut self, step: u64) {
        let frame = &self.task.frame;
        let mut keep = |quantity, values| self.vectors.push(Vector { step, quantity, values });
        keep("final-predictor", direction(&frame.signal(&self.last)));
        keep("final-spectrum", shown_spectrum(frame, &self.last));
        let d = self.last.len();
        if self.parameters.len() == 2 * d {
            keep("filter-1", direction(&frame.signal(&self.parameters[..d])));
            keep("filter-2", direction(&frame.signal(&self.parameters[d..])));
        }
    }
}

/// The final metrics beside the last observation's.
pub const FINAL: [&str; 19] = [
    "optimum",
    "predicted_margin",
    "oracle_residual",
    "smallest_gap",
    "norm_l2",
    "norm_fourier_l1",
    "norm_l1",
    "kkt_residual",
    "modulus_spread",
    "phase_error",
    "slackness",
    "support",
    "face_dimension",
    "second_order",
    "local_minimum",
    "penalty_ratio",
    "q_within_ten_percent",
    "test_error",
    "parameter_kkt",
];

const Q: usize = 1;
const MARGIN: usize = 2;
const GAP: usize = 6;
const EXCESS: usize = 7;

/// |β̂|/‖β̂‖₂: frequencies 0 … ⌊D/2⌋ of a signal, all of an image (row-major).
fn shown_spectrum(frame: &Frame, beta: &[f64]) -> Vec<f64> {
    let packed = direction(&frame.spectrum(beta));
    let full = frame.dft().full(&packed);
    let shown = if frame.dft().is_image() { full.len() } else { full.len() / 2 + 1 };
    full[..shown].iter().map(|b| b.norm()).collect()
}

/// The share of held-out images on the wrong side; NaN for other data.
fn test_error(config: &LinearConfig, beta: &[f64]) -> f64 {
    let Some(held_out) = config.held_out() else { return f64::NAN };
    let rows = Rows::new(held_out.signed_rows(), held_out.features());
    let mut margins = vec![0.0; rows.samples()];
    rows.times(beta, &mut margins);
    margins.iter().filter(|m| **m <= 0.0).count() as f64 / margins.len() as f64
}
