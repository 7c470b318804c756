//! Files of Parquet, whole and damaged, as rows.

#![allow(clippy::unwrap_used)]

use crate::input::{
    Format, FormatName, Kind, OpenOptions, RawRow, Reader, from_bytes, open, open_as,
};
use crate::{Error, Result};
use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::*;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use proptest::prelude::*;
use std::io::Write;
use std::sync::Arc;

fn write(columns: &[(&str, ArrayRef)], properties: WriterPropertiesBuilder) -> Vec<u8> {
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, schema.clone(), Some(properties.build())).unwrap();
    let arrays: Vec<ArrayRef> = columns.iter().map(|(_, array)| array.clone()).collect();
    if let Ok(batch) = RecordBatch::try_new(schema, arrays) {
        writer.write(&batch).unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn plain(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
    write(columns, WriterProperties::builder())
}

/// Two columns of which one has a dot in its name, and a list.
fn columns(rows: i32) -> Vec<(&'static str, ArrayRef)> {
    let texts: StringArray =
        (0..rows).map(|i| (i % 3 > 0).then(|| format!("t{}", i % 7))).collect();
    let mut lists = ListBuilder::new(Int64Builder::new());
    (0..rows).for_each(|i| lists.append_value((0..i % 3).map(|v| Some(i64::from(v)))));
    vec![
        ("a.b", Arc::new(texts)),
        ("n", Arc::new((0..rows).collect::<Int32Array>())),
        ("l", Arc::new(lists.finish())),
    ]
}

fn expected(rows: i32) -> Vec<String> {
    let text = |i| if i % 3 > 0 { format!("t{}", i % 7) } else { String::new() };
    let list = |i| ["", "0", "0|1"][i as usize % 3];
    (0..rows).map(|i| format!("{},{i},{}", text(i), list(i))).collect()
}

fn rows(reader: Result<Box<dyn Reader>>) -> Result<Vec<String>> {
    let (mut reader, mut row, mut rows) = (reader?, RawRow::new(), Vec::new());
    while reader.read(&mut row)? {
        let cells = (0..row.len()).map(|cell| String::from_utf8_lossy(row.cell(cell)).into_owned());
        rows.push(cells.collect::<Vec<_>>().join(","));
    }
    Ok(rows)
}

fn read(bytes: Vec<u8>) -> Result<Vec<String>> {
    rows(from_bytes("t", bytes, &OpenOptions::default()))
}

fn message(bytes: &[u8]) -> String {
    read(bytes.to_vec()).unwrap_err().to_string()
}

#[test]
fn rows_of_many_groups_are_read_in_their_order() {
    let small = WriterProperties::builder().set_max_row_group_row_count(Some(1000));
    let bytes = write(&columns(20_000), small);
    assert_eq!(read(bytes.clone()).unwrap(), expected(20_000));
    let reader = from_bytes("t", bytes, &OpenOptions::default()).unwrap();
    assert_eq!(
        (reader.format(), reader.columns()),
        (Format::Parquet, &["a.b", "n", "l"].map(String::from)[..])
    );
    assert_eq!(
        [0, 1, 2].map(|column| reader.kind(column)),
        [Kind::Text, Kind::Unknown, Kind::List]
    );
}

#[test]
fn all_compressions_and_encodings_are_read() {
    let (gzip, brotli) = (GzipLevel::default(), BrotliLevel::default());
    let compressions = [
        Compression::SNAPPY,
        Compression::GZIP(gzip),
        Compression::BROTLI(brotli),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ];
    for compression in compressions {
        let bytes = write(&columns(100), WriterProperties::builder().set_compression(compression));
        assert_eq!(read(bytes).unwrap(), expected(100), "{compression}");
    }
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for encoding in
            [Encoding::PLAIN, Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_LENGTH_BYTE_ARRAY]
        {
            let properties = WriterProperties::builder()
                .set_writer_version(version)
                .set_dictionary_enabled(false)
                .set_data_page_size_limit(1000)
                .set_column_encoding("texts".into(), encoding);
            for count in [1, 2, 33, 500] {
                let texts: Vec<String> =
                    (0..count).map(|i| format!("text {:x}", i * 7919)).collect();
                let gaps = texts.iter().enumerate().map(|(i, text)| (i % 5 > 0).then_some(text));
                let gaps: StringArray = gaps.collect();
                let bytes = write(&[("texts", Arc::new(gaps))], properties.clone());
                let with_gaps = texts
                    .iter()
                    .enumerate()
                    .map(|(i, text)| if i % 5 > 0 { &text[..] } else { "" });
                assert_eq!(
                    read(bytes).unwrap(),
                    with_gaps.collect::<Vec<_>>(),
                    "{encoding} {count}"
                );
            }
        }
    }
}

#[test]
fn a_file_is_known_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let csv = Format::Csv { delimiter: ';', header: false };
    let path = file("rows.csv", &plain(&columns(5)));
    let stated = OpenOptions { format: Some(FormatName::Parquet), ..OpenOptions::default() };
    for reader in [open(&path, &OpenOptions::default()), open(&path, &stated), open_as(&path, csv)]
    {
        assert_eq!(rows(reader).unwrap(), expected(5));
    }
    // A table has been trained on, and text is to be predicted.
    let text = file("rows.txt", b"x;y\n1;a\n2;b\n");
    let reader = open_as(&text, Format::Parquet).unwrap();
    assert_eq!(reader.format(), Format::Csv { delimiter: ';', header: true });
    let empty = file("empty.parquet", b"");
    let no = file("no.parquet", b"x,y\n1,2\n");
    let said = |path: &str, options: &OpenOptions| open(path, options).err().unwrap().to_string();
    assert_eq!(
        said(&empty, &OpenOptions::default()),
        format!("{empty}: no rows: the file is empty")
    );
    assert!(said(&no, &OpenOptions::default()).contains("it does not begin with PAR1"));
    assert!(said(&text, &stated).contains("it does not begin with PAR1"));
    let csv = OpenOptions { format: Some(FormatName::Csv), ..OpenOptions::default() };
    assert!(rows(open(&no, &csv)).is_ok());
    // A text may begin so.
    assert_eq!(
        rows(open(&file("t.csv", b"PAR1,y\n1,2\n"), &OpenOptions::default())).unwrap(),
        ["1,2"]
    );
}

#[test]
fn what_contradicts_a_table_is_refused() {
    let bytes = plain(&columns(5));
    let none = OpenOptions::default();
    let cases = [
        (
            OpenOptions { delimiter: Some(','), ..none.clone() },
            "format parquet has no delimiter to choose",
        ),
        (
            OpenOptions { header: Some(true), ..none.clone() },
            "format parquet has no header to choose",
        ),
        (
            OpenOptions { header: Some(false), ..none.clone() },
            "format parquet has no header to choose",
        ),
        (
            OpenOptions { format: Some(FormatName::Libsvm), ..none },
            "t: a Parquet file, and no libsvm: leave out --format",
        ),
    ];
    for (options, expected) in cases {
        let error = from_bytes("t", bytes.clone(), &options).err().unwrap();
        assert!(matches!(error, Error::Usage(_)), "{error}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn what_is_packed_cannot_be_read_from_its_end() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&plain(&columns(50))).unwrap();
    let expected = "t: Parquet, of which the end is read first: give the file as it is, unpacked and by its name";
    assert_eq!(message(&packed.finish().unwrap()), expected);
    assert_eq!(message(&zstd::encode_all(&plain(&columns(5))[..], 1).unwrap()), expected);
}

#[test]
fn tables_without_rows_or_columns() {
    assert_eq!(read(plain(&columns(0))).unwrap(), Vec::<String>::new());
    assert_eq!(message(&plain(&[])), "t: a table without columns");
}

#[test]
fn nested_columns_are_named() {
    let part = Arc::new(Field::new("part", DataType::Int32, true));
    let parts: ArrayRef =
        Arc::new(StructArray::from(vec![(part, Arc::new(Int32Array::from(vec![1])) as ArrayRef)]));
    let said = message(&plain(&[("whole", parts)]));
    let end = "make a column of each of its parts, or leave it out of the table";
    assert!(
        said.starts_with("t: column 'whole' is of type Struct(") && said.ends_with(end),
        "{said}"
    );
}

#[test]
fn incomplete_and_encrypted_files_are_told() {
    let bytes = plain(&columns(50));
    let cut = "t: cut off: a Parquet file ends in PAR1, and this one does not";
    for end in [5, 6, 50, bytes.len() / 2, bytes.len() - 1] {
        assert_eq!(message(&bytes[..end]), cut, "{end}");
    }
    let mut encrypted = bytes.clone();
    let tail = encrypted.len() - 4;
    encrypted[tail..].copy_from_slice(b"PARE");
    assert_eq!(
        message(&encrypted),
        "t: an encrypted Parquet file: write it again without encryption"
    );
    let mut long = bytes.clone();
    long[tail - 4..tail].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(message(&long), "t: damaged: its end is said to be longer than it");
}

/// The end of a file whose struct is `bytes`.
fn ended(bytes: &[u8]) -> Vec<u8> {
    let mut file = b"PAR1\x15".to_vec();
    file.extend_from_slice(bytes);
    file.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    file.extend_from_slice(b"PAR1");
    file
}

#[test]
fn no_memory_is_taken_for_what_is_claimed() {
    // Version 1; no columns; no rows; and 2^31 - 1 row groups.
    let groups = [0x15, 2, 0x19, 0x0c, 0x16, 0, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7, 0];
    assert_eq!(message(&ended(&groups)), "t: damaged: its end cannot be read");
    // As many groups in groups as there is room for.
    let count = 100_000u32;
    let mut deep = vec![0x15, 2, 0x19, 0xfc];
    deep.extend([count as u8 | 128, (count >> 7) as u8 | 128, (count >> 14) as u8]);
    // A name of one letter, and one child.
    (0..count).for_each(|_| deep.extend([0x48, 1, b'x', 0x15, 2, 0]));
    deep.extend([0x16, 0, 0x19, 0x0c, 0]);
    assert_eq!(message(&ended(&deep)), "t: damaged: columns in columns without end");
}

#[test]
fn no_page_is_walked_through_that_is_not_there() {
    let mut bytes = plain(&columns(50));
    // In place of the first page's header: its field 9 is a list of 2^31 - 1 values, of a type that takes 16 bytes, or
    // of truths, which take none.
    for of in [0xfd, 0xf1] {
        bytes[4..11].copy_from_slice(&[0x99, of, 0xff, 0xff, 0xff, 0xff, 7]);
        assert_eq!(message(&bytes), "t: damaged: the header of a page cannot be read");
    }
}

#[test]
fn damage_is_an_error_that_ends_the_input() {
    let bytes = plain(&columns(50));
    let mut errors = 0;
    for at in 4..bytes.len() - 8 {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let Ok(mut reader) = from_bytes("t", damaged, &OpenOptions::default()) else {
            errors += 1;
            continue;
        };
        let mut row = RawRow::new();
        loop {
            match reader.read(&mut row) {
                Ok(true) | Err(Error::Row { .. }) => {}
                Ok(false) => break,
                Err(error) => {
                    assert!(matches!(error, Error::Data { .. }), "{error}");
                    assert!(!reader.read(&mut row).unwrap(), "{error}");
                    errors += 1;
                    break;
                }
            }
        }
    }
    assert!(errors > bytes.len() / 4, "{errors} of {}", bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any bytes behind the magic are rows or an error.
    #[test]
    fn bytes_are_rows_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(ended(&bytes));
    }
}

/// The seeds of fuzzing: SEEDS=FOLDER cargo test seeds -- --ignored
#[test]
#[ignore = "writes files"]
fn seeds() {
    let folder = std::env::var("SEEDS").unwrap();
    let small = |c| {
        WriterProperties::builder()
            .set_compression(c)
            .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
    };
    let numbers: Vec<(&str, ArrayRef)> = vec![
        ("f", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(f32::INFINITY)]))),
        (
            "d",
            Arc::new(Decimal128Array::from(vec![1, 2, 3]).with_precision_and_scale(20, 2).unwrap()),
        ),
        ("t", Arc::new(TimestampMillisecondArray::from(vec![1, 2, 3]).with_timezone("UTC"))),
        ("b", Arc::new(BooleanArray::from(vec![true, false, true]))),
    ];
    let delta = small(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_writer_version(WriterVersion::PARQUET_2_0);
    for (name, bytes) in [
        ("plain", write(&columns(5), small(Compression::UNCOMPRESSED))),
        ("snappy", write(&columns(5), small(Compression::SNAPPY))),
        ("delta", write(&columns(5), delta)),
        ("numbers", write(&numbers, small(Compression::UNCOMPRESSED))),
    ] {
        std::fs::write(format!("{folder}/{name}"), [&[bytes.len() as u8 & 1][..], &bytes].concat())
            .unwrap();
    }
}
