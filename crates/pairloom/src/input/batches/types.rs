//! Types of columns that can be rows' cells, and what they tell.

use crate::input::Kind;
use arrow_schema::{DataType, Field};

/// What a column of this type is, if its values can be written as cells.
pub(super) fn kind(data_type: &DataType) -> Option<Kind> {
    use DataType::{
        Dictionary, FixedSizeList, LargeList, LargeListView, List, ListView, RunEndEncoded,
    };
    match data_type {
        Dictionary(_, values) => plain(values).map(|_| Kind::Category),
        RunEndEncoded(_, values) => plain(values.data_type()),
        List(of) | LargeList(of) | FixedSizeList(of, _) | ListView(of) | LargeListView(of) => {
            element(of).map(|_| Kind::List)
        }
        _ => plain(data_type),
    }
}

fn element(of: &Field) -> Option<Kind> {
    match of.data_type() {
        DataType::Dictionary(_, values) => plain(values),
        of => plain(of),
    }
}

/// The same of a type whose values are not made of others.
fn plain(data_type: &DataType) -> Option<Kind> {
    use DataType::{
        Boolean, Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Duration, Float16,
        Float32, Float64, LargeUtf8, Null, Time32, Time64, Timestamp, Utf8, Utf8View,
    };
    match data_type {
        Null => Some(Kind::Unknown),
        Boolean => Some(Kind::Category),
        Float16 | Float32 | Float64 => Some(Kind::Number),
        Utf8 | LargeUtf8 | Utf8View => Some(Kind::Text),
        Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..) | Duration(_) => Some(Kind::Text),
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => Some(Kind::Number),
        _ => data_type.is_integer().then_some(Kind::Unknown),
    }
}

/// What to do about a column of a type that no cell can hold.
pub(super) fn advice(data_type: &DataType) -> &'static str {
    use DataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary, Map, Struct};
    match data_type {
        Struct(_) => "make a column of each of its parts, or leave it out of the table",
        Map(..) => "make columns or a list of its values, or leave it out of the table",
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => {
            "make strings of it, if it is text, or leave it out of the table"
        }
        _ => "make strings, numbers or a list of them of it, or leave it out of the table",
    }
}
