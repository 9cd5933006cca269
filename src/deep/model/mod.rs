//! Networks: a list of layers over named parameters.

mod build;
mod config;
mod network;
mod parameter;

pub use config::{Activation, Architecture, ModelConfig, Normalization, Weights};
pub use network::{Layer, Network, Pass, Running};
pub use parameter::{Parameter, Role};
