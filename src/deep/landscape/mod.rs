//! The random walk in a random potential, which hoffer2017 takes as a model of training far from convergence.
//!
//! If E(V(x) − V(y))² ∝ |x − y|^α, barriers grow like distance^(α/2) and are crossed in a time exponential in their height, so
//! that the walk is expected to be (ln t)^(2/α) from where it began. In one dimension this is a walk on the integers with rates
//! W(x → x±1) = exp(−(V(x±1) − V(x))/2), in detailed balance with exp(−V), in a Gaussian potential with Hurst exponent H = α/2.

mod potential;
mod walk;

pub use potential::{FractionalNoise, Potential};
pub use walk::{Distribution, LANES, Lanes, Moments, Relaxation, Walk};
