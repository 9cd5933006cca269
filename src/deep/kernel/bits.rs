use rayon::prelude::*;

/// A matrix of ±1: bit 1 for +1. Rows are padded with zero bits to whole words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitMatrix {
    rows: usize,
    columns: usize,
    pub(super) words: Vec<u64>,
}

impl BitMatrix {
    /// All −1.
    pub fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, words: vec![0; rows * columns.div_ceil(64)] }
    }

    /// The matrix of these words, row by row; `None` if their number is wrong or a padding bit is set.
    pub fn from_words(rows: usize, columns: usize, words: Vec<u64>) -> Option<Self> {
        let per_row = columns.div_ceil(64);
        let used = if columns.is_multiple_of(64) { u64::MAX } else { (1 << (columns % 64)) - 1 };
        let padded = words.chunks_exact(per_row.max(1)).all(|row| row.last().is_none_or(|w| w & !used == 0));
        (Some(words.len()) == rows.checked_mul(per_row) && padded).then_some(Self { rows, columns, words })
    }

    /// Entry (i, j) is +1 where `positive(i, j)`.
    pub fn from_fn(rows: usize, columns: usize, positive: impl Fn(usize, usize) -> bool) -> Self {
        let mut bits = Self::new(rows, columns);
        for i in 0..rows {
            for (w, word) in bits.row_mut(i).iter_mut().enumerate() {
                let here = (columns - 64 * w).min(64);
                *word = (0..here).fold(0, |word, b| word | u64::from(positive(i, 64 * w + b)) << b);
            }
        }
        bits
    }

    /// The signs of rows × columns numbers, row-major; sign(0) = sign(−0) = +1, and NaN counts as −1.
    ///
    /// # Panics
    /// If `values` is shorter than rows × columns.
    pub fn from_signs(rows: usize, columns: usize, values: &[f32]) -> Self {
        let mut bits = Self::new(rows, columns);
        let rows_of_words = bits.words.par_chunks_exact_mut(columns.div_ceil(64).max(1));
        rows_of_words.zip(values[..rows * columns].par_chunks_exact(columns.max(1))).for_each(|(row, values)| {
            for (word, x) in row.iter_mut().zip(values.chunks(64)) {
                *word = x.iter().rev().fold(0, |word, &x| word << 1 | u64::from(x >= 0.0));
            }
        });
        bits
    }

    /// The eight bit planes of bytes: row 8i + b holds bit b of the `columns` bytes of row i, as ±1.
    ///
    /// Since p = Σ_b 2^b p_b, the odd integer 2p − 255 is Σ_b 2^b (2p_b − 1): eight rows of ±1, weighted.
    ///
    /// # Panics
    /// If `bytes` is no whole number of rows.
    pub fn bit_planes(columns: usize, bytes: &[u8]) -> Self {
        assert_eq!(bytes.len() % columns.max(1), 0, "bytes that fill no whole number of rows");
        let rows = bytes.len() / columns.max(1);
        let mut bits = Self::new(8 * rows, columns);
        let per_row = columns.div_ceil(64);
        let planes = bits.words.par_chunks_exact_mut((8 * per_row).max(1));
        planes.zip(bytes.par_chunks_exact(columns.max(1))).for_each(|(planes, row)| {
            for (k, group) in row.chunks(8).enumerate() {
                let mut eight = [0; 8];
                eight[..group.len()].copy_from_slice(group);
                let digits = transpose_8x8(u64::from_le_bytes(eight)).to_le_bytes();
                for (b, &byte) in digits.iter().enumerate() {
                    planes[b * per_row + k / 8] |= u64::from(byte) << (8 * (k % 8));
                }
            }
        });
        bits
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Words a row.
    pub fn words_per_row(&self) -> usize {
        self.columns.div_ceil(64)
    }

    /// All words, row by row: the form in which files keep them.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words of row i; bit j mod 64 of word j / 64 is entry j.
    pub fn row(&self, i: usize) -> &[u64] {
        let n = self.words_per_row();
        &self.words[i * n..][..n]
    }

    fn row_mut(&mut self, i: usize) -> &mut [u64] {
        let n = self.words_per_row();
        &mut self.words[i * n..][..n]
    }

    /// Is entry (i, j) +1?
    pub fn get(&self, i: usize, j: usize) -> bool {
        self.row(i)[j / 64] >> (j % 64) & 1 == 1
    }
}

/// Transposes eight bytes as a matrix of 8 × 8 bits (Warren, Hacker's Delight, 7-3).
fn transpose_8x8(x: u64) -> u64 {
    let swap = |x: u64, shift: u32, mask: u64| {
        let t = (x ^ x >> shift) & mask;
        x ^ t ^ t << shift
    };
    let x = swap(x, 7, 0x00AA_00AA_00AA_00AA);
    let x = swap(x, 14, 0x0000_CCCC_0000_CCCC);
    swap(x, 28, 0x0000_0000_F0F0_F0F0)
}
