use crate::data::images::LabelledImages;
use crate::math::random::Stream;
use std::sync::Arc;

/// Zeros around a picture before it is cropped at random.
const PADDING: usize = 4;

/// Pictures for training or testing.
#[derive(Debug, Clone)]
pub struct Set {
    /// The pictures and their labels.
    pub pictures: LabelledImages,
}

impl Set {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.pictures.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// C, H, W.
    pub fn picture(&self) -> [usize; 3] {
        let images = &self.pictures.images;
        [images.channels, images.height, images.width]
    }

    /// The batches of an epoch as indices of pictures, in an order drawn from the seed and the epoch alone. A batch of one
    /// sample, which batch normalisation cannot take, is left out.
    pub fn batches(&self, size: usize, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
        let order = Stream::new(seed, &["order", &format!("epoch={epoch}")]).permutation(self.len());
        order.chunks(size).filter(|b| b.len() > 1).map(<[usize]>::to_vec).collect()
    }

    /// Pixels and labels of these pictures; a seed to `augment` with changes every picture at random, each by a stream of its own.
    pub fn take(&self, indices: &[usize], augment: Option<u64>) -> (Vec<u8>, Arc<Vec<u8>>) {
        let size: usize = self.picture().iter().product();
        let mut pixels = Vec::with_capacity(indices.len() * size);
        for i in indices {
            let picture = &self.pictures.images.pixels[i * size..(i + 1) * size];
            match augment {
                Some(seed) => self.change(picture, &mut Stream::new(seed, &["augment", &i.to_string()]), &mut pixels),
                None => pixels.extend_from_slice(picture),
            }
        }
        (pixels, Arc::new(indices.iter().map(|i| self.pictures.labels[*i]).collect()))
    }

    /// A flip left to right with probability one half, and a crop of the padded picture.
    fn change(&self, picture: &[u8], stream: &mut Stream, out: &mut Vec<u8>) {
        let [channels, h, w] = self.picture();
        let flip = stream.uniform() < 0.5;
        let mut shift = || (stream.uniform() * (2 * PADDING + 1) as f64) as isize - PADDING as isize;
        let (dy, dx) = (shift(), shift());
        for c in 0..channels {
            for y in 0..h as isize {
                for x in 0..w as isize {
                    let (from_y, from_x) = (y + dy, if flip { w as isize - 1 - x } else { x } + dx);
                    let inside = (0..h as isize).contains(&from_y) && (0..w as isize).contains(&from_x);
                    let at = |y: isize, x: isize| picture[(c * h + y as usize) * w + x as usize];
                    out.push(if inside { at(from_y, from_x) } else { 0 });
                }
            }
        }
    }
}
