use super::interrupt::{Interrupt, watch};
use super::progress::{Progress, note};
use super::shard::{selection, shard};
use super::{CatalogueArguments, Exit, Outcome, SizeArguments, plan, results_folder, say, slurm, verify};
use crate::error::{InputError, Result};
use crate::experiment::{
    Options, Ran, ResolvedSpec, Shard, Size, judge, load_all, resolve_all, run_experiment, select,
};
use crate::record::table::{Cell, Table};
use crate::record::{Places, Store, lock_results, merge_summary};
use crate::report;
use clap::Args;
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const GO_ON: &str = "interrupted: finished runs are kept, and the same command goes on from there.";
const GO_ON_FRESH: &str =
    "interrupted: finished runs are kept, and the same command without --fresh goes on from there.";

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
    /// Replace a record that was made from another spec; runs that both have are taken over
    #[arg(long)]
    replace: bool,
    /// Compute every run, also those that were computed in this folder before
    #[arg(long)]
    fresh: bool,
    /// Say what is cached, to run or stale, and how long it would take; write nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: every run
    #[arg(long, short, requires = "dry_run")]
    verbose: bool,
    /// With --dry-run: one JSON array
    #[arg(long, requires = "dry_run")]
    json: bool,
    /// Compute the I-th of N shares of the runs only, beside the others in the same folder; then `collect`
    #[arg(long, value_name = "I/N", conflicts_with_all = ["fresh", "dry_run", "replace"])]
    shard: Option<Shard>,
    #[command(flatten)]
    slurm: slurm::Arguments,
    #[command(flatten)]
    catalogue: CatalogueArguments,
}

/// One experiment, done.
struct Done {
    ran: Ran,
    verdicts: Vec<Vec<Cell>>,
    exit: Exit,
    /// Whether runs were taken over that another build of the program may have computed.
    by_another_build: bool,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let size = arguments.size.size();
    let entries = select(load_all(arguments.catalogue.folder().as_deref())?, &arguments.filters)?;
    // Everything is checked before anything runs.
    let specs = resolve_all(&entries, size)?;
    let selected = selection(&arguments.filters, size, arguments.out.as_deref(), arguments.catalogue.given());
    if let Some(outcome) = arguments.slurm.emit(&selected) {
        return outcome;
    }
    let root = results_folder(arguments.out.as_ref(), size);
    let jobs = arguments.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()), usize::from);
    if arguments.dry_run {
        return plan::dry_run(&specs, &root, jobs, (arguments.fresh, arguments.verbose, arguments.json));
    }
    for spec in specs.iter().filter(|_| !arguments.replace) {
        let (paper, experiment) = spec.names();
        Store::check_spec(&Places::new(&root, paper, experiment).folder, &spec.hash)?;
    }
    if arguments.fresh {
        specs.iter().try_for_each(|spec| forget(spec, &root))?;
    }
    let go_on = if arguments.fresh { GO_ON_FRESH } else { GO_ON };
    let stop = watch(Interrupt::Leave(go_on))?;
    let options = Options { jobs, stop: &stop };
    match arguments.shard {
        Some(one) => {
            let then = format!("implicit-bias collect {selected}");
            shard(&specs, &root, one, &options, (go_on, &then))
        }
        None => all(&specs, &root, size, &options, (arguments.replace, go_on)),
    }
}

/// Experiments whose runs are all there: their records, verdicts, figures and pages.
pub fn finished(specs: &[ResolvedSpec], root: &Path, size: Size) -> Outcome {
    for spec in specs {
        let (paper, experiment) = spec.names();
        Store::check_spec(&Places::new(root, paper, experiment).folder, &spec.hash)?;
    }
    let options = Options { jobs: 1, stop: &*watch(Interrupt::Leave(GO_ON))? };
    all(specs, root, size, &options, (false, GO_ON))
}

/// Runs all that is not finished, and tells.
fn all(specs: &[ResolvedSpec], root: &Path, size: Size, options: &Options, (replace, go_on): (bool, &str)) -> Outcome {
    let (progress, started) = (Progress::new(), Instant::now());
    let mut done: Vec<Option<Done>> = specs.iter().map(|_| None).collect();
    let mut waiting: VecDeque<usize> = (0..specs.len()).collect();
    let (mut busy, mut told) = (0, BTreeSet::new());
    while let Some(i) = waiting.pop_front() {
        let (spec, (paper, experiment)) = (&specs[i], specs[i].names());
        let ran = match Store::open(root, paper, experiment)? {
            Ok(store) => {
                busy = 0;
                if !replace {
                    Store::check_spec(&store.places().folder, &spec.hash)?;
                }
                let before = Store::manifest(&store.places().folder)?;
                let by_another_build = before.is_some_and(|m| !m.provenance.is_this_build());
                let ran = run_experiment(spec, &store, options, &|event| progress.tell(event))?;
                ran.map(|ran| finish(spec, root, &store, (ran, by_another_build))).transpose()?
            }
            // Others first, then wait.
            Err(holder) => {
                waiting.push_back(i);
                busy += 1;
                if busy >= waiting.len() {
                    if told.insert(i) {
                        note(&format!("{}: {holder} is at work on it; waiting", spec.id));
                    }
                    std::thread::sleep(Duration::from_millis(100));
                }
                if !options.stop.load(Ordering::Relaxed) {
                    continue;
                }
                None
            }
        };
        if ran.is_none() {
            progress.finish();
            note(go_on);
            return Ok(Exit::Interrupted);
        }
        done[i] = ran;
    }
    progress.finish();
    let done: Vec<Done> = done.into_iter().flatten().collect();
    verify::print(&done.iter().flat_map(|d| d.verdicts.clone()).collect::<Vec<_>>());
    let papers: BTreeSet<&str> = specs.iter().map(|s| s.names().0).collect();
    for paper in &papers {
        let _lock = lock_results(root)?;
        report::write_pages(root, Some(paper))?;
    }
    say(&format!(
        "{} experiments at {} size in {:.0} s: {} runs computed, {} cached. Results: {}",
        specs.len(),
        size.name(),
        started.elapsed().as_secs_f64(),
        done.iter().map(|d| d.ran.computed).sum::<usize>(),
        done.iter().map(|d| d.ran.cached).sum::<usize>(),
        papers.iter().map(|p| root.join(p).display().to_string()).collect::<Vec<_>>().join(", ")
    ));
    compare(specs, &done);
    Ok(done.iter().map(|d| d.exit).max().unwrap_or(Exit::Holds))
}

/// Judges, keeps the verdicts, and draws.
fn finish(spec: &ResolvedSpec, root: &Path, store: &Store, (ran, other): (Ran, bool)) -> Result<Done> {
    let (verdicts, exit) = judge_and_draw(spec, root, store)?;
    Ok(Done { exit, verdicts, by_another_build: other && ran.cached > 0, ran })
}

/// Verdicts into the summary, figures into the record.
pub fn judge_and_draw(spec: &ResolvedSpec, root: &Path, store: &Store) -> Result<(Vec<Vec<Cell>>, Exit)> {
    let folder = &store.places().folder;
    let runs = Table::read(&folder.join("runs.csv"))?;
    let verdicts = judge(spec, &runs)?;
    let (paper, experiment) = spec.names();
    merge_summary(root, paper, experiment, verdicts.clone())?;
    report::draw_record(folder, &spec.spec.figures)?;
    Ok((verdicts.clone(), verify::exit_of(spec, &runs, &verdicts)))
}

fn forget(spec: &ResolvedSpec, root: &Path) -> Result<()> {
    let (paper, experiment) = spec.names();
    Store::open(root, paper, experiment)?
        .map_err(|holder| {
            InputError::new(format!("{}: {holder} is at work on it. Wait for it, or leave out --fresh", spec.id))
        })?
        .forget()
}

/// Says how records that were computed again compare with those that were there, and what may want to be.
fn compare(specs: &[ResolvedSpec], done: &[Done]) {
    let again: Vec<_> = specs.iter().zip(done).filter_map(|(s, d)| Some((s, d.ran.differs.as_ref()?))).collect();
    for (spec, differs) in &again {
        if let Some(d) = differs.first() {
            let runs = differs.iter().map(|d| &d.run).collect::<BTreeSet<_>>().len();
            say(&format!(
                "{}: {runs} of {} runs differ from those stored before, most {} of run {}: {} then, {} now",
                spec.id,
                spec.runs.len(),
                d.column,
                d.run,
                d.stored.text(),
                d.now.text()
            ));
        }
    }
    for spec in specs.iter().zip(done).filter(|(s, d)| d.ran.computed > 0 && !s.spec.kind.repeatable()).map(|(s, _)| s)
    {
        say(&format!("{}: measures time, so its numbers are not compared with stored ones", spec.id));
    }
    let others = done.iter().filter(|d| d.by_another_build).count();
    if others > 0 {
        say(&format!(
            "{others} records have runs that another build of this program computed, or one with uncommitted changes; \
             --fresh computes them anew"
        ));
    }
    if !again.is_empty() {
        let same = again.iter().filter(|(_, differs)| differs.is_empty()).count();
        say(&format!(
            "{same} of {} records computed again have the same runs.csv as before, byte for byte",
            again.len()
        ));
    }
}
