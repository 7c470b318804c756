//! The pages of a file, looked at before they are decoded: a page whose numbers of values are more than there can
//! be would have more memory asked for than there is, which ends the process.

use bytes::Bytes;
use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::FileReader;
use std::sync::Arc;

/// All row groups of a file.
pub(super) struct Groups(pub(super) Arc<dyn FileReader>);

impl RowGroups for Groups {
    fn num_rows(&self) -> usize {
        RowGroups::num_rows(&self.0)
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        let of = self.0.metadata().file_metadata().schema_descr().column(column);
        let levels = [of.max_rep_level() > 0, of.max_def_level() > 0];
        Ok(Box::new(Chunks { chunks: self.0.column_chunks(column)?, levels }))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        RowGroups::row_groups(&self.0)
    }

    fn metadata(&self) -> &ParquetMetaData {
        RowGroups::metadata(&self.0)
    }
}

/// A column in all row groups.
struct Chunks {
    chunks: Box<dyn PageIterator>,
    /// Whether its pages have levels of repetition, and of definition.
    levels: [bool; 2],
}

impl Iterator for Chunks {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let pages = self.chunks.next()?;
        Some(pages.map(|pages| Box::new(Pages { pages, levels: self.levels }) as _))
    }
}

impl PageIterator for Chunks {}

/// The pages of a column in a row group.
struct Pages {
    pages: Box<dyn PageReader>,
    levels: [bool; 2],
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        match page.as_ref().is_none_or(|page| is_sane(page, self.levels)) {
            true => Ok(page),
            false => Err(ParquetError::General("a page claims more values than it has".into())),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

fn is_sane(page: &Page, levels: [bool; 2]) -> bool {
    let (buf, num_values, encoding) = match page {
        // A value takes a byte at the least.
        Page::DictionaryPage { buf, num_values, .. } => return *num_values as usize <= buf.len(),
        Page::DataPage { buf, num_values, encoding, .. }
        | Page::DataPageV2 { buf, num_values, encoding, .. } => (buf, *num_values, *encoding),
    };
    let streams = match encoding {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
        Encoding::DELTA_BYTE_ARRAY => 2,
        _ => return true,
    };
    let Some(start) = values_start(page, buf, levels) else { return false };
    let Some(values) = buf.get(start..) else { return false };
    let mut deltas = Deltas { bytes: values, at: 0 };
    // There may be no value at all, and then nothing of them.
    values.is_empty() || (0..streams).all(|_| deltas.pass(num_values.into()).is_some())
}

/// Where values begin, after levels.
fn values_start(page: &Page, buf: &Bytes, levels: [bool; 2]) -> Option<usize> {
    match page {
        Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
            (*def_levels_byte_len as usize).checked_add(*rep_levels_byte_len as usize)
        }
        Page::DataPage { def_level_encoding, rep_level_encoding, .. } => {
            let mut at = 0usize;
            let encodings = [rep_level_encoding, def_level_encoding];
            for (_, encoding) in levels.iter().zip(encodings).filter(|(has, _)| **has) {
                if *encoding != Encoding::RLE {
                    return None;
                }
                let length: [u8; 4] = buf.get(at..at + 4)?.try_into().ok()?;
                at = at.checked_add(4)?.checked_add(u32::from_le_bytes(length) as usize)?;
            }
            Some(at)
        }
        Page::DictionaryPage { .. } => None,
    }
}

/// Numbers as they are written by their differences, in blocks of several widths.
struct Deltas<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Deltas<'_> {
    /// Goes behind a stream of so many numbers at the most.
    fn pass(&mut self, most: u64) -> Option<()> {
        let (block, parts, count) = (self.number()?, self.number()?, self.number()?);
        self.number()?;
        if count > most || parts == 0 || block == 0 {
            return None;
        }
        let a_part = block / parts;
        if a_part == 0 {
            return None;
        }
        let mut left = count.saturating_sub(1);
        while left > 0 {
            self.number()?;
            let widths_end = self.at.checked_add(usize::try_from(parts).ok()?)?;
            let widths = self.bytes.get(self.at..widths_end)?;
            self.at = widths_end;
            for &width in widths {
                // The widths of parts that are not there are.
                if left == 0 {
                    break;
                }
                let bytes = a_part.checked_mul(width.into())? / 8;
                self.at = self.at.checked_add(usize::try_from(bytes).ok()?)?;
                left = left.saturating_sub(a_part);
            }
        }
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }
}
