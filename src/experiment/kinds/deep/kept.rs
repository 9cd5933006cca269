//! What a long training keeps, so that it goes on to the same bytes after an interruption.

use crate::error::{InputError, Result};
use std::time::{Duration, Instant};

/// What has been observed: steps, and a row of numbers for each.
pub type Trace = Vec<(u64, Vec<f64>)>;

/// A state is kept at the end of the first epoch that ends this long after the last that was kept.
const EVERY: Duration = Duration::from_secs(20);

/// When a state was last kept.
pub struct Kept(Instant);

impl Kept {
    /// Now.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// Whether it is time again; if so, it is kept now.
    pub fn is_due(&mut self) -> bool {
        let due = self.0.elapsed() > EVERY;
        if due {
            *self = Self::now();
        }
        due
    }
}

/// A trace as text, every bit of it.
pub fn pack(trace: &Trace) -> String {
    let row = |(step, row): &(u64, Vec<f64>)| {
        let bits: Vec<String> = row.iter().map(|v| format!("{:x}", v.to_bits())).collect();
        format!("{step} {}\n", bits.join(" "))
    };
    trace.iter().map(row).collect()
}

/// The trace that [`pack`] wrote.
pub fn unpack(text: &str) -> Result<Trace> {
    let row = |line: &str| {
        let (step, bits) = line.split_once(' ')?;
        let values = bits.split(' ').map(|b| u64::from_str_radix(b, 16).ok().map(f64::from_bits));
        Some((step.parse().ok()?, values.collect::<Option<Vec<f64>>>()?))
    };
    let rows: Option<Trace> = text.lines().map(row).collect();
    rows.ok_or_else(damaged)
}

/// What is said of a state that cannot be read.
pub fn damaged() -> InputError {
    InputError::new("the kept state of a training is damaged. Start anew with `--fresh`")
}
