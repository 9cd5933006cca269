use super::kinds::{Context, RunResult};
use super::spec::{ResolvedSpec, Run};
use crate::error::{InputError, Result};
use crate::linear::solver::Status;
use crate::record::table::{Cell, Table};
use crate::record::{Manifest, Provenance, RunTables, Store};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How an experiment is run.
pub struct Options<'a> {
    /// Results folder.
    pub root: &'a Path,
    /// Replace a record of another spec.
    pub replace: bool,
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
        /// Runs that were finished before.
        finished: usize,
    },
    /// A run ended.
    Ran {
        /// How.
        status: Status,
        /// Steps taken.
        steps: u64,
    },
}

/// Runs what is not finished yet and puts the record in place. `Ok(None)` if it was interrupted.
///
/// # Errors
/// Bad input (data that cannot be read, folders that cannot be written, …). Runs that were finished stay.
pub fn run_experiment(
    spec: &ResolvedSpec,
    options: &Options,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<Option<PathBuf>> {
    let started = Instant::now();
    let (paper, experiment) = spec.names();
    let store = Store::open(options.root, paper, experiment, &spec.hash, options.replace)?;
    let todo: Vec<&Run> = spec.runs.iter().filter(|r| !store.has(&r.id)).collect();
    tell(Event::Started { spec, finished: spec.runs.len() - todo.len() });

    let one = |run: &&Run| -> Result<()> {
        if options.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let result = spec.spec.kind.run(&Context { config: &run.config, stop: options.stop });
        let result = result.map_err(|e| e.at(format!("experiments/{}.toml", spec.id)))?;
        if result.status != Status::Interrupted {
            store.keep(&run.id, &tables(spec, run, &result))?;
            tell(Event::Ran { status: result.status, steps: result.steps });
        }
        Ok(())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build();
    let pool = pool
        .map_err(|e| InputError::new(format!("cannot start {} threads: {e}. Use fewer with --jobs N", options.jobs)))?;
    let ran = pool.install(|| todo.par_iter().with_max_len(1).map(one).collect::<Result<Vec<()>>>());
    if let Err(e) = ran {
        store.leave_nothing_empty();
        return Err(e);
    }

    if !spec.runs.iter().all(|r| store.has(&r.id)) {
        return Ok(None);
    }
    let first = spec.runs.first().map(|r| toml::Table::try_from(&r.config)).transpose();
    let manifest = Manifest {
        first_run: first.map_err(|e| InputError::new(format!("record.toml: {e}")))?.unwrap_or_default(),
        paper: paper.into(),
        experiment: experiment.into(),
        size: spec.size.name().into(),
        spec_hash: spec.hash.clone(),
        runs: spec.runs.len(),
        provenance: Provenance::now(options.jobs, started.elapsed()),
        spec: spec.spec.text.clone(),
    };
    let ids: Vec<String> = spec.runs.iter().map(|r| r.id.clone()).collect();
    store.finish(&ids, &manifest).map(Some)
}

fn tables(spec: &ResolvedSpec, run: &Run, result: &RunResult) -> RunTables {
    let names = |v: &[&str]| v.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    let metrics: Vec<&str> = result.metrics.iter().map(|(n, _)| *n).collect();
    let mut row = Table::new(
        [vec!["run".into()], spec.parameters.clone(), names(&["status", "reason", "steps"]), names(&metrics)].concat(),
    );
    let mut cells: Vec<Cell> = vec![run.id.as_str().into()];
    cells.extend(run.values.iter().map(cell));
    cells.extend([result.status.name().into(), result.reason.as_str().into(), Cell::Int(result.steps as i64)]);
    cells.extend(result.metrics.iter().map(|(_, v)| Cell::from(*v)));
    row.push(cells);

    let mut trace = Table::new([names(&["run", "step"]), names(result.trace_columns)].concat());
    for (step, values) in &result.trace {
        let mut cells: Vec<Cell> = vec![run.id.as_str().into(), Cell::Int(*step as i64)];
        cells.extend(values.iter().map(|v| Cell::from(*v)));
        trace.push(cells);
    }
    let mut vectors = Table::new(["run", "step", "quantity", "index", "value"]);
    for vector in &result.vectors {
        for (i, v) in vector.values.iter().enumerate() {
            vectors.push(vec![
                run.id.as_str().into(),
                Cell::Int(vector.step as i64),
                vector.quantity.into(),
                i.into(),
                Cell::from(*v),
            ]);
        }
    }
    RunTables { row, trace, vectors }
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
