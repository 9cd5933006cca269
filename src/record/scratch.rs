use super::file::{cannot_write, make_folder, write_file};
use crate::error::Result;
use std::fmt::Debug;
use std::path::PathBuf;

/// Where a long run keeps what it needs to go on after an interruption: one file, gone once the record is whole.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// The run's own file.
    own: Option<PathBuf>,
    /// Kept in its place, if several runs share it; each writes its own file and renames it.
    shared: Option<PathBuf>,
}

impl Scratch {
    pub(super) fn at(own: PathBuf) -> Self {
        Self { own: Some(own), shared: None }
    }

    /// What an interrupted attempt kept.
    pub fn load(&self) -> Option<Vec<u8>> {
        std::fs::read(self.shared.as_ref().or(self.own.as_ref())?).ok()
    }

    /// Another one beside it, for what several runs of the experiment need, and all of `what` decides.
    pub fn shared(&self, what: &impl Debug) -> Self {
        let hash = blake3::hash(format!("{what:?}").as_bytes()).to_hex();
        let shared = self.own.as_ref().map(|own| own.with_file_name(format!("{}.shared", &hash[..20])));
        Self { shared, ..self.clone() }
    }

    /// Keeps `bytes` instead of what was kept before.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save(&self, bytes: &[u8]) -> Result<()> {
        let Some(own) = &self.own else { return Ok(()) };
        own.parent().map_or(Ok(()), make_folder)?;
        write_file(own, bytes)?;
        self.shared.as_ref().map_or(Ok(()), |to| std::fs::rename(own, to).map_err(|e| cannot_write(to, &e)))
    }
}
