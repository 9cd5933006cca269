//! The papers as BibTeX: `assets/papers.bib` is the one place that knows their titles.

const ENTRIES: &str = include_str!("../../assets/papers.bib");

/// The BibTeX entry of a paper, e.g. `gunasekar2018`.
pub fn entry(paper: &str) -> Option<&'static str> {
    let key = ENTRIES.find(&format!("{{{paper},\n"))?;
    let start = ENTRIES[..key].rfind('@')?;
    let length = ENTRIES[start..].find("\n}")? + 2;
    Some(&ENTRIES[start..start + length])
}

/// The papers that have an entry, in order.
pub fn papers() -> Vec<&'static str> {
    ENTRIES.lines().filter_map(|l| l.strip_prefix('@')?.split_once('{')?.1.strip_suffix(',')).collect()
}

/// A field of the entry, e.g. `title`.
pub fn field(paper: &str, name: &str) -> Option<&'static str> {
    let (_, value) = entry(paper)?.lines().filter_map(|l| l.split_once('=')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().trim_end_matches(',').trim_matches(['{', '}']))
}

/// Family names and year, e.g. `Gunasekar, Lee, Soudry, Srebro 2018`.
pub fn authors_and_year(paper: &str) -> Option<String> {
    let family = |author: &'static str| author.split(',').next().unwrap_or(author).trim();
    let names: Vec<&str> = field(paper, "author")?.split(" and ").map(family).collect();
    Some(format!("{} {}", names.join(", "), field(paper, "year")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_key() {
        assert!(entry("gunasekar2018").unwrap().starts_with("@inproceedings{gunasekar2018,"));
        assert_eq!(field("gunasekar2018", "year"), Some("2018"));
        assert_eq!(authors_and_year("gunasekar2018").unwrap(), "Gunasekar, Lee, Soudry, Srebro 2018");
        assert_eq!((entry("gunasekar"), field("gunasekar2018", "doi")), (None, None));
    }
}
