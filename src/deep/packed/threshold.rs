/// What follows the sum a of a channel c: `scale[c]·(a − mean[c]) + shift[c]`, batch normalisation at test time.
///
/// With scale 1 and mean 0 it is a bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// γ/σ.
    pub scale: Vec<f32>,
    /// μ.
    pub mean: Vec<f32>,
    /// β.
    pub shift: Vec<f32>,
}

impl Affine {
    /// Its value in f32, in this order of operations.
    pub fn value(&self, channel: usize, sum: i32) -> f32 {
        self.scale[channel] * (sum as f32 - self.mean[channel]) + self.shift[channel]
    }

    /// The sign of the value as a comparison of integers: +1 if the sum is at least the threshold, or, flipped, if it is less.
    ///
    /// Rounding is monotone, so the value is a monotone function of the sum and its sign changes once at most among sums of
    /// size up to `bound`; bisection finds where, to the integer. A negative γ turns the order round; with γ = 0, or a value
    /// that is never a number (whose sign is −1), the sign does not depend on the sum and the threshold is below all sums.
    pub fn threshold(&self, channel: usize, bound: i32) -> (i32, bool) {
        let positive = |sum| self.value(channel, sum) >= 0.0;
        let (at_least, at_most) = (positive(-bound), positive(bound));
        if at_least == at_most {
            return (i32::MIN, !at_most);
        }
        let (mut before, mut reached) = (-bound, bound);
        while reached - before > 1 {
            let middle = before + (reached - before) / 2;
            if positive(middle) == at_most { reached = middle } else { before = middle }
        }
        (reached, at_least)
    }
}
