//! Which runs of an experiment are finished, and where they are.

use super::RunTables;
use super::file::{make_folder, write_cheap_file, write_file};
use super::store::{DATA_FILES, Places};
use super::table::Table;
use crate::error::{InputError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;

/// Seconds below which a run is computed again sooner than processes have waited for each other's files to be on the disk.
const CHEAP: f64 = 0.1;

/// What a run adds to runs.csv, trace.csv and vectors.csv, without their headers.
pub(super) type Bodies = [String; 3];

/// The finished runs of one experiment by key: those of an attempt that was interrupted, and those of the record, if it was
/// computed in this folder and is as it was then.
#[derive(Debug, Default)]
pub struct Finished {
    runs: BTreeMap<String, Kept>,
    record: Bodies,
    /// Keys of the record in its order, if it can be reused.
    pub(super) order: Vec<String>,
    /// Why the record's runs cannot be reused, if there is a record and they cannot.
    pub unusable: Option<String>,
    /// Files of finished runs that are not as they were written: those runs are not finished.
    pub damaged: Vec<PathBuf>,
    /// The folder of the finished runs that are not in the record.
    partial: PathBuf,
}

#[derive(Debug)]
struct Kept {
    seconds: f64,
    /// Of each file of the record; else the run is in the partial folder.
    in_record: Option<[Range<usize>; 3]>,
}

/// `.cache/<paper>/<experiment>/<hash of the record's three files>.toml`: which of their bytes are which run's. By its name
/// it belongs to these bytes and no others, so that it may be written before they are in place and survive them.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Receipt {
    run: Vec<ReceiptRun>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReceiptRun {
    key: String,
    seconds: f64,
    /// Its length in each file.
    bytes: [usize; 3],
}

impl Finished {
    /// Looks; writes nothing.
    pub fn read(places: &Places) -> Self {
        let mut found = Self { partial: places.partial.clone(), ..Self::default() };
        if places.folder.join("record.toml").is_file() {
            found.unusable = found.read_record(places).err();
        }
        for entry in fs::read_dir(&places.partial).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Some(key) = name.to_str().and_then(|n| n.strip_suffix(".run")) else { continue };
            match fs::read_to_string(&path).ok().and_then(|text| decode(&text)) {
                Some((seconds, _)) => drop(found.runs.entry(key.into()).or_insert(Kept { seconds, in_record: None })),
                None => found.damaged.push(path),
            }
        }
        found
    }

    fn read_record(&mut self, places: &Places) -> std::result::Result<(), String> {
        if fs::read_dir(&places.receipts).is_err() {
            return Err("the record was not computed in this folder".into());
        }
        for (text, file) in self.record.iter_mut().zip(DATA_FILES) {
            *text = fs::read_to_string(places.folder.join(file)).unwrap_or_default();
        }
        let receipt = fs::read_to_string(places.receipt(&self.record)).ok();
        let receipt = receipt.and_then(|text| toml::from_str::<Receipt>(&text).ok());
        let receipt = receipt.ok_or("the record was changed after it was computed")?;
        let mut ends = self.record.each_ref().map(|text| header(text).len());
        for run in &receipt.run {
            let ranges = std::array::from_fn(|i| ends[i]..ends[i].saturating_add(run.bytes[i]));
            ends = std::array::from_fn(|i| ranges[i].end);
            self.runs.insert(run.key.clone(), Kept { seconds: run.seconds, in_record: Some(ranges) });
        }
        if ends != self.record.each_ref().map(String::len) {
            self.runs.clear();
            return Err("its receipt is damaged".into());
        }
        self.order = receipt.run.into_iter().map(|run| run.key).collect();
        Ok(())
    }

    /// Whether the run with this key is finished.
    pub fn has(&self, key: &str) -> bool {
        self.runs.contains_key(key)
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.runs.keys().map(String::as_str)
    }

    /// How long the run with this key took.
    pub fn seconds(&self, key: &str) -> Option<f64> {
        self.runs.get(key).map(|k| k.seconds)
    }

    /// The record's three files made of these runs, and its receipt.
    pub(super) fn join(&self, headers: &Bodies, keys: &[String]) -> Result<(Bodies, String)> {
        let mut files = headers.clone();
        let mut receipt = Receipt::default();
        for key in keys {
            let (seconds, bodies) = self.bodies(key).ok_or_else(|| {
                let damaged = self.partial.display();
                InputError::new(format!("{damaged}: run {key} cannot be read back. Run again with --fresh"))
            })?;
            let bytes = std::array::from_fn(|i| bodies[i].len());
            files.iter_mut().zip(&bodies).for_each(|(file, body)| file.push_str(body));
            receipt.run.push(ReceiptRun { key: key.clone(), seconds, bytes });
        }
        let receipt = toml::to_string(&receipt).map_err(|e| InputError::new(format!("receipt: {e}")))?;
        Ok((files, receipt))
    }

    fn bodies(&self, key: &str) -> Option<(f64, Bodies)> {
        let kept = self.runs.get(key)?;
        let Some(ranges) = &kept.in_record else {
            return decode(&fs::read_to_string(self.partial.join(format!("{key}.run"))).ok()?);
        };
        let part = |i: usize| self.record[i].get(ranges[i].clone()).map(str::to_owned);
        Some((kept.seconds, [part(0)?, part(1)?, part(2)?]))
    }
}

/// Keeps a finished run in the partial folder, as one file: a hash of all that follows, its seconds, three lengths, and the
/// three bodies.
pub(super) fn keep(places: &Places, key: &str, tables: &RunTables, seconds: f64) -> Result<()> {
    let body = |table: &Table| {
        let text = table.to_csv();
        text[header(&text).len()..].to_owned()
    };
    let bodies = [&tables.row, &tables.trace, &tables.vectors].map(body);
    let [a, b, c] = &bodies;
    make_folder(&places.partial)?;
    let text = format!("{seconds:?} {} {} {}\n{a}{b}{c}", a.len(), b.len(), c.len());
    let text = format!("{} {text}", checksum(&text));
    let write = if seconds < CHEAP { write_cheap_file } else { write_file };
    write(&places.partial.join(format!("{key}.run")), text.as_bytes())
}

fn checksum(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

fn first_line(line: &str) -> Option<(f64, [usize; 3])> {
    let (seconds, lengths) = line.trim_end().split_once(' ')?;
    let lengths: Vec<usize> =
        lengths.split(' ').map(|n| Some(n.parse::<u32>().ok()? as usize)).collect::<Option<_>>()?;
    Some((seconds.parse().ok()?, lengths.try_into().ok()?))
}

/// The seconds and the bodies of a run's file, if it is as it was written.
fn decode(text: &str) -> Option<(f64, Bodies)> {
    let (hash, text) = text.split_once(' ')?;
    let (line, rest) = text.split_once('\n').filter(|_| hash == checksum(text))?;
    let (seconds, [a, b, c]) = first_line(line)?;
    let part = |range: Range<usize>| rest.get(range).map(str::to_owned);
    Some((seconds, [part(0..a)?, part(a..a + b)?, part(a + b..a + b + c)?]))
}

/// The first line with its end.
fn header(csv: &str) -> &str {
    csv.find('\n').map_or(csv, |end| &csv[..=end])
}
