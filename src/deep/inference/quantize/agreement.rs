use crate::math::sums::{cosine, largest};

/// How a network with few bits compares with itself in floats, sample by sample.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Agreement {
    /// Samples.
    pub samples: usize,
    /// Of those, with the same class.
    pub same: usize,
    /// Samples with a label.
    pub labelled: usize,
    /// Of those, right in floats.
    pub right_in_floats: usize,
    /// Right with few bits.
    pub right: usize,
    cosines: f64,
}

impl Agreement {
    /// Takes the outputs for one sample, in floats and with few bits, and its class where that is known.
    pub fn add(&mut self, whole: &[f32], few: &[f32], class: Option<usize>) {
        let found = [largest(whole), largest(few)];
        self.samples += 1;
        self.same += usize::from(found[0] == found[1]);
        self.labelled += usize::from(class.is_some());
        self.right_in_floats += usize::from(class == Some(found[0]));
        self.right += usize::from(class == Some(found[1]));
        self.cosines += cosine(whole, few);
    }

    /// Cosine between both outputs, the mean over the samples.
    pub fn cosine(&self) -> f64 {
        self.cosines / self.samples as f64
    }
}
