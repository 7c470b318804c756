//! The sparse text formats: libsvm (`label [qid:q] index:value ... # comment`) and libffm
//! (`label field:index:value ...`).
//!
//! They differ in one number per pair and in comments, so one reader serves both. Plain lines are
//! parsed in a single pass ([`super::fast`]); all others are left to the slow way that stands here,
//! which knows every rule and says exactly what is wrong. No number is cut: an index keeps its 64 bits or is refused,
//! and a value is finite.

use super::fast;
use super::lines::{self, Lines, MAX_ITEMS};
use super::number::{overflows_f32, parse_f32, parse_u64};
use super::open::Source;
use super::shown::{quoted, shown};
use super::{Format, Pair, RawRow, Reader};
use crate::Result;
use memchr::memchr;
use std::ops::Range;

/// Which of the two grammars.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Grammar {
    Libsvm,
    Libffm,
}

/// A reader of libsvm or libffm.
pub(super) struct Sparse {
    lines: Lines,
    grammar: Grammar,
    columns: [String; 2],
}

/// What is wrong, and where in its line or token.
type Fault = (usize, String);

impl Sparse {
    pub(super) fn new(source: Source, grammar: Grammar) -> Self {
        let columns = ["label".to_owned(), "qid".to_owned()];
        Sparse { lines: Lines::new(source), grammar, columns }
    }
}

impl Reader for Sparse {
    fn format(&self) -> Format {
        self.grammar.format()
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        loop {
            if !self.lines.begin(row)? {
                return Ok(false);
            }
            row.format = self.format();
            if fast::parse(self.grammar, row) {
                return Ok(true);
            }
            lines::refuse_controls(row)?;
            match self.grammar.parse(row) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err((offset, message)) => return Err(row.error_at(offset, message)),
            }
        }
    }
}

impl Grammar {
    fn format(self) -> Format {
        match self {
            Grammar::Libsvm => Format::Libsvm,
            Grammar::Libffm => Format::Libffm,
        }
    }

    /// Parses the line in `row`; `false` if it is blank or a comment.
    pub(super) fn parse(self, row: &mut RawRow) -> Result<bool, Fault> {
        let RawRow { text, record_len, cells, pairs, .. } = row;
        let mut line = text.get(..*record_len).unwrap_or_default();
        if self == Grammar::Libsvm {
            line = memchr(b'#', line).and_then(|at| line.get(..at)).unwrap_or(line);
        }
        let Some(mut token) = next_token(line, 0) else { return Ok(false) };
        let (mut label, mut qid) = (0..0, 0..0);
        if !contains_colon(line, &token) {
            label = token.clone();
            token = next_token(line, token.end).unwrap_or(0..0);
        }
        self.refuse_comment(line, &label)?;
        self.refuse_cells(line, &label)?;
        if self == Grammar::Libsvm && line.get(token.clone()).is_some_and(is_qid) {
            qid = token.start + b"qid:".len()..token.end;
            check_qid(line, &qid)?;
            token = next_token(line, token.end).unwrap_or(0..0);
        }
        cells.extend([label, qid]);
        while !token.is_empty() {
            if pairs.len() >= MAX_ITEMS {
                return Err((token.start, format!("more than {MAX_ITEMS} pairs in one line")));
            }
            pairs.push(self.pair(line, &token)?);
            token = next_token(line, token.end).unwrap_or(0..0);
        }
        Ok(true)
    }

    fn pair(self, line: &[u8], token: &Range<usize>) -> Result<Pair, Fault> {
        let text = line.get(token.clone()).unwrap_or_default();
        if let Some((field, index, value)) = self.numbers(text) {
            return Ok(Pair { field, index, value });
        }
        self.refuse_comment(line, token)?;
        let (offset, message) = self.explain(text);
        Err((token.start + offset, message))
    }

    #[inline]
    fn numbers(self, text: &[u8]) -> Option<(u32, u64, f32)> {
        let (first, rest) = split_colon(text)?;
        match self {
            Grammar::Libsvm => Some((0, parse_u64(first)?, parse_f32(rest)?)),
            Grammar::Libffm => {
                let field = u32::try_from(parse_u64(first)?).ok()?;
                let (index, value) = split_colon(rest)?;
                Some((field, parse_u64(index)?, parse_f32(value)?))
            }
        }
    }

    /// What is wrong with a pair that did not parse.
    #[cold]
    fn explain(self, text: &[u8]) -> Fault {
        let shape: &[&str] = match self {
            Grammar::Libsvm => &["index", "value"],
            Grammar::Libffm => &["field", "index", "value"],
        };
        // One part more than any shape has is enough to see that there are too many.
        let parts: Vec<&[u8]> = text.splitn(4, |byte| *byte == b':').collect();
        if parts.len() != shape.len() {
            let hint = match (self, parts.len()) {
                (Grammar::Libsvm, 3) => " (field:index:value is libffm)",
                (Grammar::Libffm, 2) => " (index:value is libsvm)",
                _ if is_qid(text) => " (qid stands right after the label)",
                _ => "",
            };
            return (0, format!("expected {}, found '{}'{hint}", shape.join(":"), shown(text)));
        }
        let mut offset = 0;
        for (part, name) in parts.iter().zip(shape) {
            if let Some(message) = part_fault(part, name) {
                return (offset, format!("{message} in '{}'", shown(text)));
            }
            offset += part.len() + 1;
        }
        (0, format!("cannot read '{}'", shown(text)))
    }

    /// A line without pairs, but with what separates the cells of other formats, is of one of them.
    fn refuse_cells(self, line: &[u8], label: &Range<usize>) -> Result<(), Fault> {
        let text = line.get(label.clone()).unwrap_or_default();
        let sign = text.iter().find(|byte| matches!(byte, b',' | b';' | b'|'));
        match sign {
            Some(&sign) if memchr(b':', line).is_none() => {
                let (sign, name) = (char::from(sign), self.format().name());
                let message = format!("{} is no line of {name}: is this a CSV", quoted(text));
                Err((label.start, format!("{message} separated by '{sign}' (--format csv)?")))
            }
            _ => Ok(()),
        }
    }

    fn refuse_comment(self, line: &[u8], token: &Range<usize>) -> Result<(), Fault> {
        if self == Grammar::Libffm && line.get(token.clone()).is_some_and(|t| t.starts_with(b"#")) {
            return Err((token.start, "libffm has no comments: remove all from # on".into()));
        }
        Ok(())
    }
}

fn part_fault(part: &[u8], name: &str) -> Option<String> {
    let text = shown(part);
    if part.is_empty() {
        return Some(format!("no {name}"));
    }
    if name == "value" {
        return match parse_f32(part) {
            Some(_) => None,
            None if overflows_f32(part) => {
                Some(format!("value {text} is too large (above 3.4e38)"))
            }
            None => Some(format!("value {text} is not a finite number")),
        };
    }
    let bits = if name == "field" { 32 } else { 64 };
    match parse_u64(part) {
        Some(number) if bits == 64 || u32::try_from(number).is_ok() => None,
        None if part.starts_with(b"-") => Some(format!("negative {name} {text}")),
        None if !part.iter().all(u8::is_ascii_digit) => {
            Some(format!("{name} {text} is not a non-negative integer"))
        }
        _ => Some(format!("{name} {text} does not fit in {bits} bits")),
    }
}

fn check_qid(line: &[u8], qid: &Range<usize>) -> Result<(), Fault> {
    let text = line.get(qid.clone()).unwrap_or_default();
    if parse_u64(text).is_some() {
        return Ok(());
    }
    Err((qid.start, format!("qid {} is not a non-negative 64-bit integer", shown(text))))
}

fn is_qid(token: &[u8]) -> bool {
    token.starts_with(b"qid:")
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The next run of bytes that are not blanks.
#[inline]
fn next_token(line: &[u8], from: usize) -> Option<Range<usize>> {
    let start = from + line.get(from..)?.iter().position(|byte| !is_blank(byte))?;
    let rest = line.get(start..)?;
    Some(start..start + rest.iter().position(is_blank).unwrap_or(rest.len()))
}

#[inline]
fn split_colon(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b':')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn contains_colon(line: &[u8], token: &Range<usize>) -> bool {
    line.get(token.clone()).is_some_and(|token| memchr(b':', token).is_some())
}
