//! The fields of libsvm's indices, which rows of that format do not tell.
//!
//! They are said in one of three ways: lines of `FIRST-LAST FIELD`; libFM's meta file, which has the
//! fields of the indices 0, 1, 2, ... on a line each (one word a line tells it from the first); or, on a
//! command line, ranges with a comma between them, each a field.

use crate::input::{quoted, shown};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::ErrorKind;

/// Ranges at the most: with more, indices of a field are hardly beside each other, and the map
/// would be most of a model file.
const MOST: usize = 1 << 20;

/// Which field each index is of. Indices that nothing was said of have one together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct FieldMap {
    /// Ascending.
    ranges: Vec<Range>,
    /// The names of fields 0, 1, 2, ...; none if all were called by numbers.
    names: Vec<String>,
    /// The field of all other indices.
    other: u32,
}

#[derive(Debug, Clone, PartialEq)]
struct Range {
    first: u64,
    last: u64,
    field: u32,
}

/// A range as it was said, and where: line and column.
struct Said<'a> {
    place: (usize, usize),
    first: u64,
    last: u64,
    field: &'a str,
}

/// What is wrong, and where.
type Fault = ((usize, usize), String);

impl FieldMap {
    /// What the flag `--fields` says: ranges, or the name of a file.
    ///
    /// # Errors
    /// [`Error::Usage`] or, for a file, [`Error::Io`] and [`Error::Data`].
    pub fn said(argument: &str) -> Result<Self> {
        if argument.is_empty() || !argument.chars().all(|c| c.is_ascii_digit() || "-,".contains(c))
        {
            let text = std::fs::read_to_string(argument).map_err(|e| match e.kind() {
                ErrorKind::NotFound => Error::usage(format!(
                    "--fields {argument}: it is neither ranges, as in 0-99,100-499,500-, nor a file"
                )),
                _ => Error::io(argument, e),
            })?;
            return Self::read(argument, &text);
        }
        let numbers: Vec<String> =
            (0..argument.split(',').count()).map(|n| n.to_string()).collect();
        let ranges = words(argument, |c| c == ',').zip(&numbers);
        let said = ranges.map(|((column, word), field)| range((1, column), word, field));
        said.collect::<Result<_, _>>().and_then(Self::of).map_err(|((_, column), message)| {
            Error::usage(format!("--fields {argument}: {message} (character {column})"))
        })
    }

    /// Reads a file of ranges, or one of libFM's meta files; `file` is its name in errors.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column of the mistake.
    pub fn read(file: &str, text: &str) -> Result<Self> {
        parse(text).and_then(Self::of).map_err(|((line, column), message)| {
            Error::data(format!("{file}:{line}:{column}"), message)
        })
    }

    /// The field of an index.
    #[inline]
    pub fn field(&self, index: u64) -> u32 {
        let at = self.ranges.partition_point(|range| range.last < index);
        self.ranges.get(at).filter(|range| range.first <= index).map_or(self.other, |r| r.field)
    }

    /// What a field is called.
    pub fn name(&self, field: u32) -> String {
        match self.names.get(field as usize) {
            Some(name) => name.clone(),
            None if field == self.other => "other indices".into(),
            None => format!("field {field}"),
        }
    }

    fn of(mut said: Vec<Said<'_>>) -> Result<Self, Fault> {
        said.sort_by_key(|said| said.first);
        let overlap = said.windows(2).find(|pair| pair[0].last >= pair[1].first);
        if let Some([one, other]) = overlap {
            let message = format!("index {} is in two ranges", other.first);
            return Err((one.place.max(other.place), message));
        }
        let (fields, names) = numbered(&said)?;
        let mut ranges: Vec<Range> = Vec::new();
        for (Said { place, first, last, .. }, &field) in said.into_iter().zip(&fields) {
            let is_full = ranges.len() == MOST;
            match ranges.last_mut() {
                Some(before) if (before.field, before.last + 1) == (field, first) => {
                    before.last = last;
                }
                _ if is_full => {
                    return Err((place, format!("more than {MOST} ranges with different fields")));
                }
                _ => ranges.push(Range { first, last, field }),
            }
        }
        let greatest = fields.into_iter().max();
        let other =
            1 + greatest.ok_or_else(|| ((1, 1), "there are no fields in it".to_string()))?;
        Ok(FieldMap { ranges, names, other })
    }
}

/// The field of each range, and the names of fields if they are not all called by numbers: those are
/// numbered in the order of their first indices.
fn numbered(said: &[Said<'_>]) -> Result<(Vec<u32>, Vec<String>), Fault> {
    if said.iter().all(|said| is_number(said.field)) {
        let fields = said.iter().map(|said| number(said.field, said.place));
        return Ok((fields.collect::<Result<_, _>>()?, Vec::new()));
    }
    let (mut numbers, mut names) = (HashMap::new(), Vec::new());
    let number = |said: &Said<'_>| {
        *numbers.entry(said.field.to_string()).or_insert_with_key(|name| {
            names.push(name.clone());
            names.len() as u32 - 1
        })
    };
    Ok((said.iter().map(number).collect(), names))
}

impl TryFrom<Vec<String>> for FieldMap {
    type Error = String;

    fn try_from(lines: Vec<String>) -> Result<Self, String> {
        let said = lines.iter().enumerate().map(|(at, line)| range_and_field(at + 1, line));
        let said: Result<Vec<Said<'_>>, Fault> = said.collect();
        let flaw = |((line, _), message)| format!("fields: {message} (range {line})");
        said.and_then(Self::of).map_err(flaw)
    }
}

impl From<FieldMap> for Vec<String> {
    fn from(map: FieldMap) -> Self {
        let line = |Range { first, last, field }: Range| {
            let last = if last == u64::MAX { String::new() } else { last.to_string() };
            match map.names.get(field as usize) {
                Some(name) => format!("{first}-{last} {name}"),
                None => format!("{first}-{last} {field}"),
            }
        };
        map.ranges.into_iter().map(line).collect()
    }
}

/// The lines of a file.
fn parse(text: &str) -> Result<Vec<Said<'_>>, Fault> {
    let (mut said, mut meta) = (Vec::new(), None);
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = filled(line);
        let Some((_, first)) = words.next() else { continue };
        let is_meta = *meta.get_or_insert(words.next().is_none() && is_number(first));
        said.push(match is_meta {
            true => only_field(at + 1, line, said.len() as u64)?,
            false => range_and_field(at + 1, line)?,
        });
    }
    Ok(said)
}

/// A line of `FIRST-LAST FIELD`.
fn range_and_field(at: usize, line: &str) -> Result<Said<'_>, Fault> {
    let mut words = filled(line);
    let end = (at, line.trim_end().len() + 1);
    let (column, word) = words.next().ok_or_else(|| (end, "no range of indices".to_string()))?;
    let missing = || (end, format!("no field behind {}", quoted(word)));
    let said = range((at, column), word, words.next().ok_or_else(missing)?.1)?;
    match words.next() {
        None => Ok(said),
        Some((column, more)) => {
            let message = format!("{} stands behind a range and its field", quoted(more));
            Err(((at, column), message + ": a name has no blanks"))
        }
    }
}

/// A line of libFM's meta file, of one index.
fn only_field(at: usize, line: &str, index: u64) -> Result<Said<'_>, Fault> {
    let mut words = filled(line).map(|(column, word)| ((at, column), word));
    match (words.next(), words.next()) {
        (Some((place, field)), None) if is_number(field) => {
            Ok(Said { place, first: index, last: index, field })
        }
        (word, more) => {
            let (place, word) = more.or(word).unwrap_or(((at, 1), ""));
            let message = format!("{}: one field number a line, as in those before", quoted(word));
            Err((place, message))
        }
    }
}

/// The range that a word says: `FIRST-LAST`, `FIRST-` for all from there on, or one index.
fn range<'a>(place: (usize, usize), word: &str, field: &'a str) -> Result<Said<'a>, Fault> {
    let index = |text: &str| text.parse().ok().filter(|_| is_number(text));
    let ends = match word.split_once('-') {
        None => index(word).map(|first| (first, first)),
        Some((first, "")) => index(first).map(|first| (first, u64::MAX)),
        Some((first, last)) => index(first).zip(index(last)),
    };
    let word = format!("'{}'", shown(word.as_bytes()));
    match ends {
        Some((first, last)) if first <= last => Ok(Said { place, first, last, field }),
        Some(_) => Err((place, format!("the range {word} ends before it begins"))),
        None => Err((place, format!("{word} is no range of indices, as 0-99, 7 or 500-"))),
    }
}

fn number(field: &str, place: (usize, usize)) -> Result<u32, Fault> {
    let number = field.parse().ok().filter(|&number| number < u32::MAX);
    number.ok_or_else(|| (place, format!("field {} is above {}", quoted(field), u32::MAX - 1)))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is between separators, with the column that it begins in.
fn words(line: &str, separator: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 1;
    line.split(separator).map(move |word| {
        let column = next;
        next += word.len() + 1;
        (column, word)
    })
}

/// The words between blanks.
fn filled(line: &str) -> impl Iterator<Item = (usize, &str)> {
    words(line, |c| c == ' ' || c == '\t').filter(|(_, word)| !word.is_empty())
}
