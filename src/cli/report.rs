use super::json::say_json;
use super::verify::no_records;
use super::{Exit, Outcome, say};
use crate::error::InputError;
use crate::record::{copy_records, papers, write_file};
use crate::report::{with_tables, write_pages};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Only this paper
    paper: Option<String>,
    /// Results folder
    #[arg(long, value_name = "DIR", default_value = "results")]
    from: PathBuf,
    /// Copy the records to this folder and write the pages there [default: the results folder itself]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the tables of verdicts in this Markdown file again, between its markers, and nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paper", "out", "json"])]
    update: Option<PathBuf>,
    /// One JSON array: the files written
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let Arguments { paper, from, out, update, json } = arguments;
    if let Some(file) = update {
        let text = std::fs::read_to_string(file)
            .map_err(|e| InputError::new(format!("cannot be read: {e}")).at(file.display()))?;
        let text = with_tables(&text, from).map_err(|e| e.at(file.display()))?;
        write_file(file, text.as_bytes())?;
        return Ok(Exit::Holds);
    }
    if !papers(from)?.iter().any(|there| paper.as_ref().is_none_or(|p| p == there)) {
        return Err(no_records(from, paper.as_deref()));
    }
    if let Some(out) = out {
        copy_records(from, paper.as_deref(), out)?;
    }
    let written = write_pages(out.as_ref().unwrap_or(from), paper.as_deref())?;
    let paths: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    if *json {
        say_json(paths)
    } else {
        say(&paths.join("\n"))
    }
    Ok(Exit::Holds)
}
