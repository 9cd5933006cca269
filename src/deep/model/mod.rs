//! Networks: a list of layers over named parameters.

#[cfg(feature = "deep")]
mod build;
mod config;
#[cfg(feature = "deep")]
mod graph;
#[cfg(feature = "deep")]
mod network;
#[cfg(feature = "deep")]
mod parameter;
#[cfg(feature = "deep")]
mod pass;
mod quantization;

pub use config::{Activation, Architecture, ModelConfig, Normalization, Parametrization, Weights};
#[cfg(feature = "deep")]
pub use network::{Layer, Network, Running};
#[cfg(feature = "deep")]
pub use parameter::{Parameter, Role};
#[cfg(feature = "deep")]
pub use pass::Pass;
pub use quantization::{Quantization, Rounding};
