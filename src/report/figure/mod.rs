//! Figures: a function of a record folder and a [`FigureSpec`], drawn with plotters, as SVG and PNG.

mod axis;
mod bars;
mod canvas;
mod colours;
mod frame;
mod images;
mod layout;
#[cfg(feature = "pdf")]
mod pdf;
mod phases;
mod plot;
mod points;
mod rows;
mod series;
mod style;
mod theory;
mod vectors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) use canvas::pieces;
pub use canvas::png;
#[cfg(feature = "pdf")]
pub use pdf::pdf;
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

pub(super) fn source(panel: &PanelSpec) -> Source {
    panel.from.unwrap_or(match panel.kind {
        PanelKind::Lines => Source::Trace,
        PanelKind::Points | PanelKind::Bars | PanelKind::Scatter => Source::Runs,
        PanelKind::Profile | PanelKind::Heatmap | PanelKind::Images => Source::Vectors,
    })
}

fn draw_figure(record: &Record, spec: &FigureSpec, look: Look) -> Result<String> {
    spec.check()?;
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
            PanelKind::Points => points::points(record, panel, &cx),
            PanelKind::Bars => bars::bars(record, panel, &cx),
            PanelKind::Scatter => points::scatter(record, panel, &cx),
            PanelKind::Profile => vectors::profile(record, panel, &cx),
            PanelKind::Heatmap => vectors::heatmap(record, panel, &cx),
            PanelKind::Images => images::images(record, panel, &cx),
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

/// Every figure of the record in `folder`, light and dark: the two differ in colours only.
///
/// # Errors
/// As [`render`].
pub fn render_themes(folder: &Path, figures: &[FigureSpec]) -> Result<Vec<[String; 2]>> {
    let record = if figures.is_empty() { return Ok(Vec::new()) } else { Record::read(folder)? };
    let draw = |spec, theme: Theme| draw_figure(&record, spec, theme.into()).map_err(|e| e.at(folder.display()));
    figures.iter().map(|spec| Ok([draw(spec, Theme::Light)?, draw(spec, Theme::Dark)?])).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Figures {
        figure: Vec<FigureSpec>,
    }

    const SPEC: &str = r#"
        [[figure]]
        name = "all"
        caption = "β̂ & γ^{*}"
        panel = [
            { kind = "lines", y = "log_loss", y_scale = "ln", series = "depth", where = { depth = [2, 3] },
              reference = [{ slope = -1.0, label = "1/t" }], vertical = [{ x = 2 }] },
            { kind = "points", x = "depth", y = "margin", reference = [{ value = 1, label = "one" }] },
            { kind = "bars", x = "depth", y = "margin", y_scale = "log", series = "status", reference = [{ value = 0.4 }] },
            { kind = "scatter", from = "vectors", x = "predictor", y = "predictor" },
            { kind = "profile", quantity = "predictor", shift = "peak", series = "depth", legend = "L = {depth}" },
            { kind = "heatmap", quantity = "predictor", x = "log_loss" },
            { kind = "images", quantity = "predictor", shape = [2, 2], series = "depth", shift = "fft" },
            { kind = "points", x = "depth", y = "margin", where = { depth = 9 } },
        ]
    "#;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut vectors = String::from("run,step,quantity,index,value\n");
        for (run, step, index) in (0..24).map(|i| (1 + i / 12, i / 4 % 3, i % 4)) {
            vectors.push_str(&format!("{run},{step},predictor,{index},{}\n", f64::from(index * step) - 1.5));
        }
        let trace = "run,step,log_loss\n1,0,0.0\n1,1,-1.5\n1,2,-3000.0\n2,0,0.0\n2,1,-1.0\n2,2,-2000.0\n";
        let runs = "run,depth,status,margin\n1,2,converged,0.5\n2,3,converged,\n";
        for (name, text) in [("runs.csv", runs), ("trace.csv", trace), ("vectors.csv", &vectors)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn every_kind_draws_the_same_bytes_twice() {
        let figures: Figures = toml::from_str(SPEC).unwrap();
        assert_eq!(toml::from_str::<Figures>(&toml::to_string(&figures).unwrap()).unwrap(), figures);
        let folder = folder();
        let paths = draw_record(folder.path(), &figures.figure).unwrap();
        let first: Vec<_> = paths.iter().map(|p| std::fs::read(p).unwrap()).collect();
        draw_record(folder.path(), &figures.figure).unwrap();
        assert!(paths.iter().zip(&first).all(|(p, bytes)| std::fs::read(p).unwrap() == *bytes));
        let svg = String::from_utf8(first[0].clone()).unwrap();
        assert!(svg.contains("no data") && svg.contains("L = 2") && !svg.contains("NaN"));
        let dark = render(folder.path(), &figures.figure[0], Theme::Dark).unwrap();
        assert_ne!(svg, dark);
    }

    #[test]
    fn errors_name_figure_panel_column_and_what_there_is() {
        let mut figures: Figures = toml::from_str(SPEC).unwrap();
        let folder = folder();
        figures.figure[0].panels[1].y = Some(crate::record::figure_spec::OneOrMany::One("gap".into()));
        let error = draw_record(folder.path(), &figures.figure).unwrap_err().to_string();
        assert!(error.contains("figure `all`, panel 2: there is no column `gap`. Use one of: run, depth, "), "{error}");
        figures.figure[0].panels[1].shape = Some([1, 1]);
        let error = draw_record(folder.path(), &figures.figure).unwrap_err().to_string();
        assert!(error.contains("panel 2: `shape` is used by images only"), "{error}");
    }
}
