//! Rows that are read once, for one training or for many.

use super::read::read;
use super::text::{completed, read_given};
use super::{Event, Job};
use crate::Result;
use crate::data::{self, Cached, Interned};
use crate::input::Reader;
use crate::loss::Loss;
use crate::parallel::Threads;
use crate::reading::{Given, Skipped};
use crate::schema::{Role, Schema};
use std::sync::Arc;

/// Rows that were read, of which is decided what their columns are and nothing else: [`super::train_on`] learns from
/// them, with any settings, and a copy takes no memory.
#[derive(Debug, Clone)]
pub struct Dataset {
    pub(super) schema: Schema,
    pub(super) interned: Arc<Interned>,
    skipped: Skipped,
    notes: Vec<String>,
    name: String,
}

impl Dataset {
    /// Reads the training rows of a job: its file, or the cache of it.
    ///
    /// # Errors
    /// Errors of reading and of the schema; [`crate::Error::Interrupted`] if `watch` returns false.
    pub fn read(job: &Job, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Self> {
        super::check(job)?;
        Self::read_file(job, watch)
    }

    /// The same without a look at the settings.
    pub(super) fn read_file(job: &Job, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Self> {
        Ok(Self::of(read(job, &Threads::new(job.threads)?, watch)?, &job.data))
    }

    /// Reads rows that are given: [`Job::data`] is what they are called in errors.
    ///
    /// # Errors
    /// As for [`Dataset::read`].
    pub fn from_reader(
        given: Given<'_>,
        job: &Job,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Self> {
        super::check(job)?;
        let given = completed(given, job)?;
        Ok(Self::of(read_given(given, job, None, &Threads::new(job.threads)?, watch)?, &job.data))
    }

    fn of(cached: Cached, name: &str) -> Self {
        let Cached { schema, interned, skipped, notes, .. } = cached;
        Dataset { schema, interned: Arc::new(interned), skipped, notes, name: name.into() }
    }

    /// What the columns are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.interned.rows
    }

    /// Never: rows that cannot be trained on are refused.
    pub fn is_empty(&self) -> bool {
        self.interned.rows == 0
    }

    /// Rows that were left out.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// Guesses that the rows after the first have changed.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Says that the weight was given beside the rows, and others may come without.
    pub fn make_weight_optional(&mut self) {
        if let Some(weight) = self.schema.find(Role::Weight) {
            self.schema.columns[weight].optional = true;
        }
    }

    /// The loss that takes all labels for classes.
    pub fn loss_of_classes(&self) -> Loss {
        let labels = &self.interned.labels;
        let is_binary = labels.classes.len() == 2 || self.schema.positive.is_some();
        if is_binary { Loss::Logistic } else { Loss::Softmax }
    }

    /// What the rows are called in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rows one by one, for a schema by which they are encoded.
    ///
    /// # Errors
    /// [`crate::Error::Data`] if they do not hold what the schema needs.
    pub fn reader(&self, schema: &Schema) -> Result<Box<dyn Reader>> {
        data::reader(&self.name, self.schema.clone(), self.interned.clone(), schema)
    }
}
