//! What batch normalisation divides by.

mod constant;
mod half;
mod reference;
mod statistic;

pub use half::{Accumulator, HalfPrecision};
pub use reference::{Pullback, Reference, centred};
pub use statistic::Statistic;
