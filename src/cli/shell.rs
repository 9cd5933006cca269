//! What a shell and `man` want to know of the program.

use super::{Cli, Exit, Outcome, say};
use crate::error::InputError;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use std::fs::create_dir_all;
use std::path::PathBuf;

#[derive(Args)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args)]
pub struct ManArguments {
    /// Write one page a command to this folder [default: the program's page to standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn completions(arguments: &CompletionsArguments) -> Outcome {
    let mut script = vec![];
    clap_complete::generate(arguments.shell, &mut Cli::command(), "implicit-bias", &mut script);
    say(&String::from_utf8_lossy(&script));
    Ok(Exit::Holds)
}

pub fn man(arguments: &ManArguments) -> Outcome {
    // `help` has no options and would double every page.
    let program: Command = Cli::command().disable_help_subcommand(true);
    match &arguments.out {
        Some(folder) => {
            let cannot =
                |e: std::io::Error| InputError::new(format!("{e}. Name another --out DIR")).at(folder.display());
            create_dir_all(folder).and_then(|()| clap_mangen::generate_to(program, folder)).map_err(cannot)?;
            say(&format!("pages written: man -l {}", folder.join("implicit-bias.1").display()));
        }
        None => {
            let mut page = vec![];
            let cannot = |e: std::io::Error| InputError::new(e.to_string());
            clap_mangen::Man::new(program).render(&mut page).map_err(cannot)?;
            say(&String::from_utf8_lossy(&page));
        }
    }
    Ok(Exit::Holds)
}
