use super::say;
use crate::record::table::{Cell, Table};
use serde_json::{Map, Value};

/// Prints a value, indented.
pub fn say_json(value: impl Into<Value>) {
    say(&format!("{:#}", value.into()));
}

/// One object a row, a key a column; what CSV leaves empty is null, and ±inf are words.
pub fn rows(table: &Table) -> Vec<Value> {
    let object = |row: &Vec<Cell>| {
        table.columns.iter().cloned().zip(row.iter().map(cell)).collect::<Map<String, Value>>().into()
    };
    table.rows.iter().map(object).collect()
}

pub fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Int(value) => (*value).into(),
        Cell::Float(value) if value.is_finite() => (*value).into(),
        Cell::Float(value) if value.is_nan() => Value::Null,
        Cell::Empty => Value::Null,
        other => other.text().into(),
    }
}
