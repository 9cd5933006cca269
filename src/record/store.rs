use super::compare::{Difference, differences};
use super::file::{cannot_write, make_folder, remove_folder, sync_folder, write_file};
use super::finished::{self, Bodies, Finished};
use super::lock::Lock;
use super::provenance::Provenance;
use super::scratch::Scratch;
use super::table::Table;
use crate::error::{InputError, Result, is_default};
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
    /// Numerics epoch of the program: the same spec gives the same numbers within one.
    #[serde(default)]
    pub numerics_epoch: u32,
    /// Number of runs.
    pub runs: usize,
    /// Runs of the spec that were not finished when this record was made of the others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing: usize,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The first run's configuration with every default filled in (method, κ cap, stop rules); the others differ by the grid.
    pub first_run: toml::Table,
    /// The spec as it was written; with `size` it resolves to the runs of runs.csv.
    pub spec: String,
}

/// The files of a record that hold numbers.
pub const DATA_FILES: [&str; 3] = ["runs.csv", "trace.csv", "vectors.csv"];

/// Where things are of one experiment under a results folder.
#[derive(Debug, Clone)]
pub struct Places {
    /// The finished record: whole or absent.
    pub folder: PathBuf,
    /// Finished runs of an attempt that is not: `<folder>.partial`.
    pub partial: PathBuf,
    /// What was computed here: see [`Finished`].
    pub(super) receipts: PathBuf,
    lock: PathBuf,
}

impl Places {
    /// The places of `<root>/<paper>/<experiment>`.
    pub fn new(root: &Path, paper: &str, experiment: &str) -> Self {
        let cache = root.join(CACHE).join(paper);
        Self {
            folder: root.join(paper).join(experiment),
            partial: root.join(paper).join(format!("{experiment}.partial")),
            receipts: cache.join(experiment),
            lock: cache.join(format!("{experiment}.lock")),
        }
    }

    pub(super) fn receipt(&self, files: &Bodies) -> PathBuf {
        let mut hash = blake3::Hasher::new();
        for text in files {
            hash.update(blake3::hash(text.as_bytes()).as_bytes());
        }
        self.receipts.join(format!("{}.toml", &hash.finalize().to_hex()[..16]))
    }
}

/// The record of one experiment, held by this process alone.
///
/// A finished run goes to the partial folder as one file, under a temporary name that is then renamed; at the end they become
/// the record, which takes its place by a rename too. So an end at any moment, even by the loss of power, loses the runs in
/// progress and nothing else. A record of another spec is never silently replaced.
#[derive(Debug)]
pub struct Store {
    places: Places,
    _lock: Lock,
}

impl Store {
    /// The store for `<root>/<paper>/<experiment>`, or `Err` with a word about the process that holds it.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn open(root: &Path, paper: &str, experiment: &str) -> Result<std::result::Result<Self, String>> {
        let places = Places::new(root, paper, experiment);
        let lock = match Lock::try_take(&places.lock)? {
            Ok(lock) => lock,
            Err(holder) => return Ok(Err(holder)),
        };
        // Interrupted between the two renames of `finish`: the record that was there goes back.
        let old = places.partial.join("old");
        if !places.folder.exists() && old.is_dir() {
            fs::rename(&old, &places.folder).map_err(|e| cannot_write(&places.folder, &e))?;
        }
        Ok(Ok(Self { places, _lock: lock }))
    }

    /// The same, beside other processes that have joined: each may keep runs, none may touch the record.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn join(root: &Path, paper: &str, experiment: &str) -> Result<std::result::Result<Self, String>> {
        let places = Places::new(root, paper, experiment);
        Ok(Lock::try_share(&places.lock)?.map(|_lock| Self { places, _lock }))
    }

    /// Refuses to replace the record of another spec.
    pub fn check_spec(folder: &Path, spec_hash: &str) -> Result<()> {
        match Self::manifest(folder)?.filter(|m| m.spec_hash != spec_hash) {
            None => Ok(()),
            Some(other) => Err(InputError::new(format!(
                "{} holds a record of another spec ({} size, hash {}; this one is {spec_hash}) and is kept as it is. \
                 Put the new results elsewhere with `--out DIR`, or replace the old ones with `--replace`",
                folder.display(),
                other.size,
                other.spec_hash
            ))),
        }
    }

    /// Where things are.
    pub fn places(&self) -> &Places {
        &self.places
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

    /// Where an unfinished run keeps what it needs to go on.
    pub fn scratch(&self, key: &str) -> Scratch {
        Scratch::at(self.places.partial.join(format!("{key}.unfinished")))
    }

    /// Keeps a finished run and the seconds it took.
    pub fn keep(&self, key: &str, tables: &RunTables, seconds: f64) -> Result<()> {
        finished::keep(&self.places, key, tables, seconds)
    }

    /// Forgets what was computed here: the runs of an interrupted attempt, and that the record may be reused.
    pub fn forget(&self) -> Result<()> {
        self.drop_partial()?;
        remove_folder(&self.places.receipts)
    }

    /// Removes what is left of an attempt that did come to its end.
    pub fn drop_partial(&self) -> Result<()> {
        remove_folder(&self.places.partial)
    }

    /// Whether the record is what these runs and this spec would make it.
    pub fn is_current(&self, finished: &Finished, keys: &[String], spec_hash: &str) -> Result<bool> {
        let manifest = Self::manifest(&self.places.folder)?;
        Ok(finished.order == keys && manifest.is_some_and(|m| m.spec_hash == spec_hash))
    }

    /// Joins the finished runs in the order of `keys` into the record and puts it in place. If it replaces a record of the
    /// same spec, says in what runs.csv differs from that one.
    pub fn finish(
        &self,
        finished: &Finished,
        headers: &[String; 3],
        keys: &[String],
        manifest: &Manifest,
    ) -> Result<Option<Vec<Difference>>> {
        let Places { folder, partial, receipts, .. } = &self.places;
        let (files, receipt) = finished.join(headers, keys)?;
        let before = Self::manifest(folder).ok().flatten().filter(|m| m.spec_hash == manifest.spec_hash);
        let before = before.and_then(|_| fs::read_to_string(folder.join(DATA_FILES[0])).ok());
        // What cannot be read any more differs in every cell.
        let differs = before.map(|old| match old == files[0] {
            true => Ok(vec![]),
            false => Ok(differences(
                &Table::parse(&old, DATA_FILES[0]).unwrap_or_default(),
                &Table::parse(&files[0], DATA_FILES[0])?,
            )),
        });
        let (whole, old) = (partial.join("whole"), partial.join("old"));
        make_folder(&whole)?;
        for (file, text) in DATA_FILES.iter().zip(&files) {
            write_file(&whole.join(file), text.as_bytes())?;
        }
        let text = toml::to_string(manifest).map_err(|e| InputError::new(format!("record.toml: {e}")))?;
        write_file(&whole.join("record.toml"), text.as_bytes())?;
        make_folder(receipts)?;
        let receipt_path = self.places.receipt(&files);
        write_file(&receipt_path, receipt.as_bytes())?;
        if folder.is_dir() {
            remove_folder(&old)?;
            fs::rename(folder, &old).map_err(|e| cannot_write(folder, &e))?;
        }
        fs::rename(&whole, folder).map_err(|e| cannot_write(folder, &e))?;
        folder.parent().map_or(Ok(()), sync_folder)?;
        remove_folder(partial)?;
        for other in fs::read_dir(receipts).into_iter().flatten().flatten().filter(|e| e.path() != receipt_path) {
            fs::remove_file(other.path()).map_err(|e| cannot_write(receipts, &e))?;
        }
        differs.transpose()
    }
}

/// The folder under a results folder that holds what only this machine needs.
pub(super) const CACHE: &str = ".cache";
