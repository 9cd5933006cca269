//! Panels of columns: `lines`, `points` and `scatter`.

use std::collections::BTreeMap;

use super::axis::{from_log10, log10_at, minus, position};
use super::plot::{Key, Mark, Plot};
use super::rows::{Group, Record, Rows, axis, median, named};
use super::style::{Dash, Rgb, SeriesStyle, Stroke};
use super::{Context, require};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{OneOrMany, PanelSpec, Reference, Scale, Source, Spread, Vertical};

/// Positions of one curve or cloud.
type Points = Vec<[f64; 2]>;

/// The series of a panel: (label, style, rows, y column).
struct Series<'a> {
    label: String,
    style: SeriesStyle,
    group: Group,
    y: &'a str,
}

fn series<'a>(rows: &Rows, panel: &'a PanelSpec, cx: &Context) -> Result<Vec<Series<'a>>> {
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

fn y_name(panel: &PanelSpec) -> &str {
    panel.y.as_ref().and_then(|y| y.as_slice().first()).map_or("", String::as_str)
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
        let middle = shared(&runs);
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
        for at in spaced(&bold, 6, i as f64 / count as f64) {
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

/// The median, minimum and maximum where at least half of the curves have a point: (x, median, low, high).
fn shared(curves: &[Points]) -> Vec<[f64; 4]> {
    let mut at: BTreeMap<i64, (f64, Vec<f64>)> = BTreeMap::new();
    for [x, y] in curves.iter().flatten() {
        at.entry((x * 1e9).round() as i64).or_insert((*x, Vec::new())).1.push(*y);
    }
    let most = at.into_values().filter(|(_, ys)| 2 * ys.len() >= curves.len() && (ys.len() > 1 || curves.len() == 1));
    most.map(|(x, ys)| {
        let ends = ys.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |e, y| [e[0].min(*y), e[1].max(*y)]);
        [x, median(ys), ends[0], ends[1]]
    })
    .collect()
}

/// About `n` points of a curve at even distances along x, the first moved by `phase` of a distance.
fn spaced(curve: &[[f64; 2]], n: usize, phase: f64) -> Points {
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

fn dot(at: [f64; 2], dx: f64, style: SeriesStyle, size: f64, alpha: f64) -> Mark {
    Mark::Dot { at, dx, shape: style.shape, size, colour: style.colour, alpha }
}

/// Refuses a reference that is not exactly one thing.
fn check(reference: &Reference, cx: &Context) -> Result<()> {
    let Reference { value, column, slope, inverse_log, .. } = reference;
    if [value.is_some(), column.is_some(), slope.is_some(), *inverse_log].iter().filter(|g| **g).count() == 1 {
        return Ok(());
    }
    let message = "a reference needs exactly one of `value`, `column`, `slope` and `inverse_log`.";
    Err(InputError::new(message).at(cx.place))
}

fn key(plot: &mut Plot, reference: &Reference, stroke: Stroke) {
    if !reference.label.is_empty() {
        plot.keys.push(Key { label: reference.label.clone(), stroke: Some(stroke), shape: None });
    }
}

/// Constants over the whole width: one neutral line if all series agree, else a line in each one's colour.
fn level_lines(plot: &mut Plot, levels: &[(Option<f64>, Rgb)], reference: &Reference, neutral: Stroke) {
    let levels: Vec<(f64, Rgb)> = levels.iter().filter_map(|(y, c)| y.map(|y| (y, *c))).collect();
    let Some(first) = levels.first() else { return };
    let agree = levels.iter().all(|l| (l.0 - first.0).abs() <= 1e-9 * first.0.abs());
    for (y, colour) in levels.iter().take(if agree { 1 } else { levels.len() }) {
        let colour = if agree { neutral.colour } else { *colour };
        plot.marks.push(Mark::Level { y: *y, stroke: Stroke { colour, ..neutral } });
    }
    key(plot, reference, neutral);
}

/// y ∝ x^slope or y ∝ 1/ln x through a point.
fn law_line(plot: &mut Plot, reference: &Reference, end: Option<[f64; 2]>, stroke: Stroke) {
    if reference.slope.is_none() && !reference.inverse_log {
        return;
    }
    let (xs, ys) = (plot.x.scale, plot.y.scale);
    let through = reference.through.and_then(|[x, y]| Some([position(xs, x)?, position(ys, y)?])).or(end);
    let Some([x0, y0]) = through else { return };
    let ([lo, hi], _) = plot.limits();
    let (lx0, ly0) = (log10_at(xs, x0), log10_at(ys, y0));
    let law = |i: u32| {
        let x = lo + (hi - lo) * f64::from(i) / 120.0;
        let lx = log10_at(xs, x);
        let ly = reference.slope.map_or_else(|| ly0 - (lx / lx0).log10(), |slope| ly0 + slope * (lx - lx0));
        [x, from_log10(ys, ly)]
    };
    let points = (0..=120).map(law).filter(|p| p[1].is_finite()).collect();
    plot.marks.push(Mark::Guide { points, stroke });
    key(plot, reference, stroke);
}

/// `points`: final metrics against a parameter.
pub fn points(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let rows = Rows::select(record, panel.from.unwrap_or(Source::Runs), panel, cx.place)?;
    let x = require(panel.x.as_deref(), "x", cx.place)?;
    let xc = rows.column(x)?;
    let values = rows.groups(Some(x))?;
    let words = values.iter().any(|g| g.value.parse::<f64>().is_err());
    let scale = panel.x_scale.unwrap_or(if words { Scale::Category } else { Scale::Linear });
    let y_scale = panel.y_scale.unwrap_or_default();
    let mut plot = Plot {
        x: axis(panel.x_label.as_ref(), x, scale, panel.x_range),
        y: axis(panel.y_label.as_ref(), y_name(panel), y_scale, panel.y_range),
        ..Plot::default()
    };
    if scale == Scale::Category {
        plot.x.categories = values.iter().map(|g| named(panel, &g.value)).collect();
    } else {
        let tick = |g: &Group| Some((position(scale, g.value.parse().ok()?)?, minus(&g.value)));
        plot.x.wide = true;
        plot.x.values = values.iter().filter_map(tick).collect();
    }
    let place = |row: usize| match scale {
        Scale::Category => values.iter().position(|g| g.value == rows.text(row, xc)).map(|i| i as f64),
        _ => position(scale, rows.number(row, xc)),
    };
    let all = series(&rows, panel, cx)?;
    let count = all.len();
    let mut levels: Vec<(usize, f64, f64, f64, Rgb)> = Vec::new();
    for (i, one) in all.into_iter().enumerate() {
        let yc = rows.column(one.y)?;
        let dx = (i as f64 - 0.5 * (count - 1) as f64) * (48.0 / count as f64).min(8.0);
        let mut at: BTreeMap<i64, (f64, Vec<f64>, Vec<usize>)> = BTreeMap::new();
        for row in &one.group.rows {
            let (Some(px), Some(py)) = (place(*row), position(y_scale, rows.number(*row, yc))) else { continue };
            plot.marks.push(dot([px, py], dx, one.style, 2.8, 0.6));
            let (_, ys, own) = at.entry((px * 1e9).round() as i64).or_insert((px, Vec::new(), Vec::new()));
            ys.push(py);
            own.push(*row);
        }
        for (px, ys, own) in at.into_values() {
            let stroke = Stroke { colour: one.style.colour, alpha: 1.0, width: 1.5 * cx.ink.weight, dash: Dash::Solid };
            if ys.len() > 1 {
                plot.marks.push(Mark::Bar { at: [px, median(ys)], dx, half: 5.0, stroke });
            }
            for (k, name) in panel.reference.iter().enumerate().filter_map(|(k, r)| Some((k, r.column.as_ref()?))) {
                let column = rows.column(name)?;
                let level = median(own.iter().map(|r| rows.number(*r, column)));
                levels.extend(position(y_scale, level).map(|y| (k, px, y, dx, one.style.colour)));
            }
        }
        if !one.label.is_empty() {
            plot.keys.push(Key::series(one.label, one.style, None));
        }
    }
    for (k, reference) in panel.reference.iter().enumerate() {
        check(reference, cx)?;
        let neutral = cx.theory(&reference.label);
        let own: Vec<_> = levels.iter().filter(|l| l.0 == k).collect();
        for (_, px, y, dx, _) in &own {
            plot.marks.push(Mark::Bar { at: [*px, *y], dx: *dx, half: 8.8, stroke: neutral });
        }
        if !own.is_empty() {
            key(&mut plot, reference, neutral);
        }
        level_lines(
            &mut plot,
            &[(reference.value.and_then(|v| position(y_scale, v)), cx.ink.text)],
            reference,
            neutral,
        );
        law_line(&mut plot, reference, None, neutral);
    }
    Ok(plot)
}

/// `scatter`: column against column, or quantity against quantity by run and index, with the identity.
pub fn scatter(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let source = panel.from.unwrap_or(Source::Runs);
    let mut rows = Rows::select(record, source, panel, cx.place)?;
    let x = require(panel.x.as_deref(), "x", cx.place)?;
    let scale = panel.x_scale.or(panel.y_scale).unwrap_or_default();
    let y_scale = panel.y_scale.unwrap_or(scale);
    let mut plot = Plot {
        x: axis(panel.x_label.as_ref(), x, scale, panel.x_range),
        y: axis(panel.y_label.as_ref(), y_name(panel), y_scale, panel.y_range),
        same_limits: scale == y_scale,
        ..Plot::default()
    };
    if source == Source::Vectors {
        rows.last_step(panel.step)?;
    }
    let mut clouds = Vec::new();
    for one in series(&rows, panel, cx)? {
        let pairs: Vec<[f64; 2]> = if source == Source::Vectors {
            let (quantity, index, value) = (rows.column("quantity")?, rows.column("index")?, rows.column("value")?);
            let mut at: BTreeMap<(String, String), [f64; 2]> = BTreeMap::new();
            for row in &one.group.rows {
                let name = rows.text(*row, quantity);
                let pair = at.entry((rows.run(*row), rows.text(*row, index))).or_insert([f64::NAN; 2]);
                for (slot, wanted) in [x, one.y].into_iter().enumerate() {
                    if name == wanted {
                        pair[slot] = rows.number(*row, value);
                    }
                }
            }
            at.into_values().collect()
        } else {
            let (xc, yc) = (rows.column(x)?, rows.column(one.y)?);
            one.group.rows.iter().map(|r| [rows.number(*r, xc), rows.number(*r, yc)]).collect()
        };
        let place = |p: [f64; 2]| Some([position(scale, p[0])?, position(y_scale, p[1])?]);
        let points: Points = pairs.into_iter().filter_map(place).collect();
        clouds.extend(points.into_iter().map(|at| dot(at, 0.0, one.style, 2.6, 0.65)));
        if !one.label.is_empty() {
            plot.keys.push(Key::series(one.label, one.style, None));
        }
    }
    plot.marks = clouds;
    if plot.same_limits && !plot.marks.is_empty() {
        let ([lo, hi], _) = plot.limits();
        plot.marks.insert(0, Mark::Guide { points: vec![[lo, lo], [hi, hi]], stroke: cx.theory("identity") });
        plot.keys.push(Key { label: "identity".to_owned(), stroke: Some(cx.theory("identity")), shape: None });
    }
    Ok(plot)
}
