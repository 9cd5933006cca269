use super::file::cannot_write;
use super::store::CACHE;
use crate::error::Result;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One writer at a time, or several that do not get in each other's way: an advisory lock of the operating system, which ends with its process, however that ends.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Locked as long as it is open.
    file: File,
}

impl Lock {
    /// The lock on this file, made if need be, or `Err` with a word about the process that holds it.
    pub fn try_take(path: &Path) -> Result<std::result::Result<Self, String>> {
        Self::attempt(path, File::try_lock, &format!("process {}", std::process::id()))
    }

    /// The same together with others that share it.
    pub fn try_share(path: &Path) -> Result<std::result::Result<Self, String>> {
        Self::attempt(path, File::try_lock_shared, "a process with --shard")
    }

    fn attempt(
        path: &Path,
        try_lock: fn(&File) -> std::result::Result<(), TryLockError>,
        name: &str,
    ) -> Result<std::result::Result<Self, String>> {
        for attempt in 0.. {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e))?;
            // A cache is nothing to commit, wherever the results are.
            let cache = folder.ancestors().find(|f| f.file_name().is_some_and(|n| n == CACHE));
            if let Some(ignore) = cache.map(|c| c.join(".gitignore")).filter(|i| !i.exists()) {
                let _ = fs::write(ignore, "*\n");
            }
            let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
            let mut file = match opened {
                Ok(file) => file,
                // The holder before us has just tidied up.
                Err(e) if e.kind() == ErrorKind::NotFound && attempt < 100 => continue,
                Err(e) => return Err(cannot_write(path, &e)),
            };
            match try_lock(&file) {
                Ok(()) if !is_at(&file, path) => continue,
                Ok(()) => {
                    // For the reader of a message only; the lock does not depend on it.
                    let _ = file.set_len(0).and_then(|()| file.write_all(name.as_bytes()));
                    return Ok(Ok(Self { path: path.into(), file }));
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = fs::read_to_string(path).ok().filter(|h| !h.is_empty());
                    return Ok(Err(holder.unwrap_or_else(|| "another process".into())));
                }
                Err(TryLockError::Error(e)) => return Err(cannot_write(path, &e)),
            }
        }
        Ok(Err("another process".into()))
    }

    /// The same, waiting for it: for work that takes an instant.
    pub fn take(path: &Path) -> Result<Self> {
        loop {
            match Self::try_take(path)? {
                Ok(lock) => return Ok(lock),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Lock {
    /// Tidies up while the file is still locked, unless others share it; whoever opened it meanwhile sees that it is gone
    /// and tries again.
    fn drop(&mut self) {
        if cfg!(unix) && self.file.try_lock().is_ok() {
            let _ = fs::remove_file(&self.path);
            // Only empty folders can be removed this way.
            for folder in self.path.ancestors().skip(1) {
                let last = folder.file_name().is_some_and(|n| n == CACHE);
                if last && fs::read_dir(folder).is_ok_and(|left| left.flatten().all(|e| e.file_name() == ".gitignore"))
                {
                    let _ = fs::remove_file(folder.join(".gitignore"));
                }
                if fs::remove_dir(folder).is_err() || last {
                    break;
                }
            }
        }
    }
}

/// Whether the path still leads to the open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |m: fs::Metadata| (m.dev(), m.ino());
    file.metadata().map(id).ok() == fs::metadata(path).map(id).ok()
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
