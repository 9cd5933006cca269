//! Dashed lines of theory: constants, columns and laws.

use super::Context;
use super::axis::{from_log10, log10_at, position};
use super::plot::{Key, Mark, Plot};
use super::style::{Rgb, Stroke};
use crate::error::{InputError, Result};
use crate::record::figure_spec::Reference;

/// Refuses a reference that is not exactly one thing.
pub fn check(reference: &Reference, cx: &Context) -> Result<()> {
    let Reference { value, column, slope, inverse_log, .. } = reference;
    if [value.is_some(), column.is_some(), slope.is_some(), *inverse_log].iter().filter(|g| **g).count() == 1 {
        return Ok(());
    }
    let message = "a reference needs exactly one of `value`, `column`, `slope` and `inverse_log`.";
    Err(InputError::new(message).at(cx.place))
}

/// The legend entry of a reference.
pub fn key(plot: &mut Plot, reference: &Reference, stroke: Stroke) {
    if !reference.label.is_empty() {
        plot.keys.push(Key { label: reference.label.clone(), stroke: Some(stroke), shape: None });
    }
}

/// Constants over the whole width: one neutral line if all series agree, else a line in each one's colour.
pub fn level_lines(plot: &mut Plot, levels: &[(Option<f64>, Rgb)], reference: &Reference, neutral: Stroke) {
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
pub fn law_line(plot: &mut Plot, reference: &Reference, end: Option<[f64; 2]>, stroke: Stroke) {
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
