//! What is wrong with a study, found before its runs.

use super::{Study, TestRows};
use crate::error::flagged;
use crate::metric::check_figure;
use crate::parallel::Share;
use crate::train::{Job, KeptRows, check_rereadable};
use crate::{Error, Result};

/// More would take days and tell nothing more.
const MOST_SEEDS: u32 = 10_000;

/// Checks a level of intervals.
///
/// # Errors
/// [`Error::Usage`] if it is not between 0 and 1.
pub fn check_level(level: f64) -> Result<()> {
    match level > 0.0 && level < 1.0 {
        true => Ok(()),
        false => Err(Error::setting("ci", "between 0 and 1")),
    }
}

impl Study {
    /// Checks what can be checked before anything is read.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn check(&self) -> Result<()> {
        self.part(0, 0).map_or(Ok(()), |part| part.check())?;
        let test = match &self.test {
            TestRows::File(path) => Some(&path[..]),
            _ => None,
        };
        check_rereadable(&self.job, test)?;
        self.metric.as_deref().map_or(Ok(()), check_figure)?;
        Share::of(self.job.threads, self.parallel, 1)?;
        if !(1..=MOST_SEEDS).contains(&self.seeds) {
            return Err(Error::setting("seeds", &format!("from 1 to {MOST_SEEDS}")));
        }
        if self.points.is_empty() {
            return Err(Error::usage("there is nothing to study"));
        }
        if self.draws_rows() && self.seeds_differ() {
            let message = "each seed draws test rows of its own, so points of different seeds cannot be compared";
            let seeds = flagged("seeds");
            return Err(Error::usage(format!("{message}: say how many with {seeds}")));
        }
        self.of_all(|job| job.config.check())
    }

    fn seeds_differ(&self) -> bool {
        self.points.windows(2).any(|pair| pair[0].config.seed != pair[1].config.seed)
    }

    /// Checks what all runs would come upon in these rows.
    pub(super) fn check_rows(&self, rows: &KeptRows) -> Result<()> {
        if let Some(mf) = &self.mf {
            rows.check_columns(mf)?;
        }
        self.of_all(|job| rows.check(job))?;
        match &self.test {
            TestRows::File(path) => self.of_all(|job| rows.check_file(job, path)),
            TestRows::Share(_) => Ok(()),
            TestRows::Folds(folds) if *folds as usize > rows.rows => {
                let flag = flagged("folds");
                let message = format!("{} rows cannot be {folds} folds: lower {flag}", rows.rows);
                Err(Error::data(&self.job.data, message))
            }
            TestRows::Folds(_) | TestRows::Tail(_) => {
                self.points.first().map_or(Ok(()), |point| rows.check_part(&self.job_of(point)))
            }
        }
    }

    /// What is wrong with the jobs of all points, if there is no point without anything.
    fn of_all(&self, check: impl Fn(&Job) -> Result<()>) -> Result<()> {
        let mut first = Ok(());
        for point in &self.points {
            match check(&self.job_of(point)) {
                Ok(()) => return Ok(()),
                wrong => first = first.and(wrong),
            }
        }
        first
    }
}
