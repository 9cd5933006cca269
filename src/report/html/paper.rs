//! `results/<paper>/report.html`.

use super::checklist::{checklist, provenance};
use super::experiment::Experiment;
use super::svg::Palette;
use super::text::line;
use super::{document, verdict};
use crate::report::bibliography::{authors_and_year, field};
use crate::report::table::{ABOUT_MEANS, Claim, count};
use maud::{Markup, html};

const SECTIONS: [(&str, &str); 5] = [
    ("verdicts", "Verdicts"),
    ("unsupported", "Not supported"),
    ("experiments", "Experiments"),
    ("checklist", "Reproducibility"),
    ("provenance", "Provenance"),
];

/// The page of a paper: verdicts, what is not supported, every experiment, checklist, provenance.
pub fn paper_page(paper: &str, experiments: &[Experiment], claims: &[Claim]) -> String {
    let mut palette = Palette::default();
    let own = |slug: &str| claims.iter().filter(|c| c.slug() == slug).collect::<Vec<_>>();
    let sections: Vec<Markup> = experiments.iter().map(|e| e.section(&own(&e.words.slug), &mut palette)).collect();
    let body = html! {
        header {
            p.meta { a href="../index.html" { "All papers" } }
            h1 { (field(paper, "title").unwrap_or(paper)) }
            p.meta { (authors_and_year(paper).unwrap_or_default()) " · " (paper) }
            p.lead { (count(claims)) "." }
            nav aria-label="On this page" {
                @for (id, name) in SECTIONS { a href=(format!("#{id}")) { (name) } }
            }
        }
        main {
            section aria-labelledby="verdicts" {
                h2 id="verdicts" { "Verdicts" }
                p {
                    "Every claim, its value and its tolerance were written down before the run. "
                    em { "Measured" } " is the statistic named under the claim, over " em { "n" }
                    " runs; the spread reaches to the farthest of them."
                    @if claims.iter().any(Claim::is_mean) { " " (ABOUT_MEANS) }
                }
                (verdicts(experiments, &own))
            }
            section aria-labelledby="unsupported" {
                h2 id="unsupported" { "Claims that fail or are out of reach" }
                (unsupported(claims))
            }
            section aria-labelledby="experiments" {
                h2 id="experiments" { "Experiments" }
                @for section in &sections { (section) }
            }
            section aria-labelledby="checklist" {
                h2 id="checklist" { "Reproducibility checklist" }
                (checklist(paper, experiments, claims))
            }
            section aria-labelledby="provenance" {
                h2 id="provenance" { "Provenance" }
                (provenance(experiments))
            }
        }
    };
    document(&format!("{paper}: what holds, what fails"), &palette, &body)
}

fn verdicts<'a>(experiments: &[Experiment], own: &dyn Fn(&str) -> Vec<&'a Claim>) -> Markup {
    let header = ["claim", "predicted", "measured ± spread (n)", "tolerance and its reason", "verdict"];
    // On a phone rows become cards, and a table that is no longer displayed as one needs its roles said.
    html! {
        table.verdicts role="table" {
            caption { "Claims by experiment, with their verdicts" }
            thead role="rowgroup" {
                tr role="row" { @for name in header { th scope="col" role="columnheader" { (name) } } }
            }
            @for experiment in experiments {
                @let slug = &experiment.words.slug;
                tbody role="rowgroup" id=(format!("verdicts-{slug}")) {
                    tr.group role="row" {
                        th scope="rowgroup" colspan="5" role="rowheader" {
                            a href=(format!("#{slug}")) { (line(&experiment.words.title)) } " " small { (slug) }
                        }
                    }
                    @for claim in own(slug) { (claim_row(claim)) }
                }
            }
        }
    }
}

fn claim_row(claim: &Claim) -> Markup {
    let [words, predicted, measured, tolerance, outcome] = &claim.cells;
    html! {
        tr.claim role="row" {
            th scope="row" role="rowheader" { (line(words)) code { (claim.metric) } }
            td role="cell" data-name="predicted" { (line(predicted)) }
            td role="cell" data-name="measured" { (line(measured)) }
            td role="cell" data-name="tolerance" { (line(tolerance)) " " span.reason { (line(&claim.reason)) } }
            td role="cell" { (verdict(outcome)) }
        }
    }
}

/// Always there: that nothing is missing is said, not left out.
fn unsupported(claims: &[Claim]) -> Markup {
    let with = |verdict: &str| claims.iter().filter(|c| c.cells[4] == verdict).collect::<Vec<_>>();
    let list = |claims: &[&Claim]| {
        html! {
            ul {
                @for claim in claims {
                    li {
                        a href=(format!("#verdicts-{}", claim.slug())) { (line(&claim.cells[0])) }
                        ": predicted " (line(&claim.cells[1])) ", measured " (line(&claim.cells[2]))
                        ". Why this value: " (line(&claim.reason)) "."
                    }
                }
            }
        }
    };
    let (fails, undecided, open) = (with("fails"), with("inconclusive"), with("not-run"));
    html! {
        h3 { "Claims that fail" }
        @if fails.is_empty() { p { "None." } } @else { (list(&fails)) }
        @if !undecided.is_empty() { h3 { "Inconclusive claims" } (list(&undecided)) }
        h3 { "Claims out of reach at this size" }
        @if open.is_empty() { p { "None: every claim was judged." } } @else { (list(&open)) }
    }
}
