use super::{BitMatrix, COLUMNS, Instructions, Panels, ROWS};
use rayon::prelude::*;

/// Rows that one task multiplies by all filters, about: few enough to stay in the second-level cache.
const BLOCK: usize = 128;

/// A convolution of pictures of ±1, or of bytes by their bit planes, with filters of ±1, and max-pooling of its sums.
///
/// Stride 1; zero padding means zero: a tap outside the picture adds nothing. Pooling windows do not overlap and rows or
/// columns that fill no window are left out, as in PyTorch. A fully connected layer is a picture of one pixel, kernel 1.
#[derive(Debug, Clone)]
pub struct Layer {
    shape: LayerShape,
    filters: Panels<COLUMNS>,
    /// taps[t·filters + f] = Σ_channels of the weights of filter f at tap t; filters padded to whole panels.
    taps: Vec<i32>,
}

/// The sizes of a [`Layer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerShape {
    /// Rows of a picture.
    pub height: usize,
    /// Pixels a row.
    pub width: usize,
    /// Values a pixel.
    pub channels: usize,
    /// Are values bytes p, taken as 2p − 255, each given as eight rows of bits ([`BitMatrix::bit_planes`])?
    pub bytes: bool,
    /// Height and width of the filters.
    pub kernel: (usize, usize),
    /// Zeros around the picture.
    pub padding: usize,
    /// The largest of pool × pool sums is taken; 1 for none.
    pub pool: usize,
}

impl LayerShape {
    /// A fully connected layer.
    pub fn dense(inputs: usize, bytes: bool) -> Self {
        Self { height: 1, width: 1, channels: inputs, bytes, kernel: (1, 1), padding: 0, pool: 1 }
    }

    /// Height and width of the output; (0, 0) if the kernel does not fit into the padded picture, or no window into that.
    pub fn output(&self) -> (usize, usize) {
        let side = |n: usize, k: usize| (n + 2 * self.padding + 1).saturating_sub(k) / self.pool;
        (side(self.height, self.kernel.0), side(self.width, self.kernel.1))
    }

    /// Entries of a filter.
    pub fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1 * self.channels
    }

    fn planes(&self) -> usize {
        if self.bytes { 8 } else { 1 }
    }

    /// Rows of bits that one output needs.
    fn rows_per_output(&self) -> usize {
        self.pool * self.pool * self.planes()
    }
}

/// What one task works with.
#[derive(Default)]
struct Scratch {
    gathered: Vec<u64>,
    panels: Vec<u32>,
    sums: Vec<i32>,
}

impl Layer {
    /// `filters` has a row a filter, its entries in the order (row of the kernel, column, channel).
    ///
    /// # Panics
    /// If a row does not have [`LayerShape::taps`] entries.
    pub fn new(shape: LayerShape, filters: &BitMatrix) -> Self {
        assert_eq!(filters.columns(), shape.taps(), "entries of a filter");
        let (channels, stride) = (shape.channels, filters.rows().next_multiple_of(COLUMNS));
        let mut taps = vec![0; if shape.padding > 0 { shape.kernel.0 * shape.kernel.1 * stride } else { 0 }];
        for (t, sums) in taps.chunks_exact_mut(stride.max(1)).enumerate() {
            for f in 0..filters.rows() {
                sums[f] = (t * channels..(t + 1) * channels).map(|j| if filters.get(f, j) { 1 } else { -1 }).sum();
            }
        }
        Self { shape, filters: Panels::new(filters), taps }
    }

    /// Its sizes.
    pub fn shape(&self) -> &LayerShape {
        &self.shape
    }

    /// Number of filters.
    pub fn filters(&self) -> usize {
        self.filters.rows()
    }

    /// The integer sums, (image, row, column, filter).
    pub fn sums(&self, with: Instructions, input: &BitMatrix) -> Vec<i32> {
        let mut out = vec![0; self.outputs(input) * self.filters()];
        self.for_each(with, input, &mut out, self.filters(), |row, panel, sums| {
            let row = &mut row[panel * COLUMNS..];
            let n = row.len().min(COLUMNS);
            row[..n].copy_from_slice(&sums[..n]);
        });
        out
    }

    /// The signs of the sums: entry (output pixel, filter f) is +1 if its sum is at least `thresholds[f]`, or, where bit
    /// f mod 32 of flips[f / 32] is set, if it is less.
    pub fn signs(&self, with: Instructions, input: &BitMatrix, thresholds: &[i32], flips: &[u32]) -> BitMatrix {
        let mut bits = BitMatrix::new(self.outputs(input), self.filters());
        let per_row = bits.words_per_row();
        self.for_each(with, input, &mut bits.words, per_row, |row, panel, sums| {
            let thresholds = thresholds[panel * COLUMNS..].iter().take(COLUMNS);
            let reached = sums.iter().zip(thresholds).enumerate();
            let word = reached.fold(0, |word, (f, (sum, threshold))| word | u32::from(sum >= threshold) << f);
            row[panel / 2] |= u64::from(word ^ flips[panel]) << (COLUMNS * (panel % 2));
        });
        bits
    }

    /// Output pixels of all images together; `input` has a row a pixel, (image, row, column), or eight if of bytes.
    ///
    /// # Panics
    /// If `input` has other columns than a pixel has channels, or its rows are no whole number of images.
    fn outputs(&self, input: &BitMatrix) -> usize {
        let (s, (height, width)) = (&self.shape, self.shape.output());
        let rows = s.height * s.width * s.planes();
        assert!(
            input.columns() == s.channels && input.rows().is_multiple_of(rows),
            "the input is no whole number of pictures"
        );
        input.rows() / rows * height * width
    }

    /// Calls `write(out_row, panel, sums)` for each output pixel and each panel of 32 filters, where `out_row` is the
    /// pixel's part of `out`, `per_output` long. Pixels are shared among the threads of the current rayon pool.
    fn for_each<T: Send>(
        &self,
        with: Instructions,
        input: &BitMatrix,
        out: &mut [T],
        per_output: usize,
        write: impl Fn(&mut [T], usize, &[i32; COLUMNS]) + Sync,
    ) {
        let (shape, rows_per_output) = (&self.shape, self.shape.rows_per_output());
        assert_eq!(out.len(), self.outputs(input) * per_output, "length of the output");
        let (panel_words, n) = (Panels::<ROWS>::panel_words(shape.taps()), shape.taps() as i32);
        let block = (BLOCK / rows_per_output).max(1);
        out.par_chunks_mut((block * per_output).max(1)).enumerate().for_each_init(
            Scratch::default,
            |scratch, (t, out)| {
                let (first, outputs) = (t * block, out.len() / per_output);
                let Scratch { gathered, panels, sums } = scratch;
                let rows = outputs * rows_per_output;
                panels.resize(rows.div_ceil(ROWS) * panel_words, 0);
                sums.resize(rows.next_multiple_of(ROWS) * COLUMNS, 0);
                for (p, panel) in panels.chunks_exact_mut(panel_words).enumerate() {
                    self.pack(input, first * rows_per_output + p * ROWS, gathered, panel);
                }
                for (j, filters) in self.filters.iter().enumerate() {
                    for (sums, panel) in sums.chunks_exact_mut(ROWS * COLUMNS).zip(panels.chunks_exact(panel_words)) {
                        with.tile(panel, filters, n, sums, COLUMNS);
                    }
                    for (o, row) in out.chunks_exact_mut(per_output).enumerate() {
                        let (sums, _) = sums[o * rows_per_output * COLUMNS..].as_chunks();
                        write(row, j, &self.pooled(first + o, j, &sums[..rows_per_output]));
                    }
                }
            },
        );
    }

    /// The largest sum of a window for each filter of a panel, planes weighted and the border set right.
    fn pooled(&self, output: usize, panel: usize, rows: &[[i32; COLUMNS]]) -> [i32; COLUMNS] {
        let (shape, mut largest) = (&self.shape, [i32::MIN; COLUMNS]);
        for (w, planes) in rows.chunks_exact(shape.planes()).enumerate() {
            let mut sum = planes[0];
            for (b, plane) in planes.iter().enumerate().skip(1) {
                (0..COLUMNS).for_each(|f| sum[f] += plane[f] << b);
            }
            if shape.padding > 0 {
                self.add_back_padding(output, w, panel, &mut sum);
            }
            (0..COLUMNS).for_each(|f| largest[f] = largest[f].max(sum[f]));
        }
        largest
    }

    /// Taps outside the picture were counted as −1, or −255 over all planes, times the weight.
    fn add_back_padding(&self, output: usize, window: usize, panel: usize, sum: &mut [i32; COLUMNS]) {
        let ((height, width), value) = (self.shape.kernel, if self.shape.bytes { 255 } else { 1 });
        let (stride, (_, y, x)) = (self.taps.len() / (height * width), self.corner(output, window));
        for t in (0..height * width).filter(|t| self.source(y + t / width, x + t % width).is_none()) {
            let taps = &self.taps[t * stride + panel * COLUMNS..][..COLUMNS];
            (0..COLUMNS).for_each(|f| sum[f] += value * taps[f]);
        }
    }

    /// Image, row and column, in the padded picture, of the first tap of one window's sum.
    fn corner(&self, output: usize, window: usize) -> (usize, usize, usize) {
        let (pool, (height, width)) = (self.shape.pool, self.shape.output());
        let (image, pixel) = (output / (height * width), output % (height * width));
        (image, pixel / width * pool + window / pool, pixel % width * pool + window % pool)
    }

    /// Row of pixels and pixel of a place in the padded picture, `None` on the padding.
    fn source(&self, y: usize, x: usize) -> Option<(usize, usize)> {
        let (y, x) = (y.checked_sub(self.shape.padding)?, x.checked_sub(self.shape.padding)?);
        (y < self.shape.height && x < self.shape.width).then_some((y, x))
    }

    /// Packs the rows `first`, … of bits that outputs need, in the order (output, place in the window, plane).
    fn pack(&self, input: &BitMatrix, first: usize, gathered: &mut Vec<u64>, panel: &mut [u32]) {
        let (s, planes) = (&self.shape, self.shape.planes());
        if s.taps() == s.channels && s.pool == 1 && s.padding == 0 {
            Panels::<ROWS>::pack(|l| if first + l < input.rows() { input.row(first + l) } else { &[] }, panel);
            return;
        }
        let words = s.taps().div_ceil(64);
        gathered.clear();
        gathered.resize(ROWS * words, 0);
        let (height, width) = s.output();
        let all = input.rows() / (s.height * s.width) * height * width * s.pool * s.pool;
        for (l, row) in gathered.chunks_exact_mut(words).enumerate().take(all.saturating_sub(first)) {
            let (plane, at) = ((first + l) % planes, (first + l) / planes);
            let (image, y, x) = self.corner(at / (s.pool * s.pool), at % (s.pool * s.pool));
            for t in 0..s.kernel.0 * s.kernel.1 {
                if let Some((y, x)) = self.source(y + t / s.kernel.1, x + t % s.kernel.1) {
                    let pixel = (image * s.height + y) * s.width + x;
                    put(row, t * s.channels, input.row(pixel * planes + plane));
                }
            }
        }
        Panels::<ROWS>::pack(|l| &gathered[l * words..][..words], panel);
    }
}

/// Sets the bits of `words` in `row` from bit `at` on, where there were zeros.
fn put(row: &mut [u64], at: usize, words: &[u64]) {
    let (first, shift) = (at / 64, at % 64);
    for (w, &word) in words.iter().enumerate() {
        row[first + w] |= word << shift;
        if shift > 0 && word >> (64 - shift) > 0 {
            row[first + w + 1] |= word >> (64 - shift);
        }
    }
}
