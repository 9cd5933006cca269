//! The configuration of one run of a linear network.

use super::method::{SolverConfig, StopConfig};
use crate::data::embedded::{ImageSet, image_pair, test_pair};
use crate::data::generate::{Domain, gaussian, planted};
use crate::data::images::{ImageFiles, file_pair, file_test_pair};
use crate::data::{Dataset, csv};
use crate::error::{InputError, Result, between, is_default};
use crate::linear::loss::Loss;
use crate::linear::{Architecture, Task};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The largest number of features or samples a spec may ask for.
const MAX_COUNT: usize = 1 << 20;

/// Everything that decides one run of a linear network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearConfig {
    /// Root of every random stream of the run.
    pub seed: u64,
    /// The data.
    pub data: DataConfig,
    /// The network.
    pub network: NetworkConfig,
    /// The loss.
    pub loss: Loss,
    /// Gaussian initialisation scale.
    pub init: InitConfig,
    /// The method.
    pub solver: SolverConfig,
    /// When to stop.
    pub stop: StopConfig,
    /// What is kept along the way.
    #[serde(default)]
    pub observe: ObserveConfig,
}

/// Where the data come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DataConfig {
    /// x ~ N(0, I) with random labels, or with a teacher's and a margin.
    Gaussian {
        /// `[D]` or `[height, width]`.
        shape: Vec<usize>,
        /// N.
        samples: usize,
        /// Margin along a hidden teacher.
        margin: Option<f64>,
    },
    /// Data around a known sparse optimum with a chosen dual certificate.
    Planted {
        /// `[D]` or `[height, width]`.
        shape: Vec<usize>,
        /// N.
        samples: usize,
        /// Independent bins (or coordinates) that carry the optimum.
        active_bins: usize,
        /// |r̂| off the support, in [0, 1).
        certificate: f64,
        /// Sparse in frequency or in the signal.
        domain: Domain,
    },
    /// Two classes of the embedded images.
    Images {
        /// digits8x8 or mnist.
        set: ImageSet,
        /// The classes of −1 and +1.
        pair: [u8; 2],
        /// N; default all.
        samples: Option<usize>,
        /// Subtract the mean image.
        #[serde(default)]
        center: bool,
    },
    /// Two classes of an image set in files, as `implicit-bias data fetch` leaves them.
    ImageFiles {
        /// mnist, fashion-mnist or cifar10.
        set: ImageFiles,
        /// The data folder.
        #[serde(default = "default_folder")]
        folder: PathBuf,
        /// The classes of −1 and +1.
        pair: [u8; 2],
        /// N; default all.
        samples: Option<usize>,
        /// Subtract the mean image.
        #[serde(default)]
        center: bool,
    },
    /// The user's own CSV.
    Csv {
        /// The file.
        file: PathBuf,
        /// The label's column.
        label: String,
        /// `[height, width]` of images.
        shape: Option<Vec<usize>>,
    },
}

/// Which network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Its kind.
    pub architecture: Architecture,
    /// L.
    pub depth: usize,
    /// Hidden width (fully connected) or group size (shared-scale).
    #[serde(default = "default_width")]
    pub width: usize,
}

/// Gaussian initialisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitConfig {
    /// Standard deviation of the parameters (of fully connected layers: times rows^(−1/2)).
    pub scale: f64,
    /// Root of the initialisation's stream; default the run's seed. For many starts on one data set.
    pub start: Option<u64>,
}

/// What is kept along the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObserveConfig {
    /// Trace rows for every factor of ten in steps (log-time flow: in q).
    pub per_decade: usize,
    /// Vectors of every observation go to vectors.csv for these seeds; the last observation's for all in `final_seeds`.
    pub spectrum_seeds: Vec<u64>,
    /// Seeds whose last predictor and spectrum go to vectors.csv.
    pub final_seeds: Vec<u64>,
    /// Of the trace only the last row is kept: for sweeps of thousands of runs.
    #[serde(skip_serializing_if = "is_default")]
    pub last_only: bool,
}

impl Default for ObserveConfig {
    fn default() -> Self {
        Self { per_decade: 10, spectrum_seeds: vec![], final_seeds: vec![0], last_only: false }
    }
}

fn default_folder() -> PathBuf {
    "data".into()
}

fn default_width() -> usize {
    16
}

impl LinearConfig {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<()> {
        between("run.network.depth", self.network.depth as f64, 0.0, 16.0)?;
        between("run.network.width", self.network.width as f64, 0.0, 4096.0)?;
        between("run.init.scale", self.init.scale, 0.0, 1e6)?;
        self.check_method()?;
        between("run.observe.per_decade", self.observe.per_decade as f64, 0.0, 1000.0)?;
        if let DataConfig::Planted { active_bins, certificate, .. } = &self.data {
            between("run.data.active_bins", *active_bins as f64, 0.0, MAX_COUNT as f64)?;
            let allowed = (0.0..1.0).contains(certificate);
            let remedy = "Choose how far from the support the other bins stay.";
            allowed
                .then_some(())
                .ok_or_else(|| InputError::value("run.data.certificate", certificate, "in [0, 1)", remedy))?;
        }
        if let DataConfig::Gaussian { margin: Some(margin), .. } = &self.data {
            between("run.data.margin", *margin, 0.0, 1e12)?;
        }
        if let DataConfig::Gaussian { shape, samples, .. } | DataConfig::Planted { shape, samples, .. } = &self.data {
            let features = shape.iter().try_fold(1_usize, |p, s| p.checked_mul(*s)).unwrap_or(usize::MAX);
            if !(1..=2).contains(&shape.len()) {
                let remedy = "Use [D] for signals and [height, width] for images.";
                return Err(InputError::value("run.data.shape", format!("{shape:?}"), "one or two lengths", remedy));
            }
            between("run.data.shape (product)", features as f64, 0.0, MAX_COUNT as f64)?;
            between("run.data.samples", *samples as f64, 1.0, MAX_COUNT as f64)?;
        }
        Ok(())
    }

    /// A file of the user's own that it reads.
    pub fn file(&self) -> Option<&Path> {
        if let DataConfig::Csv { file, .. } = &self.data { Some(file) } else { None }
    }

    /// The data set, seeded by the run's seed alone: methods compared at one seed share it.
    pub fn dataset(&self) -> Result<Dataset> {
        match &self.data {
            DataConfig::Gaussian { shape, samples, margin } => gaussian(shape, *samples, *margin, self.seed),
            DataConfig::Planted { shape, samples, active_bins, certificate, domain } => {
                planted(shape, *samples, *active_bins, *certificate, *domain, self.seed)
            }
            DataConfig::Images { set, pair, samples, center } => {
                image_pair(*set, (pair[0], pair[1]), *samples, *center, self.seed)
            }
            DataConfig::ImageFiles { set, folder, pair, samples, center } => {
                file_pair((*set, folder), (pair[0], pair[1]), *samples, *center, self.seed)
            }
            DataConfig::Csv { file, label, shape } => csv::read_csv(file, label, shape.as_deref()),
        }
        .map_err(|e| e.at("run.data"))
    }

    /// The held-out pictures of an image pair; none for other data.
    pub fn held_out(&self) -> Option<Dataset> {
        match &self.data {
            DataConfig::Images { set, pair, samples, center } => {
                test_pair(*set, (pair[0], pair[1]), *samples, *center, self.seed).ok()
            }
            DataConfig::ImageFiles { set, folder, pair, samples, center } => {
                file_test_pair((*set, folder), (pair[0], pair[1]), *samples, *center, self.seed).ok()
            }
            _ => None,
        }
    }

    /// The data set seen by the network.
    pub fn task(&self, dataset: &Dataset) -> Task {
        Task::new(dataset, self.network.architecture, self.network.depth, self.network.width)
    }
}
