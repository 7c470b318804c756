//! What the generator asks of the system: memory, and files that are whole or not there.

use crate::{Error, Result};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes `path` by `fill`, which is given the output and its name for errors. A regular file is
/// made under another name beside its place and renamed when all is written; a pipe or a device
/// is written straight.
pub(super) fn write_whole<T>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write, &str) -> Result<T>,
) -> Result<T> {
    let name = path.display().to_string();
    let failed = |e: io::Error| Error::io(&name, e);
    match fs::metadata(path) {
        Ok(old) if old.is_dir() => Err(failed(io::ErrorKind::IsADirectory.into())),
        Ok(old) if !old.is_file() => {
            let mut file = fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
            fill(&mut file, &name)
        }
        Ok(old) => replace(&fs::canonicalize(path).map_err(failed)?, &name, Some(&old), fill),
        Err(_) => replace(path, &name, None, fill),
    }
}

/// Writes a temporary file and renames it to `path`, which is no symbolic link.
fn replace<T>(
    path: &Path,
    name: &str,
    old: Option<&Metadata>,
    fill: impl FnOnce(&mut dyn Write, &str) -> Result<T>,
) -> Result<T> {
    let failed = |e: io::Error| Error::io(name, e);
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pairloom-");
    let permissions = old.map(Metadata::permissions).or_else(usual_permissions);
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(&folder).map_err(failed)?;
    // Block by block the writes are large; the buffer is for small logs and headers only.
    let mut out = BufWriter::new(file.as_file_mut());
    let done = fill(&mut out, name)?;
    out.flush().map_err(failed)?;
    drop(out);
    File::sync_all(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(done)
}

/// What a newly created file is allowed, before the process's mask: temporary files are private.
#[cfg(unix)]
fn usual_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<Permissions> {
    None
}

/// Free memory in bytes, where the system says (Linux). An allocation that is too large would
/// succeed there, and the process be killed later.
pub(super) fn free_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}
