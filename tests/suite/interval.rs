//! Claims about means: the interval against SciPy, the three verdicts, the n that decides, and how a reader meets them.

use crate::program::{SMALL, program, write_spec};
use implicit_bias::experiment::{Size, Spec, judge};
use implicit_bias::math::interval::student_quantile;
use implicit_bias::record::table::{Cell, Table};
use implicit_bias::report::notebook;
use std::fs::read_to_string;

const BASE: [f64; 10] = [0.81, 0.77, 0.90, 0.84, 0.69, 0.88, 0.73, 0.95, 0.80, 0.86];
const OTHER: [f64; 10] = [0.83, 0.82, 0.89, 0.90, 0.72, 0.87, 0.80, 0.96, 0.85, 0.85];
const PAIRED: &str = "where = { depth = 2 }\nminus = { depth = 1 }";

/// The row of summary.csv of a claim about the mean of `log_loss`, of two depths over the first `seeds` seeds.
fn row(filters: &str, condition: &str, seeds: usize, base: &[f64]) -> Vec<Cell> {
    let claim = format!("statistic = \"mean\"\n{filters}\n{condition}\n");
    let head = SMALL.replace("[0, 1, 2]", &format!("{:?}", (0..seeds).collect::<Vec<_>>()));
    let head = head.replace("statistic = \"max\"\ncomparison = \"<=\"\nvalue = 0.0\n", &claim);
    let spec = Spec::parse(&head, "spec").unwrap().resolve("own/01-small", Size::Quick).unwrap();
    let mut text = "run,depth,seed,status,reason,steps,log_loss\n".to_owned();
    for (depth, values) in [(1, base), (2, &OTHER)] {
        for (seed, value) in values[..seeds].iter().enumerate() {
            text += &format!("r{depth}{seed},{depth},{seed},max-steps,,9,{value}\n").replace("NaN", "");
        }
    }
    judge(&spec, &Table::parse(&text, "runs.csv").unwrap()).unwrap().remove(0)
}

#[test]
fn quantiles_are_those_of_scipy() {
    // [scipy.stats.t.ppf(0.975, k) for k in …]
    let expected = [
        (0, f64::INFINITY),
        (1, 12.706204736174694),
        (2, 4.302652729749462),
        (3, 3.1824463052837078),
        (4, 2.7764451051977934),
        (5, 2.5705818356363146),
        (9, 2.262157162798205),
        (10, 2.228138851986274),
        (99, 1.9842169515864174),
        (100, 1.9839715185235518),
        (101, 1.983731002955606),
        (500, 1.9647198374673676),
        (1_000_000, 1.959966356814107),
    ];
    for (degrees, t) in expected {
        let (found, tolerance) = (student_quantile(degrees), if degrees > 100 { 1e-7 } else { 1e-13 });
        assert!(found == t || (found - t).abs() < tolerance, "{degrees}: {found}");
    }
    // The exact distribution and its expansion meet without a step up.
    assert!((1..300).all(|k| student_quantile(k + 1) < student_quantile(k)));
}

#[test]
fn intervals_are_those_of_scipy() {
    // d = np.subtract(OTHER, BASE); scipy.stats.t.interval(0.95, 9, d.mean(), scipy.stats.sem(d)); OTHER/BASE; OTHER alone
    let cases = [
        (PAIRED, 0.026, 0.00409351277045452, 0.04790648722954546),
        ("where = { depth = 2 }\nversus = { depth = 1 }", 1.033934732755478, 1.0058188033113198, 1.0620506621996362),
        ("where = { depth = 2 }", 0.849, 0.80295338484646, 0.8950466151535398),
    ];
    for (filters, mean, low, high) in cases {
        let row = row(filters, "comparison = \"<=\"\nvalue = 9.0", 10, &BASE);
        let found = [6, 9, 10].map(|c| row[c].number());
        assert!(found.iter().zip([mean, low, high]).all(|(a, b)| (a - b).abs() < 1e-14), "{filters} {found:?}");
        assert!(row[3].text().starts_with("mean log_loss [depth=2]") && row[7] == Cell::Int(10), "{row:?}");
    }
}

#[test]
fn a_claim_holds_fails_or_is_inconclusive_and_says_which_n_decides() {
    // The mean is 0.026, the interval 0.0041 to 0.0479. With m, s = d.mean(), d.std(ddof=1) and the margin that is left:
    // next(k for k in range(2, 10**7) if scipy.stats.t.ppf(0.975, k - 1) * s / k**0.5 <= margin)
    let cases = [
        ("\">=\"", "0.004", "holds", ""),
        ("\">=\"", "0.02", "inconclusive", "; n = 103 would decide"),
        ("\">=\"", "0.025", "inconclusive", "; n = 3605 would decide"),
        ("\">=\"", "0.04", "inconclusive", "; n = 21 would decide"),
        ("\">=\"", "0.048", "fails", ""),
        ("\"<=\"", "0.048", "holds", ""),
        ("\"<=\"", "0.04", "inconclusive", "; n = 21 would decide"),
        ("\"<=\"", "0.01", "inconclusive", "; n = 17 would decide"),
        ("\"<=\"", "0.004", "fails", ""),
        ("\"within\"", "0.03\ntolerance = 0.026", "holds", ""),
        ("\"within\"", "0.03\ntolerance = 0.025", "inconclusive", "; n = 11 would decide"),
        ("\"within\"", "0.0\ntolerance = 0.02", "inconclusive", "; n = 103 would decide"),
        ("\"within\"", "0.0\ntolerance = 0.004", "fails", ""),
    ];
    for (comparison, value, verdict, next) in cases {
        let row = row(PAIRED, &format!("comparison = {comparison}\nvalue = {value}"), 10, &BASE);
        let found = [row[8].text(), row[12].text()];
        assert_eq!(found, [verdict.to_owned(), format!("one hundred steps{next}")], "{comparison} {value}");
    }
    let one = row(PAIRED, "comparison = \">=\"\nvalue = 0.0", 1, &BASE);
    assert_eq!([8, 9, 12].map(|c| one[c].text()), ["inconclusive", "", "one hundred steps; an interval needs n ≥ 2"]);
    // All differences alike: the interval is a point, and a claim is true or false of it.
    let same = |value: &str| row(PAIRED, &format!("comparison = \">=\"\nvalue = {value}"), 10, &OTHER)[8].text();
    assert_eq!([same("0.0"), same("1e-9")], ["holds", "fails"]);
    let on_the_boundary = row("where = { depth = 2 }", "comparison = \">=\"\nvalue = 0.825", 2, &BASE);
    assert_eq!([8, 12].map(|c| on_the_boundary[c].text()), ["inconclusive", "one hundred steps; no n would decide"]);
    // No run, or one without the metric, is no reason to ask for more runs.
    let mut missing = BASE;
    missing[3] = f64::NAN;
    assert_eq!(row(PAIRED, "comparison = \">=\"\nvalue = 0.02", 10, &missing)[8].text(), "fails");
    assert_eq!(row("where = { depth = 3 }", "comparison = \">=\"\nvalue = 0.02", 10, &BASE)[8].text(), "fails");
}

#[test]
fn a_reader_sees_interval_verdict_and_n() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let make = |value: f64| {
        let claim = format!("statistic = \"mean\"\n{PAIRED}\ncomparison = \">=\"\nvalue = {value:?}\n");
        write_spec(folder.path(), &SMALL.replace("statistic = \"max\"\ncomparison = \"<=\"\nvalue = 0.0\n", &claim));
        let said = program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "results", "--replace"]);
        (said, Table::read(&results.join("summary.csv")).unwrap().rows.remove(0))
    };
    let (_, row) = make(0.0);
    // Half way between the mean and the end of its interval.
    let ((code, out, err), row) = make((row[6].number() + row[10].number()) / 2.0);
    let reason = row[12].text();
    let next = reason.rsplit_once("; ").unwrap().1;
    let n = next.strip_prefix("n = ").unwrap().strip_suffix(" would decide").unwrap().parse::<usize>().unwrap();
    assert!(code == 0 && (4..=9).contains(&n) && row[8].text() == "inconclusive", "{code} {row:?} {out}{err}");
    assert!(out.contains("0 claims hold, 0 fail, 0 not run at this size, 1 inconclusive"), "{out}");
    let explain = ["explain", "own/01-small", "--experiments", "mine"];
    let verify = ["verify", "--as-recorded", "--junit", "verdicts.xml"];
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let read = |file: &str| read_to_string(folder.path().join(file)).unwrap();
    for (arguments, verdict) in [(&explain[..], "inconclusive: "), (&verify[..], "inconclusive")] {
        let (code, out, err) = program(folder.path(), arguments);
        assert!(code == 0 && out.contains(verdict) && out.contains(&format!("n = {n}")), "{out}{err}");
    }
    let junit = read("verdicts.xml");
    assert!(
        junit.contains("skipped=\"1\"") && junit.contains(&format!("] over 3 runs (one hundred steps; {next})\"/>")),
        "{junit}"
    );

    let page = read("results/own/README.md");
    let shown = page.lines().find(|l| l.ends_with("| **inconclusive** |")).unwrap();
    assert!(shown.contains(&format!("] (3; {next}) |")) && shown.contains(" [") && !shown.contains('±'), "{shown}");
    assert!(page.contains("0 not run, 1 inconclusive.") && page.contains("95 % interval [low, high]"), "{page}");
    let html = read("results/own/report.html");
    for part in [
        &format!("] (3; {next})</td>"),
        "<span class=\"verdict open\"><span aria-hidden=\"true\">? </span>inconclusive</span>",
        "<h3>Inconclusive claims</h3><ul><li>",
        "Student's t",
    ] {
        assert!(words(&html).contains(part), "{part}");
    }
    assert!(read("results/index.html").contains("<th scope=\"col\">inconclusive</th>"));
    let text = notebook(&results, &results.join("own/01-small"), "..").unwrap();
    for part in ["def interval(values):", "value, low, high = interval(values)", "assert not (low >= ", " or high < "] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
