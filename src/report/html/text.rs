//! From a spec's words to HTML. Words become markup here and in `maud`'s templates, both of which escape.

use super::scroll;
use crate::report::figure::pieces;
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, Options, Parser};
use pulldown_latex::config::{DisplayMode, RenderConfig};

/// A title, claim, caption or number: plain words with `^{…}` and `_{…}`; powers of ten as such.
pub fn line(words: &str) -> Markup {
    html! {
        @for (text, level) in pieces(&powers(words.trim())) {
            @match level { 1 => sup { (text) }, -1 => sub { (text) }, _ => (text) }
        }
    }
}

/// `1e-6` as `10^{−6}`, `2.5e−7` as `2.5×10^{−7}`, `10^20` as `10^{20}`, `q^(ρ−1)` as `q^{ρ−1}`.
fn powers(words: &str) -> String {
    let (mut out, mut rest) = (String::new(), words);
    while let Some(at) = rest.find(['e', '^']) {
        let (before, sign) = rest.split_at(at);
        let tail = &sign[1..];
        out.push_str(before);
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let minus = tail.chars().next().filter(|c| ['-', '−'].contains(c)).map_or(0, char::len_utf8);
        let exponent = minus + digits(&tail[minus..]);
        let ends = !tail[exponent..].starts_with(char::is_alphanumeric);
        let mantissa = out.len() - out.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let alone = !out[..out.len() - mantissa].ends_with(char::is_alphanumeric);
        let power = format!("^{{{}}}", tail[..exponent].replace('-', "−"));
        let bracket = tail.find(')').filter(|_| sign.starts_with("^("));
        rest = if let Some(end) = bracket {
            out.push_str(&format!("^{{{}}}", &tail[1..end]));
            &tail[end + 1..]
        } else if exponent > minus && sign.starts_with('^') {
            out.push_str(&power);
            &tail[exponent..]
        } else if exponent > minus && ends && mantissa > 0 && alone {
            match out.ends_with('1') && mantissa == 1 {
                true => out.truncate(out.len() - 1),
                false => out.push('×'),
            }
            out.push_str(&format!("10{power}"));
            &tail[exponent..]
        } else {
            out.push_str(&sign[..1]);
            tail
        };
    }
    out + rest
}

/// The same without markup, for attributes and descriptions.
pub fn plain(words: &str) -> String {
    pieces(words.trim()).into_iter().map(|(text, _)| text).collect()
}

/// Prose: Markdown with tables and `$…$` for mathematics. HTML in it is shown as it stands, not interpreted.
pub fn prose(markdown: &str) -> Markup {
    let events = Parser::new_ext(markdown, Options::ENABLE_MATH | Options::ENABLE_TABLES).map(|event| match event {
        Event::InlineMath(tex) => Event::InlineHtml(mathml(&tex, DisplayMode::Inline).into()),
        Event::DisplayMath(tex) => Event::InlineHtml(mathml(&tex, DisplayMode::Block).into()),
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        other => other,
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events);
    html! {
        @for part in out.split_inclusive("</table>") {
            @let (words, table) = part.split_at(part.find("<table>").unwrap_or(part.len()));
            (PreEscaped(words))
            @if !table.is_empty() { (scroll("table", &PreEscaped(table.to_owned()))) }
        }
    }
}

/// TeX as MathML; what cannot be read is shown as an error in its place.
fn mathml(tex: &str, display_mode: DisplayMode) -> String {
    let (storage, config) = (pulldown_latex::Storage::new(), RenderConfig { display_mode, ..RenderConfig::default() });
    let mut out = String::new();
    // Writing to memory cannot fail.
    let _ = pulldown_latex::push_mathml(&mut out, pulldown_latex::Parser::new(tex, &storage), config);
    // Operators come as they are.
    out.replace("><</", ">&lt;</").replace(">&</", ">&amp;</")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_set_as_such() {
        for (words, set) in [
            ("within 1e-6, every run", "within 10<sup>−6</sup>, every run"),
            ("1.257e−7 ± 1e−9 (20)", "1.257×10<sup>−7</sup> ± 10<sup>−9</sup> (20)"),
            (
                "exp(−10^290), q^(ρ−1), ‖β‖_{2/L} < 11e3",
                "exp(−10<sup>290</sup>), q<sup>ρ−1</sup>, ‖β‖<sub>2/L</sub> &lt; 11×10<sup>3</sup>",
            ),
            ("see the 3 extremes, a1e5, 2ex, x^, 8×8", "see the 3 extremes, a1e5, 2ex, x^, 8×8"),
            ("q^(", "q^("),
        ] {
            assert_eq!(line(words).into_string(), set);
        }
    }

    #[test]
    fn prose_is_markdown_with_mathml_and_without_html() {
        let html = prose("a *b* $x^2 < \\max_n m_n$ <script>alert(1)</script>\n\n$$\\sum_i p_i$$").into_string();
        assert!(
            html.contains("<em>b</em> <math")
                && html.contains("<msup>")
                && html.contains("<mo>&lt;</mo>")
                && html.contains("display=\"block\""),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
        let html = prose("| n | <table> |\n| - | - |\n| 1 | 2 |").into_string();
        assert!(html.starts_with("<div class=\"scroll\"") && html.contains("<th>&lt;table&gt;</th>"), "{html}");
        assert!(html.ends_with("<td>1</td><td>2</td></tr>\n</tbody></table></div>\n"), "{html}");
    }
}
