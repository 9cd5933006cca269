use super::json::say_json;
use super::{CatalogueArguments, Exit, Outcome, SizeArguments, results_folder, say};
use crate::experiment::{Plan, ResolvedSpec, load_all, resolve_all, select};
use crate::record::survey::{Piece, What, pieces};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// Papers, experiments or regular expressions; none means everything
    #[arg(value_name = "PAPER|EXPERIMENT|REGEX")]
    filters: Vec<String>,
    #[command(flatten)]
    size: SizeArguments,
    /// Results folder [default: results for quick size, results/smoke, results/full]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    catalogue: CatalogueArguments,
}

/// `reproduce --dry-run`; `how`: with --fresh, --verbose, --json.
pub fn dry_run(specs: &[ResolvedSpec], root: &Path, jobs: usize, how: (bool, bool, bool)) -> Outcome {
    let (fresh, verbose, json) = how;
    let (mut lines, mut values) = (vec![], vec![]);
    let (mut to_run, mut total, mut seconds) = (0, 0, Some(0.0));
    for spec in specs {
        let mut plan = Plan::new(spec, root)?;
        if fresh {
            plan.compute_all();
        }
        let words = |cached: &bool| if *cached { "cached" } else { "to run" };
        (to_run, total) = (to_run + plan.to_run(), total + plan.cached.len());
        seconds = seconds.zip(plan.seconds).map(|(all, this)| all + this);
        let time = if plan.to_run() > 0 { format!(", {}", about(plan.seconds, jobs)) } else { String::new() };
        lines.push(format!("{:44} {}{time}{}", spec.id, counts(&plan), remarks(&plan)));
        let named = spec.runs.iter().zip(&plan.cached);
        if verbose {
            lines.extend(named.clone().map(|(run, cached)| {
                let values = spec.parameters.iter().zip(&run.values);
                let values: Vec<String> =
                    values.map(|(p, v)| format!("{p}={}", v.to_string().replace('"', ""))).collect();
                format!("  {:6} {} {}", words(cached), run.id, values.join(" "))
            }));
        }
        let mut value = as_json(spec, &plan);
        value["seconds"] = plan.seconds.into();
        value["run_states"] =
            named.map(|(run, cached)| serde_json::json!({ "run": run.id, "state": words(cached) })).collect();
        values.push(value);
    }
    lines.push(format!("{to_run} of {total} runs to do, {}", about(seconds, jobs)));
    if json {
        say_json(values)
    } else {
        say(&lines.join("\n"))
    }
    Ok(Exit::Holds)
}

/// `status`.
pub fn status(arguments: &Arguments) -> Outcome {
    let size = arguments.size.size();
    let root = results_folder(arguments.out.as_ref(), size);
    let entries = select(load_all(arguments.catalogue.folder().as_deref())?, &arguments.filters)?;
    let specs = resolve_all(&entries, size)?;
    let there = if root.is_dir() { pieces(&root)? } else { vec![] };
    let (mut lines, mut values) = (vec![], vec![]);
    for spec in &specs {
        let plan = Plan::new(spec, &root)?;
        let own: Vec<&Piece> = there.iter().filter(|p| is_of(p, spec)).collect();
        let facts: Vec<String> = own.iter().filter(|p| p.what != What::Cache).map(|p| fact(p)).collect();
        let state = match (plan.recorded, own.iter().any(|p| p.what == What::Partial)) {
            (true, false) if plan.another_spec => "stale",
            (true, false) => "finished",
            (_, true) => "partial",
            (false, false) => "absent",
        };
        let facts = if facts.is_empty() { String::new() } else { format!("  [{}]", facts.join("; ")) };
        lines.push(format!("{:44} {state:8}  {}{}{facts}", spec.id, counts(&plan), remarks(&plan)));
        let mut value = as_json(spec, &plan);
        value["state"] = state.into();
        value["pieces"] = own.iter().map(|p| piece_json(p)).collect();
        values.push(value);
    }
    if arguments.filters.is_empty() {
        for piece in there.iter().filter(|p| p.what != What::Cache && !specs.iter().any(|s| is_of(p, s))) {
            let id = format!("{}/{}", piece.paper, piece.experiment);
            lines.push(format!("{id:44} unknown   no experiment of this name  [{}]", fact(piece)));
            values.push(serde_json::json!({ "id": id, "state": "unknown", "pieces": [piece_json(piece)] }));
        }
    }
    let bytes: u64 = there.iter().map(|p| p.bytes).sum();
    let papers = there.iter().map(|p| &p.paper).collect::<BTreeSet<_>>().len();
    lines.push(format!("{}: {papers} papers, {}", root.display(), size_of(bytes)));
    if arguments.json {
        say_json(values)
    } else {
        say(&lines.join("\n"))
    }
    Ok(Exit::Holds)
}

fn is_of(piece: &Piece, spec: &ResolvedSpec) -> bool {
    spec.names() == (piece.paper.as_str(), piece.experiment.as_str())
}

fn as_json(spec: &ResolvedSpec, plan: &Plan) -> serde_json::Value {
    serde_json::json!({
        "id": spec.id, "state": plan.state(), "why": plan.why, "runs": plan.cached.len(), "cached": plan.finished(),
        "to_run": plan.to_run(), "stale": plan.stale, "needs_replace": plan.another_spec,
    })
}

fn piece_json(p: &Piece) -> serde_json::Value {
    let what = format!("{:?}", p.what).to_lowercase();
    serde_json::json!({ "what": what, "folder": p.folder, "bytes": p.bytes, "age_seconds": p.age.as_secs() })
}

fn counts(plan: &Plan) -> String {
    let of = |n: usize, word: &str| if n > 0 { Some(format!("{n} {word}")) } else { None };
    let parts = [of(plan.finished(), "cached"), of(plan.to_run(), "to run"), of(plan.stale, "stale")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn remarks(plan: &Plan) -> String {
    let why = plan.why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
    if plan.another_spec { format!("{why}; needs --replace") } else { why }
}

/// E.g. `record 1.3 MB, 2 h old`.
pub fn fact(piece: &Piece) -> String {
    let what = match piece.what {
        What::Record => "record",
        What::Partial => "partial",
        What::Cache => "cache",
    };
    let seconds = piece.age.as_secs();
    let age = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    format!("{what} {}, {age} old", size_of(piece.bytes))
}

pub fn size_of(bytes: u64) -> String {
    match bytes {
        0..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn about(seconds: Option<f64>, jobs: usize) -> String {
    match seconds.map(|s| s / jobs as f64) {
        None => "time unknown".into(),
        Some(s) if s < 1.0 => "below 1 s".into(),
        Some(s) if s < 120.0 => format!("about {s:.0} s"),
        Some(s) if s < 7200.0 => format!("about {:.0} min", s / 60.0),
        Some(s) => format!("about {:.1} h", s / 3600.0),
    }
}
