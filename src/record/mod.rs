//! What a run leaves behind: rows, CSV, provenance, folder layout, resume. The only code that writes under results/.

mod compare;
mod copy;
pub mod figure_spec;
mod file;
mod finished;
mod lock;
mod provenance;
mod scratch;
mod store;
mod summary;
pub mod survey;
pub mod table;

pub use compare::{Difference, differences};
pub use copy::{copy_records, papers};
pub use file::{make_folder, write_file};
pub use finished::Finished;
pub use lock::Lock;
pub use provenance::{Clock, Provenance, this_program};
pub use scratch::Scratch;
pub use store::{DATA_FILES, Manifest, Places, RunTables, Store};
pub use summary::{SUMMARY_COLUMNS, lock_results, merge_summary, read_summary};
