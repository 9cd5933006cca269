//! From real numbers to few bits.

mod binarize;
mod power_of_two;

pub use binarize::{binarize, binarize_stochastically, hard_sigmoid, sign};
pub use power_of_two::ap2;
