//! Writing a file so that it is never seen half-written.

use crate::{Error, Result};
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Writes `path` by `fill`; `-` is standard output. A regular file is made under another name beside
/// its place, synced, and renamed when all is written: if anything fails, what was at `path` is
/// untouched. A device or a pipe cannot be replaced and is written straight; a symbolic link stays,
/// and what it points to is replaced.
///
/// # Errors
/// [`Error::Io`] naming `path`, and the errors of `fill`.
pub fn write_whole<T>(path: &str, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let failed = |e| Error::io(shown(path), e);
    match Destination::of(path).map_err(failed)? {
        Destination::Stream(mut out) => {
            let done = fill(&mut out)?;
            out.flush().map_err(failed).map(|()| done)
        }
        Destination::File(file) => {
            let out = File::options().write(true).open(file.path()).map_err(failed)?;
            let mut out = BufWriter::new(out);
            let done = fill(&mut out)?;
            out.flush().and_then(|()| file.commit()).map_err(failed).map(|()| done)
        }
    }
}

/// The name of an output in messages.
pub fn shown(path: &str) -> &str {
    if path == "-" { "stdout" } else { path }
}

/// Where something is written.
pub(super) enum Destination {
    /// Standard output, a device or a pipe.
    Stream(Box<dyn Write>),
    /// A regular file, there or not yet.
    File(Replacement),
}

/// A temporary file that will take the place of another.
pub(super) struct Replacement {
    temporary: TempPath,
    target: PathBuf,
    permissions: Permissions,
}

impl Destination {
    pub(super) fn of(path: &str) -> io::Result<Self> {
        if path == "-" {
            return Ok(Destination::Stream(Box::new(io::stdout())));
        }
        let existing = fs::metadata(path).ok();
        match &existing {
            Some(meta) if meta.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Some(meta) if !meta.is_file() => {
                let stream = File::options().write(true).open(path)?;
                return Ok(Destination::Stream(Box::new(stream)));
            }
            _ => {}
        }
        let target = follow(Path::new(path));
        let folder = folder(&target);
        // Found out here, since the error of making a file in it would name that file.
        fs::metadata(folder)?;
        let temporary = temporary(folder)?;
        let permissions = match existing {
            Some(meta) => meta.permissions(),
            None => fs::metadata(&temporary)?.permissions(),
        };
        Ok(Destination::File(Replacement { temporary, target, permissions }))
    }
}

impl Replacement {
    /// The temporary file. Another may be put in its place.
    pub(super) fn path(&self) -> &Path {
        &self.temporary
    }

    /// Lets it take its place.
    pub(super) fn commit(self) -> io::Result<()> {
        let file = File::options().write(true).open(&self.temporary)?;
        file.set_permissions(self.permissions)?;
        file.sync_all()?;
        self.temporary.persist(&self.target).map_err(|e| e.error)?;
        // Without this the rename itself may be lost in a power cut. Not every system can do it.
        File::open(folder(&self.target)).and_then(|folder| folder.sync_all()).or(Ok(()))
    }
}

/// Where a symbolic link leads, also if there is no file yet.
fn follow(path: &Path) -> PathBuf {
    let mut target = path.to_path_buf();
    // As many links as Linux follows.
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&target) else { break };
        target = folder(&target).join(next);
    }
    target
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// An empty file with the permissions of an ordinary new file.
fn temporary(folder: &Path) -> io::Result<TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pairloom-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o666));
    }
    Ok(builder.tempfile_in(folder)?.into_temp_path())
}
