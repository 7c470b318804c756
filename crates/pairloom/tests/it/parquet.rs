//! Tables of Parquet beside the CSV that they stand for: what is learned of them, and what their types tell.

use crate::common::{
    bytes, folder, job, learned, model, one_by_one, path, plain_config, refusal, write,
};
use arrow_array::builder::{ListBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::*;
use arrow_schema::{Field, Schema as Types};
use pairloom::encode::Transform;
use pairloom::input::{self, Format, OpenOptions, RawRow, TimePattern};
use pairloom::parallel::Threads;
use pairloom::predict::PredictOptions;
use pairloom::schema::{Column, Hints, Role, Schema};
use pairloom::train::{Job, SchemaSource, convert};
use pairloom::{Config, Model, reading};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use std::fs::File;
use std::sync::Arc;
use tempfile::TempDir;

type Columns = Vec<(&'static str, ArrayRef)>;

fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let types = Arc::new(Types::new(columns.iter().map(field).collect::<Vec<_>>()));
    RecordBatch::try_new(types, columns.iter().map(|(_, array)| array.clone()).collect()).unwrap()
}

fn write_parquet(folder: &TempDir, name: &str, columns: &[(&str, ArrayRef)]) -> String {
    let (path, batch) = (path(folder, name), batch(columns));
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

/// A column of each type with the cells that it stands for, made of the row's number.
fn table(rows: i32) -> (Columns, String) {
    let mixed = |i: i32| i * 7919 % 10_007;
    let text = |i: i32| (i % 11 > 0).then(|| format!("a,\"{}\"", mixed(i) % 40));
    let (label, age) = (|i: i32| i * i % 7 % 2, |i: i32| i64::from(mixed(i) % 900) * 1_000_003);
    let float = |i: i32| (i % 13 > 0).then(|| f64::from(mixed(i)) / 7.0);
    let narrow = |i: i32| mixed(i) as f32 / 3.0;
    let (cents, day) = (|i: i32| i128::from(mixed(i)), |i: i32| 18_000 + i % 9);
    let tags = |i: i32| (0..i % 4).map(move |tag| Some(format!("t{}", (i + tag) % 17)));
    let mut words = StringDictionaryBuilder::<Int32Type>::new();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for i in 0..rows {
        words.append_value(format!("w{}", i % 30));
        lists.append_value(tags(i));
    }
    let decimals: Decimal128Array = (0..rows).map(|i| Some(cents(i))).collect();
    let columns: Columns = vec![
        ("label", Arc::new((0..rows).map(label).collect::<Int32Array>())),
        ("text", Arc::new((0..rows).map(text).collect::<StringViewArray>())),
        ("word", Arc::new(words.finish())),
        ("truth", Arc::new((0..rows).map(|i| Some(i % 5 > 2)).collect::<BooleanArray>())),
        ("age", Arc::new((0..rows).map(age).collect::<Int64Array>())),
        ("float", Arc::new((0..rows).map(float).collect::<Float64Array>())),
        ("narrow", Arc::new((0..rows).map(narrow).collect::<Float32Array>())),
        ("price", Arc::new(decimals.with_precision_and_scale(12, 2).unwrap())),
        ("day", Arc::new((0..rows).map(|i| Some(day(i))).collect::<Date32Array>())),
        ("tags", Arc::new(lists.finish())),
    ];
    let line = |i: i32| {
        let text =
            text(i).map_or(String::new(), |text| format!("\"{}\"", text.replace('"', "\"\"")));
        let tags = tags(i).flatten().collect::<Vec<_>>().join("|");
        let float = float(i).map_or(String::new(), |float| float.to_string());
        let (cents, day) = (cents(i), 14 + i % 9);
        format!(
            "{},{text},w{},{},{},{float},{},{}.{:02},2019-04-{day:02},{tags}\n",
            label(i),
            i % 30,
            i % 5 > 2,
            age(i),
            f64::from(narrow(i)),
            cents / 100,
            cents % 100
        )
    };
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let csv = format!("{}\n{}", names.join(","), (0..rows).map(line).collect::<String>());
    (columns, csv)
}

fn cells(path: &str) -> Vec<Vec<String>> {
    let mut reader = input::open(path, &OpenOptions::default()).unwrap();
    let (mut row, mut rows) = (RawRow::new(), Vec::new());
    while reader.read(&mut row).unwrap() {
        rows.push(
            (0..row.len()).map(|i| String::from_utf8_lossy(row.cell(i)).into_owned()).collect(),
        );
    }
    rows
}

fn predictions(model: &Model, path: &str) -> Vec<u64> {
    let (threads, mut all) = (Threads::new(2).unwrap(), Vec::new());
    let reader = reading::open(path, &OpenOptions::default(), &model.schema).unwrap();
    let mut reader = reading::ahead(reader, &threads).unwrap();
    let take = |piece: &pairloom::predict::Piece| {
        all.extend(piece.predictions.iter().map(|p| p.to_bits()));
        Ok(())
    };
    model.predict_rows(&mut *reader, path, &PredictOptions::default(), &threads, take).unwrap();
    all
}

#[test]
fn a_table_and_its_csv_are_the_same_model() {
    let folder = folder();
    let (columns, csv) = table(700);
    let parquet = write_parquet(&folder, "rows", &columns);
    let csv = write(&folder, "rows.csv", csv);
    assert_eq!(cells(&parquet), cells(&csv));
    let config = plain_config();
    let of_table = model(&job(&parquet, &config));
    let mut of_text = model(&job(&csv, &config));
    assert_eq!(of_table.schema.format, Format::Parquet);
    let expected = predictions(&of_text, &csv);
    assert_eq!(expected.len(), 700);
    // Either reads both.
    assert_eq!(predictions(&of_text, &parquet), expected);
    assert_eq!(predictions(&of_table, &csv), expected);
    assert_eq!(predictions(&of_table, &parquet), expected);
    of_text.schema.format = Format::Parquet;
    assert_eq!(bytes(&of_table), bytes(&of_text));
    let kept = path(&folder, "kept");
    convert(&job(&parquet, &config), &kept, &mut |_| true).unwrap();
    assert_eq!(bytes(&model(&job(&kept, &config))), bytes(&of_table));
    let given = Job { schema: SchemaSource::Given(of_text.schema.clone()), ..job(&csv, &config) };
    assert_eq!(predictions(&model(&given), &csv), expected);
}

fn schema_of(columns: &[(&str, ArrayRef)], hints: Hints) -> pairloom::Result<Schema> {
    let folder = folder();
    let path = write_parquet(&folder, "rows", columns);
    let job = Job { schema: SchemaSource::Infer(hints), ..job(&path, &plain_config()) };
    let mut schema = None;
    let trained = pairloom::train::train(&job, &mut |event| {
        if let pairloom::train::Event::Schema(inferred) = event {
            schema = Some(inferred.clone());
        }
        true
    });
    trained.map(|_| schema.unwrap())
}

fn column<'a>(schema: &'a Schema, name: &str) -> &'a Column {
    schema.columns.iter().find(|column| column.name == name).unwrap()
}

#[test]
fn types_tell_roles() {
    let rows = 400;
    let number = |i: i32| i * 7919 % 10_007;
    let mut words = StringDictionaryBuilder::<Int32Type>::new();
    (0..rows).for_each(|i| words.append_value(format!("{}.5", number(i))));
    let columns: Columns = vec![
        ("label", Arc::new((0..rows).map(|i| i % 2).collect::<Int32Array>())),
        (
            "digits",
            Arc::new(
                (0..rows).map(|i| Some((number(i) % 90).to_string())).collect::<StringArray>(),
            ),
        ),
        (
            "commas",
            Arc::new((0..rows).map(|i| Some(format!("{},5", i % 9))).collect::<StringArray>()),
        ),
        ("key", Arc::new((0..rows).map(|i| Some(i.to_string())).collect::<StringArray>())),
        (
            "parts",
            Arc::new(
                (0..rows).map(|i| Some(format!("{};{}", i % 9, i % 7))).collect::<StringArray>(),
            ),
        ),
        ("word", Arc::new(words.finish())),
        ("truth", Arc::new((0..rows).map(|i| Some(i % 5 > 2)).collect::<BooleanArray>())),
        ("few", Arc::new((0..rows).map(|i| f64::from(i % 3)).collect::<Float64Array>())),
        (
            "user_id",
            Arc::new((0..rows).map(|i| f64::from(number(i) % 90)).collect::<Float64Array>()),
        ),
        ("item_id", Arc::new((0..rows).map(|i| number(i) % 90).collect::<Int32Array>())),
        ("none", Arc::new(Float64Array::new_null(rows as usize))),
    ];
    let schema = schema_of(&columns, Hints::default()).unwrap();
    let expected = [
        ("digits", Role::Categorical, "its type: text, 90 distinct"),
        ("commas", Role::Categorical, "its type: text: '0,5' is a number with a comma"),
        ("key", Role::Ignore, "its type: text, nearly every row its own"),
        ("parts", Role::Multi, "its type: lists separated by ';'"),
        ("word", Role::Categorical, "its type: categories"),
        ("truth", Role::Categorical, "its type: categories"),
        ("few", Role::Categorical, "whole numbers, 3 distinct"),
        ("user_id", Role::Numeric, "its type: numbers"),
        ("item_id", Role::Categorical, "whole numbers, and the name of something"),
        ("none", Role::Numeric, "its type: numbers"),
    ];
    for (name, role, why) in expected {
        let column = column(&schema, name);
        assert_eq!(column.role, role, "{name}: {}", column.why);
        let is_spelled = name == "commas";
        assert!(
            column.why == why || (is_spelled && column.why.starts_with("its type: text")),
            "{name}: {}",
            column.why
        );
    }
    // What the user says comes first.
    let numeric = ["digits", "word"].map(String::from).to_vec();
    let hints = Hints { numeric, categorical: vec!["user_id".into()], ..Hints::default() };
    let schema = schema_of(&columns, hints).unwrap();
    let roles = ["digits", "word", "user_id"].map(|name| column(&schema, name).role);
    assert_eq!(roles, [Role::Numeric, Role::Numeric, Role::Categorical]);
}

/// Digits that are text are names however many there are after the first rows.
#[test]
fn all_rows_do_not_refute_types() {
    let rows = 12_000;
    let late = |i: i32| if i < 10_000 { 0 } else { i * 7919 % 10_007 };
    let text = |i: i32| Some(format!("{}.5", late(i)));
    let mut columns: Columns = vec![
        ("label", Arc::new((0..rows).map(|i| i % 2).collect::<Int32Array>())),
        ("late", Arc::new((0..rows).map(text).collect::<StringArray>())),
    ];
    let folder = folder();
    let config = Config { epochs: 1, ..plain_config() };
    let names = write_parquet(&folder, "names", &columns);
    assert_eq!(column(&model(&job(&names, &config)).schema, "late").role, Role::Categorical);
    columns[1].1 = Arc::new((0..rows).map(late).collect::<Int32Array>());
    let numbers = write_parquet(&folder, "numbers", &columns);
    assert_eq!(column(&model(&job(&numbers, &config)).schema, "late").role, Role::Numeric);
}

#[test]
fn lists_have_one_separator() {
    let folder = folder();
    let (columns, csv) = table(50);
    let parquet = write_parquet(&folder, "rows", &columns);
    let hints = Hints { multi: vec![("tags".into(), ';')], ..Hints::default() };
    let asked = Job { schema: SchemaSource::Infer(hints), ..job(&parquet, &plain_config()) };
    let expected = "column 'tags' has lists here, whose values are read with '|' between them: no other \
                    separator (--multi) finds them";
    assert_eq!(refusal(&asked), expected);
    let csv = write(&folder, "rows.csv", csv.replace('|', ";"));
    let schema = model(&job(&csv, &plain_config())).schema;
    let error = reading::open(&parquet, &OpenOptions::default(), &schema).err().unwrap();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn rows_are_told_by_their_numbers() {
    let folder = folder();
    let columns: Columns = vec![
        ("label", Arc::new(Int32Array::from(vec![1, 0, 1]))),
        ("x", Arc::new(Float64Array::from(vec![0.5, f64::INFINITY, 0.25]))),
    ];
    let path = write_parquet(&folder, "rows", &columns);
    let expected =
        format!("{path}:2:2: column 'x': an infinite number: correct it, or make it missing");
    assert_eq!(refusal(&job(&path, &plain_config())), expected);
    let none = write_parquet(
        &folder,
        "none",
        &[columns[0].clone(), ("x", Arc::new(Float64Array::new_null(3)) as ArrayRef)],
    );
    let none_of =
        Columns::from_iter(columns.iter().map(|(name, array)| (*name, array.slice(0, 0))));
    let empty = write_parquet(&folder, "empty", &none_of);
    assert_eq!(refusal(&job(&empty, &plain_config())), format!("{empty}: no rows to train on"));
    assert_eq!(cells(&none), [["1", ""], ["0", ""], ["1", ""]]);
}

#[test]
fn a_model_of_pairs_refuses_tables() {
    let folder = folder();
    let svm = write(&folder, "rows.svm", "1 1:1\n0 2:1\n".repeat(20));
    let table = write_parquet(&folder, "rows", &table(9).0);
    let model = model(&job(&svm, &plain_config()));
    let mut reader = reading::open(&table, &OpenOptions::default(), &model.schema).unwrap();
    let (options, threads) = (PredictOptions::default(), Threads::new(1).unwrap());
    let error =
        model.predict_rows(&mut *reader, "rows", &options, &threads, |_| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "rows: it is read as parquet, and the model is one for libsvm");
}

#[test]
fn numbers_are_found_among_columns() {
    let role = |name: &str, role| Column::new(name, role);
    let time = TimePattern::new("unix").unwrap();
    let columns = vec![
        role("y", Role::Label),
        role("n", Role::Numeric),
        role("c", Role::Categorical),
        Column { time: Some(time), ..role("t", Role::Numeric) },
        Column { group: true, ..role("g", Role::Numeric) },
        role("m", Role::Numeric),
        role("absent", Role::Numeric),
    ];
    let schema = Schema { format: Format::Parquet, positive: None, item: Vec::new(), columns };
    let names = ["m", "t", "c", "other", "n", "g"].map(String::from);
    let mut found = schema.numbers_among(&names);
    found.sort_unstable();
    assert_eq!(found, [0, 4]);
}

/// The rows of a table, with the text of all cells, or with numbers alone.
fn rows_of(columns: &[(&str, ArrayRef)], bare: &[usize]) -> (Vec<String>, Vec<RawRow>) {
    let batch = batch(columns);
    let types = batch.schema();
    let batches = Box::new(RecordBatchIterator::new([Ok(batch)], types));
    let mut reader = input::batches(batches, "rows.csv", Format::Parquet).unwrap();
    reader.without_text(bare);
    let mut rows = Vec::new();
    loop {
        let mut row = RawRow::new();
        match reader.read(&mut row).unwrap() {
            true => rows.push(row),
            false => return (reader.columns().to_vec(), rows),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Cells that are numbers alone are interned and encoded as their texts are.
    #[test]
    fn numbers_without_text_are_encoded_as_their_texts(
        cells in prop::collection::vec((prop::option::of(-1e6..1e6), -50i64..50, any::<u64>(), any::<i32>()), 4..40),
        transform in prop::sample::select(Transform::ALL.to_vec()),
    ) {
        let rows = cells.len() as i32;
        let decimals: Decimal128Array = cells.iter().map(|c| Some(i128::from(c.3))).collect();
        let columns: Columns = vec![
            ("label", Arc::new((0..rows).map(|i| i % 2).collect::<Int32Array>())),
            ("float", Arc::new(cells.iter().map(|c| c.0).collect::<Float64Array>())),
            ("whole", Arc::new(cells.iter().map(|c| c.1).collect::<Int64Array>())),
            ("large", Arc::new(cells.iter().map(|c| c.2).collect::<UInt64Array>())),
            ("price", Arc::new(decimals.with_precision_and_scale(20, 3).unwrap())),
            ("word", Arc::new(cells.iter().map(|c| Some((c.1 % 4).to_string())).collect::<StringArray>())),
        ];
        let role = |at| [Role::Label, Role::Numeric, Role::Numeric, Role::Numeric, Role::Numeric, Role::Categorical][at];
        let about = columns.iter().enumerate().map(|(at, (name, _))| Column::new(*name, role(at)));
        let schema = Schema { format: Format::Parquet, positive: None, item: Vec::new(), columns: about.collect() };
        let (names, texts) = rows_of(&columns, &[]);
        let bare = schema.numbers_among(&names);
        prop_assert_eq!(&bare, &[1, 2, 3, 4]);
        let (_, numbers) = rows_of(&columns, &bare);
        prop_assert!(numbers.iter().all(|row| row.cell(2).is_empty()) && !texts[0].cell(2).is_empty());
        let config = Config { numeric_transform: transform, ..plain_config() };
        let held_out: Vec<bool> = (0..rows).map(|i| i > 3 && i % 3 == 0).collect();
        let (of_texts, of_numbers) =
            (learned(&schema, &config, &texts, &held_out), learned(&schema, &config, &numbers, &held_out));
        prop_assert_eq!(&of_texts.encoding, &of_numbers.encoding);
        prop_assert_eq!(&of_texts.train, &of_numbers.train);
        prop_assert_eq!(&of_texts.valid, &of_numbers.valid);
        let one = |rows: &[RawRow]| one_by_one(&of_texts.encoding, &schema, &names, &mut rows.iter());
        prop_assert_eq!(one(&texts), one(&numbers));
    }
}
