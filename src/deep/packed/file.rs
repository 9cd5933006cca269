//! The file of a packed network, little endian throughout:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `BNN\r\n\x1a\n\0` |
//! | 4 | version, 1 |
//! | 4 × 3 | channels, height and width of the pictures |
//! | 4 | number of layers |
//! | … | the layers in order |
//! | 32 | BLAKE3 of all bytes before |
//!
//! A layer is
//!
//! | bytes | what |
//! |---|---|
//! | 4 × 4 | filters F; kernel, padding and pool, all 0 if fully connected |
//! | 8 × F × ⌈n/64⌉ | the n signs of each filter, (row, column, channel) with the channel last; bit 1 is +1; padded by 0 |
//! | 4 × F | i32 thresholds: the output is +1 where the sum is at least the threshold … |
//! | 4 × ⌈F/32⌉ | … or less, where the channel's bit here is 1; padded by 0 |
//!
//! and the last layer has 3 × 4 × F bytes instead of the last two rows: scale, mean and shift of each class in f32, for the
//! score scale·(sum − mean) + shift. Sums are over the signs ±1 of the layer before, and of the integers 2p − 255 for the
//! first; the largest of each pool × pool sums counts.

use super::network::{Packed, Response};
use super::{Affine, Connection, PackedNetwork};
use crate::deep::kernel::{BitMatrix, COLUMNS, Layer};
use crate::error::{InputError, Result};

const MAGIC: &[u8] = b"BNN\r\n\x1a\n\0";
const VERSION: u32 = 1;
const HASH: usize = 32;

impl PackedNetwork {
    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut put = |words: &[u32]| out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        put(&[VERSION]);
        put(&self.picture.map(|n| n as u32));
        put(&[self.layers.len() as u32]);
        for layer in &self.layers {
            let (kernel, padding, pool) = match layer.connection {
                Connection::Dense => (0, 0, 0),
                Connection::Convolution { kernel, padding, pool } => (kernel, padding, pool),
            };
            let filters = layer.filters.rows();
            put(&[filters, kernel, padding, pool].map(|n| n as u32));
            let halves = |word: &u64| [*word as u32, (*word >> 32) as u32];
            put(&layer.filters.words().iter().flat_map(halves).collect::<Vec<u32>>());
            match &layer.response {
                Response::Signs { thresholds, flips } => {
                    put(&thresholds[..filters].iter().map(|t| *t as u32).collect::<Vec<u32>>());
                    put(flips);
                }
                Response::Scores(Affine { scale, mean, shift }) => {
                    put(&[scale, mean, shift].into_iter().flatten().map(|x| x.to_bits()).collect::<Vec<u32>>());
                }
            }
        }
        out.extend(blake3::hash(&out).as_bytes());
        out
    }

    /// The network of a file.
    ///
    /// # Errors
    /// Bytes that are no such file, or not all of it, or of another version. Nothing is allocated beyond a fixed multiple of
    /// their number.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if !bytes.starts_with(MAGIC) {
            return Err(InputError::new("this is no packed network. Write one with `implicit-bias bnn export`."));
        }
        let (content, hash) = bytes.split_at(bytes.len().saturating_sub(HASH).max(MAGIC.len()));
        if blake3::hash(content).as_bytes() != hash {
            return Err(damaged("its checksum does not match"));
        }
        let mut rest = Reader(&content[MAGIC.len()..]);
        let [version, channels, height, width, count] = rest.header()?;
        if version != VERSION as usize {
            return Err(InputError::value("version", version, "1", "Export the network again with this program."));
        }
        let mut network = Self::empty([channels, height, width])?;
        for i in 0..count {
            network.read_layer(&mut rest, i + 1 == count).map_err(|e| e.at(format!("layer {}", i + 1)))?;
        }
        match rest.0.is_empty() && count > 0 {
            true => Ok(network),
            false => Err(damaged("it has no layers, or bytes after the last")),
        }
    }

    fn read_layer(&mut self, rest: &mut Reader, last: bool) -> Result<()> {
        let [filters, kernel, padding, pool] = rest.header()?;
        let connection = match (kernel, padding, pool) {
            (0, 0, 0) => Connection::Dense,
            _ => Connection::Convolution { kernel, padding, pool },
        };
        let shape = self.next(connection)?;
        let words = filters.saturating_mul(shape.taps().div_ceil(64));
        let words = rest.take::<8>(words)?.iter().map(|b| u64::from_le_bytes(*b)).collect();
        let bits = BitMatrix::from_words(filters, shape.taps(), words).filter(|_| filters > 0);
        let bits = bits.ok_or_else(|| damaged("a layer has no filters, or padding bits that are not 0"))?;
        let response = if last {
            let mut floats = || Ok(rest.take::<4>(filters)?.iter().map(|b| f32::from_le_bytes(*b)).collect());
            Response::Scores(Affine { scale: floats()?, mean: floats()?, shift: floats()? })
        } else {
            let mut thresholds: Vec<i32> = rest.take::<4>(filters)?.iter().map(|b| i32::from_le_bytes(*b)).collect();
            thresholds.resize(filters.next_multiple_of(COLUMNS), i32::MAX);
            let flips = rest.take::<4>(filters.div_ceil(COLUMNS))?.iter().map(|b| u32::from_le_bytes(*b));
            let flips: Vec<u32> = flips.collect();
            if filters % COLUMNS > 0 && flips.last().is_some_and(|f| f >> (filters % COLUMNS) > 0) {
                return Err(damaged("bits of channels that it does not have are not 0"));
            }
            Response::Signs { thresholds, flips }
        };
        self.layers.push(Packed { connection, layer: Layer::new(shape, &bits), filters: bits, response });
        Ok(())
    }
}

/// What is left of a file.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next `count` items of N bytes; an error if there are fewer.
    fn take<const N: usize>(&mut self, count: usize) -> Result<&'a [[u8; N]]> {
        let (taken, rest) = self.0.split_at_checked(count.saturating_mul(N)).ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(taken.as_chunks().0)
    }

    fn header<const N: usize>(&mut self) -> Result<[usize; N]> {
        let words = self.take::<4>(N)?;
        Ok(std::array::from_fn(|i| u32::from_le_bytes(words[i]) as usize))
    }
}

fn damaged(how: &str) -> InputError {
    InputError::new(format!("the packed network is damaged: {how}. Export it again, or fetch it again"))
}
