//! `pairloom completions` and `pairloom man`: made from the command line's own description.

use crate::screen::stdout_error;
use clap_complete::Shell;
use pairloom::{Error, Result};
use std::io::{self, Write};
use std::path::Path;

/// Arguments of `pairloom completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Arguments of `pairloom man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The folder, which must exist
    folder: String,
}

/// Runs `pairloom completions`.
pub fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "pairloom", &mut script);
    io::stdout().write_all(&script).map_err(stdout_error)
}

/// Runs `pairloom man`.
pub fn man(args: &ManArgs) -> Result<()> {
    let folder = Path::new(&args.folder);
    std::fs::create_dir_all(folder).map_err(|e| Error::io(&args.folder, e))?;
    clap_mangen::generate_to(crate::command(), folder).map_err(|e| Error::io(&args.folder, e))
}
