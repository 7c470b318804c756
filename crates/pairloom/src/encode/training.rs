//! The rows that an encoding is learned from.

use super::as_numbers::AsNumbers;
use super::target::training;
use crate::Result;
use crate::data::{Block, Draw, Interned};
use crate::schema::Schema;

/// Which rows these are, and how many each of them stands for.
pub(super) struct Training {
    /// Those that quantities are learned from.
    draw: Draw,
    /// How many rows they all stand for.
    pub(super) copies: usize,
    /// Whether a row is as many as it weighs, because it counts trials. (Where rows have weights of their own too,
    /// these are not known apart.)
    are_counts: bool,
}

impl Training {
    /// The rows that `held_out` leaves.
    pub(super) fn of(interned: &Interned, held_out: &[bool], schema: &Schema) -> Result<Self> {
        let are_counts = schema.are_counts();
        let rows = held_out.iter().filter(|held| !**held).count();
        let mut copies = if are_counts { 0 } else { rows };
        if are_counts {
            training(interned, held_out, |_, weight| copies += times(weight as f32) as usize)?;
        }
        let draw = Draw::new(rows, copies, interned.is_limited);
        Ok(Training { draw, copies, are_counts })
    }

    /// Those of a block.
    pub(super) fn part(&self, block: &Block<'_>, held_out: &[bool], labels: &AsNumbers) -> Part {
        let is_training = |row: &u32| !held_out[block.first + *row as usize];
        let rows: Vec<u32> = (0..block.rows() as u32).filter(is_training).collect();
        let times = |row: u32| times(block.head.weight(row as usize));
        let copies = match self.are_counts {
            true => rows.iter().map(|&row| times(row)).collect(),
            false => Vec::new(),
        };
        let drawn = rows.iter().filter(|row| self.draw.takes(block.first + **row as usize));
        let counts = |row: u32| match self.are_counts {
            true => self.draw.of_copies(block.first + row as usize, times(row)),
            false => 1,
        };
        let label = |row| labels.of(block.head.labels[row as usize]);
        let drawn = drawn.map(|&row| (row, label(row), counts(row))).collect();
        Part { rows, copies, drawn }
    }
}

/// How many rows one of this weight stands for.
fn times(weight: f32) -> u32 {
    weight.round().max(1.0) as u32
}

/// What is learned from a block of rows.
pub(super) struct Part {
    rows: Vec<u32>,
    /// How many rows each of these stands for; empty if all are one.
    copies: Vec<u32>,
    /// Those that quantities are learned from, with their labels, and how often they count.
    pub(super) drawn: Vec<(u32, f32, u32)>,
}

impl Part {
    /// Each training row, and how many it stands for.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, u32)> {
        let copies = self.copies.iter().copied().chain(std::iter::repeat(1));
        self.rows.iter().map(|&row| row as usize).zip(copies)
    }
}
