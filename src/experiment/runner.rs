use super::kinds::{Context, RunResult};
use super::shard::Shard;
use super::side_by_side::side_by_side;
use super::spec::{NUMERICS_EPOCH, ResolvedSpec, Run};
use crate::error::{InputError, Result};
use crate::linear::solver::Status;
use crate::record::table::{Cell, Table};
use crate::record::{Clock, Difference, Finished, Manifest, Provenance, RunTables, Store};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How an experiment is run.
pub struct Options<'a> {
    /// Threads over runs.
    pub jobs: usize,
    /// Set to stop: runs in progress end at once and are not kept.
    pub stop: &'a AtomicBool,
}

/// What the runner tells while it works.
#[derive(Debug)]
pub enum Event<'a> {
    /// An experiment starts.
    Started {
        /// The experiment.
        spec: &'a ResolvedSpec,
        /// How many runs are asked for.
        runs: usize,
        /// How many of them were finished before.
        finished: usize,
        /// Files of finished runs that are not as they were written; their runs are computed again.
        damaged: &'a [PathBuf],
    },
    /// A long run is under way.
    Within {
        /// How far it is.
        text: &'a str,
    },
    /// A run ended.
    Ran {
        /// How.
        status: Status,
        /// Steps taken.
        steps: u64,
    },
}

/// What [`run_experiment`] did.
#[derive(Debug)]
pub struct Ran {
    /// Runs it computed.
    pub computed: usize,
    /// Runs that were finished before.
    pub cached: usize,
    /// In what runs.csv differs from the record of the same spec that was there, if one was and was computed again, and the
    /// kind is repeatable.
    pub differs: Option<Vec<Difference>>,
}

/// Runs what is not finished yet and puts the record in place, unless it is there already. `Ok(None)` if it was interrupted.
///
/// # Errors
/// Bad input (data that cannot be read, folders that cannot be written, …). Runs that were finished stay.
pub fn run_experiment(
    spec: &ResolvedSpec,
    store: &Store,
    options: &Options,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<Option<Ran>> {
    let clock = Clock::start();
    let finished = Finished::read(store.places());
    let keys = keys(spec);
    let todo: Vec<(&Run, &String)> = spec.runs.iter().zip(&keys).filter(|(_, key)| !finished.has(key)).collect();
    let (computed, cached) = (todo.len(), spec.runs.len() - todo.len());
    tell(Event::Started { spec, runs: keys.len(), finished: cached, damaged: &finished.damaged });
    let mut ran = Ran { computed, cached, differs: None };
    if todo.is_empty() && store.is_current(&finished, &keys, &spec.hash)? {
        store.drop_partial()?;
        return Ok(Some(ran));
    }
    compute(spec, store, &todo, options, tell)?;

    let finished = Finished::read(store.places());
    if !keys.iter().all(|key| finished.has(key)) {
        return Ok(None);
    }
    let provenance = Provenance::now(options.jobs, &clock, (computed, cached, seconds(&finished, &keys)));
    let manifest = manifest(spec, keys.len(), provenance)?;
    let repeatable = spec.spec.kind.repeatable();
    ran.differs = store.finish(&finished, &headers(spec), &keys, &manifest)?.filter(|_| computed > 0 && repeatable);
    Ok(Some(ran))
}

/// Runs what is not finished yet of the part that is this shard's; the record is for [`run_experiment`] to put in place when
/// all shards are done. `Ok(None)` if it was interrupted.
///
/// # Errors
/// As for [`run_experiment`].
pub fn run_shard(
    spec: &ResolvedSpec,
    store: &Store,
    shard: Shard,
    options: &Options,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<Option<Ran>> {
    let (finished, keys) = (Finished::read(store.places()), keys(spec));
    let own: Vec<(&Run, &String)> =
        spec.runs.iter().zip(&keys).zip(shard.own(&keys)).filter(|(_, own)| *own).map(|(run, _)| run).collect();
    let todo: Vec<(&Run, &String)> = own.iter().filter(|(_, key)| !finished.has(key)).copied().collect();
    let (computed, cached) = (todo.len(), own.len() - todo.len());
    let damaged: Vec<PathBuf> = finished
        .damaged
        .iter()
        .filter(|p| todo.iter().any(|(_, key)| p.file_stem() == Some(key.as_ref())))
        .cloned()
        .collect();
    tell(Event::Started { spec, runs: own.len(), finished: cached, damaged: &damaged });
    compute(spec, store, &todo, options, tell)?;
    let finished = Finished::read(store.places());
    Ok(own.iter().all(|(_, key)| finished.has(key)).then_some(Ran { computed, cached, differs: None }))
}

/// Puts a record of those runs that are `finished`, somewhere else, in place in `store`; it says how many are missing.
///
/// # Errors
/// Folders that cannot be written.
pub fn record_finished(spec: &ResolvedSpec, finished: &Finished, store: &Store) -> Result<()> {
    let clock = Clock::start();
    let (there, missing): (Vec<String>, Vec<String>) = keys(spec).into_iter().partition(|key| finished.has(key));
    let provenance = Provenance::now(1, &clock, (0, there.len(), seconds(finished, &there)));
    let manifest = Manifest { missing: missing.len(), ..manifest(spec, there.len(), provenance)? };
    store.finish(finished, &headers(spec), &there, &manifest).map(|_| ())
}

fn seconds(finished: &Finished, keys: &[String]) -> f64 {
    keys.iter().filter_map(|key| finished.seconds(key)).sum()
}

fn manifest(spec: &ResolvedSpec, runs: usize, provenance: Provenance) -> Result<Manifest> {
    let (paper, experiment) = spec.names();
    let first = spec.runs.first().map(|r| toml::Table::try_from(&r.config)).transpose();
    Ok(Manifest {
        first_run: first.map_err(|e| InputError::new(format!("record.toml: {e}")))?.unwrap_or_default(),
        paper: paper.into(),
        experiment: experiment.into(),
        size: spec.size.name().into(),
        spec_hash: spec.hash.clone(),
        numerics_epoch: NUMERICS_EPOCH,
        runs,
        missing: 0,
        provenance,
        spec: spec.spec.text.clone(),
    })
}

/// Computes these runs and keeps those that come to their end.
fn compute(
    spec: &ResolvedSpec,
    store: &Store,
    todo: &[(&Run, &String)],
    options: &Options,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<()> {
    // Runs go side by side; where there are fewer than threads, each takes its share. What measures time is alone.
    let repeatable = spec.spec.kind.repeatable();
    let workers = if repeatable { options.jobs.min(todo.len()).max(1) } else { 1 };
    let one = |(run, key): &(&Run, &String)| -> Result<()> {
        if options.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let started = Instant::now();
        let say = |text: &str| tell(Event::Within { text });
        let scratch = store.scratch(key);
        let result = run.config.run(&Context { stop: options.stop, scratch, tell: &say });
        let result = result.map_err(|e| e.at(format!("experiments/{}.toml", spec.id)))?;
        if result.status != Status::Interrupted {
            store.keep(key, &tables(spec, run, &result), started.elapsed().as_secs_f64())?;
            tell(Event::Ran { status: result.status, steps: result.steps });
        }
        Ok(())
    };
    side_by_side(todo, (workers, options.jobs / workers), one)
}

/// The three tables of a run. Every run of a kind has the same columns: a metric that one does not give is empty.
pub(super) fn tables(spec: &ResolvedSpec, run: &Run, result: &RunResult) -> RunTables {
    let kind = spec.spec.kind;
    let [mut row, mut trace, mut vectors] = columns(spec).map(Table::new);
    let id = || Cell::from(run.id.as_str());
    let metric = |name| result.metrics.iter().find(|(n, _)| *n == name).map_or(Cell::Empty, |(_, v)| Cell::from(*v));
    let ended = [result.status.name().into(), result.reason.as_str().into(), Cell::Int(result.steps as i64)];
    row.push(
        [
            vec![id()],
            run.values.iter().map(cell).collect(),
            ended.to_vec(),
            kind.metrics().into_iter().map(metric).collect(),
        ]
        .concat(),
    );
    for (step, values) in &result.trace {
        trace.push([id(), Cell::Int(*step as i64)].into_iter().chain(values.iter().map(|v| Cell::from(*v))).collect());
    }
    for vector in &result.vectors {
        for (i, v) in vector.values.iter().enumerate() {
            let step = Cell::Int(vector.step as i64);
            vectors.push(vec![id(), step, vector.quantity.into(), i.into(), Cell::from(*v)]);
        }
    }
    RunTables { row, trace, vectors }
}

/// The columns of runs.csv, trace.csv and vectors.csv.
fn columns(spec: &ResolvedSpec) -> [Vec<&str>; 3] {
    let parameters = spec.parameters.iter().map(String::as_str).collect();
    let kind = spec.spec.kind;
    [
        [vec!["run"], parameters, vec!["status", "reason", "steps"], kind.metrics()].concat(),
        [&["run", "step"], kind.trace_columns()].concat(),
        vec!["run", "step", "quantity", "index", "value"],
    ]
}

fn headers(spec: &ResolvedSpec) -> [String; 3] {
    columns(spec).map(|names| Table::new(names).to_csv())
}

/// What a finished run is known by: all that decides its rows. That is its id (experiment, configuration with its seed,
/// numerics epoch), the kind, the columns, the values shown in them, and the contents of a file it reads.
pub fn keys(spec: &ResolvedSpec) -> Vec<String> {
    let (headers, mut files) = (headers(spec), BTreeMap::new());
    let mut keys = vec![];
    for run in &spec.runs {
        let hash = |file| *files.entry(file).or_insert_with(|| blake3::hash(&std::fs::read(file).unwrap_or_default()));
        let contents = run.config.file().map(hash);
        let values: Vec<String> = run.values.iter().map(|v| cell(v).text()).collect();
        let all = format!("{:?}", (&run.id, spec.spec.kind, &headers, values, contents));
        keys.push(blake3::hash(all.as_bytes()).to_hex()[..20].to_owned());
    }
    keys
}

/// A grid value as a field; lists (shapes, digit pairs) joined by a dash.
fn cell(value: &toml::Value) -> Cell {
    match value {
        toml::Value::String(s) => s.as_str().into(),
        toml::Value::Integer(i) => Cell::Int(*i),
        toml::Value::Float(f) => Cell::from(*f),
        toml::Value::Array(a) => a.iter().map(|v| cell(v).text()).collect::<Vec<_>>().join("-").into(),
        other => other.to_string().into(),
    }
}
