use super::file::write_file;
use super::lock::Lock;
use super::store::CACHE;
use super::table::{Cell, Table};
use crate::error::Result;
use std::path::Path;

/// The columns of results/summary.csv, one row a claim. `low` and `high` are the smallest and largest value over the runs; of a
/// mean, the ends of its 95 % interval. The reason of an inconclusive claim ends with `; ` and what would decide it.
pub const SUMMARY_COLUMNS: [&str; 13] = [
    "paper",
    "experiment",
    "claim",
    "metric",
    "comparison",
    "expected",
    "measured",
    "n",
    "verdict",
    "low",
    "high",
    "tolerance",
    "reason",
];

/// results/summary.csv, or an empty one.
pub fn read_summary(root: &Path) -> Result<Table> {
    let path = root.join("summary.csv");
    if path.is_file() { Table::read(&path) } else { Ok(Table::new(SUMMARY_COLUMNS)) }
}

/// Held while a file about several experiments is written: summary.csv, the pages.
pub fn lock_results(root: &Path) -> Result<Lock> {
    Lock::take(&root.join(CACHE).join("results.lock"))
}

/// Replaces the rows of one experiment in results/summary.csv and keeps the others, sorted by paper and experiment; without
/// rows left the file goes. One process at a time.
pub fn merge_summary(root: &Path, paper: &str, experiment: &str, rows: Vec<Vec<Cell>>) -> Result<Table> {
    let _lock = lock_results(root)?;
    let mut summary = read_summary(root)?;
    let is = |row: &[Cell], i: usize, name: &str| row.get(i).is_some_and(|c| c.text() == name);
    summary.rows.retain(|r| !(is(r, 0, paper) && is(r, 1, experiment)));
    rows.into_iter().for_each(|r| summary.push(r));
    summary.rows.sort_by_key(|r| (r[0].text(), r[1].text()));
    match summary.rows.is_empty() {
        true => drop(std::fs::remove_file(root.join("summary.csv"))),
        false => write_file(&root.join("summary.csv"), summary.to_csv().as_bytes())?,
    }
    Ok(summary)
}
