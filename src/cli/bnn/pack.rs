//! `bnn export` and `bnn run`: networks as bits.

use super::Data;
use crate::cli::{Exit, Outcome, json, say};
use crate::deep::kernel::Instructions;
use crate::deep::packed::PackedNetwork;
use crate::deep::train::{load_network, predictions};
use crate::error::{InputError, Result};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Args)]
pub struct ExportArguments {
    /// A network that `bnn train` has written
    network: PathBuf,
    /// Where the packed network goes
    out: PathBuf,
}

pub fn export(arguments: &ExportArguments) -> Outcome {
    let network = load_network(&read(&arguments.network)?, &arguments.network.display().to_string())?;
    let packed = PackedNetwork::from_network(&network).map_err(|e| e.at(arguments.network.display()))?;
    let bytes = packed.to_bytes();
    super::write(&arguments.out, &bytes)?;
    let latent = 4 * packed.weights();
    say(&format!(
        "{} bytes of weights in f32 → {} bytes, thresholds and scales included: {:.1}× smaller",
        latent,
        bytes.len(),
        latent as f64 / bytes.len() as f64
    ));
    Ok(Exit::Holds)
}

#[derive(Args)]
pub struct RunArguments {
    /// A network that `bnn export` has written
    network: PathBuf,
    /// Whose test pictures; digits8x8 and mnist-cut travel with the program
    #[arg(long, value_enum, default_value = "mnist-cut")]
    data: Data,
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    folder: PathBuf,
    /// Only the first N pictures
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Compare every prediction, and the time, with those of the network it was exported from
    #[arg(long, value_name = "NETWORK")]
    against: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &RunArguments) -> Outcome {
    let place = arguments.network.display();
    let packed = PackedNetwork::from_bytes(&read(&arguments.network)?).map_err(|e| e.at(&place))?;
    let mut test = arguments.data.source(&arguments.folder).load(0)?.test;
    if test.picture() != packed.picture() {
        let (found, allowed) = (format!("{:?}", test.picture()), format!("{:?}", packed.picture()));
        return Err(InputError::value(
            "--data: shape of the pictures",
            found,
            &allowed,
            "Choose the data it was trained on.",
        ));
    }
    let count = arguments.limit.unwrap_or(usize::MAX).clamp(1, test.len());
    test.pictures.labels.truncate(count);
    test.pictures.images.pixels.truncate(count * test.picture().iter().product::<usize>());

    let started = Instant::now();
    let found = packed.classify(Instructions::best(), &test.pictures.images.pixels)?;
    let seconds = started.elapsed().as_secs_f64();
    let wrong = found.iter().zip(&test.pictures.labels).filter(|(f, l)| **f != usize::from(**l)).count();
    let compared = arguments.against.as_ref().map(|path| {
        let network = load_network(&read(path)?, &path.display().to_string())?;
        if network.picture != packed.picture() {
            return Err(InputError::new(format!(
                "{}: not a network for these pictures. Give the exported one.",
                path.display()
            )));
        }
        let started = Instant::now();
        let theirs = predictions(&network, &test);
        let seconds = started.elapsed().as_secs_f64();
        Ok((found.iter().zip(theirs).filter(|(f, t)| **f == usize::from(*t)).count(), seconds))
    });
    let compared = compared.transpose()?;

    let (error, speed) = (wrong as f64 / count as f64, count as f64 / seconds);
    if arguments.json {
        json::say_json(json!({
            "pictures": count, "wrong": wrong, "test_error": error, "seconds": seconds, "images_per_second": speed,
            "agreeing": compared.map(|c| c.0), "network_seconds": compared.map(|c| c.1),
        }));
    } else {
        say(&format!("test error {:.2} % ({wrong} of {count}), {speed:.0} images/s", 100.0 * error));
        if let Some((agreeing, theirs)) = compared {
            let times = theirs / seconds;
            say(&format!("{agreeing} of {count} predictions are the network's own, which took {times:.1}× as long"));
        }
    }
    Ok(match compared {
        Some((agreeing, _)) if agreeing < count => Exit::ClaimFails,
        _ => Exit::Holds,
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| InputError::new(format!("{}: {e}. Give a file that exists", path.display())))
}
