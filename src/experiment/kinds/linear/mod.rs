//! The kinds that run linear networks; they share one configuration.

mod config;
pub(super) mod decay_law;
pub(super) mod induced_regularizer;
pub(super) mod limit;
mod method;

pub use config::{DataConfig, InitConfig, LinearConfig, NetworkConfig, ObserveConfig};
pub use method::{SolverConfig, StopConfig};
