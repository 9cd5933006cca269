//! What this program has left in a results folder, and its removal: for `status` and `clean`.

use super::file::cannot_write;
use super::store::{CACHE, DATA_FILES, Store};
use crate::error::{InputError, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What a [`Piece`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A finished record.
    Record,
    /// Runs of an attempt that was interrupted.
    Partial,
    /// The note that makes a record reusable on this machine.
    Cache,
}

/// One folder of one experiment.
#[derive(Debug)]
pub struct Piece {
    /// Paper.
    pub paper: String,
    /// Experiment.
    pub experiment: String,
    /// What it is.
    pub what: What,
    /// Where.
    pub folder: PathBuf,
    /// The files that this program made.
    pub files: Vec<PathBuf>,
    /// Everything else, links included; never removed.
    pub strangers: Vec<PathBuf>,
    /// Size of `files`.
    pub bytes: u64,
    /// Since its data were last written.
    pub age: Duration,
}

/// Everything under a results folder that this program made, in order.
///
/// # Errors
/// A folder of papers or experiments that is a link: what is behind it is not looked at.
pub fn pieces(root: &Path) -> Result<Vec<Piece>> {
    let mut found = vec![];
    for (paper, folder) in folders(root)?.into_iter().filter(|(p, _)| !p.starts_with('.')) {
        for (name, folder) in folders(&folder)? {
            match name.strip_suffix(".partial") {
                Some(experiment) => found.push(piece(&paper, experiment, What::Partial, folder, &is_partial)),
                None => {
                    let Some(own) = record_files(&folder, &paper, &name) else { continue };
                    found.push(piece(&paper, &name, What::Record, folder, &|file| own(file)));
                }
            }
        }
    }
    let cache = root.join(CACHE);
    for (paper, folder) in if is_folder(&cache)? { folders(&cache)? } else { vec![] } {
        for (experiment, folder) in folders(&folder)? {
            found.push(piece(&paper, &experiment, What::Cache, folder, &|file| file.ends_with(".toml")));
        }
    }
    found.sort_by(|a, b| (&a.paper, &a.experiment, a.what).cmp(&(&b.paper, &b.experiment, b.what)));
    Ok(found)
}

impl Piece {
    /// Removes the files that this program made, and the folders that are empty then.
    pub fn remove(&self) -> Result<()> {
        for file in &self.files {
            match fs::remove_file(file) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(cannot_write(file, &e)),
                _ => {}
            }
        }
        remove_empty(&self.folder);
        let _ = self.folder.parent().map(fs::remove_dir);
        Ok(())
    }
}

fn is_of_record(name: &str) -> bool {
    name == "record.toml" || DATA_FILES.contains(&name)
}

/// Whether a file of this name may lie in a folder of finished runs; also as this program made them before.
fn is_partial(name: &str) -> bool {
    let ends = [".run", ".runs.csv", ".trace.csv", ".vectors.csv", ".csv.tmp", ".toml.tmp", ".run.tmp", ".svg", ".png"];
    name == "spec_hash" || is_of_record(name) || ends.iter().any(|end| name.ends_with(end))
}

/// What tells the files of a record by their names; `None` if the folder holds no record of that name.
fn record_files(folder: &Path, paper: &str, experiment: &str) -> Option<impl Fn(&str) -> bool + use<>> {
    let manifest = Store::manifest(folder).ok().flatten()?;
    let spec: toml::Table = toml::from_str(&manifest.spec).ok()?;
    let figures = spec.get("figure").and_then(|f| f.as_array()).into_iter().flatten();
    let names: Vec<String> = figures.filter_map(|f| f.get("name")?.as_str().map(str::to_owned)).collect();
    (manifest.paper == paper && manifest.experiment == experiment).then_some(move |file: &str| {
        let file = file.strip_prefix('.').and_then(|f| f.strip_suffix(".tmp")).unwrap_or(file);
        let figure = file.strip_suffix(".svg").or(file.strip_suffix(".png")).or(file.strip_suffix(".pdf"));
        is_of_record(file) || figure.is_some_and(|f| names.iter().any(|n| n == f))
    })
}

fn piece(paper: &str, experiment: &str, what: What, folder: PathBuf, own: &dyn Fn(&str) -> bool) -> Piece {
    let (mut files, mut strangers) = (vec![], vec![]);
    let mut rest = vec![folder.clone()];
    while let Some(next) = rest.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            match kind.map(|k| (k.is_dir(), k.is_file())) {
                Ok((true, _)) => rest.push(path),
                Ok((_, true)) if own(&entry.file_name().to_string_lossy()) => files.push(path),
                _ => strangers.push(path),
            }
        }
    }
    let known: Vec<fs::Metadata> = files.iter().filter_map(|f| fs::symlink_metadata(f).ok()).collect();
    // Figures are drawn again at any time.
    let data = files.iter().zip(&known).filter(|(f, _)| f.extension().is_some_and(|e| e != "svg" && e != "png"));
    let newest = data.filter_map(|(_, m)| m.modified().ok()).max();
    let age = newest.and_then(|t| SystemTime::now().duration_since(t).ok()).unwrap_or_default();
    let bytes = known.iter().map(fs::Metadata::len).sum();
    Piece { paper: paper.into(), experiment: experiment.into(), what, folder, files, strangers, bytes, age }
}

/// Names and paths of the folders in a folder.
fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).map_err(|e| InputError::new(format!("cannot read {}: {e}", folder.display())))? {
        let path = entry.map_err(|e| InputError::new(format!("cannot read {}: {e}", folder.display())))?.path();
        if is_folder(&path)? {
            found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path));
        }
    }
    Ok(found)
}

/// # Errors
/// A link to a folder.
fn is_folder(path: &Path) -> Result<bool> {
    let linked = fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink());
    if linked && path.is_dir() {
        return Err(InputError::new(format!(
            "{} is a link to another folder, which is not looked at. Name that folder itself with `--out DIR`",
            path.display()
        )));
    }
    Ok(path.is_dir())
}

fn remove_empty(folder: &Path) {
    for entry in
        fs::read_dir(folder).into_iter().flatten().flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
    {
        remove_empty(&entry.path());
    }
    let _ = fs::remove_dir(folder);
}
