//! Values of a spec as Python, and labels as matplotlib sets them.

use crate::record::figure_spec::{OneOrMany, Scalar};
use crate::report::figure::pieces;
use std::collections::BTreeMap;
use toml::Value;

/// A string literal: those of JSON are Python's too.
pub fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number that reads back to the same bits.
pub fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { format!("float(\"{value}\")") }
}

/// A value of TOML.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Array(all) => format!("[{}]", all.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::String(text) => string(text),
        Value::Float(value) => number(*value),
        Value::Boolean(value) => if *value { "True" } else { "False" }.to_owned(),
        other => other.to_string(),
    }
}

fn scalar(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => literal(&Value::Boolean(*value)),
        Scalar::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value}"),
        Scalar::Number(value) => number(*value),
        Scalar::Text(text) => string(text),
    }
}

/// A dictionary.
pub fn dict<V>(entries: &BTreeMap<String, V>, show: impl Fn(&V) -> String) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{}: {}", string(key), show(value))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// `table`, or `select(table, {"depth": [2, 3]})`.
pub fn selected<V>(table: &str, filter: &BTreeMap<String, V>, show: impl Fn(&V) -> String) -> String {
    if filter.is_empty() { table.to_owned() } else { format!("select({table}, {})", dict(filter, show)) }
}

/// A value of a panel's `where`.
pub fn wanted(value: &OneOrMany<Scalar>) -> String {
    match value {
        OneOrMany::One(value) => scalar(value),
        OneOrMany::Many(values) => format!("[{}]", values.iter().map(scalar).collect::<Vec<_>>().join(", ")),
    }
}

/// Words for raw values.
pub fn words(labels: &BTreeMap<String, String>) -> String {
    dict(labels, |label| string(&mathtext(label)))
}

/// `^{…}` and `_{…}` as matplotlib's mathematics.
pub fn mathtext(label: &str) -> String {
    set(label, "{", "}")
}

/// The same for a template whose braces hold columns.
pub fn template(label: &str) -> String {
    set(label, "{{", "}}")
}

fn set(label: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    for (text, level) in pieces(label) {
        match level {
            0 => out.push_str(&plain(text, open, close)),
            1 => out.push_str(&format!("$^{open}{text}{close}$")),
            _ => out.push_str(&format!("$_{open}{text}{close}$")),
        }
    }
    // A superscript over a subscript.
    out.replace(&format!("{close}$$^"), &format!("{close}^")).replace(&format!("{close}$$_"), &format!("{close}_"))
}

/// Words between superscripts; matplotlib loses a combining circumflex beside mathematics, and has no U+1D4DB.
fn plain(text: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\u{302}' => {
                let under = out.pop().unwrap_or_default();
                out.push_str(&format!("$\\hat{open}{under}{close}$"));
            }
            '$' => out.push_str("\\$"),
            '𝓛' => out.push('ℒ'),
            other => out.push(other),
        }
    }
    out
}
