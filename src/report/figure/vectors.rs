//! Vectors of a record, and the panel kinds `profile` and `heatmap`.

use std::collections::BTreeMap;

use super::Context;
use super::axis::{Axis, is_log, position};
use super::colours::Scheme;
use super::plot::{Key, Mark, Plot};
use super::rows::{Record, Rows, axis, median};
use super::series::{dot, spaced};
use super::style::{Dash, Stroke};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{PanelSpec, ProfileStyle, Scale, Shift, Source, Vertical};

/// The rows of the panel's quantity at its step.
pub fn quantity<'a>(record: &'a Record, panel: &PanelSpec, cx: &Context<'a>, last: bool) -> Result<Rows<'a>> {
    let mut rows = Rows::select(record, panel.from.unwrap_or(Source::Vectors), panel, cx.place)?;
    if rows.rows.is_empty() {
        return Ok(rows);
    }
    match &panel.quantity {
        Some(name) => rows.quantity(name)?,
        None if panel.filter.contains_key("quantity") => (),
        None => return Err(InputError::new("`quantity` is missing. Say which vector to draw.").at(cx.place)),
    }
    if last {
        rows.last_step(panel.step)?;
    }
    Ok(rows)
}

/// A vector from its rows, by index; missing entries are NaN.
pub fn vector(rows: &Rows, own: &[usize]) -> Result<Vec<f64>> {
    let (index, value) = (rows.column("index")?, rows.column("value")?);
    let mut out = Vec::new();
    for row in own {
        let i = rows.number(*row, index);
        if (0.0..1e7).contains(&i) {
            let i = i as usize;
            if out.len() <= i {
                out.resize(i + 1, f64::NAN);
            }
            out[i] = rows.number(*row, value);
        }
    }
    Ok(out)
}

/// Divided by the largest modulus, if wanted.
pub fn normalised(mut v: Vec<f64>, wanted: bool) -> Vec<f64> {
    let largest = v.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if wanted && largest > 0.0 {
        v.iter_mut().for_each(|x| *x /= largest);
    }
    v
}

/// The index that is moved to 0, and the new index of the first entry.
fn origin(v: &[f64], shift: Option<Shift>) -> (usize, i64) {
    let half = (v.len() / 2) as i64;
    match shift {
        None => (0, 0),
        Some(Shift::Fft) => (0, -half),
        Some(Shift::Peak) => {
            let peak = v.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
            (peak.map_or(0, |p| p.0), -half)
        }
    }
}

/// Entries in order of their new index: (index, value).
fn rotated(v: &[f64], shift: Option<Shift>) -> Vec<(i64, f64)> {
    let (centre, first) = origin(v, shift);
    let n = v.len() as i64;
    (first..first + n).map(|j| (j, v[(j + centre as i64).rem_euclid(n) as usize])).collect()
}

/// `profile`: a vector against its index.
pub fn profile(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let rows = quantity(record, panel, cx, true)?;
    let scale = panel.y_scale.unwrap_or_default();
    let name = panel.quantity.as_deref().unwrap_or("value");
    let mut plot = Plot {
        x: Axis { wide: true, integer: true, ..axis(panel.x_label.as_ref(), "index", Scale::Linear, panel.x_range) },
        y: axis(panel.y_label.as_ref(), name, scale, panel.y_range),
        ..Plot::default()
    };
    let groups = rows.groups(panel.series.as_deref())?;
    let count = groups.len();
    let stems = panel.style.unwrap_or_default() == ProfileStyle::Stems;
    let (mut feet, mut dots) = (Vec::new(), Vec::new());
    for (i, group) in groups.iter().enumerate() {
        let style = panel.series.as_ref().map_or(cx.single(), |s| cx.style(s, &group.value));
        let mut at: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for run in rows.by_run(&group.rows) {
            for (j, value) in rotated(&normalised(vector(&rows, &run)?, panel.normalise), panel.shift) {
                at.entry(j).or_default().extend(position(scale, value));
            }
        }
        let dx = if stems { (i as f64 - 0.5 * (count as f64 - 1.0)) * (6.0 / count as f64).min(2.0) } else { 0.0 };
        let middle: Vec<[f64; 2]> =
            at.iter().filter(|e| !e.1.is_empty()).map(|(j, ys)| [*j as f64, median(ys.iter().copied())]).collect();
        let stroke = Stroke { colour: style.colour, alpha: 1.0, width: 1.4 * cx.ink.weight, dash: Dash::Solid };
        if stems {
            let size = (90.0 / at.len().max(1) as f64).clamp(1.0, 2.6);
            for (j, ys) in &at {
                let many = if ys.len() > 1 { 0.55 } else { 1.0 };
                let dot = |y: &f64| Mark::Dot {
                    at: [*j as f64, *y],
                    dx,
                    shape: style.shape,
                    size,
                    colour: style.colour,
                    alpha: many,
                };
                dots.extend(ys.iter().map(dot));
            }
            let stroke = Stroke { width: 0.9 * cx.ink.weight, alpha: 0.8, ..stroke };
            let base = if is_log(scale) { f64::NEG_INFINITY } else { 0.0 };
            feet.extend(middle.iter().map(|at| Mark::Stem { at: *at, base, dx, stroke }));
        } else {
            let ends = |(j, ys): (&i64, &Vec<f64>)| {
                let (lo, hi) = ys.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |e, y| (e.0.min(*y), e.1.max(*y)));
                (ys.len() > 1).then_some([*j as f64, lo, hi])
            };
            let points: Vec<[f64; 3]> = at.iter().filter_map(ends).collect();
            if points.len() > 1 {
                plot.marks.push(Mark::Band { points, colour: style.colour });
            }
            let phase = i as f64 / count as f64;
            dots.extend(spaced(&middle, 5, phase).into_iter().map(|at| dot(at, 0.0, style, 2.6, 1.0)));
            dots.push(Mark::Line { points: middle, stroke: Stroke { dash: style.dash, ..stroke } });
        }
        let label = rows.label(panel, group)?;
        if !label.is_empty() {
            plot.keys.push(Key::series(label, style, (!stems).then_some(stroke.width)));
        }
    }
    plot.marks.extend(feet.into_iter().chain(dots));
    Ok(plot)
}

/// `heatmap`: a vector over time, the median over the runs that are selected; with `y` a metric against two parameters.
pub fn heatmap(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    if panel.y.is_some() {
        return super::phases::phases(record, panel, cx);
    }
    let rows = quantity(record, panel, cx, false)?;
    let x = panel.x.as_deref().unwrap_or("step");
    let scale = panel.x_scale.unwrap_or(if x == "step" { Scale::Log } else { Scale::Linear });
    let mut plot = Plot {
        x: Axis { tight: true, ..axis(panel.x_label.as_ref(), x, scale, panel.x_range) },
        y: Axis { tight: true, integer: true, ..axis(panel.y_label.as_ref(), "index", Scale::Linear, panel.y_range) },
        ..Plot::default()
    };
    if rows.rows.is_empty() {
        return Ok(plot);
    }
    let (xc, step) = (rows.column(x)?, rows.column("step")?);
    let mut at: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for row in &rows.rows {
        at.entry(rows.number(*row, step) as i64).or_default().push(*row);
    }
    let mut columns: Vec<(f64, Vec<f64>)> = Vec::new();
    for own in at.values() {
        let Some(px) = position(scale, median(own.iter().map(|r| rows.number(*r, xc)))) else { continue };
        let runs = rows.by_run(own).iter().map(|run| vector(&rows, run)).collect::<Result<Vec<_>>>()?;
        let length = runs.iter().map(Vec::len).max().unwrap_or(0);
        let entry = |i: usize| median(runs.iter().filter_map(|v| v.get(i).copied()));
        columns.push((px, (0..length).map(entry).collect()));
    }
    columns.sort_by(|a, b| a.0.total_cmp(&b.0));
    columns.dedup_by(|a, b| a.0 == b.0);
    let scheme = Scheme::new(panel, columns.iter().flat_map(|c| c.1.iter().copied()));
    let edges = edges(&columns.iter().map(|c| c.0).collect::<Vec<_>>());
    for ((_, values), ends) in columns.iter().zip(edges.windows(2)) {
        let [left, right] = [ends[0], ends[1]];
        let shown = rotated(values, panel.shift);
        let mut from = 0;
        for k in 1..=shown.len() {
            let colour = scheme.colour(shown[from].1);
            if k == shown.len() || scheme.colour(shown[k].1) != colour {
                let (a, b) = (shown[from].0 as f64 - 0.5, shown[k - 1].0 as f64 + 0.5);
                plot.marks.extend(colour.map(|colour| Mark::Cell { from: [left, a], to: [right, b], colour }));
                from = k;
            }
        }
    }
    plot.bar = Some(scheme.bar(panel));
    let place = |v: &Vertical| Some(Mark::Vertical { x: position(scale, v.x)?, words: v.label.clone() });
    plot.marks.extend(panel.vertical.iter().filter_map(place));
    Ok(plot)
}

/// Where the cells about these places end, in order: halfway, and as far again at the ends.
pub fn edges(places: &[f64]) -> Vec<f64> {
    let half = |i: usize| 0.5 * (places[i + 1] - places[i]);
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return vec![] };
    let ends = if places.len() > 1 { [half(0), half(places.len() - 2)] } else { [0.5; 2] };
    let inner = (0..places.len() - 1).map(|i| places[i] + half(i));
    [first - ends[0]].into_iter().chain(inner).chain([last + ends[1]]).collect()
}
