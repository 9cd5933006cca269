//! The deep wing (f32): training on real pictures, binarisation, quantisation, bit kernels.

pub mod kernel;
#[cfg(feature = "deep")]
pub mod model;
#[cfg(feature = "deep")]
pub mod op;
pub mod packed;
pub mod quantize;
#[cfg(feature = "deep")]
pub mod train;
