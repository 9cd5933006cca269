use super::cite::{as_json, citation};
use super::json::{rows, say_json};
use super::{CatalogueArguments, Exit, Outcome, results_folder, say};
use crate::error::{InputError, Result};
use crate::experiment::kinds::meaning;
use crate::experiment::{Claim, Entry, Size, did_you_mean, load_all};
use crate::record::read_summary;
use crate::record::table::Table;
use crate::report::table::outcomes;
use clap::Args;
use regex::RegexBuilder;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// An experiment, or words of a claim (a regular expression; case does not matter)
    #[arg(required = true)]
    claim: Vec<String>,
    /// Results folder with the stored verdicts [default: results, or results/full for an experiment of that size only]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    catalogue: CatalogueArguments,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let entries = load_all(arguments.catalogue.folder().as_deref())?;
    let (entry, claims) = find(&entries, &arguments.claim.join(" "))?;
    let size = if entry.spec.is_at(Size::Quick) { Size::Quick } else { Size::Full };
    let summary = read_summary(&results_folder(arguments.from.as_ref(), size))?;
    let verdicts: Vec<Table> = claims.iter().map(|claim| stored(&summary, &entry.id, claim)).collect();
    let explained: Vec<(&Claim, &Table)> = claims.into_iter().zip(&verdicts).collect();
    match arguments.json {
        true => say_json(object(entry, &explained)),
        false => say(&words(entry, &explained)),
    }
    Ok(Exit::Holds)
}

/// The one experiment that is meant, and those of its claims that are.
fn find<'a>(entries: &'a [Entry], wanted: &str) -> Result<(&'a Entry, Vec<&'a Claim>)> {
    let all = |e: &'a Entry| (e, e.spec.claims.iter().collect::<Vec<_>>());
    if let Some(entry) = entries.iter().find(|e| e.id == wanted || e.id.ends_with(&format!("/{wanted}"))) {
        return Ok(all(entry));
    }
    let regex = RegexBuilder::new(wanted).case_insensitive(true).build().ok();
    let matches = |text: String| {
        text.to_lowercase().contains(&wanted.to_lowercase()) || regex.as_ref().is_some_and(|r| r.is_match(&text))
    };
    // A match of the experiment itself means all its claims; one of a claim may name the experiment in front of it.
    let of_entry = |e: &'a Entry| match matches(format!("{} {}", e.id, e.spec.title)) {
        true => all(e),
        false => (e, e.spec.claims.iter().filter(|c| matches(format!("{}: {}", e.id, c.claim))).collect()),
    };
    let mut found: Vec<_> = entries.iter().map(of_entry).filter(|(_, claims)| !claims.is_empty()).collect();
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    if found.is_empty() {
        let ids: Vec<&str> = entries.iter().map(|e| e.id.as_str()).collect();
        let remedy = format!("{}`implicit-bias list` has the experiments.", did_you_mean(&ids, wanted));
        let allowed = "an experiment, or words of a claim";
        return Err(InputError::value("claim", format!("{wanted:?}"), allowed, &remedy));
    }
    let candidate = |(e, claims): &(&Entry, Vec<&Claim>)| match claims.len() == e.spec.claims.len() {
        true => format!("\n  {}", e.id),
        false => claims.iter().map(|c| format!("\n  {}: {}", e.id, c.claim)).collect(),
    };
    let list: String = found.iter().map(candidate).collect();
    Err(InputError::new(format!(
        "{wanted:?} is in several experiments. Say which, e.g. with one of these lines:{list}"
    )))
}

/// The stored row of a claim, unless it judged another condition.
fn stored(summary: &Table, id: &str, claim: &Claim) -> Table {
    let text = |row: &[_], name: &str| -> String {
        summary.column(name).and_then(|c| row.get(c)).map(crate::record::table::Cell::text).unwrap_or_default()
    };
    let number = |row: &[_], name: &str| text(row, name).parse::<f64>().ok();
    let mut own = summary.clone();
    own.rows.retain(|row| {
        let condition = (number(row, "expected"), number(row, "tolerance")) == (Some(claim.value), claim.tolerance);
        let names = format!("{}/{}", text(row, "paper"), text(row, "experiment")) == id;
        names && condition && text(row, "claim") == claim.claim && text(row, "metric") == claim.metric_text()
    });
    own
}

/// Axis by axis, what the runs have in common and what varies; long lists are counted.
fn regime(entry: &Entry) -> String {
    let common = entry.spec.run.iter().map(|(key, value)| format!("{key} = {value}"));
    let varied = entry.spec.grid.iter().map(|(key, values)| {
        let label = |v: &toml::Value| v.get("label").unwrap_or(v).to_string().replace('"', "");
        let values: Vec<String> = values.as_array().into_iter().flatten().map(label).collect();
        match values.len() {
            0..=6 => format!("{key}: {}", values.join(", ")),
            n => format!("{key}: {n} values"),
        }
    });
    common.chain(varied).collect::<Vec<_>>().join("\n          ")
}

fn words(entry: &Entry, explained: &[(&Claim, &Table)]) -> String {
    let spec = &entry.spec;
    let claim = |(claim, row): &(&Claim, &Table)| {
        format!(
            "{}\n  measured   {}: {}\n  condition  {}\n  because    {}\n  stored     {}\n",
            claim.claim,
            claim.metric,
            meaning(&claim.metric).unwrap_or_default(),
            claim.condition(),
            claim.reason,
            outcomes(row).pop().unwrap_or_else(|| "no verdict here; see `implicit-bias reproduce`".into()),
        )
    };
    format!(
        "{}\n{}\n\nTheorem   {} ({})\nQuestion  {}\nRegime    {}\n\n{}\nRead on   {}\n          implicit-bias show {}, implicit-bias cite {}",
        entry.id,
        spec.title,
        spec.claim,
        spec.source,
        spec.question,
        regime(entry),
        explained.iter().map(claim).collect::<Vec<_>>().join("\n"),
        citation(paper(entry)),
        entry.id,
        paper(entry),
    )
}

fn object(entry: &Entry, explained: &[(&Claim, &Table)]) -> Value {
    let spec = &entry.spec;
    let claim = |(claim, row): &(&Claim, &Table)| {
        json!({
            "claim": claim.claim, "measured": claim.metric_text(), "meaning": meaning(&claim.metric),
            "condition": claim.condition(), "reason": claim.reason, "stored": rows(row).pop(),
        })
    };
    json!({
        "id": entry.id, "title": spec.title, "theorem": spec.claim, "source": spec.source, "question": spec.question,
        "regime": { "run": spec.run, "grid": spec.grid }, "reference": as_json(paper(entry)),
        "claims": explained.iter().map(claim).collect::<Vec<_>>(),
    })
}

fn paper(entry: &Entry) -> &str {
    entry.id.split('/').next().unwrap_or_default()
}
