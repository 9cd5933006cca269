use super::size::Size;
use super::spec::{ResolvedSpec, Spec};
use crate::error::{InputError, Result};
use regex::Regex;
use std::fs;
use std::path::Path;
use strsim::jaro_winkler;

/// The experiments as they were when the program was built.
const EMBEDDED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/experiments.rs"));

/// The longest file of an experiment.
const MAX_BYTES: u64 = 1 << 22;

/// An experiment and its spec.
#[derive(Debug, Clone)]
pub struct Entry {
    /// e.g. `gunasekar2018/02-convolutional-depth-2`.
    pub id: String,
    /// What it says.
    pub spec: Spec,
}

/// All experiments: of `folder` if one is given (`experiments/<paper>/<slug>.toml`), else those built into the program.
pub fn load_all(folder: Option<&Path>) -> Result<Vec<Entry>> {
    let Some(folder) = folder else {
        return EMBEDDED
            .iter()
            .map(|(id, text)| {
                Ok(Entry { id: (*id).into(), spec: Spec::parse(text, &format!("experiments/{id}.toml"))? })
            })
            .collect();
    };
    let mut files = vec![];
    for paper in read(folder)? {
        if paper.is_dir() {
            files.extend(read(&paper)?.into_iter().filter(|f| f.extension().is_some_and(|e| e == "toml")));
        }
    }
    if files.is_empty() {
        return Err(none_in(folder, "it holds no experiment"));
    }
    let stem = |p: &Path| p.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    files
        .iter()
        .map(|file| {
            let cannot = |e| InputError::new(format!("cannot read {}: {e}", file.display()));
            let bytes = fs::metadata(file).map_err(cannot)?.len();
            if bytes > MAX_BYTES {
                let allowed = format!("at most {MAX_BYTES} bytes");
                return Err(InputError::value("the file", bytes, &allowed, "Is it an experiment?").at(file.display()));
            }
            let text = fs::read_to_string(file).map_err(cannot)?;
            let paper = file.parent().map(stem).unwrap_or_default();
            Ok(Entry { id: format!("{paper}/{}", stem(file)), spec: Spec::parse(&text, &file.display().to_string())? })
        })
        .collect()
}

fn read(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let cannot = |e: std::io::Error| none_in(folder, &e.to_string());
    let mut paths = fs::read_dir(folder)
        .map_err(cannot)?
        .map(|e| e.map(|e| e.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(cannot)?;
    paths.sort();
    Ok(paths)
}

fn none_in(folder: &Path, why: &str) -> InputError {
    let place = folder.display();
    InputError::new(format!(
        "cannot read experiments from {place}: {why}. Name a folder of <paper>/<slug>.toml with --experiments DIR"
    ))
}

/// The experiments that some filter matches: a paper, an id, its last part, or a regular expression. No filter: all.
pub fn select(entries: Vec<Entry>, filters: &[String]) -> Result<Vec<Entry>> {
    let chosen = matching(&entries.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), filters)?;
    Ok(entries.into_iter().zip(chosen).filter_map(|(e, c)| c.then_some(e)).collect())
}

/// Those of the experiments that have this size, every run checked.
///
/// # Errors
/// As [`Spec::resolve`], and if none of them has it.
pub fn resolve_all(entries: &[Entry], size: Size) -> Result<Vec<ResolvedSpec>> {
    let specs = entries.iter().filter(|e| e.spec.is_at(size)).map(|e| e.spec.resolve(&e.id, size));
    let specs = specs.collect::<Result<Vec<_>>>()?;
    match entries.first().filter(|_| specs.is_empty()) {
        Some(Entry { id, spec }) => {
            let sizes: Vec<&str> = spec.sizes.iter().map(|s| s.name()).collect();
            let remedy = format!("Add e.g. --{}.", sizes.first().unwrap_or(&"full"));
            Err(InputError::value(&format!("size of {id}"), size.name(), &sizes.join(", "), &remedy))
        }
        None => Ok(specs),
    }
}

/// Which ids some filter matches, as for [`select`].
pub fn matching(ids: &[&str], filters: &[String]) -> Result<Vec<bool>> {
    let mut chosen = vec![filters.is_empty(); ids.len()];
    for filter in filters {
        let regex = Regex::new(filter).map_err(|e| {
            InputError::value(
                "filter",
                format!("{filter:?}"),
                "a paper, an experiment or a regular expression",
                &e.to_string(),
            )
        })?;
        let exact = |id: &str| id == filter || id.split('/').any(|part| part == filter);
        let any_exact = ids.iter().any(|id| exact(id));
        let hits: Vec<usize> =
            (0..ids.len()).filter(|&i| if any_exact { exact(ids[i]) } else { regex.is_match(ids[i]) }).collect();
        if hits.is_empty() {
            return Err(InputError::value(
                "filter",
                format!("{filter:?}"),
                "one that matches an experiment",
                &format!("{}There are: {}", did_you_mean(ids, filter), ids.join(", ")),
            ));
        }
        hits.into_iter().for_each(|i| chosen[i] = true);
    }
    Ok(chosen)
}

/// `Did you mean …? ` with the name, or the part of an id, that is closest to what was typed; nothing if none is close.
pub fn did_you_mean(names: &[&str], typed: &str) -> String {
    let words = names.iter().flat_map(|name| name.split('/').chain([*name]));
    let closest = words.map(|word| (jaro_winkler(word, typed), word)).max_by(|a, b| a.0.total_cmp(&b.0));
    closest
        .filter(|(likeness, _)| *likeness > 0.8)
        .map_or(String::new(), |(_, word)| format!("Did you mean `{word}`? "))
}
