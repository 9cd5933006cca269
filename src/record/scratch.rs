use super::file::{make_folder, write_file};
use crate::error::Result;
use std::path::PathBuf;

/// Where a long run keeps what it needs to go on after an interruption: one file, gone once the record is whole.
#[derive(Debug, Clone, Default)]
pub struct Scratch(pub(super) Option<PathBuf>);

impl Scratch {
    /// What an interrupted attempt kept.
    pub fn load(&self) -> Option<Vec<u8>> {
        std::fs::read(self.0.as_ref()?).ok()
    }

    /// Another one beside it, for what several runs of the experiment need.
    pub fn shared(&self, name: &str) -> Self {
        Self(self.0.as_ref().map(|own| own.with_file_name(format!("{name}.shared"))))
    }

    /// Keeps `bytes` instead of what was kept before.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save(&self, bytes: &[u8]) -> Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        path.parent().map_or(Ok(()), make_folder)?;
        write_file(path, bytes)
    }
}
