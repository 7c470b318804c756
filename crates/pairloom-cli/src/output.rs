//! The files that a command will write, looked at before the work rather than after it.

use pairloom::file::check_place;
use pairloom::{Error, Result};
use std::path::{Path, PathBuf};

/// Refuses outputs that cannot be written, that are one of the `inputs` (a slip of the keyboard
/// would cost it), or that are the same file twice.
pub fn check(outputs: &[&String], inputs: &[&String]) -> Result<()> {
    for (number, output) in outputs.iter().enumerate() {
        check_writable(output)?;
        if let Some(input) = inputs.iter().find(|input| same(output, input)) {
            return Err(Error::usage(format!("{output} would replace the input {input}")));
        }
        if outputs[..number].iter().any(|other| same(output, other)) {
            return Err(Error::usage(format!("two outputs have the same name {output}")));
        }
    }
    Ok(())
}

fn check_writable(path: &str) -> Result<()> {
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    let problem = if path.is_empty() {
        return Err(Error::usage("the name of a file to write is empty"));
    } else if Path::new(path).is_dir() {
        Some("is a folder: give a file's name")
    } else if folder.is_some_and(|folder| !folder.is_dir()) {
        Some("cannot be written: its folder does not exist")
    } else {
        None
    };
    problem.map_or(Ok(()), |problem| Err(Error::data(path, problem)))?;
    check_place(path)
}

/// Whether two paths lead to one regular file. One that is not there yet goes by its name.
fn same(a: &str, b: &str) -> bool {
    let file = |path: &str| -> Option<PathBuf> {
        let path = Path::new(path);
        match std::fs::canonicalize(path) {
            Ok(path) => Some(path).filter(|path| path.is_file()),
            Err(_) => std::path::absolute(path).ok(),
        }
    };
    a != "-" && b != "-" && file(a).is_some() && file(a) == file(b)
}
