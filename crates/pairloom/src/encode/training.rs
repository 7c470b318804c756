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
    weights: Weights,
}

/// What the weights of rows say of what is learned from them.
#[derive(Clone, Copy, PartialEq)]
enum Weights {
    /// Nothing: there are none.
    None,
    /// A row is as many as it weighs, because it counts trials. (Where rows have weights of their own too, these are
    /// not known apart.)
    Counts,
    /// A row counts in quantities as it weighs, and as one row where rows are counted: a weight may be in any unit.
    Shares,
}

impl Training {
    /// The rows that `held_out` leaves.
    pub(super) fn of(interned: &Interned, held_out: &[bool], schema: &Schema) -> Result<Self> {
        let weights = match schema.has_weights_and_groups()[0] {
            false => Weights::None,
            true if schema.are_counts() => Weights::Counts,
            true => Weights::Shares,
        };
        let (mut rows, mut copies, mut weight, mut are_whole) = (0, 0, 0.0, true);
        training(interned, held_out, |_, w| {
            rows += usize::from(w > 0.0);
            copies += times(w as f32) as usize;
            weight += w;
            are_whole &= w.fract() == 0.0;
        })?;
        let is_limited = interned.is_limited;
        let draw = match weights {
            Weights::Shares if !are_whole => Draw::weighted(rows, weight, is_limited),
            // Whole weights are as good as copies.
            Weights::Shares => Draw::weighted(rows, weight, is_limited).once(),
            Weights::Counts | Weights::None => Draw::new(rows, copies, is_limited),
        };
        Ok(Training {
            draw,
            copies: if weights == Weights::Counts { copies } else { rows },
            weights,
        })
    }

    /// Those of a block.
    pub(super) fn part(&self, block: &Block<'_>, held_out: &[bool], labels: &AsNumbers) -> Part {
        let weight = |row: u32| block.head.weight(row as usize);
        // A row of weight 0 is as good as not there.
        let is_training = |row: &u32| !held_out[block.first + *row as usize] && weight(*row) > 0.0;
        let rows: Vec<u32> = (0..block.rows() as u32).filter(is_training).collect();
        let copies = match self.weights {
            Weights::Counts => rows.iter().map(|&row| times(weight(row))).collect(),
            Weights::Shares | Weights::None => Vec::new(),
        };
        let drawn = rows.iter().filter(|row| self.draw.takes(block.first + **row as usize));
        let counts = |row: u32| {
            let copies = match self.weights {
                Weights::None => return 1,
                Weights::Counts => times(weight(row)).into(),
                Weights::Shares => weight(row).into(),
            };
            self.draw.of_copies(block.first + row as usize, copies)
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
