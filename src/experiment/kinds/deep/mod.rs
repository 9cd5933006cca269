//! The kinds of the deep wing, each with its own configuration.

pub(super) mod energy;
pub(super) mod identity;
pub(super) mod timing;
pub(super) mod training;

pub use energy::EnergyConfig;
pub use identity::IdentityConfig;
pub use timing::TimingConfig;
pub use training::TrainingRun;

/// What a kind says that this build cannot compute.
#[cfg(not(feature = "deep"))]
fn without_deep(kind: &str) -> crate::error::InputError {
    crate::error::InputError::new(format!(
        "kind `{kind}` needs the cargo feature `deep`, and this program was built without it. Build it with the default features"
    ))
}
