//! Bad input, and only that: how a computation ended is a status, never an error.

use std::fmt;

/// What a person gave us that we cannot use, said so that they can mend it.
///
/// Every message names the place (file or option), the field, the value found, the allowed range and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    message: String,
}

/// The result of reading, checking or writing something a person gave us.
pub type Result<T> = std::result::Result<T, InputError>;

impl InputError {
    /// An error that is already a whole sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// `field = value`, the range that is allowed, and the remedy, as one paragraph.
    pub fn value(field: &str, value: impl fmt::Display, allowed: &str, remedy: &str) -> Self {
        Self::new(format!("`{field}` is {value}, but must be {allowed}. {remedy}"))
    }

    /// The same error with the place it was met put in front, e.g. a file name.
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self::new(format!("{place}: {}", self.message))
    }
}

/// An error unless `low` < v ≤ `high`.
///
/// # Errors
/// Names the field.
pub fn between(field: &str, v: f64, low: f64, high: f64) -> Result<()> {
    let inside = v > low && v <= high;
    let allowed = format!("above {low} and at most {high}");
    inside.then_some(()).ok_or_else(|| InputError::value(field, v, &allowed, "Choose a value in that range."))
}

/// Whether a field needs no mention in a file.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InputError {}
