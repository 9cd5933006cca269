//! What training does to a model beyond fitting the data: experiments that re-run the theory, measure it and certify it.
//!
//! A linear network computes ⟨x, β⟩ with β = P(w). On separable data, gradient descent with the exponential loss converges in
//! direction to the β of least R(β) at margin one, where min{‖w‖² : P(w) = β} = L·R(β)^{2/L}. This crate trains such
//! networks ([`linear::solver`]), states the prediction and its certificates ([`linear::predicted`]), and measures the distance
//! ([`linear::metric`]). Specs, runs and verdicts are in [`experiment`], what they leave behind in [`record`] and [`report`].
//!
//! ```
//! use implicit_bias::data::generate::gaussian;
//! use implicit_bias::linear::{Architecture, Task, predicted::minimum_norm};
//!
//! let data = gaussian(&[16], 4, None, 0)?;
//! let task = Task::new(&data, Architecture::Convolutional, 2, 1);
//! let regularizer = task.regularizer().ok_or("no closed form")?;
//! let limit = minimum_norm(&task.regularized_rows(), &regularizer)?;
//! assert_eq!(regularizer.name(), "Fourier l1 norm");
//! assert!(limit.residual < 1e-8); // certified by weak duality
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod cli;
pub mod data;
pub mod deep;
pub mod error;
pub mod experiment;
pub mod linear;
pub mod math;
pub mod record;
pub mod report;
