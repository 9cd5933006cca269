//! From values to colours.

use super::axis::{Axis, position};
use super::plot::ColourBar;
use super::style::{Rgb, diverging, viridis};
use crate::record::figure_spec::{Colours, PanelSpec, Scale};

/// Limits and map of colours: values (NaN left out) to t ∈ [0, 1].
pub struct Scheme {
    scale: Scale,
    limits: [f64; 2],
    map: fn(f64) -> Rgb,
}

impl Scheme {
    /// Limits from the values, unless the spec has them.
    pub fn new(panel: &PanelSpec, values: impl Iterator<Item = f64> + Clone) -> Scheme {
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

    /// The colour of a value; none for NaN.
    pub fn colour(&self, value: f64) -> Option<Rgb> {
        let [lo, hi] = self.limits;
        // What a log scale cannot place is below everything.
        let p = if value.is_nan() { return None } else { position(self.scale, value).unwrap_or(lo) };
        // Few enough shades that equal neighbours can be drawn as one cell, more than an eye tells apart.
        Some((self.map)(((p - lo) / (hi - lo) * 200.0).round() / 200.0))
    }

    /// The colour bar.
    pub fn bar(self, panel: &PanelSpec) -> ColourBar {
        let label = panel.colour_label.as_ref().or(panel.quantity.as_ref());
        let axis =
            Axis { label: label.cloned().unwrap_or_default(), scale: self.scale, tight: true, ..Axis::default() };
        ColourBar { axis, limits: self.limits, map: self.map }
    }
}
