//! `reproduce --emit-slurm`: the scripts that run a sweep as a job array.

use super::shard::quoted;
use super::{Exit, Outcome, say};
use crate::error::{InputError, Result};
use crate::record::{make_folder, this_program, write_file};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Run nothing; write scripts for Slurm that run it in so many shards, a job array
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000),
        conflicts_with_all = ["shard", "fresh", "dry_run", "replace"])]
    emit_slurm: Option<u16>,
    /// Folder of the scripts
    #[arg(long, value_name = "DIR", default_value = "slurm", requires = "emit_slurm")]
    scripts: PathBuf,
    /// Slurm's partition
    #[arg(long, value_name = "P", requires = "emit_slurm")]
    partition: Option<String>,
    /// Slurm's account
    #[arg(long, value_name = "A", requires = "emit_slurm")]
    account: Option<String>,
    /// Time limit of a shard, as Slurm writes it (2-12:00:00) [default: the partition's]
    #[arg(long, value_name = "T", requires = "emit_slurm")]
    time: Option<String>,
    /// Processors of a shard, and runs it has at the same time
    #[arg(long, value_name = "C", requires = "emit_slurm", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    cpus: u16,
}

impl Arguments {
    /// Writes the scripts, if they are asked for; `selected` are the words that select experiments, size and folders.
    pub fn emit(&self, selected: &str) -> Option<Outcome> {
        self.emit_slurm.map(|shards| self.write(shards, selected))
    }

    fn write(&self, shards: u16, selected: &str) -> Outcome {
        if selected.contains(char::is_control) {
            let allowed = "words without control characters";
            return Err(InputError::value(
                "the command",
                format!("{selected:?}"),
                allowed,
                "Rename the folder or filter.",
            ));
        }
        let Self { scripts, cpus, .. } = self;
        let (options, folder) = (self.options()?, scripts.display().to_string());
        let (program, folder) = (quoted(&this_program()?.display().to_string()), plain("scripts", &folder)?);
        make_folder(&scripts.join("log"))?;
        let log = |name: &str| format!("#SBATCH --output={folder}/log/{name}\n");
        // An early SIGTERM reaches the batch shell only with `B:`, and the program only because it takes the shell's place.
        let array = format!(
            "#!/bin/bash\n#SBATCH --job-name=implicit-bias\n#SBATCH --array=1-{shards}\n#SBATCH --requeue\n#SBATCH --open-mode=append\n\
             #SBATCH --signal=B:TERM@120\n#SBATCH --cpus-per-task={cpus}\n{options}{}\
             exec {program} reproduce {selected} --jobs {cpus} --shard \"$SLURM_ARRAY_TASK_ID/{shards}\"\n",
            log("%A_%a.log")
        );
        let collect = format!(
            "#!/bin/bash\n#SBATCH --job-name=implicit-bias-collect\n{options}{}\
             exec {program} collect {selected} --shards {shards}\n",
            log("%j-collect.log")
        );
        // afterany, not afterok: what is missing is to be told when a shard has failed.
        let submit = "#!/bin/sh\n# Submits the array, and the job that collects when it has ended.\nset -eu\nhere=$(dirname \"$0\")\n\
             array=$(sbatch --parsable \"$here/array.sbatch\")\nsbatch --dependency=afterany:\"${array%%;*}\" \"$here/collect.sbatch\"\n";
        for (name, text) in [("array.sbatch", array.as_str()), ("collect.sbatch", &collect), ("submit.sh", submit)] {
            write_file(&scripts.join(name), text.as_bytes())?;
        }
        say(&format!("{shards} shards. Submit them from this folder with: sh {folder}/submit.sh"));
        Ok(Exit::Holds)
    }

    fn options(&self) -> Result<String> {
        let mut lines = String::new();
        for (name, value) in [("partition", &self.partition), ("account", &self.account), ("time", &self.time)] {
            if let Some(value) = value {
                lines += &format!("#SBATCH --{name}={}\n", plain(name, value)?);
            }
        }
        Ok(lines)
    }
}

/// A value that stands unquoted in a line for Slurm.
fn plain<'a>(option: &str, value: &'a str) -> Result<&'a str> {
    if value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:,+@".contains(c)) {
        let remedy = "Give it as sbatch takes it.";
        return Err(InputError::value(
            &format!("--{option}"),
            format!("{value:?}"),
            "letters, digits and _-./:,+@",
            remedy,
        ));
    }
    Ok(value)
}
