use crate::error::{InputError, Result};
use serde::{Deserialize, Serialize};

/// A data set that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What a person calls it, e.g. `fashion-mnist`.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// Its licence.
    pub licence: String,
    /// Who made it, and where it is described.
    pub origin: String,
    /// Its folder below the data folder.
    pub folder: String,
    /// Where its archives are, the best first.
    pub addresses: Vec<String>,
    /// What is downloaded.
    #[serde(rename = "archive")]
    pub archives: Vec<Archive>,
}

/// A file that is downloaded: `.tar.gz`, or the gzip of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its name at every address.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
    /// What is kept of it.
    pub files: Vec<Item>,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name in the set's folder, and in the archive.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

impl Source {
    /// Every file that is kept.
    pub fn files(&self) -> impl Iterator<Item = &Item> {
        self.archives.iter().flat_map(|a| &a.files)
    }
}

/// The data sets that are known: those of assets/data/sources.toml.
///
/// # Errors
/// Never with that file as committed.
///
/// ```
/// let sources = implicit_bias::data::fetch::sources()?;
/// assert_eq!(sources.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["mnist", "fashion-mnist", "cifar10"]);
/// # Ok::<(), implicit_bias::error::InputError>(())
/// ```
pub fn sources() -> Result<Vec<Source>> {
    #[derive(Deserialize)]
    struct Sources {
        set: Vec<Source>,
    }
    let read: std::result::Result<Sources, _> = toml::from_str(include_str!("../../../assets/data/sources.toml"));
    read.map(|s| s.set).map_err(|e| InputError::new(e.to_string()).at("assets/data/sources.toml"))
}

/// The data sets of these names; of no name: all.
///
/// # Errors
/// For a name that is not known: the message lists those that are.
pub fn sources_named(names: &[String]) -> Result<Vec<Source>> {
    let known = sources()?;
    if names.is_empty() {
        return Ok(known);
    }
    let find = |name: &String| {
        known.iter().find(|s| s.name == *name).cloned().ok_or_else(|| {
            let list: Vec<&str> = known.iter().map(|s| s.name.as_str()).collect();
            InputError::value("the data set", name, &list.join(" or "), "See `implicit-bias data list`.")
        })
    };
    names.iter().map(find).collect()
}
