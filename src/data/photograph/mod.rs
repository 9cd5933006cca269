//! Photographs in JPEG files, cut and scaled as networks for ImageNet want them.

mod resize;

pub use resize::{middle, resize};

use super::images::Images;
use crate::error::{InputError, Result};
use std::path::{Path, PathBuf};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The longest side of a photograph.
const LONGEST: usize = 1 << 13;

/// The photograph in the bytes of a JPEG file, in red, green and blue. Decoders may differ by one in a few of its numbers.
///
/// # Errors
/// Bytes that are no JPEG file, a damaged one, or sides above 8192.
pub fn decode_jpeg(bytes: &[u8]) -> Result<Images> {
    let options = DecoderOptions::default().set_max_width(LONGEST).set_max_height(LONGEST).set_strict_mode(true);
    let options = options.jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let bad = |how: String| InputError::new(format!("no JPEG photograph that can be read: {how}"));
    let values = decoder.decode().map_err(|e| bad(e.to_string()))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| bad("it has no size".into()))?;
    let size = width * height;
    if values.len() != 3 * size {
        return Err(bad("it has no three colours".into()));
    }
    let pixels = (0..3 * size).map(|at| values[at % size * 3 + at / size]).collect();
    Ok(Images { channels: 3, height, width, pixels })
}

/// A photograph of a folder.
#[derive(Debug, Clone)]
pub struct Photograph {
    /// Its file.
    pub file: PathBuf,
    /// What it shows.
    pub picture: Images,
    /// The last number of the file's name, if it ends with one: `imagenet_07_560.jpg` is of class 560.
    pub class: Option<usize>,
}

/// The JPEG photographs of a folder, by the names of their files.
///
/// # Errors
/// A folder without any, or a file that cannot be read.
pub fn read_folder(folder: &Path) -> Result<Vec<Photograph>> {
    let bad = |why: String| InputError::new(format!("{}: {why}. Give a folder of photographs", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(|e| bad(e.to_string()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| ["jpg", "jpeg"].iter().any(|j| e.eq_ignore_ascii_case(j))));
    files.sort();
    if files.is_empty() {
        return Err(bad("no .jpg or .jpeg file".into()));
    }
    let one = |file: PathBuf| {
        let read = std::fs::read(&file).map_err(|e| InputError::new(e.to_string()));
        let picture = read.and_then(|bytes| decode_jpeg(&bytes)).map_err(|e| e.at(file.display()))?;
        let class = file.file_stem().and_then(|s| s.to_str()?.rsplit(['_', '-']).next()?.parse().ok());
        Ok(Photograph { file, picture, class })
    };
    files.into_iter().map(one).collect()
}
