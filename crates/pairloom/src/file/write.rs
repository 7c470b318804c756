//! Writing a file so that it is never seen half-written.

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes the file `path` by means of `write`, which is given the path of a temporary file beside
/// it. The temporary file is then synced and renamed; if anything fails it is removed and what was
/// at `path` is untouched. A device or pipe at `path` cannot be replaced and is written to; a
/// symbolic link stays and what it points to is replaced.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn write_whole(path: &str, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    try_write(path, write).map_err(|e| Error::io(path, e))
}

fn try_write(path: &str, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| follow(path));
    let existing = fs::metadata(&target).ok();
    match &existing {
        Some(meta) if meta.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Some(meta) if !meta.is_file() => return write_through(&target, write),
        _ => {}
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let temporary = temporary(folder)?;
    let usual = fs::metadata(&temporary)?.permissions();
    write(&temporary)?;
    let file = File::options().write(true).open(&temporary)?;
    // `write` may have put another file in its place, with permissions of its own.
    file.set_permissions(existing.map_or(usual, |meta| meta.permissions()))?;
    file.sync_all()?;
    temporary.persist(&target).map_err(|e| e.error)?;
    // Without this the rename itself may be lost in a power cut. Not every system can do it.
    File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
}

/// Where a path leads to whose last link has nothing behind it yet.
fn follow(path: &str) -> PathBuf {
    const MOST: usize = 40; // As many links as Linux follows.
    let mut target = PathBuf::from(path);
    for _ in 0..MOST {
        let Ok(next) = fs::read_link(&target) else { break };
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    target
}

/// An empty file with the permissions of an ordinary new file.
fn temporary(folder: &Path) -> io::Result<tempfile::TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pairloom-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    Ok(builder.tempfile_in(folder)?.into_temp_path())
}

fn write_through(target: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary(&std::env::temp_dir())?;
    write(&temporary)?;
    let mut out = File::options().write(true).open(target)?;
    io::copy(&mut File::open(&temporary)?, &mut out)?;
    out.flush()
}
