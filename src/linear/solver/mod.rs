//! How a network is trained: one file a method, one loop in the order of the algorithm, stop rules, a status, observers.
//!
//! Solvers neither print nor measure. They hand a borrowed [`State`] to an observer on a schedule.

mod gradient_descent;
mod log_time_flow;
mod path;
mod schedule;
mod state;
mod step;
mod stop;

pub use gradient_descent::{Objective, gradient_descent};
pub use log_time_flow::{FlowOptions, log_time_flow};
pub use schedule::Schedule;
pub use state::State;
pub use step::StepRule;
pub use stop::{Outcome, Status, Stop};
