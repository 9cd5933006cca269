//! The pages of a results folder, written from its records.

use super::html::{Experiment, index_page, paper_page};
use super::markdown::markdown_page;
use super::table::claims_of;
use crate::error::{InputError, Result};
use crate::record::{Store, papers, read_summary, write_file};
use std::path::{Path, PathBuf};

/// Writes `README.md` and `report.html` of `paper`, or of all papers, and `index.html`; the paths written.
///
/// # Errors
/// A record that cannot be read, a figure that cannot be drawn, a folder that cannot be written, no record at all.
pub fn write_pages(root: &Path, paper: Option<&str>) -> Result<Vec<PathBuf>> {
    let summary = read_summary(root)?;
    let mut written = vec![];
    let mut write = |path: PathBuf, text: &str| {
        write_file(&path, text.as_bytes())?;
        written.push(path);
        Ok::<(), InputError>(())
    };
    let names = papers(root)?;
    if !names.iter().any(|name| paper.is_none_or(|p| p == name)) {
        return Err(InputError::new(format!(
            "no records{} under {}. Make some with `implicit-bias reproduce`, or name another folder with --from DIR",
            paper.map_or(String::new(), |p| format!(" of `{p}`")),
            root.display()
        )));
    }
    let mut index = vec![];
    for name in names {
        let claims = claims_of(&summary, &name);
        let folders = Store::records(root, Some(&name))?;
        if paper.is_none_or(|p| p == name) {
            let mut experiments = vec![];
            for folder in &folders {
                experiments.extend(Store::manifest(folder)?.map(|m| Experiment::read(folder, m)).transpose()?);
            }
            let words = experiments.iter().map(|e| &e.words);
            write(root.join(&name).join("README.md"), &markdown_page(&name, words, &claims))?;
            write(root.join(&name).join("report.html"), &paper_page(&name, &experiments, &claims))?;
        }
        index.push((name, folders.len(), claims));
    }
    write(root.join("index.html"), &index_page(&index))?;
    Ok(written)
}

/// Writes the pages again after records of `paper` were removed, and removes its own where none is left.
pub fn write_pages_after_removal(root: &Path, paper: &str) -> Result<()> {
    let (names, gone) = (papers(root)?, |path: PathBuf| drop(std::fs::remove_file(path)));
    if !names.iter().any(|name| name == paper) {
        ["README.md", "report.html"].into_iter().for_each(|page| gone(root.join(paper).join(page)));
        // Only empty folders can be removed this way.
        let _ = std::fs::remove_dir(root.join(paper));
    }
    let Some(name) = names.iter().find(|name| *name == paper).or(names.first()) else {
        gone(root.join("index.html"));
        return Ok(());
    };
    write_pages(root, Some(name)).map(drop)
}
