//! The training loop: data in batches, optimisers, schedules, checkpoints.

mod batches;
#[cfg(feature = "deep")]
mod checkpoint;
mod config;
#[cfg(feature = "deep")]
mod observe;
#[cfg(feature = "deep")]
mod optimizer;
mod source;
#[cfg(feature = "deep")]
mod trainer;

pub use batches::Set;
#[cfg(feature = "deep")]
pub use checkpoint::{load_network, load_state, save_network};
pub use config::{DecayOn, LargeBatch, Loss, Method, Schedule, TrainingConfig};
#[cfg(feature = "deep")]
pub use observe::{Observed, observe};
#[cfg(feature = "deep")]
pub use optimizer::{NormRule, Norms, Optimizer, Update};
pub use source::{Source, Split};
#[cfg(feature = "deep")]
pub use trainer::{Epoch, Progress, Status, Trainer, batch_loss, error_rate, predictions};
