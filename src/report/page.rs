//! Collects the records of one paper for its page.

use super::markdown::{ExperimentPage, paper_page};
use crate::error::Result;
use crate::record::{Manifest, Store, read_summary, write_file};
use std::path::Path;

/// Writes `<root>/<paper>/README.md`: verdicts first, then every experiment with its figures. Removes it where
/// no record is left.
pub fn write_paper_page(root: &Path, paper: &str) -> Result<()> {
    let mut pages = vec![];
    for folder in Store::records(root, Some(paper))? {
        pages.extend(Store::manifest(&folder)?.map(|m| experiment_page(&m)));
    }
    if pages.is_empty() {
        // Only empty folders can be removed this way.
        let _ = std::fs::remove_file(root.join(paper).join("README.md"))
            .and_then(|()| std::fs::remove_dir(root.join(paper)));
        return Ok(());
    }
    let mut summary = read_summary(root)?;
    summary.rows.retain(|row| row.first().is_some_and(|c| c.text() == paper));
    write_file(&root.join(paper).join("README.md"), paper_page(paper, paper, &pages, &summary).as_bytes())
}

fn experiment_page(manifest: &Manifest) -> ExperimentPage {
    let spec: toml::Table = toml::from_str(&manifest.spec).unwrap_or_default();
    let text = |key: &str| spec.get(key).and_then(|v| v.as_str()).unwrap_or_default().trim().to_owned();
    let figures = spec.get("figure").and_then(|f| f.as_array()).into_iter().flatten();
    let field =
        |figure: &toml::Value, key: &str| figure.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    ExperimentPage {
        slug: manifest.experiment.clone(),
        title: text("title"),
        question: text("question"),
        claim: format!("{} ({})", text("claim"), text("source")),
        prose: text("prose"),
        figures: figures.map(|f| (field(f, "name"), field(f, "caption"))).collect(),
    }
}
