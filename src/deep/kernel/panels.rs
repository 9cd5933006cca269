use super::bits::BitMatrix;
use rayon::prelude::*;

/// Rows of a matrix of ±1, W at a time, in the order in which a tile reads them.
///
/// The words of a row, 32 bits each, come in pairs x, y. With the parity s of all words before, a pair is kept as three
/// words, s, s ⊕ x and s ⊕ y, those of W rows side by side; the parity of all words closes the panel. The reason: let
/// S, X, Y be the differences a ⊕ b of two rows in s, x and y. Parity and ⊕ commute, so that the triples of a and b give
/// S, S ⊕ X and S ⊕ Y by one ⊕ each, and
///
///   |S| + |X| + |Y| = |S ⊕ X ⊕ Y| + 2 |maj(S, X, Y)|,   maj(S, X, Y) = S ⊕ ((S ⊕ X) ∧ (S ⊕ Y)),
///
/// where |·| counts bits. The parity S ⊕ X ⊕ Y is the next pair's S, so one count a pair is enough (a carry-save adder
/// whose sums are computed while packing): |a ⊕ b| = 2 Σ |maj| + |last parity|.
#[derive(Debug, Clone)]
pub struct Panels<const W: usize> {
    rows: usize,
    columns: usize,
    words: Vec<u32>,
}

impl<const W: usize> Panels<W> {
    /// Packs a matrix; missing rows of the last panel are −1 throughout.
    pub fn new(bits: &BitMatrix) -> Self {
        let (rows, columns) = (bits.rows(), bits.columns());
        let mut words = vec![0; rows.div_ceil(W) * Self::panel_words(columns)];
        words.par_chunks_exact_mut(Self::panel_words(columns)).enumerate().for_each(|(p, panel)| {
            Self::pack(|l| if p * W + l < rows { bits.row(p * W + l) } else { &[] }, panel);
        });
        Self { rows, columns, words }
    }

    /// Number of rows packed.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of each row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The panels in order, each with the rows W·p, …, W·p + W − 1.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u32> {
        self.words.chunks_exact(Self::panel_words(self.columns))
    }

    /// Size of a panel of rows with that many columns.
    pub(super) fn panel_words(columns: usize) -> usize {
        (3 * columns.div_ceil(64) + 1) * W
    }

    /// Writes one panel; a row that is short is continued by −1.
    pub(super) fn pack<'a>(row: impl Fn(usize) -> &'a [u64], panel: &mut [u32]) {
        let (triples, last) = panel.split_at_mut(panel.len() - W);
        let rows: [&[u64]; W] = std::array::from_fn(row);
        let mut parity = [0; W];
        for (k, triple) in triples.chunks_exact_mut(3 * W).enumerate() {
            let words: [u64; W] = std::array::from_fn(|l| rows[l].get(k).copied().unwrap_or(0));
            let (s, rest) = triple.split_at_mut(W);
            let (sx, sy) = rest.split_at_mut(W);
            for l in 0..W {
                let (x, y) = (words[l] as u32, (words[l] >> 32) as u32);
                (s[l], sx[l], sy[l]) = (parity[l], parity[l] ^ x, parity[l] ^ y);
                parity[l] ^= x ^ y;
            }
        }
        last.copy_from_slice(&parity);
    }
}
