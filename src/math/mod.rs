//! Kernels on slices: transforms, log-domain sums, least squares, quadrature, statistics, the one seeded generator.

pub mod dft;
pub mod gram;
pub mod interval;
pub mod lambert_w;
pub mod nnls;
pub mod product;
pub mod quadrature;
pub mod random;
pub mod rows;
pub mod simplex;
pub mod sums;
