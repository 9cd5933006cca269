//! The panel kind `images`.

use super::canvas;
use super::colours::Scheme;
use super::plot::{Mark, Plot};
use super::rows::Record;
use super::vectors::{normalised, quantity, vector};
use super::{Context, require};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{PanelSpec, Shift};

/// `images`: vectors as tiles, the first run of every series value; positions are points.
pub fn images(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let rows = quantity(record, panel, cx, true)?;
    let [h, w] = require(panel.shape, "shape", cx.place)?;
    let mut tiles = Vec::new();
    for group in rows.groups(panel.series.as_deref())? {
        let first = rows.by_run(&group.rows).into_iter().next().unwrap_or_default();
        let v = normalised(vector(&rows, &first)?, panel.normalise);
        if v.len() != h * w {
            let message = format!(
                "`shape` is [{h}, {w}], but `{}` has {} entries. Give their factors.",
                panel.quantity.as_deref().unwrap_or("the vector"),
                v.len()
            );
            return Err(InputError::new(message).at(cx.place));
        }
        tiles.push((rows.label(panel, &group)?, v));
    }
    let scheme = Scheme::new(panel, tiles.iter().flat_map(|t| t.1.iter().copied()));
    let room = cx.width - 9.0 * cx.ink.size;
    let (gap, title) = (0.9 * cx.ink.size, if tiles.iter().any(|t| !t.0.is_empty()) { 1.5 * cx.ink.size } else { 0.0 });
    // The fewest lines whose tiles are not too small, whatever the size of type.
    let ratio = if h == 1 { 0.2 } else { h as f64 / w as f64 };
    let rows_of = |columns: usize| tiles.len().div_ceil(columns);
    let side = |columns: usize| {
        let across = (room + gap) / columns as f64 - gap;
        let down = (330.0 / rows_of(columns) as f64 - gap - title) / ratio;
        across.min(down).min(170.0)
    };
    let n = tiles.len().max(1);
    let balanced = |lines: usize| n.div_ceil(lines);
    let columns = (1..=n).map(balanced).find(|c| side(*c) >= 80.0).unwrap_or_else(|| balanced(3));
    let (tw, th) = (side(columns), side(columns) * ratio);
    let words = |label: &str| canvas::wrap(label, cx.ink.size, tw);
    let most = tiles.iter().map(|t| words(&t.0).len()).max().unwrap_or(0);
    let title = title + 1.2 * cx.ink.size * most.saturating_sub(1) as f64;
    let lines = rows_of(columns).max(1);
    let size = [columns as f64 * (tw + gap) - gap, lines as f64 * (th + title + gap) - gap];
    let mut plot = Plot { bare: Some(size), ..Plot::default() };
    plot.x.fixed = Some([0.0, size[0]]);
    plot.y.fixed = Some([0.0, size[1]]);
    let fft = |k: usize, n: usize| if panel.shift == Some(Shift::Fft) { (k + n.div_ceil(2)) % n } else { k };
    for (t, (label, v)) in tiles.iter().enumerate() {
        let (x0, top) =
            ((t % columns) as f64 * (tw + gap), size[1] - (t / columns) as f64 * (th + title + gap) - title);
        for (line, words) in words(label).into_iter().rev().enumerate() {
            let y = top + (0.3 + 1.2 * line as f64) * cx.ink.size;
            plot.marks.push(Mark::Words { at: [x0 + 0.5 * tw, y], words });
        }
        for r in 0..h {
            let (b, a) = (top - th * r as f64 / h as f64, top - th * (r + 1) as f64 / h as f64);
            let value = |c: usize| scheme.colour(v[fft(r, h) * w + fft(c, w)]);
            let mut from = 0;
            for c in 1..=w {
                if c == w || value(c) != value(from) {
                    let x = |k: usize| x0 + tw * k as f64 / w as f64;
                    plot.marks.extend(value(from).map(|colour| Mark::Cell {
                        from: [x(from), a],
                        to: [x(c), b],
                        colour,
                    }));
                    from = c;
                }
            }
        }
    }
    plot.bar = (!tiles.is_empty()).then(|| scheme.bar(panel));
    Ok(plot)
}
