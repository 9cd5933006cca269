//! Traces as TensorBoard's event files: records framed by length and checksum, each an `Event` of protocol buffers.

use crate::error::Result;
use crate::record::table::{Cell, Table};
use std::path::Path;

/// The most runs of an experiment that are written: each is a curve in every chart.
pub const MOST_CURVES: usize = 50;

/// The name of the event file in a run's folder.
pub const EVENT_FILE: &str = "events.out.tfevents.0.implicit-bias";

/// One run of a record for TensorBoard.
pub struct Scalars {
    /// The run's parameters, e.g. `depth=2,seed=0`.
    pub name: String,
    /// The event file.
    pub bytes: Vec<u8>,
}

/// Every metric of the trace as a scalar in double precision, of at most [`MOST_CURVES`] runs evenly spaced over the
/// grid; and how many runs there are. The wall time of all events is 0: a record has none.
///
/// # Errors
/// A table that cannot be read.
pub fn tensorboard(folder: &Path) -> Result<(Vec<Scalars>, usize)> {
    let (runs, trace) = (Table::read(&folder.join("runs.csv"))?, Table::read(&folder.join("trace.csv"))?);
    let (total, parameters) = (runs.rows.len(), runs.column("status").unwrap_or(1));
    let kept = total.min(MOST_CURVES);
    let scalars = |row: &Vec<Cell>| {
        let pair = |c: usize| format!("{}={}", runs.columns[c], row[c].text().replace(['/', '\\'], "_"));
        let name = (1..parameters).map(pair).collect::<Vec<_>>().join(",");
        let mut bytes = record(&field(3, b"brain.Event:2"));
        for event in trace.rows.iter().filter(|r| r[0] == row[0]) {
            let metrics = trace.columns.iter().zip(event).skip(2).filter(|(_, cell)| !cell.number().is_nan());
            let summary: Vec<u8> = metrics.flat_map(|(tag, cell)| field(1, &value(tag, cell.number()))).collect();
            let step = if let Cell::Int(step) = event[1] { step } else { 0 };
            bytes.extend(record(&[&[0x10], &varint(step as u64)[..], &field(5, &summary)].concat()));
        }
        Scalars { name: if name.is_empty() { row[0].text() } else { name }, bytes }
    };
    Ok(((0..kept).map(|i| scalars(&runs.rows[i * total / kept])).collect(), total))
}

/// `Summary.Value`: a tag (1), a tensor (8) of one double, and metadata (9) that call it a scalar.
fn value(tag: &str, value: f64) -> Vec<u8> {
    let double_scalar = [&[0x08, 2, 0x12, 0][..], &field(4, &value.to_le_bytes())].concat();
    let metadata = [field(1, &field(1, b"scalars")), vec![0x20, 1]].concat();
    [field(1, tag.as_bytes()), field(8, &double_scalar), field(9, &metadata)].concat()
}

/// A length-delimited field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[(number << 3) | 2], &varint(content.len() as u64)[..], content].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A TFRecord: length, its checksum, the data, their checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

/// CRC-32C, rotated and shifted by a constant.
fn masked(data: &[u8]) -> [u8; 4] {
    let step = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0x82f6_3b78 * (c & 1)));
    let crc = !data.iter().fold(!0, step);
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_that_of_the_standard() {
        // CRC-32C of "123456789" is 0xe3069283.
        assert_eq!(masked(b"123456789"), 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes());
        assert_eq!(varint(300), [0xac, 2]);
    }
}
