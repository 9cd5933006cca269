//! The page of a paper, `results/<paper>/README.md`.

use super::figure::pieces;
use super::table::{ABOUT_MEANS, Claim, count};
use crate::record::Manifest;

/// What the page says about one experiment; texts are Markdown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExperimentPage {
    /// Folder name under `results/<paper>/`.
    pub slug: String,
    /// Heading.
    pub title: String,
    /// The question in a sentence.
    pub question: String,
    /// What the paper claims.
    pub claim: String,
    /// The analysis.
    pub prose: String,
    /// (file stem, caption) of each figure.
    pub figures: Vec<(String, String)>,
}

impl ExperimentPage {
    /// The words of a stored record.
    pub fn of(manifest: &Manifest) -> Self {
        let spec: toml::Table = toml::from_str(&manifest.spec).unwrap_or_default();
        let word =
            |table: &toml::Table, key: &str| table.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let text = |key: &str| word(&spec, key).trim().to_owned();
        let figures = spec.get("figure").and_then(|f| f.as_array()).into_iter().flatten().filter_map(|f| f.as_table());
        let title = match manifest.missing {
            0 => text("title"),
            missing => format!("PARTIAL, {} of {} runs: {}", manifest.runs, manifest.runs + missing, text("title")),
        };
        Self {
            slug: manifest.experiment.clone(),
            title,
            question: text("question"),
            claim: format!("{} ({})", text("claim"), text("source")),
            prose: text("prose"),
            figures: figures.map(|f| (word(f, "name"), word(f, "caption"))).collect(),
        }
    }
}

/// The page of a paper: all verdicts first, then each experiment with question, claim, figures, prose and data.
///
/// Links are relative to `results/<paper>/`.
pub(super) fn markdown_page<'a>(
    title: &str,
    experiments: impl Iterator<Item = &'a ExperimentPage> + Clone,
    claims: &[Claim],
) -> String {
    let mut out = format!("# {title}\n\n{}.\n\n", count(claims));
    out.push_str(
        "| experiment | claim | predicted | measured ± spread (n) | tolerance (why) | verdict |\n|---|---|---|---|---|---|\n",
    );
    for claim in claims {
        let slug = claim.slug();
        let [words, predicted, measured, tolerance, verdict] = claim.cells.each_ref().map(|c| c.replace('|', "\\|"));
        let verdict = if verdict == "holds" { verdict } else { format!("**{verdict}**") };
        let reason = claim.reason.replace('|', "\\|");
        let tolerance = if reason.is_empty() { tolerance } else { format!("{tolerance} ({reason})").trim().to_owned() };
        let link = experiments.clone().find(|e| e.slug == slug).map(|e| format!("[{slug}](#{})", anchor(&e.title)));
        let link = link.unwrap_or_else(|| slug.to_owned());
        out.push_str(&format!("| {link} | {words} | {predicted} | {measured} | {tolerance} | {verdict} |\n"));
    }
    if claims.iter().any(Claim::is_mean) {
        out.push_str(&format!("\n{ABOUT_MEANS}\n"));
    }
    for page in experiments {
        let ExperimentPage { slug, title, question, claim, prose, figures } = page;
        out.push_str(&format!("\n## {title}\n"));
        for (name, text) in [("Question", question), ("Claim", claim)] {
            if !text.trim().is_empty() {
                out.push_str(&format!("\n**{name}.** {}\n", text.trim()));
            }
        }
        if !prose.trim().is_empty() {
            out.push_str(&format!("\n{}\n", prose.trim()));
        }
        for (name, caption) in figures {
            let caption = markup(caption.trim());
            out.push_str(&format!("\n![{}]({slug}/{name}.png)\n", plain(&caption)));
            if !caption.is_empty() {
                out.push_str(&format!("\n*Figure `{name}`.* {caption}\n"));
            }
        }
        let link = |file: &str| format!("[{file}]({slug}/{file})");
        let data = ["runs.csv", "trace.csv", "vectors.csv", "record.toml"].map(link).join(", ");
        out.push_str(&format!("\nData: {data}.\n"));
    }
    out
}

/// GitHub's anchor of a heading.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// `^{…}` and `_{…}` as HTML.
pub(super) fn markup(text: &str) -> String {
    let piece = |(text, level): (&str, i8)| match level {
        1 => format!("<sup>{text}</sup>"),
        -1 => format!("<sub>{text}</sub>"),
        _ => text.to_owned(),
    };
    pieces(text).into_iter().map(piece).collect()
}

/// Alternative text: no tags, no brackets, one line.
fn plain(text: &str) -> String {
    let text =
        ["<sup>", "</sup>", "<sub>", "</sub>", "[", "]"].iter().fold(text.to_owned(), |t, tag| t.replace(tag, ""));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::claims;

    #[test]
    fn page_has_verdicts_then_experiments() {
        let page = ExperimentPage {
            slug: "02-conv".into(),
            title: "Convolutions: ℓ1 in Fourier".into(),
            question: "Which norm?".into(),
            figures: vec![("margin".into(), "1 − γ/γ^{*} [all seeds]".into())],
            ..ExperimentPage::default()
        };
        let claims = claims(&super::super::table::tests::summary());
        let text = markdown_page("Gunasekar et al. 2018", [page].iter(), &claims);
        assert!(
            text.starts_with("# Gunasekar et al. 2018\n\n3 claims: 1 holds, 1 fails, 1 not run.\n\n| experiment"),
            "{text}"
        );
        assert!(text.contains("[02-conv](#convolutions-ℓ1-in-fourier)") && text.contains("depth \\| width"), "{text}");
        assert!(text.contains("![1 − γ/γ* all seeds](02-conv/margin.png)") && text.contains("γ<sup>*</sup>"), "{text}");
    }
}
