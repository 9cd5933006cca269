//! `heatmap` with `y`: a final metric for every pair of values of two parameters.

use super::axis::{Axis, minus, position};
use super::colours::Scheme;
use super::plot::{Mark, Plot};
use super::rows::{Record, Rows, axis, median, named};
use super::series::y_name;
use super::vectors::edges;
use super::{Context, require};
use crate::error::{InputError, Result};
use crate::record::figure_spec::{PanelSpec, Scale, Source};
use std::collections::BTreeMap;

/// A parameter's values in order: where they are on the axis, and the rows that have them.
struct Parameter {
    axis: Axis,
    places: Vec<f64>,
    /// The index of its value, of every row.
    of: BTreeMap<usize, usize>,
}

impl Parameter {
    fn new(rows: &Rows, panel: &PanelSpec, name: &str, (scale, mut axis): (Scale, Axis)) -> Result<Self> {
        let numbered = |value: &str| position(scale, value.parse().ok()?);
        let mut groups = vec![];
        for group in rows.groups(Some(name))? {
            let place = numbered(&group.value).ok_or_else(|| {
                InputError::new(format!("`{name}` has the value {}, which is no place on its axis.", group.value))
            })?;
            groups.push((place, group));
        }
        groups.sort_by(|a, b| a.0.total_cmp(&b.0));
        axis.tight = true;
        axis.values = groups.iter().map(|(place, g)| (*place, minus(&named(panel, &g.value)))).collect();
        let of = groups.iter().enumerate().flat_map(|(i, (_, g))| g.rows.iter().map(move |row| (*row, i))).collect();
        Ok(Self { axis, places: groups.iter().map(|g| g.0).collect(), of })
    }
}

/// The median over runs in a cell for every pair of values.
pub fn phases(record: &Record, panel: &PanelSpec, cx: &Context) -> Result<Plot> {
    let rows = Rows::select(record, panel.from.unwrap_or(Source::Runs), panel, cx.place)?;
    let (x, y) = (require(panel.x.as_deref(), "x", cx.place)?, y_name(panel));
    let scales = [panel.x_scale, panel.y_scale].map(Option::unwrap_or_default);
    let axes = [
        axis(panel.x_label.as_ref(), x, scales[0], panel.x_range),
        axis(panel.y_label.as_ref(), y, scales[1], panel.y_range),
    ];
    let value = rows.column(require(panel.quantity.as_deref(), "quantity", cx.place)?)?;
    let [x_axis, y_axis] = axes;
    let across = Parameter::new(&rows, panel, x, (scales[0], x_axis)).map_err(|e| e.at(cx.place))?;
    let up = Parameter::new(&rows, panel, y, (scales[1], y_axis)).map_err(|e| e.at(cx.place))?;
    let mut cells: BTreeMap<[usize; 2], Vec<f64>> = BTreeMap::new();
    for row in &rows.rows {
        cells.entry([across.of[row], up.of[row]]).or_default().push(rows.number(*row, value));
    }
    let medians: Vec<([usize; 2], f64)> = cells.into_iter().map(|(at, values)| (at, median(values))).collect();
    let scheme = Scheme::new(panel, medians.iter().map(|m| m.1));
    let (xs, ys) = (edges(&across.places), edges(&up.places));
    let cell = |([i, j], value): &([usize; 2], f64)| {
        let colour = scheme.colour(*value)?;
        Some(Mark::Cell { from: [xs[*i], ys[*j]], to: [xs[i + 1], ys[j + 1]], colour })
    };
    let marks = medians.iter().filter_map(cell).collect();
    Ok(Plot { x: across.axis, y: up.axis, marks, bar: Some(scheme.bar(panel)), ..Plot::default() })
}
