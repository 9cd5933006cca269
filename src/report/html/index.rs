//! `results/index.html`.

use super::svg::Palette;
use super::{document, head, scroll};
use crate::report::bibliography::{authors_and_year, field};
use crate::report::table::Claim;
use maud::html;

/// The papers of a results folder, each with its number of experiments and its claims.
pub fn index_page(papers: &[(String, usize, Vec<Claim>)]) -> String {
    let of = |claims: &[Claim], verdict: &str| claims.iter().filter(|c| c.cells[4] == verdict).count();
    let any = papers.iter().any(|(.., claims)| of(claims, "inconclusive") > 0);
    let names = if any { &["holds", "fails", "inconclusive", "not-run"][..] } else { &["holds", "fails", "not-run"] };
    let table = html! {
        table {
            (head("Papers and the verdicts on them", ["paper"].into_iter().chain(names.iter().copied())))
            tbody {
                @for (paper, experiments, claims) in papers {
                    tr {
                        th scope="row" {
                            a href=(format!("{paper}/report.html")) { (field(paper, "title").unwrap_or(paper)) }
                            small { (authors_and_year(paper).unwrap_or_default()) }
                            small { (experiments) " experiments, " (claims.len()) " claims" }
                        }
                        @for name in names { td { (of(claims, name)) } }
                    }
                }
            }
        }
    };
    let body = html! {
        header {
            h1 { "Results" }
            p.lead { "What was claimed, measured and judged, paper by paper." }
        }
        main { (scroll("Papers", &table)) }
    };
    document("Results", &Palette::default(), &body)
}
