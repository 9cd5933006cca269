use super::check::Hash;
use super::{Archive, Item};
use crate::error::{InputError, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path};

/// What an archive may hold beside the files that are kept: headers, descriptions.
const SLACK: u64 = 1 << 20;

/// Puts the files of a verified archive into `folder`, each under its name only when it is whole and verified.
pub(super) fn unpack(packed: &Path, archive: &Archive, folder: &Path) -> Result<()> {
    let place = |e: InputError| e.at(packed.display());
    let file = File::open(packed).map_err(|e| place(InputError::new(format!("cannot be read ({e})."))))?;
    // No more is ever unpacked than was promised, whatever the stream says.
    let limit = archive.files.iter().map(|f| f.bytes).sum::<u64>() + SLACK;
    let stream = MultiGzDecoder::new(BufReader::new(file)).take(limit);
    let done = match archive.files.as_slice() {
        [one] if !archive.name.ends_with(".tar.gz") => keep(stream, one, folder),
        _ => untar(stream, archive, folder),
    };
    done.map_err(place)
}

fn untar(stream: impl Read, archive: &Archive, folder: &Path) -> Result<()> {
    let damaged = |e: std::io::Error| refused(format!("it is damaged or larger than promised ({e})"));
    let mut missing: Vec<&Item> = archive.files.iter().collect();
    let mut tar = tar::Archive::new(stream);
    for entry in tar.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        let kind = entry.header().entry_type();
        if !path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(refused(format!("its entry {} points out of the folder", path.display())));
        }
        if !(kind.is_file() || kind.is_dir()) {
            return Err(refused(format!("its entry {} is a {kind:?}, neither file nor folder", path.display())));
        }
        let wanted = missing.iter().position(|f| kind.is_file() && path.file_name() == Some(f.name.as_ref()));
        if let Some(i) = wanted {
            keep(entry, missing.remove(i), folder)?;
        }
    }
    match missing.first() {
        Some(f) => Err(refused(format!("{} is not in it", f.name))),
        None => Ok(()),
    }
}

/// Writes one file under a temporary name, checks it, renames it.
fn keep(stream: impl Read, item: &Item, folder: &Path) -> Result<()> {
    let path = folder.join(&item.name);
    let temporary = folder.join(format!("{}.unpacking", item.name));
    let mut hash = Hash::new();
    let written = File::create(&temporary).and_then(|mut file| {
        std::io::copy(&mut hash.of(stream.take(item.bytes + 1)), &mut file)?;
        file.sync_all()
    });
    let (size, found) = (hash.bytes, hash.hex());
    let wrong = match written {
        Err(e) => Some(format!("{} cannot be unpacked ({e})", item.name)),
        Ok(()) if size > item.bytes => Some(format!("{} is longer than {} bytes", item.name, item.bytes)),
        Ok(()) if size < item.bytes => Some(format!("{} has {size} bytes instead of {}", item.name, item.bytes)),
        Ok(()) if found != item.sha256 => Some(format!("{} has SHA-256 {found} instead of {}", item.name, item.sha256)),
        Ok(_) => {
            std::fs::rename(&temporary, &path).err().map(|e| format!("{} cannot be put in place ({e})", item.name))
        }
    };
    wrong.map_or(Ok(()), |why| {
        let _ = std::fs::remove_file(&temporary);
        Err(refused(why))
    })
}

fn refused(why: String) -> InputError {
    InputError::new(format!("{why}. Nothing of it is kept that is not whole: remove it and fetch it again."))
}
