//! Panels of vectors: `profile`, `heatmap` and `images`.

use std::collections::BTreeMap;

use super::axis::{Axis, is_log, position};
use super::plot::{ColourBar, Key, Mark, Plot};
use super::rows::{Record, Rows, axis, median};
use super::style::{Dash, Rgb, Stroke, diverging, viridis};
use super::{Context, require};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{Colours, PanelSpec, ProfileStyle, Scale, Shift, Source, Vertical};

/// The rows of the panel's quantity at its step.
fn quantity<'a>(record: &'a Record, panel: &PanelSpec, cx: &Context<'a>, last: bool) -> Result<Rows<'a>> {
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
fn vector(rows: &Rows, own: &[usize]) -> Result<Vec<f64>> {
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

fn normalised(mut v: Vec<f64>, wanted: bool) -> Vec<f64> {
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
        x: Axis { wide: true, ..axis(panel.x_label.as_ref(), "index", Scale::Linear, panel.x_range) },
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
            dots.push(Mark::Line { points: middle, stroke: Stroke { dash: style.dash, ..stroke } });
        }
        let label = rows.label(panel, group)?;
        if !label.is_empty() {
            let mut key = Key::series(label, style, (!stems).then_some(stroke.width));
            key.shape = key.shape.filter(|_| stems);
            plot.keys.push(key);
        }
    }
    plot.marks.extend(feet.into_iter().chain(dots));
    Ok(plot)
}

/// Limits and map of colours: values (NaN left out) to t ∈ [0, 1].
struct Scheme {
    scale: Scale,
    limits: [f64; 2],
    map: fn(f64) -> Rgb,
}

impl Scheme {
    fn new(panel: &PanelSpec, values: impl Iterator<Item = f64> + Clone) -> Scheme {
        let scale = panel.colour_scale.unwrap_or_default();
        let signed = scale == Scale::Linear && values.clone().any(|v| v < 0.0);
        let two_sided = panel.colours.map_or(signed, |c| c == Colours::Diverging);
        let placed = values.filter_map(|v| position(scale, v));
        let [mut lo, mut hi] = placed.fold([f64::INFINITY, f64::NEG_INFINITY], |e, v| [e[0].min(v), e[1].max(v)]);
        if lo > hi {
            [lo, hi] = [0.0, 1.0];
        }
        if scale == Scale::Linear && !two_sided {
            lo = lo.min(0.0);
        }
        if scale != Scale::Linear {
            // More decades than this only show rounding.
            lo = lo.max(hi - 12.0);
        }
        if let Some(range) = panel.colour_range {
            let ends = range.map(|v| position(scale, v));
            [lo, hi] = [ends[0].unwrap_or(lo), ends[1].unwrap_or(hi)];
        } else if two_sided {
            hi = hi.abs().max(lo.abs());
            lo = -hi;
        }
        if hi <= lo {
            hi = lo + 1.0;
        }
        Scheme { scale, limits: [lo, hi], map: if two_sided { diverging } else { viridis } }
    }

    fn colour(&self, value: f64) -> Option<Rgb> {
        let [lo, hi] = self.limits;
        // What a log scale cannot place is below everything.
        let p = if value.is_nan() { return None } else { position(self.scale, value).unwrap_or(lo) };
        // Few enough shades that equal neighbours can be drawn as one cell, more than an eye tells apart.
        Some((self.map)(((p - lo) / (hi - lo) * 200.0).round() / 200.0))
    }

    fn bar(self, panel: &PanelSpec) -> ColourBar {
        let label = panel.colour_label.as_ref().or(panel.quantity.as_ref());
        let axis =
            Axis { label: label.cloned().unwrap_or_default(), scale: self.scale, tight: true, ..Axis::default() };
        ColourBar { axis, limits: self.limits, map: self.map }
    }
}

/// `heatmap`: a vector over time, the median over the runs that are selected.
pub fn heatmap(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let rows = quantity(record, panel, cx, false)?;
    let x = panel.x.as_deref().unwrap_or("step");
    let scale = panel.x_scale.unwrap_or(if x == "step" { Scale::Log } else { Scale::Linear });
    let mut plot = Plot {
        x: Axis { tight: true, ..axis(panel.x_label.as_ref(), x, scale, panel.x_range) },
        y: Axis { tight: true, ..axis(panel.y_label.as_ref(), "index", Scale::Linear, panel.y_range) },
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
    let between = |i: usize, j: usize| 0.5 * (columns[i].0 + columns[j].0);
    let n = columns.len();
    for (i, (px, values)) in columns.iter().enumerate() {
        let alone = if n == 1 { 0.5 } else { 0.0 };
        let left = if i > 0 {
            between(i - 1, i)
        } else if n > 1 {
            2.0 * px - between(0, 1)
        } else {
            px - alone
        };
        let right = if i + 1 < n {
            between(i, i + 1)
        } else if n > 1 {
            2.0 * px - between(n - 2, n - 1)
        } else {
            px + alone
        };
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
    let room = cx.width - 6.5 * cx.ink.size;
    let (gap, title) = (0.9 * cx.ink.size, if tiles.iter().any(|t| !t.0.is_empty()) { 1.5 * cx.ink.size } else { 0.0 });
    // The number of columns whose tiles are largest while all of them stay within a page.
    let ratio = if h == 1 { 0.2 } else { h as f64 / w as f64 };
    let rows_of = |columns: usize| tiles.len().div_ceil(columns);
    let side = |columns: usize| {
        let across = (room + gap) / columns as f64 - gap;
        let down = (330.0 / rows_of(columns) as f64 - gap - title) / ratio;
        across.min(down).min(170.0)
    };
    let columns = (1..=tiles.len().max(1)).max_by(|a, b| side(*a).total_cmp(&side(*b)).then(a.cmp(b))).unwrap_or(1);
    let (tw, th) = (side(columns), side(columns) * ratio);
    let lines = rows_of(columns).max(1);
    let size = [columns as f64 * (tw + gap) - gap, lines as f64 * (th + title + gap) - gap];
    let mut plot = Plot { bare: Some(size), ..Plot::default() };
    plot.x.fixed = Some([0.0, size[0]]);
    plot.y.fixed = Some([0.0, size[1]]);
    let fft = |k: usize, n: usize| if panel.shift == Some(Shift::Fft) { (k + n.div_ceil(2)) % n } else { k };
    for (t, (label, v)) in tiles.iter().enumerate() {
        let (x0, top) =
            ((t % columns) as f64 * (tw + gap), size[1] - (t / columns) as f64 * (th + title + gap) - title);
        plot.marks.push(Mark::Words { at: [x0 + 0.5 * tw, top + 0.3 * cx.ink.size], words: label.clone() });
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
