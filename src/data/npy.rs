//! A person's own data as a pair of NumPy files: X.npy with the samples, y.npy with the labels.
//!
//! The reader covers C-order arrays of the dtypes float64, float32, int64, int32, uint8 and bool, little-endian
//! (NEP 1, versions 1 to 3 of the format).

use super::Dataset;
use super::table::{dataset, quoted, within_limit};
use crate::error::{InputError, Result};
use std::io::Read;
use std::path::Path;

/// The longest header that is read.
const MAX_HEADER: usize = 1 << 16;
/// The largest file that is read: the most numbers a data set holds, 8 bytes each.
const MAX_BYTES: u64 = (8 * super::MAX_NUMBERS + MAX_HEADER) as u64;
/// Numbers that are read at once.
const CHUNK: usize = 1 << 16;

/// The data set in `X.npy` and `y.npy`.
///
/// X is N×D, or N×height×width; y is N or N×1 and holds exactly two values, of which the larger is +1. `shape` is the
/// shape of one sample; if absent, that of X behind its first axis. Integers beyond 2⁵³ are rounded.
///
/// # Errors
/// With the file named: one that cannot be read or is no NPY file, Fortran order, another dtype, a length that is not
/// what the header promises, a value that is not finite, labels of other than two classes, lengths that do not fit.
pub fn read_npy(x: &Path, y: &Path, shape: Option<&[usize]>) -> Result<Dataset> {
    let features = read(x)?;
    let labels = read(y)?;
    let place = |e: InputError| e.at(x.display());
    let (samples, own) = match features.shape.as_slice() {
        [n, own @ ..] if (1..=2).contains(&own.len()) => (*n, own),
        other => {
            let remedy = "Reshape it so that the first axis counts the samples.";
            return Err(place(InputError::value(
                "the shape of X",
                format!("{other:?}"),
                "[N, D] or [N, height, width]",
                remedy,
            )));
        }
    };
    if !matches!(labels.shape.as_slice(), [n] | [n, 1] if *n == samples) {
        let allowed = format!("[{samples}], one label a sample of X");
        let remedy = "Save one label a sample, in the order of X.";
        return Err(
            InputError::value("the shape of y", format!("{:?}", labels.shape), &allowed, remedy).at(y.display())
        );
    }
    let d = own.iter().product::<usize>();
    if let Some(k) = features.values.iter().position(|v| !v.is_finite()) {
        let field = format!("value [{}, {}]", k / d, k % d);
        let remedy = "Fill missing values in or remove the sample.";
        return Err(place(InputError::value(&field, features.values[k], "a finite number", remedy)));
    }
    let labels: Vec<String> = labels.values.iter().map(f64::to_string).collect();
    let name = x.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let files = format!("{} with {}", x.display(), y.display());
    dataset(name, d, shape.or(Some(own)), features.values, &labels, "the label array y").map_err(|e| e.at(files))
}

/// An array as read: row-major values and its shape.
#[derive(Debug)]
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
}

fn read(path: &Path) -> Result<Array> {
    let place = |e: InputError| e.at(path.display());
    let failed = |e| place(InputError::new(format!("cannot be read ({e}). Check the path.")));
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_BYTES {
        let allowed = format!("at most {MAX_BYTES} bytes");
        return Err(place(InputError::value("the file size", size, &allowed, "Keep fewer samples or features.")));
    }
    parse(std::fs::File::open(path).map_err(failed)?, size as usize).map_err(place)
}

/// The array in `size` bytes of a file; only its numbers are kept in memory.
fn parse(mut file: impl Read, size: usize) -> Result<Array> {
    let damaged = || InputError::new("this is no whole NPY file. Save the array again with np.save.");
    let mut take = |count: usize| {
        let mut bytes = vec![0; count];
        file.read_exact(&mut bytes).map_err(|_| damaged()).map(|()| bytes)
    };
    let (length, start) = match *take(8)? {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => (usize::from(u16::from_le_bytes(bytes(&take(2)?))), 10),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => (u32::from_le_bytes(bytes(&take(4)?)) as usize, 12),
        _ => return Err(damaged()),
    };
    if length > MAX_HEADER {
        let remedy = "Save a plain array of numbers with np.save.";
        return Err(InputError::value("the header length", length, &format!("at most {MAX_HEADER}"), remedy));
    }
    let header = take(length)?;
    let header = std::str::from_utf8(&header).map_err(|_| damaged())?;
    let dtype = entry(header, "descr").ok_or_else(damaged)?;
    let (width, convert) = converter(dtype)?;
    if !entry(header, "fortran_order").ok_or_else(damaged)?.starts_with("False") {
        let remedy = "Save it again with np.save(file, np.ascontiguousarray(array)).";
        return Err(InputError::value("the memory order", "Fortran (columns first)", "C (rows first)", remedy));
    }
    let shape = entry(header, "shape").and_then(shape_of).ok_or_else(damaged)?;
    let count = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n)).ok_or_else(damaged)?;
    within_limit(count)?;
    if count == 0 {
        return Err(InputError::value("the shape", format!("{shape:?}"), "without a zero", "Save a filled array."));
    }
    let found = size.checked_sub(start + length).ok_or_else(damaged)?;
    if found != count * width {
        let allowed = format!("{} for an array of shape {shape:?}", count * width);
        let remedy = "The file is cut off or has trailing bytes: save it again with np.save.";
        return Err(InputError::value("the number of data bytes", found, &allowed, remedy));
    }
    let mut values = Vec::with_capacity(count);
    let mut chunk = vec![0; width * CHUNK.min(count)];
    while values.len() < count {
        let part = &mut chunk[..width * CHUNK.min(count - values.len())];
        file.read_exact(part).map_err(|_| damaged())?;
        values.extend(part.chunks_exact(width).map(convert));
    }
    Ok(Array { shape, values })
}

/// What follows `'key':` in the header, a Python dictionary.
fn entry<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    Some(rest.trim_start())
}

fn shape_of(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    inside.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect()
}

type Converter = (usize, fn(&[u8]) -> f64);

/// Bytes a value, and the value of so many bytes.
fn converter(dtype: &str) -> Result<Converter> {
    let code = dtype.strip_prefix('\'').and_then(|d| d.split_once('\'')).map_or(dtype, |(code, _)| code);
    Ok(match code {
        "<f8" => (8, |b| f64::from_le_bytes(bytes(b))),
        "<f4" => (4, |b| f64::from(f32::from_le_bytes(bytes(b)))),
        "<i8" => (8, |b| i64::from_le_bytes(bytes(b)) as f64),
        "<i4" => (4, |b| f64::from(i32::from_le_bytes(bytes(b)))),
        "|u1" | "|b1" => (1, |b| f64::from(u8::from_le_bytes(bytes(b)))),
        _ => {
            let allowed = "float64, float32, int64, int32, uint8 or bool, little-endian";
            let remedy = "Save it again with np.save(file, array.astype('<f8')).";
            return Err(InputError::value("the dtype", quoted(code), allowed, remedy));
        }
    })
}

/// The first K bytes; zeros where there are fewer, which `chunks_exact` rules out.
fn bytes<const K: usize>(slice: &[u8]) -> [u8; K] {
    slice.first_chunk().copied().unwrap_or([0; K])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(dtype: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(data);
        file
    }

    fn parse_all(bytes: &[u8]) -> Result<Array> {
        parse(bytes, bytes.len())
    }

    fn f8(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    #[test]
    fn reads_every_dtype() {
        for (dtype, data) in [
            ("'<f8'", f8(&[1.0, 2.0])),
            ("'<f4'", [1f32, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect()),
            ("'<i8'", [1i64, 2].iter().flat_map(|v| v.to_le_bytes()).collect()),
            ("'<i4'", [1i32, 2].iter().flat_map(|v| v.to_le_bytes()).collect()),
            ("'|u1'", vec![1, 2]),
        ] {
            let array = parse_all(&npy(dtype, "False", "(2,)", &data)).unwrap();
            assert_eq!((array.shape.as_slice(), array.values.as_slice()), (&[2][..], &[1.0, 2.0][..]));
        }
    }

    #[test]
    fn every_prefix_is_refused_and_damage_never_panics() {
        let good = npy("'<f8'", "False", "(1, 2)", &f8(&[1.0, 2.0]));
        assert!((0..good.len()).all(|end| parse_all(&good[..end]).is_err()));
        for k in 0..good.len() {
            for value in 0..=255 {
                let mut bad = good.clone();
                bad[k] = value;
                let _ = parse_all(&bad);
            }
        }
    }

    #[test]
    fn names_what_it_cannot_read() {
        for (file, words) in [
            (npy("'<f8'", "True", "(1, 2)", &f8(&[1.0, 2.0])), "ascontiguousarray"),
            (npy("'>f8'", "False", "(2,)", &f8(&[1.0, 2.0])), "`the dtype` is \">f8\""),
            (npy("[('a', '<f8')]", "False", "(2,)", &[]), "`the dtype`"),
            (npy("'|O'", "False", "(2,)", &[]), "`the dtype`"),
            (npy("'<f8'", "False", "(3,)", &f8(&[1.0, 2.0])), "16, but must be 24"),
            (npy("'<f8'", "False", "(99999999999, 2)", &[]), "at most"),
            (npy("'<f8'", "False", "(99999999999, 99999999999)", &[]), "no whole NPY file"),
            (npy("'<f8'", "False", "(0, 9999999999999, 9999999999999)", &[]), "without a zero"),
            (b"PK\x03\x04".to_vec(), "no whole NPY file"),
        ] {
            let message = parse_all(&file).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_pair_of_files_is_a_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = (folder.path().join("X.npy"), folder.path().join("y.npy"));
        std::fs::write(&x, npy("'<f8'", "False", "(2, 1, 2)", &f8(&[1.0, 2.0, 3.0, 4.0]))).unwrap();
        std::fs::write(&y, npy("'|b1'", "False", "(2,)", &[1, 0])).unwrap();
        let data = read_npy(&x, &y, None).unwrap();
        assert_eq!((data.shape.as_slice(), data.y.as_slice()), (&[1, 2][..], &[1.0, -1.0][..]));
        assert_eq!(read_npy(&x, &y, Some(&[2])).unwrap().shape, [2]);
        assert!(read_npy(&y, &y, None).unwrap_err().to_string().contains("`the shape of X` is [2]"));
        assert!(read_npy(&x, &x, None).unwrap_err().to_string().contains("`the shape of y`"));
        std::fs::write(&x, npy("'<f8'", "False", "(2, 2)", &f8(&[1.0, 2.0, f64::NAN, 4.0]))).unwrap();
        assert!(read_npy(&x, &y, None).unwrap_err().to_string().contains("`value [1, 0]` is NaN"));
    }
}
