use super::interrupt::{Interrupt, watch};
use super::{Exit, Outcome, say};
use crate::error::{InputError, Result};
use crate::experiment::{Rerun, ResolvedSpec, Size, Spec, judge, rerun, sample};
use crate::record::table::{Cell, Table};
use crate::record::{Manifest, SUMMARY_COLUMNS, Store, write_file};
use crate::report::junit::{Case, junit};
use crate::report::table::verdict_table;
use clap::Args;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Only this paper
    paper: Option<String>,
    /// Results folder
    #[arg(long, value_name = "DIR", default_value = "results")]
    from: PathBuf,
    /// Run so many of the stored runs again and compare every number of runs.csv
    #[arg(long, value_name = "N", default_value_t = 0)]
    rerun: usize,
    /// Which runs: the same seed samples the same ones
    #[arg(long, value_name = "S", default_value_t = 0, requires = "rerun")]
    seed: u64,
    /// The largest |stored − now| / max(1, |stored|, |now|) of a number that may have travelled between machines, whose exp
    /// and log differ in the last bit; 0 asks for the same bytes, which one machine gives
    #[arg(long, value_name = "T", default_value_t = 1e-6, requires = "rerun")]
    tolerance: f64,
    /// Write the verdicts as JUnit XML: a test suite an experiment, a test case a claim
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// A stored record.
struct Stored {
    spec: ResolvedSpec,
    runs: Table,
    verdicts: Vec<Vec<Cell>>,
    again: Vec<Rerun>,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let mut records = vec![];
    for folder in Store::records(&arguments.from, arguments.paper.as_deref())? {
        let Some(manifest) = Store::manifest(&folder)? else { continue };
        let spec = stored_spec(&manifest).map_err(|e| e.at(folder.join("record.toml").display()))?;
        let runs = Table::read(&folder.join("runs.csv"))?;
        if runs.rows.len() != manifest.runs {
            return Err(InputError::value(
                "runs.csv",
                format!("{} rows long", runs.rows.len()),
                &format!("{} rows long", manifest.runs),
                "Restore the file or run the experiment again.",
            )
            .at(folder.display()));
        }
        let verdicts = judge(&spec, &runs)?;
        records.push(Stored { spec, runs, verdicts, again: vec![] });
    }
    if records.iter().all(|r| r.verdicts.is_empty()) {
        return Err(InputError::new(format!(
            "no records under {}. Make some with `implicit-bias reproduce`, or name another folder with --from DIR",
            arguments.from.display()
        )));
    }
    if arguments.rerun > 0 && !run_again(&mut records, arguments)? {
        return Ok(Exit::Interrupted);
    }
    print(&records.iter().flat_map(|r| r.verdicts.clone()).collect::<Vec<_>>());
    if let Some(file) = &arguments.junit {
        let suites: Vec<(String, Vec<Case>)> =
            records.iter().map(|r| (r.spec.id.clone(), r.cases(arguments.tolerance))).collect();
        write_file(file, junit(&suites).as_bytes())?;
    }
    let judged = records.iter().map(|r| exit_of(&r.spec, &r.runs, &r.verdicts)).max().unwrap_or(Exit::Holds);
    let otherwise = arguments.rerun > 0 && print_again(&records, arguments.tolerance);
    Ok(judged.max(if otherwise { Exit::ClaimFails } else { Exit::Holds }))
}

/// Runs a sample over all records again; false if it was interrupted.
fn run_again(records: &mut [Stored], arguments: &Arguments) -> Result<bool> {
    let stop = watch(Interrupt::Leave("interrupted: nothing was written."))?;
    let all: Vec<(usize, usize)> =
        records.iter().enumerate().flat_map(|(r, stored)| (0..stored.runs.rows.len()).map(move |i| (r, i))).collect();
    for chosen in sample(all.len(), arguments.rerun, arguments.seed) {
        let (record, index) = all[chosen];
        let stored = &mut records[record];
        let Some(again) = rerun(&stored.spec, &stored.runs, index, &stop)? else { return Ok(false) };
        say(&format!("{}  {}  {}", stored.spec.id, again.run, in_words(&again, arguments.tolerance)));
        stored.again.push(again);
    }
    Ok(true)
}

fn in_words(again: &Rerun, tolerance: f64) -> String {
    let Some(most) = again.differs.first() else { return "the same bytes".into() };
    let what = if most.size <= tolerance { "within the tolerance" } else { "DIFFERS" };
    let (stored, now) = (most.stored.text(), most.now.text());
    format!("{what}: {} of {} by {:.1e}, {stored} stored, {now} now", most.column, again.differs.len(), most.size)
}

/// What came of the runs that were run again, also metric by metric; true if one came out otherwise.
fn print_again(records: &[Stored], tolerance: f64) -> bool {
    let again: Vec<&Rerun> = records.iter().flat_map(|r| &r.again).collect();
    let mut metrics: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for difference in again.iter().flat_map(|a| &a.differs) {
        let (runs, largest) = metrics.entry(&difference.column).or_default();
        (*runs, *largest) = (*runs + 1, largest.max(difference.size));
    }
    for (metric, (runs, largest)) in metrics {
        say(&format!("  {metric:28} differs in {runs} runs, by at most {largest:.1e}"));
    }
    let same = again.iter().filter(|a| a.differs.is_empty()).count();
    let otherwise = again.iter().filter(|a| a.largest() > tolerance).count();
    say(&format!(
        "{} runs run again: {same} the same bytes, {} within {tolerance:e}, {otherwise} otherwise",
        again.len(),
        again.len() - same - otherwise
    ));
    otherwise > 0
}

impl Stored {
    fn cases(&self, tolerance: f64) -> Vec<Case> {
        let rerun = |again: &Rerun| Case {
            name: format!("run {} again", again.run),
            fails: (again.largest() > tolerance).then(|| in_words(again, tolerance)),
            skipped: false,
        };
        self.verdicts.iter().map(|row| Case::of_claim(row)).chain(self.again.iter().map(rerun)).collect()
    }
}

fn stored_spec(manifest: &Manifest) -> Result<ResolvedSpec> {
    let spec = Spec::parse(&manifest.spec, "spec")?;
    let size = [Size::Smoke, Size::Quick, Size::Full].into_iter().find(|s| s.name() == manifest.size);
    let size =
        size.ok_or_else(|| InputError::value("size", &manifest.size, "smoke, quick or full", "Restore the record."))?;
    let resolved = spec.resolve(&format!("{}/{}", manifest.paper, manifest.experiment), size)?;
    if resolved.hash != manifest.spec_hash {
        return Err(InputError::value(
            "spec_hash",
            &manifest.spec_hash,
            &resolved.hash,
            "The stored spec was changed after the run; run the experiment again.",
        ));
    }
    Ok(resolved)
}

/// The verdict table and a line that counts.
pub fn print(rows: &[Vec<Cell>]) {
    let mut table = Table::new(SUMMARY_COLUMNS);
    rows.iter().for_each(|r| table.push(r.clone()));
    let count = |verdict: &str| rows.iter().filter(|r| r[8].text() == verdict).count();
    say(&verdict_table(&table, 118, std::io::stdout().is_terminal()));
    say(&format!("{} claims hold, {} fail, {} not run at this size", count("holds"), count("fails"), count("not-run")));
}

/// 1 if a claim fails, 3 if a run diverged where none may.
pub fn exit_of(spec: &ResolvedSpec, runs: &Table, rows: &[Vec<Cell>]) -> Exit {
    let status = runs.column("status");
    let diverged = runs.rows.iter().any(|r| status.is_some_and(|s| r[s].text() == "diverged"));
    if diverged && !spec.spec.may_diverge {
        Exit::RunFailed
    } else if rows.iter().any(|r| r[8].text() == "fails") {
        Exit::ClaimFails
    } else {
        Exit::Holds
    }
}
