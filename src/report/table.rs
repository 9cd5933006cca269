//! The verdict table for the terminal.

use crate::record::table::{Cell, Table};

/// How a mean is shown and judged, for pages that have one.
pub(super) const ABOUT_MEANS: &str = "A mean stands with its 95 % interval [low, high] by Student's t instead of a spread: \
    the claim holds if it is true of the whole interval, fails if it is true of none of it, and is inconclusive otherwise; \
    then the n is named at which the same mean and deviation would decide.";

const HEADER: [&str; 5] = ["claim", "predicted", "measured ± spread (n)", "tolerance", "verdict"];

/// One claim of the summary as words, in the order of the header.
pub(super) struct Claim {
    /// Paper and experiment.
    pub experiment: String,
    pub cells: [String; 5],
    /// The statistic and the column of runs.csv.
    pub metric: String,
    /// How many.
    pub runs: usize,
    /// Why this value and tolerance.
    pub reason: String,
}

impl Claim {
    /// The experiment without its paper.
    pub fn slug(&self) -> &str {
        self.experiment.split_once('/').map_or("", |s| s.1)
    }

    /// Whether its statistic is the mean.
    pub fn is_mean(&self) -> bool {
        self.metric.starts_with("mean ")
    }
}

/// The claims of one paper.
pub(super) fn claims_of(summary: &Table, paper: &str) -> Vec<Claim> {
    let mut own = summary.clone();
    own.rows.retain(|row| row.first().is_some_and(|cell| cell.text() == paper));
    claims(&own)
}

/// The claims of `results/summary.csv`; spread is the larger distance from `measured` to `low` and `high`, which stand
/// themselves beside a mean.
pub(super) fn claims(summary: &Table) -> Vec<Claim> {
    let field =
        |row: &[Cell], name: &str| summary.column(name).and_then(|c| row.get(c)).cloned().unwrap_or(Cell::Empty);
    let claim = |row: &Vec<Cell>| {
        let words = |name: &str| match field(row, name) {
            Cell::Float(value) => short(value),
            Cell::Int(value) => value.to_string().replace('-', "−"),
            other => other.text(),
        };
        let number = |name: &str| field(row, name).number();
        let (measured, mut n) = (number("measured"), words("n"));
        let (metric, mut reason) = (words("metric"), words("reason"));
        if let ("inconclusive", Some((why, next))) = (&*words("verdict"), reason.clone().rsplit_once("; ")) {
            (reason, n) = (why.to_owned(), format!("{n}; {next}"));
        }
        let spread = (number("high") - measured).max(measured - number("low"));
        let mut shown = if measured.is_nan() { "—".to_owned() } else { words("measured") };
        if metric.starts_with("mean ") && spread.is_finite() {
            shown.push_str(&format!(" [{}, {}]", short(number("low")), short(number("high"))));
        } else if spread.is_finite() && !measured.is_nan() {
            shown.push_str(&format!(" ± {}", short(spread)));
        }
        if !measured.is_nan() && !n.is_empty() {
            shown.push_str(&format!(" ({n})"));
        }
        // What a person wrote is shown as written.
        let written = |name: &str| match field(row, name) {
            Cell::Float(value) => format!("{value:?}").trim_end_matches(".0").replace('-', "−"),
            _ => words(name),
        };
        let (expected, tolerance) = (written("expected"), written("tolerance"));
        let (predicted, tolerance) = match words("comparison").as_str() {
            "<=" => (format!("≤ {expected}"), tolerance),
            ">=" => (format!("≥ {expected}"), tolerance),
            "within" if !tolerance.is_empty() => (expected, format!("± {tolerance}")),
            other => (expected, format!("{other} {tolerance}").trim().to_owned()),
        };
        Claim {
            experiment: [words("paper"), words("experiment")].join("/"),
            cells: [words("claim"), predicted, shown, tolerance, words("verdict")],
            metric,
            runs: number("n") as usize,
            reason,
        }
    };
    summary.rows.iter().map(claim).collect()
}

/// What came of each claim of a summary, e.g. `holds: 0.501 ± 0.0021 (5)`.
pub fn outcomes(summary: &Table) -> Vec<String> {
    claims(summary)
        .into_iter()
        .map(|Claim { cells: [_, _, shown, _, verdict], .. }| format!("{verdict}: {shown}"))
        .collect()
}

/// A number with four significant digits, as `1.2e−7` where plain decimals would be long.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string().replace("inf", "∞").replace('-', "−") };
    }
    let trim = |digits: String| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits,
    };
    let exponent = value.abs().log10().floor() as i32;
    let text = if (-3..5).contains(&exponent) {
        trim(format!("{value:.*}", (3 - exponent).max(0) as usize))
    } else {
        let scientific = format!("{value:.3e}");
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        format!("{}e{power}", trim(mantissa.to_owned()))
    };
    text.replace('-', "−")
}

/// The verdict table of a summary, no line wider than `width` characters (at least 60); `colour` adds ANSI colours.
///
/// `summary` has the columns of `results/summary.csv`: paper, experiment, claim, metric, comparison, expected, measured, n,
/// verdict, low, high, tolerance, reason; a missing column reads as empty.
pub fn verdict_table(summary: &Table, width: usize, colour: bool) -> String {
    let claims = claims(summary);
    let mut widths: [usize; 5] = std::array::from_fn(|c| {
        let cells = claims.iter().map(|claim| length(&claim.cells[c])).max().unwrap_or(0);
        cells.max(length(HEADER[c])).min([usize::MAX, 14, 24, 16, 12][c])
    });
    let others: usize = widths[1..].iter().sum::<usize>() + 2 * 4;
    widths[0] = widths[0].max(24).min(width.max(60).saturating_sub(others).max(12));
    let rule = "─".repeat(widths.iter().sum::<usize>() + 8);
    let mut out = String::new();
    let line = |out: &mut String, cells: [&str; 5], paint: &str| {
        let wrapped: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, w)| wrap(cell, w)).collect();
        for i in 0..wrapped.iter().map(Vec::len).max().unwrap_or(0) {
            let piece = |c: usize| wrapped[c].get(i).map_or("", String::as_str);
            let padded =
                (0..5).map(|c| format!("{}{}", piece(c), " ".repeat(widths[c].saturating_sub(length(piece(c))))));
            let mut text = padded.collect::<Vec<_>>().join("  ").trim_end().to_owned();
            if colour && !piece(4).is_empty() && !paint.is_empty() {
                text.truncate(text.len() - piece(4).len());
                text.push_str(&format!("\u{1b}[{paint}m{}\u{1b}[0m", piece(4)));
            }
            out.push_str(&text);
            out.push('\n');
        }
    };
    line(&mut out, HEADER, "");
    let mut experiment = "";
    for claim in &claims {
        if claim.experiment != experiment {
            experiment = &claim.experiment;
            out.push_str(&format!("{rule}\n{experiment}\n"));
        }
        let [words, predicted, measured, tolerance, verdict] = &claim.cells;
        let paint = match verdict.as_str() {
            "holds" => "32",
            "fails" => "31",
            _ => "33",
        };
        line(&mut out, [words, predicted, measured, tolerance, verdict], paint);
    }
    out.push_str(&format!("{rule}\n"));
    out
}

/// `3 claims: 2 hold, 1 fails, 0 not run`, and how many are inconclusive if any is.
pub(super) fn count(claims: &[Claim]) -> String {
    let of = |verdict: &str| claims.iter().filter(|c| c.cells[4] == verdict).count();
    let plural = |n: usize, one: &'static str, many: &'static str| if n == 1 { one } else { many };
    let (n, holds, fails, open) = (claims.len(), of("holds"), of("fails"), of("inconclusive"));
    let (claim, hold, fail) =
        (plural(n, "claim", "claims"), plural(holds, "holds", "hold"), plural(fails, "fails", "fail"));
    let inconclusive = if open == 0 { String::new() } else { format!(", {open} inconclusive") };
    format!("{n} {claim}: {holds} {hold}, {fails} {fail}, {} not run{inconclusive}", n - holds - fails - open)
}

/// Characters that take a place: combining marks do not.
fn length(text: &str) -> usize {
    text.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).count()
}

/// Breaks at spaces; a word longer than the column is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if length(line) + 1 + length(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let letters: Vec<char> = word.chars().collect();
                lines.extend(letters.chunks(width.max(1)).map(|piece| piece.iter().collect::<String>()));
            }
        }
    }
    lines
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn summary() -> Table {
        let text = "paper,experiment,claim,metric,comparison,expected,measured,n,verdict,low,high,tolerance,reason\n\
            gunasekar2018,02-conv,\"The margin of the limit is the Fourier margin, whatever the depth | width\",margin,within,0.5,0.501,5,holds,0.499,0.5031,0.01,\n\
            gunasekar2018,02-conv,KKT residual vanishes,kkt,<=,1e-6,0.00000212,5,fails,,,,\n\
            gunasekar2018,03-deep,Slope,slope,within,-1,,0,not-run,,,0.1,by hand\n";
        Table::parse(text, "summary.csv").unwrap()
    }

    #[test]
    fn table_is_wrapped_and_counted() {
        let table = verdict_table(&summary(), 90, false);
        assert!(table.lines().all(|l| length(l) <= 90), "{table}");
        assert!(table.contains("0.501 ± 0.0021 (5)") && table.contains("2.12e−6 (5)"), "{table}");
        assert!(table.contains("≤ 1e−6") && table.contains("± 0.01") && table.contains("−1"), "{table}");
        assert!(verdict_table(&summary(), 90, true).contains("\u{1b}[31mfails"));
        assert!(verdict_table(&Table::default(), 80, false).starts_with("claim "));
    }
}
