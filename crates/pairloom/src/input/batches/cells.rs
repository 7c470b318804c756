//! The columns of a batch, so laid out that the cell of any row is written without looking at types.

use super::types;
use crate::input::written::{write_number, write_whole};
use crate::input::{LIST_SEPARATOR, MAX_RECORD, parse_number, shown};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, GenericListArray, GenericListViewArray,
    Int64Array, LargeStringArray, OffsetSizeTrait, StringArray, StringViewArray, UInt64Array,
};
use arrow_cast::display::FormatOptions;
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{ArrowError, DataType};
use memchr::memchr;
use std::ops::Range;

/// Why a cell cannot be written.
#[derive(Debug)]
pub(super) enum Fault {
    /// A number that is not finite.
    Infinite,
    /// A value of a list with the separator in it.
    Separator(String),
    /// A dictionary has no such value.
    Key,
    /// More text than a row may have.
    Long,
}

impl Fault {
    pub(super) fn message(&self) -> String {
        match self {
            Fault::Infinite => "an infinite number: correct it, or make it missing".into(),
            Fault::Separator(value) => format!(
                "the value '{value}' of a list has a '{LIST_SEPARATOR}' in it, which stands between values: \
                 write it in another way"
            ),
            Fault::Key => "a value that its dictionary does not have".into(),
            Fault::Long => format!("a row longer than {} MiB", MAX_RECORD >> 20),
        }
    }
}

/// The values of a column.
#[derive(Debug)]
pub(super) enum Cells {
    Nothing,
    Text(StringArray),
    LongText(LargeStringArray),
    TextView(StringViewArray),
    Truth(BooleanArray),
    Signed(Int64Array),
    Unsigned(UInt64Array),
    Float(Float64Array),
    /// Texts that are numbers.
    Decimal(StringArray),
    /// Numbers of values.
    Keyed(Int64Array, Box<Cells>),
    /// Ranges of values.
    Lists(Vec<Range<usize>>, Box<Cells>),
}

impl Cells {
    /// Those of an array.
    ///
    /// # Errors
    /// If it is of a type that [`types::kind`] does not know, or has values beyond their type's range.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, ArrowError> {
        use DataType::{
            Boolean, Decimal32, Decimal64, Decimal128, Decimal256, Dictionary, FixedSizeList,
            LargeList, LargeListView, LargeUtf8, List, ListView, Null, RunEndEncoded, UInt64, Utf8,
            Utf8View,
        };
        let data_type = array.data_type();
        Ok(match data_type {
            _ if types::kind(data_type).is_none() => return Err(unknown(data_type)),
            Null => Cells::Nothing,
            Utf8 => Cells::Text(array.as_string().clone()),
            LargeUtf8 => Cells::LongText(array.as_string().clone()),
            Utf8View => Cells::TextView(array.as_string_view().clone()),
            Boolean => Cells::Truth(array.as_boolean().clone()),
            UInt64 => Cells::Unsigned(array.as_primitive::<UInt64Type>().clone()),
            _ if data_type.is_integer() => {
                let whole = cast(array, &DataType::Int64)?;
                Cells::Signed(whole.as_primitive::<Int64Type>().clone())
            }
            _ if data_type.is_floating() => {
                let float = cast(array, &DataType::Float64)?;
                Cells::Float(float.as_primitive::<Float64Type>().clone())
            }
            Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => {
                Cells::Decimal(spelled(array)?)
            }
            Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let keys = cast(dictionary.keys(), &DataType::Int64)?;
                let values = Box::new(Cells::of(dictionary.values())?);
                Cells::Keyed(keys.as_primitive::<Int64Type>().clone(), values)
            }
            RunEndEncoded(_, values) => return Cells::of(&cast(array, values.data_type())?),
            List(_) => of_lists(array.as_list::<i32>())?,
            LargeList(_) => of_lists(array.as_list::<i64>())?,
            ListView(_) => of_views(array.as_list_view::<i32>())?,
            LargeListView(_) => of_views(array.as_list_view::<i64>())?,
            FixedSizeList(..) => {
                let lists = array.as_fixed_size_list();
                let length = lists.value_length() as usize;
                let range = |row| row * length..(row + 1) * length;
                listed(array, range, lists.values())?
            }
            _ => Cells::Text(spelled(array)?),
        })
    }

    /// Writes the cell of a row; nothing if it is missing.
    #[inline]
    pub(super) fn write(&self, row: usize, text: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Cells::Nothing => {}
            Cells::Text(of) | Cells::Decimal(of) if of.is_valid(row) => {
                text.extend_from_slice(of.value(row).as_bytes());
            }
            Cells::LongText(of) if of.is_valid(row) => {
                text.extend_from_slice(of.value(row).as_bytes());
            }
            Cells::TextView(of) if of.is_valid(row) => {
                text.extend_from_slice(of.value(row).as_bytes());
            }
            Cells::Truth(of) if of.is_valid(row) => {
                text.extend_from_slice(if of.value(row) { b"true" } else { b"false" });
            }
            Cells::Signed(of) if of.is_valid(row) => {
                let value = of.value(row);
                write_whole(value < 0, value.unsigned_abs(), text);
            }
            Cells::Unsigned(of) if of.is_valid(row) => write_whole(false, of.value(row), text),
            Cells::Float(of) if of.is_valid(row) => write_float(of.value(row), text)?,
            Cells::Keyed(keys, values) if keys.is_valid(row) => {
                let key = usize::try_from(keys.value(row)).ok().filter(|&key| key < values.len());
                values.write(key.ok_or(Fault::Key)?, text)?;
            }
            Cells::Lists(ranges, values) => write_list(ranges[row].clone(), values, text)?,
            _ => {}
        }
        Ok(())
    }

    /// Whether cells can be given as numbers alone.
    pub(super) fn are_numbers(&self) -> bool {
        use Cells::{Decimal, Float, Signed, Unsigned};
        matches!(self, Signed(_) | Unsigned(_) | Float(_) | Decimal(_))
    }

    /// The number in the cell of a row, with the bits that its text would be read to; NaN if it is
    /// missing.
    #[inline]
    pub(super) fn number(&self, row: usize) -> Result<f64, Fault> {
        let number = match self {
            Cells::Signed(of) if of.is_valid(row) => of.value(row) as f64,
            Cells::Unsigned(of) if of.is_valid(row) => of.value(row) as f64,
            Cells::Float(of) if of.is_valid(row) && !of.value(row).is_nan() => of.value(row),
            Cells::Decimal(of) if of.is_valid(row) => {
                parse_number(of.value(row).as_bytes()).unwrap_or(f64::INFINITY)
            }
            _ => return Ok(f64::NAN),
        };
        if number.is_finite() { Ok(number) } else { Err(Fault::Infinite) }
    }

    fn len(&self) -> usize {
        match self {
            Cells::Nothing => usize::MAX,
            Cells::Text(of) | Cells::Decimal(of) => of.len(),
            Cells::LongText(of) => of.len(),
            Cells::TextView(of) => of.len(),
            Cells::Truth(of) => of.len(),
            Cells::Signed(of) => of.len(),
            Cells::Unsigned(of) => of.len(),
            Cells::Float(of) => of.len(),
            Cells::Keyed(keys, _) => keys.len(),
            Cells::Lists(ranges, _) => ranges.len(),
        }
    }
}

fn unknown(data_type: &DataType) -> ArrowError {
    ArrowError::NotYetImplemented(format!("cells of type {data_type}"))
}

/// The values as the texts that they are shown as: times and durations as ISO 8601 has them.
fn spelled(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = CastOptions { safe: false, format_options: FormatOptions::new() };
    Ok(cast_with_options(array, &DataType::Utf8, &options)?.as_string().clone())
}

fn of_lists<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> Result<Cells, ArrowError> {
    let offsets = lists.value_offsets();
    let range = |row: usize| offsets[row].as_usize()..offsets[row + 1].as_usize();
    listed(lists, range, lists.values())
}

fn of_views<O: OffsetSizeTrait>(lists: &GenericListViewArray<O>) -> Result<Cells, ArrowError> {
    let (offsets, sizes) = (lists.value_offsets(), lists.value_sizes());
    let range = |row: usize| offsets[row].as_usize()..(offsets[row] + sizes[row]).as_usize();
    listed(lists, range, lists.values())
}

fn listed(
    lists: &dyn Array,
    range: impl Fn(usize) -> Range<usize>,
    values: &ArrayRef,
) -> Result<Cells, ArrowError> {
    let of_row = |row| if lists.is_valid(row) { range(row) } else { 0..0 };
    let ranges = (0..lists.len()).map(of_row).collect();
    Ok(Cells::Lists(ranges, Box::new(Cells::of(values)?)))
}

/// Writes the values of a list that are not missing.
fn write_list(range: Range<usize>, values: &Cells, text: &mut Vec<u8>) -> Result<(), Fault> {
    let begin = text.len();
    for value in range {
        let end = text.len();
        if end > begin {
            text.push(LIST_SEPARATOR as u8);
        }
        let start = text.len();
        values.write(value, text)?;
        match &text[start..] {
            [] => text.truncate(end),
            value if memchr(LIST_SEPARATOR as u8, value).is_some() => {
                return Err(Fault::Separator(shown(value)));
            }
            _ if text.len() > MAX_RECORD => return Err(Fault::Long),
            _ => {}
        }
    }
    Ok(())
}

/// Writes the shortest text with the bits of a number; nothing if it is missing.
fn write_float(number: f64, text: &mut Vec<u8>) -> Result<(), Fault> {
    if number.is_infinite() {
        return Err(Fault::Infinite);
    }
    write_number(number, text);
    Ok(())
}
