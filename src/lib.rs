//! implicit-bias
pub mod cli;
pub mod data;
pub mod error;
pub mod experiment;
pub mod linear;
pub mod math;
pub mod record;
pub mod report;
