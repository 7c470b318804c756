//! What the sample shows of one column.

use crate::input::{RawRow, parse_cell, quoted, spelled};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A column is numeric if at most one in so many of its cells is no number.
const ODD: usize = 20;

/// What rows show of one column.
pub(super) struct Look<'a> {
    /// Cells with something in them.
    pub(super) filled: usize,
    /// How often each distinct text occurs.
    pub(super) texts: HashMap<&'a [u8], usize>,
    /// Whether every filled cell is a number or a word for "missing".
    pub(super) numeric: bool,
    /// How often each whole number occurs; `None` if one has a fraction.
    pub(super) whole: Option<BTreeMap<i64, usize>>,
}

/// Looks at one column: its texts, and how many rows have each.
pub(super) fn look<'a>(texts: impl Iterator<Item = (&'a [u8], usize)>) -> Look<'a> {
    let mut look =
        Look { filled: 0, texts: HashMap::new(), numeric: true, whole: Some(BTreeMap::new()) };
    let mut odd = 0;
    for (text, rows) in texts.filter(|(text, _)| !text.is_empty()) {
        look.filled += rows;
        *look.texts.entry(text).or_default() += rows;
        match parse_cell(text) {
            None => odd += rows,
            Some(v) if v.is_nan() => {}
            Some(v) if v.fract() == 0.0 && v.abs() < 9e15 => {
                if let Some(whole) = &mut look.whole {
                    *whole.entry(v as i64).or_default() += rows;
                }
            }
            Some(_) => look.whole = None,
        }
    }
    // A few cells that are no numbers do not make a column of names: reading will point at them.
    look.numeric = look.filled > 0 && odd * ODD <= look.filled;
    look.whole = look.whole.filter(|_| look.numeric);
    look
}

impl Look<'_> {
    /// The same of a column whose type says that it is no number.
    pub(super) fn into_text(self) -> Self {
        Look { numeric: false, whole: None, ..self }
    }
}

/// Whether each row has the number after that of the row before.
pub(super) fn numbers_rows(cell: usize, sample: &[&RawRow]) -> bool {
    let number = |row: &&RawRow| parse_cell(row.cell(cell)).unwrap_or(f64::NAN);
    sample.len() >= 10 && sample.windows(2).all(|w| number(&w[1]) == number(&w[0]) + 1.0)
}

/// Whether numbers from 0 or 1 on get rarer as they grow, as counts of events do.
pub(super) fn falls(counts: &BTreeMap<i64, usize>) -> bool {
    let starts = counts.first_key_value().is_some_and(|(first, _)| (0..=1).contains(first));
    let clear: Vec<f64> =
        counts.values().take_while(|&&n| n >= 10).map(|&count| count as f64).collect();
    // Two standard deviations of chance.
    let falls = |pair: &[f64]| pair[1] <= pair[0] + 2.0 * pair[0].sqrt();
    let much = clear.first().zip(clear.last()).is_some_and(|(first, last)| *first >= 10.0 * last);
    starts && much && clear.len() >= 8 && clear.windows(2).all(falls)
}

/// The mean of `(a - b)^2 / (a + b)` over the counts `a`, `b` of neighbouring values: about 1 if
/// neighbours are equally likely, and much more if their popularity has nothing to do with their
/// being neighbours.
pub(super) fn unevenness(counts: &BTreeMap<i64, usize>) -> f64 {
    let counts: Vec<f64> = counts.values().map(|&count| count as f64).collect();
    let terms = counts.windows(2).map(|pair| (pair[0] - pair[1]).powi(2) / (pair[0] + pair[1]));
    let mut terms: Vec<f64> = terms.collect();
    // Round numbers and zero stand out in quantities too: leave out the largest tenth.
    terms.sort_unstable_by(f64::total_cmp);
    terms.truncate(terms.len() - terms.len() / 10);
    terms.iter().sum::<f64>() / terms.len().max(1) as f64
}

/// The separator of lists: cells have it, and taking them apart leaves fewer distinct values.
pub(super) fn separator(look: &Look<'_>) -> Option<char> {
    ['|', ';'].into_iter().find(|&separator| {
        let has = |text: &&[u8]| text.contains(&(separator as u8));
        let with = look.texts.iter().filter(|(text, _)| has(text)).map(|(_, n)| n).sum::<usize>();
        let parts: HashSet<&[u8]> =
            look.texts.keys().flat_map(|text| text.split(|&b| b == separator as u8)).collect();
        with * 10 >= look.filled && parts.len() < look.texts.len()
    })
}

/// What nearly all of the texts are, if they are numbers spelled so that they cannot be read.
pub(super) fn spelling(look: &Look<'_>) -> Option<String> {
    let numbers = look.texts.keys().filter_map(|text| Some((text, spelled(text)?)));
    let (count, (text, spelled)) = (numbers.clone().count(), numbers.min()?);
    (count * 10 >= look.texts.len() * 9).then(|| format!("{} is {spelled}", quoted(text)))
}
