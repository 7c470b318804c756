//! Rows that are kept, beside the same rows that are not; and files that someone has changed.

use super::{Cached, Source};
use crate::batch::BLOCK_ROWS;
use crate::data::{Interned, Interning};
use crate::input::{Format, OpenOptions, RawRow, from_bytes};
use crate::parallel::Threads;
use crate::reading::Skipped;
use crate::schema::{Column, Role, Schema};
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_128;

fn schema() -> Schema {
    let column = |(name, role)| {
        let separator = (role == Role::Multi).then_some('|');
        Column { why: format!("as {name}"), separator, ..Column::new(name, role) }
    };
    let columns = [
        ("y", Role::Label),
        ("c", Role::Categorical),
        ("m", Role::Multi),
        ("n", Role::Numeric),
        ("d", Role::Numeric),
        ("w", Role::Weight),
        ("g", Role::Group),
        ("x", Role::Ignore),
    ];
    let format = Format::Csv { delimiter: ',', header: true };
    Schema {
        format,
        positive: None,
        item: Vec::new(),
        columns: columns.into_iter().map(column).collect(),
    }
}

/// Rows whose labels turn out to be no numbers after the first block.
fn fill(mut interning: Interning, schema: &Schema, rows: usize) -> Interned {
    let mut text = String::from("y,c,m,n,d,w,g,x\n");
    for i in 0..rows {
        let y = if i == BLOCK_ROWS + 5 { "no" } else { "1" };
        let n = if i % 7 == 0 { String::new() } else { (i % 50).to_string() };
        let (many, g) = (i * i % 70_000, i / 10);
        text += &format!("{y},c{many},a{}|b{},{n},{}.1,{},{g},-\n", i % 3, i % 300, i, i % 2 + 1);
    }
    let options = OpenOptions { delimiter: Some(','), header: Some(true), ..Default::default() };
    let mut reader = from_bytes("rows.csv", text, &options).unwrap();
    let mut row = RawRow::new();
    while reader.read(&mut row).unwrap() {
        interning.push(schema, &row).unwrap();
    }
    interning.done().unwrap()
}

/// All that there is to be known of rows.
fn all(interned: &Interned) -> Vec<String> {
    let mut all = vec![format!("{:?} {}", interned.labels, interned.encoded_bytes())];
    interned.heads(|first, head| all.push(format!("{first} {head:?}"))).unwrap();
    let show = |blocks: Vec<crate::data::Block<'_>>| {
        all.extend(blocks.iter().map(|b| format!("{:?}", b.cells(&interned.columns).unwrap())));
        Ok(())
    };
    interned.walk(&Threads::new(2).unwrap(), show).unwrap();
    all.extend((0..interned.rows).map(|row| format!("{:?}", interned.lines.line(row))));
    all
}

fn keep(rows: usize) -> (NamedTempFile, Cached) {
    let file = NamedTempFile::new().unwrap();
    let (schema, name) = (schema(), file.path().to_str().unwrap());
    let to = Cached::begin(file.reopen().unwrap(), name).unwrap();
    let interned = fill(Interning::kept(&schema, to, None), &schema, rows);
    let skipped = Skipped { rows: 2, first: vec!["one".into()] };
    let source = Some(Source::of(name, &[], "so").unwrap());
    let notes = vec!["a note".into()];
    let mut cached = Cached { schema, interned, skipped, notes, source };
    cached.finish().unwrap();
    (file, cached)
}

#[test]
fn kept_rows_are_the_rows_in_memory_and_those_of_a_temporary_file() {
    for rows in [1, 100, BLOCK_ROWS, 2 * BLOCK_ROWS + 10] {
        let (file, written) = keep(rows);
        let read = Cached::open(file.path().to_str().unwrap(), false).unwrap();
        assert_eq!((&read.schema, &read.skipped), (&written.schema, &written.skipped));
        assert_eq!((&read.source, &read.notes), (&written.source, &written.notes));
        let folder = std::env::temp_dir();
        let schema = schema();
        let held = fill(Interning::new(&schema), &schema, rows);
        let spilled = Interning::within(&schema, Some(0), folder.to_str().unwrap());
        let spilled = fill(spilled, &schema, rows);
        let expected = all(&held);
        for interned in [&read.interned, &written.interned, &spilled] {
            assert!(all(interned) == expected, "{rows}");
        }
    }
}

#[test]
fn another_content_or_another_wish_is_another_source() {
    let file = NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let mut sources = Vec::new();
    for content in ["", "a", "b"] {
        std::fs::write(path, content).unwrap();
        sources.extend(["x", "y"].map(|asked| Source::of(path, &[], asked).unwrap()));
        assert_eq!(sources.last(), Some(&Source::of(path, &[], "y").unwrap()));
    }
    for (i, source) in sources.iter().enumerate() {
        assert_eq!(sources.iter().position(|other| other == source), Some(i));
    }
    assert!(Source::of("-", &[], "").is_err());
}

/// What comes of a file when it has these bytes, down to the last row.
fn read(file: &NamedTempFile, bytes: &[u8]) -> crate::Result<usize> {
    std::fs::write(file.path(), bytes).unwrap();
    let cached = Cached::open(file.path().to_str().unwrap(), false)?;
    let (mut rows, interned) = (0, &cached.interned);
    interned.heads(|_, head| rows += head.labels.len())?;
    interned.walk(&Threads::new(1)?, |blocks| {
        blocks.iter().try_for_each(|block| block.cells(&interned.columns).map(drop))
    })?;
    Ok(rows)
}

#[test]
fn a_byte_that_was_changed_and_an_end_that_is_missing_are_found() {
    let (file, _) = keep(20);
    let bytes = std::fs::read(file.path()).unwrap();
    assert_eq!(read(&file, &bytes).unwrap(), 20);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        assert!(read(&file, &damaged).is_err(), "byte {at}");
    }
    for len in (0..bytes.len()).step_by(7) {
        assert!(read(&file, &bytes[..len]).is_err(), "{len} bytes");
    }
}

/// Who recomputes the checksums may write anything: no word of it may lead outside.
#[test]
fn what_is_made_up_is_refused_or_read_as_rows() {
    let (file, _) = keep(20);
    let bytes = std::fs::read(file.path()).unwrap();
    let cached = Cached::open(file.path().to_str().unwrap(), false).unwrap();
    let super::Shelf::File(_, places) = &cached.interned.blocks else { panic!("it is in memory") };
    let (mut words, mut refused) = (Vec::new(), 0);
    for place in places[0] {
        let start = place.parts()[0] as usize;
        words.clear();
        let end = start + place.bytes() as usize - 16;
        words.extend(bytes[start..end].as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)));
        for at in 0..words.len() {
            for word in [1, 21, 0x7f80_0000, u32::MAX] {
                let mut words = words.clone();
                words[at] = word;
                let mut content = bytemuck::cast_slice(&words).to_vec();
                content.extend(xxh3_128(&content).to_le_bytes());
                let mut made_up = bytes.clone();
                made_up[start..start + content.len()].copy_from_slice(&content);
                refused += usize::from(read(&file, &made_up).is_err());
            }
        }
    }
    assert!(refused > 100, "{refused}");
}
