use super::table::{Cell, Table};

/// A cell that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The run, by the first column.
    pub run: String,
    /// The column.
    pub column: String,
    /// What is stored.
    pub stored: Cell,
    /// What it is now.
    pub now: Cell,
    /// |stored − now| / max(1, |stored|, |now|); infinite where one of them is no number.
    pub size: f64,
}

/// The cells in which two tables of the same runs differ, largest difference first. Columns are paired by name.
///
/// Why relative above one and absolute below: metrics are of order one or grow with the run (q, norms), and those near zero
/// are differences of numbers of order one (gaps, residuals), so that their own size says nothing about rounding.
pub fn differences(stored: &Table, now: &Table) -> Vec<Difference> {
    let mut all = vec![];
    for column in stored.columns.iter().chain(now.columns.iter().filter(|c| stored.column(c).is_none())) {
        let cell = |table: &Table, row: usize| {
            let value = table.column(column).and_then(|c| table.rows.get(row)?.get(c).cloned());
            value.unwrap_or(Cell::Empty)
        };
        for row in 0..stored.rows.len().max(now.rows.len()) {
            let (a, b) = (cell(stored, row), cell(now, row));
            // As written: 1 and 1.0 are the same cell of two files only if they are the same bytes.
            if a.text() != b.text() {
                let run = stored.rows.get(row).or(now.rows.get(row)).and_then(|r| r.first());
                let (run, size) = (run.map(Cell::text).unwrap_or_default(), distance(a.number(), b.number()));
                all.push(Difference { run, column: column.clone(), stored: a, now: b, size });
            }
        }
    }
    all.sort_by(|a, b| b.size.total_cmp(&a.size));
    all
}

fn distance(a: f64, b: f64) -> f64 {
    let size = (a - b).abs() / a.abs().max(b.abs()).max(1.0);
    if size.is_nan() { f64::INFINITY } else { size }
}
