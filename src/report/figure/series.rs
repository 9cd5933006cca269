//! The series of a panel, and the panel kind `lines`.

use std::collections::BTreeMap;

use super::axis::position;
use super::plot::{Key, Mark, Plot};
use super::rows::{Group, Record, Rows, axis, median, named};
use super::style::{Dash, Rgb, SeriesStyle, Stroke};
use super::theory::{check, law_line, level_lines};
use super::{Context, require};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{OneOrMany, PanelSpec, Scale, Source, Spread, Vertical};

/// Positions of one curve or cloud.
pub type Points = Vec<[f64; 2]>;

/// The series of a panel: (label, style, rows, y column).
pub struct Series<'a> {
    pub label: String,
    pub style: SeriesStyle,
    pub group: Group,
    pub y: &'a str,
}

/// Every series value of every `y`, with its style.
pub fn series<'a>(rows: &Rows, panel: &'a PanelSpec, cx: &Context) -> Result<Vec<Series<'a>>> {
    let ys = require(panel.y.as_ref().map(OneOrMany::as_slice), "y", cx.place)?;
    if ys.len() > 1 && panel.series.is_some() {
        let message = "several `y` columns are the series themselves. Remove `series` or leave one `y`.";
        return Err(InputError::new(message).at(cx.place));
    }
    let mut out = Vec::new();
    for (i, y) in ys.iter().enumerate() {
        for group in rows.groups(panel.series.as_deref())? {
            let (style, label) = match (&panel.series, ys.len()) {
                (Some(column), _) => (cx.style(column, &group.value), rows.label(panel, &group)?),
                (None, 1) => (cx.single(), panel.legend.clone().unwrap_or_default()),
                (None, n) => (cx.ink.series(i, n), named(panel, y)),
            };
            out.push(Series { label, style, group, y });
        }
    }
    Ok(out)
}

/// The one `y` column; nothing if there are several.
pub fn y_name(panel: &PanelSpec) -> &str {
    match panel.y.as_ref().map(OneOrMany::as_slice) {
        Some([one]) => one,
        _ => "",
    }
}

/// `lines`: metrics along runs.
pub fn lines(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let rows = Rows::select(record, panel.from.unwrap_or(Source::Trace), panel, cx.place)?;
    let x = panel.x.as_deref().unwrap_or("step");
    let x_scale = panel.x_scale.unwrap_or(if x == "step" { Scale::Log } else { Scale::Linear });
    let y_scale = panel.y_scale.unwrap_or_default();
    let mut plot = Plot {
        x: axis(panel.x_label.as_ref(), x, x_scale, panel.x_range),
        y: axis(panel.y_label.as_ref(), y_name(panel), y_scale, panel.y_range),
        ..Plot::default()
    };
    let weight = cx.ink.weight;
    let mut ends = None;
    let mut levels: Vec<(usize, Option<f64>, Rgb)> = Vec::new();
    let all = if rows.rows.is_empty() { Vec::new() } else { series(&rows, panel, cx)? };
    let mut on_top = Vec::new();
    let count = all.len();
    for (i, one) in all.into_iter().enumerate() {
        let (xc, yc) = (rows.column(x)?, rows.column(one.y)?);
        let curve = |run: &Vec<usize>| -> Points {
            let at =
                |r: &usize| Some([position(x_scale, rows.number(*r, xc))?, position(y_scale, rows.number(*r, yc))?]);
            run.iter().filter_map(at).collect()
        };
        let runs: Vec<Points> = rows.by_run(&one.group.rows).iter().map(curve).filter(|c| !c.is_empty()).collect();
        let Some(first) = runs.first() else { continue };
        let middle = shared(&runs, plot.x.fixed);
        let band = panel.spread == Some(Spread::Band);
        let bold: Points = middle.iter().map(|m| [m[0], m[1]]).collect();
        let bold = if bold.len() > 1 { bold } else { first.clone() };
        let full = Stroke { colour: one.style.colour, alpha: 1.0, width: 1.6 * weight, dash: one.style.dash };
        if band && runs.len() > 1 {
            let points = middle.iter().map(|m| [m[0], m[2], m[3]]).collect();
            plot.marks.push(Mark::Band { points, colour: one.style.colour });
        } else if runs.len() > 1 {
            let (alpha, width) = if middle.len() > 1 { (0.4, 0.6) } else { (0.75, 1.0) };
            let thin = Stroke { alpha, width: width * weight, dash: Dash::Solid, ..full };
            plot.marks.extend(runs.iter().map(|r| Mark::Line { points: r.clone(), stroke: thin }));
        }
        let seen: Points =
            bold.iter().copied().filter(|p| plot.x.fixed.is_none_or(|[a, b]| p[0] >= a && p[0] <= b)).collect();
        for at in spaced(&seen, 6, i as f64 / count as f64) {
            on_top.push(dot(at, 0.0, one.style, 2.6, 1.0));
        }
        ends = ends.or(bold.last().copied());
        if middle.len() > 1 || runs.len() == 1 {
            on_top.push(Mark::Line { points: bold, stroke: full });
        }
        if !one.label.is_empty() {
            plot.keys.push(Key::series(one.label, one.style, Some(full.width)));
        }
        for (k, reference) in panel.reference.iter().enumerate() {
            let Some(name) = &reference.column else { continue };
            let column = rows.column(name)?;
            let level = median(one.group.rows.iter().map(|r| rows.number(*r, column)));
            levels.push((k, position(y_scale, level), one.style.colour));
        }
    }
    plot.marks.extend(on_top);
    for (k, reference) in panel.reference.iter().enumerate() {
        check(reference, cx)?;
        let mut own: Vec<_> = levels.iter().filter(|l| l.0 == k).map(|l| (l.1, l.2)).collect();
        own.extend(reference.value.map(|v| (position(y_scale, v), cx.ink.text)));
        level_lines(&mut plot, &own, reference, cx.theory(&reference.label));
        law_line(&mut plot, reference, ends, cx.theory(&reference.label));
    }
    let vertical = |v: &Vertical| Some(Mark::Vertical { x: position(x_scale, v.x)?, words: v.label.clone() });
    plot.marks.extend(panel.vertical.iter().filter_map(vertical));
    Ok(plot)
}

/// The median, minimum and maximum of curves: (x, median, low, high).
///
/// Where x is shared, at every x that at least half of the curves have; else, between the points where all curves are, as
/// far as the axis goes.
fn shared(curves: &[Points], limits: Option<[f64; 2]>) -> Vec<[f64; 4]> {
    let mut at: BTreeMap<i64, (f64, Vec<f64>)> = BTreeMap::new();
    for [x, y] in curves.iter().flatten() {
        at.entry((x * 1e9).round() as i64).or_insert((*x, Vec::new())).1.push(*y);
    }
    let longest = curves.iter().map(Vec::len).max().unwrap_or(0);
    at.retain(|_, (_, ys)| 2 * ys.len() >= curves.len());
    if 2 * at.len() < longest || at.len() > longest + longest / 4 + 1 {
        let ends = |pick: fn(&Points) -> Option<&[f64; 2]>| curves.iter().filter_map(move |c| pick(c).map(|p| p[0]));
        let [first, last] = limits.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
        let lo = ends(|c| c.first()).fold(first, f64::max);
        let hi = ends(|c| c.last()).fold(last, f64::min);
        let place = |i: u32| lo + (hi - lo) * f64::from(i) / 120.0;
        let level = |x: f64| (x, curves.iter().filter_map(|c| interpolated(c, x)).collect());
        at = (0..=120).filter(|_| lo < hi).map(|i| (i64::from(i), level(place(i)))).collect();
    }
    let summary = |(x, ys): (f64, Vec<f64>)| {
        let ends = ys.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |e, y| [e[0].min(*y), e[1].max(*y)]);
        [x, median(ys), ends[0], ends[1]]
    };
    at.into_values().filter(|(_, ys)| !ys.is_empty()).map(summary).collect()
}

/// A curve between its points, whose x increases.
fn interpolated(curve: &[[f64; 2]], x: f64) -> Option<f64> {
    let i = curve.partition_point(|p| p[0] <= x).clamp(1, curve.len().max(2) - 1);
    let (a, b) = (curve.get(i - 1)?, curve.get(i)?);
    let part = if b[0] > a[0] { ((x - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0) } else { 0.0 };
    Some(a[1] + part * (b[1] - a[1]))
}

/// About `n` points of a curve at even distances along x, the first moved by `phase` of a distance.
pub fn spaced(curve: &[[f64; 2]], n: usize, phase: f64) -> Points {
    let (Some(a), Some(b)) = (curve.first(), curve.last()) else { return Vec::new() };
    let step = (b[0] - a[0]) / n as f64;
    let near = |k: usize| {
        let x = a[0] + step * (k as f64 + 0.25 + 0.5 * phase);
        curve.iter().copied().min_by(|p, q| (p[0] - x).abs().total_cmp(&(q[0] - x).abs()))
    };
    let mut points: Points = (0..n).filter_map(near).collect();
    points.dedup();
    points
}

/// A marker of a series.
pub fn dot(at: [f64; 2], dx: f64, style: SeriesStyle, size: f64, alpha: f64) -> Mark {
    Mark::Dot { at, dx, shape: style.shape, size, colour: style.colour, alpha }
}
