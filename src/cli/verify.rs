use super::interrupt::{Interrupt, watch};
use super::progress::note;
use super::{Exit, Outcome, json, say};
use crate::error::{InputError, Result};
use crate::experiment::{Rerun, ResolvedSpec, Size, Spec, did_you_mean, judge, rerun, sample};
use crate::record::table::{Cell, Table};
use crate::record::{Difference, Manifest, SUMMARY_COLUMNS, Store, papers, read_summary, write_file};
use crate::report::junit::{Case, junit};
use crate::report::table::verdict_table;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

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
    /// A claim that fails counts only if summary.csv does not say so already: for a stored failure that is known
    #[arg(long)]
    as_recorded: bool,
    /// Write the verdicts as JUnit XML: a test suite an experiment, a test case a claim
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// One JSON object: the verdicts with the columns of summary.csv, and the runs that were run again
    #[arg(long)]
    json: bool,
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
        return Err(no_records(&arguments.from, arguments.paper.as_deref()));
    }
    if arguments.rerun > 0 && !run_again(&mut records, arguments)? {
        return Ok(Exit::Interrupted);
    }
    let rows: Vec<Vec<Cell>> = records.iter().flat_map(|r| r.verdicts.clone()).collect();
    match arguments.json {
        true => print_json(rows, &records),
        false => print(&rows),
    }
    if let Some(file) = &arguments.junit {
        let suites: Vec<(String, Vec<Case>)> =
            records.iter().map(|r| (r.spec.id.clone(), r.cases(arguments.tolerance))).collect();
        write_file(file, junit(&suites).as_bytes())?;
    }
    let known = if arguments.as_recorded { read_summary(&arguments.from)?.rows } else { vec![] };
    let known: Vec<[String; 4]> = known.iter().map(|row| claim_and_verdict(row)).collect();
    let judged = records.iter().map(|r| {
        let new = r.verdicts.iter().filter(|row| !known.contains(&claim_and_verdict(row))).cloned();
        exit_of(&r.spec, &r.runs, &new.collect::<Vec<_>>())
    });
    let judged = judged.max().unwrap_or(Exit::Holds);
    if arguments.rerun > 0 && !arguments.json {
        print_again(&records, arguments.tolerance);
    }
    let otherwise = records.iter().flat_map(|r| &r.again).any(|a| a.largest() > arguments.tolerance);
    Ok(judged.max(if otherwise { Exit::ClaimFails } else { Exit::Holds }))
}

/// Paper, experiment, claim and verdict of a row of summary.csv.
fn claim_and_verdict(row: &[Cell]) -> [String; 4] {
    [0, 1, 2, 8].map(|column| row[column].text())
}

/// Runs a sample over all records again; false if it was interrupted.
fn run_again(records: &mut [Stored], arguments: &Arguments) -> Result<bool> {
    let stop = watch(Interrupt::Leave("interrupted: nothing was written."))?;
    for stored in records.iter().filter(|r| !r.spec.spec.kind.repeatable()) {
        note(&format!("{}: measures time, so its runs are not run again", stored.spec.id));
    }
    let repeatable = records.iter().enumerate().filter(|(_, stored)| stored.spec.spec.kind.repeatable());
    let all: Vec<(usize, usize)> =
        repeatable.flat_map(|(r, stored)| (0..stored.runs.rows.len()).map(move |i| (r, i))).collect();
    for chosen in sample(all.len(), arguments.rerun, arguments.seed) {
        let (record, index) = all[chosen];
        let stored = &mut records[record];
        let Some(again) = rerun(&stored.spec, &stored.runs, index, &stop)? else { return Ok(false) };
        if !arguments.json {
            say(&format!("{}  {}  {}", stored.spec.id, again.run, in_words(&again, arguments.tolerance)));
        }
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

/// What came of the runs that were run again, also metric by metric.
fn print_again(records: &[Stored], tolerance: f64) {
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
}

fn print_json(rows: Vec<Vec<Cell>>, records: &[Stored]) {
    let mut table = Table::new(SUMMARY_COLUMNS);
    rows.into_iter().for_each(|r| table.push(r));
    let difference = |d: &Difference| {
        json!({ "column": d.column, "stored": json::cell(&d.stored), "now": json::cell(&d.now),
            "size": json::cell(&d.size.into()) })
    };
    let again = records.iter().flat_map(|r| r.again.iter().map(move |a| (r, a))).map(|(r, a)| {
        let differs: Vec<Value> = a.differs.iter().map(difference).collect();
        json!({ "experiment": r.spec.id, "run": a.run, "largest": json::cell(&a.largest().into()), "differs": differs })
    });
    json::say_json(json!({ "claims": json::rows(&table), "reruns": again.collect::<Vec<_>>() }));
}

/// Why there is nothing to work on: no such paper, or no record at all.
pub fn no_records(from: &Path, paper: Option<&str>) -> InputError {
    let there = papers(from).unwrap_or_default();
    let names: Vec<&str> = there.iter().map(String::as_str).collect();
    match paper.filter(|_| !names.is_empty()) {
        Some(paper) => {
            let remedy = format!("{}Or name another folder with --from DIR.", did_you_mean(&names, paper));
            let allowed = format!("one that has records under {}: {}", from.display(), names.join(", "));
            InputError::value("paper", format!("`{paper}`"), &allowed, &remedy)
        }
        None => InputError::new(format!(
            "no records under {}. Make some with `implicit-bias reproduce`, or name another folder with --from DIR",
            from.display()
        )),
    }
}

impl Stored {
    fn cases(&self, tolerance: f64) -> Vec<Case> {
        let rerun = |again: &Rerun| Case {
            name: format!("run {} again", again.run),
            fails: (again.largest() > tolerance).then(|| in_words(again, tolerance)),
            skipped: None,
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
    let [holds, fails, not_run, open] = ["holds", "fails", "not-run", "inconclusive"].map(count);
    let inconclusive = if open == 0 { String::new() } else { format!(", {open} inconclusive") };
    say(&format!("{holds} claims hold, {fails} fail, {not_run} not run at this size{inconclusive}"));
}

/// 1 if a claim fails that is not known to, 3 if a run diverged where none may.
pub fn exit_of(spec: &ResolvedSpec, runs: &Table, rows: &[Vec<Cell>]) -> Exit {
    let status = runs.column("status");
    let diverged = runs.rows.iter().any(|r| status.is_some_and(|s| r[s].text() == "diverged"));
    let known = |claim: &str| spec.spec.claims.iter().any(|e| e.claim == claim && e.known_to_fail.is_some());
    if diverged && !spec.spec.may_diverge {
        Exit::RunFailed
    } else if rows.iter().any(|r| r[8].text() == "fails" && !(r[6].number().is_finite() && known(&r[2].text()))) {
        Exit::ClaimFails
    } else {
        Exit::Holds
    }
}
