use crate::error::{InputError, Result};

/// Windows over a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub size: [usize; 2],
    /// From one to the next.
    pub stride: usize,
    /// Rows and columns around the picture, top, bottom, left, right: zeros for a convolution, nothing for pooling.
    pub padding: [usize; 4],
}

impl Window {
    /// A square window with the same padding on all sides.
    pub fn square(size: usize, stride: usize, padding: usize) -> Self {
        Self { size: [size; 2], stride, padding: [padding; 4] }
    }

    /// The window that is the picture, as a fully connected layer has it.
    pub fn whole(picture: [usize; 2]) -> Self {
        Self { size: picture, stride: 1, padding: [0; 4] }
    }

    /// A window with the padding that TensorFlow calls `SAME`: as many windows as ⌈n/stride⌉, and the smaller half of
    /// what that takes comes first.
    pub fn same(size: [usize; 2], stride: usize, picture: [usize; 2]) -> Self {
        let total = |a: usize| ((picture[a].div_ceil(stride).max(1) - 1) * stride + size[a]).saturating_sub(picture[a]);
        let (y, x) = (total(0), total(1));
        Self { size, stride, padding: [y / 2, y - y / 2, x / 2, x - x / 2] }
    }

    /// How many windows there are on a picture, down and across.
    ///
    /// # Errors
    /// A window that is larger than the padded picture, or that holds no more than padding, or sizes above 4096.
    pub fn count(&self, [height, width]: [usize; 2]) -> Result<[usize; 2]> {
        let Self { size: [h, w], stride, padding: [top, bottom, left, right] } = *self;
        for (field, value) in [("kernel", h), ("kernel", w), ("stride", stride)] {
            if !(1..=4096).contains(&value) {
                return Err(InputError::value(field, value, "1 to 4096", "Choose a value in that range."));
            }
        }
        if top.max(bottom) >= h || left.max(right) >= w {
            let found = format!("{:?}", self.padding);
            let allowed = format!("less than the kernel, {h} × {w}");
            return Err(InputError::value("padding", found, &allowed, "A window must touch the picture."));
        }
        let count = |n: usize, size: usize| n.checked_sub(size).map(|rest| rest / stride + 1);
        match (count(height + top + bottom, h), count(width + left + right, w)) {
            (Some(down), Some(across)) => Ok([down, across]),
            _ => {
                let found = format!("{h} × {w}");
                let allowed = format!("no larger than the padded picture, {height} × {width} without padding");
                Err(InputError::value("kernel", found, &allowed, "Use a smaller kernel, or pad."))
            }
        }
    }

    /// The largest number of every window, where `out` holds nothing larger yet; pictures of `shape`, channel last.
    pub(in crate::deep) fn max<T: PartialOrd + Copy>(
        &self,
        shape: [usize; 3],
        output: [usize; 3],
        x: &[T],
        out: &mut [T],
    ) {
        let ([channels, height, width], [_, down, across]) = (shape, output);
        let Self { size: [h, w], stride, padding: [top, _, left, _] } = *self;
        for (at, out) in out.chunks_exact_mut(channels).enumerate() {
            let (n, row, column) = (at / (down * across), at / across % down, at % across);
            for t in 0..h * w {
                let (y, x_) = ((row * stride + t / w).wrapping_sub(top), (column * stride + t % w).wrapping_sub(left));
                if y < height && x_ < width {
                    let seen = &x[((n * height + y) * width + x_) * channels..][..channels];
                    out.iter_mut().zip(seen).for_each(|(o, x)| *o = if *x > *o { *x } else { *o });
                }
            }
        }
    }
}
