use super::Affine;
use crate::deep::kernel::{BitMatrix, COLUMNS, Instructions, Layer, LayerShape};
use crate::error::{InputError, Result};
use crate::math::sums::largest;

/// Pictures that go through all layers together: bounds the memory.
const CHUNK: usize = 512;

/// Sums are below this, so that f32 holds them exactly.
const EXACT: usize = 1 << 24;

/// How a layer reads the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// All of its values.
    Dense,
    /// A square window, stride 1; of the sums, the largest of each pool × pool is taken.
    Convolution {
        /// Side of the window.
        kernel: usize,
        /// Zeros around the picture.
        padding: usize,
        /// 1 for no pooling.
        pool: usize,
    },
}

/// A layer as it was trained: signs of weights, then pooling, then an affine map a channel; a sign follows all but the last.
#[derive(Debug, Clone)]
pub struct TrainedLayer<'a> {
    /// How it reads the layer before.
    pub connection: Connection,
    /// Channels.
    pub outputs: usize,
    /// As PyTorch orders them: [outputs, inputs] or [outputs, channels, kernel, kernel].
    pub weight: &'a [f32],
    /// What follows the sum.
    pub affine: Affine,
}

/// A network of packed layers.
#[derive(Debug, Clone)]
pub struct PackedNetwork {
    pub(super) picture: [usize; 3],
    pub(super) layers: Vec<Packed>,
}

/// A packed layer. The entries of a filter are in the order (row, column, channel).
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub connection: Connection,
    pub filters: BitMatrix,
    pub layer: Layer,
    pub response: Response,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Response {
    /// Thresholds a channel, padded to whole panels by what no sum reaches, and flips, a bit a channel.
    Signs { thresholds: Vec<i32>, flips: Vec<u32> },
    /// The scores of the last layer.
    Scores(Affine),
}

impl PackedNetwork {
    /// Packs a network for 8-bit pictures of [channels, height, width].
    ///
    /// # Errors
    /// No layers, or a layer whose numbers do not fit the one before.
    pub fn new(picture: [usize; 3], layers: &[TrainedLayer]) -> Result<Self> {
        let mut network = Self::empty(picture)?;
        for (i, layer) in layers.iter().enumerate() {
            let place = |e: InputError| e.at(format!("layer {}", i + 1));
            let shape = network.next(layer.connection).map_err(place)?;
            let (taps, channels) = (shape.taps(), network.top().2);
            let affine = &layer.affine;
            for (name, found, wanted) in [
                ("weights", layer.weight.len(), layer.outputs.saturating_mul(taps)),
                ("scales", affine.scale.len(), layer.outputs),
                ("means", affine.mean.len(), layer.outputs),
                ("shifts", affine.shift.len(), layer.outputs),
            ] {
                if found != wanted || wanted == 0 {
                    let remedy = "Give the numbers of each layer in PyTorch's order.";
                    return Err(place(InputError::value(name, found, &format!("{wanted} numbers, above 0"), remedy)));
                }
            }
            let positive =
                |f: usize, j: usize| layer.weight[f * taps + j % channels * (taps / channels) + j / channels] >= 0.0;
            let filters = BitMatrix::from_fn(layer.outputs, taps, positive);
            let response = match i + 1 == layers.len() {
                true => Response::Scores(affine.clone()),
                false => Response::signs(affine, sum_bound(&shape) as i32),
            };
            let layer = Layer::new(shape, &filters);
            network.layers.push(Packed { connection: layers[i].connection, filters, layer, response });
        }
        match network.layers.is_empty() {
            true => Err(InputError::new("a network without layers cannot be packed. Give it at least one.")),
            false => Ok(network),
        }
    }

    pub(super) fn empty(picture: [usize; 3]) -> Result<Self> {
        match picture.iter().all(|n| (1..=4096).contains(n)) {
            true => Ok(Self { picture, layers: vec![] }),
            false => {
                let found = format!("{picture:?}");
                Err(InputError::value("picture", found, "three sizes from 1 to 4096", "Use smaller pictures."))
            }
        }
    }

    /// Channels, height and width of its pictures.
    pub fn picture(&self) -> [usize; 3] {
        self.picture
    }

    /// Number of scores.
    pub fn classes(&self) -> usize {
        self.layers.last().map_or(0, |l| l.filters.rows())
    }

    /// Number of binary weights.
    pub fn weights(&self) -> usize {
        self.layers.iter().map(|l| l.filters.rows() * l.filters.columns()).sum()
    }

    /// The scores of each picture; pixels are stored picture by picture as (channel, row, column).
    ///
    /// # Errors
    /// If the pixels are no whole number of pictures.
    pub fn scores(&self, with: Instructions, pixels: &[u8]) -> Result<Vec<f32>> {
        let size = self.picture.iter().product::<usize>();
        if !pixels.len().is_multiple_of(size) {
            let allowed = format!("a multiple of {size}, {:?} each", self.picture);
            return Err(InputError::value("pixels", pixels.len(), &allowed, "Give it pictures it was trained for."));
        }
        Ok(pixels.chunks(CHUNK * size).flat_map(|chunk| self.forward(with, chunk)).collect())
    }

    /// The class with the largest score of each picture, the first of several.
    ///
    /// # Errors
    /// As [`Self::scores`].
    pub fn classify(&self, with: Instructions, pixels: &[u8]) -> Result<Vec<usize>> {
        Ok(self.scores(with, pixels)?.chunks(self.classes()).map(largest).collect())
    }

    fn forward(&self, with: Instructions, pixels: &[u8]) -> Vec<f32> {
        let [channels, height, width] = self.picture;
        let size = height * width;
        let columns = self.layers.first().map_or(channels, |l| l.layer.shape().channels);
        let mut bits = if channels == 1 {
            BitMatrix::bit_planes(columns, pixels)
        } else {
            let picture =
                |p: &[u8]| (0..p.len()).map(|at| p[at % channels * size + at / channels]).collect::<Vec<u8>>();
            let pixels: Vec<u8> = pixels.chunks(channels * size).flat_map(picture).collect();
            BitMatrix::bit_planes(columns, &pixels)
        };
        for Packed { layer, response, .. } in &self.layers {
            match response {
                Response::Signs { thresholds, flips } => bits = layer.signs(with, &bits, thresholds, flips),
                Response::Scores(affine) => {
                    let sums = layer.sums(with, &bits).into_iter().enumerate();
                    return sums.map(|(at, sum)| affine.value(at % layer.filters(), sum)).collect();
                }
            }
        }
        vec![]
    }

    /// Height, width and channels of what the last layer so far gives.
    pub(super) fn top(&self) -> (usize, usize, usize) {
        let [channels, height, width] = self.picture;
        self.layers.last().map_or((height, width, channels), |l| {
            let (height, width) = l.layer.shape().output();
            (height, width, l.layer.filters())
        })
    }

    /// The shape of a layer put on top.
    pub(super) fn next(&self, connection: Connection) -> Result<LayerShape> {
        let ((height, width, channels), bytes) = (self.top(), self.layers.is_empty());
        let shape = match connection {
            // the entries of a byte picture are one row, so that its bits lie side by side
            Connection::Dense if bytes => LayerShape::dense(height * width * channels, true),
            Connection::Dense => {
                LayerShape { height, width, channels, bytes, kernel: (height, width), padding: 0, pool: 1 }
            }
            Connection::Convolution { kernel, padding, pool } => {
                for (name, size, low) in [("kernel", kernel, 1), ("padding", padding, 0), ("pool", pool, 1)] {
                    if !(low..=15).contains(&size) {
                        return Err(InputError::value(name, size, &format!("{low} to 15"), "Choose another."));
                    }
                }
                LayerShape { height, width, channels, bytes, kernel: (kernel, kernel), padding, pool }
            }
        };
        let (rows, columns) = shape.output();
        if rows * columns == 0 {
            let found = format!("{height} × {width}");
            return Err(InputError::value("picture", found, "large enough for the window", "Use a smaller window."));
        }
        match (1..EXACT).contains(&sum_bound(&shape)) {
            true => Ok(shape),
            false => Err(InputError::value(
                "inputs",
                shape.taps(),
                "above 0, with sums below 2^24, where f32 is exact",
                "Use a narrower layer.",
            )),
        }
    }
}

/// The largest size of a sum.
fn sum_bound(shape: &LayerShape) -> usize {
    shape.taps() * if shape.bytes { 255 } else { 1 }
}

impl Response {
    fn signs(affine: &Affine, bound: i32) -> Self {
        let channels = affine.scale.len();
        let mut flips = vec![0; channels.div_ceil(COLUMNS)];
        let mut thresholds = vec![i32::MAX; channels.next_multiple_of(COLUMNS)];
        for c in 0..channels {
            let (threshold, flip) = affine.threshold(c, bound);
            thresholds[c] = threshold;
            flips[c / COLUMNS] |= u32::from(flip) << (c % COLUMNS);
        }
        Self::Signs { thresholds, flips }
    }
}
