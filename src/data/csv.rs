//! A person's own data as a CSV file: a header, one label column, every other column a feature.

use super::Dataset;
use super::table::{dataset, listed, quoted, within_limit};
use crate::error::{InputError, Result};
use std::path::Path;

/// The data set in a comma-separated file with a header line.
///
/// Every column but `label_column` is a feature, in the order of the file. The labels are any two values: the larger is
/// +1, compared as numbers if all labels are numbers, else as text. `shape` is the shape of one sample, `[D]` if absent.
/// Spaces around a value are ignored.
///
/// # Errors
/// One paragraph that names the file, the line, the column, the value found, what is allowed and what to do: for a file
/// that cannot be read, no samples, no such label column, a ragged line, a value that is not a finite number, labels of
/// other than two classes, fewer than two features, a shape that does not fit.
///
/// ```
/// use implicit_bias::data::csv::read_csv;
///
/// let path = std::env::temp_dir().join("implicit-bias-doc-example.csv");
/// std::fs::write(&path, "width,height,kind\n1.5,2,cat\n0.5,-1,dog\n").ok();
/// let data = read_csv(&path, "kind", None)?;
/// assert_eq!((data.x.as_slice(), data.y.as_slice()), (&[1.5, 2.0, 0.5, -1.0][..], &[-1.0, 1.0][..]));
///
/// let message = read_csv(&path, "kinds", None).map_err(|e| e.to_string());
/// assert!(message.is_err_and(|m| m.contains("Did you mean \"kind\"?")));
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
pub fn read_csv(path: &Path, label_column: &str, shape: Option<&[usize]>) -> Result<Dataset> {
    let place = |e: InputError| e.at(path.display());
    let file = std::fs::File::open(path)
        .map_err(|e| place(InputError::new(format!("cannot be opened ({e}). Check the path."))))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    parse(name, file, label_column, shape).map_err(place)
}

fn parse(name: String, file: impl std::io::Read, label_column: &str, shape: Option<&[usize]>) -> Result<Dataset> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).trim(::csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(damaged)?.clone();
    let label = label_index(&header, label_column)?;

    let (mut x, mut labels) = (vec![], vec![]);
    let mut record = ::csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(damaged)? {
        let line = record.position().map_or(0, ::csv::Position::line);
        let place = |e: InputError| e.at(format!("line {line}"));
        if record.len() != header.len() {
            let allowed = format!("{}, one a column of the header", header.len());
            let remedy = "Fill in or remove the line, and quote values that hold a comma.";
            return Err(place(InputError::value("the number of values", record.len(), &allowed, remedy)));
        }
        for (k, value) in record.iter().enumerate() {
            if k == label {
                labels.push(value.to_string());
                continue;
            }
            match value.parse::<f64>() {
                Ok(v) if v.is_finite() => x.push(v),
                _ => {
                    let field = format!("column {}", quoted(&header[k]));
                    let remedy = "Correct the value, or remove the line or the column.";
                    return Err(place(InputError::value(&field, quoted(value), "a finite number", remedy)));
                }
            }
        }
        within_limit(x.len())?;
    }
    if labels.is_empty() {
        let remedy = "The first line is read as the header; add a line for every sample.";
        return Err(InputError::value("the number of samples", 0, "at least 2", remedy));
    }
    dataset(name, header.len() - 1, shape, x, &labels, &format!("label column {}", quoted(label_column)))
}

fn label_index(header: &::csv::StringRecord, label_column: &str) -> Result<usize> {
    if header.is_empty() {
        return Err(InputError::new("the file is empty, but must hold a header line and the samples. Check the path."));
    }
    let mut found = header.iter().enumerate().filter(|(_, name)| *name == label_column);
    match (found.next(), found.next()) {
        (Some((k, _)), None) => Ok(k),
        (Some(_), Some(_)) => {
            let found = format!("{}, which names several columns", quoted(label_column));
            Err(InputError::value("label_column", found, "the name of one column", "Rename one of them."))
        }
        _ => {
            let columns: Vec<&str> = header.iter().collect();
            let allowed = format!("one of the columns {}", listed(columns.iter().map(|c| quoted(c))));
            let nearest = columns.iter().map(|c| (distance(c, label_column), c)).min();
            let remedy = match nearest {
                _ if columns.len() == 1 && columns[0].contains([';', '\t']) => {
                    "Separate the columns by commas, not by semicolons or tabs.".into()
                }
                _ if columns.iter().all(|c| c.parse::<f64>().is_ok()) => {
                    "The first line looks like numbers: add a header line that names the columns.".into()
                }
                Some((far, name)) if far <= 1 + label_column.chars().count() / 3 => {
                    format!("Did you mean {}?", quoted(name))
                }
                _ => "Choose the column that holds the classes.".into(),
            };
            Err(InputError::value("label_column", quoted(label_column), &allowed, &remedy))
        }
    }
}

/// The Levenshtein distance, blind to case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &other) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(c != other);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn damaged(error: ::csv::Error) -> InputError {
    let line = error.position().map_or(String::new(), |p| format!("line {}: ", p.line()));
    let cause = match error.kind() {
        ::csv::ErrorKind::Utf8 { .. } => "a value is not UTF-8 text".to_string(),
        _ => error.to_string(),
    };
    InputError::new(format!("{line}{cause}, but must be comma-separated UTF-8 text. Save the table again as CSV."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], label: &str, shape: Option<&[usize]>) -> Result<Dataset> {
        parse("t".into(), text, label, shape)
    }

    #[test]
    fn features_keep_their_order_around_the_label() {
        let text = "\u{feff}a, y ,b\r\n1,-1,2\r\n\"3\",1, 4\r\n5,1,6e-1\r\n";
        let data = read(text.as_bytes(), "y", Some(&[1, 2])).unwrap();
        assert_eq!(data.x, [1.0, 2.0, 3.0, 4.0, 5.0, 0.6]);
        assert_eq!((data.y.as_slice(), data.shape.as_slice()), (&[-1.0, 1.0, 1.0][..], &[1, 2][..]));
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        for (text, label, words) in [
            ("", "y", "the file is empty"),
            ("a,b,y\n", "y", "`the number of samples` is 0"),
            ("a,b,label\n1,2,0\n", "lable", "Did you mean \"label\"?"),
            ("a,b,label\n1,2,0\n", "Label", "Did you mean \"label\"?"),
            ("a,b,c\n1,2,0\n", "class", "one of the columns \"a\", \"b\", \"c\". Choose"),
            ("1,2,0\n3,4,1\n", "y", "add a header line"),
            ("a;b;y\n1;2;0\n", "y", "by commas"),
            ("y,y,a\n1,2,0\n", "y", "several columns"),
            ("a,b,y\n1,2,0\n1,2\n", "y", "line 3: `the number of values` is 2"),
            ("a,b,y\n1,2,0\n1,2,3,4\n", "y", "line 3: `the number of values` is 4"),
            ("a,b,y\n1,x,0\n", "y", "line 2: `column \"b\"` is \"x\", but must be a finite number"),
            ("a,b,y\n1,NaN,0\n", "y", "column \"b\""),
            ("a,b,y\n1e999,2,0\n", "y", "column \"a\""),
            ("a,b,y\n1,,0\n", "y", "is \"\""),
            ("a,b,y\n1,2,0\n3,4,1\n5,6,2\n", "y", "made of 3 classes (0, 1, 2)"),
            ("a,b,y\n1,2,0\n3,4,0\n", "y", "made of 1 class (0)"),
            ("a,y\n1,0\n3,1\n", "y", "`the number of features` is 1"),
            ("a,b,y\n1,2,0\n", "y", "made of 1 class"),
        ] {
            let message = read(text.as_bytes(), label, None).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
        let message = read(b"a,b,y\n1,2,0\n3,4,1\n", "y", Some(&[3])).unwrap_err().to_string();
        assert!(message.contains("`shape` is [3]"), "{message}");
        let message = read(b"a,b,y\n1,2,0\n3,\xff,1\n", "y", None).unwrap_err().to_string();
        assert!(message.contains("line 3: a value is not UTF-8"), "{message}");
        let message = read_csv(Path::new("no/such.csv"), "y", None).unwrap_err().to_string();
        assert!(message.starts_with("no/such.csv: cannot be opened"), "{message}");
    }

    #[test]
    fn edit_distance() {
        assert_eq!([distance("kitten", "sitting"), distance("", "abc"), distance("A", "a")], [3, 3, 0]);
    }
}
