//! Figures: a function of a record folder and a [`FigureSpec`], drawn with plotters, as SVG and PNG.

mod axis;
mod canvas;
mod layout;
mod plot;
mod rows;
mod series;
mod style;
mod vectors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use style::{Look, Style, Theme};

use self::rows::{Record, Rows};
use self::style::{Ink, SeriesStyle, Stroke};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{FigureSpec, PanelKind, PanelSpec, Source};

/// What every kind of panel needs beside its spec.
struct Context<'a> {
    ink: &'a Ink,
    /// Figure and panel, for errors.
    place: &'a str,
    /// Width of the panel with its axes, in points.
    width: f64,
    /// The values of every series column of the figure, in order.
    values: &'a BTreeMap<String, Vec<String>>,
    /// The labels of all lines of theory of the figure.
    theory: &'a [&'a str],
}

impl Context<'_> {
    /// The style of a series value, the same in all panels of a figure.
    fn style(&self, column: &str, value: &str) -> SeriesStyle {
        let values = self.values.get(column).map_or(&[][..], Vec::as_slice);
        self.ink.series(values.iter().position(|v| v == value).unwrap_or(0), values.len().max(1))
    }

    /// The stroke of a line of theory, the same in all panels of a figure.
    fn theory(&self, label: &str) -> Stroke {
        self.ink.theory(self.theory.iter().position(|t| *t == label).unwrap_or(0))
    }

    /// The style of a single series without a name: grey where colours mean something in another panel.
    fn single(&self) -> SeriesStyle {
        self.ink.series(if self.values.is_empty() { 0 } else { 6 }, 7)
    }
}

/// The field, or an error that says where it is missing.
fn require<T>(field: Option<T>, name: &str, place: &str) -> Result<T> {
    field.ok_or_else(|| InputError::new(format!("`{name}` is missing. Add it to the panel.")).at(place))
}

fn source(panel: &PanelSpec) -> Source {
    panel.from.unwrap_or(match panel.kind {
        PanelKind::Lines => Source::Trace,
        PanelKind::Points | PanelKind::Scatter => Source::Runs,
        PanelKind::Profile | PanelKind::Heatmap | PanelKind::Images => Source::Vectors,
    })
}

fn draw_figure(record: &Record, spec: &FigureSpec, look: Look) -> Result<String> {
    let ink = Ink::new(look);
    let place = |i: usize| format!("figure `{}`, panel {}", spec.name, i + 1);
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (i, panel) in spec.panels.iter().enumerate() {
        if let Some(column) = panel.series.as_ref().filter(|_| panel.kind != PanelKind::Images) {
            let place = place(i);
            let known = values.entry(column.clone()).or_default();
            for group in Rows::select(record, source(panel), panel, &place)?.groups(Some(column))? {
                if !known.contains(&group.value) {
                    known.push(group.value);
                }
            }
            if known.iter().all(|v| v.parse::<f64>().is_ok()) {
                known.sort_by(|a, b| a.parse().unwrap_or(0.0f64).total_cmp(&b.parse().unwrap_or(0.0)));
            }
        }
    }
    let mut theory: Vec<&str> = Vec::new();
    for panel in &spec.panels {
        let identity = (panel.kind == PanelKind::Scatter).then_some("identity");
        for label in panel.reference.iter().map(|r| r.label.as_str()).chain(identity) {
            if !theory.contains(&label) {
                theory.push(label);
            }
        }
    }
    let grid = layout::Grid::new(spec, &ink);
    let mut plots = Vec::new();
    for (i, panel) in spec.panels.iter().enumerate() {
        let place = place(i);
        let cx = Context { ink: &ink, place: &place, width: grid.width_of(i), values: &values, theory: &theory };
        let mut plot = match panel.kind {
            PanelKind::Lines => series::lines(record, panel, &cx),
            PanelKind::Points => series::points(record, panel, &cx),
            PanelKind::Scatter => series::scatter(record, panel, &cx),
            PanelKind::Profile => vectors::profile(record, panel, &cx),
            PanelKind::Heatmap => vectors::heatmap(record, panel, &cx),
            PanelKind::Images => vectors::images(record, panel, &cx),
        }?;
        plot.title = panel.title.clone();
        plots.push(plot);
    }
    Ok(grid.draw(spec, &plots, &ink))
}

/// One figure of the record in `folder` as a standalone SVG with literal colours; a [`Theme`] alone means paper size.
///
/// # Errors
/// A table that cannot be read, a column that is not there, a panel that lacks a field: the message names the figure,
/// the panel and what there is.
pub fn render(folder: &Path, spec: &FigureSpec, look: impl Into<Look>) -> Result<String> {
    draw_figure(&Record::read(folder)?, spec, look.into()).map_err(|e| e.at(folder.display()))
}

/// Writes `<name>.svg` and `<name>.png` (twice the size, light) of every figure into the record folder; the paths written.
///
/// # Errors
/// As [`render`], and a file that cannot be written.
pub fn draw_record(folder: &Path, figures: &[FigureSpec]) -> Result<Vec<PathBuf>> {
    if figures.is_empty() {
        return Ok(Vec::new());
    }
    let record = Record::read(folder)?;
    let mut written = Vec::new();
    for spec in figures {
        let svg = draw_figure(&record, spec, Look::default()).map_err(|e| e.at(folder.display()))?;
        let png = canvas::png(&svg)?;
        for (ending, bytes) in [("svg", svg.as_bytes()), ("png", &png)] {
            let path = folder.join(format!("{}.{ending}", spec.name));
            std::fs::write(&path, bytes).map_err(|e| InputError::new(e.to_string()).at(path.display()))?;
            written.push(path);
        }
    }
    Ok(written)
}
