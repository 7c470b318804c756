//! The flags of the settings. Each is the field of the library's `Config` with dashes; its default is
//! the library's, read from there, also for the help text.

use crate::parse;
use pairloom::calibration::Method;
use pairloom::encode::{ClassWeight, Transform};
use pairloom::interaction::Kind;
use pairloom::loss::Loss;
use pairloom::negatives::NegativeSampling;
use pairloom::optimizer::Optimizer;
use pairloom::precision::Precision;
use pairloom::{Config, Result};

/// The settings: each field is one of the library's `Config`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct ConfigArgs {
    /// The model
    #[arg(long, value_name = "NAME", value_parser = parse::model)]
    pub model: Option<Kind>,
    /// Length k of the factor vectors; 0 makes a linear model [default: 16, of ffm 8]
    #[arg(long, value_name = "K")]
    pub factors: Option<usize>,
    /// Order of the highest interaction of hofm, from 2 to 64
    #[arg(long, value_name = "N")]
    pub order: Option<usize>,
    /// Leave out hofm's interactions of lower orders
    #[arg(long)]
    pub no_lower_orders: bool,
    /// Rank of dplr's strengths of pairs of columns, up to 1024
    #[arg(long, value_name = "N")]
    pub rank: Option<usize>,
    /// Passes over the training rows at the most
    #[arg(long, value_name = "N")]
    pub epochs: Option<u32>,
    /// Rows in a batch; 1 is online learning [default: 32 to 256, more for more rows; on a GPU, of adagrad over
    /// 262144 rows or more, a 128th of them, up to 65536]
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Rows that the batch grows by for each row that was learned from, from 32 to 256 rows up to --batch-size; 0
    /// begins with that [default: 0; 0.02 on a GPU that takes large batches, as --batch-size was left out]
    #[arg(long, value_name = "X")]
    pub batch_growth: Option<f64>,
    /// Learning rate [default: 0.4 over the root of a row's sum of x^2, at most 0.07, for adagrad
    /// and ftrl; 0.03 over that sum, at most 0.001, for sgd; 0.003 for adam]
    #[arg(long, value_name = "X")]
    pub learning_rate: Option<f64>,
    /// Nesterov's momentum for adagrad, from 0 to below 1, less for rarer values [default: 0; on a GPU that takes
    /// large batches, as --batch-size was left out, 1 - 4 over a row's sum of x^2, from 0 to 0.9]
    #[arg(long, value_name = "X")]
    pub momentum: Option<f64>,
    /// Batches over which the learning rate grows to its full size
    #[arg(long, value_name = "N")]
    pub warm_up: Option<u32>,
    /// sgd, adagrad, adam, adam-dense (which updates the whole table at each step), or ftrl (whose L1
    /// penalty leaves weights out)
    #[arg(long, value_name = "NAME", value_parser = parse::optimizer)]
    pub optimizer: Option<Optimizer>,
    /// f32, or bf16, which keeps factors and their optimizer state in half of the memory
    #[arg(long, value_name = "NAME", value_parser = parse::precision)]
    pub precision: Option<Precision>,
    /// logistic, squared, poisson (for counts), huber:D (squares up to an error of D standard deviations of
    /// the label, lines beyond; 1 without :D), quantile:Q (the Q quantile of the label; 0.5 without :Q),
    /// softmax (the probability of each of several classes), or bpr, warp or listwise (the order of the rows
    /// of a group, --group) [default: logistic for a label of two values, softmax for more that are no
    /// numbers, else squared]
    #[arg(long, value_name = "NAME", value_parser = parse::loss)]
    pub loss: Option<Loss>,
    /// How much the rows of each class count in training and in the figures that stop it: balanced, or
    /// CLASS=W,.. as in 1=5; probabilities are then those of rows that are weighted so
    #[arg(long, value_name = "WEIGHTS", value_parser = parse::class_weight)]
    pub class_weight: Option<ClassWeight>,
    /// The share of all negatives that the rows have, validation rows too, where some were left out at
    /// random: probabilities are then corrected to those of all rows
    #[arg(long, value_name = "SHARE")]
    pub negative_rate: Option<f64>,
    /// Calibrate the model on the validation rows when it is trained: platt, isotonic or beta. Weights of
    /// classes are taken back: probabilities are those of the rows as they are
    #[arg(long, value_name = "METHOD", value_parser = parse::calibration)]
    pub calibrate: Option<Method>,
    /// Items drawn for each row to be ranked below its own, with --item and a loss that ranks; 0 ranks the rows
    /// of a group that are given [default: 10]
    #[arg(long, value_name = "N")]
    pub negatives: Option<usize>,
    /// How these are drawn: uniform, or by popularity, items of many rows more often
    #[arg(long, value_name = "HOW", value_parser = parse::negative_sampling)]
    pub negative_sampling: Option<NegativeSampling>,
    /// L2 strength of linear weights
    #[arg(long, value_name = "X")]
    pub l2_linear: Option<f64>,
    /// L2 strength of factors [default: 7 times the root of a row's sum of x^2; twice the root for ffm, the root to rank]
    #[arg(long, value_name = "X")]
    pub l2_factors: Option<f64>,
    /// Keep the L2 strengths, instead of learning after each epoch how large the weights of each field
    /// may be expected to be, which adagrad does
    #[arg(long)]
    pub no_learn_l2: bool,
    /// L1 strength of linear weights, with ftrl: weights that say little become exactly 0
    #[arg(long, value_name = "X")]
    pub l1_linear: Option<f64>,
    /// L1 strength of factors, with ftrl
    #[arg(long, value_name = "X")]
    pub l1_factors: Option<f64>,
    /// Standard deviation of the initial factors [default: 0.2 over the root of a row's sum of x^2,
    /// at most 0.05]
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
    /// Share of the rows held out at random, without a validation file; 0 for none. Without it a tenth,
    /// but nothing of fewer than 50 rows
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
    /// What to do with columns of numbers: piecewise, spline, quantile, standard, log or log-square
    #[arg(long, value_name = "HOW", value_parser = parse::transform_name)]
    pub numeric_transform: Option<Transform>,
    /// Memory to train within, as 2G or 500M: rows that there is no room for go to a temporary file
    /// [default: as much as the rows need]
    #[arg(long, value_name = "BYTES", value_parser = parse::bytes)]
    pub memory: Option<u64>,
    /// Number of bins of quantile, of knots of piecewise, or of functions of spline (at least 4) [default: 6, fewer for few rows]
    #[arg(long, value_name = "N")]
    pub bins: Option<usize>,
}

impl ConfigArgs {
    /// Puts what was said into a configuration.
    ///
    /// # Errors
    /// [`Error::Usage`] for a flag of another model.
    pub fn apply(&self, config: &mut Config) -> Result<()> {
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(value) = from {
                *to = value.clone();
            }
        }
        set(&mut config.model, &self.model);
        set(&mut config.factors, &self.factors.map(Some));
        set(&mut config.order, &self.order);
        set(&mut config.rank, &self.rank);
        set(&mut config.epochs, &self.epochs);
        set(&mut config.batch_size, &self.batch_size.map(Some));
        set(&mut config.batch_growth, &self.batch_growth.map(Some));
        set(&mut config.learning_rate, &self.learning_rate.map(Some));
        set(&mut config.warm_up, &self.warm_up);
        set(&mut config.optimizer, &self.optimizer);
        if self.optimizer.is_some_and(|optimizer| optimizer != Optimizer::Adagrad) {
            // That of a model that is gone on from is adagrad's.
            config.momentum = None;
        }
        set(&mut config.momentum, &self.momentum.map(Some));
        set(&mut config.precision, &self.precision);
        set(&mut config.loss, &self.loss.map(Some));
        set(&mut config.class_weight, &self.class_weight.clone().map(Some));
        set(&mut config.negative_rate, &self.negative_rate);
        set(&mut config.calibrate, &self.calibrate.map(Some));
        set(&mut config.negatives, &self.negatives.map(Some));
        set(&mut config.negative_sampling, &self.negative_sampling);
        set(&mut config.l2_linear, &self.l2_linear);
        set(&mut config.l2_factors, &self.l2_factors.map(Some));
        set(&mut config.l1_linear, &self.l1_linear);
        set(&mut config.l1_factors, &self.l1_factors);
        set(&mut config.init_stdev, &self.init_stdev.map(Some));
        set(&mut config.patience, &self.patience);
        set(&mut config.rate_decay, &self.rate_decay);
        set(&mut config.seed, &self.seed);
        set(&mut config.valid_fraction, &self.valid_fraction.map(Some));
        set(&mut config.valid_tail, &self.valid_tail);
        set(&mut config.min_count, &self.min_count);
        set(&mut config.hash_bits, &self.hash_bits.map(Some));
        set(&mut config.numeric_transform, &self.numeric_transform);
        set(&mut config.memory, &self.memory.map(Some));
        set(&mut config.bins, &self.bins.map(Some));
        config.lower_orders &= !self.no_lower_orders;
        config.learn_l2 &= !self.no_learn_l2;
        config.bias &= !self.no_bias;
        config.linear &= !self.no_linear;
        config.shuffle &= !self.no_shuffle;
        let said = [
            ("order", self.order.is_some()),
            ("lower_orders", self.no_lower_orders),
            ("rank", self.rank.is_some()),
        ];
        let said = said.into_iter().filter(|(_, is_said)| *is_said);
        said.map(|(name, _)| name).try_for_each(|name| config.check_of_model(name))
    }
}

/// Adds the library's defaults to the help of the commands that have all settings. Others may have flags of the
/// same names that mean other things.
pub fn show_defaults(command: clap::Command) -> clap::Command {
    let commands = ["train", "study", "tune"].into_iter();
    commands.fold(command, |command, name| command.mut_subcommand(name, with_defaults))
}

fn with_defaults(mut command: clap::Command) -> clap::Command {
    let defaults = Config::default().values();
    let model = |kind: &Kind| format!("{} ({})", kind.name(), kind.title());
    let models = Kind::ALL.iter().map(model).collect::<Vec<_>>().join(", ");
    command = command.mut_arg("model", |arg| arg.help(format!("The model: {models}")));
    for (setting, default) in &defaults {
        let is_flag = command.get_arguments().any(|arg| arg.get_id() == setting.as_str());
        if let Some(default) = default.as_ref().filter(|_| is_flag) {
            command = command.mut_arg(setting, |arg| {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                arg.help(format!("{help} [default: {default}]"))
            });
        }
    }
    command
}
