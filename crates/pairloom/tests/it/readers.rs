//! What holds for readers beside the rows that they give: detection, places of errors, packed streams,
//! files of other kinds, limits and speed.

use crate::common::{csv, gzip, options};
use pairloom::Error;
use pairloom::input::{self, Format, FormatName, OpenOptions, RawRow};
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

#[test]
fn formats_are_detected() {
    let comma = |header| Format::Csv { delimiter: ',', header };
    let tab = |header| Format::Csv { delimiter: '\t', header };
    let cases: &[(&str, &str, Format)] = &[
        ("t.csv", "y,x\n1,2\n", comma(true)),
        ("t.csv", "1,2\n3,4\n", comma(false)),
        ("t.CSV", "1,2\n", comma(false)),
        // Tabs in spite of the name, as in the click data of "Dive into Deep Learning".
        ("ctr.csv", "0\t68fd1e64\t80e26c9b\n1\t05db9164\t,\n", tab(false)),
        ("t.tsv", "a,b\n1,2\n", tab(true)),
        ("t.tab", "1\t2\n", tab(false)),
        ("t.csv", "1:2,3:4\n1:2,5:6\n", comma(false)),
        ("t.svm", "", Format::Libsvm),
        ("t.libsvm", "1 1:1\n", Format::Libsvm),
        ("t.svmlight", "1 1:1\n", Format::Libsvm),
        ("t.ffm", "", Format::Libffm),
        ("t.libffm", "1 0:1:1\n", Format::Libffm),
        ("t.txt", "1 3:0.5\n", Format::Libsvm),
        ("t.data", "1 1:3:0.5\n", Format::Libffm),
        ("stdin", "y,x\n1,2\n", comma(true)),
        ("stdin", "3:0.5\n", Format::Libsvm),
        ("t", "1\n2\n", comma(false)),
    ];
    for (name, text, expected) in cases {
        for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
            let reader = input::from_bytes(name, bytes, &OpenOptions::default()).unwrap();
            assert_eq!(reader.format(), *expected, "{name} {text:?}");
        }
    }
    let error = input::from_bytes("t.txt", "", &OpenOptions::default()).err().unwrap();
    assert_eq!(error.to_string(), "t.txt: no rows: the file is empty");
}

/// What detection has looked at is read all the same, in a file larger than its sample.
#[test]
fn sniffing_consumes_nothing() {
    let mut text = String::from("label;city\n");
    (0..20_000).for_each(|i| text.push_str(&format!("{};c{i}\n", i % 2)));
    let mut reader = input::from_bytes("big.data", text, &OpenOptions::default()).unwrap();
    assert_eq!(reader.format(), Format::Csv { delimiter: ';', header: true });
    assert_eq!(reader.columns(), ["label", "city"]);
    let mut row = RawRow::new();
    for i in 0..20_000 {
        assert!(reader.read(&mut row).unwrap());
        assert_eq!((row.line(), row.cell(1)), (i + 2, format!("c{i}").as_bytes()));
    }
    assert!(!reader.read(&mut row).unwrap());
}

#[test]
fn options_that_cannot_work_are_refused() {
    let refused = |name: &str, options: OpenOptions, text: &str| {
        let error = input::from_bytes(name, "1,2\n", &options).err().unwrap();
        assert!(matches!(error, Error::Usage(_)) && error.to_string().contains(text), "{error}");
    };
    let delimiter = |c| OpenOptions { delimiter: Some(c), ..OpenOptions::default() };
    refused("t.svm", delimiter(','), "format libsvm has no delimiter");
    refused("t.ffm", OpenOptions { header: Some(true), ..Default::default() }, "no header");
    refused("t", OpenOptions { format: Some(FormatName::Tsv), ..delimiter(',') }, "is csv");
    for odd in ['"', '\n', '\r', '\0', 'é', '→'] {
        refused("t.csv", delimiter(odd), "one ASCII character");
    }
    let reader = input::from_bytes("t.tsv", "1,2\n", &delimiter(',')).unwrap();
    assert_eq!(reader.columns(), ["0", "1"]);
}

/// A format that a model has stored reads further files.
#[test]
fn a_known_format_reads_more_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("more.txt");
    let path = path.to_str().unwrap();
    let bare = Format::Csv { delimiter: ';', header: false };

    fs::write(path, "a;b\nc;d\n").unwrap();
    let named = input::open_as(path, Format::Csv { delimiter: ';', header: true }).unwrap();
    assert_eq!(named.columns(), ["a", "b"]);
    let mut reader = input::open_as(path, bare).unwrap();
    let mut row = RawRow::new();
    assert!(reader.read(&mut row).unwrap());
    assert_eq!((reader.columns(), row.cell(0)), (&["0".to_owned(), "1".to_owned()][..], &b"a"[..]));
    fs::write(path, "").unwrap();
    assert!(input::open_as(path, bare).is_err());
}

/// Errors that a caller finds later, in what a cell says, are placed as well.
#[test]
fn cells_and_pairs_know_their_place() {
    let text = "y,x,z\n1,\"a\"\"\nb\",\"c\"\"d\"\n";
    let mut reader = input::from_bytes("t.csv", text, &csv(true)).unwrap();
    let mut row = RawRow::new();
    assert!(reader.read(&mut row).unwrap());
    assert_eq!([row.cell(1), row.cell(2)], [&b"a\"\nb"[..], b"c\"d"]);
    let places = [(0, "2:1"), (1, "2:4"), (2, "3:5"), (3, "3:10")];
    for (cell, place) in places {
        assert_eq!(row.cell_error(cell, "odd").to_string(), format!("t.csv:{place}: odd"));
    }
    let mut reader =
        input::from_bytes("t.svm", "\n1 qid:2 1:1\t2:1\n", &OpenOptions::default()).unwrap();
    assert!(reader.read(&mut row).unwrap());
    assert_eq!(row.cell_error(1, "odd").to_string(), "t.svm:2:7: odd");
}

/// How many rows a libsvm file of these bytes has.
fn rows_of(bytes: &[u8]) -> pairloom::Result<usize> {
    let mut reader = input::from_bytes("t.svm", bytes, &OpenOptions::default())?;
    let (mut row, mut rows) = (RawRow::new(), 0);
    while reader.read(&mut row)? {
        rows += 1;
    }
    Ok(rows)
}

/// Every way of cutting a compressed file short is an error, and so is a flipped bit.
#[test]
fn damaged_streams_are_refused() {
    let text: String = (0..2000).map(|i| format!("{} {i}:{}\n", i % 2, i * i)).collect();
    let zstd = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    for (kind, bytes) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd)] {
        assert_eq!(rows_of(&bytes).unwrap(), 2000);
        for len in (5..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
            let error = rows_of(&bytes[..len]).unwrap_err().to_string();
            let expected = format!("t.svm: the {kind} stream is cut off: the file is incomplete");
            assert_eq!(error, expected, "{len} bytes");
        }
        let mut flipped = bytes.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 4;
        assert!(rows_of(&flipped).is_err());
        assert!(rows_of(&[&bytes[..], b"garbage"].concat()).is_err());
    }
}

/// gzip members one after the other are one file, zeros behind them are padding, and what else is
/// there is named.
#[test]
fn what_follows_a_gzip_stream() {
    let one = gzip(b"1 1:1\n");
    assert_eq!(rows_of(&[&one[..], &one].concat()).unwrap(), 2);
    assert_eq!(rows_of(&[&one[..], &[0; 300_000]].concat()).unwrap(), 1);
    assert_eq!(rows_of(&[&one[..], &[0; 3], &one].concat()).unwrap(), 2);
    for garbage in [&b"xyz"[..], &[b'x'; 100]] {
        let error = rows_of(&[&one[..], garbage].concat()).unwrap_err().to_string();
        assert!(error.starts_with("t.svm: bytes that are no gzip follow"), "{error}");
    }
}

/// A header may be longer than what is looked at of other files.
#[test]
fn a_wide_header_is_known() {
    let line = |cell: &dyn Fn(usize) -> String| (0..30_000).map(cell).collect::<Vec<_>>().join(",");
    let text = format!("{}\n{}\n", line(&|i| format!("column{i}")), line(&|i| format!("{i}.25")));
    for text in [&text[..], text.trim_end()] {
        let reader = input::from_bytes("t.csv", text, &OpenOptions::default()).unwrap();
        assert_eq!(reader.columns()[29_999], "column29999");
    }
}

/// The cells of a CSV are no labels of a sparse file.
#[test]
fn a_csv_is_no_sparse_file() {
    for (format, name) in [(FormatName::Libsvm, "libsvm"), (FormatName::Libffm, "libffm")] {
        let options = OpenOptions { format: Some(format), ..OpenOptions::default() };
        let mut reader = input::from_bytes("t", &b"y,a,b\n1,2,3\n"[..], &options).unwrap();
        let error = reader.read(&mut RawRow::new()).unwrap_err().to_string();
        let expected = format!("t:1:1: 'y,a,b' is no line of {name}: is this a CSV separated by");
        assert!(error.starts_with(&expected), "{error}");
        let mut reader = input::from_bytes("t", &b"1,2 3:1:1\n"[..], &options).unwrap();
        let error = reader.read(&mut RawRow::new()).err().map(|error| error.to_string());
        assert!(!error.unwrap_or_default().contains("CSV"));
    }
}

/// Files of other kinds are known by their first bytes, packed or not, and whatever their name.
#[test]
fn files_of_other_kinds_are_named() {
    let kinds: &[(&[u8], &str)] = &[
        (b"ARROW1\0\0\xff\xff\xff\xff", "a Feather or Arrow file: save it as Parquet"),
        (b"FEA1\0\0\0\0", "a Feather or Arrow file"),
        (b"BZh91AY&SY\x01\x02", "packed by bzip2; gzip and zstd can be read: unpack it"),
        (b"\xfd7zXZ\0\0\x04", "packed by xz"),
        (b"\x04\x22\x4d\x18\x64", "packed by lz4"),
        (b"PK\x03\x04\x14\0", "a zip archive, or a spreadsheet"),
        (b"\xff\xfey\0,\0x\0\n\0", "UTF-16 text: save it as UTF-8"),
        (b"\xfe\xff\0y\0,\0x\0\n", "UTF-16 text"),
        (b"{\"y\": 1, \"x\": 2}\n", "JSON: save it as CSV"),
        (b"[{\"y\": 1}]\n", "JSON"),
        (b"[\n  {\n", "JSON"),
    ];
    for (bytes, expected) in kinds {
        for name in ["t.csv", "t", "t.svm"] {
            for bytes in [bytes.to_vec(), gzip(bytes)] {
                let error = input::from_bytes(name, bytes, &OpenOptions::default()).err().unwrap();
                assert!(matches!(error, Error::Data { .. }), "{error:?}");
                let message = error.to_string();
                assert!(message.starts_with(&format!("{name}: {expected}")), "{message}");
            }
        }
    }
}

#[test]
fn paths_that_cannot_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().to_str().unwrap();
    let absent = format!("{folder}/absent.csv");
    for path in [folder, &absent, "", "a\0b", &format!("{folder}/{}", "x".repeat(300))] {
        let error = input::open(path, &OpenOptions::default()).err().unwrap();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        let shown = path.replace('\0', r"\0");
        assert!(error.to_string().starts_with(&format!("{shown}: ")), "{error}");
    }
    assert!(input::open_as(&absent, Format::Libsvm).is_err());
}

/// A line of 16 MB takes a fraction of a second: nothing is quadratic in its length.
#[test]
fn long_lines_take_linear_time() {
    let pairs = "1 ".to_owned() + &"7:1 ".repeat(4 << 20);
    let one_token = format!("1 {}", ":1".repeat(8 << 20));
    let cells = "abc,".repeat((4 << 20) - 1);
    let quoted = format!("1,\"{}\"", "a\"\"\n".repeat(4 << 20));
    let libsvm = options(FormatName::Libsvm);
    for (case, text, options) in [
        ("pairs", pairs, &libsvm),
        ("one token", one_token, &libsvm),
        ("cells", cells, &csv(false)),
        ("quoted", quoted, &csv(false)),
    ] {
        let start = Instant::now();
        let mut row = RawRow::new();
        let outcome = input::from_bytes("t", text, options).unwrap().read(&mut row);
        assert_eq!(outcome.is_ok(), case != "one token");
        // Far above what it takes, for machines under load; quadratic time would be minutes.
        assert!(start.elapsed() < Duration::from_secs(5), "{case}: {:?}", start.elapsed());
    }
}

/// A record of separators alone would take many times its own size in memory.
#[test]
fn records_of_too_many_items_are_refused() {
    let cells = ",".repeat(5 << 20) + "\n";
    let quoted = "\"\"".to_owned() + &cells;
    let pairs = "1".to_owned() + &" 7:1".repeat(5 << 20) + "\n";
    let bare = csv(false);
    let cases = [
        (format!("1,2\n{cells}1,2\n"), &bare, "more than 4194304 cells"),
        (format!("1,2\n{quoted}1,2\n"), &bare, "more than 4194304 cells"),
        (format!("1 7:1\n{pairs}1 7:1\n"), &options(FormatName::Libsvm), "more than 4194304 pairs"),
    ];
    for (text, options, message) in cases {
        let mut reader = input::from_bytes("t", text, options).unwrap();
        let mut row = RawRow::new();
        assert!(reader.read(&mut row).unwrap());
        let error = reader.read(&mut row).unwrap_err();
        assert!(
            matches!(error, Error::Row { .. }) && error.to_string().contains(message),
            "{error}"
        );
        assert!(reader.read(&mut row).unwrap());
        assert!(!reader.read(&mut row).unwrap());
    }
}
