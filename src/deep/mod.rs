//! The deep wing (f32): training on real pictures, binarisation, quantisation, bit kernels.

pub mod quantize;
