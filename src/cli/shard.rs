//! A sweep by several processes that share a results folder: `reproduce --shard`, and `collect`.

use super::progress::{Progress, note};
use super::{CatalogueArguments, Exit, Outcome, SizeArguments, reproduce, results_folder, say};
use crate::error::{InputError, Result};
use crate::experiment::{
    Options, Plan, ResolvedSpec, Shard, Size, keys, load_all, record_finished, resolve_all, run_shard, select,
};
use crate::record::{Finished, Places, Store};
use crate::report;
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many missing runs of an experiment are named.
const NAMED: usize = 5;

#[derive(Args)]
pub struct Arguments {
    /// Papers, experiments or regular expressions; none means everything
    #[arg(value_name = "PAPER|EXPERIMENT|REGEX")]
    filters: Vec<String>,
    #[command(flatten)]
    size: SizeArguments,
    /// Results folder [default: results for quick size, results/smoke, results/full]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Into how many shards the runs were split: those with missing runs are named
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=Shard::MOST as i64))]
    shards: Option<u16>,
    /// Records and pages of what is finished, marked as PARTIAL, in a folder of their own
    #[arg(long, value_name = "DIR")]
    partial: Option<PathBuf>,
    #[command(flatten)]
    catalogue: CatalogueArguments,
}

/// The words of a command that select experiments, a size and folders, as a shell reads them.
pub fn selection(filters: &[String], size: Size, out: Option<&Path>, experiments: Option<&Path>) -> String {
    let mut words: Vec<String> = filters.iter().map(|f| quoted(f)).collect();
    words.extend((size != Size::Quick).then(|| format!("--{}", size.name())));
    for (option, folder) in [("--out", out), ("--experiments", experiments)] {
        words.extend(folder.map(|f| format!("{option} {}", quoted(&f.display().to_string()))));
    }
    words.join(" ")
}

/// A word as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// `reproduce --shard`: computes the shard's runs and leaves the rest to `collect`, which `then` names.
pub fn shard(
    specs: &[ResolvedSpec],
    root: &Path,
    shard: Shard,
    options: &Options,
    (go_on, then): (&str, &str),
) -> Outcome {
    let progress = Progress::new();
    let (mut computed, mut cached) = (0, 0);
    for spec in specs {
        let ran = match join(spec, root, options.stop)? {
            Some(store) => run_shard(spec, &store, shard, options, &|event| progress.tell(event))?,
            None => None,
        };
        let Some(ran) = ran else {
            progress.finish();
            note(go_on);
            return Ok(Exit::Interrupted);
        };
        (computed, cached) = (computed + ran.computed, cached + ran.cached);
    }
    progress.finish();
    say(&format!("shard {shard}: {computed} runs computed, {cached} cached. When all shards are done: {then}"));
    Ok(Exit::Holds)
}

/// The store beside other shards, once nobody holds it alone; `None` if a person asks to stop first.
fn join(spec: &ResolvedSpec, root: &Path, stop: &AtomicBool) -> Result<Option<Store>> {
    let ((paper, experiment), mut told) = (spec.names(), false);
    while !stop.load(Ordering::Relaxed) {
        match Store::join(root, paper, experiment)? {
            Ok(store) => return Ok(Some(store)),
            Err(holder) if !told => note(&format!("{}: {holder} is at work on it; waiting", spec.id)),
            Err(_) => {}
        }
        told = true;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(None)
}

/// Puts the records whose runs are all there in place, and lists what is missing of the others.
pub fn collect(arguments: &Arguments) -> Outcome {
    let size = arguments.size.size();
    let entries = select(load_all(arguments.catalogue.folder().as_deref())?, &arguments.filters)?;
    let specs = resolve_all(&entries, size)?;
    let root = results_folder(arguments.out.as_ref(), size);
    if arguments.partial.as_ref() == Some(&root) {
        let remedy = "Partial records do not go where whole ones do.";
        return Err(InputError::value("--partial", root.display(), "another folder than --out", remedy));
    }
    let plans: Vec<Plan> = specs.iter().map(|spec| Plan::new(spec, &root)).collect::<Result<_>>()?;
    let (mut lines, mut shards, mut missing, mut whole) = (vec![], BTreeSet::new(), 0, vec![]);
    for (spec, plan) in specs.into_iter().zip(plans) {
        if plan.to_run() == 0 {
            whole.push(spec);
            continue;
        }
        missing += plan.to_run();
        lines.push(line(&spec, &plan));
        if let Some(of) = arguments.shards {
            let dealt = Shard::deal(&keys(&spec), of.into());
            shards.extend(dealt.into_iter().zip(&plan.cached).filter(|(_, cached)| !**cached).map(|(i, _)| i + 1));
        }
        if let Some(folder) = &arguments.partial {
            partial(&spec, &root, folder)?;
        }
    }
    let exit = if whole.is_empty() { Exit::Holds } else { reproduce::finished(&whole, &root, size)? };
    if missing == 0 {
        return Ok(exit);
    }
    let experiments = arguments.catalogue.given();
    let selected = selection(&arguments.filters, size, arguments.out.as_deref(), experiments);
    lines.push(match arguments.shards {
        None => format!("{missing} runs are missing: implicit-bias reproduce {selected}"),
        Some(of) => {
            let list = |separator: &str| shards.iter().map(usize::to_string).collect::<Vec<_>>().join(separator);
            format!(
                "{missing} runs are missing, of {} of {of} shards: implicit-bias reproduce {selected} --shard I/{of}, for I = {}\n\
                 with Slurm: sbatch --array={} array.sbatch",
                shards.len(),
                list(", "),
                list(",")
            )
        }
    });
    if let Some(folder) = arguments.partial.as_ref().filter(|folder| folder.is_dir()) {
        report::write_pages(folder, None)?;
        lines.push(format!("PARTIAL records and pages of what is finished: {}", folder.display()));
    }
    say(&lines.join("\n"));
    Ok(Exit::Interrupted)
}

fn line(spec: &ResolvedSpec, plan: &Plan) -> String {
    let open = spec.runs.iter().zip(&plan.cached).filter(|(_, cached)| !**cached).map(|(run, _)| run.id.as_str());
    let mut named: Vec<&str> = open.take(NAMED).collect();
    named.extend((plan.to_run() > NAMED).then_some("…"));
    let of = plan.cached.len();
    format!("{}: {} of {of} runs; {} missing: {}", spec.id, plan.finished(), plan.to_run(), named.join(", "))
}

/// A record of the runs that are there, elsewhere; none of an experiment without any.
fn partial(spec: &ResolvedSpec, root: &Path, folder: &Path) -> Result<()> {
    let (paper, experiment) = spec.names();
    let finished = Finished::read(&Places::new(root, paper, experiment));
    if !keys(spec).iter().any(|key| finished.has(key)) {
        return Ok(());
    }
    let store = Store::open(folder, paper, experiment)?.map_err(|holder| {
        InputError::new(format!("{}: {holder} is at work on it in {}. Wait for it", spec.id, folder.display()))
    })?;
    record_finished(spec, &finished, &store)?;
    reproduce::judge_and_draw(spec, folder, &store).map(|_| ())
}
