//! Guesses from the first lines of a file. They decide only what the user and the file's name
//! leave open, and a wrong guess can be overruled by an option.

use super::RawRow;
use super::csv::Records;
use super::missing::is_missing;
use super::number::{parse_f32, parse_number, parse_u64};
use super::open::Source;
use super::options::FormatName;
use crate::{Error, Result};
use std::collections::HashSet;

/// How much of a file is looked at: more where that is less than a few lines, and then up to the
/// second number.
const SAMPLE: usize = 64 << 10;
const LONGEST: usize = 4 << 20;
/// How many rows of that are looked at.
const ROWS: usize = 200;
/// How many rows have to be numbers where nothing else tells a first line with numbers in it from
/// them.
const FEW: usize = 3;

/// Names that no cell of data is likely to be.
const LABELS: [&str; 4] = ["label", "target", "click", "y"];

/// Among equals the first wins.
const DELIMITERS: [char; 4] = ['\t', ',', ';', '|'];

/// The first lines of a source, without a last one that the end of the sample has cut.
pub(super) fn sample(source: &mut Source) -> Result<Vec<u8>> {
    let mut limit = SAMPLE;
    loop {
        let mut sample = source.peek(limit)?;
        if sample.len() < limit {
            return Ok(sample);
        }
        let lines = memchr::memchr_iter(b'\n', &sample).count();
        if lines > FEW || limit >= LONGEST {
            let whole = memchr::memrchr(b'\n', &sample).map_or(sample.len(), |last| last + 1);
            sample.truncate(whole);
            return Ok(sample);
        }
        limit *= 4;
    }
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
/// for a name. So would it be with a name that is there twice. Names may be numbers beside one that
/// is none ([`named_by_numbers`]).
pub(super) fn header(sample: &[u8], delimiter: char, known: &[String]) -> bool {
    let rows = rows(sample, delimiter);
    let Some((first, rest)) = rows.split_first() else { return false };
    let names: Vec<&[u8]> = first.iter().map(|cell| cell.trim_ascii()).collect();
    let is_number = |name: &[u8]| parse_number(name).is_some();
    let is_known = |name: &[u8]| known.iter().any(|known| known.as_bytes() == name);
    if names.iter().any(|name| is_known(name) && !is_number(name)) {
        return true;
    }
    let distinct = names.iter().copied().collect::<HashSet<&[u8]>>().len() == names.len();
    if names.iter().any(|name| is_number(name)) {
        return distinct && named_by_numbers(&names, rest);
    }
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

/// Whether a first line with numbers in it names the columns, as that of a table of numbers with a
/// label beside them: a text stands above nothing but numbers, in some rows at least; or one that
/// is the name of a label above anything else. Without such a name the numbers must be whole, as
/// numbers of columns and years are.
fn named_by_numbers(names: &[&[u8]], rest: &[Vec<Vec<u8>>]) -> bool {
    let column = |i: usize| rest.iter().filter_map(move |row| row.get(i)).map(|c| c.trim_ascii());
    let above_numbers = |i: usize| {
        let mut cells = column(i).filter(|cell| !is_missing(cell)).peekable();
        cells.peek().is_some() && cells.all(|cell| parse_number(cell).is_some())
    };
    let texts = names.iter().enumerate().filter(|(_, name)| parse_number(name).is_none());
    let whole = || names.iter().all(|name| parse_number(name).is_none() || is_integer(name));
    texts.clone().all(|(i, name)| i == 0 || !name.is_empty())
        && texts.filter(|(_, name)| !is_missing(name)).any(|(i, name)| {
            match LABELS.iter().any(|label| label.as_bytes().eq_ignore_ascii_case(name)) {
                true => above_numbers(i) || (whole() && column(i).all(|cell| cell != *name)),
                false => rest.len() >= FEW && whole() && above_numbers(i),
            }
        })
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
            // Numbers as names, beside the name of the label.
            ("0,1,2,target\n0.126,-0.132,0.64,1\n", true),
            ("0,1,2,outcome\n0.1,-0.1,0.6,1\n0.2,0.1,0.6,0\n0.3,-0.1,0.5,1\n", true),
            ("label,2019,2020\n1,5,6\n0,7,8\n", true),
            ("label,0,1\nyes,5,6\nno,7,8\n", true),
            (",0,1,y\n0,0.5,0.1,1\n1,0.7,0.2,0\n", true),
            ("y,5\nn,6\ny,7\n", false),
            ("NA,5,1\n3,4,0\n2,4,1\n1,4,0\n", false),
            ("0.5,x,1\n1.5,3,0\n2.5,4,1\n1.5,5,0\n", false),
            ("1,ann,2\n3,bob,4\n5,tom,6\n7,eve,8\n", false),
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
