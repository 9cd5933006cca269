use super::provenance::Provenance;
use super::table::Table;
use crate::error::{InputError, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What one finished run leaves: one row, its trace, its vectors. Their columns are the same for every run of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTables {
    /// One row: `run, <parameters>, seed, status, reason, steps, <final metrics>`.
    pub row: Table,
    /// `run, step, <metrics>`.
    pub trace: Table,
    /// `run, step, quantity, index, value`.
    pub vectors: Table,
}

/// record.toml: the spec in full, its hash, and where the numbers come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Paper, e.g. `gunasekar2018`.
    pub paper: String,
    /// Experiment, e.g. `02-convolutional-depth-2`.
    pub experiment: String,
    /// smoke, quick or full.
    pub size: String,
    /// Hash of the resolved spec.
    pub spec_hash: String,
    /// Number of runs.
    pub runs: usize,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The first run's configuration with every default filled in (method, κ cap, stop rules); the others differ by the grid.
    pub first_run: toml::Table,
    /// The spec as it was written; with `size` it resolves to the runs of runs.csv.
    pub spec: String,
}

/// The files of a record that hold numbers.
pub const DATA_FILES: [&str; 3] = ["runs.csv", "trace.csv", "vectors.csv"];

/// The folder of one experiment's record, whole or absent.
///
/// Finished runs go to `<folder>.partial/` under temporary names and are renamed; at the end the folder is renamed too. An
/// interrupted experiment goes on from its finished runs. A record of another spec is never silently replaced.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    partial: PathBuf,
}

impl Store {
    /// The store for `<root>/<paper>/<experiment>`. Runs of another spec left in the partial folder are dropped.
    ///
    /// # Errors
    /// If the folder holds the record of another spec and `replace` is not set, or if it cannot be written.
    pub fn open(root: &Path, paper: &str, experiment: &str, spec_hash: &str, replace: bool) -> Result<Self> {
        let folder = root.join(paper).join(experiment);
        let partial = root.join(paper).join(format!("{experiment}.partial"));
        let stored = if replace { None } else { Self::manifest(&folder)? };
        if let Some(other) = stored.filter(|m| m.spec_hash != spec_hash) {
            return Err(InputError::new(format!(
                "{} holds a record of another spec ({} size, hash {}; this one is {spec_hash}) and is kept as it is. \
                 Put the new results elsewhere with `--out DIR`, or replace the old ones with `--replace`",
                folder.display(),
                other.size,
                other.spec_hash
            )));
        }
        let stamp = partial.join("spec_hash");
        if partial.is_dir() && fs::read_to_string(&stamp).ok().as_deref() != Some(spec_hash) {
            fs::remove_dir_all(&partial).map_err(|e| cannot_write(&partial, &e))?;
        }
        fs::create_dir_all(&partial).map_err(|e| cannot_write(&partial, &e))?;
        write_file(&stamp, spec_hash.as_bytes())?;
        Ok(Self { folder, partial })
    }

    /// The manifest of a finished record, if the folder holds one.
    pub fn manifest(folder: &Path) -> Result<Option<Manifest>> {
        let path = folder.join("record.toml");
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        toml::from_str(&text).map(Some).map_err(|e| {
            InputError::new(format!(
                "is not a record of this program: {}. Remove the folder or restore it",
                e.message()
            ))
            .at(path.display())
        })
    }

    /// The folders of all finished records under a results folder, of one paper or of all, in order.
    pub fn records(root: &Path, paper: Option<&str>) -> Result<Vec<PathBuf>> {
        let inside = |folder: &Path| -> Vec<PathBuf> {
            let mut all: Vec<PathBuf> =
                fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
            all.sort();
            all
        };
        if !root.is_dir() {
            return Err(InputError::value(
                "the results folder",
                root.display(),
                "a folder",
                "Run `implicit-bias reproduce` first, or name another.",
            ));
        }
        let papers =
            inside(root).into_iter().filter(|p| paper.is_none_or(|name| p.file_name().is_some_and(|n| n == name)));
        Ok(papers
            .flat_map(|p| inside(&p))
            .filter(|e| e.extension().is_none_or(|x| x != "partial") && e.join("record.toml").is_file())
            .collect())
    }

    /// The folder that the finished record will have.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a run is already finished.
    pub fn has(&self, run: &str) -> bool {
        self.partial.join(format!("{run}.runs.csv")).is_file()
    }

    /// Keeps a finished run. The row is written last: where it stands, the run is whole.
    pub fn keep(&self, run: &str, tables: &RunTables) -> Result<()> {
        for (file, table) in
            [(DATA_FILES[2], &tables.vectors), (DATA_FILES[1], &tables.trace), (DATA_FILES[0], &tables.row)]
        {
            write_file(&self.partial.join(format!("{run}.{file}")), table.to_csv().as_bytes())?;
        }
        Ok(())
    }

    /// After an error: removes the folders made for this record that hold no finished run.
    pub fn leave_nothing_empty(&self) {
        let finished =
            fs::read_dir(&self.partial).into_iter().flatten().flatten().any(|e| e.file_name() != "spec_hash");
        if !finished {
            let _ = fs::remove_dir_all(&self.partial);
            // Only empty folders can be removed this way.
            let _ = self.folder.ancestors().skip(1).take(2).try_for_each(fs::remove_dir);
        }
    }

    /// Joins the runs in the order given into the record and puts it in place.
    pub fn finish(self, runs: &[String], manifest: &Manifest) -> Result<PathBuf> {
        let whole = self.partial.join("whole");
        fs::create_dir_all(&whole).map_err(|e| cannot_write(&whole, &e))?;
        for file in DATA_FILES {
            let mut joined = String::new();
            for (i, run) in runs.iter().enumerate() {
                let path = self.partial.join(format!("{run}.{file}"));
                let text = fs::read_to_string(&path)
                    .map_err(|e| InputError::new(format!("cannot read {}: {e}", path.display())))?;
                let body = if i == 0 { text.as_str() } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
                joined.push_str(body);
            }
            write_file(&whole.join(file), joined.as_bytes())?;
        }
        let text = toml::to_string(manifest).map_err(|e| InputError::new(format!("record.toml: {e}")))?;
        write_file(&whole.join("record.toml"), text.as_bytes())?;
        if self.folder.is_dir() {
            fs::remove_dir_all(&self.folder).map_err(|e| cannot_write(&self.folder, &e))?;
        }
        fs::rename(&whole, &self.folder).map_err(|e| cannot_write(&self.folder, &e))?;
        fs::remove_dir_all(&self.partial).map_err(|e| cannot_write(&self.partial, &e))?;
        Ok(self.folder)
    }
}

/// Writes a file whole or not at all: to a temporary name beside it, then renamed.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path)).map_err(|e| cannot_write(path, &e))
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> InputError {
    InputError::new(format!(
        "cannot write {}: {error}. Results need a folder that can be written; choose another with `--out DIR`",
        path.display()
    ))
}
