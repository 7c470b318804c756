//! Long work over the rows of a job that may be gone on with: its journal, and beside it the rows as they were read.

use super::{Journal, alone, check, is_begun};
use crate::Result;
use crate::train::{Event, Job, KeptRows, keep_rows};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where such work is.
pub(crate) struct Work<'a> {
    /// The rows.
    pub(crate) job: &'a Job,
    /// The file of the journal.
    pub(crate) journal: &'a str,
    /// Whether it begins anew, whatever is there.
    pub(crate) restart: bool,
}

/// What it goes on with.
pub(crate) struct Opened<T> {
    /// The rows.
    pub(crate) rows: KeptRows,
    /// The open journal.
    pub(crate) journal: Journal<T>,
    /// What was in it.
    pub(crate) pieces: Vec<T>,
}

impl Work<'_> {
    /// Reads the rows, or takes them as they were read, and then opens the journal, of which `header` says what it is
    /// of. A journal that is replaced is there until the rows are.
    ///
    /// # Errors
    /// Errors of reading the rows, of `header`, and of [`Journal::open`].
    pub(crate) fn begin<H, T>(
        &self,
        header: impl FnOnce(&KeptRows) -> Result<H>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Opened<T>>
    where
        H: Serialize + DeserializeOwned + PartialEq,
        T: Serialize + DeserializeOwned,
    {
        if is_begun(self.journal) {
            // The rows that another run learns from are not to be replaced, nor removed.
            alone(self.journal, false)?;
        }
        if self.restart {
            check::<H>(self.journal)?;
        }
        let rows = keep_rows(self.job, &format!("{}.rows", self.journal), watch)?;
        let open = |header: H| Journal::open(self.journal, &header, self.restart);
        match header(&rows).and_then(open) {
            Ok((journal, pieces)) => Ok(Opened { rows, journal, pieces }),
            Err(error) => {
                rows.forget();
                Err(error)
            }
        }
    }
}
