//! Photographs in JPEG files, cut and scaled as networks for ImageNet want them.

mod resize;

pub use resize::{middle, resize};

use super::images::Images;
use crate::error::{InputError, Result};
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
