//! The one error type of the library.
//!
//! Every message is one line that says where, what, and what to do about it. The command turns
//! [`Error::Usage`] into exit status 2 and everything else into 1.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

/// The result of every fallible call of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting, or a combination of settings, that cannot work; or one that names a column or a
    /// label that is not there.
    #[error("{}", line(.0))]
    Usage(String),
    /// A row of the input that cannot be used.
    #[error("{place}: {}", line(message))]
    Row {
        /// Where the offending text starts.
        place: Place,
        /// What is wrong with it and what to do.
        message: String,
    },
    /// Input that is unusable as a whole (no rows, one label value, a missing column, ...).
    #[error("{}: {}", line(file), line(message))]
    Data {
        /// The file's name as the user gave it.
        file: String,
        /// What is wrong with it and what to do.
        message: String,
    },
    /// The operating system refused to read or write.
    #[error("{}: {source}", line(file))]
    Io {
        /// The file's name as the user gave it.
        file: String,
        /// The system's own error.
        source: io::Error,
    },
    /// A model or checkpoint file that must not be used.
    #[error("{}: {}", line(file), line(message))]
    ModelFile {
        /// The file's name as the user gave it.
        file: String,
        /// Why it is refused.
        message: String,
    },
    /// More memory is needed than there is.
    #[error("{}", line(.0))]
    Memory(String),
    /// A GPU, its driver or its compiler is not there, or has failed.
    #[error("{}", line(.0))]
    Device(String),
    /// A callback asked for the end.
    #[error("stopped before it was done")]
    Interrupted,
    /// Training met a loss or weight that is not finite.
    #[error("{}", line(.0))]
    Diverged(String),
}

impl Error {
    /// A usage error.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::Usage(message.into())
    }

    /// The usage error of a setting that breaks its rule, under the names of field and flag.
    pub(crate) fn setting(name: &str, rule: &str) -> Self {
        Error::Usage(format!("{} must be {rule}", flagged(name)))
    }

    /// An input/output error of the named file.
    pub fn io(file: impl Into<String>, source: io::Error) -> Self {
        Error::Io { file: file.into(), source }
    }

    /// A model or checkpoint file that is refused.
    pub(crate) fn model_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Error::ModelFile { file: file.into(), message: message.into() }
    }

    /// An error about a whole input.
    pub fn data(file: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Data { file: file.into(), message: message.into() }
    }
}

/// A position in an input file: `clicks.csv:17:3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user gave it; `stdin` for standard input.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: u64,
    /// Byte within the line, counted from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", line(&self.file), self.line, self.column)
    }
}

/// A setting by the names of its field and its flag: `hash_bits (--hash-bits)`.
pub(crate) fn flagged(setting: &str) -> String {
    let flag = setting.replace('_', "-");
    format!("{setting} (--{})", if flag == "bias" { "no-bias" } else { &flag })
}

/// Advice in messages about one row, which has been followed where rows are skipped.
pub(crate) const OR_SKIP: &str = ", or say --on-error skip";

/// Characters of a message that are shown: a name that it quotes may take all of a record.
const LONGEST: usize = 3000;

/// A message on one line: cells, column names and file names that it quotes may hold anything, as
/// line ends and what a terminal obeys.
pub(crate) fn line(message: &str) -> Cow<'_, str> {
    if message.chars().nth(LONGEST).is_some() {
        let head: String = message.chars().take(2 * LONGEST / 3).collect();
        // What to do about it stands at the end.
        let end: Vec<char> = message.chars().rev().take(LONGEST / 3).collect();
        let end: String = end.into_iter().rev().collect();
        return format!("{} ... {}", visible(&head), visible(&end)).into();
    }
    visible(message)
}

/// A text with its control characters spelled out.
fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let spelled = |c: char| match c.is_control() {
        true => c.escape_debug().to_string(),
        false => c.to_string(),
    };
    text.chars().map(spelled).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn a_message_is_short() {
        let error = Error::usage(format!("'{}' is a name: cut it", "\u{65e5}".repeat(100_000)));
        let shown = error.to_string();
        assert!(shown.chars().count() < 3100, "{}", shown.len());
        assert!(shown.starts_with("'\u{65e5}") && shown.ends_with("' is a name: cut it"));
        let control = Error::usage("\n".repeat(100_000)).to_string();
        assert!(control.len() < 10_000 && !control.contains('\n'));
    }

    #[test]
    fn a_message_is_one_line() {
        let error = Error::data("a\nb.csv", "column 'two\r\nlines' has '\x1b[2J' and 'tab\t'");
        let shown = r"a\nb.csv: column 'two\r\nlines' has '\u{1b}[2J' and 'tab\t'";
        assert_eq!(error.to_string(), shown);
    }
}
