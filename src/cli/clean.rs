use super::plan::{fact, size_of};
use super::{Exit, Outcome, SizeArguments, results_folder, say};
use crate::error::{InputError, Result};
use crate::record::survey::{Piece, What, pieces};
use crate::record::{Store, lock_results, merge_summary};
use crate::report;
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// Papers or experiments, by name; none means everything (with --partial or --cache only)
    #[arg(value_name = "PAPER|EXPERIMENT")]
    names: Vec<String>,
    /// Only runs of interrupted commands
    #[arg(long)]
    partial: bool,
    /// Only the notes that make records reusable on this machine
    #[arg(long)]
    cache: bool,
    /// Remove finished records too; needed where neither --partial nor --cache is given
    #[arg(long, conflicts_with_all = ["partial", "cache"])]
    yes: bool,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    size: SizeArguments,
    /// Results folder [default: results for quick size, results/smoke, results/full]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let root = results_folder(arguments.out.as_ref(), arguments.size.size());
    let everything = !arguments.partial && !arguments.cache;
    if everything && arguments.names.is_empty() {
        return Err(InputError::new(
            "say what to remove: --partial, --cache, or papers and experiments by name (see clean --help)",
        ));
    }
    let wanted = |p: &Piece| {
        let id = format!("{}/{}", p.paper, p.experiment);
        let named = arguments.names.iter().any(|n| *n == p.paper || *n == p.experiment || *n == id);
        let kind =
            everything || p.what == What::Partial && arguments.partial || p.what == What::Cache && arguments.cache;
        (arguments.names.is_empty() || named) && kind
    };
    let found: Vec<Piece> = if root.is_dir() { pieces(&root)?.into_iter().filter(wanted).collect() } else { vec![] };
    let bytes = size_of(found.iter().map(|p| p.bytes).sum());
    for piece in &found {
        say(&format!("{}  {} files, {}", piece.folder.display(), piece.files.len(), fact(piece)));
        piece.strangers.iter().for_each(|s| say(&format!("{}  kept: not made by this program", s.display())));
    }
    let records = found.iter().filter(|p| p.what == What::Record).count();
    if found.is_empty() {
        say(&format!("nothing to remove under {}", root.display()));
    } else if arguments.dry_run {
        say(&format!("{bytes} would be removed"));
    } else if records > 0 && !arguments.yes {
        return Err(InputError::new(format!("{records} finished records are among these. Remove them with --yes")));
    } else {
        found.iter().try_for_each(|piece| remove(piece, &root))?;
        say(&format!("{bytes} removed"));
    }
    Ok(Exit::Holds)
}

fn remove(piece: &Piece, root: &Path) -> Result<()> {
    let Piece { paper, experiment, .. } = piece;
    let busy = |holder| InputError::new(format!("{paper}/{experiment}: {holder} is at work on it. Wait for it"));
    let _lock = Store::open(root, paper, experiment)?.map_err(busy)?;
    piece.remove()?;
    if piece.what == What::Record {
        merge_summary(root, paper, experiment, vec![])?;
        let _lock = lock_results(root)?;
        report::write_pages_after_removal(root, paper)?;
    }
    Ok(())
}
