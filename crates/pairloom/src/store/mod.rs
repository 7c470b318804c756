//! Where encoded rows are kept: in memory, or in a temporary file that is read a window at a time.
//!
//! Training walks over windows and knows no other way: rows in memory are one window.

mod filling;
mod order;
mod segment;
mod spill;
mod spiller;
#[cfg(test)]
mod tests;

pub use filling::Room;
pub(crate) use filling::{Filling, InOrder};
pub(crate) use order::Order;
pub use spill::Spill;

use crate::Result;
use crate::batch::{Block, Outcomes, Rows};

/// Encoded rows.
#[derive(Debug)]
pub enum Store {
    /// All in memory.
    Held(Rows),
    /// In a temporary file.
    Spilled(Spill),
}

/// Some rows that are in memory together.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Its place in the walk.
    pub(crate) number: usize,
    buckets: Vec<u32>,
    /// Rows before it in the walk.
    pub(crate) first: usize,
    /// Number of rows.
    pub(crate) rows: usize,
}

/// What is done with a window; `Some` ends the walk. Last is whether it was brought.
pub(crate) type Taken<'a, T> = dyn FnMut(&Window, &Rows, bool) -> Result<Option<T>> + 'a;

/// What brings the rows of a window to where they are learned from, on another thread, while those of the one before are
/// worked on; it returns whether it did.
pub type Bring = Box<dyn FnMut(&Rows) -> Result<bool> + Send>;

impl From<Rows> for Store {
    fn from(rows: Rows) -> Self {
        Store::Held(rows)
    }
}

impl Default for Store {
    fn default() -> Self {
        Rows::new().into()
    }
}

impl Store {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Store::Held(rows) => rows.len(),
            Store::Spilled(spill) => spill.rows,
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that the rows take while they are walked over.
    pub fn bytes(&self) -> u128 {
        match self {
            Store::Held(rows) => rows.bytes(),
            Store::Spilled(spill) => spill.held(),
        }
    }

    /// Bytes of the temporary file, if there is one.
    pub fn on_disk(&self) -> Option<u64> {
        match self {
            Store::Held(_) => None,
            Store::Spilled(spill) => Some(spill.file.bytes()),
        }
    }

    /// The windows of a walk, in the order of the rows or, by seed and epoch, in another.
    pub(crate) fn windows(&self, shuffle: Option<(u64, u32)>) -> Vec<Window> {
        match self {
            Store::Held(rows) => {
                vec![Window { number: 0, buckets: Vec::new(), first: 0, rows: rows.len() }]
            }
            Store::Spilled(spill) => spill.windows(shuffle),
        }
    }

    /// Gives the rows of these windows to `take`, one window after the other; before that those that are read from a file
    /// to `bring`.
    ///
    /// # Errors
    /// Those of `take` and `bring`, and of reading the temporary file.
    pub(crate) fn walk<T>(
        &self,
        windows: &[Window],
        bring: Option<Bring>,
        take: &mut Taken<'_, T>,
    ) -> Result<Option<T>> {
        match (self, windows) {
            (Store::Held(rows), [window]) => take(window, rows, false),
            (Store::Held(_), _) => Ok(None),
            (Store::Spilled(spill), windows) => spill.walk(windows, bring, take),
        }
    }

    /// Gives all rows to `take`, in their order but for those that were dealt at random.
    ///
    /// # Errors
    /// Those of `take`, and of reading the temporary file.
    pub(crate) fn each(&self, mut take: impl FnMut(&Rows) -> Result<()>) -> Result<()> {
        let mut take = |_: &Window, rows: &Rows, _| take(rows).map(|()| None::<()>);
        self.walk(&self.windows(None), None, &mut take).map(|_| ())
    }

    /// What `predict` makes of all rows, beside their labels and weights.
    ///
    /// # Errors
    /// Those of reading the temporary file, and of `predict`.
    pub fn predictions(
        &self,
        mut predict: impl FnMut(&Rows) -> Result<Vec<f64>>,
    ) -> Result<(Vec<f64>, Outcomes)> {
        let (mut predictions, mut outcomes) = (Vec::new(), Outcomes::default());
        self.each(|rows| {
            predictions.extend(predict(rows)?);
            for (row, (label, weight)) in rows.outcomes().enumerate() {
                outcomes.push_in(rows.group(row), label, weight);
            }
            Ok(())
        })?;
        Ok((predictions, outcomes))
    }

    /// Labels and weights of all rows.
    ///
    /// # Errors
    /// Those of reading the temporary file.
    pub fn outcomes(&self) -> Result<Outcomes> {
        self.predictions(|_| Ok(Vec::new())).map(|(_, outcomes)| outcomes)
    }

    /// Whether there may be values that are not 1.
    pub(crate) fn has_values(&self) -> bool {
        match self {
            Store::Held(rows) => rows.blocks().iter().any(|block| !block.values().is_empty()),
            Store::Spilled(spill) => spill.has_values,
        }
    }

    /// Sum of the weights.
    pub(crate) fn weight(&self) -> f64 {
        match self {
            Store::Held(rows) => rows.blocks().iter().map(Block::weight).sum(),
            Store::Spilled(spill) => spill.weight,
        }
    }

    /// The number of the row at a place of a window, as it was added.
    pub(crate) fn number(&self, window: &Window, place: usize) -> Option<usize> {
        match self {
            Store::Held(_) => Some(place),
            Store::Spilled(spill) => spill.number(window, place),
        }
    }

    /// A fingerprint of everything in the rows: the same rows give the same number.
    pub(crate) fn fingerprint(&self) -> u64 {
        match self {
            Store::Held(rows) => rows.fingerprint(),
            Store::Spilled(spill) => spill.hash,
        }
    }

    /// Multiplies each value with the factor of its id.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn scale(&mut self, factors: &[f32]) -> Result<()> {
        match self {
            Store::Held(rows) => rows.scale(|id| factors[id as usize]),
            Store::Spilled(spill) => {
                spill.scale.resize(factors.len(), 1.0);
                spill.scale.iter_mut().zip(factors).for_each(|(all, factor)| *all *= factor);
                Ok(())
            }
        }
    }
}
