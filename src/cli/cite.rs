use super::json::say_json;
use super::{Exit, Outcome, say};
use crate::error::{InputError, Result};
use crate::experiment::did_you_mean;
use crate::report::bibliography::{authors_and_year, entry, field, papers};
use clap::Args;
use serde_json::{Value, json};

#[derive(Args)]
pub struct Arguments {
    /// Papers, e.g. gunasekar2018; none lists those that are known
    #[arg(value_name = "PAPER")]
    papers: Vec<String>,
    /// One JSON array: key, authors, title, year, BibTeX
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let known = papers();
    let chosen: Vec<&str> = match arguments.papers.is_empty() {
        true => known.clone(),
        false => arguments.papers.iter().map(|p| check(p, &known)).collect::<Result<_>>()?,
    };
    if arguments.json {
        say_json(chosen.into_iter().map(as_json).collect::<Vec<_>>());
    } else if arguments.papers.is_empty() {
        chosen.iter().for_each(|p| say(&format!("{p}  {}", citation(p))));
    } else {
        say(&chosen.iter().filter_map(|p| entry(p)).collect::<Vec<_>>().join("\n\n"));
    }
    Ok(Exit::Holds)
}

fn check<'a>(paper: &'a str, known: &[&str]) -> Result<&'a str> {
    let remedy = format!("{}See `implicit-bias cite`.", did_you_mean(known, paper));
    let unknown =
        || InputError::value("paper", format!("`{paper}`"), &format!("one of: {}", known.join(", ")), &remedy);
    known.contains(&paper).then_some(paper).ok_or_else(unknown)
}

/// Authors, year and title; the paper's key where the bibliography does not know it.
pub fn citation(paper: &str) -> String {
    match (authors_and_year(paper), field(paper, "title")) {
        (Some(authors), Some(title)) => format!("{authors}, {title}"),
        _ => paper.to_owned(),
    }
}

/// Null where the bibliography does not know the paper.
pub fn as_json(paper: &str) -> Value {
    let Some(bibtex) = entry(paper) else { return Value::Null };
    let authors: Vec<&str> = field(paper, "author").map(|a| a.split(" and ").collect()).unwrap_or_default();
    let year = field(paper, "year").and_then(|y| y.parse::<i64>().ok());
    json!({ "key": paper, "authors": authors, "title": field(paper, "title"), "year": year, "bibtex": bibtex })
}
