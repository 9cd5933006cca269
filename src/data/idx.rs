//! IDX, the file format of MNIST: big-endian counts, then one byte a pixel or a label.
//!
//! Pictures: magic 2051, count, height, width, then count·height·width bytes. Labels: magic 2049, count, then count bytes.

use super::images::Images;
use crate::error::{InputError, Result};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::Path;

/// The most bytes a file may unpack to: 1 GiB.
const MAX_BYTES: u64 = 1 << 30;

/// The pictures in the bytes of an unpacked IDX file.
///
/// # Errors
/// Another magic number, no pictures, a length that is not what the header promises.
pub fn images(bytes: &[u8]) -> Result<Images> {
    let ([count, height, width], pixels) = header(bytes, 2051, "pictures")?;
    body(pixels, &[count, height, width])?;
    Ok(Images { channels: 1, height, width, pixels: pixels.to_vec() })
}

/// The labels in the bytes of an unpacked IDX file.
///
/// # Errors
/// Another magic number, no labels, a length that is not what the header promises.
///
/// ```
/// let labels = implicit_bias::data::idx::labels(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9])?;
/// assert_eq!(labels, [7, 9]);
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
pub fn labels(bytes: &[u8]) -> Result<Vec<u8>> {
    let ([count], labels) = header(bytes, 2049, "labels")?;
    body(labels, &[count])?;
    Ok(labels.to_vec())
}

/// The pictures in an IDX file, gzipped or not.
///
/// # Errors
/// As [`images`], with the file named; a file that cannot be read or unpacked.
pub fn read_images(path: &Path) -> Result<Images> {
    read(path).and_then(|bytes| images(&bytes)).map_err(|e| e.at(path.display()))
}

/// The labels in an IDX file, gzipped or not.
///
/// # Errors
/// As [`labels`], with the file named; a file that cannot be read or unpacked.
pub fn read_labels(path: &Path) -> Result<Vec<u8>> {
    read(path).and_then(|bytes| labels(&bytes)).map_err(|e| e.at(path.display()))
}

/// The unpacked bytes of a gzip stream.
pub(crate) fn gunzip(packed: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    let read = MultiGzDecoder::new(packed).take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|e| InputError::new(format!("the gzip stream is damaged ({e}). Fetch the file again.")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(InputError::value(
            "the unpacked size",
            "larger",
            "at most 1 GiB",
            "Check that this is an IDX file.",
        ));
    }
    Ok(bytes)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = bytes_of(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) { gunzip(&bytes) } else { Ok(bytes) }
}

/// The bytes of a file, if they are not too many.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let failed = |e| InputError::new(format!("cannot be read ({e}). Check the path."));
    let mut bytes = vec![];
    std::fs::File::open(path).map_err(failed)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        let remedy = "Check that this is a file of images.";
        return Err(InputError::value("the file size", "larger", "at most 1 GiB", remedy));
    }
    Ok(bytes)
}

/// The `A` counts behind the magic number, and the bytes behind them.
fn header<'a, const A: usize>(bytes: &'a [u8], magic: u32, what: &str) -> Result<([usize; A], &'a [u8])> {
    let needed = 4 * (A + 1);
    if bytes.len() < needed {
        let allowed = format!("at least {needed} bytes, the header of IDX {what}");
        return Err(InputError::value(
            "the length",
            format!("{} bytes", bytes.len()),
            &allowed,
            "Fetch the file again.",
        ));
    }
    let (head, rest) = bytes.split_at(needed);
    let mut words = head.chunks_exact(4).map(|w| w.iter().fold(0u32, |n, &b| n << 8 | u32::from(b)));
    let found = words.next().unwrap_or(0);
    if found != magic {
        let remedy = match found {
            2049 => "This is an IDX file of labels.",
            2051 => "This is an IDX file of pictures.",
            _ => "Give an IDX file of unsigned bytes, gzipped or not.",
        };
        return Err(InputError::value("the magic number", found, &format!("{magic} for {what}"), remedy));
    }
    let mut counts = [0; A];
    for (count, word) in counts.iter_mut().zip(words) {
        *count = word as usize;
    }
    Ok((counts, rest))
}

/// That the header's counts are the length of what follows it.
fn body(rest: &[u8], counts: &[usize]) -> Result<()> {
    let promised = counts.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    if promised == Some(0) || promised != Some(rest.len()) {
        let allowed = match promised {
            Some(n) if n > 0 => format!("{n}, the product of the header's {counts:?}"),
            _ => format!("the product of the header's {counts:?}, which is no usable size"),
        };
        let remedy = "The file is cut off, has trailing bytes or a damaged header: fetch it again.";
        return Err(InputError::value("the number of bytes after the header", rest.len(), &allowed, remedy));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture_file() -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3];
        bytes.extend([1, 2, 3, 4, 5, 6]);
        bytes
    }

    #[test]
    fn reads_pictures() {
        let read = images(&picture_file()).unwrap();
        assert_eq!((read.count(), read.height, read.width), (2, 1, 3));
        assert_eq!(read.pixels, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn every_prefix_and_every_damaged_header_byte_is_refused() {
        let good = picture_file();
        for end in 0..good.len() {
            assert!(images(&good[..end]).is_err(), "prefix of {end} bytes");
            assert!(labels(&good[..end]).is_err());
        }
        for k in 0..16 {
            for value in (0..=255).filter(|&v| v != good[k]) {
                let mut bad = good.clone();
                bad[k] = value;
                assert!(images(&bad).is_err(), "byte {k} = {value}");
            }
        }
        let mut long = good.clone();
        long.push(0);
        assert!(images(&long).unwrap_err().to_string().contains("trailing"));
        let mut huge = good;
        huge[4..16].fill(0xff);
        assert!(images(&huge).unwrap_err().to_string().contains("no usable size"));
    }

    #[test]
    fn names_the_file_and_the_mix_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pictures");
        let message = read_labels(&path).unwrap_err().to_string();
        assert!(message.contains("pictures: cannot be read"), "{message}");
        std::fs::write(&path, picture_file()).unwrap();
        assert_eq!(read_images(&path).unwrap().count(), 2);
        assert!(read_labels(&path).unwrap_err().to_string().contains("IDX file of pictures"));
        std::fs::write(&path, [0x1f, 0x8b, 8, 0]).unwrap();
        assert!(read_images(&path).unwrap_err().to_string().contains("damaged"));
    }
}
