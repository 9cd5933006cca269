//! Reports: figures, tables and pages. All are functions of records and of nothing else.

pub mod bibliography;
pub mod figure;
mod html;
pub mod junit;
pub mod markdown;
mod notebook;
mod page;
#[cfg(feature = "parquet")]
pub mod parquet;
mod readme;
pub mod table;
pub mod tensorboard;
mod tidy;

pub use figure::{Look, Style, Theme, draw_record, render};
pub use notebook::{Story, notebook};
pub use page::{write_pages, write_pages_after_removal};
pub use readme::with_tables;
pub use tidy::tidy;
