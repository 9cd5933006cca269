//! The kinds of the deep wing, each with its own configuration.

pub(super) mod energy;
pub(super) mod identity;
pub(super) mod training;

pub use energy::EnergyConfig;
pub use identity::IdentityConfig;
pub use training::TrainingRun;
