//! Notebooks: an experiment's story, figures and claims as Python that reads the record's CSV, for Jupyter.

mod claims;
mod figures;
mod python;
mod sheet;

use std::path::Path;

use self::claims::{Expectation, claim_cells, look_again};
use self::figures::{figure_cells, helpers, tables};
use self::python::string;
use self::sheet::Sheet;
use crate::error::{InputError, Result};
use crate::record::figure_spec::FigureSpec;
use crate::record::table::{Cell, Table};
use crate::record::{Store, read_summary};
use crate::report::markdown::markup;
use serde::Deserialize;

/// What a record tells of its spec.
#[derive(Deserialize)]
pub struct Story {
    title: String,
    question: String,
    claim: String,
    source: String,
    prose: String,
    #[serde(default, rename = "expect")]
    expectations: Vec<Expectation>,
    #[serde(default, rename = "figure")]
    /// Its figures.
    pub figures: Vec<FigureSpec>,
}

impl Story {
    /// The story of the record in `folder`.
    ///
    /// # Errors
    /// A folder that holds no record.
    pub fn read(folder: &Path) -> Result<Self> {
        let bad = |message: &str| InputError::new(message).at(folder.display());
        let manifest =
            Store::manifest(folder)?.ok_or_else(|| bad("holds no record. Run `implicit-bias reproduce`."))?;
        toml::from_str(&manifest.spec).map_err(|e| bad(e.message()))
    }
}

/// The notebook of the record in `folder` under the results folder `root`, as Jupyter itself would write it.
///
/// `results` is the path from the notebook to the record. The bytes depend on the spec, the verdicts and the names of the
/// columns, not on the numbers.
///
/// # Errors
/// A folder that holds no record, or whose claims have no verdict in summary.csv.
pub fn notebook(root: &Path, folder: &Path, results: &str) -> Result<String> {
    let story = Story::read(folder)?;
    let (summary, runs) = (read_summary(root)?, Table::read(&folder.join("runs.csv"))?);
    let name = |folder: Option<&Path>| folder.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
    let (paper, experiment) = (&name(folder.parent()).unwrap_or_default(), &name(Some(folder)).unwrap_or_default());
    let cell = |row: &[Cell], name: &str| summary.column(name).map_or(String::new(), |c| row[c].text());
    let own = |row: &&Vec<Cell>| cell(row, "paper") == *paper && cell(row, "experiment") == *experiment;
    let verdicts: Vec<String> = summary.rows.iter().filter(own).map(|row| cell(row, "verdict")).collect();
    if verdicts.len() != story.expectations.len() {
        let remedy = format!("Run `implicit-bias reproduce {paper}/{experiment}`.");
        let found = format!("one of {} verdicts", verdicts.len());
        let allowed = format!("one of {}", story.expectations.len());
        return Err(InputError::value("summary.csv", found, &allowed, &remedy).at(folder.display()));
    }

    let mut sheet = Sheet::default();
    sheet.text(
        "story",
        &format!(
            "# {}\n\n**Question.** {}\n\n**Claim.** {} ({})\n\n{}\n\n\
             The numbers come from [the record]({results}) of `{paper}/{experiment}`; the notebook was written by \
             `implicit-bias export notebook`. It needs pandas and matplotlib, and nothing is trained here: \
             *Run All* redraws the figures and judges every claim again.",
            story.title,
            raised(&story.question),
            raised(&story.claim),
            story.source,
            story.prose.trim()
        ),
    );
    sheet.tagged("parameters", &format!("# Where the record is.\nRESULTS = {}", string(results)), "parameters");
    sheet.code("load", &tables(&story.figures));
    let parameters = parameters(&runs);
    if !parameters.is_empty() {
        let columns = parameters.iter().map(|p| string(p)).collect::<Vec<_>>().join(", ");
        sheet.code(
            "runs",
            &format!("runs.groupby([{columns}], sort=False)[[\"status\"]].value_counts().to_frame(\"runs\")"),
        );
    }
    sheet.text("drawing", "## Figures\n\nHow each kind of panel is drawn; change it as you like.");
    sheet.code("helpers", &helpers(&story.figures));
    figure_cells(&mut sheet, &story.figures);
    claim_cells(&mut sheet, (paper, experiment), &story.expectations, &verdicts);
    look_again(&mut sheet, &story.expectations, &runs, &parameters);
    Ok(sheet.finish())
}

/// The grid's columns of runs.csv: those between `run` and `status`, without the seed.
fn parameters(runs: &Table) -> Vec<&str> {
    let columns = runs.columns.iter().map(String::as_str);
    columns.skip(1).take_while(|c| *c != "status").filter(|c| *c != "seed").collect()
}

/// `^{…}` and `_{…}` as HTML, unless `$…$` are there to set them.
fn raised(text: &str) -> String {
    if text.contains('$') { text.to_owned() } else { markup(text) }
}
