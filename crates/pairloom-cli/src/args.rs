//! Flags that several commands share. A setting's flag is the field of the library's `Config` with
//! dashes; its default is the library's, read from there, also for the help text.

use clap::ValueEnum;
use pairloom::encode::Transform;
use pairloom::input::{FormatName, OpenOptions};
use pairloom::loss::Loss;
use pairloom::optimizer::Optimizer;
use pairloom::reading::OnError;
use pairloom::schema::Hints;
use pairloom::{Config, Error, Result};

/// How rows are written, and what to do with bad ones.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Format of the rows: csv, tsv, libsvm or libffm [default: by extension, then by content]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<FormatName>,
    /// Character between cells of a CSV [default: found out]
    #[arg(long, value_name = "CHAR", value_parser = character)]
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
    /// The column that says which rows belong together: they are held out together
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,
    /// Columns with one value out of many
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub categorical: Vec<String>,
    /// Columns of numbers
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub numeric: Vec<String>,
    /// A column of lists and the character between their values, as in genres=|
    #[arg(long, value_name = "COLUMN=CHAR", value_parser = multi)]
    pub multi: Vec<(String, char)>,
    /// What to do with a column of numbers: price=log, age=quantile:64, ...
    #[arg(long, value_name = "COLUMN=HOW", value_parser = transform)]
    pub transform: Vec<(String, Transform, Option<usize>)>,
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
            group: self.group.clone(),
            categorical: self.categorical.clone(),
            numeric: self.numeric.clone(),
            multi: self.multi.clone(),
            transforms: self.transform.clone(),
            ignore: self.ignore.clone(),
            positive: self.positive.clone(),
        }
    }
}

/// The settings: each field is one of the library's `Config`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct ConfigArgs {
    /// Length k of the factor vectors; 0 makes a linear model
    #[arg(long, value_name = "K")]
    pub factors: Option<usize>,
    /// Passes over the training rows at the most
    #[arg(long, value_name = "N")]
    pub epochs: Option<u32>,
    /// Rows in a batch; 1 is online learning [default: 32 to 256, more for more rows]
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Learning rate [default: 0.4 over the root of a row's sum of x^2, at most 0.07, for adagrad; 0.03 over that sum, at most 0.001, for sgd; 0.003 for adam]
    #[arg(long, value_name = "X")]
    pub learning_rate: Option<f64>,
    /// Batches over which the learning rate grows to its full size
    #[arg(long, value_name = "N")]
    pub warm_up: Option<u32>,
    /// sgd, adagrad, adam, or adam-dense (which updates the whole table at each step)
    #[arg(long, value_name = "NAME", value_parser = optimizer)]
    pub optimizer: Option<Optimizer>,
    /// logistic or squared [default: logistic for a label of two values, else squared]
    #[arg(long, value_name = "NAME", value_parser = loss)]
    pub loss: Option<Loss>,
    /// L2 strength of linear weights
    #[arg(long, value_name = "X")]
    pub l2_linear: Option<f64>,
    /// L2 strength of factors [default: 7 times the root of a row's sum of x^2]
    #[arg(long, value_name = "X")]
    pub l2_factors: Option<f64>,
    /// Standard deviation of the initial factors [default: 0.2 over the root of a row's sum of x^2, at most
    /// 0.05]
    #[arg(long, value_name = "X")]
    pub init_stdev: Option<f64>,
    /// Leave out the bias
    #[arg(long)]
    pub no_bias: bool,
    /// Leave out the linear weights
    #[arg(long)]
    pub no_linear: bool,
    /// Take the rows in the order of the file in every epoch
    #[arg(long)]
    pub no_shuffle: bool,
    /// Epochs without a better validation loss before training stops; 0 never stops early
    #[arg(long, value_name = "N")]
    pub patience: Option<u32>,
    /// What the learning rate is multiplied with after such an epoch
    #[arg(long, value_name = "X")]
    pub rate_decay: Option<f64>,
    /// Seed of everything random
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Share of the rows held out at random, without a validation file; 0 for none
    #[arg(long, value_name = "SHARE")]
    pub valid_fraction: Option<f64>,
    /// Share of the rows held out from the end of the file instead, for rows in order of time; with
    /// groups, those that begin in it
    #[arg(long, value_name = "SHARE", conflicts_with = "valid_fraction")]
    pub valid_tail: Option<f64>,
    /// A value seen in fewer training rows shares the default id of its column
    #[arg(long, value_name = "N")]
    pub min_count: Option<u32>,
    /// Hash values into 2^N ids a column instead of keeping a dictionary
    #[arg(long, value_name = "N")]
    pub hash_bits: Option<u8>,
    /// What to do with columns of numbers: piecewise, quantile, standard, log or log-square
    #[arg(long, value_name = "HOW", value_parser = transform_name)]
    pub numeric_transform: Option<Transform>,
    /// Number of bins of quantile, and of knots of piecewise [default: 6, fewer for few rows]
    #[arg(long, value_name = "N")]
    pub bins: Option<usize>,
}

impl ConfigArgs {
    /// Puts what was said into a configuration.
    pub fn apply(&self, config: &mut Config) {
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(value) = from {
                *to = value.clone();
            }
        }
        set(&mut config.factors, &self.factors);
        set(&mut config.epochs, &self.epochs);
        set(&mut config.batch_size, &self.batch_size.map(Some));
        set(&mut config.learning_rate, &self.learning_rate.map(Some));
        set(&mut config.warm_up, &self.warm_up);
        set(&mut config.optimizer, &self.optimizer);
        set(&mut config.loss, &self.loss.map(Some));
        set(&mut config.l2_linear, &self.l2_linear);
        set(&mut config.l2_factors, &self.l2_factors.map(Some));
        set(&mut config.init_stdev, &self.init_stdev.map(Some));
        set(&mut config.patience, &self.patience);
        set(&mut config.rate_decay, &self.rate_decay);
        set(&mut config.seed, &self.seed);
        set(&mut config.valid_fraction, &self.valid_fraction);
        set(&mut config.valid_tail, &self.valid_tail);
        set(&mut config.min_count, &self.min_count);
        set(&mut config.hash_bits, &self.hash_bits.map(Some));
        set(&mut config.numeric_transform, &self.numeric_transform);
        set(&mut config.bins, &self.bins.map(Some));
        config.bias &= !self.no_bias;
        config.linear &= !self.no_linear;
        config.shuffle &= !self.no_shuffle;
    }
}

/// Adds the library's defaults to the help of `train`. Other commands may have flags of the same
/// names that mean other things.
pub fn show_defaults(command: clap::Command) -> clap::Command {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let defaults = defaults.as_object().cloned().unwrap_or_default();
    let shown = |default: &serde_json::Value| !default.is_null() && !default.is_boolean();
    command.mut_subcommand("train", |mut train| {
        for (setting, default) in defaults.iter().filter(|(_, default)| shown(default)) {
            if train.get_arguments().any(|arg| arg.get_id() == setting.as_str()) {
                let default = default.to_string().replace('"', "");
                train = train.mut_arg(setting, |arg| {
                    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                    arg.help(format!("{help} [default: {default}]"))
                });
            }
        }
        train
    })
}

fn by_name<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Result<T> {
    let found = all.iter().find(|item| name_of(**item) == name).copied();
    found.ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|item| name_of(*item)).collect();
        Error::usage(format!("'{name}' is none of {}", names.join(", ")))
    })
}

fn optimizer(name: &str) -> Result<Optimizer> {
    by_name(&Optimizer::ALL, Optimizer::name, name)
}

fn loss(name: &str) -> Result<Loss> {
    by_name(&Loss::ALL, Loss::name, name)
}

fn transform_name(name: &str) -> Result<Transform> {
    by_name(&Transform::ALL, Transform::name, name)
}

/// One character, or a name for one that is hard to type.
fn character(text: &str) -> Result<char> {
    let mut characters = text.chars();
    match (text, characters.next(), characters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        ("space", ..) => Ok(' '),
        (_, Some(character), None) if character.is_ascii() => Ok(character),
        _ => Err(Error::usage(format!("'{text}' is not one ASCII character"))),
    }
}

fn multi(text: &str) -> Result<(String, char)> {
    let (name, separator) = named(text, "genres=|")?;
    Ok((name.into(), character(separator)?))
}

fn transform(text: &str) -> Result<(String, Transform, Option<usize>)> {
    let (name, how) = named(text, "price=log or age=quantile:64")?;
    let Some((how, bins)) = how.split_once(':') else {
        return Ok((name.into(), transform_name(how)?, None));
    };
    let bins = bins.parse().map_err(|_| Error::usage(format!("'{bins}' is no number of bins")))?;
    match transform_name(how)? {
        how @ (Transform::Quantile | Transform::Piecewise) => Ok((name.into(), how, Some(bins))),
        _ => Err(Error::usage(format!("{how} has no number of bins"))),
    }
}

fn named<'a>(text: &'a str, example: &str) -> Result<(&'a str, &'a str)> {
    let missing = || Error::usage(format!("'{text}' lacks '=': write it like {example}"));
    text.rsplit_once('=').ok_or_else(missing)
}
