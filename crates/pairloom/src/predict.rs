//! From raw rows to predictions, in pieces: memory does not grow with the input.

mod lanes;

use crate::backend::{DeviceName, scorer};
use crate::batch::{Outcomes, Rows};
use crate::data::not_held;
use crate::encode::{Dictionary, RowEncoder};
use crate::error::Place;
use crate::input::{RawRow, Reader};
use crate::loss::Loss;
use crate::metric::{DEFAULT_AT, DEFAULT_THRESHOLD, Measure, Metrics, of_file};
use crate::model::Model;
use crate::parallel::Threads;
use crate::reading::{Counts, OnError, Outcome, Skipped, UNTRIED};
use crate::schema::{Role, did_you_mean, list};
use crate::segment::{Cells, DEFAULT_TOP, Segments};
use crate::{Error, Result};
use lanes::{ALONE, Block, Lane, TOGETHER, work_on};

/// What to take from the input.
#[derive(Debug, Clone, Default)]
pub struct PredictOptions {
    /// Whether rows must have labels.
    pub labelled: bool,
    /// The column of row weights, if it is another than that of the rows that the model learned from.
    pub weight: Option<String>,
    /// Whether rows belong to groups, by the column that the schema calls so.
    pub groups: bool,
    /// Names of the input's columns whose cells are handed on beside the predictions.
    pub keep: Vec<String>,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
    /// What scores are worked out on; under [`DeviceName::Auto`] the processor, since encoding the rows, which it does
    /// anyway, takes longer.
    pub device: DeviceName,
}

/// Some rows and their predictions.
#[derive(Debug, Default)]
pub struct Piece {
    rows: Rows,
    /// The raw score of each, as [`Model::scores`] has it: `[rows, outputs]`.
    pub scores: Vec<f32>,
    /// A prediction for each: the probability of the positive class, or the target in its own unit; or the
    /// probabilities of all classes, `[rows, outputs]`.
    pub predictions: Vec<f64>,
    /// How many numbers there are for each.
    pub outputs: usize,
    /// Label and weight of each, 0 and 1 if labels were not asked for; and the group, if groups were.
    pub labels: Outcomes,
    /// The kept cells, row after row.
    kept: Vec<u8>,
    ends: Vec<usize>,
    lines: Vec<u64>,
}

impl Piece {
    /// What is predicted for each row.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.predictions.chunks_exact(self.outputs.max(1))
    }

    /// The kept cells of row `row`, of `columns` kept columns.
    pub fn kept(&self, row: usize, columns: usize) -> impl Iterator<Item = &[u8]> {
        (row * columns..(row + 1) * columns).map(|cell| {
            let start = cell.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.kept[start..self.ends[cell]]
        })
    }

    /// The line of the file that each row begins on.
    pub fn lines(&self) -> &[u64] {
        &self.lines
    }

    fn add(&mut self, raw: &RawRow, cells: &[usize]) {
        self.lines.push(raw.line());
        let row = self.rows.len() - 1;
        let (label, weight) = self.rows.label(row);
        self.labels.push_in(self.rows.group(row), label, weight);
        for &cell in cells {
            self.kept.extend_from_slice(raw.cell(cell));
            self.ends.push(self.kept.len());
        }
    }

    /// Takes the scores of the rows. Those whose score is not finite are errors like any others of a row; if
    /// such rows are left out, they go to `skipped`.
    fn predict(&mut self, by: &Scoring<'_>, scores: Vec<f32>, skipped: &mut Skipped) -> Result<()> {
        self.scores = scores;
        self.predictions = by.model.predictions(&self.scores);
        // A score beyond all numbers is a probability of 0 or 1 all the same.
        if self.predictions.iter().all(|p| p.is_finite())
            && self.scores.iter().all(|s| s.is_finite())
        {
            return Ok(());
        }
        let all = std::mem::take(self);
        self.outputs = all.outputs;
        for (row, prediction) in all.rows().enumerate() {
            let scores = &all.scores[row * all.outputs..(row + 1) * all.outputs];
            if prediction.iter().all(|p| p.is_finite()) && scores.iter().all(|s| s.is_finite()) {
                self.copy(&all, row, by.keep.len());
                continue;
            }
            let place = Place { file: by.file.into(), line: all.lines[row], column: 1 };
            let message = "the score of this row is not finite: its values are too large";
            let error = Error::Row { place, message: message.into() };
            if by.on_error == OnError::Stop {
                return Err(error);
            }
            skipped.add(&error);
        }
        self.rows = all.rows;
        Ok(())
    }

    /// Adds a row of another piece, but for its features.
    fn copy(&mut self, from: &Piece, row: usize, columns: usize) {
        let outputs = row * self.outputs..(row + 1) * self.outputs;
        self.scores.extend_from_slice(&from.scores[outputs.clone()]);
        self.predictions.extend_from_slice(&from.predictions[outputs]);
        let (label, weight) = from.labels.outcome(row);
        self.labels.push_in(from.rows.group(row), label, weight);
        self.lines.push(from.lines[row]);
        for cell in from.kept(row, columns) {
            self.kept.extend_from_slice(cell);
            self.ends.push(self.kept.len());
        }
    }

    fn clear(&mut self) {
        let (rows, outputs) = (std::mem::take(&mut self.rows), self.outputs);
        *self = Piece { rows, outputs, ..Piece::default() };
        self.rows.clear();
    }
}

/// What scoring a piece needs beside the piece.
struct Scoring<'a> {
    model: &'a Model,
    file: &'a str,
    /// The cells that are kept.
    keep: &'a [usize],
    on_error: OnError,
    /// Whether lanes only encode, and their rows are scored together.
    together: bool,
}

impl Model {
    /// Predicts all rows of `reader` (called `file` in errors) and gives them to `take` in pieces.
    ///
    /// # Errors
    /// [`Error::Usage`] for a column that is not there, [`Error::Row`] for a row that cannot be used, and the errors
    /// of `take`.
    pub fn predict_rows(
        &self,
        reader: &mut dyn Reader,
        file: &str,
        options: &PredictOptions,
        threads: &Threads,
        mut take: impl FnMut(&Piece) -> Result<()>,
    ) -> Result<Outcome> {
        self.schema.check_format(reader.format(), file)?;
        let names = reader.columns().to_vec();
        let keep = positions(&options.keep, "", reader, file)?;
        let labelled = options.labelled;
        let schema = match &options.weight {
            Some(weight) => &self.schema.clone().with_weight(weight)?,
            None => &self.schema,
        };
        let mut encoder = RowEncoder::bind(&self.encoding, schema, file, &names, labelled)?;
        if options.groups {
            encoder =
                encoder.grouping(self.schema.group_cell(file, &names)?, Dictionary::default());
        }
        let counts = Counts::of(&self.schema, &*reader).filter(|_| labelled);
        let on_gpu = options.device == DeviceName::Cuda;
        let mut gpu = on_gpu.then(|| scorer(self)).transpose()?;
        let by = Scoring {
            model: self,
            file,
            keep: &keep,
            on_error: options.on_error,
            together: on_gpu,
        };
        let size = if on_gpu { TOGETHER } else { ALONE };
        let lane = |_| Lane::new(encoder.twin(), counts.clone(), self.outputs());
        let mut lanes: Vec<Lane<'_>> = (0..threads.count()).map(lane).collect();
        let (mut skipped, mut not_finite) = (Skipped::default(), Skipped::default());
        let (mut block, mut goes_on) = (Block::default(), true);
        while goes_on {
            // Groups are numbered in the order of the rows.
            if !options.groups
                && let Some(parts) = reader.parts(lanes.len(), size.rows)?
            {
                goes_on = !parts.is_empty();
                work_on(parts, &mut lanes, &by, threads);
            } else {
                goes_on = block.fill(reader, &mut encoder, size, lanes.len());
                block.work(&mut lanes, &by, threads);
            }
            for lane in &mut lanes {
                if let Some(gpu) = &mut gpu {
                    lane.score(&by, |rows| gpu.scores(rows));
                }
                if let Some(error) = lane.failed.take() {
                    return Err(error);
                }
                skipped.merge(std::mem::take(&mut lane.skipped));
                not_finite.merge(std::mem::take(&mut lane.not_finite));
                encoder.take_counts(&mut lane.encoder);
                take(&lane.piece)?;
            }
        }
        skipped.merge(not_finite);
        Ok(Outcome { skipped, unseen: encoder.unseen() })
    }

    /// Predicts all rows of a file, which must have labels, and measures the predictions.
    ///
    /// # Errors
    /// As for [`Model::predict_rows`]; [`Error::Data`] if there are no rows.
    pub fn evaluate(
        &self,
        reader: &mut dyn Reader,
        file: &str,
        options: &EvaluateOptions,
        threads: &Threads,
    ) -> Result<Evaluated> {
        let EvaluateOptions { device, weight, on_error, threshold, at, segments: keep, top } =
            options.clone();
        let loss = self.config.resolved_loss();
        if !keep.is_empty() && (loss.is_ranking() || loss == Loss::Softmax) {
            let message = "segments are of models that predict a number or one of two classes";
            return Err(Error::usage(format!("{message}, and not of --loss {}", loss.name())));
        }
        let is_taken_apart = |name: &&String| {
            let column = self.schema.columns.iter().find(|column| column.name == **name);
            let has_trials = self.schema.find(Role::Trials).is_some();
            has_trials && column.is_some_and(|c| matches!(c.role, Role::Label | Role::Trials))
        };
        if let Some(name) = keep.iter().find(is_taken_apart) {
            let message =
                "its counts are taken apart into rows for each trial, and make no segments";
            return Err(Error::usage(format!("column '{name}': {message}")));
        }
        let mut cells: Vec<Cells> =
            keep.iter().map(|name| Cells::new(name, &self.schema)).collect();
        let groups = loss.is_ranking();
        let options = PredictOptions { labelled: true, weight, groups, keep, on_error, device };
        let (mut predictions, mut labels) = (Vec::new(), Outcomes::default());
        let outcome = self.predict_rows(reader, file, &options, threads, |piece| {
            predictions.extend_from_slice(&piece.predictions);
            labels.append(&piece.labels);
            for row in 0..piece.labels.len() {
                let kept = piece.kept(row, cells.len());
                kept.zip(&mut cells).for_each(|(cell, cells)| cells.push(cell));
            }
            Ok(())
        })?;
        if labels.is_empty() {
            let are_counts = self.schema.find(Role::Trials).is_some();
            let why = if are_counts && outcome.skipped.rows == 0 { UNTRIED } else { "" };
            return Err(Error::data(file, format!("no rows to evaluate{why}")));
        }
        let scale = self.encoding.target.scale();
        let measure = Measure { loss, scale, threshold, at };
        let metrics = measure.measure(&predictions, &labels).map_err(of_file(file))?;
        let measured = |cells: Cells| cells.measure(top, &predictions, &labels, &measure);
        let segments = cells.into_iter().map(measured).collect::<Result<_>>();
        let segments = segments.map_err(of_file(file))?;
        Ok(Evaluated { metrics, segments, predictions, labels, outcome })
    }
}

/// How to evaluate.
#[derive(Debug, Clone)]
pub struct EvaluateOptions {
    /// What scores are worked out on, see [`PredictOptions::device`].
    pub device: DeviceName,
    /// The column of row weights, if it is another than that of the rows that the model learned from.
    pub weight: Option<String>,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
    /// The probability from which a row counts as predicted positive, for accuracy, precision and
    /// recall.
    pub threshold: f64,
    /// The place at which ranked lists end.
    pub at: usize,
    /// Names of the input's columns by whose values rows are measured too.
    pub segments: Vec<String>,
    /// Segments of a column at the most, beside the one of all others.
    pub top: usize,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        EvaluateOptions {
            device: DeviceName::default(),
            weight: None,
            on_error: OnError::default(),
            threshold: DEFAULT_THRESHOLD,
            at: DEFAULT_AT,
            segments: Vec::new(),
            top: DEFAULT_TOP,
        }
    }
}

/// What an evaluation found.
#[derive(Debug)]
pub struct Evaluated {
    /// The metrics.
    pub metrics: Metrics,
    /// The same by the values of the columns that were asked for.
    pub segments: Vec<Segments>,
    /// A prediction for each row; of several classes the probability of each, `[rows, classes]`.
    pub predictions: Vec<f64>,
    /// Labels and weights of the rows.
    pub labels: Outcomes,
    /// Rows left out, and values unseen.
    pub outcome: Outcome,
}

/// Where the columns of these names are in a file; `what` says what they are for.
pub(crate) fn positions(
    wanted: &[String],
    what: &str,
    reader: &dyn Reader,
    file: &str,
) -> Result<Vec<usize>> {
    let names = reader.columns();
    let position = |name: &String| match names.iter().position(|known| known == name) {
        Some(at) if reader.holds(at) => Ok(at),
        Some(_) => Err(Error::usage(format!("{file}: {}", not_held(name)))),
        None => Err(no_column(name, what, names, file)),
    };
    wanted.iter().map(position).collect()
}

/// The error of a column that a file with these lacks; `what` says what it is for.
pub(crate) fn no_column(name: &str, what: &str, names: &[String], file: &str) -> Error {
    let names = names.iter().map(String::as_str);
    let (meant, names) = (did_you_mean(name, names.clone()), list(names));
    let what = if what.is_empty() { String::new() } else { format!(" {what}") };
    let message = format!("there is no column '{name}'{what}{meant}: {names}");
    Error::usage(format!("{file}: {message}"))
}
