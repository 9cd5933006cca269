//! The theory wing (f64): linear networks, their losses, solvers, predicted limits and metrics.

pub mod loss;
pub mod metric;
pub mod network;
pub mod predicted;
pub mod solver;
mod task;

pub use task::{Architecture, Frame, Task};
