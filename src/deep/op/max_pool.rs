use super::{Operation, Values, View};

/// The largest number of every k×k window, k apart.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool {
    /// k.
    pub size: usize,
}

impl Operation<1> for MaxPool {
    /// Where the largest number of every window lies; the first where several are.
    type Saved = Vec<u32>;

    fn forward(&self, [x]: [View; 1]) -> (Values, Vec<u32>) {
        let ([n, c, h, w], k) = (x.shape, self.size);
        let (oh, ow) = (h / k, w / k);
        let mut at = Vec::with_capacity(n * c * oh * ow);
        for plane in 0..n * c {
            for y in 0..oh {
                for column in 0..ow {
                    let corner = (plane * h + y * k) * w + column * k;
                    let mut best = corner;
                    for i in (0..k * k).map(|t| corner + (t / k) * w + t % k) {
                        if x.values[i] > x.values[best] {
                            best = i;
                        }
                    }
                    at.push(best as u32);
                }
            }
        }
        (Values { shape: [n, c, oh, ow], values: at.iter().map(|i| x.values[*i as usize]).collect() }, at)
    }

    fn backward(&self, at: &Vec<u32>, [x]: [View; 1], gradient: View, _: [bool; 1]) -> [Option<Vec<f32>>; 1] {
        let mut out = vec![0.0; x.values.len()];
        at.iter().zip(gradient.values).for_each(|(i, g)| out[*i as usize] += g);
        [Some(out)]
    }
}
