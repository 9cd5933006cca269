//! Where panels, letters, labels, legends and colour bars stand on the sheet.

use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Ticks;
use super::canvas::{self, Canvas, Type};
use super::frame::Frame;
use super::plot::{ColourBar, Key, Plot};
use super::style::{Ink, Stroke};
use crate::record::figure_spec::{FigureSpec, PanelKind};

/// Panels in rows of equal columns.
pub struct Grid {
    columns: usize,
    /// Width of the sheet, points.
    width: f64,
    /// Row, first column and number of columns of each panel.
    cells: Vec<(usize, usize, usize)>,
    /// Height of the data of a panel with axes.
    height: f64,
}

/// The room a panel's words need around its data.
#[derive(Clone, Copy, Default)]
struct Margins {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

const OUTER: f64 = 6.0;

impl Grid {
    pub fn new(spec: &FigureSpec, ink: &Ink) -> Grid {
        let n = spec.panels.len();
        let columns = spec
            .columns
            .unwrap_or(if n <= 1 {
                1
            } else if n <= 4 {
                2
            } else {
                3
            })
            .clamp(1, 4);
        let width = [430.0, 720.0, 900.0, 1080.0][columns - 1] * (1.0 + 0.25 * (ink.size / 10.0 - 1.0));
        let (mut row, mut column) = (0, 0);
        let mut cells = Vec::new();
        for panel in &spec.panels {
            let span =
                panel.span.unwrap_or(if panel.kind == PanelKind::Images { columns } else { 1 }).clamp(1, columns);
            if column + span > columns {
                (row, column) = (row + 1, 0);
            }
            cells.push((row, column, span));
            column += span;
        }
        let height = (0.62 * (width / columns as f64 - 62.0)).clamp(115.0, 230.0);
        Grid { columns, width, cells, height }
    }

    /// The width of panel `i` with its axes.
    pub fn width_of(&self, i: usize) -> f64 {
        (self.width - 2.0 * OUTER) * self.cells[i].2 as f64 / self.columns as f64
    }

    /// The whole figure as SVG.
    pub fn draw(&self, spec: &FigureSpec, plots: &[Plot], ink: &Ink) -> String {
        let common = common_keys(plots);
        let own = |plot: &'_ Plot| if common.is_some() { Vec::new() } else { merged(&[plot]) };
        let s = ink.size;
        let mut margins = Vec::new();
        let mut frames = Vec::new();
        for plot in plots {
            let (x, y) = plot.limits();
            let blank = |ticks| if plot.is_empty() { Ticks::default() } else { ticks };
            let y_ticks = blank(plot.y.ticks(y, (self.height / (2.6 * s)).clamp(2.0, 8.0) as usize));
            margins.push(Margins {
                left: left(plot, &y_ticks.major, ink),
                right: right(plot, ink),
                ..Margins::default()
            });
            let height = plot.bare.map_or(self.height, |b| b[1]);
            frames.push(Frame { left: 0.0, top: 0.0, width: 0.0, height, x, y, x_ticks: Ticks::default(), y_ticks });
        }
        // Panels of one grid column share their left and right edges.
        let edge = |column: usize, last: bool, side: fn(&Margins) -> f64| {
            let here =
                self.cells.iter().zip(plots).zip(&margins).filter(|((c, p), _)| {
                    p.bare.is_none() && if last { c.1 + c.2 - 1 == column } else { c.1 == column }
                });
            here.map(|(_, m)| side(m)).fold(0.0, f64::max)
        };
        let edges: Vec<(f64, f64)> =
            (0..self.columns).map(|c| (edge(c, false, |m| m.left), edge(c, true, |m| m.right))).collect();
        let rows = self.cells.last().map_or(0, |c| c.0 + 1);
        let mut heights = vec![[0.0f64; 3]; rows];
        for (i, (plot, frame)) in plots.iter().zip(&mut frames).enumerate() {
            let (row, column, span) = self.cells[i];
            let m = &mut margins[i];
            if plot.bare.is_none() {
                (m.left, m.right) = (edges[column].0, edges[column + span - 1].1);
            }
            frame.width = plot.bare.map_or(self.width_of(i) - m.left - m.right, |b| b[0]);
            frame.left = OUTER + (self.width - 2.0 * OUTER) * column as f64 / self.columns as f64 + m.left;
            if plot.bare.is_none() && !plot.is_empty() {
                frame.x_ticks = plot.x.ticks_that_fit(frame.x, frame.width, s);
            }
            m.top = 1.3 * s * title(plot, frame, ink).len() as f64 + 0.9 * s;
            m.bottom = bottom(plot, frame, ink) + 1.6 * s * key_rows(&own(plot), frame.width, ink).len() as f64;
            let h = &mut heights[row];
            *h = [h[0].max(m.top), h[1].max(frame.height), h[2].max(m.bottom)];
        }
        let mut top = OUTER;
        for (row, h) in heights.iter().enumerate() {
            for (frame, _) in frames.iter_mut().zip(&self.cells).filter(|(_, c)| c.0 == row) {
                frame.top = top + h[0];
            }
            top += h.iter().sum::<f64>() + 1.2 * s;
        }
        let rows = key_rows(common.as_deref().unwrap_or_default(), self.width - 4.0 * s, ink);
        let total = (top - 0.6 * s + 1.6 * s * rows.len() as f64 + OUTER).ceil();
        canvas::sheet(self.width.ceil(), total, &spec.name, &spec.caption, |canvas| {
            canvas.rect([0.0, 0.0], [self.width.ceil(), total], ink.ground);
            for (i, (plot, frame)) in plots.iter().zip(&frames).enumerate() {
                plot.draw(canvas, frame, ink);
                words(canvas, plot, frame, &margins[i], (plots.len() > 1).then(|| letter(i)), ink);
                let keys = own(plot);
                let y = frame.top + frame.height + bottom(plot, frame, ink) + 0.9 * s;
                legend(canvas, &key_rows(&keys, frame.width, ink), [frame.left + 0.5 * frame.width, y], ink);
            }
            legend(canvas, &rows, [0.5 * self.width, top], ink);
        })
    }
}

fn letter(i: usize) -> String {
    char::from(b'a' + (i % 26) as u8).to_string()
}

fn left(plot: &Plot, ticks: &[(f64, String)], ink: &Ink) -> f64 {
    if plot.bare.is_some() {
        return 2.0;
    }
    let widest = ticks.iter().map(|t| canvas::width(&t.1, ink.size)).fold(0.0, f64::max);
    widest + 8.0 + if plot.y.label.is_empty() { 0.0 } else { 1.7 * ink.size }
}

fn right(plot: &Plot, ink: &Ink) -> f64 {
    let Some(bar) = &plot.bar else { return 1.4 * ink.size };
    0.8 * ink.size
        + 14.0
        + bar_labels(bar, ink)
        + if bar.axis.label.is_empty() { 0.8 * ink.size } else { 2.8 * ink.size }
}

fn bar_labels(bar: &ColourBar, ink: &Ink) -> f64 {
    let ticks = (2..=5).flat_map(|count| bar.axis.ticks(bar.limits, count).major);
    ticks.map(|t| canvas::width(&t.1, 0.9 * ink.size)).fold(0.0, f64::max)
}

fn title(plot: &Plot, frame: &Frame, ink: &Ink) -> Vec<String> {
    canvas::wrap(&plot.title, 1.1 * ink.size, frame.width - 1.6 * ink.size)
}

/// Ticks, their labels and the axis label below the data.
fn bottom(plot: &Plot, frame: &Frame, ink: &Ink) -> f64 {
    if plot.bare.is_some() {
        return 0.0;
    }
    let lines = frame.x_ticks.major.iter().map(|t| plot.x_label_lines(&t.1, frame, ink).len()).max().unwrap_or(1);
    let label = canvas::wrap(&plot.x.label, 1.05 * ink.size, frame.width).len();
    7.0 + 1.15 * ink.size * lines as f64 + if label > 0 { 0.3 * ink.size + 1.25 * ink.size * label as f64 } else { 0.0 }
}

/// Axis labels, title, letter and colour bar of a panel.
fn words(canvas: &mut Canvas, plot: &Plot, f: &Frame, m: &Margins, letter: Option<String>, ink: &Ink) {
    let s = ink.size;
    let lines = title(plot, f, ink);
    let base = |i: usize| f.top - 0.6 * s - 1.3 * s * (lines.len() - 1 - i) as f64;
    let indent = if letter.is_some() { 1.5 * s } else { 0.0 };
    for (i, line) in lines.iter().enumerate() {
        canvas.text(line, [f.left + indent, base(i)], ink.words(1.1, HPos::Left, VPos::Bottom));
    }
    if let Some(letter) = letter {
        let how = Type { bold: true, ..ink.words(1.2, HPos::Left, VPos::Bottom) };
        canvas.text(&letter, [f.left, if lines.is_empty() { f.top - 0.6 * s } else { base(0) }], how);
    }
    if plot.bare.is_none() {
        let label = canvas::wrap(&plot.x.label, 1.05 * s, f.width);
        let below = f.top + f.height + bottom(plot, f, ink) - 1.25 * s * label.len() as f64;
        for (i, line) in label.iter().enumerate() {
            let p = [f.left + 0.5 * f.width, below + 1.25 * s * i as f64];
            canvas.text(line, p, ink.words(1.05, HPos::Center, VPos::Top));
        }
        // A label longer than its axis is set smaller.
        let scale = (1.2 * f.height / canvas::width(&plot.y.label, 1.05 * s).max(1.0)).min(1.0);
        let how = Type { upright: true, ..ink.words(1.05 * scale, HPos::Center, VPos::Top) };
        canvas.text(&plot.y.label, [f.left - m.left, f.top + 0.5 * f.height], how);
    }
    let Some(bar) = &plot.bar else { return };
    let (x, height) = (f.left + f.width + 0.8 * s, f.height.min(20.0 * s));
    let top = f.top + 0.5 * (f.height - height);
    for i in 0..64 {
        let y = |k: i32| top + height * (1.0 - f64::from(k) / 64.0);
        canvas.rect([x, y(i + 1)], [x + 9.0, (y(i) + 0.6).min(top + height)], (bar.map)((f64::from(i) + 0.5) / 64.0));
    }
    let count = (height / (2.4 * s)).clamp(2.0, 5.0) as usize;
    let thin = Stroke { width: 0.8, ..ink.theory(0) }.solid();
    for (p, label) in bar.axis.ticks(bar.limits, count).major {
        let y = top + height * (1.0 - (p - bar.limits[0]) / (bar.limits[1] - bar.limits[0]));
        canvas.line(&[[x + 9.0, y], [x + 12.0, y]], &thin);
        canvas.text(&label, [x + 14.0, y], ink.words(0.9, HPos::Left, VPos::Center));
    }
    let how = Type { upright: true, ..ink.words(1.0, HPos::Center, VPos::Top) };
    canvas.text(&bar.axis.label, [x + 14.0 + bar_labels(bar, ink) + 0.9 * s, f.top + 0.5 * f.height], how);
}

/// Keys of several panels with repetitions gone; a key with a line replaces one without.
fn merged(plots: &[&Plot]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for key in plots.iter().flat_map(|p| &p.keys) {
        match keys.iter_mut().find(|k| k.label == key.label && k.shape == key.shape) {
            Some(known) => known.stroke = known.stroke.or(key.stroke),
            None => keys.push(key.clone()),
        }
    }
    keys
}

/// One legend for the figure, if no label and no look means two things.
fn common_keys(plots: &[Plot]) -> Option<Vec<Key>> {
    let keys = merged(&plots.iter().collect::<Vec<_>>());
    let look = |k: &Key| (k.shape, k.stroke.filter(|_| k.shape.is_none()).map(|s| (s.colour, s.dash)));
    let clash = |a: &Key, b: &Key| a.label == b.label || look(a) == look(b);
    let clear = keys.iter().enumerate().all(|(i, a)| keys[..i].iter().all(|b| !clash(a, b)));
    clear.then_some(keys)
}

const SAMPLE: f64 = 22.0;

fn key_width(key: &Key, ink: &Ink) -> f64 {
    let sample = if key.stroke.is_some() { SAMPLE } else { 8.0 };
    sample + 5.0 + canvas::width(&key.label, ink.size) + 1.6 * ink.size
}

/// Keys broken into rows no wider than `limit`.
fn key_rows(keys: &[Key], limit: f64, ink: &Ink) -> Vec<Vec<Key>> {
    let mut rows: Vec<(f64, Vec<Key>)> = Vec::new();
    for key in keys {
        let wide = key_width(key, ink);
        match rows.last_mut() {
            Some((used, row)) if *used + wide <= limit => {
                *used += wide;
                row.push(key.clone());
            }
            _ => rows.push((wide, vec![key.clone()])),
        }
    }
    rows.into_iter().map(|r| r.1).collect()
}

/// Rows of keys centred at `[x, top]`.
fn legend(canvas: &mut Canvas, rows: &[Vec<Key>], [x, top]: [f64; 2], ink: &Ink) {
    for (i, row) in rows.iter().enumerate() {
        let y = top + 1.6 * ink.size * (i as f64 + 0.5) - 0.3 * ink.size;
        let total: f64 = row.iter().map(|k| key_width(k, ink)).sum::<f64>() - 1.6 * ink.size;
        let mut left = x - 0.5 * total;
        for key in row {
            let sample = if key.stroke.is_some() { SAMPLE } else { 8.0 };
            if let Some(stroke) = &key.stroke {
                canvas.line(&[[left, y], [left + sample, y]], stroke);
            }
            if let Some((shape, colour)) = key.shape {
                canvas.marker([left + 0.5 * sample, y], shape, 3.0 * ink.weight, colour, 1.0);
            }
            canvas.text(&key.label, [left + sample + 5.0, y], ink.words(1.0, HPos::Left, VPos::Center));
            left += key_width(key, ink);
        }
    }
}
