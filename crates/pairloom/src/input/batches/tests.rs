//! Record batches as rows, beside the cells that they stand for.

#![allow(clippy::unwrap_used)]

use super::batches;
use crate::encode::split_values;
use crate::input::{Format, Kind, RawRow, Reader, ahead, parse_cell};
use crate::{Error, Result};
use arrow_array::builder::{
    Float64Builder, LargeListBuilder, ListBuilder, ListViewBuilder, StringBuilder,
    StringDictionaryBuilder,
};
use arrow_array::types::{Int8Type, Int16Type, Int32Type, UInt8Type};
use arrow_array::*;
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use std::sync::Arc;

/// A table of one batch.
fn table(columns: Vec<(&str, ArrayRef)>) -> Box<dyn RecordBatchReader + Send> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let schema = Arc::new(Schema::new(fields));
    if schema.fields().is_empty() {
        return Box::new(RecordBatchIterator::new([], schema));
    }
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    Box::new(RecordBatchIterator::new([Ok(batch)], schema))
}

fn open(columns: Vec<(&str, ArrayRef)>) -> Result<Box<dyn Reader>> {
    batches(table(columns), "frame", Format::Csv { delimiter: ',', header: true })
}

/// The cells of each row of the only column.
fn cells(array: impl Array + 'static) -> Vec<String> {
    let mut reader = open(vec![("c", Arc::new(array))]).unwrap();
    let (mut row, mut cells) = (RawRow::new(), Vec::new());
    while reader.read(&mut row).unwrap() {
        assert_eq!(row.len(), 1);
        cells.push(String::from_utf8(row.cell(0).to_vec()).unwrap());
        assert_eq!(row.line(), cells.len() as u64);
    }
    cells
}

#[test]
fn whole_numbers_are_plain() {
    let ends = [Some(i64::MIN), Some(-1), None, Some(0), Some(9), Some(10), Some(i64::MAX)];
    let text = ends.map(|v| v.map_or(String::new(), |v| v.to_string()));
    assert_eq!(cells(Int64Array::from(ends.to_vec())), text);
    assert_eq!(cells(UInt64Array::from(vec![0, u64::MAX])), ["0", "18446744073709551615"]);
    assert_eq!(cells(Int8Array::from(vec![-128, 127])), ["-128", "127"]);
    assert_eq!(cells(UInt8Array::from(vec![255])), ["255"]);
    assert_eq!(cells(Int16Array::from(vec![-300])), ["-300"]);
    assert_eq!(cells(UInt16Array::from(vec![65535])), ["65535"]);
    assert_eq!(cells(Int32Array::from(vec![i32::MIN])), ["-2147483648"]);
    assert_eq!(cells(UInt32Array::from(vec![u32::MAX])), ["4294967295"]);
}

#[test]
fn floats_are_the_shortest_text_of_their_bits() {
    let floats = vec![Some(3.0), Some(-0.5), Some(0.1), None, Some(f64::NAN), Some(1e21)];
    let text = ["3", "-0.5", "0.1", "", "", "1000000000000000000000"];
    assert_eq!(cells(Float64Array::from(floats)), text);
    // Narrow floats are what they are among the wide ones.
    assert_eq!(cells(Float32Array::from(vec![0.1, 2.5])), ["0.10000000149011612", "2.5"]);
    let half = arrow_cast::cast(&Float32Array::from(vec![1.5, f32::NAN]), &DataType::Float16);
    assert_eq!(cells_of(half.unwrap()), ["1.5", ""]);
}

fn cells_of(array: ArrayRef) -> Vec<String> {
    let mut reader = open(vec![("c", array)]).unwrap();
    let (mut row, mut cells) = (RawRow::new(), Vec::new());
    while reader.read(&mut row).unwrap() {
        cells.push(String::from_utf8(row.cell(0).to_vec()).unwrap());
    }
    cells
}

#[test]
fn strings_and_truths() {
    let text = vec![Some("a,\"b\"\nc"), None, Some(""), Some(" NA ")];
    let expected = ["a,\"b\"\nc", "", "", " NA "];
    assert_eq!(cells(StringArray::from(text.clone())), expected);
    assert_eq!(cells(LargeStringArray::from(text.clone())), expected);
    assert_eq!(cells(StringViewArray::from(text.clone())), expected);
    // A part of an array begins later.
    assert_eq!(cells(StringArray::from(text).slice(2, 2)), expected[2..]);
    let truths = BooleanArray::from(vec![Some(true), None, Some(false)]);
    assert_eq!(cells(truths), ["true", "", "false"]);
    assert_eq!(cells(NullArray::new(2)), ["", ""]);
}

#[test]
fn dictionaries_are_their_values() {
    let mut texts = StringDictionaryBuilder::<Int8Type>::new();
    for text in [Some("x"), None, Some("y"), Some("x")] {
        texts.append_option(text);
    }
    assert_eq!(cells(texts.finish()), ["x", "", "y", "x"]);
    let keys = UInt8Array::from(vec![Some(1), Some(0), None, Some(2)]);
    let values = Arc::new(Int32Array::from(vec![Some(70), Some(-8), None]));
    let numbers = DictionaryArray::<UInt8Type>::try_new(keys, values).unwrap();
    assert_eq!(cells(numbers), ["-8", "70", "", ""]);
    let none = Arc::new(StringArray::from(Vec::<&str>::new()));
    let empty = DictionaryArray::<Int16Type>::try_new(Int16Array::new_null(2), none).unwrap();
    assert_eq!(cells(empty), ["", ""]);
    let ends = Int32Array::from(vec![2, 3]);
    let runs = RunArray::<Int32Type>::try_new(&ends, &StringArray::from(vec!["a", "b"])).unwrap();
    assert_eq!(cells(runs), ["a", "a", "b"]);
}

#[test]
fn rare_types_are_iso_text() {
    let cases: [(ArrayRef, &str); 10] = [
        (
            Arc::new(Decimal128Array::from(vec![-1250]).with_precision_and_scale(9, 2).unwrap()),
            "-12.50",
        ),
        (Arc::new(Date32Array::from(vec![18_262])), "2020-01-01"),
        (Arc::new(Date64Array::from(vec![1_577_836_800_000])), "2020-01-01T00:00:00"),
        (Arc::new(Time32SecondArray::from(vec![3661])), "01:01:01"),
        (Arc::new(Time64MicrosecondArray::from(vec![1_500_000])), "00:00:01.500"),
        (Arc::new(TimestampSecondArray::from(vec![1_577_836_800])), "2020-01-01T00:00:00"),
        (
            Arc::new(TimestampNanosecondArray::from(vec![1_577_836_800_000_000_001])),
            "2020-01-01T00:00:00.000000001",
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![1_577_836_800]).with_timezone("UTC")),
            "2020-01-01T00:00:00Z",
        ),
        (
            Arc::new(
                TimestampSecondArray::from(vec![1_577_836_800]).with_timezone("Europe/Berlin"),
            ),
            "2020-01-01T01:00:00+01:00",
        ),
        (Arc::new(DurationSecondArray::from(vec![90])), "PT90S"),
    ];
    for (array, expected) in cases {
        assert_eq!(cells_of(array.clone()), [expected], "{}", array.data_type());
        let nothing = new_null_array(array.data_type(), 1);
        assert_eq!(cells_of(nothing), [""], "{}", array.data_type());
    }
}

#[test]
fn lists_are_their_values_with_a_bar_between() {
    let lists = [
        Some(vec![Some("a"), Some("b")]),
        None,
        Some(vec![]),
        Some(vec![None, Some("c"), None, Some("")]),
    ];
    let expected = ["a|b", "", "", "c"];
    let mut small = ListBuilder::new(StringBuilder::new());
    let mut large = LargeListBuilder::new(StringBuilder::new());
    let mut views = ListViewBuilder::new(StringBuilder::new());
    for list in lists {
        small.append_option(list.clone());
        large.append_option(list.clone());
        views.append_option(list);
    }
    assert_eq!(cells(small.finish()), expected);
    assert_eq!(cells(large.finish()), expected);
    assert_eq!(cells(views.finish()), expected);
    let pairs = vec![Some(vec![Some(1), None]), None, Some(vec![Some(-2), Some(3)])];
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(pairs, 2);
    assert_eq!(cells(fixed.clone()), ["1", "", "-2|3"]);
    assert_eq!(cells(fixed.slice(2, 1)), ["-2|3"]);
    let mut floats = ListBuilder::new(Float64Builder::new());
    floats.append_value([Some(0.5), Some(f64::NAN), Some(2.0)]);
    assert_eq!(cells(floats.finish()), ["0.5|2"]);
}

fn message(columns: Vec<(&str, ArrayRef)>) -> String {
    let read = open(columns).and_then(|mut reader| reader.read(&mut RawRow::new()).map(drop));
    read.unwrap_err().to_string()
}

#[test]
fn what_is_refused_has_a_place() {
    let bar = ListArray::from_nested_iter::<StringBuilder, _, _, _>([Some([Some("a|b")])]);
    let x: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    assert_eq!(
        message(vec![("x", x.clone()), ("l", Arc::new(bar))]),
        "frame:1:2: column 'l': the value 'a|b' of a list has a '|' in it, which stands between values: \
         write it in another way"
    );
    let infinite: ArrayRef = Arc::new(Float32Array::from(vec![f32::NEG_INFINITY]));
    let expected = "frame:1:1: column 'f': an infinite number: correct it, or make it missing";
    assert_eq!(message(vec![("f", infinite.clone())]), expected);
    let mut bare = open(vec![("f", infinite)]).unwrap();
    bare.without_text(&[0]);
    assert_eq!(bare.read(&mut RawRow::new()).unwrap_err().to_string(), expected);
    let twice = message(vec![("x", x.clone()), ("x", x.clone())]);
    assert_eq!(twice, "frame: two columns are named 'x': give one another name");
    assert_eq!(message(vec![]), "frame: a table without columns");
}

#[test]
fn types_that_no_cell_holds_are_named() {
    let field = |data_type| Arc::new(Field::new("part", data_type, true));
    let pair = DataType::Struct(vec![field(DataType::Int8)].into());
    let nested = DataType::List(field(DataType::List(field(DataType::Utf8))));
    let cases = [
        (pair.clone(), "make a column of each of its parts, or leave it out of the table"),
        (DataType::Binary, "make strings of it, if it is text, or leave it out of the table"),
        (nested, "make strings, numbers or a list of them of it, or leave it out of the table"),
        (
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Binary)),
            "make strings, numbers or a list of them of it, or leave it out of the table",
        ),
    ];
    for (data_type, advice) in cases {
        let array = new_null_array(&data_type, 1);
        let expected = format!("frame: column 'odd' is of type {data_type}: {advice}");
        assert_eq!(message(vec![("odd", array)]), expected);
    }
}

#[test]
fn reading_goes_on_after_a_row_that_is_refused() {
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::INFINITY, 2.0]));
    let mut reader = open(vec![("f", floats)]).unwrap();
    let mut row = RawRow::new();
    assert!(reader.read(&mut row).unwrap());
    assert!(matches!(reader.read(&mut row), Err(Error::Row { .. })));
    assert!(reader.read(&mut row).unwrap());
    assert_eq!((row.line(), row.cell(0)), (3, &b"2"[..]));
    assert!(!reader.read(&mut row).unwrap() && !reader.read(&mut row).unwrap());
}

#[test]
fn types_tell_and_wrappers_pass_it_on() {
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            ("text", Arc::new(StringArray::from(vec!["7"]))),
            ("truth", Arc::new(BooleanArray::from(vec![true]))),
            ("whole", Arc::new(Int32Array::from(vec![7]))),
            ("float", Arc::new(Float32Array::from(vec![0.25]))),
            ("list", new_null_array(&DataType::new_list(DataType::Utf8, true), 1)),
        ]
    };
    use Kind::{Category, List, Number, Text, Unknown};
    let expected = [Text, Category, Unknown, Number, List];
    let mut wrapped = crate::input::named(
        open(columns()).unwrap(),
        ["a", "b", "c", "d", "e"].map(String::from).to_vec(),
    );
    wrapped.without_text(&[0, 2, 3, 99]);
    for mut reader in [open(columns()).unwrap(), ahead(wrapped).unwrap()] {
        assert_eq!([0, 1, 2, 3, 4].map(|column| reader.kind(column)), expected);
        let mut row = RawRow::new();
        assert!(reader.read(&mut row).unwrap());
        assert_eq!([0, 2, 3].map(|cell| row.number(cell)), [Some(7.0), Some(7.0), Some(0.25)]);
        let copied = {
            let mut copy = RawRow::new();
            copy.copy_from(&row);
            copy
        };
        assert_eq!([row.cell(0), row.cell(1)], [&b"7"[..], b"true"]);
        assert_eq!(copied.number(3), Some(0.25));
        assert_eq!(row.cell_error(3, "odd").to_string(), "frame:1:4: odd");
        let is_text = reader.columns()[0] == "text";
        assert_eq!(
            [row.cell(2), row.cell(3)],
            if is_text { [&b"7"[..], b"0.25"] } else { [&[][..], &[]] }
        );
    }
}

/// Any finite float, NaN or nothing.
fn float() -> impl Strategy<Value = Option<f64>> {
    let any = any::<u64>().prop_map(f64::from_bits);
    let any = prop_oneof![any, Just(f64::NAN), Just(-0.0), (-1000i32..1000).prop_map(f64::from)];
    prop::option::of(any.prop_filter("infinite", |v| !v.is_infinite()))
}

proptest! {
    /// A number alone has the bits that its text is read to.
    #[test]
    fn numbers_are_those_of_their_texts(
        rows in prop::collection::vec((float(), any::<Option<i64>>(), any::<u64>(), any::<i64>(), any::<f32>()), 1..20)
    ) {
        let columns = || -> Vec<(&str, ArrayRef)> {
            let decimals: Decimal128Array = rows.iter().map(|row| Some(i128::from(row.3))).collect();
            let narrow = rows.iter().map(|row| row.4.is_finite().then_some(row.4));
            vec![
                ("float", Arc::new(rows.iter().map(|row| row.0).collect::<Float64Array>())),
                ("signed", Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>())),
                ("unsigned", Arc::new(rows.iter().map(|row| Some(row.2)).collect::<UInt64Array>())),
                ("decimal", Arc::new(decimals.with_precision_and_scale(38, 7).unwrap())),
                ("narrow", Arc::new(narrow.collect::<Float32Array>())),
            ]
        };
        let (mut texts, mut numbers) = (open(columns()).unwrap(), open(columns()).unwrap());
        numbers.without_text(&[0, 1, 2, 3, 4]);
        let (mut text, mut number) = (RawRow::new(), RawRow::new());
        for _ in &rows {
            prop_assert!(texts.read(&mut text).unwrap() && numbers.read(&mut number).unwrap());
            for cell in 0..5 {
                let of_text = parse_cell(text.cell(cell)).unwrap();
                prop_assert!(number.cell(cell).is_empty());
                prop_assert_eq!(number.number(cell).unwrap().to_bits(), of_text.to_bits());
                prop_assert_eq!(text.number(cell).unwrap().to_bits(), of_text.to_bits());
            }
        }
    }

    /// The values of lists come out as they went in.
    #[test]
    fn lists_are_split_to_their_values(values in prop::collection::vec("[a-z]{1,3}", 0..5)) {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value(values.iter().map(Some));
        let cell = cells(lists.finish()).remove(0);
        let split: Vec<&[u8]> = split_values(cell.as_bytes(), '|').filter(|v| !v.is_empty()).collect();
        prop_assert_eq!(split, values.iter().map(String::as_bytes).collect::<Vec<_>>());
    }
}
