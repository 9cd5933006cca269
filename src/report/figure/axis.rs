//! Axes: from a column's values to positions, and the ticks along them.
//!
//! Marks live in positions: the value itself (linear), its log₁₀ (log, ln), its rank (category).

use std::f64::consts::LN_10;

use super::canvas;
use crate::record::figure_spec::Scale;

/// One axis of a panel.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    pub label: String,
    pub scale: Scale,
    /// Limits in positions, if the spec gives them.
    pub fixed: Option<[f64; 2]>,
    /// What stands at 0, 1, … on a category axis.
    pub categories: Vec<String>,
    /// No room between the marks and the frame (heatmaps).
    pub tight: bool,
    /// More room than usual and no pull to zero (parameters, indices).
    pub wide: bool,
    /// Where the axis begins if no mark is below it (bars).
    pub base: Option<f64>,
    /// Labels stand at integers (indices).
    pub integer: bool,
    /// Ticks at these positions if their labels stand apart (a parameter's few values).
    pub values: Vec<(f64, String)>,
}

/// Where ticks stand (positions) and what major ones say.
#[derive(Debug, Clone, Default)]
pub struct Ticks {
    pub major: Vec<(f64, String)>,
    pub minor: Vec<f64>,
}

/// The position of a value; `None` where the scale has none.
pub fn position(scale: Scale, value: f64) -> Option<f64> {
    let p = match scale {
        Scale::Linear | Scale::Category => value,
        Scale::Log => (value > 0.0).then(|| value.log10())?,
        Scale::Ln => value / LN_10,
    };
    p.is_finite().then_some(p)
}

/// log₁₀ of the quantity at a position, for laws such as y ∝ x^slope.
pub fn log10_at(scale: Scale, p: f64) -> f64 {
    if is_log(scale) { p } else { p.log10() }
}

/// The position where log₁₀ of the quantity is `l`.
pub fn from_log10(scale: Scale, l: f64) -> f64 {
    if is_log(scale) { l } else { 10f64.powf(l) }
}

pub fn is_log(scale: Scale) -> bool {
    matches!(scale, Scale::Log | Scale::Ln)
}

impl Axis {
    /// The limits for data between `lo` and `hi` (positions).
    pub fn limits(&self, lo: f64, hi: f64) -> [f64; 2] {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        if !self.categories.is_empty() {
            return [-0.5, self.categories.len() as f64 - 0.5];
        }
        if lo > hi {
            return [0.0, 1.0];
        }
        if let Some(base) = self.base.filter(|base| *base <= lo && *base < hi) {
            return [base, hi + 0.1 * (hi - base)];
        }
        if hi - lo <= 1e-12 * hi.abs().max(lo.abs()) {
            let room = if is_log(self.scale) { 0.5 } else { (0.1 * hi.abs()).max(1e-3) };
            return [lo - room, hi + room];
        }
        if self.tight {
            return [lo, hi];
        }
        let room = if self.wide { 0.08 } else { 0.04 } * (hi - lo);
        // An axis of non-negative values that come near zero begins at zero.
        let from_zero = !self.wide && !is_log(self.scale) && lo >= 0.0 && lo < 0.3 * hi;
        [if from_zero { 0.0 } else { lo - room }, hi + room]
    }

    /// At most about `count` labelled ticks for the limits.
    pub fn ticks(&self, [lo, hi]: [f64; 2], count: usize) -> Ticks {
        if !self.categories.is_empty() {
            let labels = self.categories.iter().enumerate();
            return Ticks { major: labels.map(|(i, c)| (i as f64, c.clone())).collect(), minor: Vec::new() };
        }
        match self.scale {
            Scale::Linear | Scale::Category => linear(lo, hi, count, self.integer),
            Scale::Log | Scale::Ln => decades(lo, hi, count),
        }
    }

    /// Fewer and fewer ticks until their labels stand apart along `length` points.
    pub fn ticks_that_fit(&self, limits: [f64; 2], length: f64, size: f64) -> Ticks {
        let needed = |t: &[(f64, String)]| -> f64 { t.iter().map(|(_, l)| canvas::width(l, size) + 1.1 * size).sum() };
        let apart = |pair: &[(f64, String)]| {
            let gap = (pair[1].0 - pair[0].0) / (limits[1] - limits[0]) * length;
            gap > 0.5 * (canvas::width(&pair[0].1, size) + canvas::width(&pair[1].1, size)) + 0.5 * size
        };
        if !self.values.is_empty() && self.values.windows(2).all(apart) {
            return Ticks { major: self.values.clone(), minor: Vec::new() };
        }
        let most = (length / (2.6 * size)).clamp(2.0, 9.0) as usize;
        for count in (2..=most).rev() {
            let ticks = self.ticks(limits, count);
            if needed(&ticks.major) <= length + size || !self.categories.is_empty() {
                return ticks;
            }
        }
        self.ticks(limits, 2)
    }
}

fn linear(lo: f64, hi: f64, count: usize, integer: bool) -> Ticks {
    let raw = (hi - lo) / count as f64;
    let unit = 10f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| if integer { (m * unit).floor().max(1.0) } else { m * unit });
    let whole = |s: &f64| !integer || unit > 1.0 || *s != (2.5 * unit).floor() || *s == 2.0;
    let step = steps.into_iter().filter(whole).find(|s| (hi - lo) / s <= count as f64);
    let Some(step) = step else { return Ticks::default() };
    let along = |step: f64| {
        let (a, b) = ((lo / step - 1e-9).ceil() as i64, (hi / step + 1e-9).floor() as i64);
        (a..=b.min(a + 200)).map(move |i| i as f64 * step)
    };
    let largest = lo.abs().max(hi.abs());
    let major = along(step).map(|v| (v, number(v, step, largest))).collect();
    Ticks { major, minor: along(step / if (step / unit - 2.0).abs() < 0.1 { 4.0 } else { 5.0 }).collect() }
}

fn decades(lo: f64, hi: f64, count: usize) -> Ticks {
    let span = hi - lo;
    let (first, last) = ((lo - 1e-9).ceil() as i64, (hi + 1e-9).floor() as i64);
    if last - first < 1 && lo.abs().max(hi.abs()) < 290.0 {
        // Less than two decades are in sight: label values, as on a linear axis.
        let Ticks { major, minor } = linear(10f64.powf(lo), 10f64.powf(hi), count, false);
        let major: Vec<_> = major.into_iter().filter(|t| t.0 > 0.0).map(|(v, label)| (v.log10(), label)).collect();
        if major.len() > 1 {
            return Ticks { major, minor: minor.into_iter().filter(|v| *v > 0.0).map(f64::log10).collect() };
        }
    }
    if span < 2.0 && last - first < 1 {
        let Ticks { major, minor } = linear(lo, hi, count, false);
        return Ticks { major: major.into_iter().map(|(p, l)| (p, format!("10^{{{l}}}"))).collect(), minor };
    }
    let wanted = (span / count as f64).ceil() as i64;
    let every = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000].into_iter();
    let every = every.into_iter().find(|e| *e >= wanted).unwrap_or(wanted.max(1));
    let label = |e: i64| format!("10^{{{}}}", minus(&e.to_string()));
    let major = (first..=last).filter(|e| e % every == 0).map(|e| (e as f64, label(e))).collect();
    let mut minor: Vec<f64> = Vec::new();
    if span <= 8.0 {
        let within = |p: &f64| *p >= lo && *p <= hi;
        minor.extend(
            (first - 1..=last).flat_map(|e| (2..10).map(move |m| e as f64 + f64::from(m).log10())).filter(within),
        );
    }
    if every > 1 && last - first <= 80 {
        minor.extend((first..=last).filter(|e| e % every != 0).map(|e| e as f64));
    }
    Ticks { major, minor }
}

/// A true minus sign.
pub fn minus(label: &str) -> String {
    label.replace('-', "−")
}

/// A tick label: as many decimals as the step has; a power of ten where the numbers are large or small.
pub fn number(value: f64, step: f64, largest: f64) -> String {
    if value.abs() < 1e-9 * step {
        return "0".to_owned();
    }
    if !(1e-3..1e5).contains(&largest) && largest > 0.0 {
        let exponent = largest.log10().floor() as i32;
        let (mantissa, unit) = (value / 10f64.powi(exponent), step / 10f64.powi(exponent));
        return minus(&format!("{mantissa:.*}×10^{{{exponent}}}", decimals(unit)));
    }
    minus(&format!("{value:.*}", decimals(step)))
}

fn decimals(step: f64) -> usize {
    (0..12).find(|d| ((step * 10f64.powi(*d)).round() / 10f64.powi(*d) - step).abs() < 1e-6 * step).unwrap_or(12)
        as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let axis = |scale| Axis { scale, ..Axis::default() };
        let labels = |a: &Axis, l, n| a.ticks(l, n).major.into_iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(labels(&axis(Scale::Linear), [-1.0, 1.0], 4), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(&axis(Scale::Log), [-2.0, 1.0], 6), ["10^{−2}", "10^{−1}", "10^{0}", "10^{1}"]);
        assert_eq!(labels(&axis(Scale::Ln), [-4000.0, 0.0], 4)[0], "10^{−4000}");
        assert_eq!(axis(Scale::Log).ticks([0.0, 1.0], 5).minor.len(), 8);
        assert_eq!(number(2e6, 1e6, 3e6), "2×10^{6}");
        assert_eq!(axis(Scale::Linear).limits(1.0, 0.0), [0.0, 1.0]);
    }
}
