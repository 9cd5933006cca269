use crate::error::{InputError, Result};
use crate::experiment::fit::{Architecture, DataFile, FitSpec, Loss, Method, Start};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// The data: a CSV with a header, every column but the label a feature (images row-major), or X.npy with --labels
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The CSV's label column: any two values, the larger is +1
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The labels that go with X.npy
    #[arg(long, value_name = "y.npy")]
    labels: Option<PathBuf>,
    /// Height and width if the samples are images; convolutions are then two-dimensional
    #[arg(long, value_name = "HxW", value_parser = shape)]
    shape: Option<Shape>,
    /// Which linear network
    #[arg(long)]
    pub network: NetworkName,
    /// Number of layers L, 1 to 16
    #[arg(long, value_name = "L", value_parser = whole, allow_negative_numbers = true)]
    depth: u64,
    /// Hidden width of the fully connected network (the others have none)
    #[arg(long, value_name = "W", value_parser = whole, allow_negative_numbers = true, default_value = "16")]
    width: u64,
    /// The loss of a margin, summed over samples
    #[arg(long, default_value = "exponential")]
    pub loss: LossName,
    /// How the network is trained
    #[arg(long, default_value = "log-time-flow")]
    pub solver: SolverName,
    /// gradient-descent: the constant η of w ← w − η ∇𝓛(w) [default: at each step the largest that local smoothness
    /// allows]; normalized-gradient-descent: η in units of 1/|𝓛'| [default: 1/max‖x‖²]; log-time-flow: growth of a
    /// parameter over a step, at most 1 [default: 0.4/L, at most 0.2]
    #[arg(long, value_name = "ETA", allow_negative_numbers = true)]
    step: Option<f64>,
    /// The most steps; without a stop rule gradient descent takes exactly so many
    #[arg(long, value_name = "N", value_parser = whole, allow_negative_numbers = true, default_value = "100000")]
    max_steps: u64,
    /// Stop at this certified gap, checked whenever the run is observed; 0 for no such rule
    /// [default: 1e-6 for log-time-flow, none for gradient descent]
    #[arg(long, value_name = "GAP", allow_negative_numbers = true)]
    until_gap: Option<f64>,
    /// Stop once the loss is exp(−10^E), E at most 1000000 [default: for log-time-flow 150 (10000
    /// where --until-gap is given), or at a stationary point where R
    /// is not convex; none for gradient descent]
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    until_log10_q: Option<f64>,
    /// Start at Gaussian parameters of this standard deviation
    #[arg(long, value_name = "SCALE", allow_negative_numbers = true, default_value = "0.1", conflicts_with = "init")]
    init_scale: f64,
    /// Start here (diagonal, convolutional): a CSV of one row a layer, D columns, in the signal domain
    #[arg(long, value_name = "FILE")]
    init: Option<PathBuf>,
    /// Seed of the Gaussian start
    #[arg(long, value_name = "S", value_parser = whole, allow_negative_numbers = true, default_value = "0")]
    seed: u64,
    /// Write the metrics of every observation as CSV
    #[arg(long, value_name = "FILE.csv")]
    pub trace: Option<PathBuf>,
    /// Write β in the signal domain, one value a row
    #[arg(long, value_name = "FILE.csv")]
    pub predictor: Option<PathBuf>,
    /// Draw β, |β̂| and the certified gap (or the margin); .png is possible, too
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    /// One JSON object on standard output, and nothing else
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NetworkName {
    /// β = W₁ W₂ ⋯ W_L; minimises ‖β‖₂
    FullyConnected,
    /// full-width circular convolutions; minimises ‖β̂‖_{2/L}
    Convolutional,
    /// β = w₁ ⊙ ⋯ ⊙ w_L; minimises ‖β‖_{2/L}
    Diagonal,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LossName {
    /// exp(−m)
    Exponential,
    /// log(1 + exp(−m))
    Logistic,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SolverName {
    /// gradient flow in logarithmic time: reaches the limit
    LogTimeFlow,
    /// constant steps
    GradientDescent,
    /// steps divided by the loss's slope
    NormalizedGradientDescent,
}

type Shape = [usize; 2];

fn shape(text: &str) -> std::result::Result<Shape, String> {
    let side = |s: &str| s.trim().parse().ok().filter(|n| *n > 0);
    let sides = text.split_once(['x', 'X', '×']).and_then(|(h, w)| Some([side(h)?, side(w)?]));
    sides.ok_or("must be height and width, e.g. 28x28; leave it out for one-dimensional signals".into())
}

fn whole(text: &str) -> std::result::Result<u64, String> {
    text.replace('_', "").parse().map_err(|_| "must be a whole number, 0 or more, e.g. 1000".into())
}

impl Arguments {
    /// Where the data are.
    pub fn data(&self) -> Result<DataFile> {
        let npy = self.data.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
        let wrong = |field, value: &dyn std::fmt::Display, allowed, remedy| {
            Err(InputError::value(field, value, allowed, remedy).at(self.data.display()))
        };
        match (npy, &self.label, &self.labels) {
            (true, None, Some(y)) => Ok(DataFile::Npy { x: self.data.clone(), y: y.clone() }),
            (false, Some(label), None) => Ok(DataFile::Csv { file: self.data.clone(), label: label.clone() }),
            (true, _, None) => {
                wrong("labels", &"missing", "a .npy file of one label a sample", "Give --labels y.npy with X.npy.")
            }
            (true, Some(label), _) => {
                wrong("label", label, "left out with .npy files", "The labels are those of --labels.")
            }
            (false, _, Some(file)) => {
                let allowed = "left out with a CSV";
                wrong("labels", &file.display(), allowed, "Name the column with --label COLUMN, or give --data X.npy.")
            }
            (false, None, None) => {
                wrong("label", &"missing", "a column of the CSV's header", "Give --label COLUMN, the classes' column.")
            }
        }
    }

    /// `[height, width]` of images.
    pub fn shape(&self) -> Option<&[usize]> {
        self.shape.as_ref().map(|s| s.as_slice())
    }

    /// What is fitted.
    pub fn spec(&self) -> FitSpec {
        FitSpec {
            architecture: match self.network {
                NetworkName::FullyConnected => Architecture::FullyConnected,
                NetworkName::Convolutional => Architecture::Convolutional,
                NetworkName::Diagonal => Architecture::Diagonal,
            },
            depth: self.depth as usize,
            width: self.width as usize,
            loss: match self.loss {
                LossName::Exponential => Loss::Exponential,
                LossName::Logistic => Loss::Logistic,
            },
            method: match self.solver {
                SolverName::LogTimeFlow => Method::LogTimeFlow,
                SolverName::GradientDescent => Method::GradientDescent,
                SolverName::NormalizedGradientDescent => Method::NormalizedGradientDescent,
            },
            step: self.step,
            max_steps: self.max_steps,
            until_gap: self.until_gap,
            until_log10_q: self.until_log10_q,
            start: match &self.init {
                Some(file) => Start::File(file.clone()),
                None => Start::Gaussian { scale: self.init_scale, seed: self.seed },
            },
            oracle: self.trace.is_some(),
        }
    }

    /// That every output can be written, before an hour is spent.
    pub fn check_outputs(&self) -> Result<()> {
        let read = [("data", Some(&self.data)), ("labels", self.labels.as_ref()), ("init", self.init.as_ref())];
        let written = [("trace", &self.trace), ("predictor", &self.predictor), ("plot", &self.plot)];
        let given = |(name, path): (&'static str, Option<&'_ PathBuf>)| path.map(|p| (name, p.clone()));
        let read: Vec<_> = read.into_iter().filter_map(given).collect();
        let written: Vec<_> = written.into_iter().filter_map(|(name, path)| given((name, path.as_ref()))).collect();
        for (i, (name, path)) in written.iter().enumerate() {
            let wrong = |allowed: &str, remedy: &str| Err(InputError::value(name, path.display(), allowed, remedy));
            let ending = path.extension().and_then(|e| e.to_str());
            if *name == "plot" && !matches!(ending, Some("svg" | "png")) {
                return wrong("a file that ends in .svg or .png", "Rename it.");
            }
            let same = |other: &Path| {
                other == *path || other.canonicalize().ok().is_some_and(|o| path.canonicalize().ok() == Some(o))
            };
            if let Some((other, _)) = read.iter().chain(&written[..i]).find(|(_, p)| same(p)) {
                return wrong(&format!("another file than that of --{other}"), "Rename it.");
            }
            let probe = path.with_extension(format!("try{}", std::process::id()));
            let tried = std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe));
            if path.is_dir() {
                return wrong("a file", "This is a folder: name a file in it.");
            }
            if let Err(e) = tried {
                return wrong(
                    &format!("a file that can be written ({e})"),
                    "Make its folder, or choose another place.",
                );
            }
        }
        Ok(())
    }
}
