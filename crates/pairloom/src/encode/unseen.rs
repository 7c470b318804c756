//! Values that no training row had: a few in any rows; in most cells of a column they mean that it is
//! written in another way, and every row would be scored without it, in silence.

use super::Dictionary;
use crate::input::{parse_number, quoted};
use std::fmt;

/// A column most of whose values are unseen, in at least [`Unseen::CELLS`] cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseen {
    /// Its name.
    pub column: String,
    /// Values in it.
    pub values: u64,
    /// Those that the model does not know.
    pub unseen: u64,
    /// One of those, and a value of the model that may be the same.
    pub example: Option<[String; 2]>,
}

impl Unseen {
    /// Of fewer values nothing is said.
    pub const CELLS: u64 = 100;

    /// The share of unseen values.
    pub fn share(&self) -> f64 {
        self.unseen as f64 / self.values as f64
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, column) = (100.0 * self.share(), quoted(&self.column));
        match self.unseen == self.values && self.values < Self::CELLS {
            true => match self.values {
                1 => write!(f, "the model does not know the one value of {column}: ")?,
                values => write!(f, "the model knows none of the {values} values of {column}: ")?,
            },
            false => write!(
                f,
                "{percent:.0}% of the values of {column} are none that the model knows: "
            )?,
        }
        match &self.example {
            Some([unseen, known]) => {
                let [unseen, known] = [unseen, known].map(quoted);
                write!(f, "are they written in another way ({unseen} for {known})?")
            }
            None => write!(f, "are these rows like the training rows?"),
        }
    }
}

/// Counts the values of one column.
#[derive(Debug, Default)]
pub(super) struct Count {
    values: u64,
    unseen: u64,
    first: Vec<Vec<u8>>,
}

impl Count {
    /// Unseen values that are kept to find out what they may be.
    const KEPT: usize = 10;

    /// Counts a value; one that is missing is none.
    #[inline]
    pub(super) fn add(&mut self, value: &[u8], is_known: bool) {
        if value.is_empty() {
            return;
        }
        self.values += 1;
        if !is_known {
            self.unseen += 1;
            if self.first.len() < Self::KEPT {
                self.first.push(value.to_vec());
            }
        }
    }

    /// Counts what another has counted of the values after these.
    pub(super) fn merge(&mut self, other: Count) {
        self.values += other.values;
        self.unseen += other.unseen;
        let room = Self::KEPT - self.first.len();
        self.first.extend(other.first.into_iter().take(room));
    }

    /// What is to be said of the column of this name, with these values: that most of many are unseen, or all of few.
    /// Of fewer values than `least` nothing is.
    pub(super) fn tell(&self, column: &str, known: &Dictionary, least: u64) -> Option<Unseen> {
        let (values, unseen) = (self.values, self.unseen);
        let is_told = values >= Unseen::CELLS || unseen == values;
        (values >= least && is_told && 2 * unseen > values && !known.is_empty()).then(|| Unseen {
            column: column.into(),
            values,
            unseen,
            example: self.first.iter().find_map(|value| alike(value, known)),
        })
    }
}

/// A value, and the known one that differs from it in blanks, case, or the way to write a number.
fn alike(value: &[u8], known: &Dictionary) -> Option<[String; 2]> {
    let number = parse_number(value);
    let same = |key: &&[u8]| {
        key.trim_ascii().eq_ignore_ascii_case(value.trim_ascii())
            || (number.is_some() && parse_number(key) == number)
    };
    let found = (0..known.len() as u32).map(|id| known.key(id)).find(same)?;
    Some([value, found].map(|text| String::from_utf8_lossy(text).into_owned()))
}
