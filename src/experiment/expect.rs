use super::Size;
use super::spec::ResolvedSpec;
use crate::error::{InputError, Result};
use crate::math::interval::{Interval, smallest};
use crate::math::sums::{max, median, min};
use crate::record::table::{Cell, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Value;

/// An expectation: what must come out of the runs, fixed before they start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim in a sentence.
    pub claim: String,
    /// A column of runs.csv.
    pub metric: String,
    /// Which runs: parameter = value, or a list of values.
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, Value>,
    /// How runs become one number.
    #[serde(default)]
    pub statistic: Statistic,
    /// If given, each run's metric is divided by that of its partner among these runs, in grid order.
    #[serde(default)]
    pub versus: BTreeMap<String, Value>,
    /// If given, the partner's metric is subtracted instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub minus: BTreeMap<String, Value>,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: f64,
    /// For `within`: the largest |measured − value|.
    #[serde(default)]
    pub tolerance: Option<f64>,
    /// Why this value and tolerance.
    pub reason: String,
    /// Why it fails, once that is known: it still fails, but is no news (exit code 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to_fail: Option<String>,
    /// Sizes at which it is judged; default quick and full.
    #[serde(default = "quick_and_full")]
    pub sizes: Vec<Size>,
}

/// How runs become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// The median.
    #[default]
    Median,
    /// The largest: holds for every run.
    Max,
    /// The smallest: holds for every run.
    Min,
    /// The mean, judged by its 95 % interval: the claim holds if it is true of the whole of it, fails if of none of it.
    Mean,
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// Within a tolerance.
    #[serde(rename = "within")]
    Within,
}

fn quick_and_full() -> Vec<Size> {
    vec![Size::Quick, Size::Full]
}

/// Judges every claim of a spec by its runs.csv; one row of summary.csv each.
///
/// # Errors
/// If a claim names a column or a parameter that the runs do not have.
pub fn judge(spec: &ResolvedSpec, runs: &Table) -> Result<Vec<Vec<Cell>>> {
    let (paper, experiment) = spec.names();
    spec.spec.claims.iter().map(|claim| claim.row(spec.size, runs, paper, experiment)).collect()
}

impl Claim {
    fn row(&self, size: Size, runs: &Table, paper: &str, experiment: &str) -> Result<Vec<Cell>> {
        let judged = self.sizes.contains(&size);
        let mut values = self.select(runs, &self.filter)?;
        let join: fn(f64, f64) -> f64 = if self.versus.is_empty() { |v, b| v - b } else { |v, b| v / b };
        let partners = [("expect.versus", &self.versus), ("expect.minus", &self.minus)];
        for (field, filter) in partners.into_iter().filter(|p| !p.1.is_empty()) {
            let base = self.select(runs, filter)?;
            if judged && base.len() != values.len() {
                let allowed = format!("runs that pair with those of `where` ({})", values.len());
                let found = format!("{} runs", base.len());
                return Err(InputError::value(field, found, &allowed, "Filter both alike."));
            }
            values = values.iter().zip(base).map(|(v, b)| join(*v, b)).collect();
        }
        let measured = self.statistic.of(&values);
        let [low, high] = match self.statistic {
            Statistic::Mean => measured.ends(),
            _ => [min(&values), max(&values)],
        };
        let (verdict, what_next) = match judged {
            false => ("not-run", String::new()),
            true => self.verdict(measured, values.len()),
        };
        Ok(vec![
            paper.into(),
            experiment.into(),
            self.claim.as_str().into(),
            self.metric_text().into(),
            self.comparison.name().into(),
            self.value.into(),
            measured.centre.into(),
            values.len().into(),
            verdict.into(),
            low.into(),
            high.into(),
            self.tolerance.unwrap_or(f64::NAN).into(),
            (self.reason.clone() + &what_next).as_str().into(),
        ])
    }

    /// E.g. `max excess [depth=2] <= 0.01`.
    pub fn condition(&self) -> String {
        let tolerance = self.tolerance.map_or(String::new(), |t| format!(" ± {t}"));
        format!("{} {} {}{tolerance}", self.metric_text(), self.comparison.name(), self.value)
    }

    /// The verdict; also what would decide an inconclusive claim, or why a claim is known to fail: a last clause of the reason.
    fn verdict(&self, measured: Interval, n: usize) -> (&'static str, String) {
        let [holds, fails] = self.holds_and_fails(measured);
        // No run, or one without the metric, must not be overlooked: the claim fails.
        let open = self.statistic == Statistic::Mean && measured.centre.is_finite();
        match (holds, fails, open) {
            (true, ..) => ("holds", String::new()),
            (false, false, true) => ("inconclusive", format!("; {}", self.decisive(measured, n))),
            _ => ("fails", self.known_to_fail.iter().map(|why| format!("; known to fail: {why}")).collect()),
        }
    }

    /// Whether the comparison is true of all numbers of the interval, and whether of none.
    fn holds_and_fails(&self, interval: Interval) -> [bool; 2] {
        let [low, high] = interval.ends();
        match self.comparison {
            Comparison::AtMost => [high <= self.value, low > self.value],
            Comparison::AtLeast => [low >= self.value, high < self.value],
            Comparison::Within => {
                let (distance, tolerance) = ((interval.centre - self.value).abs(), self.tolerance.unwrap_or(0.0));
                [distance + interval.half_width <= tolerance, distance - interval.half_width > tolerance]
            }
        }
    }

    /// How many values with this mean and deviation would decide.
    fn decisive(&self, interval: Interval, n: usize) -> String {
        if n < 2 {
            return "an interval needs n ≥ 2".into();
        }
        let at = |n: usize| Interval::of_mean(interval.centre, interval.deviation, n);
        match smallest(n, |n| self.holds_and_fails(at(n)).contains(&true)) {
            Some(n) => format!("n = {n} would decide"),
            None => "no n would decide".into(),
        }
    }

    /// E.g. `max excess [depth=2] / [depth=1]`.
    pub fn metric_text(&self) -> String {
        let show = |filter: &BTreeMap<String, Value>| {
            let parts: Vec<String> =
                filter.iter().map(|(k, v)| format!("{k}={}", v.to_string().replace('"', ""))).collect();
            if parts.is_empty() { String::new() } else { format!(" [{}]", parts.join(", ")) }
        };
        let partner = |sign: &str, filter: &BTreeMap<String, Value>| match filter.is_empty() {
            true => String::new(),
            false => format!(" {sign}{}", show(filter)),
        };
        let partners = partner("/", &self.versus) + &partner("−", &self.minus);
        format!("{} {}{}{partners}", self.statistic.name(), self.metric, show(&self.filter))
    }

    /// The metric of the runs that match; NaN for one that did not give it, so that it cannot be overlooked.
    fn select(&self, runs: &Table, filter: &BTreeMap<String, Value>) -> Result<Vec<f64>> {
        let column = |name: &str| {
            runs.column(name).ok_or_else(|| {
                InputError::value(
                    "expect",
                    format!("about `{name}`"),
                    &format!("about a column of runs.csv: {}", runs.columns.join(", ")),
                    "Correct the name.",
                )
            })
        };
        let metric = column(&self.metric)?;
        let mut tests = vec![];
        for (name, wanted) in filter {
            tests.push((column(name)?, wanted));
        }
        let matches = |row: &&Vec<Cell>| tests.iter().all(|(c, wanted)| matches_value(&row[*c], wanted));
        Ok(runs.rows.iter().filter(matches).map(|row| row[metric].number()).collect())
    }
}

fn matches_value(cell: &Cell, wanted: &Value) -> bool {
    match wanted {
        Value::Array(any) => any.iter().any(|w| matches_value(cell, w)),
        Value::String(s) => cell.text() == *s,
        Value::Integer(i) => cell.number() == *i as f64,
        Value::Float(f) => cell.number() == *f,
        other => cell.text() == other.to_string(),
    }
}

impl Statistic {
    fn of(self, values: &[f64]) -> Interval {
        let known = !values.is_empty() && values.iter().all(|v| !v.is_nan());
        match self {
            Self::Mean => Interval::of(values),
            _ if !known => f64::NAN.into(),
            Self::Median => median(values).into(),
            Self::Max => max(values).into(),
            Self::Min => min(values).into(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::Max => "max",
            Self::Min => "min",
            Self::Mean => "mean",
        }
    }
}

impl Comparison {
    fn name(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Within => "within",
        }
    }
}
