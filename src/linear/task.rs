use super::network::{BinProduct, Convolutional, FullyConnected, Network, SharedScale};
use super::predicted::Regularizer;
use crate::data::Dataset;
use crate::math::dft::{Bins, UnitaryDft};
use crate::math::random::Stream;
use crate::math::rows::Rows;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Which linear network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// β = W₁ ⋯ W_L.
    FullyConnected,
    /// Full-width circular convolutions, trained in the Fourier domain.
    Convolutional,
    /// The same network trained in the signal domain.
    ConvolutionalSignal,
    /// β = w₁ ⊙ ⋯ ⊙ w_L.
    Diagonal,
    /// β_g = v_g u_g, a homogeneous polynomial of degree 2.
    SharedScale,
}

/// A data set seen by a network: the rows in the network's coordinates, the network, and how to read its predictor.
pub struct Task {
    /// zᵢ = yᵢ xᵢ in the network's coordinates.
    pub rows: Rows,
    /// P and its pullback.
    pub network: Box<dyn Network>,
    /// How to read vectors of the network's coordinates.
    pub frame: Frame,
}

/// Reads vectors of a network's coordinates (β or r) as signals, as spectra, or as the regulariser sees them.
#[derive(Clone)]
pub struct Frame {
    dft: UnitaryDft,
    trained_in_spectrum: bool,
    regularized_in_spectrum: bool,
}

impl Task {
    /// As [`Self::of`], from a copy of the data set.
    pub fn new(dataset: &Dataset, architecture: Architecture, depth: usize, width: usize) -> Self {
        Self::of(dataset.clone(), architecture, depth, width)
    }

    /// The data set becomes the rows, without a copy. `depth` L ≥ 1 (ignored by [`Architecture::SharedScale`], whose `width`
    /// is its group size); `width` is the hidden width of a fully connected network.
    pub fn of(dataset: Dataset, architecture: Architecture, depth: usize, width: usize) -> Self {
        let (d, shape) = (dataset.features(), &dataset.shape);
        let dft = UnitaryDft::new(shape);
        let network: Box<dyn Network> = match architecture {
            Architecture::FullyConnected => Box::new(FullyConnected::new(d, depth, width)),
            Architecture::Convolutional => Box::new(BinProduct::new(dft.bins(), depth)),
            Architecture::ConvolutionalSignal => Box::new(Convolutional::new(shape, depth)),
            Architecture::Diagonal => Box::new(BinProduct::new(Bins::signal(d), depth)),
            Architecture::SharedScale => Box::new(SharedScale::new(d, width)),
        };
        let trained_in_spectrum = architecture == Architecture::Convolutional;
        let convolutional = trained_in_spectrum || architecture == Architecture::ConvolutionalSignal;
        Self::with_network(dataset, network, trained_in_spectrum, convolutional)
    }

    /// A network of the reader's own, in signal coordinates.
    pub fn own(dataset: &Dataset, network: Box<dyn Network>) -> Self {
        Self::with_network(dataset.clone(), network, false, false)
    }

    fn with_network(
        dataset: Dataset,
        network: Box<dyn Network>,
        trained_in_spectrum: bool,
        regularized_in_spectrum: bool,
    ) -> Self {
        let (dft, d) = (UnitaryDft::new(&dataset.shape), dataset.features());
        let mut data = dataset.into_signed_rows();
        if trained_in_spectrum {
            dft.analyze_rows(&mut data);
        }
        let frame = Frame { dft, trained_in_spectrum, regularized_in_spectrum };
        Self { rows: Rows::new(data, d), network, frame }
    }

    /// The regulariser R that theory predicts, on [`Frame::coordinates`].
    pub fn regularizer(&self) -> Option<Regularizer> {
        self.network.regularizer()
    }

    /// The rows zᵢ in the coordinates of the regulariser, which mostly are those of the network.
    pub fn regularized_rows(&self) -> Cow<'_, Rows> {
        if self.frame.trained_in_spectrum == self.frame.regularized_in_spectrum {
            return Cow::Borrowed(&self.rows);
        }
        let data = (0..self.rows.samples()).flat_map(|i| self.frame.coordinates(self.rows.row(i))).collect();
        Cow::Owned(Rows::new(data, self.rows.features()))
    }

    /// Gaussian parameters: `scale` times the network's fan scales times N(0, 1).
    pub fn initial(&self, scale: f64, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, &["init"]);
        // Drawn in signal coordinates and transformed, so that both domains of a convolutional network start alike.
        let w: Vec<f64> = self.network.fan_scales().iter().map(|f| scale * f * stream.normal()).collect();
        if !self.frame.trained_in_spectrum {
            return w;
        }
        let (d, mut dft) = (self.rows.features(), self.frame.dft.clone());
        let mut packed = vec![0.0; w.len()];
        w.chunks_exact(d).zip(packed.chunks_exact_mut(d)).for_each(|(s, p)| dft.analyze(s, p));
        packed
    }
}

impl Frame {
    /// The unitary DFT of the data's shape.
    pub fn dft(&self) -> &UnitaryDft {
        &self.dft
    }

    /// A vector of the network's coordinates (β or r) in the signal domain.
    pub fn signal(&self, v: &[f64]) -> Vec<f64> {
        if !self.trained_in_spectrum {
            return v.to_vec();
        }
        let mut out = vec![0.0; v.len()];
        self.dft.clone().synthesize(v, &mut out);
        out
    }

    /// The same vector as a packed spectrum.
    pub fn spectrum(&self, v: &[f64]) -> Vec<f64> {
        if self.trained_in_spectrum {
            return v.to_vec();
        }
        let mut out = vec![0.0; v.len()];
        self.dft.clone().analyze(v, &mut out);
        out
    }

    /// The same vector in the coordinates of the regulariser: packed spectrum for convolutional networks, else signal.
    pub fn coordinates(&self, v: &[f64]) -> Vec<f64> {
        if self.regularized_in_spectrum { self.spectrum(v) } else { self.signal(v) }
    }
}
