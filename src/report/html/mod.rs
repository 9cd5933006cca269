//! Pages that are one file each: no script, no network, figures inside.

mod checklist;
mod experiment;
mod index;
mod paper;
mod svg;
mod text;

pub use experiment::Experiment;
pub use index::index_page;
pub use paper::paper_page;

use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use svg::Palette;

const STYLE: &str = include_str!("style.css");

/// A whole page: nothing may run or load, and only this style may apply.
fn document(title: &str, palette: &Palette, body: &Markup) -> String {
    let [light, dark] = [0, 1].map(|theme| palette.css(theme));
    let style = format!("{STYLE}:root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n");
    let hash = BASE64_STANDARD.encode(Sha256::digest(&style));
    let policy = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src";
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(format!("{policy} 'sha256-{hash}'"));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// A table, or whatever may be wider than a phone, in a box of its own that scrolls, by keyboard too.
fn scroll(label: &str, content: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="group" aria-label=(label) { (content) } }
}

/// The header of a table and its caption.
fn head<'a>(caption: &str, names: impl IntoIterator<Item = &'a str>) -> Markup {
    html! {
        caption { (caption) }
        thead { tr { @for name in names { th scope="col" { (name) } } } }
    }
}

/// A verdict with its sign; colour is never the only difference.
fn verdict(word: &str) -> Markup {
    let (sign, class) = match word {
        "holds" => ("✓", "holds"),
        "fails" => ("✗", "fails"),
        "inconclusive" => ("?", "open"),
        _ => ("–", "open"),
    };
    html! { span.verdict.(class) { span aria-hidden="true" { (sign) " " } (word) } }
}
