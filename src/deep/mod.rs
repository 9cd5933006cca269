//! The deep wing (f32): training on real pictures, binarisation, quantisation, bit kernels.

pub mod model;
#[cfg(feature = "deep")]
pub mod op;
pub mod quantize;
pub mod train;
