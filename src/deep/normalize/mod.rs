//! What batch normalisation divides by.

mod statistic;

pub use statistic::Statistic;
