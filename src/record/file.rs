//! Files that are written whole or not at all, and folders.

use crate::error::{InputError, Result};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Writes a file whole or not at all, the loss of power included: to a temporary name beside it, then renamed.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, fs::File::sync_data)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// The same, but the loss of power may take the file, or a part of it: for what is cheap to make again and tells if it is
/// damaged.
pub(super) fn write_cheap_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, |_| Ok(()))
}

fn write(path: &Path, bytes: &[u8], finish: fn(&fs::File) -> std::io::Result<()>) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.tmp"));
    let write = || {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        finish(&file)?;
        fs::rename(&temporary, path)
    };
    write().map_err(|e| cannot_write(path, &e))
}

/// Makes renames in a folder last, where the system lets one say so.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if let Ok(open) = fs::File::open(folder) {
        let _ = open.sync_all();
    }
    Ok(())
}

/// Makes a folder, and those above it, that last.
///
/// # Errors
/// Where none can be made.
pub fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e))?;
    folder.ancestors().skip(1).take(3).try_for_each(sync_folder)
}

pub(super) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(cannot_write(folder, &e)),
        _ => Ok(()),
    }
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> InputError {
    InputError::new(format!(
        "cannot write {}: {error}. Results need a folder that can be written; choose another with `--out DIR`",
        path.display()
    ))
}
