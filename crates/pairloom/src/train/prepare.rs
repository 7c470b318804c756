//! From a job's files to encoded rows: read, held out, learned from and encoded.

use super::calibrate::check_classes;
use super::hold_out::{Parts, hold_out};
use super::start::{before_model, room};
use super::summary::Summary;
use super::text::read_rows;
use super::{Dataset, Event, Groups, Job, going_on, ranking, tell, tell_skipped};
use crate::config::Config;
use crate::data::{check_values, is_cache};
use crate::encode::{Beside, Encoding, encode, learn};
use crate::error::flagged;
use crate::input;
use crate::loss::{Loss, lists};
use crate::parallel::Threads;
use crate::reading::{Given, RowLines};
use crate::schema::Schema;
use crate::store::Store;
use crate::{Error, Result, calibration};

/// Rows ready to be trained on.
pub(super) struct Prepared {
    pub(super) schema: Schema,
    pub(super) encoding: Encoding,
    pub(super) train: Store,
    pub(super) valid: Store,
    pub(super) test: Store,
    /// Where the validation rows come from.
    pub(super) valid_file: String,
    pub(super) class_weights: Vec<f32>,
    pub(super) groups: Option<Groups>,
    pub(super) held_out: Vec<bool>,
    /// Rows that nothing is learned from, if there may be some.
    pub(super) left_out: Vec<bool>,
    pub(super) lines: RowLines,
}

impl Prepared {
    /// Rows that a batch of so many has at the most: one of lists ends with a whole one.
    pub(super) fn batch(&self, rows: usize) -> usize {
        let beyond = if self.groups.is_some() { lists::MOST - 1 } else { 0 };
        rows.min(self.train.len()) + beyond
    }

    /// What is asked of the training rows, for batches of any device.
    pub(super) fn summary(&self, config: &Config) -> Result<Summary> {
        let most = self.batch(config.largest_batch(self.train.len()));
        Summary::of(&self.train, self.encoding.features(), most, &self.encoding.target)
    }
}

/// From rows that were read to encoded ones, with those of the job's validation file, or that are given as such.
pub(super) fn prepare(
    rows: Dataset,
    given_valid: Option<Given<'_>>,
    job: &Job,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Prepared> {
    let Dataset { mut schema, mut interned, .. } = rows;
    if let Some(only) = &job.only {
        schema.keep_features(only)?;
    }
    check(job, &schema)?;
    let draws = job.config.drawn_negatives(&schema) > 0;
    let Parts { held_out, test } = hold_out(&interned, &schema, job, draws)?;
    let file = input::name(&job.data);
    let encoding = match &job.init {
        Some(model) => going_on::encoding(model, &schema, &interned, file)?,
        None => {
            let rows = (&*interned, &held_out[..]);
            let classes = job.classes.as_deref();
            let goes_on = &mut || tell(watch, Event::Encoding);
            learn(rows, &schema, &job.config, classes, file, threads, goes_on)?
        }
    };
    check_classes(&job.config, &encoding.target, file)?;
    let class_weights = match &job.config.class_weight {
        None => Vec::new(),
        Some(weights) => weights.factors(&interned, &held_out, &encoding.target, file)?,
    };
    let lines = interned.lines.clone();
    let work = interned.work_bytes();
    let room = room(job, &schema, &encoding, &interned)?;
    if let (Some(path), Some(memory), None) = (&job.valid, job.config.memory, &given_valid)
        && is_cache(path)
    {
        check_values(path, before_model(memory.into(), &encoding, work))?;
    }
    let shuffle = job.config.shuffle.then_some(job.config.seed);
    let group_names = interned.take_group_names();
    let groups = job.config.loss.is_some_and(Loss::is_ranking);
    let left_out = match draws {
        true => ranking::not_relevant(&interned, &encoding.target)?,
        false => Vec::new(),
    };
    let beside = Beside {
        class_weights: &class_weights,
        groups,
        left_out: &left_out,
        held_out: &held_out,
        test: &test,
    };
    let [train, mut valid, test] =
        encode(interned, &encoding, &room, shuffle, &beside, threads, &mut || {
            tell(watch, Event::Encoding)
        })?;
    check_rows(&train, file, "training", draws)?;
    let mut valid_file = file;
    if let Some(path) = &job.valid {
        let (rows, read) = read_rows(
            (path, given_valid),
            &schema,
            &encoding,
            (&beside, group_names),
            job.on_error,
            (&room, threads),
            &mut || tell(watch, Event::Encoding),
        )?;
        tell_skipped(&read.skipped, watch)?;
        if !read.unseen.is_empty() {
            tell(watch, Event::Unseen(&read.unseen))?;
        }
        (valid, valid_file) = (rows, input::name(path));
    }
    if !valid.is_empty() || (draws && job.valid.is_some()) {
        check_rows(&valid, valid_file, "validation", draws)?;
    }
    if job.test.is_some() {
        if test.is_empty() {
            let message = "no row is left for the test: take a larger part for it";
            return Err(Error::data(file, message));
        }
        check_rows(&test, file, "test", false)?;
    }
    if job.config.calibrate.is_some() {
        // Before the work, which would be lost.
        let is_given = job.valid.is_some();
        let remedy = if is_given { calibration::OTHER_FILE } else { calibration::HOLD_OUT };
        calibration::check_rows(&valid.outcomes()?, valid_file, "validation ", remedy)?;
    }
    let mut groups = None;
    if job.config.loss.is_some_and(Loss::is_ranking) && !draws {
        groups = Some(ranking::groups(&train, file, "training")?);
        if !valid.is_empty() {
            ranking::groups(&valid, valid_file, "validation")?;
        }
    }
    let valid_file = valid_file.to_string();
    Ok(Prepared {
        schema,
        encoding,
        train,
        valid,
        test,
        valid_file,
        class_weights,
        groups,
        held_out,
        left_out,
        lines,
    })
}

/// Refuses settings that do not fit the schema, and a test part where there can be none.
pub(super) fn check(job: &Job, schema: &Schema) -> Result<()> {
    ranking::check(&job.config, schema)?;
    match job.config.drawn_negatives(schema) > 0 && job.test.is_some() {
        true => {
            let message = "a test part is of rows that are given, and items are drawn for these: test on others";
            Err(Error::usage(format!("{message}, by {} FILE", flagged("test"))))
        }
        false => Ok(()),
    }
}

/// Checks that rows can be trained on or measured; `what` they are called in errors. Of rows that others are drawn
/// for, only the relevant ones are there.
fn check_rows(rows: &Store, file: &str, what: &str, are_relevant: bool) -> Result<()> {
    if are_relevant && rows.is_empty() {
        let message =
            format!("none of the {what} rows has a label above 0: there is nothing to rank");
        return Err(Error::data(file, message));
    }
    if u32::try_from(rows.len()).is_err() {
        return Err(Error::data(file, "more than 2^32 rows: train on a part of them"));
    }
    if rows.weight() <= 0.0 {
        return Err(Error::data(file, format!("the weights of all {what} rows are 0")));
    }
    Ok(())
}
