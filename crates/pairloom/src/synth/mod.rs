//! Synthetic click logs of any size, with a known best score.
//!
//! Real click logs cannot be shipped, and on them nobody knows how good a model could be. Here the
//! labels are drawn from a planted factorization machine (Rendle 2010) over columns with values by
//! Zipf's law, so the log is made anywhere from a seed and its summary says what the best possible
//! log loss and AUC are.
//!
//! The score's spread is a setting for the whole row, not for single weights, so that a log keeps
//! its difficulty when the number of columns or factors is changed. The bias is solved for, so
//! that the share of positives is what was asked for.
//!
//! Rows are made in blocks, each from a stream of random numbers of its own: in parallel, and with
//! the same bytes for any number of threads, of whatever longer log they are the start. All
//! arithmetic is reproducible (see `exact`), so the bytes are the same on every platform, too.
//!
//! ```
//! use pairloom::input::Format;
//! use pairloom::parallel::Threads;
//! use pairloom::synth::{Synth, SynthConfig};
//!
//! let config = SynthConfig { rows: 100, ..SynthConfig::default() };
//! let mut log = Vec::new();
//! let summary = Synth::new(&config, Threads::new(0)?)?.write(Format::Libsvm, &mut log, "memory")?;
//! assert_eq!(summary.rows, 100);
//! # Ok::<(), pairloom::Error>(())
//! ```

mod config;
mod exact;
mod field;
mod summary;
mod text;

pub use config::SynthConfig;
pub use summary::SynthSummary;

use crate::file::{self, write_whole};
use crate::input::Format;
use crate::parallel::Threads;
use crate::{Error, Result};
use exact::Random;
use field::{Field, Plan};
use std::io::Write;
use summary::{Tally, Total};

/// Rows that the bias is solved on: the share of positives is met to about 0.001.
const PILOT_ROWS: usize = 1 << 16;
/// Values that they may have, where rows are very wide.
const PILOT_VALUES: usize = 1 << 26;
/// Values in a block of rows: enough to pay for a new random stream, few enough for the cache.
const BLOCK_VALUES: usize = 1 << 16;
/// Blocks in the making for each thread.
const BLOCKS_PER_THREAD: usize = 4;

/// What a random stream is for: the second number of its name, after the seed.
mod stream {
    pub const ORDER: u64 = 0;
    pub const FIELD: u64 = 1;
    pub const PILOT: u64 = 2;
    pub const ROWS: u64 = 3;
}

/// A planted model, ready to write rows.
pub struct Synth {
    config: SynthConfig,
    threads: Threads,
    fields: Vec<Field>,
    features: u64,
    width: usize,
    bias: f32,
}

/// Rows as text, with their sums; and room to make them in, to be used again and again.
#[derive(Default)]
struct Block {
    text: Vec<u8>,
    tally: Tally,
    row: Row,
}

/// One row: its values, and the sums over their planted numbers.
#[derive(Default)]
struct Row {
    values: Vec<u32>,
    sums: Vec<f32>,
}

impl Synth {
    /// Draws the planted model. What is made does not depend on the number of threads.
    ///
    /// # Errors
    /// [`Error::Usage`] for a setting that cannot work, [`Error::Memory`] for a model that does
    /// not fit.
    pub fn new(config: &SynthConfig, threads: Threads) -> Result<Self> {
        config.check()?;
        let mut sizes = config.sizes();
        let features = sizes.iter().sum();
        config.check_memory(features)?;
        if config.cardinalities.is_empty() {
            Random::new(&[config.seed, stream::ORDER]).shuffle(&mut sizes);
        }
        let plan = config.plan(sizes.len());
        let fields = plant(config.seed, &sizes, &plan, &threads);
        let width = plan.width();
        let config = config.clone();
        let mut synth = Synth { config, threads, fields, features, width, bias: 0.0 };
        synth.bias = solve_bias(&synth.pilot(), synth.config.positives);
        Ok(synth)
    }

    /// The number of values of each column, in order.
    pub fn cardinalities(&self) -> impl Iterator<Item = u32> {
        self.fields.iter().map(Field::cardinality)
    }

    /// Writes the rows. `name` is what to call the output in errors.
    ///
    /// # Errors
    /// [`Error::Io`] if writing fails, [`Error::Usage`] for a delimiter that cannot be told from
    /// the tokens.
    pub fn write(&self, format: Format, out: &mut dyn Write, name: &str) -> Result<SynthSummary> {
        let mut total = Total::new(self.config.rows);
        let mut put = |text: &[u8]| out.write_all(text).map_err(|e| Error::io(name, e));
        put(&self.header(format)?)?;
        let count = self.config.rows.div_ceil(self.block_rows());
        let at_once = BLOCKS_PER_THREAD * self.threads.count();
        let mut blocks: Vec<Block> = Vec::new();
        blocks.resize_with(at_once.min(count.try_into().unwrap_or(at_once)), Block::default);
        let mut next = 0;
        while next < count {
            let some = blocks.len().min((count - next).try_into().unwrap_or(usize::MAX));
            let some = &mut blocks[..some];
            self.threads.each((next..).zip(&mut *some).collect(), |(number, block)| {
                self.fill(block, number, format);
            });
            for block in &*some {
                put(&block.text)?;
                total.merge(&block.tally);
            }
            next += some.len() as u64;
        }
        out.flush().map_err(|e| Error::io(name, e))?;
        Ok(total.finish(self.fields.len(), self.features))
    }

    /// Writes the rows to a file. A regular file appears under its name only when it is complete;
    /// anything else (a pipe, a device) is written straight.
    ///
    /// # Errors
    /// Those of [`Synth::write`].
    pub fn write_file(&self, format: Format, path: &str) -> Result<SynthSummary> {
        write_whole(path, |out| self.write(format, out, file::name(path)))
    }

    /// Rows of a block. It depends on the settings only, for it decides which random numbers make
    /// which row.
    fn block_rows(&self) -> u64 {
        (BLOCK_VALUES / self.fields.len()).clamp(16, 1024) as u64
    }

    /// The line before the rows; also the check of the format.
    fn header(&self, format: Format) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        if let Format::MovieLens { .. } | Format::Parquet = format {
            return Err(Error::usage(format!("no rows of {} are made up", format.name())));
        }
        if let Format::Csv { delimiter, header } = format {
            let plain = delimiter.is_ascii_punctuation() && delimiter != '"';
            if !plain && delimiter != '\t' && delimiter != ' ' {
                let rule = format!("a comma, a tab or other ASCII punctuation, not {delimiter:?}");
                return Err(Error::setting("delimiter", &rule));
            }
            if header {
                text::header(self.fields.len(), delimiter as u8, &mut text);
            }
        }
        Ok(text)
    }

    /// Makes the block of this number.
    fn fill(&self, block: &mut Block, number: u64, format: Format) {
        let Block { text, tally, row } = block;
        text.clear();
        tally.clear();
        let first = number * self.block_rows();
        let rows = self.block_rows().min(self.config.rows - first);
        let mut random = Random::new(&[self.config.seed, stream::ROWS, self.config.sample, number]);
        let mut each = |write: &mut dyn FnMut(&Row, bool)| {
            for _ in 0..rows {
                let score = self.draw(row, &mut random) + self.bias;
                let label = tally.draw(score, random.unit());
                write(row, label);
            }
        };
        let fields = &self.fields[..];
        match format {
            Format::Csv { delimiter, .. } => each(&mut |row, label| {
                text::delimited((fields, &row.values), label, delimiter as u8, text);
            }),
            Format::Libsvm => {
                each(&mut |row, label| text::libsvm((fields, &row.values), label, text));
            }
            Format::Libffm => {
                each(&mut |row, label| text::libffm((fields, &row.values), label, text));
            }
            // Refused with the header.
            Format::MovieLens { .. } | Format::Parquet => {}
        }
    }

    /// Draws a row's values; its score without the bias.
    fn draw(&self, row: &mut Row, random: &mut Random) -> f32 {
        row.values.clear();
        row.sums.clear();
        row.sums.resize(self.width, 0.0);
        for field in &self.fields {
            let value = field.pick(random.bits());
            field.add_to(value, &mut row.sums);
            row.values.push(value);
        }
        field::score(&row.sums)
    }

    /// Scores of rows that are in no sample.
    fn pilot(&self) -> Vec<f32> {
        let rows = self.block_rows();
        let all = PILOT_ROWS.min(PILOT_VALUES / self.fields.len()) as u64;
        let scores = self.threads.map((0..all / rows).collect(), |number| {
            let mut random = Random::new(&[self.config.seed, stream::PILOT, number]);
            let mut row = Row::default();
            (0..rows).map(|_| self.draw(&mut row, &mut random)).collect::<Vec<_>>()
        });
        scores.concat()
    }
}

/// Makes the columns, each from its own stream of random numbers.
fn plant(seed: u64, sizes: &[u64], plan: &Plan, threads: &Threads) -> Vec<Field> {
    let offsets = sizes.iter().scan(0, |end, &size| {
        let offset = *end;
        *end += size;
        Some(offset as u32)
    });
    let places = offsets.zip(sizes.iter().map(|&size| size as u32)).enumerate();
    threads.map(places.collect(), |(number, (offset, size))| {
        let random = Random::new(&[seed, stream::FIELD, number as u64]);
        Field::new(number, offset, size, plan, random)
    })
}

/// The bias at which the mean probability of these scores is the share, by bisection: the mean
/// grows with the bias.
fn solve_bias(scores: &[f32], share: f64) -> f32 {
    let reach = scores.iter().fold(0f64, |most, &s| most.max(f64::from(s).abs())) + 700.0;
    let (mut low, mut high) = (-reach, reach);
    for _ in 0..48 {
        let middle = 0.5 * (low + high);
        // Exactly the scores that rows will have, and summed in order.
        let sum: f64 = scores.iter().map(|&s| exact::sigmoid(f64::from(s + middle as f32))).sum();
        if sum < share * scores.len() as f64 { low = middle } else { high = middle }
    }
    (0.5 * (low + high)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bias_gives_the_share() {
        let mut random = Random::new(&[4]);
        let scores: Vec<f32> = (0..10_000).map(|_| 3.0 + random.normal() as f32).collect();
        for share in [1e-6, 0.01, 0.22, 0.5, 0.999] {
            let bias = solve_bias(&scores, share);
            let sum: f64 = scores.iter().map(|&s| exact::sigmoid(f64::from(s + bias))).sum();
            assert!((sum / 1e4 / share - 1.0).abs() < 1e-4, "{share}");
        }
    }
}
