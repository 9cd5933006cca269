//! The reproducibility checklist, filled in from the records, and where they come from.

use super::experiment::Experiment;
use super::{head, scroll};
use crate::report::table::Claim;
use maud::{Markup, html};
use std::collections::BTreeSet;
use std::iter;

/// Questions as conferences ask them, answered from the records.
pub fn checklist(paper: &str, experiments: &[Experiment], claims: &[Claim]) -> Markup {
    let of = |n: usize, all: usize| {
        let answer = if n == all { "yes" } else { ["no", "in part"][n.min(1)] };
        (answer, format!("{n} of {all}"))
    };
    let claim = |test: &dyn Fn(&Claim) -> bool| of(claims.iter().filter(|c| test(c)).count(), claims.len());
    let record =
        |test: &dyn Fn(&Experiment) -> bool| of(experiments.iter().filter(|e| test(e)).count(), experiments.len());
    let runs: usize = experiments.iter().map(|e| e.runs.rows.len()).sum();
    let diverged: usize = experiments.iter().map(|e| e.endings().get("diverged").copied().unwrap_or(0)).sum();
    let seconds: f64 = experiments.iter().map(|e| e.manifest.provenance.seconds).sum();
    let sources: BTreeSet<String> = experiments.iter().flat_map(|e| sources(&e.manifest.spec)).collect();
    let sources = sources.into_iter().collect::<Vec<_>>().join(", ");
    let sizes: BTreeSet<&str> = experiments.iter().map(|e| e.manifest.size.as_str()).collect();
    let commands: Vec<String> = sizes.iter().map(|size| format!("implicit-bias reproduce {paper} --{size}")).collect();
    let unsupported = claims.iter().filter(|c| c.cells[4] != "holds").count();

    let rows = [
        ("Was every claim written down before the run, with a reason for its tolerance?", {
            let (answer, n) = claim(&|c| !c.reason.is_empty());
            (answer, format!("{n} claims give a reason."))
        }),
        ("Does every claim rest on at least five runs, with their spread?", {
            let (answer, n) = claim(&|c| c.runs >= 5);
            (answer, format!("{n} claims; n and spread are in the table."))
        }),
        ("Are results that do not fit shown?", ("yes", format!("{unsupported} such claims, listed above."))),
        ("Are all runs accounted for?", {
            let (answer, n) = record(&|e| e.runs.rows.len() == e.manifest.runs);
            (answer, format!("{n} records hold every run: {runs} runs, {diverged} of which diverged and are kept."))
        }),
        ("Is the origin of the data stated?", (if sources.is_empty() { "no" } else { "yes" }, format!("{sources}."))),
        ("Are all settings stated?", {
            let (answer, n) = record(&|e| !e.manifest.spec.is_empty() && !e.manifest.first_run.is_empty());
            (answer, format!("{n} records hold the experiment as written and resolved, defaults and seeds included."))
        }),
        ("Is the version of the code stated, without local changes?", {
            let (answer, n) = record(&|e| !e.manifest.provenance.dirty && e.manifest.provenance.commit != "unknown");
            (answer, format!("{n} records are from a commit without changes."))
        }),
        ("Is the cost stated?", ("yes", format!("{seconds:.0} s of wall time in all; the machine is named below."))),
        ("Can it be run again with one command?", ("yes", commands.join("; "))),
    ];
    let table = html! {
        table {
            (head("Reproducibility checklist, filled in from the records", ["question", "answer", "evidence"]))
            tbody {
                @for (question, (answer, evidence)) in rows {
                    tr { th scope="row" { (question) } td { (answer) } td { (evidence) } }
                }
            }
        }
    };
    scroll("Reproducibility checklist", &table)
}

/// Every `source` (with its `set`) of the data named in a spec.
fn sources(spec: &str) -> Vec<String> {
    fn search(value: &toml::Value, found: &mut Vec<String>) {
        match value {
            toml::Value::Array(values) => values.iter().for_each(|v| search(v, found)),
            toml::Value::Table(table) => {
                let word = |key: &str| table.get(key).and_then(|v| v.as_str());
                let set = word("set").map_or(String::new(), |set| format!(" ({set})"));
                found.extend(word("source").map(|source| format!("{source}{set}")));
                table.values().for_each(|v| search(v, found));
            }
            _ => (),
        }
    }
    let mut found = vec![];
    let spec: toml::Table = toml::from_str(spec).unwrap_or_default();
    ["run", "grid", "size"].iter().filter_map(|key| spec.get(*key)).for_each(|value| search(value, &mut found));
    found
}

/// Facts that all records share, then those that differ, a row a record.
pub fn provenance(experiments: &[Experiment]) -> Markup {
    let facts = |e: &Experiment| {
        let mut facts = toml::Table::new();
        facts.insert("spec_hash".into(), e.manifest.spec_hash.clone().into());
        facts.insert("runs".into(), e.manifest.runs.to_string().into());
        facts.extend(toml::Table::try_from(&e.manifest.provenance).unwrap_or_default());
        facts
    };
    let all: Vec<(&str, toml::Table)> = experiments.iter().map(|e| (e.words.slug.as_str(), facts(e))).collect();
    let Some((_, first)) = all.first() else { return html! { p { "No records." } } };
    let (shared, own): (Vec<&String>, Vec<&String>) =
        first.keys().partition(|key| all.iter().all(|(_, facts)| facts.get(*key) == first.get(*key)));
    let value = |facts: &toml::Table, key: &str| match facts.get(key) {
        Some(toml::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let named = own.iter().map(|key| key.replace('_', " ")).collect::<Vec<_>>();
    let table = html! {
        table.data {
            (head("Where each record comes from", iter::once("record").chain(named.iter().map(String::as_str))))
            tbody {
                @for (slug, facts) in &all {
                    tr { th scope="row" { (slug) } @for key in &own { td { (value(facts, key)) } } }
                }
            }
        }
    };
    html! {
        dl { @for key in shared { dt { (key.replace('_', " ")) } dd { (value(first, key)) } } }
        (scroll("Provenance of each record", &table))
    }
}
