//! The command line. The only code that prints.

mod arguments;
mod bench;
#[cfg(feature = "deep")]
mod bnn;
mod cite;
mod clean;
mod convert;
mod data;
mod explain;
mod export;
mod fit;
mod interrupt;
mod json;
mod list;
mod plan;
mod progress;
mod quantize;
mod report;
mod reproduce;
mod shard;
mod shell;
mod slurm;
mod verify;

use crate::error::Result;
use crate::experiment::Size;
use arguments::{CatalogueArguments, SizeArguments};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit codes, as scripts see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// No claim fails.
    Holds = 0,
    /// A claim fails.
    ClaimFails = 1,
    /// Usage or bad input.
    BadInput = 2,
    /// A run failed where none may.
    RunFailed = 3,
    /// Interrupted; the same command goes on.
    Interrupted = 130,
}

#[derive(Parser)]
#[command(
    name = "implicit-bias",
    version,
    about,
    after_help = "Exit codes: 0 no claim fails, 1 a claim fails, 2 bad input, 3 a run failed, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run experiments, judge their claims, draw their figures
    ///
    /// Examples:
    ///   implicit-bias reproduce gunasekar2018
    ///   implicit-bias reproduce gunasekar2018/02-convolutional-depth-2 --full
    ///   implicit-bias reproduce 'digits|decay' --smoke --out try
    ///   implicit-bias reproduce gunasekar2018 --dry-run
    ///
    /// Runs that were computed in this folder before are taken over, those of an interrupted command included; the results
    /// are the same bytes. A fresh clone has none, so that everything is computed and compared with the stored records.
    #[command(verbatim_doc_comment)]
    Reproduce(Box<reproduce::Arguments>),
    /// Put records together whose runs were computed in shards, and list the runs that are missing
    ///
    /// Examples:
    ///   implicit-bias reproduce gunasekar2018 --out sweep --shard 1/2 &
    ///   implicit-bias reproduce gunasekar2018 --out sweep --shard 2/2 & wait
    ///   implicit-bias collect gunasekar2018 --out sweep --shards 2
    #[command(
        verbatim_doc_comment,
        after_help = "Exit codes: 0 all is there and no claim fails, 1 a claim fails, 2 bad input, 3 a run failed, 130 runs are missing."
    )]
    Collect(shard::Arguments),
    /// What would gradient descent on this network converge to, on my data?
    ///
    /// Examples:
    ///   implicit-bias fit --data mine.csv --label class --network convolutional --depth 2
    ///   implicit-bias fit --data X.npy --labels y.npy --shape 28x28 --network diagonal --depth 2 --plot fit.svg
    ///
    /// Prints, or with --json gives: how the run ended; log10 q and log10 of the loss exp(−q); the margin min yᵢ⟨xᵢ, β⟩;
    /// R(β), its ratio to the margin, and how far that is at most above the least possible (certified_gap, null where R is
    /// not convex); kkt_residual = ‖w − Σ αᵢ ∇mᵢ(w)‖/‖w‖ at the balanced parameters of β; active_bins, the entries of β
    /// (convolutional: of the full spectrum β̂) above 1e-3 of the largest. R is ‖β‖₂ for the fully connected network,
    /// ‖β̂‖_{2/L} with the unitary DFT for the convolutional and ‖β‖_{2/L} for the diagonal one (‖β‖₂ at depth 1).
    #[command(
        verbatim_doc_comment,
        after_help = "Exit codes: 0 finished, 2 bad input (data that are not separable included), 3 diverged, 130 interrupted."
    )]
    Fit(Box<fit::Arguments>),
    /// Real data sets (MNIST, Fashion-MNIST, CIFAR-10): list, fetch, verify
    ///
    /// Examples:
    ///   implicit-bias data list
    ///   implicit-bias data fetch mnist cifar10
    ///   implicit-bias data verify
    #[command(
        subcommand,
        verbatim_doc_comment,
        after_help = "Exit codes: 0 every file is whole, 1 a file is missing or damaged, 2 bad input, or a set that cannot be fetched."
    )]
    Data(data::Command),
    /// How fast the kernels are on this machine
    ///
    /// Examples:
    ///   implicit-bias bench xnor
    ///   implicit-bias bench xnor --m 4096 --n 4096 --k 4096 --threads 2 --json
    ///   implicit-bias bench xnor --mlp 1000
    ///   implicit-bias bench int8 --threads 2
    #[command(subcommand, verbatim_doc_comment)]
    Bench(bench::Command),
    /// Write a PyTorch checkpoint as safetensors; the program reads it itself, and executes nothing of it
    ///
    /// The checkpoint is a state dict of dense tensors: torch.save(model.state_dict(), …), of any version of PyTorch.
    ///
    /// Example:
    ///   implicit-bias convert efficientnet-lite0-57934424.pth lite0.safetensors
    #[command(verbatim_doc_comment)]
    Convert(convert::Arguments),
    /// Give a trained network's weights and activations few bits, without training (banner2019), and say what it costs
    ///
    /// Example:
    ///   implicit-bias quantize --network assets/networks/efficientnet-lite0.toml --model lite0.safetensors \
    ///     --calibrate data/imagenet --bits-weights 4 --bits-activations 8
    #[command(verbatim_doc_comment)]
    Quantize(Box<quantize::Arguments>),
    /// Binarized Neural Networks (hubara2016): train, pack, run
    ///
    /// Examples:
    ///   implicit-bias bnn train digits.safetensors
    ///   implicit-bias bnn train mnist.safetensors --data mnist --epochs 60
    ///   implicit-bias bnn export mnist.safetensors mnist.bnn
    ///   implicit-bias bnn run mnist.bnn --data mnist --against mnist.safetensors
    #[cfg(feature = "deep")]
    #[command(subcommand, verbatim_doc_comment)]
    Bnn(bnn::Command),
    /// List experiments, what they claim and how many runs they have
    ///
    /// Examples:
    ///   implicit-bias list
    ///   implicit-bias list digits --full
    ///   implicit-bias list --json
    #[command(verbatim_doc_comment)]
    List(list::Arguments),
    /// Show one experiment: question, claim, method, expectations
    ///
    /// Examples:
    ///   implicit-bias show 02-convolutional-depth-2
    ///   implicit-bias show gunasekar2018/09-decay-law --full --json
    #[command(verbatim_doc_comment)]
    Show(list::ShowArguments),
    /// Explain a claim: theorem, regime, what is measured, why this tolerance, what came out, further reading
    ///
    /// Examples:
    ///   implicit-bias explain 09-decay-law
    ///   implicit-bias explain the modulus law
    ///   implicit-bias explain '02-.*certificate' --json
    #[command(verbatim_doc_comment)]
    Explain(explain::Arguments),
    /// Print the BibTeX entry of a paper
    ///
    /// Examples:
    ///   implicit-bias cite
    ///   implicit-bias cite gunasekar2018 >> references.bib
    #[command(verbatim_doc_comment)]
    Cite(cite::Arguments),
    /// Judge stored results again, without running anything, or with a sample of runs run again
    ///
    /// Examples:
    ///   implicit-bias verify gunasekar2018 --junit verdicts.xml
    ///   implicit-bias verify --rerun 20 --seed 1
    ///   implicit-bias verify --json
    #[command(
        verbatim_doc_comment,
        after_help = "Exit codes: 0 nothing fails, 1 a claim fails or a run came out otherwise, 2 bad input, 3 a run diverged."
    )]
    Verify(verify::Arguments),
    /// What a results folder holds: finished, partial, stale against the experiments as they are now
    ///
    /// Examples:
    ///   implicit-bias status
    ///   implicit-bias status gunasekar2018 --full --json
    #[command(verbatim_doc_comment)]
    Status(plan::Arguments),
    /// Remove what this program has left in a results folder, and nothing else
    ///
    /// Examples:
    ///   implicit-bias clean --partial                 runs of interrupted commands
    ///   implicit-bias clean --cache                   records are computed anew next time
    ///   implicit-bias clean own/01-small --yes        all of one experiment, its record included
    #[command(verbatim_doc_comment)]
    Clean(clean::Arguments),
    /// Write the pages of stored results, without running anything
    ///
    /// A page a paper (report.html, one file that needs no network, and README.md) and index.html over all papers.
    ///
    /// Examples:
    ///   implicit-bias report
    ///   implicit-bias report gunasekar2018 --from results/full --out hand-out
    #[command(verbatim_doc_comment)]
    Report(report::Arguments),
    /// Write stored results in another form: notebooks, figures, tables, TensorBoard
    ///
    /// Examples:
    ///   implicit-bias export notebook gunasekar2018
    ///   implicit-bias export figures 11-how-far --theme dark --style talk --format png
    ///   implicit-bias export tensorboard 11-how-far && tensorboard --logdir tensorboard-export
    #[command(subcommand, verbatim_doc_comment)]
    Export(export::Command),
    /// Print the completions of a shell
    ///
    /// Examples:
    ///   implicit-bias completions bash > ~/.local/share/bash-completion/completions/implicit-bias
    ///   implicit-bias completions zsh > "${fpath[1]}/_implicit-bias"
    ///   implicit-bias completions fish > ~/.config/fish/completions/implicit-bias.fish
    #[command(verbatim_doc_comment)]
    Completions(shell::CompletionsArguments),
    /// Print the manual page, or write one page a command
    ///
    /// Examples:
    ///   implicit-bias man | man -l -
    ///   implicit-bias man --out ~/.local/share/man/man1
    #[command(verbatim_doc_comment)]
    Man(shell::ManArguments),
}

/// Parses the command line, does what it says, and returns the exit code.
pub fn main() -> ExitCode {
    #[cfg(feature = "deep")]
    crate::deep::kernel::keep_freed_memory();
    let outcome = match Cli::parse().command {
        Command::Reproduce(a) => reproduce::run(&a),
        Command::Collect(a) => shard::collect(&a),
        Command::Fit(a) => fit::run(&a),
        Command::Data(a) => data::run(&a),
        Command::List(a) => list::run(&a),
        Command::Show(a) => list::show(&a),
        Command::Explain(a) => explain::run(&a),
        Command::Cite(a) => cite::run(&a),
        Command::Verify(a) => verify::run(&a),
        Command::Status(a) => plan::status(&a),
        Command::Clean(a) => clean::run(&a),
        Command::Convert(a) => convert::run(&a),
        Command::Quantize(a) => quantize::run(&a),
        Command::Bench(c) => bench::run(&c),
        #[cfg(feature = "deep")]
        Command::Bnn(c) => bnn::run(&c),
        Command::Report(a) => report::run(&a),
        Command::Export(c) => export::run(&c),
        Command::Completions(a) => shell::completions(&a),
        Command::Man(a) => shell::man(&a),
    };
    let exit = outcome.unwrap_or_else(|e| {
        let _ = writeln!(std::io::stderr(), "error: {e}");
        Exit::BadInput
    });
    ExitCode::from(exit as u8)
}

/// Writes to standard output; a reader that has gone away (`list | head`) is no error.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
}

/// The default results folder of a size: quick results are the repository's own.
fn results_folder(out: Option<&PathBuf>, size: Size) -> PathBuf {
    let root = PathBuf::from("results");
    out.cloned().unwrap_or_else(|| if size == Size::Quick { root } else { root.join(size.name()) })
}

type Outcome = Result<Exit>;
