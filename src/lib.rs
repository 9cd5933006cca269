//! implicit-bias
pub mod data;
pub mod error;
pub mod linear;
pub mod math;
