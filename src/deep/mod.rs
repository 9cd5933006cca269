//! The deep wing (f32): training on real pictures, binarisation, quantisation, bit kernels.

pub mod model;
pub mod op;
pub mod train;
