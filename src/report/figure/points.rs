//! Panels of final values: `points` and `scatter`.

use std::collections::BTreeMap;

use super::axis::{minus, position};
use super::plot::{Key, Mark, Plot};
use super::rows::{Group, Record, Rows, axis, median, named};
use super::series::{Points, dot, series, y_name};
use super::style::{Dash, Rgb, Stroke};
use super::theory::{check, key, law_line, level_lines};
use super::{Context, require};
use crate::error::Result;
use crate::record::figure_spec::{PanelSpec, Scale, Source};

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
        let tick = |g: &Group| Some((position(scale, g.value.parse().ok()?)?, minus(&named(panel, &g.value))));
        plot.x.wide = true;
        plot.x.values = values.iter().filter_map(tick).collect();
    }
    let place = |row: usize| match scale {
        Scale::Category => values.iter().position(|g| g.value == rows.text(row, xc)).map(|i| i as f64),
        _ => position(scale, rows.number(row, xc)),
    };
    let all = series(&rows, panel, cx)?;
    let count = all.len();
    let step = (48.0 / count.max(1) as f64).min(9.0);
    let mut levels: Vec<(usize, f64, f64, f64, Rgb)> = Vec::new();
    for (i, one) in all.into_iter().enumerate() {
        let yc = rows.column(one.y)?;
        let dx = (i as f64 - 0.5 * (count - 1) as f64) * step;
        let half = if count == 1 { 5.0 } else { 0.45 * step };
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
                plot.marks.push(Mark::Bar { at: [px, median(ys)], dx, half, stroke });
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
            plot.marks.push(Mark::Bar {
                at: [*px, *y],
                dx: *dx,
                half: if count == 1 { 8.8 } else { 0.5 * step },
                stroke: neutral,
            });
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
    if rows.rows.is_empty() {
        return Ok(plot);
    }
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
