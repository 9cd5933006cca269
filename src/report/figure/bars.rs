//! The panel kind `bars`.

use super::axis::{is_log, minus, position};
use super::canvas;
use super::plot::{Key, Mark, Plot};
use super::rows::{Record, Rows, axis, median, named};
use super::series::{series, y_name};
use super::style::{Dash, Rgb, Shape, Stroke};
use super::theory::level_lines;
use super::{Context, require};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{PanelSpec, Scale, Source};

/// The part of a category's room that its bars fill, and the part of its own room that a bar fills.
const FILLED: [f64; 2] = [0.8, 0.92];

/// One bar, in positions.
struct Bar {
    x: f64,
    least: f64,
    middle: f64,
    greatest: f64,
    colour: Rgb,
}

/// `bars`: final metrics, a group of bars a category and a bar a series.
pub fn bars(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let rows = Rows::select(record, panel.from.unwrap_or(Source::Runs), panel, cx.place)?;
    let x = require(panel.x.as_deref(), "x", cx.place)?;
    let (xc, categories) = (rows.column(x)?, rows.groups(Some(x))?);
    let scale = panel.y_scale.unwrap_or_default();
    let mut plot = Plot {
        x: axis(panel.x_label.as_ref(), x, Scale::Category, None),
        y: axis(panel.y_label.as_ref(), y_name(panel), scale, panel.y_range),
        ..Plot::default()
    };
    plot.x.categories = categories.iter().map(|g| named(panel, &g.value)).collect();
    let all = series(&rows, panel, cx)?;
    let width = FILLED[0] / all.len().max(1) as f64;
    let mut bars = Vec::new();
    for (i, one) in all.iter().enumerate() {
        let yc = rows.column(one.y)?;
        let aside = (i as f64 - 0.5 * (all.len() - 1) as f64) * width;
        for (place, category) in categories.iter().enumerate() {
            let own = one.group.rows.iter().filter(|r| rows.text(**r, xc) == category.value);
            let ys: Vec<f64> = own.filter_map(|r| position(scale, rows.number(*r, yc))).collect();
            let least = ys.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = ys.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if !ys.is_empty() {
                let (x, middle, colour) = (place as f64 + aside, median(ys), one.style.colour);
                bars.push(Bar { x, least, middle, greatest, colour });
            }
        }
        if !one.label.is_empty() {
            let shape = Some((Shape::Square, one.style.colour));
            plot.keys.push(Key { label: one.label.clone(), stroke: None, shape });
        }
    }
    let lowest = bars.iter().map(|b| b.least).fold(f64::INFINITY, f64::min);
    // On a logarithmic axis bars begin at a whole decade, some way below the lowest.
    let base = if is_log(scale) { (lowest - 0.2).floor() } else { 0.0 };
    plot.y.base = Some(plot.y.fixed.map_or(base, |[low, _]| low.max(base)));
    let stroke = Stroke { colour: cx.ink.text, alpha: 1.0, width: 0.9 * cx.ink.weight, dash: Dash::Solid };
    let half = 0.5 * FILLED[1] * width;
    for bar in &bars {
        let ends = [base.min(bar.middle), base.max(bar.middle)];
        plot.marks.push(Mark::Cell { from: [bar.x - half, ends[0]], to: [bar.x + half, ends[1]], colour: bar.colour });
        if bar.least < bar.greatest {
            plot.marks.push(Mark::Line { points: vec![[bar.x, bar.least], [bar.x, bar.greatest]], stroke });
        }
    }
    let words: Vec<String> =
        bars.iter().map(|b| short(if is_log(scale) { 10f64.powf(b.middle) } else { b.middle })).collect();
    let room = width * (cx.width - 7.0 * cx.ink.size) / categories.len().max(1) as f64;
    if words.iter().all(|w| canvas::width(w, 0.9 * cx.ink.size) < room) {
        plot.marks
            .extend(bars.iter().zip(words).map(|(b, words)| Mark::Words { at: [b.x, b.greatest.max(base)], words }));
    }
    for reference in &panel.reference {
        let message = "`reference` of bars is given by `value`. Remove the others.";
        let value = reference.value.ok_or_else(|| InputError::new(message).at(cx.place))?;
        let level = (position(scale, value), cx.ink.text);
        level_lines(&mut plot, &[level], reference, cx.theory(&reference.label));
    }
    Ok(plot)
}

/// Three digits.
fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor() as i32;
    minus(&match exponent {
        -3..5 => format!("{value:.*}", (2 - exponent).max(0) as usize),
        _ => format!("{:.1}×10^{{{exponent}}}", value / 10f64.powi(exponent)),
    })
}
