use super::progress::{Progress, note};
use super::{CatalogueArguments, Exit, Outcome, SizeArguments, results_folder, say, verify};
use crate::error::{InputError, Result};
use crate::experiment::{Options, ResolvedSpec, judge, load_all, run_experiment, select};
use crate::record::merge_summary;
use crate::record::table::Table;
use crate::report;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

#[derive(Args)]
pub struct Arguments {
    /// Papers, experiments or regular expressions; none means everything
    #[arg(value_name = "PAPER|EXPERIMENT|REGEX")]
    filters: Vec<String>,
    #[command(flatten)]
    size: SizeArguments,
    /// Runs at the same time [default: all processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Results folder [default: results for quick size, results/smoke, results/full]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace a record that was made from another spec
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    catalogue: CatalogueArguments,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let size = arguments.size.size();
    let entries = select(load_all(arguments.catalogue.folder().as_deref())?, &arguments.filters)?;
    // Everything is checked before anything runs.
    let specs: Vec<ResolvedSpec> = entries.iter().map(|e| e.spec.resolve(&e.id, size)).collect::<Result<_>>()?;
    let root = results_folder(arguments.out.as_ref(), size);
    let jobs = arguments.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()), usize::from);
    let stop = stop_on_interrupt()?;

    let (progress, started) = (Progress::new(), Instant::now());
    let options = Options { root: &root, replace: arguments.replace, jobs, stop: &stop };
    let mut worst = Exit::Holds;
    let mut judged = vec![];
    for spec in &specs {
        let Some(folder) = run_experiment(spec, &options, &|event| progress.tell(event))? else {
            progress.finish();
            note("interrupted: finished runs are kept, and the same command goes on from there.");
            return Ok(Exit::Interrupted);
        };
        let (rows, exit) = finish(spec, &root, &folder)?;
        judged.extend(rows);
        worst = worst.max(exit);
    }
    progress.finish();
    verify::print(&judged);
    let papers: std::collections::BTreeSet<&str> = specs.iter().map(|s| s.names().0).collect();
    for paper in &papers {
        report::write_pages(&root, Some(paper))?;
    }
    say(&format!(
        "{} experiments at {} size in {:.0} s. Results: {}",
        specs.len(),
        size.name(),
        started.elapsed().as_secs_f64(),
        papers.iter().map(|p| root.join(p).display().to_string()).collect::<Vec<_>>().join(", ")
    ));
    Ok(worst)
}

/// Judges, keeps the verdicts, and draws.
fn finish(spec: &ResolvedSpec, root: &Path, folder: &Path) -> Result<(Vec<Vec<crate::record::table::Cell>>, Exit)> {
    let runs = Table::read(&folder.join("runs.csv"))?;
    let rows = judge(spec, &runs)?;
    let (paper, experiment) = spec.names();
    merge_summary(root, paper, experiment, rows.clone())?;
    report::draw_record(folder, &spec.spec.figures)?;
    Ok((rows.clone(), verify::exit_of(spec, &runs, &rows)))
}

/// Ctrl-C once: stop soon and keep what is finished. Twice: stop at once.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted as i32);
        }
        note("\nstopping; press Ctrl-C again to stop at once");
    });
    handler.map_err(|e| InputError::new(format!("cannot watch for Ctrl-C: {e}")))?;
    Ok(stop)
}
