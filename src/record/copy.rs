use super::file::cannot_write;
use super::store::Store;
use super::summary::{merge_summary, read_summary};
use crate::error::{InputError, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The papers that have records under a results folder, in order.
pub fn papers(root: &Path) -> Result<Vec<String>> {
    let paper = |folder: PathBuf| Some(folder.parent()?.file_name()?.to_string_lossy().into_owned());
    let mut papers: Vec<String> = Store::records(root, None)?.into_iter().filter_map(paper).collect();
    papers.dedup();
    Ok(papers)
}

/// Copies the records of one paper or of all, with their verdicts, to another results folder.
///
/// # Errors
/// If that folder holds a record of another spec, or cannot be written.
pub fn copy_records(from: &Path, paper: Option<&str>, to: &Path) -> Result<()> {
    let summary = read_summary(from)?;
    for record in Store::records(from, paper)? {
        let Some(manifest) = Store::manifest(&record)? else { continue };
        // By its folder: what a record says of itself may be anything.
        let name = |folder: Option<&Path>| folder?.file_name()?.to_str().map(str::to_owned);
        let names = name(record.parent()).zip(name(Some(&record)));
        let (paper, experiment) = names.ok_or_else(|| InputError::new(format!("{}: not a name", record.display())))?;
        let (paper, experiment) = (paper.as_str(), experiment.as_str());
        let folder = to.join(paper).join(experiment);
        if Store::manifest(&folder)?.is_some_and(|there| there.spec_hash != manifest.spec_hash) {
            let place = folder.display();
            return Err(InputError::new(format!(
                "{place} holds a record of another spec. Choose another folder with --out DIR"
            )));
        }
        fs::create_dir_all(&folder).map_err(|e| cannot_write(&folder, &e))?;
        let files = fs::read_dir(&record).into_iter().flatten().flatten();
        for file in files.filter(|f| f.file_type().is_ok_and(|t| t.is_file())) {
            let copy = folder.join(file.file_name());
            fs::copy(file.path(), &copy).map_err(|e| cannot_write(&copy, &e))?;
        }
        let own = |row: &[super::table::Cell]| row.len() > 1 && row[0].text() == paper && row[1].text() == experiment;
        merge_summary(to, paper, experiment, summary.rows.iter().filter(|row| own(row)).cloned().collect())?;
    }
    Ok(())
}
