//! The training loop: data in batches, optimisers, schedules, checkpoints.

mod batches;
mod checkpoint;
mod config;
mod optimizer;
mod source;
mod trainer;

pub use batches::{Augment, Set};
pub use checkpoint::{load_network, save_network};
pub use config::{Loss, Method, Schedule, TrainingConfig};
pub use optimizer::{Optimizer, Update};
pub use source::{Source, Split};
pub use trainer::{Epoch, Progress, Status, Trainer, error_rate, predictions};
