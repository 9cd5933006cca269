//! A record as one tidy table.

use crate::error::Result;
use crate::record::table::{Cell, Table};
use std::collections::HashMap;
use std::path::Path;

/// The trace of a record with the parameters and the seed of each run: `run, <parameters>, seed, step, <metrics>`.
///
/// # Errors
/// A table that cannot be read.
pub fn tidy(folder: &Path) -> Result<Table> {
    let (runs, trace) = (Table::read(&folder.join("runs.csv"))?, Table::read(&folder.join("trace.csv"))?);
    let parameters = &runs.columns[..runs.column("status").unwrap_or(1)];
    let of_run: HashMap<String, &[Cell]> =
        runs.rows.iter().map(|row| (row[0].text(), &row[..parameters.len()])).collect();
    let mut table = Table::new(parameters.iter().chain(trace.columns.iter().skip(1)));
    for row in &trace.rows {
        let own = of_run.get(&row[0].text()).copied().unwrap_or_default();
        table.push(own.iter().chain(&row[1..]).cloned().collect());
    }
    Ok(table)
}
