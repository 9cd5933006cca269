//! `bnn`: train, pack and run a Binarized Neural Network.

mod pack;

use super::interrupt::{Interrupt, watch};
use super::progress::note;
use super::{Exit, Outcome, say};
use crate::deep::model::{Activation, Architecture, ModelConfig, Network, Weights};
use crate::deep::train::{Loss, Method, Schedule, Source, Status, Trainer, TrainingConfig, error_rate, save_network};
use crate::error::{InputError, Result};
use clap::{Args, Subcommand, ValueEnum};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

#[derive(Subcommand)]
pub enum Command {
    /// Train a network with the paper's method; interrupted, the same command goes on where it was
    ///
    /// Examples:
    ///   implicit-bias bnn train digits.safetensors
    ///   implicit-bias bnn train mnist.safetensors --data mnist --epochs 60
    #[command(verbatim_doc_comment)]
    Train(TrainArguments),
    /// Pack a trained network: a bit a weight, a threshold a channel
    ///
    /// Example:
    ///   implicit-bias bnn export mnist.safetensors mnist.bnn
    #[command(verbatim_doc_comment)]
    Export(pack::ExportArguments),
    /// Run a packed network on test pictures
    ///
    /// Example:
    ///   implicit-bias bnn run mnist.bnn --data mnist --against mnist.safetensors
    #[command(verbatim_doc_comment)]
    Run(pack::RunArguments),
}

#[derive(Args)]
pub struct TrainArguments {
    /// Where the trained network goes (safetensors, names as in PyTorch's state_dict)
    out: PathBuf,
    /// The pictures; digits8x8 and mnist-cut travel with the program
    #[arg(long, value_enum, default_value = "mnist-cut")]
    data: Data,
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    folder: PathBuf,
    /// Widths of the hidden layers
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', default_value = "1024,1024,1024")]
    hidden: Vec<usize>,
    /// The ConvNet of the paper at this width instead (128 in the paper)
    #[arg(long, value_name = "W", conflicts_with = "hidden")]
    convnet: Option<usize>,
    /// What is binary
    #[arg(long, value_enum, default_value = "both")]
    binary: Binary,
    #[arg(long, default_value_t = 20)]
    epochs: usize,
    #[arg(long, default_value_t = 100)]
    batch: usize,
    /// Learning rate of the first epoch; it falls by the same factor every epoch to that of the last
    #[arg(long, default_value_t = 3e-3)]
    rate: f64,
    #[arg(long, default_value_t = 3e-6)]
    last_rate: f64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Data {
    Digits8x8,
    MnistCut,
    Mnist,
    FashionMnist,
    Cifar10,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Binary {
    /// Weights and activations
    Both,
    /// Weights alone (BinaryConnect)
    Weights,
    /// Neither: the float twin
    None,
}

pub fn run(command: &Command) -> Outcome {
    match command {
        Command::Train(arguments) => train(arguments),
        Command::Export(arguments) => pack::export(arguments),
        Command::Run(arguments) => pack::run(arguments),
    }
}

impl Data {
    fn source(self, folder: &Path) -> Source {
        use crate::data::{embedded::ImageSet, images::ImageFiles};
        let files = |set| Source::ImageFiles { set, folder: folder.into(), samples: None, validation: 0 };
        let embedded = |set| Source::Images { set, samples: None, validation: 0 };
        match self {
            Data::Digits8x8 => embedded(ImageSet::Digits8x8),
            Data::MnistCut => embedded(ImageSet::Mnist),
            Data::Mnist => files(ImageFiles::Mnist),
            Data::FashionMnist => files(ImageFiles::FashionMnist),
            Data::Cifar10 => files(ImageFiles::Cifar10),
        }
    }
}

impl TrainArguments {
    fn model(&self) -> ModelConfig {
        let network = match self.convnet {
            Some(width) => Architecture::VggSmall { width },
            None => Architecture::Mlp { hidden: self.hidden.clone() },
        };
        ModelConfig {
            weights: if self.binary == Binary::None { Weights::Real } else { Weights::Binary },
            activation: if self.binary == Binary::Both { Activation::Sign } else { Activation::Relu },
            normalize_output: true,
            eps: 1e-4,
            ..ModelConfig::new(network)
        }
    }
}

fn train(arguments: &TrainArguments) -> Outcome {
    let config = TrainingConfig {
        loss: Loss::SquaredHinge,
        schedule: Schedule::Exponential { last: arguments.last_rate },
        ..TrainingConfig::new(Method::Adam, arguments.epochs, arguments.batch, arguments.rate)
    };
    config.check()?;
    let split = arguments.data.source(&arguments.folder).load(arguments.seed)?;
    let model = arguments.model();
    model.check(Some(split.training.picture()))?;
    let stop = watch(Interrupt::Leave("interrupted: the same command goes on with the epoch that was begun."))?;
    let mut trainer = Trainer::new(Network::new(&model, split.training.picture(), arguments.seed), arguments.seed);
    let partial = arguments.out.with_added_extension("partial");
    if let Ok(bytes) = std::fs::read(&partial) {
        trainer.load(&bytes).map_err(|e| e.at(partial.display()))?;
        note(&format!("going on after epoch {} ({})", trainer.epoch, partial.display()));
    }
    let (begun, first) = (Instant::now(), trainer.epoch);
    while trainer.epoch < config.epochs {
        let started = Instant::now();
        let go_on = || if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let epoch = match trainer.epoch(&split.training, &config, &mut |_, _| go_on()) {
            Status::Done(epoch) => epoch,
            Status::Interrupted => return Ok(Exit::Interrupted),
            Status::Diverged => {
                note("diverged: the loss is not finite any more. Try a smaller --rate");
                return Ok(Exit::RunFailed);
            }
        };
        let speed = split.training.len() as f64 / started.elapsed().as_secs_f64();
        let test = error_rate(&trainer.network, &split.test);
        let each = begun.elapsed().as_secs_f64() / (trainer.epoch - first) as f64;
        say(&format!(
            "epoch {:>3}/{}  loss {:.4}  training error {:.2} %  test error {:.2} %  {speed:.0} images/s  {:.0} s left\n",
            trainer.epoch,
            config.epochs,
            epoch.loss,
            100.0 * epoch.error,
            100.0 * test,
            each * (config.epochs - trainer.epoch) as f64
        ));
        write(&partial, &trainer.save("")?)?;
    }
    write(&arguments.out, &save_network(&trainer.network)?)?;
    let _ = std::fs::remove_file(&partial);
    Ok(Exit::Holds)
}

/// Under another name first, so that what is there is whole.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    let written = std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, path));
    written.map_err(|e| InputError::new(format!("{}: {e}. Choose a folder that can be written", path.display())))
}
