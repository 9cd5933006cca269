use crate::error::{InputError, Result};

/// The sizes of a convolution of pictures, channel last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Values a pixel.
    pub channels: usize,
    /// Rows and columns of a picture.
    pub size: [usize; 2],
    /// Filters: values a pixel of the output.
    pub filters: usize,
    /// Rows and columns of the filters.
    pub kernel: [usize; 2],
    /// Pixels from one place of the filters to the next.
    pub stride: usize,
    /// Zeros around the picture: above, below, left, right.
    pub padding: [usize; 4],
    /// Groups of channels, each with its share of the filters; as many as channels and filters for a depthwise layer.
    pub groups: usize,
}

impl Shape {
    /// A fully connected layer: a picture of one pixel.
    pub fn linear(inputs: usize, outputs: usize) -> Self {
        Self { channels: inputs, size: [1, 1], filters: outputs, kernel: [1, 1], stride: 1, padding: [0; 4], groups: 1 }
    }

    /// Rows and columns of the output.
    pub fn output(&self) -> [usize; 2] {
        let [above, below, left, right] = self.padding;
        let side = |n: usize, k: usize| (n + self.stride).saturating_sub(k) / self.stride;
        [side(self.size[0] + above + below, self.kernel[0]), side(self.size[1] + left + right, self.kernel[1])]
    }

    /// Weights of a filter.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels / self.groups
    }

    /// Is every filter over a channel of its own?
    pub(super) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.channels && self.groups == self.filters
    }

    /// Are the values under a filter a stretch of the input as it lies there?
    pub(super) fn is_direct(&self) -> bool {
        self.kernel == [1, 1] && self.stride == 1 && self.padding == [0; 4] && self.groups == 1
    }

    /// The pixel under each tap of an output pixel, both counted over all pictures; `None` on the padding.
    pub(super) fn pixels(&self, output: usize) -> impl Iterator<Item = Option<usize>> {
        let ([height, width], [down, across]) = (self.size, self.output());
        let (picture, place) = (output / (down * across), output % (down * across));
        let (y, x) = (place / across * self.stride, place % across * self.stride);
        let [above, _, left, _] = self.padding;
        (0..self.kernel[0] * self.kernel[1]).map(move |t| {
            let y = (y + t / self.kernel[1]).checked_sub(above).filter(|y| *y < height)?;
            let x = (x + t % self.kernel[1]).checked_sub(left).filter(|x| *x < width)?;
            Some((picture * height + y) * width + x)
        })
    }

    pub(super) fn check(&self) -> Result<()> {
        let divides = |n: usize| self.groups > 0 && n > 0 && n.is_multiple_of(self.groups);
        for (field, n) in [("channels", self.channels), ("filters", self.filters)] {
            if !divides(n) {
                let allowed = format!("a positive multiple of the {} groups", self.groups);
                return Err(InputError::value(field, n, &allowed, "Every group has its share."));
            }
        }
        if self.stride == 0 || self.kernel.contains(&0) || self.output().contains(&0) {
            let allowed = "at least 1 × 1, and at most the padded picture, with a stride of at least 1";
            return Err(InputError::value(
                "kernel",
                format!("{:?}", self.kernel),
                allowed,
                "Change kernel or padding.",
            ));
        }
        Ok(())
    }
}
