//! The tables of one record, joined by run and step, and the rows of them that a panel keeps.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::axis::{self, Axis};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{OneOrMany, PanelSpec, Scalar, Scale, Source};
use crate::record::table::{Cell, Table};

/// The tables of a record folder that figures read.
pub struct Record {
    runs: Table,
    trace: Table,
    vectors: Table,
    run_row: HashMap<String, usize>,
    trace_row: HashMap<(String, String), usize>,
}

impl Record {
    /// Reads `runs.csv`, and `trace.csv` and `vectors.csv` where they exist.
    pub fn read(folder: &Path) -> Result<Record> {
        let table = |name: &str| {
            let path = folder.join(name);
            if path.exists() { Table::read(&path) } else { Ok(Table::default()) }
        };
        let (runs, trace, vectors) =
            (Table::read(&folder.join("runs.csv"))?, table("trace.csv")?, table("vectors.csv")?);
        let key = |t: &Table, row: usize, name: &str| t.column(name).map_or(String::new(), |c| t.rows[row][c].text());
        let run_row = (0..runs.rows.len()).map(|r| (key(&runs, r, "run"), r)).collect();
        let trace_row = (0..trace.rows.len()).map(|r| ((key(&trace, r, "run"), key(&trace, r, "step")), r)).collect();
        Ok(Record { runs, trace, vectors, run_row, trace_row })
    }

    fn table(&self, source: Source) -> &Table {
        match source {
            Source::Runs => &self.runs,
            Source::Trace => &self.trace,
            Source::Vectors => &self.vectors,
        }
    }
}

/// The rows of one table that pass a panel's filter.
pub struct Rows<'a> {
    record: &'a Record,
    source: Source,
    place: &'a str,
    run: Option<usize>,
    step: Option<usize>,
    /// Row numbers in the table.
    pub rows: Vec<usize>,
}

/// Where a column was found.
#[derive(Clone, Copy)]
pub struct Column(Source, usize);

/// Rows that share the value of the series column.
pub struct Group {
    pub value: String,
    pub rows: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// The rows of `source` that pass `panel.filter`; `place` names figure and panel in errors.
    pub fn select(record: &'a Record, source: Source, panel: &PanelSpec, place: &'a str) -> Result<Rows<'a>> {
        let table = record.table(source);
        let (run, step) = (table.column("run"), table.column("step"));
        let mut kept = Rows { record, source, place, run, step, rows: (0..table.rows.len()).collect() };
        if table.columns.is_empty() {
            return Ok(kept);
        }
        for (name, wanted) in &panel.filter {
            let column = kept.column(name)?;
            let mut rows = std::mem::take(&mut kept.rows);
            rows.retain(|row| kept.cell(*row, column).is_some_and(|cell| matches(cell, wanted)));
            kept.rows = rows;
        }
        Ok(kept)
    }

    /// Finds a column here, then in the trace (for vectors), then in the runs.
    ///
    /// # Errors
    /// No table has it; the message lists what there is.
    pub fn column(&self, name: &str) -> Result<Column> {
        let sources = match self.source {
            Source::Runs => &[Source::Runs][..],
            Source::Trace => &[Source::Trace, Source::Runs],
            Source::Vectors => &[Source::Vectors, Source::Trace, Source::Runs],
        };
        let found = sources.iter().find_map(|s| self.record.table(*s).column(name).map(|c| Column(*s, c)));
        found.ok_or_else(|| {
            let mut there: Vec<&str> = Vec::new();
            for column in sources.iter().flat_map(|s| &self.record.table(*s).columns) {
                if !there.contains(&column.as_str()) {
                    there.push(column);
                }
            }
            let there = there.join(", ");
            InputError::new(format!("there is no column `{name}`. Use one of: {there}.")).at(self.place)
        })
    }

    pub fn cell(&self, row: usize, column: Column) -> Option<&'a Cell> {
        let table = self.record.table(column.0);
        let row = if column.0 == self.source {
            row
        } else if column.0 == Source::Runs {
            *self.record.run_row.get(&self.run(row))?
        } else {
            *self.record.trace_row.get(&(self.run(row), self.key(row, self.step)))?
        };
        table.rows.get(row)?.get(column.1)
    }

    pub fn number(&self, row: usize, column: Column) -> f64 {
        self.cell(row, column).map_or(f64::NAN, Cell::number)
    }

    pub fn text(&self, row: usize, column: Column) -> String {
        self.cell(row, column).map_or(String::new(), Cell::text)
    }

    fn key(&self, row: usize, column: Option<usize>) -> String {
        column.map_or(String::new(), |c| self.record.table(self.source).rows[row][c].text())
    }

    /// The run a row belongs to.
    pub fn run(&self, row: usize) -> String {
        self.key(row, self.run)
    }

    /// The rows by series value: numbers in order, words as they first appear in the table.
    pub fn groups(&self, series: Option<&str>) -> Result<Vec<Group>> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        let Some(series) = series else {
            return Ok(vec![Group { value: String::new(), rows: self.rows.clone() }]);
        };
        let column = self.column(series)?;
        let mut place = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for row in &self.rows {
            let value = self.text(*row, column);
            let i = *place.entry(value.clone()).or_insert(groups.len());
            if i == groups.len() {
                groups.push(Group { value, rows: Vec::new() });
            }
            groups[i].rows.push(*row);
        }
        let number = |g: &Group| g.value.parse::<f64>().ok();
        if groups.iter().all(|g| number(g).is_some()) {
            groups.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
        }
        Ok(groups)
    }

    /// Splits rows by run, in the order in which runs first appear.
    pub fn by_run(&self, rows: &[usize]) -> Vec<Vec<usize>> {
        let mut place = HashMap::new();
        let mut runs: Vec<Vec<usize>> = Vec::new();
        for row in rows {
            let i = *place.entry(self.run(*row)).or_insert(runs.len());
            if i == runs.len() {
                runs.push(Vec::new());
            }
            runs[i].push(*row);
        }
        runs
    }

    /// Keeps the rows of one quantity.
    pub fn quantity(&mut self, quantity: &str) -> Result<()> {
        let column = self.column("quantity")?;
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|row| self.cell(*row, column).is_some_and(|c| c.text() == quantity));
        self.rows = rows;
        Ok(())
    }

    /// Keeps, of each run and quantity, the rows at the last step not after `step`.
    pub fn last_step(&mut self, step: Option<u64>) -> Result<()> {
        let (step_column, quantity) = (self.column("step")?, self.column("quantity").ok());
        let limit = step.map_or(f64::INFINITY, |s| s as f64);
        let key = |row: usize| (self.run(row), quantity.map(|q| self.text(row, q)));
        let mut last: BTreeMap<(String, Option<String>), f64> = BTreeMap::new();
        for row in &self.rows {
            let at = self.number(*row, step_column);
            if at <= limit {
                last.entry(key(*row)).and_modify(|s| *s = s.max(at)).or_insert(at);
            }
        }
        let mut rows = self.rows.clone();
        rows.retain(|row| last.get(&key(*row)).is_some_and(|s| *s == self.number(*row, step_column)));
        self.rows = rows;
        Ok(())
    }

    /// The label of a group: the template with columns in braces filled in, else the series value.
    pub fn label(&self, panel: &PanelSpec, group: &Group) -> Result<String> {
        let Some(template) = &panel.legend else { return Ok(named(panel, &group.value)) };
        let mut out = String::new();
        let mut rest = template.as_str();
        while let Some(start) = rest.find('{') {
            let Some(length) = rest[start..].find('}') else { break };
            let markup = rest[..start].ends_with(['^', '_']);
            out.push_str(&rest[..start]);
            let name = &rest[start + 1..start + length];
            match group.rows.first() {
                Some(row) if !markup => out.push_str(&named(panel, &self.text(*row, self.column(name)?))),
                _ => out.push_str(&rest[start..=start + length]),
            }
            rest = &rest[start + length + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The words for a raw value.
pub fn named(panel: &PanelSpec, value: &str) -> String {
    let plain = || match value.strip_suffix(".0") {
        Some(whole) if value.parse::<f64>().is_ok() => whole.to_owned(),
        _ => value.replace('_', " "),
    };
    panel.labels.get(value).cloned().unwrap_or_else(plain)
}

fn matches(cell: &Cell, wanted: &OneOrMany<Scalar>) -> bool {
    wanted.as_slice().iter().any(|scalar| match scalar {
        Scalar::Bool(value) => cell.text() == value.to_string(),
        Scalar::Number(value) => cell.number() == *value,
        Scalar::Text(value) => cell.text() == *value,
    })
}

/// The median of values that are not NaN; NaN if there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// An axis with the spec's label, scale and limits; the label is the column's name if the spec has none.
pub fn axis(label: Option<&String>, column: &str, scale: Scale, range: Option<[f64; 2]>) -> Axis {
    let fixed = range.and_then(|[a, b]| {
        let ends = [axis::position(scale, a)?, axis::position(scale, b)?];
        (ends[0] < ends[1]).then_some(ends)
    });
    Axis { label: label.cloned().unwrap_or_else(|| column.replace('_', " ")), scale, fixed, ..Axis::default() }
}
