//! Properties of the readers: what is written is read back, an independent CSV parser agrees,
//! nothing panics, and the record limit holds.

use super::*;
use crate::Error;
use proptest::collection::vec;
use proptest::prelude::*;

type Table = Vec<Vec<Vec<u8>>>;

fn csv_options(delimiter: char, header: bool) -> OpenOptions {
    let format = Some(FormatName::Csv);
    let (delimiter, header) = (Some(delimiter), Some(header));
    OpenOptions { format, delimiter, header, ..OpenOptions::default() }
}

/// All rows, or the first error.
fn rows(bytes: Vec<u8>, options: &OpenOptions) -> Result<Vec<RawRow>> {
    let mut reader = from_bytes("t", bytes, options)?;
    let mut rows = Vec::new();
    let mut row = RawRow::new();
    while reader.read(&mut row)? {
        rows.push(row.clone());
    }
    Ok(rows)
}

fn cells(row: &RawRow) -> Vec<Vec<u8>> {
    (0..row.len()).map(|i| row.cell(i).to_vec()).collect()
}

/// A cell of the bytes that are hard to read, and whether it is quoted without need.
fn cell() -> impl Strategy<Value = (Vec<u8>, bool)> {
    let byte = prop_oneof![
        3 => prop::sample::select(b"ab1. ".to_vec()),
        2 => prop::sample::select(b",;\t|\"\n\r#:".to_vec()),
        1 => 1u8..=255,
    ];
    (vec(byte, 0..6), any::<bool>())
}

fn table() -> impl Strategy<Value = Vec<Vec<(Vec<u8>, bool)>>> {
    (1usize..6).prop_flat_map(|width| vec(vec(cell(), width), 1..8))
}

fn write_csv(
    table: &[Vec<(Vec<u8>, bool)>],
    delimiter: u8,
    end: &[u8],
    last: bool,
) -> (Vec<u8>, Table) {
    let mut text = Vec::new();
    for (i, row) in table.iter().enumerate() {
        for (j, (cell, quoted)) in row.iter().enumerate() {
            if j > 0 {
                text.push(delimiter);
            }
            let special = cell.iter().any(|byte| [delimiter, b'"', b'\n', b'\r'].contains(byte));
            // A lone empty cell would be an empty line; a byte order mark would be dropped.
            let odd = cell.is_empty() || cell.starts_with(b"\xef\xbb\xbf");
            if *quoted || special || odd {
                text.push(b'"');
                text.extend(cell.iter().flat_map(|b| [*b].repeat(1 + usize::from(*b == b'"'))));
                text.push(b'"');
            } else {
                text.extend(cell);
            }
        }
        if last || i + 1 < table.len() {
            text.extend(end);
        }
    }
    let expected = table.iter().map(|row| row.iter().map(|(c, _)| c.clone()).collect()).collect();
    (text, expected)
}

/// The records that csv-core finds.
fn csv_core(text: &[u8], delimiter: u8) -> Table {
    let mut parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    // With a last line end every record is complete in one call.
    let text = [text, b"\n"].concat();
    let (mut output, mut ends) = (vec![0; text.len()], vec![0; text.len()]);
    let (mut from, mut table) = (0, Vec::new());
    loop {
        let (result, read, _, count) = parser.read_record(&text[from..], &mut output, &mut ends);
        from += read;
        if result != csv_core::ReadRecordResult::Record {
            return table;
        }
        let starts = std::iter::once(0).chain(ends[..count].iter().copied());
        table.push(starts.zip(&ends[..count]).map(|(s, e)| output[s..*e].to_vec()).collect());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn csv_reads_back(
        table in table(),
        delimiter in prop::sample::select(vec![',', '\t', ';', '|']),
        crlf in any::<bool>(),
        last in any::<bool>(),
    ) {
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        let (text, expected) = write_csv(&table, delimiter as u8, end, last);
        // It may begin as a file of another kind does.
        prop_assume!(super::magic::unreadable(&text).is_none());
        prop_assert_eq!(&csv_core(&text, delimiter as u8), &expected);
        let rows = rows(text, &csv_options(delimiter, false)).unwrap();
        prop_assert_eq!(rows.iter().map(cells).collect::<Table>(), expected);
    }

    /// Any bytes that we accept as records of equal length, csv-core reads in the same way.
    #[test]
    fn csv_agrees_with_csv_core(text in vec(prop::sample::select(b"a,\"\n\r".to_vec()), 0..24)) {
        if let Ok(rows) = rows(text.clone(), &csv_options(',', false)) {
            prop_assert_eq!(rows.iter().map(cells).collect::<Table>(), csv_core(&text, b','));
        }
    }

    #[test]
    fn sparse_reads_back(
        table in vec((vec((any::<u32>(), any::<u64>(), any::<f32>()), 0..6), any::<bool>()), 0..8),
        ffm in any::<bool>(),
    ) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (pairs, tabs) in table {
            let blanks = if tabs { "\t \t" } else { " " };
            text.push_str("-1");
            let mut row = Vec::new();
            for (field, index, value) in pairs.into_iter().filter(|pair| pair.2.is_finite()) {
                let field = if ffm { field } else { 0 };
                let prefix = if ffm { format!("{field}:") } else { String::new() };
                text.push_str(&format!("{blanks}{prefix}{index}:{value:?}"));
                row.push((field, index, value.to_bits()));
            }
            text.push('\n');
            expected.push(row);
        }
        let format = Some(if ffm { FormatName::Libffm } else { FormatName::Libsvm });
        let options = OpenOptions { format, ..OpenOptions::default() };
        let rows = rows(text.into_bytes(), &options).unwrap();
        let found: Vec<Vec<_>> = rows
            .iter()
            .map(|row| row.pairs().iter().map(|p| (p.field, p.index, p.value.to_bits())).collect())
            .collect();
        prop_assert_eq!(found, expected);
        prop_assert!(rows.iter().all(|row| row.cell(0) == b"-1" && row.cell(1).is_empty()));
    }

    /// Every error is placed inside the input, and reading goes on only after errors of a row.
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in vec(prop_oneof![
            3 => prop::sample::select(b"01.-e:,\"\n\r\t #aq\0".to_vec()),
            1 => any::<u8>(),
        ], 0..80),
        format in prop::sample::select(vec![None, Some(FormatName::Csv), Some(FormatName::Tsv),
            Some(FormatName::Libsvm), Some(FormatName::Libffm)]),
    ) {
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        let limit = bytes.len() + 1;
        let options = OpenOptions { format, ..OpenOptions::default() };
        let Ok(mut reader) = from_bytes("t", bytes, &options) else { return Ok(()) };
        let mut row = RawRow::new();
        for _ in 0..=limit {
            match reader.read(&mut row) {
                Ok(true) => prop_assert!(row.line() <= lines),
                Err(Error::Row { place, .. }) => {
                    prop_assert!(place.line <= lines && place.column <= limit);
                }
                Ok(false) | Err(_) => {
                    prop_assert!(!reader.read(&mut row).unwrap_or(true));
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "more rows than bytes");
    }

    #[test]
    fn what_is_read_ahead_is_the_same(
        lines in vec(prop::sample::select(vec![
            "1 2:3", "0 1:2:3 4:5:6", "a,b", "\"c\nd\",e", "\"f", "g\0,h", "", "# i", "1 2:x", "j,k,l",
        ]), 0..12),
        format in prop::sample::select(FormatName::ALL.to_vec()),
        size in (1usize..5, 1usize..300),
    ) {
        let options = OpenOptions { format: Some(format), ..OpenOptions::default() };
        let open = || from_bytes("t", lines.join("\n"), &options);
        let Ok(mut plain) = open() else { return Ok(()) };
        let mut ahead = ahead::Ahead::new(open().unwrap(), size.0, size.1).unwrap();
        prop_assert_eq!(ahead.columns(), plain.columns());
        prop_assert_eq!(told(&mut ahead), told(&mut *plain));
        prop_assert!(!ahead.read(&mut RawRow::new()).unwrap());
    }
}

/// All that a reader gives, in words.
fn told(reader: &mut dyn Reader) -> Vec<String> {
    let (mut told, mut row, mut goes_on) = (Vec::new(), RawRow::new(), true);
    while goes_on {
        let read = reader.read(&mut row);
        goes_on = matches!(read, Ok(true) | Err(Error::Row { .. }));
        told.push(match read {
            Ok(true) => format!("{} {:?} {:?}", row.line(), cells(&row), row.pairs()),
            ended => format!("{ended:?}"),
        });
    }
    told
}

/// A reader that waits, and one that panics.
struct Odd(Option<std::sync::mpsc::Receiver<()>>);

impl Reader for Odd {
    fn format(&self) -> Format {
        Format::Libsvm
    }

    fn columns(&self) -> &[String] {
        &[]
    }

    fn read(&mut self, _: &mut RawRow) -> Result<bool> {
        let idle = self.0.as_ref().expect("no pipe");
        Ok(idle.recv().is_err())
    }
}

#[test]
fn nobody_waits_for_an_idle_pipe_that_is_read_ahead() {
    let (pipe, idle) = std::sync::mpsc::channel();
    drop(ahead(Box::new(Odd(Some(idle)))).unwrap());
    drop(pipe);
}

#[test]
#[should_panic(expected = "no pipe")]
fn a_panic_ahead_does_not_pass_for_the_end() {
    let _ = ahead(Box::new(Odd(None))).unwrap().read(&mut RawRow::new());
}

/// An endless line, in a compressed file of a few kilobytes, is refused at the limit, and the
/// row's buffer has not grown beyond it.
#[test]
fn an_endless_line_keeps_memory_bounded() {
    use std::io::{Read, Write};
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::repeat(b'7').take(100 << 20), &mut gzip).unwrap();
    gzip.write_all(b"\n1\n").unwrap();
    let bytes = gzip.finish().unwrap();
    let mut input = lines::Lines::new(open::Source::from_bytes("t", bytes.clone()).unwrap());
    let mut row = RawRow::new();
    assert!(input.begin(&mut row).is_err());
    assert!(row.text.capacity() <= lines::MAX_RECORD);
    // Ratings need files beside them.
    let alone =
        |format: &FormatName| !matches!(format, FormatName::MovieLens(_) | FormatName::Parquet);
    for format in FormatName::ALL.into_iter().filter(alone) {
        let options = OpenOptions { format: Some(format), ..OpenOptions::default() };
        let error = rows(bytes.clone(), &options).unwrap_err();
        assert!(matches!(error, Error::Data { .. }), "{error:?}");
        assert!(error.to_string().starts_with("t:1:1: a record of more than 64 MiB"), "{error}");
    }
}
