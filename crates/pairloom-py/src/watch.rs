//! What is heard of long work: signals, progress, epochs.

use pairloom::fit::FitEvent;
use pairloom::input::{Format, RawRow, Reader};
use pairloom::schema::{Column, Role};
use pairloom::train::Event;
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Time between two looks at signals, and between two reports of progress.
const EVERY: Duration = Duration::from_millis(50);

/// Hears what happens in training.
pub struct Watch {
    /// `f(epoch_json) -> bool | None`; false is the wish to stop.
    on_epoch: Option<Py<PyAny>>,
    /// `f(what, epoch, rows, total, loss)`
    on_progress: Option<Py<PyAny>>,
    /// Rows that are trained on.
    total: usize,
    looked: Instant,
    /// What was raised meanwhile.
    pub raised: Option<PyErr>,
    /// What users should know.
    pub notices: Vec<String>,
}

impl Watch {
    /// Watches for a caller.
    pub fn new(on_epoch: Option<Py<PyAny>>, on_progress: Option<Py<PyAny>>) -> Self {
        let (looked, notices) = (Instant::now(), Vec::new());
        Watch { on_epoch, on_progress, total: 0, looked, raised: None, notices }
    }

    /// Hears an event; false is the wish to stop.
    pub fn hear(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::Schema(schema) => {
                let guessed = |c: &&Column| c.role == Role::Ignore && !c.why.is_empty();
                let note = |Column { name, why, .. }: &Column| {
                    format!(
                        "column '{name}' is left out ({why}): name it in categorical or numeric to have it, or in ignore"
                    )
                };
                self.notices.extend(schema.columns.iter().filter(guessed).map(note));
            }
            Event::Revised { notes, .. } => self.notices.extend_from_slice(notes),
            Event::Unseen(columns) => {
                let note = |column: &pairloom::encode::Unseen| column.to_string();
                self.notices.extend(columns.iter().map(note));
            }
            Event::Skipped(skipped) => {
                let (rows, first) = (skipped.rows, skipped.first.join("; "));
                self.notices.push(format!("{rows} rows were left out: {first}"));
            }
            Event::Start(start) => {
                self.total = start.train;
                self.notices.extend(start.note_of_weights());
                let no_gpu = start.no_gpu.as_ref();
                self.notices.extend(no_gpu.map(|why| format!("training on the CPU: {why}")));
            }
            Event::Fit(FitEvent::Epoch(epoch)) => return self.epoch(epoch),
            Event::Reading(rows) => return self.look("reading", 0, rows, None),
            Event::Fit(FitEvent::Batch { epoch, rows, loss }) => {
                return self.look("training", epoch, rows, Some(loss));
            }
            _ => {}
        }
        self.look("", 0, 0, None)
    }

    fn epoch(&mut self, epoch: &pairloom::fit::Epoch) -> bool {
        let text = serde_json::to_string(epoch).unwrap_or_default();
        let Some(on_epoch) = &self.on_epoch else { return true };
        let answer = Python::attach(|py| on_epoch.call1(py, (text,))?.extract::<Option<bool>>(py));
        match answer {
            Ok(goes_on) => goes_on.unwrap_or(true),
            Err(raised) => self.stop(raised),
        }
    }

    /// Looks at signals and reports progress, if it is time to.
    fn look(&mut self, what: &str, epoch: u32, rows: usize, loss: Option<f64>) -> bool {
        if self.looked.elapsed() < EVERY {
            return true;
        }
        let done = Python::attach(|py| {
            py.check_signals()?;
            match &self.on_progress {
                Some(f) if !what.is_empty() => {
                    f.call1(py, (what, epoch, rows, self.total, loss)).map(drop)
                }
                _ => Ok(()),
            }
        });
        self.looked = Instant::now();
        match done {
            Ok(()) => true,
            Err(raised) => self.stop(raised),
        }
    }

    /// Looks at signals in work that tells nothing.
    ///
    /// # Errors
    /// The wish to stop.
    pub fn looks(&mut self) -> pairloom::Result<()> {
        if self.look("", 0, 0, None) { Ok(()) } else { Err(pairloom::Error::Interrupted) }
    }

    fn stop(&mut self, raised: PyErr) -> bool {
        self.raised = Some(raised);
        false
    }

    /// What was raised, else the result of the work.
    pub fn end<T>(&mut self, done: PyResult<T>) -> PyResult<T> {
        match self.raised.take() {
            Some(raised) => Err(raised),
            None => done,
        }
    }
}

/// Rows that are read with a look at signals now and then.
pub struct Watched<'a> {
    reader: Box<dyn Reader + 'a>,
    watch: &'a mut Watch,
    rows: usize,
}

impl<'a> Watched<'a> {
    /// These rows.
    pub fn new(reader: Box<dyn Reader + 'a>, watch: &'a mut Watch) -> Self {
        Watched { reader, watch, rows: 0 }
    }
}

impl Reader for Watched<'_> {
    fn inner(&self) -> Option<&dyn Reader> {
        Some(&*self.reader)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Reader> {
        Some(&mut *self.reader)
    }

    fn format(&self) -> Format {
        self.reader.format()
    }

    fn columns(&self) -> &[String] {
        self.reader.columns()
    }

    fn parts(
        &mut self,
        count: usize,
        rows: usize,
    ) -> pairloom::Result<Option<Vec<Box<dyn Reader + '_>>>> {
        self.watch.looks()?;
        self.reader.parts(count, rows)
    }

    fn read(&mut self, row: &mut RawRow) -> pairloom::Result<bool> {
        self.rows += 1;
        if self.rows.is_multiple_of(1024) {
            self.watch.looks()?;
        }
        self.reader.read(row)
    }
}

/// Takes a lock. A panic is said as a defect by [`super::failure::guarded`]; after it whatever is there is taken.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
