//! `quantize`: a user's own network with few bits, without training.

use super::json::{rows, say_json};
use super::{Exit, Outcome, say};
use crate::data::photograph::{Photograph, read_folder};
use crate::deep::inference::Description;
use crate::deep::inference::quantize::{Agreement, Clip, LayerReport, Pair, Recipe, Restore, Rounding};
use crate::deep::quantize::{Correction, TWO_THIRDS};
use crate::error::{InputError, Result};
use crate::record::table::{Cell, Table};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// The network's layers (TOML; see assets/networks/)
    #[arg(long, value_name = "FILE.toml")]
    network: PathBuf,
    /// Its weights (see `convert` for PyTorch's)
    #[arg(long, value_name = "FILE.safetensors")]
    model: PathBuf,
    /// Folder of JPEG photographs that ranges and moments of the activations are taken from
    #[arg(long, value_name = "DIR")]
    calibrate: PathBuf,
    /// Folder of JPEG photographs to compare on [default: those of --calibrate]; the last number of a file's name is its class
    #[arg(long, value_name = "DIR")]
    test: Option<PathBuf>,
    /// Bits of a weight, on average; 32 leaves them as they are
    #[arg(long, value_name = "BITS", default_value_t = 4)]
    bits_weights: u32,
    /// Bits of an activation, on average
    #[arg(long, value_name = "BITS", default_value_t = 4)]
    bits_activations: u32,
    /// Bits of the first and last layer and of the pictures, at least
    #[arg(long, value_name = "BITS", default_value_t = 8)]
    bits_edges: u32,
    /// Where weights are clipped
    #[arg(long, value_enum, default_value = "range")]
    clip_weights: ClipArgument,
    /// Where activations are clipped
    #[arg(long, value_enum, default_value = "aciq")]
    clip_activations: ClipArgument,
    /// How weights are rounded
    #[arg(long, value_enum, default_value = "nearest")]
    round_weights: RoundArgument,
    /// One quantiser a tensor instead of one a channel
    #[arg(long)]
    per_tensor: bool,
    /// Divide bits among channels by their width, at the same mean
    #[arg(long, value_enum, default_value = "none")]
    allocate: Allocate,
    /// Cells ∝ width to this power
    #[arg(long, default_value_t = TWO_THIRDS)]
    exponent: f64,
    /// What of each channel's weights is restored
    #[arg(long, value_enum, default_value = "mean")]
    correct_weights: Moments,
    /// What of each channel's outputs is restored, by the photographs of --calibrate (beyond the paper)
    #[arg(long, value_enum, default_value = "none")]
    correct_outputs: Moments,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ClipArgument {
    /// Nowhere
    Range,
    /// Analytically (banner2019)
    Aciq,
    /// Where the error of the weights is least
    LeastError,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoundArgument {
    /// Each to its nearest value
    Nearest,
    /// Such that the outputs change least on the photographs of --calibrate (beyond the paper)
    Outputs,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Allocate {
    None,
    Weights,
    Activations,
    Both,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Moments {
    None,
    Mean,
    /// Mean and variance
    Both,
}

impl Arguments {
    fn recipe(&self) -> Result<Recipe> {
        let clip = |clip| match clip {
            ClipArgument::Range => Clip::Range,
            ClipArgument::Aciq => Clip::Aciq,
            ClipArgument::LeastError => Clip::LeastError,
        };
        let (weights, outputs) = (self.correct_weights, self.correct_outputs);
        let recipe = Recipe {
            weight_bits: Some(self.bits_weights).filter(|b| *b != 32),
            activation_bits: Some(self.bits_activations).filter(|b| *b != 32),
            edge_bits: self.bits_edges,
            weight_clip: clip(self.clip_weights),
            activation_clip: clip(self.clip_activations),
            rounding: match self.round_weights {
                RoundArgument::Nearest => Rounding::Nearest,
                RoundArgument::Outputs => Rounding::Outputs,
            },
            per_channel: !self.per_tensor,
            allocate_weights: matches!(self.allocate, Allocate::Weights | Allocate::Both),
            allocate_activations: matches!(self.allocate, Allocate::Activations | Allocate::Both),
            exponent: self.exponent,
            correction: Correction { mean: weights != Moments::None, variance: weights == Moments::Both },
            restore: match outputs {
                Moments::None => Restore::None,
                Moments::Mean => Restore::Mean,
                Moments::Both => Restore::MeanAndDeviation,
            },
        };
        recipe.check().map(|()| recipe)
    }
}

pub fn run(arguments: &Arguments) -> Outcome {
    let recipe = arguments.recipe()?;
    let text = read(&arguments.network)?;
    let text = str::from_utf8(&text).map_err(|e| InputError::new(e.to_string()).at(arguments.network.display()))?;
    let description = Description::parse(text).map_err(|e| e.at(arguments.network.display()))?;
    let mut graph = description.graph(&read(&arguments.model)?).map_err(|e| e.at(arguments.model.display()))?;
    graph.fold_batch_norms();
    let photographs = pictures(&description, &arguments.calibrate)?;
    let inputs: Vec<f32> = photographs.iter().flat_map(|p| p.inputs.iter().copied()).collect();

    let pair = Pair::new(graph, &inputs, &recipe)?;
    let compared = arguments.test.as_ref().map(|folder| pictures(&description, folder)).transpose()?;
    let mut score = Agreement::default();
    for picture in compared.as_ref().unwrap_or(&photographs) {
        pair.run(&picture.inputs)?.iter().for_each(|[whole, few]| score.add(whole, few, picture.class));
    }
    let mut sites = Table::new(["site", "bits", "low", "high"]);
    for r in pair.few.reports() {
        sites.push(vec![r.name.into(), r.bits.into(), f64::from(r.clip[0]).into(), f64::from(r.clip[1]).into()]);
    }
    let (packed, floats, layers) = (pair.bytes(), pair.float_bytes, table(&pair.layers));
    if arguments.json {
        say_json(serde_json::json!({
            "layers": rows(&layers), "activations": rows(&sites), "bytes": packed, "bytes_in_floats": floats,
            "pictures": score.samples, "same_class": score.same, "output_cosine": score.cosine(),
            "labelled": score.labelled, "right": score.right, "right_in_floats": score.right_in_floats,
        }));
    } else {
        say(&layers.to_csv().replace(',', "\t"));
        say("");
        say(&sites.to_csv().replace(',', "\t"));
        say(&format!(
            "\nweights: {packed} bytes, {floats} in floats ({:.2} times)\n\
             {} pictures: the class of the floats on {}, cosine of the outputs {:.4}\n\
             {} labelled pictures: {} right, {} in floats",
            floats as f64 / packed as f64,
            score.samples,
            score.same,
            score.cosine(),
            score.labelled,
            score.right,
            score.right_in_floats
        ));
    }
    Ok(Exit::Holds)
}

fn table(layers: &[LayerReport]) -> Table {
    let columns =
        ["layer", "weights", "bits", "least_bits", "most_bits", "low", "high", "relative_mse", "cosine", "bytes"];
    let mut table = Table::new(columns);
    for l in layers {
        let numbers =
            [l.bits[0], l.bits[1], l.bits[2], f64::from(l.clip[0]), f64::from(l.clip[1]), l.relative_mse, l.cosine];
        let start = [Cell::from(l.name.as_str()), l.weights.into()];
        table.push(start.into_iter().chain(numbers.map(Cell::from)).chain([l.bytes.into()]).collect());
    }
    table
}

struct Picture {
    inputs: Vec<f32>,
    class: Option<usize>,
}

fn pictures(description: &Description, folder: &Path) -> Result<Vec<Picture>> {
    let preparation = description.preparation();
    let one = |photograph: Photograph| {
        let inputs = preparation.inputs(&photograph.picture).map_err(|e| e.at(photograph.file.display()))?;
        Ok(Picture { inputs, class: photograph.class })
    };
    read_folder(folder)?.into_iter().map(one).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| InputError::new(format!("{}: {e}. Give a file that exists", path.display())))
}
