//! From real numbers to few bits.

mod affine;
mod binarize;
mod power_of_two;
mod unique_filters;

pub use affine::Affine;
pub use binarize::{binarize, binarize_stochastically, hard_sigmoid, sign};
pub use power_of_two::ap2;
pub use unique_filters::{unique_filters, unique_filters_up_to_sign};
