//! Guesses from the first lines of a file. They decide only what the user and the file's name
//! leave open, and a wrong guess can be overruled by an option.

use super::RawRow;
use super::csv::Records;
use super::number::{parse_f32, parse_number, parse_u64};
use super::open::Source;
use super::options::FormatName;
use crate::Error;
use std::collections::HashSet;

/// How much of a file is looked at.
pub(super) const SAMPLE: usize = 64 << 10;
/// How many rows of that are looked at.
const ROWS: usize = 200;

/// Among equals the first wins.
const DELIMITERS: [char; 4] = ['\t', ',', ';', '|'];

/// The sample without a last line that its end has cut.
pub(super) fn whole_lines(mut sample: Vec<u8>) -> Vec<u8> {
    if sample.len() >= SAMPLE
        && let Some(last) = memchr::memrchr(b'\n', &sample)
    {
        sample.truncate(last + 1);
    }
    sample
}

/// libsvm or libffm if most tokens look like it, else CSV.
pub(super) fn format(sample: &[u8]) -> FormatName {
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    let (mut svm, mut ffm, mut other) = (0, 0, 0);
    for line in sample.split(|byte| *byte == b'\n').take(ROWS) {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let tokens = line.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty());
        for (i, token) in tokens.enumerate() {
            let parts: Vec<&[u8]> = token.splitn(4, |byte| *byte == b':').collect();
            match parts.as_slice() {
                [index, value] if number_pair(index, value) => svm += 1,
                [field, index, value] if is_integer(field) && number_pair(index, value) => ffm += 1,
                [b"qid", _] => {}
                // A label.
                [_] if i == 0 => {}
                _ => other += 1,
            }
        }
    }
    match svm + ffm {
        pairs if pairs <= other => FormatName::Csv,
        _ if svm >= ffm => FormatName::Libsvm,
        _ => FormatName::Libffm,
    }
}

fn is_integer(text: &[u8]) -> bool {
    parse_u64(text).is_some()
}

fn number_pair(index: &[u8], value: &[u8]) -> bool {
    is_integer(index) && parse_f32(value).is_some()
}

/// The delimiter that cuts every row into the same number of cells, and into the most; failing
/// that, the one that does so for most rows. A comma for one column.
pub(super) fn delimiter(sample: &[u8]) -> char {
    let mut best = ((0, 0), ',');
    for candidate in DELIMITERS {
        let counts: Vec<usize> =
            rows(sample, candidate).iter().take(ROWS).map(|row| row.len()).collect();
        let first = counts.first().copied().unwrap_or(0);
        let equal = counts.iter().filter(|count| **count == first).count();
        let rank = match () {
            () if first < 2 || 2 * equal <= counts.len() => (0, 0),
            () if equal == counts.len() => (2, first),
            () => (1, equal),
        };
        if rank > best.0 {
            best = (rank, candidate);
        }
    }
    best.1
}

/// Whether the first line names the columns: it has one of the `known` names, or none of its cells
/// is empty or a number, and the rows below differ from it, by a column of numbers or by sharing
/// no cell with it. Only the first cell may be empty, above a column of numbers: that is what data
/// frames write for their row numbers, and taking such a line for data would be worse than asking
/// for a name. So would it be with a name that is there twice.
pub(super) fn header(sample: &[u8], delimiter: char, known: &[String]) -> bool {
    let rows = rows(sample, delimiter);
    let Some((first, rest)) = rows.split_first() else { return false };
    let names: Vec<&[u8]> = first.iter().map(|cell| cell.trim_ascii()).collect();
    let is_number = |name: &[u8]| parse_number(name).is_some();
    let is_known = |name: &[u8]| known.iter().any(|known| known.as_bytes() == name);
    if names.iter().any(|name| is_known(name) && !is_number(name)) {
        return true;
    }
    if names.iter().any(|name| is_number(name)) {
        return false;
    }
    let distinct = names.iter().copied().collect::<HashSet<&[u8]>>().len() == names.len();
    let column = |i: usize| rest.iter().filter_map(move |row| row.get(i));
    let numeric = (0..names.len()).any(|i| {
        let mut cells = column(i).filter(|cell| !cell.trim_ascii().is_empty()).peekable();
        cells.peek().is_some() && cells.all(|cell| parse_number(cell).is_some())
    });
    match names.iter().position(|name| name.is_empty()) {
        Some(i) => i == 0 && names.len() > 1 && distinct && numeric,
        None => {
            let fresh =
                |(i, name): (usize, &&[u8])| column(i).all(|cell| cell.trim_ascii() != *name);
            numeric || (distinct && names.iter().enumerate().all(fresh))
        }
    }
}

/// The cells of the first rows; rows that cannot be parsed are left out.
fn rows(sample: &[u8], delimiter: char) -> Vec<Vec<Vec<u8>>> {
    let mut rows = Vec::new();
    let Ok(mut records) = Records::new(Source::from_text(sample.to_vec()), delimiter, false) else {
        return rows;
    };
    let mut row = RawRow::new();
    while rows.len() <= ROWS {
        match records.read(&mut row) {
            Ok(true) => rows.push((0..row.len()).map(|i| row.cell(i).to_vec()).collect()),
            Err(Error::Row { .. }) => {}
            Ok(false) | Err(_) => break,
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let cases: &[(&str, FormatName)] = &[
            ("1 3:0.5 4:1\n0 1:1\n", FormatName::Libsvm),
            ("3:0.5\n", FormatName::Libsvm),
            ("# made by hand\n1\n1 qid:3 2:1 # note a:b c d\n", FormatName::Libsvm),
            ("1 1:3:0.5\n", FormatName::Libffm),
            ("\u{feff}1:3:0.5\r\n", FormatName::Libffm),
            ("1 1:1 2:2 3:nan\n", FormatName::Libsvm),
            ("a,b\n1,2\n", FormatName::Csv),
            ("time,x\n12:30:45,1\n", FormatName::Csv),
            ("2014-01-01 12:30\tfoo bar baz\n", FormatName::Csv),
            ("1\n2\n", FormatName::Csv),
            ("", FormatName::Csv),
        ];
        for (text, expected) in cases {
            assert_eq!(format(text.as_bytes()), *expected, "{text}");
        }
    }

    #[test]
    fn delimiters() {
        let cases = [
            ("a,b\n1,2\n", ','),
            ("a\tb\n1\t2\n", '\t'),
            ("a;b;c\n1,5;2;3\n", ';'),
            ("a|b\nc|d\n", '|'),
            ("\"x;y\",2\n\"z\",3\n", ','),
            ("\"a,b\";\"c,d\"\n\"a\";b\n", ';'),
            ("a,b|c|d\ne,f\n", ','),
            ("one\ntwo\n", ','),
            // One ragged row is the row's fault.
            ("a;b\n1;2\n1;2\n1;2;3\n", ';'),
            ("", ','),
        ];
        for (text, expected) in cases {
            assert_eq!(delimiter(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn headers() {
        let cases = [
            ("label,age\n1,2\n", true),
            ("label,age\n", true),
            ("user,item\nann,tea\nbob,cup\n", true),
            // A category of the first line comes again: it is data.
            ("yes,red\nno,blue\nyes,green\n", false),
            ("yes,red,7\nno,blue,8\n", false),
            ("label,\n1,2\n", false),
            ("a,a\n1,2\n", true),
            ("a,a\nx,y\n", false),
            (",a,b\n0,x,1\n1,y,2\n", true),
            (",a\nx,y\n", false),
            // Hexadecimal categories may look like numbers, but not all of a column.
            ("05db9164,68fd1e64\n05db9164,12345678\n9a89b36c,68fd1e64\n", false),
            ("a\n1\n", true),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(header(text.as_bytes(), ',', &[]), expected, "{text}");
        }
        let known = ["y".to_string(), "2".to_string()];
        for (text, expected) in [("x,y\nx,z\n", true), ("2,x\n1,x\n", false), ("y,1\n1,2\n", true)]
        {
            assert_eq!(header(text.as_bytes(), ',', &known), expected, "{text}");
        }
    }
}
