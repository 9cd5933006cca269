//! A table with a header: the one shape in which numbers are kept, `runs.csv`, `trace.csv`, `vectors.csv`, `summary.csv`.

use std::path::Path;

use crate::error::{InputError, Result};

/// One field of a [`Table`].
///
/// Read back from CSV, a field is `Int` if it parses as `i64`, else `Float`, else `Text`; an empty field is `Empty`.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words, e.g. the value of a categorical parameter.
    Text(String),
    /// A count, a seed, an index.
    Int(i64),
    /// A measurement; `inf` and `-inf` are allowed, NaN is [`Cell::Empty`].
    Float(f64),
    /// Nothing was measured.
    Empty,
}

impl Cell {
    /// The cell as a number; NaN where it holds none.
    pub fn number(&self) -> f64 {
        match self {
            Cell::Int(value) => *value as f64,
            Cell::Float(value) => *value,
            Cell::Text(_) | Cell::Empty => f64::NAN,
        }
    }

    /// The cell as it stands in the CSV: shortest decimals that read back to the same bits, nothing for `Empty`.
    pub fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Int(value) => value.to_string(),
            Cell::Float(value) if value.is_nan() => String::new(),
            Cell::Float(value) => format!("{value:?}"),
            Cell::Empty => String::new(),
        }
    }

    fn read(field: &str) -> Cell {
        if field.is_empty() {
            return Cell::Empty;
        }
        if let Ok(value) = field.parse::<i64>() {
            return Cell::Int(value);
        }
        let digits = field.trim_start_matches(['-', '+', '.']);
        let numeric = digits == "inf" || digits.starts_with(|c: char| c.is_ascii_digit());
        match field.parse::<f64>() {
            Ok(value) if numeric => Cell::Float(value),
            _ => Cell::Text(field.to_owned()),
        }
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        if value.is_nan() { Cell::Empty } else { Cell::Float(value) }
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Cell::Int(value)
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        if value.is_empty() { Cell::Empty } else { Cell::Text(value.to_owned()) }
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Cell::from(value.as_str())
    }
}

/// Named columns and rows of [`Cell`]s, one for one with a CSV file.
///
/// ```
/// use implicit_bias::record::table::Table;
///
/// let mut runs = Table::new(["depth", "margin"]);
/// runs.push(vec![2_usize.into(), 0.5.into()]);
/// assert_eq!(runs.to_csv(), "depth,margin\n2,0.5\n");
/// assert_eq!(Table::parse(&runs.to_csv(), "runs.csv")?, runs);
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The header.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// No rows yet.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Appends a row; one that is too short is filled with `Empty`, what goes beyond the header is dropped.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize(self.columns.len(), Cell::Empty);
        self.rows.push(row);
    }

    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// A column as numbers, one a row, NaN where a field is empty or words; all NaN if there is no such column.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        let column = self.column(name);
        self.rows.iter().map(|row| column.and_then(|c| row.get(c)).map_or(f64::NAN, Cell::number)).collect()
    }

    /// The table as CSV: header, `\n`, quotes only where they are needed.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail, and push keeps every row as long as the header.
        let _ = writer.write_record(&self.columns);
        for row in &self.rows {
            let _ = writer.write_record(row.iter().map(Cell::text));
        }
        writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Reads CSV with a header; `place` is put in front of an error.
    ///
    /// # Errors
    /// A row whose length differs from the header's, a column named twice.
    pub fn parse(text: &str, place: &str) -> Result<Table> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let bad = |e: csv::Error| InputError::new(e.to_string()).at(place);
        let mut table = Table::new(reader.headers().map_err(bad)?);
        for (i, name) in table.columns.iter().enumerate() {
            if table.columns[..i].contains(name) {
                return Err(InputError::new(format!("column `{name}` is there twice. Rename one of them.")).at(place));
            }
        }
        for record in reader.records() {
            table.rows.push(record.map_err(bad)?.iter().map(Cell::read).collect());
        }
        Ok(table)
    }

    /// Reads a CSV file.
    ///
    /// # Errors
    /// A file that cannot be read, and what [`Table::parse`] refuses.
    pub fn read(path: &Path) -> Result<Table> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| InputError::new(e.to_string()).at(&place))?;
        Table::parse(&text, &place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_round_trip_is_exact() {
        let mut table = Table::new(["a", "b, \"c\"", "d"]);
        let floats = [
            0.1,
            -0.0,
            5e-324,
            -2.2e-308,
            1.5e-300,
            1e-5,
            1e16,
            3.0,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1.0 / 3.0,
        ];
        for value in floats {
            table.push(vec![value.into(), "say \"hi\", twice\nover".into(), 7_i64.into()]);
        }
        table.push(vec![f64::NAN.into(), "information".into(), i64::MIN.into()]);
        let back = Table::parse(&table.to_csv(), "test").unwrap();
        assert_eq!(back, table);
        for (value, read) in floats.iter().zip(back.numbers("a")) {
            assert_eq!(value.to_bits(), read.to_bits());
        }
        assert!(back.numbers("a")[floats.len()].is_nan());
    }

    #[test]
    fn errors_name_the_place() {
        let error = Table::parse("a,b\n1\n", "runs.csv").unwrap_err();
        assert!(error.to_string().starts_with("runs.csv: "), "{error}");
    }
}
