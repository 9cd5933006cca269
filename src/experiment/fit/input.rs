//! What a person gives: data files, and a start.

use super::{Architecture, FitSpec, Loss, Method};
use crate::data::{Dataset, csv, npy};
use crate::error::{InputError, Result, between};
use crate::linear::Task;
use crate::linear::predicted::{Regularizer, minimum_norm};
use crate::math::rows::Rows;
use crate::math::sums::direction;
use crate::record::table::Table;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Where the data are.
#[derive(Debug, Clone)]
pub enum DataFile {
    /// A CSV with a header: one label column, every other column a feature.
    Csv {
        /// The file.
        file: PathBuf,
        /// The label's column.
        label: String,
    },
    /// A pair of NumPy files.
    Npy {
        /// The samples.
        x: PathBuf,
        /// The labels.
        y: PathBuf,
    },
}

/// Where training starts.
#[derive(Debug, Clone)]
pub enum Start {
    /// Every parameter N(0, scale²), in fully connected layers over their number of rows.
    Gaussian {
        /// Standard deviation.
        scale: f64,
        /// Of the random numbers.
        seed: u64,
    },
    /// A CSV of numbers: one row a layer, D columns, in the signal domain.
    File(PathBuf),
}

impl DataFile {
    /// The data set; `shape` is `[height, width]` of images.
    ///
    /// # Errors
    /// As [`csv::read_csv`] and [`npy::read_npy`].
    pub fn read(&self, shape: Option<&[usize]>) -> Result<Dataset> {
        match self {
            Self::Csv { file, label } => csv::read_csv(file, label, shape),
            Self::Npy { x, y } => npy::read_npy(x, y, shape),
        }
    }

    /// The names of the features, where the file has them: the header without the label.
    pub fn names(&self) -> Vec<String> {
        let Self::Csv { file, label } = self else { return vec![] };
        let mut header = String::new();
        let read = std::fs::File::open(file).and_then(|f| BufReader::new(f).read_line(&mut header));
        let columns = read.ok().and_then(|_| Table::parse(&header, "").ok()).unwrap_or_default().columns;
        columns.iter().map(|c| c.trim().to_string()).filter(|c| c != label).collect()
    }
}

/// Says why there is no max-margin limit, if there is none.
///
/// Whether data are separable does not depend on the units of a feature or of a sample, so both are set to one first.
pub(super) fn separable(dataset: &Dataset, loss: Loss) -> Result<()> {
    let d = dataset.features();
    let mut z = dataset.signed_rows();
    let mut units = vec![0.0_f64; d];
    z.chunks_exact(d).for_each(|row| units.iter_mut().zip(row).for_each(|(u, v)| *u = u.max(v.abs())));
    for row in z.chunks_exact_mut(d) {
        row.iter_mut().zip(&units).filter(|(_, u)| **u > 0.0).for_each(|(v, u)| *v /= u);
        row.copy_from_slice(&direction(row));
    }
    let more = match loss {
        Loss::Exponential => "",
        Loss::Logistic => {
            ". With the logistic loss gradient descent goes to the finite minimiser of the loss instead: logistic regression, \
             another problem, whose answer is not a max-margin limit"
        }
    };
    let refused = |e| InputError::new(format!("{e}{more}")).at(&dataset.name);
    minimum_norm(&Rows::new(z, d), &Regularizer::l2(d)).map(|_| ()).map_err(refused)
}

/// The first parameters, in the network's coordinates, from which gradient descent does move.
pub(super) fn start(spec: &FitSpec, task: &mut Task) -> Result<Vec<f64>> {
    let w = match &spec.start {
        Start::Gaussian { scale, seed } => {
            between("init-scale", *scale, 0.0, 1e6)?;
            task.initial(*scale, *seed)
        }
        Start::File(file) => read_start(file, spec, task).map_err(|e| e.at(file.display()))?,
    };
    let (n, d) = (task.rows.samples(), task.rows.features());
    let (mut beta, mut dual, mut gradient) = (vec![0.0; d], vec![0.0; d], vec![0.0; w.len()]);
    task.network.predictor(&w, &mut beta);
    task.rows.weigh(&beta, spec.loss.log_slope(), &mut vec![0.0; n], &mut vec![0.0; n], &mut dual);
    task.network.pullback(&w, &dual, &mut gradient);
    let zero = |v: &[f64]| v.iter().all(|x| *x == 0.0);
    if zero(&gradient) || zero(&w) && spec.method == Method::LogTimeFlow {
        return Err(InputError::value(
            "the gradient at the start",
            0,
            "other than zero, so that training moves (log-time-flow needs a start other than zero, too)",
            "Make at most one layer zero; small numbers of either sign will do.",
        ));
    }
    Ok(w)
}

fn read_start(file: &Path, spec: &FitSpec, task: &Task) -> Result<Vec<f64>> {
    if spec.architecture == Architecture::FullyConnected {
        let remedy = "Leave --init out and choose --init-scale and --seed, or another network.";
        return Err(InputError::value("network", "fully-connected", "diagonal or convolutional with --init", remedy));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|e| InputError::new(format!("cannot be read ({e}). Check the path given to --init.")))?;
    let d = task.rows.features();
    let mut layers: Vec<Vec<f64>> = vec![];
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for (k, (line, values)) in lines.enumerate() {
        let place = |e: InputError| e.at(format!("line {}", line + 1));
        let number = |v: &str| v.trim().parse::<f64>().ok().filter(|v| v.is_finite()).ok_or(v.trim().to_string());
        match values.split(',').map(number).collect::<std::result::Result<Vec<f64>, String>>() {
            Ok(layer) if layer.len() == d => layers.push(layer),
            Ok(layer) => {
                let allowed = format!("{d}, one a feature");
                let remedy = "Write one row a layer, separated by commas.";
                return Err(place(InputError::value("the number of columns", layer.len(), &allowed, remedy)));
            }
            // A header.
            Err(_) if k == 0 => {}
            Err(word) => {
                let remedy = "Write plain decimals, separated by commas.";
                return Err(place(InputError::value("a value", format!("\"{word}\""), "a finite number", remedy)));
            }
        }
    }
    if layers.len() != spec.depth {
        let allowed = format!("{}, one a layer (a first line that is not all numbers is a header)", spec.depth);
        return Err(InputError::value("the number of rows", layers.len(), &allowed, "Correct the file or --depth."));
    }
    if spec.architecture == Architecture::Convolutional {
        let mut dft = task.frame.dft().clone();
        for layer in &mut layers {
            let signal = layer.clone();
            dft.analyze(&signal, layer);
        }
    }
    Ok(layers.concat())
}
