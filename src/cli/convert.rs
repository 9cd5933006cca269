//! `convert`: a PyTorch checkpoint as safetensors.

use super::{Exit, Outcome, say};
use crate::deep::torch::{read, to_safetensors};
use crate::error::InputError;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// The checkpoint, usually .pth or .pt
    checkpoint: PathBuf,
    /// Where the safetensors file goes
    out: PathBuf,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let Arguments { checkpoint, out } = arguments;
    let bytes = std::fs::read(checkpoint)
        .map_err(|e| InputError::new(format!("{}: {e}. Give a file that exists", checkpoint.display())))?;
    let tensors = read(&bytes).map_err(|e| e.at(checkpoint.display()))?;
    let file = to_safetensors(&tensors)?;
    let unfinished = out.with_added_extension("unfinished");
    let written = std::fs::write(&unfinished, &file).and_then(|()| std::fs::rename(&unfinished, out));
    written.map_err(|e| InputError::new(format!("{}: {e}. Choose a folder that can be written", out.display())))?;
    say(&format!("{} tensors, {} bytes", tensors.len(), file.len()));
    Ok(Exit::Holds)
}
