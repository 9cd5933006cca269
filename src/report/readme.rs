//! Tables inside a Markdown file, written from records.

use super::markdown::ExperimentPage;
use super::table::claims_of;
use crate::error::{InputError, Result};
use crate::record::{Store, read_summary};
use std::path::Path;

const BEGIN: &str = "<!-- verdicts of ";
const END: &str = "<!-- end of verdicts -->";

/// `text` with a new table after every line `<!-- verdicts of PAPER, … -->`, up to the next `<!-- end of verdicts -->`.
///
/// # Errors
/// If it has no such line, or one without an end, or if there are no records of that paper.
pub fn with_tables(text: &str, root: &Path) -> Result<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(BEGIN) {
        let inside = &rest[at + BEGIN.len()..];
        let (Some(line), Some(end)) = (inside.find('\n'), inside.find(END)) else {
            return Err(InputError::new(format!("a table of verdicts has no `{END}` after it")));
        };
        let paper = inside.split([',', ' ']).next().unwrap_or_default();
        out += &rest[..at + BEGIN.len() + line + 1];
        out += &table(paper, root)?;
        rest = &inside[end..];
    }
    if out.is_empty() {
        return Err(InputError::new(format!("has no line that begins with `{BEGIN}PAPER`: no table to write")));
    }
    Ok(out + rest)
}

fn table(paper: &str, root: &Path) -> Result<String> {
    let claims = claims_of(&read_summary(root)?, paper);
    let mut out = "| experiment | question | claims that hold |\n|---|---|---|\n".to_owned();
    let folders = Store::records(root, Some(paper))?;
    if folders.is_empty() {
        return Err(InputError::new(format!("no records of `{paper}` under {}", root.display())));
    }
    for folder in folders {
        let Some(manifest) = Store::manifest(&folder)? else { continue };
        let page = ExperimentPage::of(&manifest);
        let own: Vec<_> = claims.iter().filter(|c| c.slug() == page.slug).collect();
        let of = |verdict: &str| own.iter().filter(|c| c.cells[4] == verdict).count();
        let hold = match of("inconclusive") {
            0 => format!("{} of {}", of("holds"), own.len()),
            open => format!("{} of {}, {open} inconclusive", of("holds"), own.len()),
        };
        let (slug, question) = (&page.slug, page.question.trim().replace('|', "\\|"));
        out += &format!("| [{slug}]({}/{paper}/{slug}) | {question} | {hold} |\n", root.display());
    }
    Ok(out)
}
