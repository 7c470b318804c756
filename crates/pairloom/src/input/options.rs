//! What a user may say about an input; all that is left unsaid is detected.

use super::MovieLens;
use crate::{Error, Result};
use std::fmt;

/// The name of a format, as in `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatName {
    /// Delimited text.
    Csv,
    /// Delimited text, with tabs.
    Tsv,
    /// `label [qid:q] index:value ...`
    Libsvm,
    /// `label field:index:value ...`
    Libffm,
    /// Ratings of MovieLens, joined with the files beside them.
    MovieLens(MovieLens),
    /// Tables of Apache Parquet.
    Parquet,
}

impl FormatName {
    /// All formats, for help texts.
    pub const ALL: [FormatName; 8] = [
        FormatName::Csv,
        FormatName::Tsv,
        FormatName::Libsvm,
        FormatName::Libffm,
        FormatName::Parquet,
        FormatName::MovieLens(MovieLens::Small),
        FormatName::MovieLens(MovieLens::Million),
        FormatName::MovieLens(MovieLens::Latest),
    ];

    /// The name in messages and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            FormatName::Csv => "csv",
            FormatName::Tsv => "tsv",
            FormatName::Libsvm => "libsvm",
            FormatName::Libffm => "libffm",
            FormatName::MovieLens(edition) => edition.name(),
            FormatName::Parquet => "parquet",
        }
    }

    /// The format that a file's name tells, below an ending that tells its compression.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let path = path.to_ascii_lowercase();
        let compressed = [".gz", ".zst", ".zstd"].iter().find_map(|end| path.strip_suffix(end));
        let (_, extension) = compressed.unwrap_or(&path).rsplit_once('.')?;
        match extension {
            "csv" => Some(FormatName::Csv),
            "tsv" | "tab" => Some(FormatName::Tsv),
            "svm" | "libsvm" | "svmlight" => Some(FormatName::Libsvm),
            "ffm" | "libffm" => Some(FormatName::Libffm),
            "parquet" | "pq" => Some(FormatName::Parquet),
            _ => None,
        }
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is known of an input beforehand. The default says nothing: all is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The format; else the file's extension tells it, else its first lines.
    pub format: Option<FormatName>,
    /// The character between cells: one ASCII character.
    pub delimiter: Option<char>,
    /// Whether the first line names the columns.
    pub header: Option<bool>,
    /// Names that columns surely have: a first line with one of them is a header.
    pub names: Vec<String>,
}

impl OpenOptions {
    /// Refuses settings that contradict the format.
    pub(super) fn check(&self, format: Option<FormatName>) -> Result<()> {
        let name = match format {
            Some(name @ FormatName::Parquet) if self.header == Some(false) => {
                return Err(Error::usage(format!("format {name} has no header to choose")));
            }
            Some(
                name @ (FormatName::Libsvm
                | FormatName::Libffm
                | FormatName::MovieLens(_)
                | FormatName::Parquet),
            ) => name,
            Some(FormatName::Tsv) if self.delimiter.is_some_and(|d| d != '\t') => {
                let message = "tsv is separated by tabs: for another delimiter the format is csv";
                return Err(Error::usage(message));
            }
            _ => return Ok(()),
        };
        if self.delimiter.is_some() {
            return Err(Error::usage(format!("format {name} has no delimiter to choose")));
        }
        if self.header == Some(true) {
            return Err(Error::usage(format!("format {name} has no header to choose")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        use FormatName::*;
        let cases = [
            ("a.csv", Some(Csv)),
            ("dir.v2/a.CSV.gz", Some(Csv)),
            ("a.tab.zst", Some(Tsv)),
            ("a.tsv.zstd", Some(Tsv)),
            ("a.svm", Some(Libsvm)),
            ("a.svmlight", Some(Libsvm)),
            ("a.ffm", Some(Libffm)),
            ("a.libffm.gz", Some(Libffm)),
            ("a.parquet", Some(Parquet)),
            ("a.txt", None),
            ("a.gz", None),
            ("csv", None),
            ("stdin", None),
        ];
        for (path, expected) in cases {
            assert_eq!(FormatName::from_path(path), expected, "{path}");
        }
    }
}
