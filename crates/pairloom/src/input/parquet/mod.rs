//! Files of Apache Parquet: tables in columns, read as batches of rows.
//!
//! A file is known by its first and last bytes, whatever it is called. Its end says where everything else
//! lies, so it is read at its places, and neither from a pipe nor unpacked on the way. Row groups are read a
//! page of each column at a time: a file may be larger than the memory.

mod file;
mod footer;
mod pages;
#[cfg(test)]
mod tests;
mod thrift;

pub(super) use file::File;

use super::batches::{batches, caught};
use super::open::Source;
use super::{Format, FormatName, OpenOptions, Reader};
use crate::{Error, Result};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use ::parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels, parquet_to_arrow_schema};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_schema::{DataType, Field};
use pages::Groups;
use std::sync::Arc;

/// Rows that are decoded at once.
const ROWS: usize = 8192;

/// The longest lists of a fixed length: memory is taken for what is missing in them too.
const LONGEST: i32 = 1 << 16;

/// How files begin and end, and how those do whose end is encrypted.
const MAGIC: &[u8; 4] = b"PAR1";
const ENCRYPTED: &[u8; 4] = b"PARE";

/// The file at `path`, if it is one of Parquet. What is no file, as a pipe, is not looked into, and what cannot
/// be opened is for others to tell.
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub(super) fn found(path: &str) -> Result<Option<File>> {
    let is_file = path != "-" && std::fs::metadata(path).is_ok_and(|meta| meta.is_file());
    let opened = is_file.then(|| std::fs::File::open(path)).and_then(Result::ok);
    let Some(file) = opened else { return Ok(None) };
    let file = File::new(file).map_err(|error| Error::io(path, error))?;
    let found = is_parquet(&file).map_err(|error| Error::io(path, error))?;
    Ok(found.then_some(file))
}

/// Bytes as a file, if they are one of Parquet.
pub(super) fn found_in(bytes: Vec<u8>) -> std::result::Result<File, Vec<u8>> {
    let file = File::of(bytes);
    if is_parquet(&file).is_ok_and(|found| found) { Ok(file) } else { Err(file.into_bytes()) }
}

/// Whether it begins as such files do. Text may begin with these letters too, but no text goes on with the
/// header of a page, or ends so.
fn is_parquet(file: &File) -> std::io::Result<bool> {
    let is_magic = |bytes: &[u8]| [MAGIC, ENCRYPTED].iter().any(|magic| *magic == bytes);
    let mut head = [0; 5];
    if file.read(0, &mut head)? < head.len() || !is_magic(&head[..4]) {
        return Ok(false);
    }
    Ok(head[4] == 0x15 || is_magic(&file.end()?))
}

/// Why a source that is said to be Parquet is not.
pub(super) fn none(source: &mut Source) -> Result<Error> {
    let message = match source.peek(1)?.is_empty() {
        true => "no rows: the file is empty",
        false => {
            "no Parquet file: it does not begin with PAR1; if it is text, say in which --format, and if it was \
             piped in, give the file by its name"
        }
    };
    Ok(Error::data(&**source.name(), message))
}

/// Opens a file that was found.
///
/// # Errors
/// [`Error::Usage`] for options of other formats, [`Error::Data`] for a file that is damaged or encrypted, and
/// those of [`batches`].
pub(super) fn open(file: File, name: &str, options: &OpenOptions) -> Result<Box<dyn Reader>> {
    if let Some(format) = options.format.filter(|format| *format != FormatName::Parquet) {
        let message = format!("{name}: a Parquet file, and no {format}: leave out --format");
        return Err(Error::usage(message));
    }
    options.check(Some(FormatName::Parquet))?;
    footer::check(&file).map_err(|fault| fault.error(name))?;
    let reader = caught(|| reader(file));
    let damaged =
        |message: &dyn std::fmt::Display| Error::data(name, format!("damaged: {message}"));
    let reader = reader.map_err(|panic| damaged(&panic))?.map_err(|error| damaged(&error))?;
    batches(Box::new(reader), name, Format::Parquet)
}

/// The error of a file that is not what it claims, or of a kind that cannot be read.
pub(super) fn damaged(name: &str, message: &str) -> Error {
    let prefixes = ["Parquet error: ", "Arrow: ", "EOF: ", "External: ", "NYI: "];
    let plain =
        prefixes.iter().fold(message, |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    let is_unknown = message.starts_with("NYI: ") || plain.contains("not supported");
    let what = if is_unknown { "cannot be read" } else { "damaged" };
    Error::data(name, format!("{what}: {plain}"))
}

fn reader(file: File) -> std::result::Result<ParquetRecordBatchReader, ParquetError> {
    let file: Arc<dyn FileReader> = Arc::new(SerializedFileReader::new(file)?);
    let about = file.metadata().file_metadata();
    let columns = about.schema_descr();
    let known = parquet_to_arrow_schema(columns, about.key_value_metadata())?;
    let all = ProjectionMask::all();
    let levels = parquet_to_arrow_field_levels(columns, all, Some(known.fields()))?;
    let is_long = |field: &Arc<Field>| matches!(field.data_type(), DataType::FixedSizeList(_, length) if *length > LONGEST);
    if known.fields().iter().any(is_long) {
        return Err(ParquetError::General(format!("lists of more than {LONGEST} values")));
    }
    ParquetRecordBatchReader::try_new_with_row_groups(&levels, &Groups(file.clone()), ROWS, None)
}
