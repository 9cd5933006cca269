use super::COLUMNS;
use rayon::prelude::*;

/// The right factor of a product: rows of signed bytes, packed 32 rows at a time in the order in which a tile reads them.
///
/// Of 32 rows side by side, a panel holds the first four entries of each, then the next four, and so on, four bytes a
/// word, the first one lowest. What is missing is 0, which adds nothing.
#[derive(Debug, Clone)]
pub struct Weights {
    rows: usize,
    columns: usize,
    words: Vec<u32>,
    sums: Vec<i32>,
}

impl Weights {
    /// Packs rows × columns numbers, row-major: a row for each column of the product.
    ///
    /// # Panics
    /// If `values` has another length.
    pub fn new(rows: usize, columns: usize, values: &[i8]) -> Self {
        assert_eq!(values.len(), rows * columns, "weights of a product");
        let panel_words = columns.div_ceil(4) * COLUMNS;
        let mut words = vec![0; rows.div_ceil(COLUMNS) * panel_words];
        let panels = words.par_chunks_exact_mut(panel_words.max(1));
        panels.zip(values.par_chunks((COLUMNS * columns).max(1))).for_each(|(panel, values)| {
            for (j, row) in values.chunks_exact(columns).enumerate() {
                for (l, four) in row.chunks(4).enumerate() {
                    panel[l * COLUMNS + j] = word(four.iter().map(|w| *w as u8));
                }
            }
        });
        let row_sum = |row: &[i8]| row.iter().map(|w| i32::from(*w)).sum();
        let sums = if columns == 0 { vec![0; rows] } else { values.chunks_exact(columns).map(row_sum).collect() };
        Self { rows, columns, words, sums }
    }

    /// Number of rows: columns of the product.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Entries of a row: the length of the sums.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The sum of each row.
    pub fn sums(&self) -> &[i32] {
        &self.sums
    }

    /// The panels in order, each of the rows 32p, …, 32p + 31.
    pub(super) fn panels(&self) -> std::slice::ChunksExact<'_, u32> {
        self.words.chunks_exact((self.columns.div_ceil(4) * COLUMNS).max(1))
    }
}

/// Up to four bytes in one word, the first one lowest.
#[inline]
pub(super) fn word(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.zip([0, 8, 16, 24]).fold(0, |word, (byte, shift)| word | u32::from(byte) << shift)
}
