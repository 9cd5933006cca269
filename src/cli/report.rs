use super::{Exit, Outcome, say};
use crate::record::copy_records;
use crate::report::write_pages;
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
}

pub fn run(arguments: &Arguments) -> Outcome {
    let Arguments { paper, from, out } = arguments;
    if let Some(out) = out {
        copy_records(from, paper.as_deref(), out)?;
    }
    let written = write_pages(out.as_ref().unwrap_or(from), paper.as_deref())?;
    say(&written.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n"));
    Ok(Exit::Holds)
}
