//! What a page says about one experiment.

use super::svg::{Palette, compact};
use super::text::{line, plain, prose};
use super::{head, scroll};
use crate::error::{InputError, Result};
use crate::record::figure_spec::FigureSpec;
use crate::record::table::{Cell, Table};
use crate::record::{DATA_FILES, Manifest};
use crate::report::figure::render_themes;
use crate::report::markdown::ExperimentPage;
use crate::report::table::{Claim, short};
use maud::{Markup, PreEscaped, html};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Rows of each table that a page shows.
const EXCERPT: usize = 5;

/// A stored record, read for its page.
pub struct Experiment {
    /// Its words.
    pub words: ExperimentPage,
    /// Where it comes from.
    pub manifest: Manifest,
    /// runs.csv
    pub runs: Table,
    /// The first rows of each file of data, and the file's size in bytes.
    heads: Vec<(&'static str, Table, u64)>,
    /// Light and dark.
    figures: Vec<[String; 2]>,
}

#[derive(serde::Deserialize)]
struct Figures {
    #[serde(default)]
    figure: Vec<FigureSpec>,
}

impl Experiment {
    /// Reads the tables of the record in `folder` and draws its figures.
    ///
    /// # Errors
    /// A table or a spec that cannot be read.
    pub fn read(folder: &Path, manifest: Manifest) -> Result<Self> {
        let specs: Figures = toml::from_str(&manifest.spec)
            .map_err(|e| InputError::new(e.to_string()).at(folder.join("record.toml").display()))?;
        Ok(Self {
            words: ExperimentPage::of(&manifest),
            runs: Table::read(&folder.join("runs.csv"))?,
            heads: DATA_FILES.into_iter().map(|file| first_rows(folder, file)).collect::<Result<_>>()?,
            figures: render_themes(folder, &specs.figure)?,
            manifest,
        })
    }

    /// How many runs ended in each way, e.g. 32 with `max-steps` and 8 with `diverged`.
    pub fn endings(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for row in self.runs.column("status").into_iter().flat_map(|c| self.runs.rows.iter().map(move |r| &r[c])) {
            *counts.entry(row.text()).or_default() += 1;
        }
        counts
    }

    /// The section; `claims` are the experiment's own.
    pub fn section(&self, claims: &[&Claim], palette: &mut Palette) -> Markup {
        let ExperimentPage { slug, title, question, claim, prose: analysis, figures } = &self.words;
        let endings: Vec<String> = self.endings().iter().map(|(how, n)| format!("{n} {how}")).collect();
        let holding = claims.iter().filter(|c| c.cells[4] == "holds").count();
        html! {
            section id=(slug) aria-labelledby=(format!("{slug}-title")) {
                h3 id=(format!("{slug}-title")) { (line(title)) }
                p.meta {
                    (slug) " · " (self.manifest.runs) " runs at " (self.manifest.size) " size · "
                    a href=(format!("#verdicts-{slug}")) { (holding) " of " (claims.len()) " claims hold" }
                }
                p { b { "Question. " } (line(question)) }
                p { b { "Claim. " } (line(claim)) }
                (prose(analysis))
                @for ((name, caption), drawings) in figures.iter().zip(&self.figures) {
                    (figure(slug, name, caption, drawings, palette))
                }
                h4 { "Data" }
                p.meta { "How the runs ended: " (endings.join(", ")) "." }
                @for (file, table, bytes) in &self.heads {
                    details {
                        summary { (file) " (" (size(*bytes)) ")" }
                        p { a download href=(format!("{slug}/{file}")) { "Download " (file) } ", or its first rows:" }
                        (excerpt(&format!("First rows of {slug}/{file}"), table))
                    }
                }
                details {
                    summary { "The experiment as written (TOML)" }
                    p {
                        "As resolved, and where it ran: "
                        a download href=(format!("{slug}/record.toml")) { "record.toml" }
                    }
                    pre tabindex="0" { (self.manifest.spec.trim()) }
                }
            }
        }
    }
}

fn figure(slug: &str, name: &str, caption: &str, [light, dark]: &[String; 2], palette: &mut Palette) -> Markup {
    // The drawing's own title and description, up to the first mark, are said again in the reader's words.
    let themed = compact(&palette.themed(light, dark));
    let (opening, marks) = themed.split_once("</desc>").unwrap_or_default();
    let opening = opening.split("<title>").next().unwrap_or_default();
    let drawing =
        html! { (PreEscaped(opening)) title { "Figure " (name) } desc { (plain(caption)) } (PreEscaped(marks)) };
    html! {
        figure {
            (scroll(&format!("Figure {name}"), &drawing))
            figcaption {
                b { "Figure " (name) ". " } (line(caption))
                @for end in ["svg", "png"] {
                    " " a download href=(format!("{slug}/{name}.{end}")) { (end.to_uppercase()) }
                }
            }
        }
    }
}

fn first_rows(folder: &Path, file: &'static str) -> Result<(&'static str, Table, u64)> {
    let path = folder.join(file);
    let cannot = |e: std::io::Error| InputError::new(format!("cannot read {}: {e}", path.display()));
    let opened = fs::File::open(&path).map_err(cannot)?;
    let bytes = opened.metadata().map_err(cannot)?.len();
    let lines =
        BufReader::new(opened).lines().take(1 + EXCERPT).collect::<std::io::Result<Vec<_>>>().map_err(cannot)?;
    Ok((file, Table::parse(&lines.join("\n"), &path.display().to_string())?, bytes))
}

fn excerpt(caption: &str, table: &Table) -> Markup {
    let table = html! {
        table.data {
            (head(caption, table.columns.iter().map(String::as_str)))
            tbody { @for row in &table.rows { tr { @for cell in row { td { (shown(cell)) } } } } }
        }
    };
    scroll(caption, &table)
}

fn shown(cell: &Cell) -> String {
    if let Cell::Float(value) = cell { short(*value) } else { cell.text() }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
