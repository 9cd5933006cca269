//! Reports: figures, tables and pages. All are functions of records and of nothing else.

pub mod bibliography;
pub mod figure;
mod html;
pub mod junit;
pub mod markdown;
mod page;
pub mod table;

pub use figure::{Look, Style, Theme, draw_record, render};
pub use page::{write_pages, write_pages_after_removal};
