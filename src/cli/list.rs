use super::json::say_json;
use super::{CatalogueArguments, Exit, Outcome, SizeArguments, say};
use crate::experiment::{Claim, load_all, select};
use clap::Args;

#[derive(Args)]
pub struct Arguments {
    /// Papers, experiments or regular expressions; none means everything
    filters: Vec<String>,
    /// One JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    size: SizeArguments,
    #[command(flatten)]
    catalogue: CatalogueArguments,
}

#[derive(Args)]
pub struct ShowArguments {
    /// An experiment, e.g. gunasekar2018/02-convolutional-depth-2 or 02-convolutional-depth-2
    id: String,
    /// One JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    size: SizeArguments,
    #[command(flatten)]
    catalogue: CatalogueArguments,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let size = arguments.size.size();
    let (mut lines, mut json) = (vec![], vec![]);
    for entry in select(load_all(arguments.catalogue.folder().as_deref())?, &arguments.filters)? {
        let spec = &entry.spec;
        let runs = if spec.is_at(size) { spec.resolve(&entry.id, size)?.runs.len() } else { 0 };
        lines.push(format!("{:44} {:4} runs, {} claims  {}", entry.id, runs, spec.claims.len(), spec.title));
        json.push(serde_json::json!({
            "id": entry.id, "title": spec.title, "question": spec.question, "claim": spec.claim, "source": spec.source,
            "runs": runs, "size": size.name(), "claims": spec.claims.iter().map(|c| &c.claim).collect::<Vec<_>>(),
        }));
    }
    if arguments.json {
        say_json(json)
    } else {
        say(&lines.join("\n"))
    }
    Ok(Exit::Holds)
}

pub fn show(arguments: &ShowArguments) -> Outcome {
    let (size, mut json) = (arguments.size.size(), vec![]);
    for entry in select(load_all(arguments.catalogue.folder().as_deref())?, std::slice::from_ref(&arguments.id))? {
        let spec = &entry.spec;
        let size = if spec.is_at(size) { size } else { spec.sizes.first().copied().unwrap_or(size) };
        let resolved = spec.resolve(&entry.id, size)?;
        if arguments.json {
            json.push(serde_json::json!({
                "id": entry.id, "size": size.name(), "runs": resolved.runs.len(), "parameters": resolved.parameters,
                "spec": spec,
            }));
            continue;
        }
        let claim = |c: &Claim| format!("  - {}\n      {}\n      because {}", c.claim, c.condition(), c.reason);
        say(&format!(
            "{}\n{}\n\nQuestion  {}\nClaim     {} ({})\n\n{}\n\nRuns at {} size: {} over {}\n\nExpected\n{}\n\nFigures: {}\n",
            entry.id,
            spec.title,
            spec.question,
            spec.claim,
            spec.source,
            spec.prose.trim(),
            size.name(),
            resolved.runs.len(),
            resolved.parameters.join(", "),
            spec.claims.iter().map(claim).collect::<Vec<_>>().join("\n"),
            spec.figures.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", "),
        ));
    }
    if arguments.json {
        say_json(json);
    }
    Ok(Exit::Holds)
}
