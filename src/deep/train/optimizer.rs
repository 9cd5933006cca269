use super::config::{DecayOn, Method, TrainingConfig};
use crate::deep::model::{Parameter, Role};
use crate::deep::op::{Storage, view};
use crate::deep::quantize::ap2;
use multiversion::multiversion;
use rayon::prelude::*;

const CHUNK: usize = 1 << 14;
const BETA: (f32, f32) = (0.9, 0.999);
const EPS: f32 = 1e-8;
/// Added to the rounded maximum of shift-based AdaMax.
const TINY: f32 = 1.0 / (1 << 27) as f32;

/// Norms of each output's weights, one list for every normalised parameter (empty for others), and what they are for.
#[derive(Debug, Clone)]
pub struct Norms {
    /// How they steer a training.
    pub rule: NormRule,
    /// The norms.
    pub of: Vec<Vec<f32>>,
}

/// What replaces weight decay (hoffer2018, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormRule {
    /// The rate of every output's weights w times ‖w‖²/norm²: the effective rate that weights of that norm would have.
    CorrectRate,
    /// The norm of every output's weights, set after each step.
    Set,
}

/// Takes steps and keeps what they need from one to the next.
#[derive(Debug, Clone)]
pub struct Optimizer {
    /// Steps taken.
    pub steps: u64,
    /// Of every parameter: momentum, or first moment and second moment (or maximum). Empty before the first step.
    pub state: Vec<[Vec<f32>; 2]>,
}

impl Optimizer {
    /// For parameters at the start of training.
    pub fn new(parameters: &[Parameter]) -> Self {
        let zeros = |p: &Parameter| [vec![0.0; p.numbers().len()], vec![0.0; p.numbers().len()]];
        Self { steps: 0, state: parameters.iter().map(zeros).collect() }
    }

    /// One step at a learning rate, of the parameters that have a gradient.
    pub fn step(
        &mut self,
        parameters: &mut [Parameter],
        gradients: &[Option<Storage>],
        rate: f64,
        config: &TrainingConfig,
        norms: Option<&Norms>,
    ) {
        self.steps += 1;
        let shrink = match config.clip_norm {
            Some(limit) => (limit / norm(gradients)).min(1.0) as f32,
            None => 1.0,
        };
        let update = Update::new(config.optimizer, rate, self.steps);
        for (i, (parameter, [first, second])) in parameters.iter_mut().zip(&mut self.state).enumerate() {
            let Some(gradient) = &gradients[i] else { continue };
            let latent = parameter.role == Role::Latent;
            let decays = parameter.role == Role::Weight && (config.decay_on == DecayOn::All || !parameter.normalized);
            let decay = if decays { config.weight_decay as f32 } else { 0.0 };
            let scale = if latent && config.glorot_rates { parameter.glorot } else { 1.0 };
            let limit = if latent && config.clip_latent { 1.0 } else { f32::INFINITY };
            let norms = norms.filter(|n| !n.of[i].is_empty());
            let (chunk, factors) = match norms {
                Some(Norms { rule: NormRule::CorrectRate, of }) => {
                    let factors = parameter.norms().iter().zip(&of[i]).map(|(w, to)| (w / to) * (w / to)).collect();
                    (parameter.numbers().len() / of[i].len(), factors)
                }
                _ => (CHUNK, vec![]),
            };
            let chunks = parameter.values.storage_mut::<f32>().par_chunks_mut(chunk);
            let chunks = chunks.zip(view(gradient).values.par_chunks(chunk));
            let chunks = chunks.zip(first.par_chunks_mut(chunk)).zip(second.par_chunks_mut(chunk)).enumerate();
            chunks.for_each(|(at, (((w, g), m), v))| {
                let scale = factors.get(at).map_or(scale, |f| scale * f);
                update_all(&update, (w, g, m, v), [shrink, decay, scale, limit]);
            });
            if let Some(Norms { rule: NormRule::Set, of }) = norms {
                parameter.set_norms(&of[i]);
            }
        }
    }
}

/// Updates weights w with gradients g and state (m, v).
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn update_all(update: &Update, (w, g, m, v): (&mut [f32], &[f32], &mut [f32], &mut [f32]), factors: [f32; 4]) {
    let [shrink, decay, scale, limit] = factors;
    for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
        let step = update.of(shrink * g + decay * *w, m, v);
        *w = (*w - scale * step).clamp(-limit, limit);
    }
}

/// ‖g‖ over all parameters.
pub fn norm(gradients: &[Option<Storage>]) -> f64 {
    let square = |g: &f32| f64::from(*g) * f64::from(*g);
    gradients.iter().flatten().flat_map(|g| view(g).values).map(square).sum::<f64>().sqrt()
}

/// The update of one number, its constants worked out.
#[derive(Debug, Clone, Copy)]
pub struct Update {
    method: Method,
    rate: f32,
    correction: f32,
}

impl Update {
    /// At a learning rate, of a step counted from 1.
    pub fn new(method: Method, rate: f64, step: u64) -> Self {
        let power = |beta: f32| 1.0 - f64::from(beta).powf(step as f64);
        let (rate, correction) = match method {
            Method::Sgd { .. } => (rate, 1.0),
            Method::Adam => (rate / power(BETA.0), 1.0 / power(BETA.1).sqrt()),
            Method::AdaMax => (rate / power(BETA.0), 1.0),
            Method::ShiftAdaMax => (f64::from(ap2((rate / power(BETA.0)) as f32)), 1.0),
        };
        Self { method, rate: rate as f32, correction: correction as f32 }
    }

    /// What is subtracted from a number with gradient `g`; `m` and `v` are its state.
    #[inline(always)]
    pub fn of(&self, g: f32, m: &mut f32, v: &mut f32) -> f32 {
        match self.method {
            Method::Sgd { momentum } => {
                *m = momentum as f32 * *m + g;
                self.rate * *m
            }
            Method::Adam => {
                *m += (1.0 - BETA.0) * (g - *m);
                *v += (1.0 - BETA.1) * (g * g - *v);
                self.rate * *m / (v.sqrt() * self.correction + EPS)
            }
            Method::AdaMax => {
                *m += (1.0 - BETA.0) * (g - *m);
                *v = (BETA.1 * *v).max(g.abs() + EPS);
                self.rate * *m / *v
            }
            Method::ShiftAdaMax => {
                *m += (1.0 - BETA.0) * (g - *m);
                *v = ap2((BETA.1 * *v).max(g.abs())) + TINY;
                self.rate * (*m / *v)
            }
        }
    }
}
