//! From a spec to a record: Spec (TOML) → checked runs → runner → expectations.

mod catalogue;
mod config;
mod expect;
pub mod fit;
pub mod kinds;
mod plan;
mod rerun;
mod runner;
mod shard;
mod side_by_side;
mod size;
mod spec;

pub use catalogue::{Entry, did_you_mean, load_all, matching, resolve_all, select};
pub use expect::{Claim, judge};
pub use plan::Plan;
pub use rerun::{Rerun, rerun, sample};
pub use runner::{Event, Options, Ran, keys, record_finished, run_experiment, run_shard};
pub use shard::Shard;
pub use size::Size;
pub use spec::{ResolvedSpec, Run, Spec};
