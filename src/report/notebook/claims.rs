//! Claims as assertions, and the cell that invites to look again.

use super::python::{dict, literal, number, selected, string};
use super::raised;
use super::sheet::Sheet;
use crate::record::table::Table;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Value;

/// A claim of a spec.
#[derive(Deserialize)]
pub struct Expectation {
    claim: String,
    metric: String,
    #[serde(default, rename = "where")]
    filter: BTreeMap<String, Value>,
    #[serde(default)]
    versus: BTreeMap<String, Value>,
    #[serde(default)]
    minus: BTreeMap<String, Value>,
    #[serde(default)]
    statistic: Statistic,
    comparison: String,
    value: f64,
    #[serde(default)]
    tolerance: f64,
    reason: String,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Statistic {
    #[default]
    Median,
    Max,
    Min,
    Mean,
}

impl Statistic {
    fn name(self) -> &'static str {
        match self {
            Statistic::Median => "median",
            Statistic::Max => "max",
            Statistic::Min => "min",
            Statistic::Mean => "mean",
        }
    }
}

impl Expectation {
    /// What is true if the claim holds, and what if it fails, in Python.
    fn conditions(&self) -> [String; 2] {
        let (value, tolerance) = (number(self.value), number(self.tolerance));
        let mean = self.statistic == Statistic::Mean;
        let [holds, fails] = match self.comparison.as_str() {
            ">=" if mean => [format!("low >= {value}"), format!("high < {value}")],
            "<=" if mean => [format!("high <= {value}"), format!("low > {value}")],
            _ if mean => [
                format!("abs(value - {value}) + (high - value) <= {tolerance}"),
                format!("abs(value - {value}) - (high - value) > {tolerance}"),
            ],
            "within" => [format!("abs(value - {value}) <= {tolerance}"), String::new()],
            comparison => [format!("value {comparison} {value}"), String::new()],
        };
        let fails = if mean { format!("{fails} or not math.isfinite(value)") } else { format!("not ({holds})") };
        [holds, fails]
    }

    fn code(&self, n: usize, verdict: &str) -> String {
        let (metric, name) = (string(&self.metric), self.statistic.name());
        let values = |filter| format!("{}[{metric}]", selected("runs", filter, literal));
        let mut out = format!("values = {}\n", values(&self.filter));
        let (partners, sign, of) = match (self.versus.is_empty(), self.minus.is_empty()) {
            (false, _) => (&self.versus, '/', " relative to its partner"),
            (_, false) => (&self.minus, '-', " above its partner"),
            _ => (&self.versus, '/', ""),
        };
        if !partners.is_empty() {
            out += &format!("partners = {}\n", values(partners));
            out += match verdict {
                "not-run" => "values, partners = values[: len(partners)], partners[: len(values)]\n",
                _ => "assert len(values) == len(partners), \"every run needs its partner, in grid order\"\n",
            };
            out += &format!("values = values {sign} partners.to_numpy()\n");
        }
        let mean = self.statistic == Statistic::Mean;
        out += &match mean {
            true => format!("value, low, high = interval(values)\nmeasured[{n}] = value\n"),
            false => format!("measured[{n}] = value = float(values.{name}(skipna=False))\n"),
        };
        let [condition, fails] = self.conditions();
        let ends = if mean { " [{low:.6g}, {high:.6g}]" } else { "" };
        out += &format!("print(f\"{name} {}{of} over {{len(values)}} runs: {{value:.6g}}{ends}\")\n", self.metric);
        let message = format!("f\"{name} {}{of} is {{value!r}}, but the claim is {condition}\"", self.metric);
        out + &match verdict {
            "holds" => format!("assert {condition}, {message}"),
            "fails" => {
                format!("assert {fails}, f\"the record says that this fails, but the value is {{value!r}}\"")
            }
            "inconclusive" => format!(
                "assert not ({condition} or {fails}), \
                 f\"the record says that this is inconclusive, but the interval is {{low!r}} to {{high!r}}\""
            ),
            _ => format!("# Not judged at this size: {condition}"),
        }
    }
}

/// Text and code of every claim, then all numbers beside those of summary.csv.
pub fn claim_cells(sheet: &mut Sheet, (paper, experiment): (&str, &str), all: &[Expectation], verdicts: &[String]) {
    if all.is_empty() {
        return;
    }
    sheet.text(
        "claims",
        "## Claims\n\nWritten into the spec before the runs. Each cell fails if the numbers do not bear it out.",
    );
    if all.iter().any(|one| one.statistic == Statistic::Mean) {
        sheet.code("interval", include_str!("python/interval.py"));
    }
    sheet.code("measured", "measured = {}");
    for (i, (one, verdict)) in all.iter().zip(verdicts).enumerate() {
        let n = i + 1;
        let verdict_words = match verdict.as_str() {
            "fails" => "\n\nThe record says that this claim **fails**, and it stays here.",
            "inconclusive" => "\n\nThe record says that this claim is **inconclusive**: the interval reaches across.",
            "not-run" => "\n\nIt is not judged at the size of this record.",
            _ => "",
        };
        sheet.text(
            &format!("claim-{n}"),
            &format!("**{n}. {}.** Why this value: {}.{verdict_words}", raised(&one.claim), raised(&one.reason)),
        );
        sheet.code(&format!("verdict-{n}"), &one.code(n, verdict));
    }
    sheet.text("program", "The program's own numbers, in `summary.csv`, are the same:");
    sheet.code(
        "summary",
        &format!(
            "summary = pd.read_csv(f\"{{RESULTS}}/../../summary.csv\", **READ)\n\
             summary = select(summary, {{\"paper\": {}, \"experiment\": {}}})\n\
             summary = summary[[\"claim\", \"measured\", \"verdict\"]].assign(here=list(measured.values()))\n\
             assert np.allclose(summary[\"here\"], summary[\"measured\"], rtol=1e-12, atol=0, equal_nan=True), summary\n\
             summary",
            string(paper),
            string(experiment)
        ),
    );
}

/// The share of runs below a threshold, for the reader to change.
pub fn look_again(sheet: &mut Sheet, all: &[Expectation], runs: &Table, parameters: &[&str]) {
    let Some(first) = all.iter().find(|e| e.versus.is_empty() && e.minus.is_empty()).or(all.first()) else { return };
    let values = |name: &str| -> Vec<String> {
        let column = runs.column(name);
        let seen: BTreeSet<String> = runs.rows.iter().filter_map(|r| column.map(|c| r[c].text())).collect();
        seen.into_iter().collect()
    };
    let by = parameters.iter().copied().find(|p| (2..=7).contains(&values(p).len()));
    let example = by.and_then(|p| Some((p, runs.rows.last()?[runs.column(p)?].text())));
    let example = example.filter(|_| first.filter.is_empty()).map_or(String::new(), |(p, v)| {
        format!("  # for example {{{}: {}}}", string(p), if v.parse::<f64>().is_ok() { v } else { string(&v) })
    });
    let beyond = if first.comparison == ">=" { ">=" } else { "<=" };
    sheet.text(
        "again",
        "## Change something and look\n\nAnother threshold, another metric (any column of `runs`), a part of the runs: \
         how many meet it, and how far are the others?",
    );
    let (group, label) = match by {
        Some(p) => (format!("finite.groupby({}, sort=False)", string(p)), format!("f\"{p} = {{value}}\"")),
        None => ("[(\"\", finite)]".to_owned(), "None".to_owned()),
    };
    sheet.code(
        "look",
        &format!(
            "metric = {}\nthreshold = {}\nsubset = {}{example}\n\n\
             chosen = select(runs, subset)\n\
             fig, ax = plt.subplots(figsize=(5, 3.2), layout=\"constrained\")\n\
             finite = chosen[np.isfinite(chosen[metric])]\n\
             for value, rows in {group}:\n    ax.ecdf(rows[metric], label={label})\n\
             ax.axvline(threshold, color=\"black\", linestyle=\"--\", linewidth=0.9, label=\"threshold\")\n\
             ax.set(xlabel=metric, ylabel=\"share of runs at or below\", ylim=(0, 1.02))\n\
             ax.set_xscale(\"log\" if (finite[metric] > 0).all() else \"linear\")\n\
             show(fig)\n\
             print(f\"{{(chosen[metric] {beyond} threshold).sum()}} of {{len(chosen)}} runs have {{metric}} {beyond} {{threshold:g}}\")",
            string(&first.metric),
            number(first.value),
            dict(&first.filter, literal),
        ),
    );
}
