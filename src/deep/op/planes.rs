use super::correlate::LANES;

/// How a convolution of a given shape reads its input: zero-padded and split into stride² phase planes, so that every tap is a
/// shift. Output row y, column x is position `y·row + x`; the columns beyond the output's width are waste.
#[derive(Debug, Clone)]
pub struct Planes {
    /// k, stride, padding.
    pub geometry: [usize; 3],
    /// C, H, W of the input.
    pub input: [usize; 3],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Length of a row of a phase plane.
    pub row: usize,
    /// Size of a phase plane.
    pub plane: usize,
    /// Positions of an output plane, padded to whole lanes.
    pub length: usize,
}

impl Planes {
    /// For C×H×W inputs and k×k kernels.
    pub fn new([c, h, w]: [usize; 3], [k, stride, padding]: [usize; 3]) -> Self {
        let out = |n: usize| (n + 2 * padding - k) / stride + 1;
        let padded = |n: usize| (n + 2 * padding).div_ceil(stride);
        let row = padded(w);
        Self {
            geometry: [k, stride, padding],
            input: [c, h, w],
            output: [out(h), out(w)],
            row,
            plane: padded(h) * row,
            length: (out(h) * row).next_multiple_of(LANES),
        }
    }

    /// Number of phases.
    pub fn phases(&self) -> usize {
        self.geometry[1] * self.geometry[1]
    }

    /// Numbers of a split input, with room to read beyond its last plane.
    pub fn size(&self) -> usize {
        self.input[0] * self.phases() * self.plane
            + self.shift(self.geometry[0] - 1, self.geometry[0] - 1)
            + self.length
    }

    /// Where tap (ky, kx) of output position 0 lies in its phase plane.
    pub fn shift(&self, ky: usize, kx: usize) -> usize {
        let stride = self.geometry[1];
        (ky / stride) * self.row + kx / stride
    }

    /// The phase of tap (ky, kx).
    pub fn phase(&self, ky: usize, kx: usize) -> usize {
        let stride = self.geometry[1];
        (ky % stride) * stride + kx % stride
    }

    /// Where the taps of every channel lie in a split input, in the order of the weights: C × k × k.
    pub fn offsets(&self) -> Vec<usize> {
        let k = self.geometry[0];
        let tap =
            |c: usize, t: usize| (c * self.phases() + self.phase(t / k, t % k)) * self.plane + self.shift(t / k, t % k);
        (0..self.input[0]).flat_map(|c| (0..k * k).map(move |t| tap(c, t))).collect()
    }

    /// Splits one C×H×W picture into `out` (of [`Self::size`], its padding zero).
    pub fn split(&self, picture: &[f32], out: &mut [f32]) {
        self.each_row(|from, to, count| {
            let stride = self.geometry[1];
            if stride == 1 {
                out[to..to + count].copy_from_slice(&picture[from..from + count]);
            } else {
                (0..count).for_each(|i| out[to + i] = picture[from + i * stride]);
            }
        });
    }

    /// The inverse of [`Self::split`], without the padding.
    pub fn join(&self, split: &[f32], picture: &mut [f32]) {
        self.each_row(|to, from, count| {
            (0..count).for_each(|i| picture[to + i * self.geometry[1]] = split[from + i]);
        });
    }

    /// Of every row of every phase: where it starts in the picture, where in the split input, how many pixels it has.
    fn each_row(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let ([_, stride, padding], [channels, h, w]) = (self.geometry, self.input);
        for c in 0..channels {
            for y in 0..h {
                for x in 0..stride.min(w) {
                    let (py, px) = (y + padding, x + padding);
                    let phase = (py % stride) * stride + px % stride;
                    let to = (c * self.phases() + phase) * self.plane + (py / stride) * self.row + px / stride;
                    visit((c * h + y) * w + x, to, (w - x).div_ceil(stride));
                }
            }
        }
    }
}
