//! What a run leaves behind: rows, CSV, provenance, folder layout, resume. The only code that writes under results/.

mod copy;
pub mod figure_spec;
mod provenance;
mod store;
mod summary;
pub mod table;

pub use copy::{copy_records, papers};
pub use provenance::Provenance;
pub use store::{DATA_FILES, Manifest, RunTables, Store, write_file};
pub use summary::{SUMMARY_COLUMNS, merge_summary, read_summary};
