//! Networks: a list of layers over named parameters.

#[cfg(feature = "deep")]
mod build;
mod config;
#[cfg(feature = "deep")]
mod network;
#[cfg(feature = "deep")]
mod parameter;
mod quantization;

pub use config::{Activation, Architecture, ModelConfig, Normalization, Parametrization, Weights};
#[cfg(feature = "deep")]
pub use network::{Layer, Network, Pass, Running};
#[cfg(feature = "deep")]
pub use parameter::{Parameter, Role};
pub use quantization::{Quantization, Rounding};
