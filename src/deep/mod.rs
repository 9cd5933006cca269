//! The deep wing (f32): training on real pictures, binarisation, quantisation, bit kernels.

pub mod inference;
pub mod integer;
pub mod kernel;
pub mod landscape;
pub mod model;
pub mod normalize;
#[cfg(feature = "deep")]
pub mod op;
pub mod packed;
pub mod quantize;
pub mod torch;
pub mod train;
