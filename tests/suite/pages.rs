//! The HTML pages: whole, self-contained, escaped, and the same as the records they are made from.

use crate::common::root;
use crate::program::{SMALL, program, write_spec};
use base64::{Engine, prelude::BASE64_STANDARD};
use implicit_bias::record::table::Table;
use implicit_bias::report::with_tables;
use regex::Regex;
use scraper::{ElementRef, Html, Selector};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).collect()
}

fn words(element: ElementRef) -> String {
    element.text().collect()
}

/// Parses a page and checks what every page must hold to.
fn open(path: &Path) -> Html {
    let text = fs::read_to_string(path).unwrap();
    let page = Html::parse_document(&text);
    assert!(page.errors.is_empty(), "{}: {:?}", path.display(), page.errors);
    assert_eq!(all(&page, "html")[0].attr("lang"), Some("en"));

    // Nothing runs and nothing is loaded; the one style is the one that the policy allows.
    assert!(all(&page, "script, iframe, object, embed, img, image, use, form, style ~ style").is_empty());
    let icon = all(&page, "link")[0];
    assert_eq!((all(&page, "link").len(), icon.attr("href")), (1, Some("data:,")));
    let style = words(all(&page, "style")[0]);
    let policy = all(&page, "meta[http-equiv=Content-Security-Policy]")[0].attr("content").unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(&style));
    assert!(policy.starts_with("default-src 'none';") && policy.contains(&format!("style-src 'sha256-{hash}'")));
    assert!(!style.contains("url(") && !style.contains("@import"));
    let ids: Vec<&str> = all(&page, "[id]").iter().map(|e| e.attr("id").unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id is there twice");
    for element in all(&page, "*") {
        for (name, value) in element.value().attrs() {
            let here = || path.parent().unwrap().join(value).is_file();
            let sound = match name {
                "href" => value.strip_prefix('#').map_or_else(|| here() || value == "data:,", |id| ids.contains(&id)),
                _ => !name.starts_with("on") && !["src", "style", "srcset", "xlink:href"].contains(&name),
            };
            assert!(sound, "{name}=\"{value}\"");
        }
    }

    // Every variable has a value, and every drawing and formula is well-formed by itself.
    let defined: BTreeSet<&str> =
        Regex::new(r"(--[\w-]+):").unwrap().captures_iter(&style).map(|c| c.get(1).unwrap().as_str()).collect();
    for used in Regex::new(r"var\((--[\w-]+)\)").unwrap().captures_iter(&text) {
        assert!(defined.contains(&used[1]), "{} has no value", &used[1]);
    }
    for tag in ["svg", "math"] {
        let islands = Regex::new(&format!("(?s)<{tag}[ >].*?</{tag}>")).unwrap();
        assert_eq!(islands.find_iter(&text).count(), all(&page, tag).len());
        islands.find_iter(&text).for_each(|i| drop(roxmltree::Document::parse(i.as_str()).unwrap()));
    }
    assert!(all(&page, "merror").is_empty());

    // Headings come in order, tables say what they are.
    let levels: Vec<u8> =
        all(&page, "h1, h2, h3, h4, h5, h6").iter().map(|h| h.value().name().as_bytes()[1] - b'0').collect();
    assert!(levels[0] == 1 && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1 && pair[1] > 1), "{levels:?}");
    assert_eq!(all(&page, "table").len(), all(&page, "table > caption").len());
    assert!(all(&page, "th").iter().all(|th| th.attr("scope").is_some()));
    page
}

#[test]
fn the_repositorys_own_page_shows_every_claim_figure_and_record() {
    let (folder, results) = (tempfile::tempdir().unwrap(), root().join("results"));
    let arguments = ["report", "gunasekar2018", "--from", results.to_str().unwrap(), "--out", "out"];
    let (code, out, err) = program(folder.path(), &arguments);
    assert_eq!((code, out.lines().count()), (0, 3), "{out}{err}");
    let (path, summary) = (folder.path().join("out/gunasekar2018/report.html"), folder.path().join("out/summary.csv"));
    assert!(fs::metadata(&path).unwrap().len() < 3_000_000);
    let page = open(&path);

    let summary = Table::read(&summary).unwrap();
    let column = |name: &str| summary.column(name).unwrap();
    let columns = [column("experiment"), column("metric"), column("verdict")];
    let expected: Vec<[String; 3]> = summary.rows.iter().map(|row| columns.map(|c| row[c].text())).collect();
    let found: Vec<[String; 3]> = all(&page, "tr.claim")
        .iter()
        .map(|row| {
            let body = ElementRef::wrap(row.parent().unwrap()).unwrap().attr("id").unwrap();
            let part = |s: &str| words(row.select(&Selector::parse(s).unwrap()).next().unwrap());
            let slug = body.strip_prefix("verdicts-").unwrap().to_owned();
            [slug, part("code"), part(".verdict").trim_start_matches(['✓', '✗', '–', '?', ' ']).to_owned()]
        })
        .collect();
    assert!(found == expected && found.len() > 50);

    let mut figures = 0;
    for spec in crate::common::files(&results.join("gunasekar2018")).iter().filter(|p| p.ends_with("record.toml")) {
        let record: toml::Table = fs::read_to_string(spec).unwrap().parse().unwrap();
        let slug = record["experiment"].as_str().unwrap();
        let spec: toml::Table = record["spec"].as_str().unwrap().parse().unwrap();
        let section = format!("section[id=\"{slug}\"]");
        let names = spec["figure"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap());
        let titles: Vec<String> =
            all(&page, &format!("{section} svg[role=img] > title")).iter().map(|t| words(*t)).collect();
        assert_eq!(titles, names.map(|n| format!("Figure {n}")).collect::<Vec<_>>());
        assert!(all(&page, &format!("{section} svg > desc")).iter().all(|d| words(*d).len() > 40));
        assert_eq!(all(&page, &format!("{section} math")).is_empty(), !spec["prose"].as_str().unwrap().contains('$'));
        figures += titles.len();
    }
    assert!(figures >= 19);
    for id in ["verdicts", "unsupported", "experiments", "checklist", "provenance"] {
        assert_eq!(all(&page, &format!("h2#{id}")).len(), 1, "{id}");
    }
    assert!(words(all(&page, "section[aria-labelledby=provenance]")[0]).contains("rustc"));
    let index = open(&folder.path().join("out/index.html"));
    assert_eq!(all(&index, "tbody tr").len(), 1);
}

#[test]
fn whatever_a_spec_says_is_text() {
    const HOSTILE: &str = "</title></svg><script>alert('1 < 2')</script> & | \"q\" ]]> <b onclick=x>^{<i>} {{7*7}}";
    let folder = tempfile::tempdir().unwrap();
    let figure =
        "\n[[figure]]\nname = \"loss\"\ncaption = 'HOSTILE'\n[[figure.panel]]\ny = \"log_loss\"\ntitle = 'HOSTILE'\n";
    let spec = ["Small", "Does it run?", "It does.", "The suite", "The loss goes down", "one hundred steps"]
        .iter()
        .fold(SMALL.replace("Nothing to say.", "Nothing"), |spec, words| {
            spec.replace(&format!("\"{words}\""), "'HOSTILE'")
        });
    let spec = (spec.replace("\"Nothing\"", "'HOSTILE'") + figure).replace("'HOSTILE'", &format!("'''{HOSTILE}'''"));
    write_spec(folder.path(), &spec);
    let (code, out, err) = program(folder.path(), &["reproduce", "--experiments", "mine", "--out", "out"]);
    assert_eq!(code, 0, "{out}{err}");
    let page = open(&folder.path().join("out/own/report.html"));
    let said = HOSTILE.replace("^{<i>}", "<i>");
    for place in ["h3[id]", "section section p", "tr.claim th", ".reason", "svg desc", "figcaption"] {
        assert!(all(&page, place).iter().any(|e| words(*e).contains(&said)), "{place}");
    }
    open(&folder.path().join("out/index.html"));
}

#[test]
fn report_says_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let report = |arguments: &[&str]| program(folder.path(), &[&["report"], arguments].concat());
    assert!(report(&[]).2.contains("`implicit-bias reproduce`"));
    let record = |seed: &str, out: &str| {
        write_spec(folder.path(), &SMALL.replace("seed = [0, 1, 2]", seed));
        assert_eq!(program(folder.path(), &["reproduce", "--experiments", "mine", "--out", out]).0, 0);
    };
    record("seed = [0]", "one");
    record("seed = [1]", "two");
    let (code, _, err) = report(&["nobody2018", "--from", "one"]);
    assert!(code == 2 && err.contains("`nobody2018`") && err.contains("one"), "{err}");
    let (code, _, err) = report(&["--from", "one", "--out", "two"]);
    assert!(code == 2 && err.contains("another spec") && err.contains("--out DIR"), "{err}");
    assert_eq!(report(&["--from", "one", "--out", "three"]).0, 0);
    let page = |at: &str| fs::read(folder.path().join(at).join("own/report.html")).unwrap();
    assert_eq!(page("one"), page("three"), "the pages of the same records are the same");
}

#[test]
fn tables_in_the_readme_are_the_stored_verdicts() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    // Cargo runs tests in the root of the repository.
    assert_eq!(with_tables(&readme, Path::new("results")).unwrap(), readme, "implicit-bias report --update README.md");
    let changed = readme.replacen("| 5 of 5 |", "| 4 of 5 |", 1);
    assert!(changed != readme && with_tables(&changed, Path::new("results")).unwrap() == readme);
    for bad in ["no table", "<!-- verdicts of gunasekar2018 -->\n"] {
        assert!(with_tables(bad, Path::new("results")).is_err());
    }
}
