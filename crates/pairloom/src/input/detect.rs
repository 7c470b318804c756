//! Opening an input: from a name and what the user says of it to a [`Reader`].
//!
//! The format comes from the option, else from the file's extension, else from the first lines.
//! The delimiter of a CSV is looked for even under the name `.csv`, since files of that name
//! separated by tabs or semicolons are common. A file is looked into only where something is
//! left to find out, so that a pipe whose format is known yields its first row at once.

use super::csv::{Csv, Records};
use super::movielens;
use super::open::Source;
use super::options::{FormatName, OpenOptions};
use super::parquet;
use super::sniff;
use super::sparse::{Grammar, Sparse};
use super::{Format, Reader};
use crate::{Error, Result};

/// Opens a file, or standard input for `-`, and finds out its format.
///
/// Files compressed by gzip or zstd are recognised by their content.
///
/// # Errors
/// [`Error::Usage`] for options that contradict each other, [`Error::Io`] for a file that cannot
/// be read, [`Error::Data`] for one that is empty or damaged, and [`Error::Row`] for a header, or
/// a first row of a file without one, that cannot be used.
pub fn open(path: &str, options: &OpenOptions) -> Result<Box<dyn Reader>> {
    options.check(options.format)?;
    match parquet::found(path)? {
        Some(file) => parquet::open(file, path, options),
        None => detect(Source::open(path)?, options, Some(path)),
    }
}

/// Opens a file, or standard input for `-`, of a known format: that of an earlier file. Parquet is found out
/// where another format is known, and another one where Parquet is.
///
/// # Errors
/// As for [`open`].
pub fn open_as(path: &str, format: Format) -> Result<Box<dyn Reader>> {
    match (parquet::found(path)?, format) {
        (Some(file), _) => parquet::open(file, path, &OpenOptions::default()),
        // How a table is written is not said by another one.
        (None, Format::Parquet) => open(path, &OpenOptions::default()),
        (None, format) => read_as(Source::open(path)?, format, Some(path)),
    }
}

/// Reads bytes in memory as [`open`] reads a file of that name.
///
/// # Errors
/// As for [`open`].
pub fn from_bytes(
    name: &str,
    bytes: impl Into<Vec<u8>>,
    options: &OpenOptions,
) -> Result<Box<dyn Reader>> {
    options.check(options.format)?;
    let bytes = bytes.into();
    match parquet::found_in(bytes) {
        Ok(file) => parquet::open(file, name, options),
        Err(bytes) => detect(Source::from_bytes(name, bytes)?, options, None),
    }
}

fn detect(
    mut source: Source,
    options: &OpenOptions,
    path: Option<&str>,
) -> Result<Box<dyn Reader>> {
    let format = match stated(&source, options) {
        Some(name) => format_of(name, &mut source, options)?,
        None => {
            let sample = sniff::sample(&mut source)?;
            if sample.is_empty() {
                return Err(Error::data(&**source.name(), "no rows: the file is empty"));
            }
            let name = sniff::format(&sample);
            format_of(name, &mut source, options)?
        }
    };
    read_as(source, format, path)
}

/// The format that the user or the file's name tells.
fn stated(source: &Source, options: &OpenOptions) -> Option<FormatName> {
    let csv_only = options.delimiter.is_some() || options.header == Some(true);
    let named = options.format.or_else(|| FormatName::from_path(source.name()));
    named.or(csv_only.then_some(FormatName::Csv))
}

fn format_of(name: FormatName, source: &mut Source, options: &OpenOptions) -> Result<Format> {
    match name {
        FormatName::Libsvm => options.check(Some(name)).map(|()| Format::Libsvm),
        FormatName::Libffm => options.check(Some(name)).map(|()| Format::Libffm),
        FormatName::MovieLens(edition) => Ok(Format::MovieLens { edition }),
        FormatName::Parquet => Err(parquet::none(source)?),
        FormatName::Csv => csv_format(options.delimiter, source, options),
        FormatName::Tsv => csv_format(options.delimiter.or(Some('\t')), source, options),
    }
}

fn csv_format(
    delimiter: Option<char>,
    source: &mut Source,
    options: &OpenOptions,
) -> Result<Format> {
    if let (Some(delimiter), Some(header)) = (delimiter, options.header) {
        return Ok(Format::Csv { delimiter, header });
    }
    let sample = sniff::sample(source)?;
    let delimiter = delimiter.unwrap_or_else(|| sniff::delimiter(&sample));
    let sniffed = || sniff::header(&sample, delimiter, &options.names);
    let header = options.header.unwrap_or_else(sniffed);
    Ok(Format::Csv { delimiter, header })
}

/// Opens a source of a format; `path` is where it lies, if that is a file.
fn read_as(source: Source, format: Format, path: Option<&str>) -> Result<Box<dyn Reader>> {
    Ok(match format {
        Format::Csv { delimiter, header } => {
            Box::new(Csv::new(Records::new(source, delimiter, header)?)?)
        }
        Format::Libsvm => Box::new(Sparse::new(source, Grammar::Libsvm)),
        Format::Libffm => Box::new(Sparse::new(source, Grammar::Libffm)),
        Format::MovieLens { edition } => return movielens::open(source, edition, path),
        Format::Parquet => return Err(Error::usage("Parquet is no text")),
    })
}
