//! Real data sets from their official addresses: downloaded, verified, unpacked.
//!
//! What is on disk under a file's own name is whole and has the SHA-256 of `assets/data/sources.toml`. A download in
//! progress is `<archive>.partial` and goes on where it stopped; an archive that a person put in its place is used.

mod check;
mod download;
mod sources;
mod unpack;

pub use check::{State, present, verify};
pub use sources::{Archive, Item, Source, sources, sources_named};

use crate::error::{InputError, Result};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

/// How data are fetched.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The data folder; sets have their own folders below.
    pub dest: &'a Path,
    /// Where the archives are, instead of the official addresses.
    pub mirror: Option<&'a str>,
    /// How long a server may be silent, or slower than 1 KiB/s.
    pub patience: Duration,
}

/// What is told along the way.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The files of this archive are in place already.
    Present(&'a Archive),
    /// So many bytes of the archive are here.
    Received(&'a Archive, u64),
    /// The archive is verified, its files are in place.
    Unpacked(&'a Archive),
}

/// Fetches what is not in place yet.
///
/// # Errors
/// If an archive can be had from no address, is not the one that was promised, or a file cannot be written; the message
/// says how to go on. What was downloaded stays and is used the next time.
pub fn fetch(source: &Source, options: &Options, tell: &mut dyn FnMut(Event)) -> Result<()> {
    if let Some(url) = options.mirror.filter(|m| !m.starts_with("http://") && !m.starts_with("https://")) {
        let remedy = "Files that are here already need no mirror: put the archives into the set's folder.";
        return Err(InputError::value("mirror", url, "an address that begins with http:// or https://", remedy));
    }
    let folder = options.dest.join(&source.folder);
    std::fs::create_dir_all(&folder).map_err(|e| cannot_write(&folder, &e))?;
    for archive in &source.archives {
        let whole = |f: &Item| Ok(check::state(&folder.join(&f.name), f.bytes, &f.sha256)? == State::Whole);
        if archive.files.iter().map(whole).collect::<Result<Vec<bool>>>()?.iter().all(|w| *w) {
            tell(Event::Present(archive));
            continue;
        }
        let own = folder.join(&archive.name);
        match check::state(&own, archive.bytes, &archive.sha256)? {
            State::Whole => unpack::unpack(&own, archive, &folder)?,
            State::Damaged(why) => {
                let message =
                    format!("is not the archive of {} ({why}). Remove it, or put the right one there.", source.title);
                return Err(InputError::new(message).at(own.display()));
            }
            State::Missing => {
                let partial = folder.join(format!("{}.partial", archive.name));
                // Held until the archive is unpacked, so that two processes do not write to one file.
                let mut file = open(&partial)?;
                download::download(source, archive, &mut file, options, tell)?;
                unpack::unpack(&partial, archive, &folder)?;
                std::fs::remove_file(&partial).map_err(|e| cannot_write(&partial, &e))?;
            }
        }
        tell(Event::Unpacked(archive));
    }
    Ok(())
}

fn open(partial: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).read(true).append(true).open(partial);
    let file = file.map_err(|e| cannot_write(partial, &e))?;
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => {
            let message =
                "is being written by another process. Wait for it, or fetch to another folder with --dest DIR.";
            Err(InputError::new(message).at(partial.display()))
        }
        // A file system without locks is no reason not to fetch: what comes is verified in any case.
        _ => Ok(file),
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> InputError {
    InputError::new(format!("cannot be written ({error}). Choose another data folder with --dest DIR."))
        .at(path.display())
}
