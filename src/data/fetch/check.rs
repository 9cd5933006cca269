use super::{Item, Source};
use crate::error::{InputError, Result};
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What is on the disk in a file's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The file, byte for byte.
    Whole,
    /// Nothing.
    Missing,
    /// Something else: what is wrong with it.
    Damaged(String),
}

/// The files of a set below the data folder `dest`, each with its state, by size and SHA-256.
///
/// # Errors
/// For a file that cannot be read.
pub fn verify<'a>(source: &'a Source, dest: &Path) -> Result<Vec<(&'a Item, State)>> {
    let folder = dest.join(&source.folder);
    source.files().map(|f| Ok((f, state(&folder.join(&f.name), f.bytes, &f.sha256)?))).collect()
}

/// Whether the files of a set are in place, by name and size alone.
pub fn present(source: &Source, dest: &Path) -> bool {
    let size = |f: &Item| dest.join(&source.folder).join(&f.name).metadata().map(|m| m.len()).ok();
    source.files().all(|f| size(f) == Some(f.bytes))
}

pub(super) fn state(path: &Path, bytes: u64, sha256: &str) -> Result<State> {
    let failed = |e: std::io::Error| InputError::new(format!("cannot be read ({e}).")).at(path.display());
    let size = match path.metadata() {
        Ok(m) if m.is_file() => m.len(),
        Ok(_) => return Ok(State::Damaged("not a file".into())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(State::Missing),
        Err(e) => return Err(failed(e)),
    };
    if size != bytes {
        return Ok(State::Damaged(format!("{size} bytes instead of {bytes}")));
    }
    let mut hash = Hash::new();
    std::io::copy(&mut hash.of(File::open(path).map_err(failed)?), &mut std::io::sink()).map_err(failed)?;
    let found = hash.hex();
    Ok(if found == sha256 { State::Whole } else { State::Damaged(format!("SHA-256 {found} instead of {sha256}")) })
}

/// SHA-256 and length of what is read through it.
pub(super) struct Hash {
    context: Context,
    pub bytes: u64,
}

impl Hash {
    pub fn new() -> Self {
        Self { context: Context::new(&SHA256), bytes: 0 }
    }

    pub fn of<R: Read>(&mut self, inner: R) -> Hashed<'_, R> {
        Hashed { hash: self, inner }
    }

    pub fn hex(self) -> String {
        self.context.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }
}

pub(super) struct Hashed<'a, R> {
    hash: &'a mut Hash,
    inner: R,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.context.update(&buffer[..n]);
        self.hash.bytes += n as u64;
        Ok(n)
    }
}
