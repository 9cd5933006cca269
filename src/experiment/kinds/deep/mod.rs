//! The kinds of the deep wing, each with its own configuration.

pub(super) mod distributions;
pub(super) mod energy;
pub(super) mod identity;
#[cfg(feature = "deep")]
mod kept;
pub(super) mod loss_landscape;
pub(super) mod normalization;
pub(super) mod post_training;
pub(super) mod pretrained;
pub(super) mod quantization;
pub(super) mod quantized_training;
pub(super) mod random_potential;
pub(super) mod timing;
pub(super) mod training;
pub(super) mod trajectory;
pub(super) mod weight_decay;

pub use energy::EnergyConfig;
pub use identity::IdentityConfig;
pub use loss_landscape::LandscapeRun;
pub use normalization::NormalizationConfig;
pub use post_training::PostTrainingRun;
pub use pretrained::PretrainedRun;
pub use quantization::QuantizerConfig;
pub use random_potential::RandomPotentialConfig;
pub use timing::TimingConfig;
pub use training::TrainingRun;
pub use weight_decay::WeightDecayRun;

/// What a kind says that this build cannot compute.
#[cfg(not(feature = "deep"))]
fn without_deep(kind: &str) -> crate::error::InputError {
    crate::error::InputError::new(format!(
        "kind `{kind}` needs the cargo feature `deep`, and this program was built without it. Build it with the default features"
    ))
}
