//! The labels of training rows before it is known what is learned of them.
//!
//! A block of rows has the number of each label, or its place in the classes. That a label is no number
//! may be found out late: blocks that were full before have numbers, which then stand for classes.

mod flaw;

use crate::encode::{MOST_CLASSES, no_count, same_label, truth};
use crate::error::Place;
use crate::input::{RawRow, parse_number, quoted};
use crate::loss::Loss;
use crate::{Error, Result};
use flaw::Flaw;
pub(crate) use flaw::{alone, if_meant};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// What is known of the label cells: numbers, or texts; up to [`MOST_CLASSES`] of them, unless one is
/// learned against the rest.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Labels {
    /// Distinct labels in order of appearance: all texts, or the first 3 numbers; where one is learned
    /// against the rest, the first 3 and this one.
    pub(crate) classes: Vec<String>,
    /// Whether some label is not a number.
    pub(crate) are_text: bool,
    /// Blocks that were full before that was known.
    numbers: usize,
    /// The label that the schema calls positive.
    positive: Option<String>,
    /// The places of texts in `classes`, once there are many.
    #[serde(skip)]
    places: HashMap<String, usize>,
    /// What they are learned by, if that is said.
    #[serde(skip)]
    loss: Option<Loss>,
    /// Where the first number and the first text are.
    #[serde(skip)]
    first: [Option<Place>; 2],
}

impl Labels {
    /// No labels yet; `positive` is the one that the schema calls so.
    pub(super) fn new(positive: Option<String>) -> Self {
        Labels { positive, ..Labels::default() }
    }

    /// The same for labels that are learned by a loss, if one is said.
    pub(super) fn learned_by(self, loss: Option<Loss>) -> Self {
        Labels { loss, ..self }
    }

    /// Whether each value is said to be a class, be it a number or a text.
    fn are_classes(&self) -> bool {
        self.loss == Some(Loss::Softmax)
    }

    /// More numbers than this, or texts beside the one that is learned, are only counted as "many".
    const TRACKED: usize = 3;

    /// What stands for a text that is none of `classes`.
    const OTHER: f64 = -1.0;

    /// Adds the label in a cell. `guess` is why the column was taken for it; empty if it was given.
    /// What stands for it goes to `values`, those of block number `block`.
    pub(super) fn push(
        &mut self,
        (block, values): (usize, &mut Vec<f64>),
        raw: &RawRow,
        cell: usize,
        guess: &str,
    ) -> Result<()> {
        let (name, number) = read(raw, cell)?;
        if let (Some(Loss::Poisson), Some(below)) = (self.loss, number.filter(|n| *n < 0.0)) {
            return Err(raw.cell_error(cell, format!("label: {}", no_count(below))));
        }
        self.first[usize::from(number.is_none())].get_or_insert_with(|| raw.cell_place(cell));
        let place = self.place(name, number);
        let is_text = self.are_text || number.is_none();
        let are_all_told = is_text && self.positive.is_none();
        if are_all_told && place.is_none() {
            let guess = match guess {
                "" => String::new(),
                why => {
                    format!("; the label was guessed ({why}): is it another? Say --label COLUMN")
                }
            };
            let third = || self.third(name).filter(|_| !guess.is_empty());
            if let Some(Flaw { message, of_column }) = self.flaw(name, number).or_else(third) {
                return Err(match of_column {
                    // It does not go away with this row.
                    Some(at) => Error::data(
                        at.unwrap_or_else(|| raw.cell_place(cell)).to_string(),
                        message + &guess,
                    ),
                    None => raw.cell_error(cell, message + &guess),
                });
            }
        }
        if is_text && !self.are_text {
            (self.are_text, self.numbers) = (true, block);
            self.to_classes(values);
        }
        let is_positive = self.positive.as_ref().is_some_and(|p| same_label(name.as_bytes(), p));
        let tracked = if self.are_classes() { MOST_CLASSES } else { Self::TRACKED };
        let is_room = is_positive || are_all_told || self.classes.len() < tracked;
        let is_new = place.is_none() && is_room;
        let place = if is_new { Some(self.classes.len()) } else { place };
        if is_new {
            self.places.insert(key(name, number).into_owned(), self.classes.len());
            self.classes.push(name.to_string());
        }
        let class = place.map_or(Self::OTHER, |place| place as f64);
        values.push(number.filter(|_| !is_text).unwrap_or(class));
        Ok(())
    }

    /// All labels are there: what is needed only while they come is dropped.
    pub(super) fn done(self) -> Self {
        Labels { places: HashMap::new(), loss: None, first: [None, None], ..self }
    }

    /// The place of a label in `classes`.
    fn place(&self, name: &str, number: Option<f64>) -> Option<usize> {
        let known = |class: &String| match number {
            Some(_) => parse_number(class.as_bytes()) == number,
            None => same_label(name.as_bytes(), class),
        };
        match self.classes.len() > Self::TRACKED + 1 {
            true => self.places.get(&*key(name, number)).copied(),
            false => self.classes.iter().position(known),
        }
    }

    /// What stands for a class.
    pub(crate) fn value_of(&self, class: &str) -> f64 {
        match self.are_text {
            // No row may have it.
            true => {
                let found = self.classes.iter().position(|c| same_label(c.as_bytes(), class));
                found.map_or(f64::NAN, |at| at as f64)
            }
            false => parse_number(class.as_bytes()).unwrap_or(f64::NAN),
        }
    }

    /// The label that a value stands for; of many that are no numbers, only that it is not the positive
    /// one.
    pub(crate) fn text(&self, value: f64) -> Cow<'_, str> {
        let is_it = |(place, class): &(usize, &String)| match self.are_text {
            true => *place as f64 == value,
            false => parse_number(class.as_bytes()) == Some(value),
        };
        match (self.classes.iter().enumerate().find(is_it), &self.positive) {
            (Some((_, class)), _) => class.into(),
            (None, Some(positive)) if self.are_text => format!("not {positive}").into(),
            (None, _) => value.to_string().into(),
        }
    }

    /// A label as a number to be correlated with: of several classes, whether it is the first of them.
    pub(crate) fn as_quantity(&self, value: f64) -> f64 {
        let are_classes = self.are_text && self.positive.is_none() && self.classes.len() > 2;
        if are_classes { f64::from(u8::from(value == 0.0)) } else { value }
    }

    /// Whether they are several classes, of which each is learned, for a loss or if none is said.
    pub(crate) fn are_several(&self, loss: Option<Loss>) -> bool {
        loss.map_or(self.are_text, |loss| loss == Loss::Softmax)
    }

    /// Whether there may be labels that are not told apart.
    pub(super) fn are_many(&self) -> bool {
        self.are_text && self.positive.is_some() && self.classes.len() >= Self::TRACKED
    }

    /// What stands for one of the two classes that there are, or for the one against the rest.
    pub(crate) fn one_of_two(&self) -> Option<f64> {
        let is_positive = |class: &&String| {
            self.positive.as_ref().is_none_or(|p| same_label(p.as_bytes(), class))
        };
        let are_two = self.positive.is_some() || self.classes.len() == 2;
        let one = self.classes.iter().find(is_positive).filter(|_| are_two);
        one.map(|class| self.value_of(class))
    }

    /// Makes the labels of a block what they stand for since all rows are known.
    pub(super) fn settle(&self, block: usize, values: &mut [f64]) {
        if self.are_text && block < self.numbers {
            self.to_classes(values);
        }
    }

    /// From numbers to places in `classes`.
    fn to_classes(&self, values: &mut [f64]) {
        let numbers: Vec<_> = self.classes.iter().map(|c| parse_number(c.as_bytes())).collect();
        for value in values {
            let class = numbers.iter().position(|&number| number == Some(*value));
            *value = class.map_or(Self::OTHER, |class| class as f64);
        }
    }
}

/// What is the same for all spellings of a number, and of true and false.
fn key(name: &str, number: Option<f64>) -> Cow<'_, str> {
    match (number, truth(name.as_bytes())) {
        (Some(number), _) => (number + 0.0).to_string().into(),
        (None, Some(said)) => said.to_string().into(),
        (None, None) => name.into(),
    }
}

/// A label, and its number if it is one.
fn read(raw: &RawRow, cell: usize) -> Result<(&str, Option<f64>)> {
    let text = raw.cell(cell).trim_ascii();
    let error = |message: &str| Err(raw.cell_error(cell, format!("label: {message}")));
    // Not by way of replacement characters: two labels may become one, and neither is found
    // again when the model meets it.
    let Ok(name) = std::str::from_utf8(text) else {
        return error("it is not UTF-8: save the file as UTF-8");
    };
    match parse_number(text) {
        _ if text.is_empty() => error("an empty cell; a training row needs a label"),
        Some(number) if !(number as f32).is_finite() => {
            error(&format!("{} is beyond 32-bit floats", quoted(name)))
        }
        number => Ok((name, number)),
    }
}
