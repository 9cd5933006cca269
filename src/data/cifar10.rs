//! CIFAR-10, binary version: records of 3,073 bytes, a label and a 3×32×32 picture, without any header.

use super::idx::bytes_of;
use super::images::{Images, LabelledImages};
use crate::error::{InputError, Result};
use std::path::Path;

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
/// The label, 1,024 bytes of red, of green, of blue, each row-major.
const RECORD: usize = 1 + PIXELS;

/// The classes, by label.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The pictures in the bytes of a batch.
///
/// # Errors
/// For bytes that are not one or more whole records, and for a label above 9.
///
/// ```
/// let mut record = vec![7; 3073];
/// record[0] = 4; // a deer, all of it in grey
/// let read = implicit_bias::data::cifar10::records(&record)?;
/// assert_eq!((read.images.count(), read.images.channels, read.labels), (1, 3, vec![4]));
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
pub fn records(bytes: &[u8]) -> Result<LabelledImages> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        let allowed = format!("one or more records of {RECORD} bytes");
        let remedy = "Give a .bin file of the binary version; if it is one, it is cut off: fetch it again.";
        return Err(InputError::value("the length", format!("{} bytes", bytes.len()), &allowed, remedy));
    }
    let (mut pixels, mut labels) = (Vec::with_capacity(bytes.len()), vec![]);
    for record in bytes.chunks_exact(RECORD) {
        labels.push(record[0]);
        pixels.extend_from_slice(&record[1..]);
    }
    LabelledImages::new(Images { channels: 3, height: SIDE, width: SIDE, pixels }, labels)
}

/// The pictures in batches (data_batch_1.bin …, test_batch.bin), in the order given.
///
/// # Errors
/// As [`records`], with the file named; a file that cannot be read.
pub fn read(batches: &[impl AsRef<Path>]) -> Result<LabelledImages> {
    let one = |path: &Path| bytes_of(path).and_then(|b| records(&b)).map_err(|e| e.at(path.display()));
    let mut all = LabelledImages::new(Images { channels: 3, height: SIDE, width: SIDE, pixels: vec![] }, vec![])?;
    for batch in batches {
        let part = one(batch.as_ref())?;
        all.images.pixels.extend(part.images.pixels);
        all.labels.extend(part.labels);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two records whose bytes count up.
    fn batch() -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..2 * RECORD).map(|k| (k % 251) as u8).collect();
        (bytes[0], bytes[RECORD]) = (9, 0);
        bytes
    }

    #[test]
    fn a_record_is_a_label_and_three_planes() {
        let bytes = batch();
        let read = records(&bytes).unwrap();
        assert_eq!((read.images.count(), read.labels.as_slice()), (2, &[9, 0][..]));
        // Picture 1, green, row 5, column 7.
        let at = |n: usize, c: usize, row: usize, column: usize| ((n * 3 + c) * SIDE + row) * SIDE + column;
        assert_eq!(read.images.pixels[at(1, 1, 5, 7)], bytes[RECORD + 1 + 1024 + 5 * 32 + 7]);
        assert_eq!(read.images.pixels.len(), 2 * PIXELS);
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        for (bytes, words) in [
            (vec![], "`the length` is 0 bytes"),
            (batch()[..RECORD - 1].to_vec(), "is 3072 bytes"),
            ([batch(), vec![0]].concat(), "is 6147 bytes"),
            (vec![10; RECORD], "`the label of picture 1` is 10"),
            ([batch(), vec![255; RECORD]].concat(), "`the label of picture 3` is 255"),
        ] {
            let message = records(&bytes).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
        let message = read(&["no/test_batch.bin"]).unwrap_err().to_string();
        assert!(message.starts_with("no/test_batch.bin: cannot be read"), "{message}");
    }
}
