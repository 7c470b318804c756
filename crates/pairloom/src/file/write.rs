//! Writing a file so that it is never seen half-written.

use crate::{Error, Result};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes `path` by `fill`; `-` is standard output. A regular file is made under another name beside
/// its place, synced, and renamed when all is written: if anything fails, what was at `path` is
/// untouched. A device or a pipe cannot be replaced and is written straight; a symbolic link stays,
/// and what it points to is replaced.
///
/// # Errors
/// [`Error::Io`] naming `path`, and the errors of `fill`.
pub fn write_whole<T>(path: &str, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let failed = |e| Error::io(name(path), e);
    match Destination::of(path).map_err(failed)? {
        Destination::Stream(mut out) => {
            let done = fill(&mut out)?;
            out.flush().map_err(failed).map(|()| done)
        }
        Destination::File(file) => {
            let mut out = BufWriter::new(file.temporary.as_file());
            let done = fill(&mut out)?;
            out.flush().map_err(failed)?;
            drop(out);
            file.commit().map_err(failed).map(|()| done)
        }
    }
}

/// A file that is written, and read meanwhile, before it takes the place of the one at its path.
pub(crate) struct Replacing(Replacement);

impl Replacing {
    /// An empty file that will be at `path`, which is called so in errors.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Usage`] if there is something that cannot be read again.
    pub(crate) fn begin(path: &str) -> Result<(Self, File)> {
        let failed = |e| Error::io(name(path), e);
        match Destination::of(path).map_err(failed)? {
            Destination::Stream(_) => {
                let message = "it is read again: it must be a file, and no pipe, device or stream";
                Err(Error::usage(format!("{}: {message}", name(path))))
            }
            Destination::File(replacement) => {
                let file = replacement.temporary.as_file().try_clone().map_err(failed)?;
                Ok((Replacing(replacement), file))
            }
        }
    }

    /// Lets it take its place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn commit(self, path: &str) -> Result<()> {
        self.0.commit().map_err(|e| Error::io(path, e))
    }
}

/// What errors call the output at `path`: standard output has a name of its own.
pub fn name(path: &str) -> &str {
    if path == "-" { "stdout" } else { path }
}

/// Checks that [`write_whole`] can begin, so that work need not be done in vain.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn check_place(path: &str) -> Result<()> {
    // A pipe that is opened and closed again would be at its end for its reader.
    let is_stream = path == "-" || fs::metadata(path).is_ok_and(|meta| !is_replaced(&meta));
    let checked = if is_stream { Ok(()) } else { Replacement::of(path).map(drop) };
    checked.map_err(|e| Error::io(path, e))
}

/// Where something is written.
enum Destination {
    /// Standard output, a device or a pipe.
    Stream(Box<dyn Write>),
    /// A regular file, there or not yet.
    File(Replacement),
}

/// A temporary file that will take the place of another.
struct Replacement {
    temporary: NamedTempFile,
    target: PathBuf,
    /// Those of the file that is there.
    permissions: Option<Permissions>,
}

impl Destination {
    fn of(path: &str) -> io::Result<Self> {
        if path == "-" {
            return Ok(Destination::Stream(Box::new(io::stdout())));
        }
        if fs::metadata(path).is_ok_and(|meta| !is_replaced(&meta)) {
            let stream = File::options().write(true).open(path)?;
            return Ok(Destination::Stream(Box::new(stream)));
        }
        Replacement::of(path).map(Destination::File)
    }
}

/// Whether what is there is replaced, not a device or a pipe that is written to.
fn is_replaced(meta: &Metadata) -> bool {
    meta.is_file() || meta.is_dir()
}

impl Replacement {
    fn of(path: &str) -> io::Result<Self> {
        let existing = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found?),
        };
        if existing.as_ref().is_some_and(Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let target = follow(Path::new(path));
        let temporary = temporary(folder(&target))?;
        Ok(Replacement { temporary, target, permissions: existing.map(|meta| meta.permissions()) })
    }

    /// Lets it take its place.
    fn commit(self) -> io::Result<()> {
        let file = self.temporary.as_file();
        if let Some(permissions) = self.permissions {
            file.set_permissions(permissions)?;
        }
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
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pairloom-").suffix(".tmp");
    // Not tempfile's own way of opening: its errors name a file that the user has never heard of.
    builder
        .make_in(folder, |path| File::options().read(true).write(true).create_new(true).open(path))
}
