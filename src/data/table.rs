//! What the readers of a person's own files share: two classes from labels, a shape, messages.

use super::{Dataset, MAX_NUMBERS};
use crate::error::{InputError, Result};

/// A data set from N×D features and N labels of exactly two values; the larger value is +1.
///
/// `shape` defaults to `[D]`.
pub(super) fn dataset(
    name: String,
    features: usize,
    shape: Option<&[usize]>,
    x: Vec<f64>,
    labels: &[String],
    column: &str,
) -> Result<Dataset> {
    if features < 2 {
        let remedy = "With one feature a direction is only a sign: add feature columns.";
        return Err(InputError::value("the number of features", features, "at least 2", remedy));
    }
    let shape = shape.map_or(vec![features], <[usize]>::to_vec);
    if shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n)) != Some(features) {
        let allowed = format!("lengths whose product is the number of features, {features}");
        let remedy = "Correct the shape, or leave it out for one-dimensional signals.";
        return Err(InputError::value("shape", format!("{shape:?}"), &allowed, remedy));
    }
    Dataset { name, shape, x, y: signs(labels, column)?, planted: None }.check()
}

/// −1 and +1 for the smaller and the larger of exactly two labels: as numbers if all are numbers, else as text.
fn signs(labels: &[String], column: &str) -> Result<Vec<f64>> {
    let numbers: Option<Vec<f64>> = labels.iter().map(|l| l.parse().ok()).collect();
    if let Some(i) = labels.iter().position(|l| l.is_empty() || l.parse::<f64>().is_ok_and(|v| !v.is_finite())) {
        let remedy = "Remove samples without a label.";
        return Err(InputError::value(&format!("{column} of sample {}", i + 1), quoted(&labels[i]), "a label", remedy));
    }
    match numbers {
        // −0 and 0 are one class.
        Some(numbers) => split(&numbers, |v| (v + 0.0).to_string(), f64::total_cmp, column),
        None => split(labels, |l| quoted(l), String::cmp, column),
    }
}

fn split<T: Clone + PartialEq>(
    labels: &[T],
    show: impl Fn(&T) -> String,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
    column: &str,
) -> Result<Vec<f64>> {
    let mut classes = labels.to_vec();
    classes.sort_by(order);
    classes.dedup();
    match classes.as_slice() {
        [_, larger] => Ok(labels.iter().map(|l| if l == larger { 1.0 } else { -1.0 }).collect()),
        _ => {
            let noun = if classes.len() == 1 { "class" } else { "classes" };
            let found = format!("made of {} {noun} ({})", classes.len(), listed(classes.iter().map(show)));
            let remedy = "Choose another label, or keep the samples of two classes.";
            Err(InputError::value(column, found, "made of exactly 2", remedy))
        }
    }
}

/// That N·D numbers are not too many.
pub(super) fn within_limit(numbers: usize) -> Result<()> {
    if numbers > MAX_NUMBERS {
        let allowed = format!("at most {MAX_NUMBERS}");
        return Err(InputError::value("the number of values", numbers, &allowed, "Keep fewer samples or features."));
    }
    Ok(())
}

/// The first ten, comma-separated, and how many more there are.
pub(super) fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(10);
    let shown = items.take(10).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The value in quotation marks, cut at 40 characters.
pub(super) fn quoted(value: &str) -> String {
    match value.char_indices().nth(40) {
        Some((end, _)) => format!("\"{}…\"", &value[..end]),
        None => format!("\"{value}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|l| l.to_string()).collect()
    }

    #[test]
    fn the_larger_label_is_positive() {
        for (labels, y) in [
            (&["10", "9", "9.0", "1e1"][..], [1.0, -1.0, -1.0, 1.0]),
            (&["10", "9", "nine", "10"], [0.0; 4]),
            (&["cat", "dog", "dog", "cat"], [-1.0, 1.0, 1.0, -1.0]),
            (&["-0", "0", "-1", "-1"], [1.0, 1.0, -1.0, -1.0]),
        ] {
            match signs(&owned(labels), "label") {
                Ok(found) => assert_eq!(found, y),
                Err(e) => assert!(y[0] == 0.0 && e.to_string().contains("made of 3 classes"), "{e}"),
            }
        }
    }

    #[test]
    fn refuses_missing_labels_and_other_numbers_of_classes() {
        for (labels, words) in [
            (&["a", "", "b"][..], "label of sample 2"),
            (&["1", "nan", "0"], "label of sample 2"),
            (&["1", "1"], "made of 1 class (1)"),
            (&["a", "b", "c"], "made of 3 classes (\"a\", \"b\", \"c\")"),
        ] {
            let message = signs(&owned(labels), "label").unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }
}
