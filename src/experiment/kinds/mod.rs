//! What can be computed for a run: one file a kind, with the configuration that it reads.

pub mod deep;
pub mod linear;

use self::deep::{
    EnergyConfig, IdentityConfig, LandscapeRun, NormalizationConfig, PostTrainingRun, PretrainedRun, QuantizerConfig,
    RandomPotentialConfig, TimingConfig, TrainingRun, WeightDecayRun, distributions, energy, identity, loss_landscape,
    normalization, post_training, pretrained, quantization, quantized_training, random_potential, timing, training,
    trajectory, weight_decay,
};
use self::linear::{LinearConfig, decay_law, induced_regularizer, limit};
use super::config::read;
use crate::error::Result;
use crate::linear::metric::COLUMNS;
use crate::linear::solver::Status;
use crate::record::Scratch;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use toml::Table;

/// What each metric of runs.csv measures.
const MEANINGS: &str = include_str!("../../../assets/metrics.toml");

/// What a metric of runs.csv measures, in words.
pub fn meaning(metric: &str) -> Option<String> {
    let meanings: toml::Table = MEANINGS.parse().ok()?;
    Some(meanings.get(metric)?.as_str()?.to_owned())
}

/// The kinds of experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Train, and compare what is reached with the predicted limit.
    Limit,
    /// Train, and fit how fast each bin off the predicted support decays.
    DecayLaw,
    /// Minimise ‖w‖² over all w with P(w) = β, and compare with the closed form.
    InducedRegularizer,
    /// Compute both sides of an identity of binary arithmetic.
    BinaryIdentity,
    /// Check an identity of normalisation, or the laws of its statistics.
    NormalizationIdentity,
    /// Check an identity of quantisation.
    QuantizerIdentity,
    /// Count the operations of a network and what they cost.
    Energy,
    /// Train a network on pictures and test it.
    Training,
    /// Train a network and follow how far its weights travel.
    Trajectory,
    /// Compare the loss at the start with that in random directions.
    LossLandscape,
    /// Train a normalised network with weight decay, or with what replaces it.
    WeightDecay,
    /// Train with few bits, and see what directions survive.
    QuantizedTraining,
    /// Train in floats, give the network few bits, and test both.
    PostTrainingQuantization,
    /// Give a network few bits that others trained, and test both.
    PretrainedQuantization,
    /// Train, and see how activations and gradients are distributed.
    Distributions,
    /// Measure how long an integer kernel takes beside 32-bit floats.
    Timing,
    /// Compute where a random walk in a random potential is.
    RandomPotential,
}

/// The checked configuration of one run, by kind: everything that decides the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Config {
    /// For [`Kind::Limit`].
    Limit(LinearConfig),
    /// For [`Kind::DecayLaw`].
    DecayLaw(LinearConfig),
    /// For [`Kind::InducedRegularizer`].
    InducedRegularizer(LinearConfig),
    /// For [`Kind::BinaryIdentity`].
    BinaryIdentity(IdentityConfig),
    /// For [`Kind::NormalizationIdentity`].
    NormalizationIdentity(NormalizationConfig),
    /// For [`Kind::QuantizerIdentity`].
    QuantizerIdentity(QuantizerConfig),
    /// For [`Kind::Energy`].
    Energy(EnergyConfig),
    /// For [`Kind::Training`].
    Training(TrainingRun),
    /// For [`Kind::Trajectory`].
    Trajectory(TrainingRun),
    /// For [`Kind::LossLandscape`].
    LossLandscape(LandscapeRun),
    /// For [`Kind::WeightDecay`].
    WeightDecay(WeightDecayRun),
    /// For [`Kind::QuantizedTraining`].
    QuantizedTraining(TrainingRun),
    /// For [`Kind::PostTrainingQuantization`].
    PostTrainingQuantization(PostTrainingRun),
    /// For [`Kind::PretrainedQuantization`].
    PretrainedQuantization(PretrainedRun),
    /// For [`Kind::Distributions`].
    Distributions(TrainingRun),
    /// For [`Kind::Timing`].
    Timing(TimingConfig),
    /// For [`Kind::RandomPotential`].
    RandomPotential(RandomPotentialConfig),
}

/// What a run is given beside its configuration.
pub struct Context<'a> {
    /// Set when the person asks to stop.
    pub stop: &'a AtomicBool,
    /// Where a long run keeps what it needs to go on after an interruption.
    pub scratch: Scratch,
    /// Takes a word about how far a long run is.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

/// What a run gives.
#[derive(Debug)]
pub struct RunResult {
    /// How it ended.
    pub status: Status,
    /// Why, in a sentence.
    pub reason: String,
    /// Steps taken.
    pub steps: u64,
    /// Final metrics, of those that the kind names ([`Kind::metrics`]).
    pub metrics: Vec<(&'static str, f64)>,
    /// Step and metrics of every observation, one for each of [`Kind::trace_columns`].
    pub trace: Vec<(u64, Vec<f64>)>,
    /// Rows of vectors.csv.
    pub vectors: Vec<Vector>,
}

/// A named vector of one observation.
#[derive(Debug, Clone)]
pub struct Vector {
    /// When.
    pub step: u64,
    /// What.
    pub quantity: &'static str,
    /// Its entries.
    pub values: Vec<f64>,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Limit,
        Self::DecayLaw,
        Self::InducedRegularizer,
        Self::BinaryIdentity,
        Self::NormalizationIdentity,
        Self::QuantizerIdentity,
        Self::Energy,
        Self::Training,
        Self::Trajectory,
        Self::LossLandscape,
        Self::WeightDecay,
        Self::QuantizedTraining,
        Self::PostTrainingQuantization,
        Self::PretrainedQuantization,
        Self::Distributions,
        Self::Timing,
        Self::RandomPotential,
    ];

    /// The names of the final metrics: the last columns of runs.csv.
    pub fn metrics(self) -> Vec<&'static str> {
        match self {
            Self::Limit => [&COLUMNS[..], &limit::FINAL].concat(),
            Self::DecayLaw => [&COLUMNS[..], &limit::FINAL, &decay_law::FINAL].concat(),
            Self::InducedRegularizer => induced_regularizer::FINAL.to_vec(),
            Self::BinaryIdentity => identity::FINAL.to_vec(),
            Self::NormalizationIdentity => normalization::FINAL.to_vec(),
            Self::QuantizerIdentity => quantization::FINAL.to_vec(),
            Self::Energy => energy::FINAL.to_vec(),
            Self::Training => training::FINAL.to_vec(),
            Self::Trajectory => trajectory::FINAL.to_vec(),
            Self::LossLandscape => loss_landscape::FINAL.to_vec(),
            Self::WeightDecay => weight_decay::FINAL.to_vec(),
            Self::QuantizedTraining => quantized_training::FINAL.to_vec(),
            Self::PostTrainingQuantization => post_training::FINAL.to_vec(),
            Self::PretrainedQuantization => pretrained::FINAL.to_vec(),
            Self::Distributions => distributions::FINAL.to_vec(),
            Self::Timing => timing::FINAL.to_vec(),
            Self::RandomPotential => random_potential::FINAL.to_vec(),
        }
    }

    /// The metrics of trace.csv.
    pub fn trace_columns(self) -> &'static [&'static str] {
        match self {
            Self::Limit | Self::DecayLaw => &COLUMNS,
            Self::InducedRegularizer => &induced_regularizer::COLUMNS,
            Self::BinaryIdentity | Self::Energy | Self::Timing | Self::PretrainedQuantization => &[],
            Self::NormalizationIdentity => &normalization::COLUMNS,
            Self::QuantizerIdentity => &quantization::COLUMNS,
            Self::Training | Self::QuantizedTraining | Self::PostTrainingQuantization => &training::COLUMNS,
            Self::Distributions => &distributions::COLUMNS,
            Self::Trajectory => &trajectory::COLUMNS,
            Self::LossLandscape => &loss_landscape::COLUMNS,
            Self::WeightDecay => &weight_decay::COLUMNS,
            Self::RandomPotential => &random_potential::COLUMNS,
        }
    }

    /// Whether the same run gives the same numbers again. Kinds that measure time do not, and run one at a time.
    pub fn repeatable(self) -> bool {
        self != Self::Timing
    }

    /// Reads and checks the table of one run.
    ///
    /// # Errors
    /// A key that is missing, unknown or of another type, a number out of range: the message names the field.
    pub fn check(self, table: &Table) -> Result<Config> {
        let linear = || read(table, LinearConfig::check);
        Ok(match self {
            Self::Limit => Config::Limit(linear()?),
            Self::DecayLaw => Config::DecayLaw(linear()?),
            Self::InducedRegularizer => Config::InducedRegularizer(linear()?),
            Self::BinaryIdentity => Config::BinaryIdentity(read(table, IdentityConfig::check)?),
            Self::NormalizationIdentity => Config::NormalizationIdentity(read(table, NormalizationConfig::check)?),
            Self::QuantizerIdentity => Config::QuantizerIdentity(read(table, QuantizerConfig::check)?),
            Self::Energy => Config::Energy(read(table, EnergyConfig::check)?),
            Self::Training => Config::Training(read(table, TrainingRun::check)?),
            Self::Trajectory => Config::Trajectory(read(table, TrainingRun::check)?),
            Self::LossLandscape => Config::LossLandscape(read(table, LandscapeRun::check)?),
            Self::WeightDecay => Config::WeightDecay(read(table, WeightDecayRun::check)?),
            Self::QuantizedTraining => Config::QuantizedTraining(read(table, TrainingRun::check)?),
            Self::PostTrainingQuantization => Config::PostTrainingQuantization(read(table, PostTrainingRun::check)?),
            Self::PretrainedQuantization => Config::PretrainedQuantization(read(table, PretrainedRun::check)?),
            Self::Distributions => Config::Distributions(read(table, TrainingRun::check)?),
            Self::Timing => Config::Timing(read(table, TimingConfig::check)?),
            Self::RandomPotential => Config::RandomPotential(read(table, RandomPotentialConfig::check)?),
        })
    }
}

impl Config {
    /// Computes the run.
    ///
    /// # Errors
    /// If the data cannot be had or used; how the computation went is a status.
    pub fn run(&self, context: &Context) -> Result<RunResult> {
        match self {
            Self::Limit(config) => limit::run(config, context),
            Self::DecayLaw(config) => decay_law::run(config, context),
            Self::InducedRegularizer(config) => induced_regularizer::run(config, context),
            Self::BinaryIdentity(config) => Ok(identity::run(config)),
            Self::NormalizationIdentity(config) => Ok(normalization::run(config)),
            Self::QuantizerIdentity(config) => Ok(quantization::run(config)),
            Self::Energy(config) => Ok(energy::run(config)),
            Self::Training(config) => training::run(config, context),
            Self::Trajectory(config) => trajectory::run(config, context),
            Self::LossLandscape(config) => loss_landscape::run(config, context),
            Self::WeightDecay(config) => weight_decay::run(config, context),
            Self::QuantizedTraining(config) => quantized_training::run(config, context),
            Self::PostTrainingQuantization(config) => post_training::run(config, context),
            Self::PretrainedQuantization(config) => pretrained::run(config, context),
            Self::Distributions(config) => distributions::run(config, context),
            Self::Timing(config) => timing::run(config, context),
            Self::RandomPotential(config) => Ok(random_potential::run(config, context)),
        }
    }

    /// A file of the user's own that the run reads: its contents decide the run, too.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Limit(config) | Self::DecayLaw(config) | Self::InducedRegularizer(config) => config.file(),
            Self::PretrainedQuantization(config) => Some(&config.checkpoint),
            Self::BinaryIdentity(_)
            | Self::NormalizationIdentity(_)
            | Self::QuantizerIdentity(_)
            | Self::Energy(_)
            | Self::Timing(_)
            | Self::RandomPotential(_) => None,
            Self::Training(_) | Self::Trajectory(_) | Self::LossLandscape(_) | Self::WeightDecay(_) => None,
            Self::QuantizedTraining(_) | Self::PostTrainingQuantization(_) | Self::Distributions(_) => None,
        }
    }
}
