//! From raw rows to ids: what they mean, in small examples worked out by hand.

use crate::common::{
    CSV, Learned, folder, job, learned, learned_of, model, one_by_one, plain_config, raw_rows,
    schema, write,
};
use pairloom::Error;
use pairloom::batch::Rows;
use pairloom::config::Config;
use pairloom::data::Interning;
use pairloom::encode::{Encoding, FieldKind, Number, RowEncoder, Scale, Transform, Vocabulary};
use pairloom::input::{Format, RawRow};
use pairloom::model::Weights;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::schema::{Column, Role, Schema};
use pairloom::train::SchemaSource;
use std::collections::HashMap;

/// What the ids of the first row's features stand for, with their values.
fn described(encoding: &Encoding, rows: &Rows, row: usize) -> Vec<(String, f32)> {
    let row = rows.row(row);
    row.features().map(|(id, x)| (encoding.describe(id), x)).collect()
}

#[test]
fn frequent_values_come_first_and_rare_ones_share_the_default_id() {
    // Counts among the training rows: a 3, b 4, c 2, d 2, e 1, "" 2. f is held out only.
    let cells = ["c", "a", "b", "d", "b", "", "e", "a", "b", "c", "", "d", "a", "b", "f", "f"];
    let lines: String =
        cells.iter().enumerate().map(|(i, c)| format!("{},{c},\n", i % 2)).collect();
    let (names, rows) = raw_rows("rows.csv", &format!("y,c,t\n{lines}"), CSV);
    let schema = schema(&[("y", Role::Label), ("c", Role::Categorical), ("t", Role::Ignore)]);
    let mut held_out = vec![false; 16];
    held_out[14..].fill(true);
    // Ids from 1: by count, and by first appearance among equals. Id 0 is the default.
    for (min_count, expected) in [
        (1, vec!["b", "a", "c", "d", "", "e"]),
        (2, vec!["b", "a", "c", "d", ""]),
        (3, vec!["b", "a"]),
        (5, vec![]),
    ] {
        let config = Config { min_count, ..plain_config() };
        let Learned { encoding, train, valid } = learned(&schema, &config, &rows, &held_out);
        assert_eq!(encoding.features(), 1 + expected.len(), "min_count {min_count}");
        for (row, cell) in cells[..14].iter().enumerate() {
            let id = expected.iter().position(|value| value == cell).map_or(0, |at| at + 1);
            assert_eq!(train.row(row).ids, [id as u32], "min_count {min_count}: {cell}");
        }
        assert_eq!(valid.row(0).ids, [0], "held out only");
        let unseen = raw_rows("rows.csv", "y,c,t\n1,zebra,\n", CSV).1;
        let rows = one_by_one(&encoding, &schema, &names, &mut unseen.iter());
        assert_eq!(described(&encoding, &rows, 0), [("other".to_string(), 1.0)]);
    }
}

#[test]
fn an_untrained_default_id_says_nothing() {
    // With min_count 1 no training row has a default id: its vector stays 0 under every
    // optimizer, and a row of unseen values scores as the bias alone.
    let lines: String = (0..60)
        .map(|i| format!("{},{},{}\n", u8::from(i % 3 == 0), "abc".as_bytes()[i % 3], i % 5))
        .collect();
    let folder = folder();
    let data = write(&folder, "rows.csv", format!("label,c,d\n{lines}"));
    for optimizer in Optimizer::ALL {
        let config = Config { optimizer, l2_factors: Some(0.01), ..plain_config() };
        let mut job = job(&data, &config);
        job.schema = SchemaSource::Given(schema(&[
            ("label", Role::Label),
            ("c", Role::Categorical),
            ("d", Role::Categorical),
        ]));
        let model = model(&job);
        for field in &model.encoding.fields {
            let Weights { linear, factors, .. } = &model.weights;
            let vectors = |id| [linear.vector(id), factors.vector(id)].concat();
            assert!(vectors(field.offset).iter().all(|&v| v == 0.0), "{optimizer:?}");
            assert!(vectors(field.offset + 1).iter().any(|&v| v != 0.0));
        }
        let (names, unseen) = raw_rows("rows.csv", "label,c,d\n1,zebra,99\n", CSV);
        let rows = one_by_one(&model.encoding, &model.schema, &names, &mut unseen.iter());
        let score = model.scores(&rows, &Threads::new(1).unwrap())[0];
        assert_eq!(score.to_bits(), model.weights.bias[0].to_bits(), "{optimizer:?}");
    }
}

#[test]
fn hashes_are_the_lowest_bits_of_the_reference_xxh3() {
    // From the reference implementation, xxHash 0.8.4 by way of PyPI's `xxhash` 4.1.0:
    // python3 -c "import xxhash; print(hex(xxhash.xxh3_64_intdigest(b'user_17')))"
    let golden: [(&[u8], u64); 8] = [
        (b"", 0x2d06800538d394c2),
        (b"a", 0xe6c632b61e964e1f),
        (b"user_17", 0x429f6c7bf34fa7ae),
        (b"\xff\x00\xfe", 0x5ce3141893086fa4),
        ("caf\u{e9}".as_bytes(), 0x4c83dbd5f29d367f),
        (&[b'x'; 17], 0x89975e6b7d2f5a11),
        (&b"0123456789".repeat(13), 0xf25b2019dfdb7f4b),
        (&b"0123456789".repeat(30), 0x05681ea1b2e3086b),
    ];
    for (value, hash) in golden {
        for bits in [1, 7, 16, 20, 30] {
            let vocabulary = Vocabulary::Hash { bits };
            assert_eq!(u64::from(vocabulary.id(value)), hash & ((1 << bits) - 1), "{value:?}");
            assert_eq!(vocabulary.len(), 1 << bits);
        }
    }
}

#[test]
fn hashed_indices_are_hashed_as_decimal_text() {
    let format = Format::Libsvm;
    let roles = [("label", Role::Label), ("qid", Role::Ignore), ("pairs", Role::Pairs)];
    let schema = Schema { format, ..schema(&roles) };
    let (names, rows) = raw_rows("rows", "1 17:1\n0 4294967299:1\n", format);
    let config = Config { hash_bits: Some(20), ..plain_config() };
    let Learned { encoding, train, .. } = learned(&schema, &config, &rows, &[false; 2]);
    let hash = Vocabulary::Hash { bits: 20 };
    assert_eq!(train.row(0).ids, [hash.id(b"17")]);
    assert_eq!(train.row(1).ids, [hash.id(b"4294967299")]);
    assert_eq!(one_by_one(&encoding, &schema, &names, &mut rows.iter()), train);
}

#[test]
fn log_square_buckets_are_those_of_the_criteo_winners() {
    // By hand: floor(ln(v)^2) above 2 (ln 3 = 1.0986, its square 1.2069; ln 10: 5.30; ln 100:
    // 21.21; ln 1000: 47.72; ln 65535: 122.99), the whole part of all else, one for missing.
    let cells = [
        ("3", "b1"),
        ("10", "b5"),
        ("100", "b21"),
        ("1000", "b47"),
        ("65535", "b122"),
        ("2.5", "b0"),
        ("2", "s2"),
        ("1.5", "s1"),
        ("1", "s1"),
        ("0.5", "s0"),
        ("0", "s0"),
        ("-0.5", "s0"),
        ("-1", "s-1"),
        ("-2.75", "s-2"),
        ("", "missing"),
        ("NA", "missing"),
    ];
    let lines: String =
        cells.iter().enumerate().map(|(i, (cell, _))| format!("{},{cell}\n", i % 2)).collect();
    let (_, rows) = raw_rows("rows.csv", &format!("y,n\n{lines}"), CSV);
    let schema = schema(&[("y", Role::Label), ("n", Role::Numeric)]);
    let config = Config { numeric_transform: Transform::LogSquare, ..plain_config() };
    let Learned { encoding, train, .. } = learned(&schema, &config, &rows, &[false; 16]);
    for (row, (cell, bucket)) in cells.iter().enumerate() {
        assert_eq!(described(&encoding, &train, row), [(bucket.to_string(), 1.0)], "{cell}");
    }
    // b0 b1 b5 b21 b47 b122, s2 s1 s0 s-1 s-2, missing, and the default.
    assert_eq!(encoding.features(), 13);
}

#[test]
fn multi_values_share_the_weight_of_their_cell() {
    let text = "y,m\n1,a|b|a\n0,\n1, a | b \n0,||\n1,a|b|c|d\n0,d\n";
    let (_, rows) = raw_rows("rows.csv", text, CSV);
    let schema = schema(&[("y", Role::Label), ("m", Role::Multi)]);
    let Learned { encoding, train, .. } = learned(&schema, &plain_config(), &rows, &[false; 6]);
    let named =
        |row| -> HashMap<String, f32> { described(&encoding, &train, row).into_iter().collect() };
    // 1/sqrt(n) for each of n values as written; the two of one id are added up.
    let third = (1.0 / 3f64.sqrt()) as f32;
    assert_eq!(named(0), HashMap::from([("a".into(), third + third), ("b".into(), third)]));
    let half = (1.0 / 2f64.sqrt()) as f32;
    assert_eq!(named(2), HashMap::from([("a".into(), half), ("b".into(), half)]));
    assert_eq!(named(1), HashMap::from([("missing".into(), 1.0)]));
    assert_eq!(named(3), named(1));
    assert!(named(4).values().all(|&x| x == 0.5) && named(4).len() == 4);
    assert_eq!(named(5), HashMap::from([("d".into(), 1.0)]));
}

#[test]
fn pairs_of_an_unknown_field_are_left_out_and_unknown_indices_are_the_default() {
    let format = Format::Libffm;
    let roles = [("label", Role::Label), ("qid", Role::Ignore), ("pairs", Role::Pairs)];
    let schema = Schema { format, ..schema(&roles) };
    let (names, rows) = raw_rows("rows", "1 0:1:1 3:1:2\n0 0:2:1 3:1:1\n", format);
    let Learned { encoding, train, .. } = learned(&schema, &plain_config(), &rows, &[false; 2]);
    // Fields 0 (default, 1, 2) and 3 (default, 1): one index in two fields has two ids.
    assert_eq!(encoding.features(), 5);
    assert_eq!(train.row(0).features().collect::<Vec<_>>(), [(1, 1.0), (4, 2.0)]);
    let others = raw_rows("rows", "1 9:1:5 0:77:0.5 0:78:0.25 3:1:1\n", format).1;
    let rows = one_by_one(&encoding, &schema, &names, &mut others.iter());
    // Two that are unknown are one feature, with the greater x.
    assert_eq!(rows.row(0).features().collect::<Vec<_>>(), [(0, 0.5), (4, 1.0)]);
}

#[test]
fn a_piecewise_number_is_its_value_and_its_share_of_two_knots() {
    // 1 to 20: mean 10.5, deviation sqrt((20^2 - 1) / 12). Two bins have their middles at the values
    // of ranks 5 and 15, counted from 0.
    let lines: String = (1..=20).map(|v| format!("{},{v}\n", v % 2)).collect();
    let (names, rows) = raw_rows("rows.csv", &format!("y,n\n{lines}"), CSV);
    let schema = schema(&[("y", Role::Label), ("n", Role::Numeric)]);
    let config =
        Config { numeric_transform: Transform::Piecewise, bins: Some(2), ..plain_config() };
    let Learned { encoding, .. } = learned(&schema, &config, &rows, &[false; 20]);
    let some = raw_rows("some.csv", "y,n\n1,8.5\n1,1e9\n1,\n", CSV).1;
    let encoded = one_by_one(&encoding, &schema, &names, &mut some.iter());
    let deviation = (399.0f64 / 12.0).sqrt();
    let value = |v: f64| ("value".to_string(), v as f32);
    let near = |knot: &str, share| (format!("near {knot}"), share);
    let expected = [value((8.5 - 10.5) / deviation), near("6", 0.75), near("16", 0.25)];
    assert_eq!(described(&encoding, &encoded, 0), expected);
    assert_eq!(described(&encoding, &encoded, 1), [value(4.0), near("16", 1.0)]);
    assert_eq!(described(&encoding, &encoded, 2), [("missing".into(), 1.0)]);
}

/// The units of the value of a piecewise number, learned from 400 rows of label and number.
fn units(row: &dyn Fn(usize) -> (f64, f64)) -> Scale {
    let line = |i: usize| format!("{},{}\n", row(i).0, row(i).1);
    let lines: String = (0..400).map(line).collect();
    let rows = raw_rows("rows.csv", &format!("y,n\n{lines}"), CSV).1;
    let schema = schema(&[("y", Role::Label), ("n", Role::Numeric)]);
    let config = Config { numeric_transform: Transform::Piecewise, ..plain_config() };
    let Learned { encoding, .. } = learned(&schema, &config, &rows, &[false; 400]);
    match &encoding.fields[0].kind {
        FieldKind::Number(Number::Piecewise { value, .. }) => *value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_tail_is_taken_by_its_logarithm() {
    let is_log = |value: &dyn Fn(f64) -> f64| {
        units(&|i| ((i % 2) as f64, value((i as f64 + 0.5) / 400.0))).log
    };
    // Quantile functions: uniform, logistic, its exponential, and that with a sign.
    assert!(!is_log(&|u| u));
    assert!(!is_log(&|u| (u / (1.0 - u)).ln()));
    assert!(is_log(&|u| u / (1.0 - u)));
    assert!(is_log(&|u| (8.0 * u - 4.0).sinh().powi(3)));
}

#[test]
fn a_target_that_follows_a_long_tail_keeps_it() {
    // A cube of evenly spread values: its logarithm has the smaller tails.
    let cube = |i: usize| ((i as f64 - 199.5) / 40.0).powi(3);
    let of_labels = |label: &dyn Fn(f64) -> f64| {
        let Scale { log, limit, .. } = units(&|i| (label(cube(i)), cube(i)));
        (log, limit)
    };
    assert_eq!(of_labels(&|v| 3.0 * v), (false, 100.0));
    assert_eq!(of_labels(&|v| v.cbrt()), (true, 100.0));
    assert_eq!(of_labels(&|v| f64::from(v > 0.0)), (true, 4.0));
}

#[test]
fn fewer_rows_and_more_numbers_take_fewer_knots() {
    // One for ten rows in all columns together, from 2 to 6; a given number stays.
    let bins = |rows, numbers| Config::default().bins_of(rows, numbers);
    assert_eq!([bins(12_000, 10), bins(400, 10), bins(400, 80)], [6, 4, 2]);
    assert_eq!([bins(0, 0), bins(1000, 0)], [2, 6]);
    assert_eq!(Config { bins: Some(9), ..Config::default() }.bins_of(10, 10), 9);
}

#[test]
fn numbers_far_beyond_the_training_rows_stay_finite() {
    let lines: String = (0..20).map(|i| format!("{},{}\n", i % 2, i % 7)).collect();
    let (names, rows) = raw_rows("rows.csv", &format!("y,n\n{lines}"), CSV);
    let wild = raw_rows("wild.csv", "y,n\n1,1e300\n1,-1e300\n1,1e-300\n1,\n", CSV).1;
    let schema = schema(&[("y", Role::Label), ("n", Role::Numeric)]);
    for numeric_transform in Transform::ALL {
        let config = Config { numeric_transform, ..plain_config() };
        let Learned { encoding, .. } = learned(&schema, &config, &rows, &[false; 20]);
        let encoded = one_by_one(&encoding, &schema, &names, &mut wild.iter());
        for row in 0..4 {
            let row = encoded.row(row);
            let is_sane = |(_, x): (u32, f32)| x.is_finite() && x.abs() < 1e6;
            assert!(row.features().all(is_sane), "{numeric_transform:?}");
        }
    }
}

#[test]
fn cells_that_cannot_be_used_are_named_and_leave_nothing_behind() {
    let schema = schema(&[
        ("y", Role::Label),
        ("c", Role::Categorical),
        ("m", Role::Multi),
        ("n", Role::Numeric),
        ("w", Role::Weight),
    ]);
    let text = "y,c,m,n,w\n1,a,x|y,1,1\n0,b,x,2,0.5\n";
    let (names, rows) = raw_rows("rows.csv", text, CSV);
    let mut interned = Interning::new(&schema);
    let bad = [
        ("1,a,x,one,1", "rows.csv:2:7: column 'n' is numeric and 'one' is not a finite number"),
        ("1,a,x,1e999,1", "rows.csv:2:7: column 'n' is numeric"),
        ("1,a,x,inf,1", "rows.csv:2:7: column 'n' is numeric"),
        ("1,a,x,1,-1", "rows.csv:2:9: weight: '-1' is not a number of at least 0"),
        ("1,a,x,1,", "rows.csv:2:9: weight: an empty cell is not a number"),
        ("1,a,x,1,1e39", "rows.csv:2:9: weight: '1e39'"),
        (",a,x,1,1", "rows.csv:2:1: label: "),
        ("1e39,a,x,1,1", "rows.csv:2:1: label: "),
    ];
    for row in &rows {
        interned.push(&schema, row).unwrap();
        for (line, message) in bad {
            let bad = raw_rows("rows.csv", &format!("y,c,m,n,w\n{line}\n"), CSV).1;
            let error = interned.push(&schema, &bad[0]).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
    let Learned { encoding, train, .. } =
        learned_of(interned.done().unwrap(), &schema, &plain_config(), &[false; 2]);
    assert_eq!(train, learned(&schema, &plain_config(), &rows, &[false; 2]).train);
    let mut encoder = RowEncoder::bind(&encoding, &schema, "rows.csv", &names, true).unwrap();
    let mut encoded = Rows::new();
    for row in &rows {
        encoder.encode(row, &mut encoded).unwrap();
        for (line, message) in bad {
            let bad = raw_rows("rows.csv", &format!("y,c,m,n,w\n{line}\n"), CSV).1;
            let error = encoder.encode(&bad[0], &mut encoded).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
    assert_eq!(encoded, train);
}

#[test]
fn labels_are_the_same_number_however_they_are_written() {
    let schema = schema(&[("y", Role::Label), ("c", Role::Categorical)]);
    let check = |cells: &[&str], expected: &[f32]| {
        let lines: String = cells.iter().map(|cell| format!("{cell},a\n")).collect();
        let (names, rows) = raw_rows("rows.csv", &format!("y,c\n{lines}"), CSV);
        let held = vec![false; rows.len()];
        let Learned { encoding, train, .. } = learned(&schema, &plain_config(), &rows, &held);
        let labels: Vec<f32> = train.outcomes().map(|(label, _)| label).collect();
        assert_eq!(labels, expected, "{cells:?}");
        assert_eq!(one_by_one(&encoding, &schema, &names, &mut rows.iter()), train, "{cells:?}");
    };
    check(&["0", "1", "1.0", "+1", " 1 ", "-0"], &[0.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    check(&["1", "-1"], &[1.0, 0.0]);
    check(&["7", "3", "7"], &[1.0, 0.0, 1.0]);
    check(&["yes", "no", " yes "], &[1.0, 0.0, 1.0]);
    check(&["t", "u"], &[1.0, 0.0]); // "t" is a word for yes.
    check(&["ann", "bob"], &[0.0, 1.0]); // Else the last in the alphabet.
    check(&["1", "no", "1.0"], &[1.0, 0.0, 1.0]);
    check(&["0.5", "1.5", "7"], &[0.5, 1.5, 7.0]); // Three numbers: a quantity.
}

#[test]
fn labels_that_are_no_utf8_are_refused_rather_than_mixed_up() {
    let schema = schema(&[("y", Role::Label), ("c", Role::Categorical)]);
    let bytes: &[u8] = b"y,c\n\xff,a\n\xfe,b\n";
    let options = pairloom::input::OpenOptions {
        format: Some(pairloom::input::FormatName::Csv),
        header: Some(true),
        delimiter: Some(','),
        ..Default::default()
    };
    let mut reader = pairloom::input::from_bytes("rows.csv", bytes, &options).unwrap();
    let mut row = RawRow::new();
    reader.read(&mut row).unwrap();
    let error = Interning::new(&schema).push(&schema, &row).unwrap_err();
    assert!(matches!(error, Error::Row { .. }), "{error}");
}

#[test]
fn a_column_that_is_missing_is_named() {
    let schema = schema(&[("y", Role::Label), ("c", Role::Categorical), ("d", Role::Categorical)]);
    let (_, rows) = raw_rows("rows.csv", "y,c,d\n1,a,x\n0,b,y\n", CSV);
    let Learned { encoding, train, .. } = learned(&schema, &plain_config(), &rows, &[false; 2]);
    let bind = |names: &[&str], labelled| {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        RowEncoder::bind(&encoding, &schema, "new.csv", &names, labelled)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let missing = |name: &str, has: usize| {
        Err(format!(
            "new.csv: column '{name}' is missing: the model was trained on 3 columns and these \
             rows have {has}"
        ))
    };
    assert_eq!(bind(&["d", "more", "y", "c"], true), Ok(()));
    assert_eq!(bind(&["c", "d"], false), Ok(()));
    let label = "new.csv: column 'y' is missing: it is the label here";
    assert_eq!(bind(&["c", "d"], true), Err(label.into()));
    assert_eq!(bind(&["y", "c"], false), missing("d", 2));
    let similar = "new.csv: column 'y' is missing: it is the label here; is it the one called 'Y'?";
    assert_eq!(bind(&["c", "d", "Y"], true), Err(similar.into()));
    // Another order of columns, and more of them, change nothing.
    let (names, others) = raw_rows("new.csv", "d,more,y,c\nx,1,1,a\ny,2,0,b\n", CSV);
    assert_eq!(one_by_one(&encoding, &schema, &names, &mut others.iter()), train);
}

/// Weights and trials are no features either: the model was not trained to read them.
#[test]
fn a_missing_column_says_what_it_is() {
    use Role::*;
    let all = [("y", Label), ("c", Categorical), ("w", Weight), ("n", Trials)];
    let schema = schema(&all);
    let (_, rows) = raw_rows("rows.csv", "y,c,w,n\n1,a,1,1\n0,b,1,1\n", CSV);
    let Learned { encoding, .. } = learned(&schema, &plain_config(), &rows, &[false; 2]);
    for (name, role) in [("y", "label"), ("w", "weight"), ("n", "trials")] {
        let names: Vec<String> =
            all.iter().filter(|of| of.0 != name).map(|of| of.0.to_string()).collect();
        let error = RowEncoder::bind(&encoding, &schema, "new.csv", &names, true).err().unwrap();
        let what = if name == "w" { "; a column of 1 counts all rows alike" } else { "" };
        let expected = format!("new.csv: column '{name}' is missing: it is the {role} here{what}");
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, pairloom::Error::Usage(_)), "{error:?}");
        assert!(RowEncoder::bind(&encoding, &schema, "new.csv", &names, false).is_ok());
    }
}

#[test]
fn a_file_without_header_may_lack_the_label_when_predicting() {
    let column = |name: &str, role| Column::new(name, role);
    let schema = Schema {
        format: Format::Csv { delimiter: ',', header: false },
        positive: None,
        item: Vec::new(),
        columns: vec![
            column("0", Role::Categorical),
            column("1", Role::Label),
            column("2", Role::Categorical),
        ],
    };
    let (_, rows) = raw_rows("rows.csv", "a,1,x\nb,0,y\n", schema.format);
    let Learned { encoding, train, .. } = learned(&schema, &plain_config(), &rows, &[false; 2]);
    let (names, bare) = raw_rows("new.csv", "a,x\nb,y\n", schema.format);
    let mut encoder = RowEncoder::bind(&encoding, &schema, "new.csv", &names, false).unwrap();
    let mut encoded = Rows::new();
    bare.iter().for_each(|row| encoder.encode(row, &mut encoded).unwrap());
    for row in 0..2 {
        assert_eq!(encoded.row(row).ids, train.row(row).ids);
    }
}
