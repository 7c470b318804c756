//! The fields of libsvm's indices: how they are said, and that rows with them are those of libffm.

use crate::common;
use crate::common::{
    bytes, folder, job, learned, one_by_one, path, plain_config, raw_rows, refusal, write,
};
use pairloom::config::Config;
use pairloom::input::Format;
use pairloom::input::OpenOptions;
use pairloom::interaction::Kind;
use pairloom::parallel::Threads;
use pairloom::predict::PredictOptions;
use pairloom::schema::{Column, FieldMap, Hints, Role, Schema};
use pairloom::train::{Job, SchemaSource, Trained, convert, train};
use pairloom::{Model, reading};
use proptest::prelude::*;

fn read(text: &str) -> FieldMap {
    FieldMap::read("map", text).unwrap()
}

fn fields(map: &FieldMap, indices: &[u64]) -> Vec<u32> {
    indices.iter().map(|&index| map.field(index)).collect()
}

#[test]
fn the_ways_to_say_fields() {
    let most = u64::MAX;
    let ranges = "# users, then items\n\n0-99 7\n 200-299\t 3 # twice\r\n300 3\n500- 7\n";
    assert_eq!(
        fields(&read(ranges), &[0, 99, 100, 199, 200, 300, 301, 499, 500, most]),
        [7, 7, 8, 8, 3, 3, 8, 8, 7, 7],
        "8 is the field of all other indices"
    );
    let named = read("10-19 item\n0-9 user\n30- item\n");
    assert_eq!(fields(&named, &[0, 9, 10, 19, 20, 30, most]), [0, 0, 1, 1, 2, 1, 1]);
    assert_eq!(fields(&read("5 2a\n6 2\n"), &[5, 6, 7]), [0, 1, 2], "a number among names is one");
    let meta = read("\u{feff}0\n0\n# libFM\n2\n\n1\n");
    assert_eq!(fields(&meta, &[0, 1, 2, 3, 4]), [0, 0, 2, 1, 3]);
    let said = FieldMap::said("0-99,500-,100-499").unwrap();
    assert_eq!(fields(&said, &[0, 99, 100, 499, 500, most]), [0, 0, 2, 2, 1, 1]);
    assert_eq!(fields(&FieldMap::said("3,7-8").unwrap(), &[3, 7, 8, 0, 9]), [0, 1, 1, 2, 2]);
    let folder = folder();
    let file = write(&folder, "map", ranges);
    assert_eq!(FieldMap::said(&file).unwrap(), read(ranges));
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        ("", "map:1:1: there are no fields in it"),
        ("# nothing\n", "map:1:1: there are no fields"),
        ("0-9 1\n5-20 2\n", "map:2:1: index 5 is in two ranges"),
        ("20- 1\n 30 1\n", "map:2:2: index 30 is in two ranges"),
        ("10-19 1\n0-10 1\n", "map:2:1: index 10 is in two ranges"),
        ("0-9 1\n9-3 2\n", "map:2:1: the range '9-3' ends before it begins"),
        ("user 1\n", "map:1:1: 'user' is no range of indices, as 0-99, 7 or 500-"),
        ("-5 1\n", "map:1:1: '-5' is no range"),
        ("0-9-12 1\n", "map:1:1: '0-9-12' is no range"),
        ("0:9 1\n", "map:1:1: '0:9' is no range"),
        ("+1 1\n", "map:1:1: '+1' is no range"),
        ("0-18446744073709551616 1\n", "map:1:1: '0-18446744073709551616' is no range"),
        ("0-9\n", "map:1:4: no field behind '0-9'"),
        ("0-9 1\n  7 # x\n", "map:2:4: no field behind '7'"),
        ("0-9 a b\n", "map:1:7: 'b' stands behind a range and its field"),
        ("0-9 4294967295\n", "map:1:1: field '4294967295' is above 4294967294"),
        ("1\n2\nx\n", "map:3:1: 'x': one field number a line"),
        ("1\n2 3\n", "map:2:3: '3': one field number a line"),
        ("-1\n", "map:1:3: no field behind '-1'"),
    ];
    for (text, expected) in cases {
        let message = FieldMap::read("map", text).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{text:?}\n is    {message}\n wants {expected}");
    }
    for (said, expected) in [
        ("0-9,5-", "--fields 0-9,5-: index 5 is in two ranges (character 5)"),
        ("9-0", "--fields 9-0: the range '9-0' ends before it begins (character 1)"),
        ("0-9,,20-", "--fields 0-9,,20-: '' is no range of indices"),
        ("-", "--fields -: '-' is no range"),
        ("no/such/file", "--fields no/such/file: it is neither ranges"),
        ("", "--fields : it is neither ranges"),
    ] {
        let message = FieldMap::said(said).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{said}: {message}");
    }
}

#[test]
fn a_schema_keeps_them() {
    for text in ["0-9 4\n10- 2\n", "3 user\n5-8 item\n", "2\n2\n0\n"] {
        let pairs = Column { fields: Some(read(text)), ..Column::new("pairs", Role::Pairs) };
        let columns = vec![Column::new("label", Role::Label), pairs];
        let schema = Schema { format: Format::Libsvm, positive: None, item: Vec::new(), columns };
        schema.check().unwrap();
        let toml = schema.to_toml().unwrap();
        assert_eq!(Schema::from_toml("schema.toml", &toml).unwrap(), schema, "{toml}");
        let json = serde_json::to_string(&schema).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), schema);
        for format in [Format::Libffm, common::CSV] {
            let message = Schema { format, ..schema.clone() }.check().unwrap_err().to_string();
            assert!(
                message.contains("fields (--fields) are for the indices of libsvm"),
                "{message}"
            );
        }
        let mut other = schema.clone();
        other.columns[0].fields = other.columns[1].fields.clone();
        let message = other.check().unwrap_err().to_string();
        assert_eq!(message, "fields of 'label' must be left out, as it is no pairs");
    }
    let toml = "[format]\nname = \"libsvm\"\n[[columns]]\nname = \"pairs\"\nrole = \"pairs\"\n\
                fields = [\"0-9 1\", \"9-10 2\"]\n";
    let message = Schema::from_toml("my.toml", toml).unwrap_err().to_string();
    assert!(
        message.starts_with("my.toml:") && message.contains("index 9 is in two ranges (range 2)")
    );
}

/// Rows of two formats: indices of three fields, one of which is of the indices left over.
fn rows(count: u64) -> [String; 2] {
    let (mut svm, mut ffm) = (String::new(), String::new());
    for row in 0..count {
        let (a, b, c) = (row * 7 % 11, 20 + row * 5 % 13, 100 + row * 3 % 17);
        let y = u8::from((a + b).is_multiple_of(3) ^ (b + c).is_multiple_of(4));
        svm += &format!("{y} {a}:1 {b}:0.5 {c}:1\n");
        ffm += &format!("{y} 4:{a}:1 1:{b}:0.5 5:{c}:1\n");
    }
    [svm, ffm]
}

const MAP: &str = "0-10 4\n20-40 1\n";

fn mapped(data: &str, config: &Config) -> Job {
    let hints = Hints { fields: Some(Box::new(read(MAP))), ..Hints::default() };
    Job { schema: SchemaSource::Infer(hints), ..job(data, config) }
}

/// The model but for its schema, and its predictions for some rows.
fn result(job: &Job, rows: &str) -> (Vec<u8>, Vec<f64>) {
    let Trained { model, .. } = train(job, &mut |_| true).unwrap();
    let mut model: Model = model.unwrap();
    let mut predictions = Vec::new();
    let mut reader = reading::open(rows, &OpenOptions::default(), &model.schema).unwrap();
    let (options, threads) = (PredictOptions::default(), Threads::new(1).unwrap());
    model
        .predict_rows(&mut *reader, rows, &options, &threads, |piece| {
            predictions.extend_from_slice(&piece.predictions);
            Ok(())
        })
        .unwrap();
    model.schema.format = Format::Libffm;
    model.schema.columns.iter_mut().for_each(|column| column.fields = None);
    (bytes(&model), predictions)
}

#[test]
fn libsvm_with_fields_gives_the_model_of_libffm() {
    let folder = folder();
    let [svm, ffm] = rows(400);
    let (svm, ffm) = (write(&folder, "rows.svm", svm), write(&folder, "rows.ffm", ffm));
    for kind in [Kind::Ffm, Kind::Fwfm, Kind::Dplr, Kind::Fmfm, Kind::Fm] {
        let config = Config { model: kind, ..plain_config() };
        let expected = result(&job(&ffm, &config), &ffm);
        assert_eq!(result(&mapped(&svm, &config), &svm), expected, "{kind:?}");
        let valid = Job { valid: Some(svm.clone()), ..mapped(&svm, &config) };
        let expected = result(&Job { valid: Some(ffm.clone()), ..job(&ffm, &config) }, &ffm);
        assert_eq!(result(&valid, &svm), expected, "{kind:?} with a file of validation rows");
    }
}

#[test]
fn converted_rows_keep_their_fields() {
    let folder = folder();
    let svm = write(&folder, "rows.svm", &rows(200)[0]);
    let (config, kept) = (Config { model: Kind::Ffm, ..plain_config() }, path(&folder, "rows"));
    convert(&mapped(&svm, &config), &kept, &mut |_| true).unwrap();
    let expected = result(&mapped(&svm, &config), &svm);
    assert_eq!(result(&job(&kept, &config), &svm), expected);
    let fm = Config { model: Kind::Fm, ..config.clone() };
    for text in [mapped(&svm, &config), job(&svm, &fm)] {
        assert_eq!(
            result(&text, &kept),
            result(&text, &svm),
            "rows are encoded by the model's map"
        );
    }
    let message = refusal(&mapped(&kept, &config));
    assert!(message.contains("was decided when it was made"), "{message}");
    let hints = Hints { fields: Some(Box::new(read("0- 1\n"))), ..Hints::default() };
    let cache = path(&folder, "cache");
    let cached = |job: Job| result(&Job { cache: Some(cache.clone()), ..job }, &svm);
    assert_eq!(cached(mapped(&svm, &config)), expected);
    let other = Job { schema: SchemaSource::Infer(hints), ..mapped(&svm, &fm) };
    assert_eq!(cached(other.clone()), result(&other, &svm), "another map makes the cache anew");
}

#[test]
fn other_formats_have_fields_of_their_own() {
    let folder = folder();
    let csv = write(&folder, "rows.csv", "y,a\n1,b\n0,c\n".repeat(9));
    let ffm = write(&folder, "rows.ffm", &rows(20)[1]);
    for (file, name) in [(&csv, "csv"), (&ffm, "libffm")] {
        let message = refusal(&mapped(file, &plain_config()));
        let expected = format!("and these rows are {name}, which has fields of its own");
        assert!(message.starts_with("fields (--fields)") && message.ends_with(&expected));
    }
    let svm = write(&folder, "rows.svm", &rows(50)[0]);
    let message = refusal(&job(&svm, &Config { model: Kind::Ffm, ..plain_config() }));
    assert!(message.contains("--fields"), "{message}");
}

/// Ranges that do not overlap, with fields.
fn ranges() -> impl Strategy<Value = Vec<(u64, u64, u32)>> {
    prop::collection::vec((0u64..4, 0u64..5, 0u32..4), 1..8).prop_map(|steps| {
        let mut next = 0;
        let range = |(gap, length, field): (u64, u64, u32)| {
            let first = next + gap;
            next = first + length + 1;
            (first, first + length, field)
        };
        steps.into_iter().map(range).collect()
    })
}

proptest! {
    #[test]
    fn a_map_is_its_ranges_and_both_ways_of_encoding_agree(
        ranges in ranges().prop_shuffle(),
        lines in prop::collection::vec(prop::collection::vec(0u64..60, 0..6), 2..20),
        hash_bits in prop::option::of(1u8..5),
    ) {
        let text: String = ranges.iter().map(|(a, b, f)| format!("{a}-{b} {f}\n")).collect();
        let map = read(&text);
        let other = 1 + ranges.iter().map(|range| range.2).max().unwrap();
        let field = |index: u64| {
            let found = ranges.iter().find(|(a, b, _)| (*a..=*b).contains(&index));
            found.map_or(other, |range| range.2)
        };
        for index in 0..60 {
            prop_assert_eq!(map.field(index), field(index));
        }
        let (mut svm, mut ffm) = (String::new(), String::new());
        for (row, indices) in lines.iter().enumerate() {
            svm += &format!("{}", row % 2);
            ffm += &format!("{}", row % 2);
            for &index in indices {
                svm += &format!(" {index}:1");
                ffm += &format!(" {}:{index}:1", field(index));
            }
            svm.push('\n');
            ffm.push('\n');
        }
        let config = Config { hash_bits, ..plain_config() };
        let held = vec![false; lines.len()];
        let schema = |format, fields| {
            let pairs = Column { fields, ..Column::new("pairs", Role::Pairs) };
            let columns = vec![Column::new("label", Role::Label), pairs];
            Schema { format, positive: None, item: Vec::new(), columns }
        };
        let (mapped, plain) = (schema(Format::Libsvm, Some(map)), schema(Format::Libffm, None));
        let (names, svm) = raw_rows("rows", &svm, Format::Libsvm);
        let (_, ffm) = raw_rows("rows", &ffm, Format::Libffm);
        let with_map = learned(&mapped, &config, &svm, &held);
        let expected = learned(&plain, &config, &ffm, &held);
        prop_assert_eq!(&with_map.train, &expected.train);
        let again = one_by_one(&with_map.encoding, &mapped, &names, &mut svm.iter());
        prop_assert_eq!(&again, &expected.train);
    }
}
