//! Flags that several commands share: how rows are written, what their columns are, and what is said meanwhile.

use crate::parse;
use crate::screen::Screen;
use clap::ValueEnum;
use pairloom::encode::Transform;
use pairloom::input::{FormatName, OpenOptions, TimePattern};
use pairloom::parallel::Threads;
use pairloom::preset::{self, Preset};
use pairloom::reading::OnError;
use pairloom::schema::{FieldMap, Hints, Schema};
use pairloom::train::{Job, SchemaSource};
use pairloom::{Config, Error, Result};

/// How rows are written, and what to do with bad ones.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Format of the rows: csv, tsv, libsvm, libffm or parquet; movielens-100k, movielens-1m or movielens, which are
    /// joined with the files beside them [default: by extension, then by content; Parquet by content]
    #[arg(long, value_name = "FORMAT", value_parser = parse::format)]
    pub format: Option<FormatName>,
    /// Character between cells of a CSV [default: found out]
    #[arg(long, value_name = "CHAR", value_parser = parse::character)]
    pub delimiter: Option<char>,
    /// The first line names the columns [default: found out]
    #[arg(long, conflicts_with = "no_header")]
    pub header: bool,
    /// There is no header: columns are called 0, 1, 2, ...
    #[arg(long)]
    pub no_header: bool,
    /// What to do with a row that cannot be used
    #[arg(long, value_name = "WHAT", default_value = "stop")]
    pub on_error: OnErrorName,
}

/// What to do with a row that cannot be used.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum OnErrorName {
    /// End with an error that names the row
    #[default]
    Stop,
    /// Leave it out, and say how many were
    Skip,
}

impl InputArgs {
    /// As the library wants it.
    pub fn open(&self) -> OpenOptions {
        let header = (self.header || self.no_header).then_some(self.header);
        OpenOptions { format: self.format, delimiter: self.delimiter, header, ..Default::default() }
    }

    /// As the library wants it.
    pub fn on_error(&self) -> OnError {
        match self.on_error {
            OnErrorName::Stop => OnError::Stop,
            OnErrorName::Skip => OnError::Skip,
        }
    }
}

/// Where the schema comes from, and where it goes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SchemaArgs {
    /// A recipe for schema and, in training, settings, which further flags change: d2l, criteo, avazu,
    /// movielens-100k, movielens-1m, or movielens (latest, 20M, 25M and 32M); each takes the files as they
    /// are downloaded
    #[arg(long, value_name = "NAME", value_parser = parse::preset)]
    pub preset: Option<Preset>,
    /// Read the schema from a file instead of inferring it
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    pub schema: Option<String>,
    /// Write the schema to a file, to be edited and used again
    #[arg(long, value_name = "FILE")]
    pub save_schema: Option<String>,
    /// Which field each index of libsvm is of, for models over fields: ranges as in 0-99,100-499,500-,
    /// each a field; or a file with a range and its field (a number or a name) on each line, or
    /// libFM's meta file. All other indices are one more field
    #[arg(long, value_name = "RANGES|FILE")]
    pub fields: Option<String>,
}

impl SchemaArgs {
    /// The schema, changed by what is said of columns, and the settings that come with it.
    pub fn source(&self, columns: &ColumnArgs) -> Result<(SchemaSource, Config)> {
        let fields = self.fields.as_deref().map(FieldMap::said).transpose()?.map(Box::new);
        let hints = Hints { fields, ..columns.hints() };
        let (schema, config) = match (self.preset, &self.schema) {
            (Some(preset), _) => preset::get(preset),
            (None, Some(file)) => (read_schema(file)?, Config::default()),
            (None, None) => return Ok((SchemaSource::Infer(hints), Config::default())),
        };
        Ok((SchemaSource::Given(hints.apply(schema)?), config))
    }
}

fn read_schema(file: &str) -> Result<Schema> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
    Schema::from_toml(file, &text)
}

/// What the columns are.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Columns (inferred where not said)")]
pub struct ColumnArgs {
    /// The column to predict [default: by its name, or the first one if there is no header]
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// The label value that counts as positive, against all others
    /// [default: of two, the greater one, or the one for yes]
    #[arg(long, value_name = "VALUE")]
    pub positive: Option<String>,
    /// The column of row weights
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// The column that says how often it was tried: the label says how many of these were positive, as clicks
    /// of impressions, and a row counts as so many rows
    #[arg(long, value_name = "COLUMN")]
    pub trials: Option<String>,
    /// The column that says which rows belong together, as those of a user or a query: they are held out
    /// together, or ranked among each other. It is a feature only if --categorical says so
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,
    /// The columns of what is ranked, first the one that names it: other items of the training rows are
    /// then drawn to rank below those that a group has (--negatives)
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub item: Vec<String>,
    /// Columns with one value out of many
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub categorical: Vec<String>,
    /// Columns of numbers
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub numeric: Vec<String>,
    /// A column of lists and the character between their values, as in genres=|
    #[arg(long, value_name = "COLUMN=CHAR", value_parser = parse::multi)]
    pub multi: Vec<(String, char)>,
    /// What to do with a column of numbers: price=log, age=quantile:64, ...
    #[arg(long, value_name = "COLUMN=HOW,..", value_delimiter = ',', value_parser = parse::transform)]
    pub transform: Vec<(String, Transform, Option<usize>)>,
    /// A column of times and how they are written, as in hour=YYMMDDHH, 'at=YYYY-MM-DD HH:mm:ss', at=unix (seconds)
    /// or at=unix-ms: columns of their year, month, day, weekday and hour, called hour.day and so on, take its
    /// place
    #[arg(long, value_name = "COLUMN=PATTERN", value_parser = parse::time)]
    pub time: Vec<(String, TimePattern)>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub ignore: Vec<String>,
}

impl ColumnArgs {
    /// As the library wants it.
    pub fn hints(&self) -> Hints {
        Hints {
            label: self.label.clone(),
            weight: self.weight.clone(),
            trials: self.trials.clone(),
            group: self.group.clone(),
            item: self.item.clone(),
            categorical: self.categorical.clone(),
            numeric: self.numeric.clone(),
            multi: self.multi.clone(),
            transforms: self.transform.clone(),
            times: self.time.clone().into(),
            ignore: self.ignore.clone(),
            positive: self.positive.clone(),
            fields: None,
        }
    }
}

/// All that is said of training rows, and of what is told while they are read and trained on.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct JobArgs {
    #[command(flatten)]
    pub schema: SchemaArgs,
    /// Threads, 0 for one a core; the model does not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Write one JSON object a line instead of text
    #[arg(long)]
    json: bool,
    /// Write nothing but warnings and errors
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    columns: ColumnArgs,
}

impl JobArgs {
    /// The job over a file, with the settings that come with its schema.
    pub fn job(&self, data: &str) -> Result<Job> {
        let (schema, config) = self.schema.source(&self.columns)?;
        Ok(Job {
            open: self.input.open(),
            schema,
            config,
            threads: self.threads,
            on_error: self.input.on_error(),
            ..Job::new(data)
        })
    }

    /// Where it is told what happens.
    pub fn screen(&self) -> Screen {
        Screen::new(self.json, false).quiet(self.quiet)
    }
}

/// Threads of a command on whose results they have no influence.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ThreadArgs {
    /// Threads, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

impl ThreadArgs {
    /// Starts them.
    pub fn start(&self) -> Result<Threads> {
        Threads::new(self.threads)
    }
}
