//! Tables as Apache Parquet (feature `parquet`).

use crate::error::{InputError, Result};
use crate::record::table::{Cell, Table};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::sync::Arc;

/// The table with columns of INT64, DOUBLE or UTF-8, whichever holds all of a column; an empty cell is null.
///
/// # Errors
/// If the writer refuses a column.
pub fn parquet(table: &Table) -> Result<Vec<u8>> {
    write(table).map_err(|e| InputError::new(format!("the table cannot be written as Parquet: {e}")))
}

fn physical(table: &Table, column: usize) -> Physical {
    let cells = || table.rows.iter().map(|row| &row[column]);
    if cells().any(|c| matches!(c, Cell::Text(_))) {
        Physical::BYTE_ARRAY
    } else if cells().any(|c| matches!(c, Cell::Float(_))) || cells().all(|c| *c == Cell::Empty) {
        Physical::DOUBLE
    } else {
        Physical::INT64
    }
}

fn write(table: &Table) -> std::result::Result<Vec<u8>, ParquetError> {
    let kinds: Vec<Physical> = (0..table.columns.len()).map(|c| physical(table, c)).collect();
    let field = |(name, kind): (&String, &Physical)| {
        let words = (*kind == Physical::BYTE_ARRAY).then_some(LogicalType::String);
        let field = Type::primitive_type_builder(name, *kind).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(words).build().map(Arc::new)
    };
    let fields = table.columns.iter().zip(&kinds).map(field).collect::<std::result::Result<_, _>>()?;
    let schema = Type::group_type_builder("table").with_fields(fields).build()?;
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default())?;
    let mut group = writer.next_row_group()?;
    for (c, kind) in kinds.iter().enumerate() {
        let there = || table.rows.iter().map(|row| &row[c]).filter(|cell| **cell != Cell::Empty);
        let levels: Vec<i16> = table.rows.iter().map(|row| i16::from(row[c] != Cell::Empty)).collect();
        let Some(mut column) = group.next_column()? else { break };
        match kind {
            Physical::DOUBLE => {
                let values: Vec<f64> = there().map(Cell::number).collect();
                column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
            }
            Physical::INT64 => {
                let integer = |c: &Cell| if let Cell::Int(value) = c { *value } else { 0 };
                let values: Vec<i64> = there().map(integer).collect();
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
            }
            _ => {
                let values: Vec<ByteArray> = there().map(|cell| ByteArray::from(cell.text().into_bytes())).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            }
        }
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}
