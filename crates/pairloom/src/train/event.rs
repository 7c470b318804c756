//! What a training job tells while it goes on.

use super::Start;
use crate::encode::Unseen;
use crate::fit::FitEvent;
use crate::reading::Skipped;
use crate::schema::Schema;
use crate::{Error, Result};

/// What a training job tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// The schema is known.
    Schema(&'a Schema),
    /// All rows are read, and say other things of some columns than the first ones did.
    Revised {
        /// The schema as it is now.
        schema: &'a Schema,
        /// What became of each of those columns.
        notes: &'a [String],
    },
    /// The training rows come from a cache; or it is made anew.
    Cache {
        /// The cache.
        path: &'a str,
        /// Why it is made anew.
        stale: Option<&'a Error>,
    },
    /// Values of a validation file are not in the training rows.
    Unseen(&'a [Unseen]),
    /// So many rows of the training file are read.
    Reading(usize),
    /// Some more rows are looked through or encoded.
    Encoding,
    /// Rows of a file were left out.
    Skipped(&'a Skipped),
    /// Rows are encoded and training begins.
    Start(&'a Start),
    /// Training goes on.
    Fit(FitEvent<'a>),
}

/// Tells what happens; an error is the wish to stop.
pub(super) fn tell(watch: &mut dyn FnMut(Event<'_>) -> bool, event: Event<'_>) -> Result<()> {
    if watch(event) { Ok(()) } else { Err(Error::Interrupted) }
}

pub(super) fn tell_skipped(
    skipped: &Skipped,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<()> {
    if skipped.rows > 0 { tell(watch, Event::Skipped(skipped)) } else { Ok(()) }
}
