//! Verdicts as JUnit XML, which continuous integration shows as tests.

use super::table::short;
use crate::record::table::Cell;

/// One test case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What is tested.
    pub name: String,
    /// Why it fails, if it does.
    pub fails: Option<String>,
    /// Why it has no outcome, if it has none.
    pub skipped: Option<String>,
}

impl Case {
    /// The case of one claim, a row with the columns of summary.csv.
    pub fn of_claim(row: &[Cell]) -> Self {
        let text = |i: usize| row.get(i).map(Cell::text).unwrap_or_default();
        let number = |i: usize| short(row.get(i).map_or(f64::NAN, Cell::number));
        let tolerance = if text(11).is_empty() { String::new() } else { format!(" ± {}", number(11)) };
        let expected = format!("{} {} {}{tolerance}", text(3), text(4), number(5));
        let mean = text(3).starts_with("mean ");
        let interval = if mean { format!(" [{}, {}]", number(9), number(10)) } else { String::new() };
        let why = format!("expected {expected}, measured {}{interval} over {} runs ({})", number(6), text(7), text(12));
        let (fails, skipped) = match text(8).as_str() {
            "fails" => (Some(why), None),
            "inconclusive" => (None, Some(format!("inconclusive: {why}"))),
            "not-run" => (None, Some("not judged at this size".into())),
            _ => (None, None),
        };
        Self { name: text(2), fails, skipped }
    }
}

/// The document: a test suite for each name.
pub fn junit(suites: &[(String, Vec<Case>)]) -> String {
    let count = |cases: &[Case]| {
        let of = |test: &dyn Fn(&&Case) -> bool| cases.iter().filter(test).count();
        let (failures, skipped) = (of(&|c| c.fails.is_some()), of(&|c| c.skipped.is_some()));
        format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"", cases.len())
    };
    let all: Vec<Case> = suites.iter().flat_map(|(_, cases)| cases.clone()).collect();
    let mut out =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"implicit-bias\" {}>\n", count(&all));
    for (suite, cases) in suites {
        let suite = escape(suite);
        out.push_str(&format!("  <testsuite name=\"{suite}\" {}>\n", count(cases)));
        for case in cases {
            out.push_str(&format!("    <testcase classname=\"{suite}\" name=\"{}\"", escape(&case.name)));
            let inside =
                |tag: &str, why: &str| format!(">\n      <{tag} message=\"{}\"/>\n    </testcase>\n", escape(why));
            out.push_str(&match (&case.fails, &case.skipped) {
                (Some(why), _) => inside("failure", why),
                (None, Some(why)) => inside("skipped", why),
                (None, None) => "/>\n".into(),
            });
        }
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

/// As an attribute's value; characters that XML 1.0 does not know become `?`.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => out.push_str(&format!("&#{};", c as u32)),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
