//! Settings of a training run, with their defaults and limits.
//!
//! One name everywhere: the field here is the key in the model file and, with dashes, the flag of
//! the command. The defaults were chosen by measuring: see `bench/defaults`.

use crate::calibration::Method;
use crate::encode::{ClassWeight, Transform};
use crate::interaction::Kind;
use crate::loss::Loss;
use crate::negatives::NegativeSampling;
use crate::optimizer::Optimizer;
use crate::precision::Precision;
use crate::schema::Schema;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// All settings that decide the numbers in a model. What only decides how fast they come (threads)
/// is not among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The model.
    pub model: Kind,
    /// Length `k` of the factor vectors; 0 makes a linear model. `None` takes 16, and 8 for `ffm`, where
    /// a feature has a vector for each field.
    pub factors: Option<usize>,
    /// Order of the highest interaction of `hofm`.
    pub order: usize,
    /// Whether `hofm` has interactions of the lower orders too, each with factors of its own.
    pub lower_orders: bool,
    /// Rank of what `dplr` learns of pairs of fields.
    pub rank: usize,
    /// Whether there is a bias `w0`.
    pub bias: bool,
    /// Whether there are linear weights `w_i`.
    pub linear: bool,
    /// Standard deviation of the initial factors (normal, mean 0). Linear weights start at 0. `None`
    /// takes 0.2 over the root of the mean `sum_i x_i^2` of a row (its number of features, if each
    /// `x` is 1), at most 0.05: the noise that the first scores start from grows with the number of
    /// pairs.
    pub init_stdev: Option<f64>,
    /// The loss; `None` takes logistic for a label of two values, softmax for more values if some are no
    /// numbers, and squared for any other.
    pub loss: Option<Loss>,
    /// How much the rows of each class count in training and in the figures that stop it, beside their own
    /// weights. Probabilities are then those of rows that are weighted so.
    pub class_weight: Option<ClassWeight>,
    /// The share of the negatives that the training and validation rows have, of all that there are: more
    /// than 0 and at most 1. Predictions are corrected for it ([`crate::Model::corrected`]); the figures of an
    /// epoch are those of the sampled rows, and not.
    pub negative_rate: f64,
    /// How the model is calibrated on the validation rows when it is trained.
    pub calibrate: Option<Method>,
    /// How many items are drawn for each row to be ranked below its own, where the schema says what an item
    /// is and the loss ranks. `None` takes 10; 0 ranks the rows of a group that are given.
    pub negatives: Option<usize>,
    /// How they are drawn.
    pub negative_sampling: NegativeSampling,
    /// How the factors and the optimizer's state of them are kept; the arithmetic is in 32 bits
    /// always. Bfloat16 takes half of the memory.
    pub precision: Precision,
    /// The update rule.
    pub optimizer: Optimizer,
    /// The learning rate. `None` takes 0.03 over the mean `sum_i x_i^2` of a row, at most
    /// 0.001, for SGD, 0.003 for Adam, and for AdaGrad and FTRL-Proximal 0.4 over the
    /// root of the mean `sum_i x_i^2` of a row, at most 0.07: a step moves each of a row's features,
    /// and its score by all of them.
    pub learning_rate: Option<f64>,
    /// What is kept of the gradients of earlier steps, for AdaGrad: 0 keeps nothing. `None` takes 0, and for the
    /// large batches that a GPU takes 1 - 4 over the mean `sum_i x_i^2` of a row, from 0 to 0.9.
    pub momentum: Option<f64>,
    /// Batches over which the learning rate grows to its full size; 0 starts with it. AdaGrad then
    /// knows the size of the gradients before it makes large steps.
    pub warm_up: u32,
    /// L2 strength of linear weights: `l2/2 w^2` of every `w` is added to the *sum* of the training
    /// rows' losses, so that it is `1/C` of scikit-learn and says as much about a frequent as about
    /// a rare feature: one over the variance that its weight is expected to have.
    pub l2_linear: f64,
    /// L2 strength of factors, likewise. `None` takes 7 times the root of the mean `sum_i x_i^2`
    /// of a row: the more pairs a score adds up, the less each may say; twice the root for `ffm`, where
    /// a vector meets those of one field only, and the root where rows are ranked.
    pub l2_factors: Option<f64>,
    /// Whether AdaGrad learns the L2 strengths: after each epoch those of each field become one over the
    /// variance that its weights are seen to have. The strengths above are what that starts from, and
    /// count as much as ten features; one of 0 stays 0.
    pub learn_l2: bool,
    /// L1 strength of linear weights, for FTRL-Proximal alone: `l1 |w|` of every `w` is added to the
    /// sum of the training rows' losses, which makes weights exactly 0.
    pub l1_linear: f64,
    /// L1 strength of factors, likewise.
    pub l1_factors: f64,
    /// Rows in a batch; 1 is online learning. `None` takes about a 256th of the training rows, a
    /// power of 2 from 32 to 256: small data sets need the steps, large ones the speed. On a GPU AdaGrad takes
    /// about a 128th, up to 65536, of 262144 rows or more.
    pub batch_size: Option<usize>,
    /// How much the batch grows for each row that was learned from, beginning with that of `None`, up to
    /// `batch_size`; 0 begins with that. `None` takes 0, and for the large batches that a GPU takes 0.02.
    pub batch_growth: Option<f64>,
    /// Passes over the training rows at the most.
    pub epochs: u32,
    /// Whether each epoch takes the rows in a new random order.
    pub shuffle: bool,
    /// Epochs without a better validation loss before training stops; 0 never stops early.
    pub patience: u32,
    /// What the learning rate is multiplied with after an epoch without a better validation loss;
    /// 1 leaves it.
    pub rate_decay: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Share of the rows held out for validation, drawn at random (whole groups if there is a
    /// group column), when no validation file is given. 0 holds out none. `None` takes a tenth, but
    /// nothing of fewer than 50 rows, where so few would be held out that they tell nothing.
    pub valid_fraction: Option<f64>,
    /// Share of the rows held out from the end of the file instead, for rows in order of time.
    pub valid_tail: f64,
    /// A categorical value seen in fewer training rows gets the default id of its column.
    pub min_count: u32,
    /// Hash categorical values into `2^hash_bits` ids a column instead of keeping a dictionary.
    pub hash_bits: Option<u8>,
    /// What is done to numeric columns that say nothing else.
    pub numeric_transform: Transform,
    /// Bytes of memory to train within: rows that there is no room for go to a temporary file and
    /// are shuffled in windows. `None` takes what all rows need. It is a setting because it decides
    /// in what order the rows of a large file are learned from.
    pub memory: Option<u64>,
    /// Number of bins or knots for those of them that are cut at their quantiles, or of functions of
    /// splines. `None` takes 6, but no more than one for ten training rows in all columns together,
    /// and at least 2 (of splines 4).
    pub bins: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            model: Kind::Fm,
            factors: None,
            order: 3,
            lower_orders: true,
            rank: 3,
            bias: true,
            linear: true,
            init_stdev: None,
            loss: None,
            class_weight: None,
            negative_rate: 1.0,
            calibrate: None,
            negatives: None,
            negative_sampling: NegativeSampling::Uniform,
            precision: Precision::F32,
            optimizer: Optimizer::Adagrad,
            learning_rate: None,
            momentum: None,
            warm_up: 30,
            l2_linear: 1.0,
            l2_factors: None,
            learn_l2: true,
            l1_linear: 0.0,
            l1_factors: 0.0,
            batch_size: None,
            batch_growth: None,
            epochs: 50,
            shuffle: true,
            patience: 3,
            rate_decay: 0.5,
            seed: 0,
            valid_fraction: None,
            valid_tail: 0.0,
            min_count: 2,
            hash_bits: None,
            numeric_transform: Transform::Piecewise,
            memory: None,
            bins: None,
        }
    }
}

impl Config {
    /// The settings with everything decided that is left to the data: `rows` training rows with
    /// this mean square length and so many numeric columns, and this loss.
    pub fn resolve(&self, rows: usize, square_length: f64, numbers: usize, loss: Loss) -> Config {
        let root = square_length.max(1.0).sqrt();
        let rate = match self.optimizer {
            Optimizer::Sgd => (0.03 / square_length.max(1.0)).min(0.001),
            Optimizer::Adagrad | Optimizer::Ftrl => (0.4 / root).min(0.07),
            Optimizer::Adam | Optimizer::AdamDense => 0.003,
        };
        let strength = match self.model {
            // To be first of many takes greater differences of scores than to be likely.
            _ if loss.is_ranking() => 1.0,
            Kind::Ffm => 2.0,
            _ => 7.0,
        };
        Config {
            loss: Some(loss),
            factors: Some(self.resolved_factors()),
            learning_rate: self.learning_rate.or(Some(short(rate))),
            init_stdev: self.init_stdev.or(Some(short((0.2 / root).min(0.05)))),
            l2_factors: self.l2_factors.or(Some(short(strength * root))),
            momentum: self.momentum.or(Some(0.0)),
            batch_size: Some(self.batch_rows(rows)),
            batch_growth: self.batch_growth.or(Some(0.0)),
            bins: Some(self.bins_of(rows, numbers)),
            ..self.clone()
        }
    }

    /// Length of the factor vectors.
    pub fn resolved_factors(&self) -> usize {
        let usual = if self.model == Kind::Ffm { 8 } else { 16 };
        let factors = self.factors.unwrap_or(usual);
        if self.model == Kind::Linear { 0 } else { factors }
    }

    /// What the model computes.
    pub fn formula(&self) -> String {
        let model = if self.resolved_factors() == 0 { Kind::Linear } else { self.model };
        let orders = match self.lower_orders {
            true => format!("sum_{{t=2..{}}}", self.order),
            false => format!("sum_{{t={}}}", self.order),
        };
        model.formula().replace("sum_t", &orders)
    }

    /// Items that are drawn for a row to be ranked below its own, if the schema says what an item is.
    pub fn drawn_negatives(&self, schema: &Schema) -> usize {
        /// Measured: `bench/defaults`.
        const USUAL: usize = 10;
        let draws = self.loss.is_some_and(Loss::is_ranking) && !schema.item.is_empty();
        if draws { self.negatives.unwrap_or(USUAL) } else { 0 }
    }

    /// The learning rate of settings that are resolved.
    pub fn resolved_rate(&self) -> f64 {
        self.learning_rate.unwrap_or(0.0)
    }

    /// Rows in a batch when there are `rows` training rows: at the most, if it grows.
    pub fn batch_rows(&self, rows: usize) -> usize {
        self.batch_size.unwrap_or_else(|| usual_batch(rows))
    }

    /// Rows in a batch on a GPU, which has many rows at once, where it takes large ones: of AdaGrad over so many training
    /// rows that these leave it enough steps, if nothing is said of the batch.
    pub fn large_batch(&self, rows: usize) -> Option<usize> {
        /// The largest one, and the rows from which on there are any.
        const LARGEST: usize = 1 << 16;
        const LEAST_ROWS: usize = 1 << 18;
        let takes = self.batch_size.is_none() && self.optimizer == Optimizer::Adagrad;
        (takes && rows >= LEAST_ROWS).then(|| LARGEST.min(1 << (rows / 128).ilog2()))
    }

    /// The settings for large batches of so many rows, with what makes up for them, where rows have this mean square length.
    pub fn with_large_batches(&self, batch_size: usize, square_length: f64) -> Config {
        /// Of what is measured the most.
        const MOST_MOMENTUM: f64 = 0.9;
        let momentum = (1.0 - 4.0 / square_length.max(1.0)).clamp(0.0, MOST_MOMENTUM);
        Config {
            batch_size: Some(batch_size),
            batch_growth: self.batch_growth.or(Some(0.02)),
            momentum: self.momentum.or(Some(short(momentum))),
            ..self.clone()
        }
    }

    /// Rows in a batch at the most, whatever device it is for.
    pub fn largest_batch(&self, rows: usize) -> usize {
        self.large_batch(rows).unwrap_or_else(|| self.batch_rows(rows))
    }

    /// Rows in the batch that comes after so many were learned from, of `rows` training rows, for settings that are
    /// resolved.
    pub fn batch_after(&self, learned: usize, rows: usize) -> usize {
        let most = self.batch_rows(rows);
        match self.batch_growth.filter(|&growth| growth > 0.0) {
            Some(growth) => {
                most.min(usual_batch(rows).saturating_add((growth * learned as f64) as usize))
            }
            None => most,
        }
    }

    /// Floats of the optimizer's state for each parameter, for settings that are resolved.
    pub fn states(&self) -> usize {
        self.optimizer.states_with(self.momentum.is_some_and(|of| of > 0.0))
    }

    /// The share of so many rows that is held out at random.
    pub fn valid_share(&self, rows: usize) -> f64 {
        const FEWEST: usize = 50;
        self.valid_fraction.unwrap_or(if rows < FEWEST { 0.0 } else { 0.1 })
    }

    /// Whether no rows are to be held out.
    pub fn holds_none_out(&self) -> bool {
        self.valid_fraction == Some(0.0) && self.valid_tail == 0.0
    }

    /// Bins or knots of a numeric column, if there are so many training rows and such columns.
    pub fn bins_of(&self, rows: usize, numbers: usize) -> usize {
        let least = self.numeric_transform.least_bins();
        self.bins.unwrap_or_else(|| (rows / (10 * numbers.max(1))).clamp(least, 6))
    }

    /// The loss of a trained model's settings, where it is always set.
    pub fn resolved_loss(&self) -> Loss {
        self.loss.unwrap_or(Loss::Squared)
    }

    /// The settings as (name, value), by name; no value for what is off or left to the data.
    pub fn values(&self) -> Vec<(String, Option<String>)> {
        let all = serde_json::to_value(self).unwrap_or_default();
        let text = |value: &serde_json::Value| {
            (!value.is_null()).then(|| value.to_string().replace('"', ""))
        };
        let all = all.as_object().into_iter().flatten();
        all.map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// Refuses a setting that was said and is of another model.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn check_of_model(&self, setting: &str) -> Result<()> {
        let of = match setting {
            "order" | "lower_orders" => Kind::Hofm,
            "rank" => Kind::Dplr,
            _ => return Ok(()),
        };
        let flag = if setting == "lower_orders" { "no-lower-orders" } else { setting };
        let (of, model) = (of.name(), self.model.name());
        match of == model {
            true => Ok(()),
            false => {
                Err(Error::usage(format!("--{flag} is for --model {of}, and the model is {model}")))
            }
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the first setting that cannot work and what would.
    pub fn check(&self) -> Result<()> {
        let share = "at least 0 and less than 1";
        let is_l1 = |x: f64| is_at_least_0(x) && (x == 0.0 || self.optimizer == Optimizer::Ftrl);
        let l1 = "a number of at least 0, and 0 without --optimizer ftrl";
        let ranks = self.loss.is_some_and(Loss::is_ranking);
        let classes = matches!(self.loss, None | Some(Loss::Logistic));
        let rules: [(&str, bool, &str); 26] = [
            (
                "negatives",
                self.negatives.is_none_or(|n| n <= 10_000 && (n == 0 || ranks)),
                "at most 10000, and 0 without --loss bpr, warp or listwise",
            ),
            ("factors", self.resolved_factors() <= 1 << 16, "at most 65536"),
            ("order", (2..=64).contains(&self.order), "from 2 to 64"),
            ("rank", (1..=1024).contains(&self.rank), "from 1 to 1024"),
            ("init_stdev", self.init_stdev.is_none_or(is_at_least_0), "a number of at least 0"),
            (
                "learning_rate",
                self.learning_rate.is_none_or(|x| x > 0.0 && x.is_finite()),
                "more than 0",
            ),
            (
                "negative_rate",
                (1e-30..=1.0).contains(&self.negative_rate),
                "at least 1e-30 and at most 1",
            ),
            ("negative_rate", classes || self.negative_rate == 1.0, "1 without --loss logistic"),
            ("calibrate", classes || self.calibrate.is_none(), "off without --loss logistic"),
            (
                "class_weight",
                self.class_weight.is_none() || !ranks,
                "left out with --loss bpr, warp or listwise, which have no classes",
            ),
            (
                "momentum",
                self.momentum.is_none_or(|x| {
                    x == 0.0 || (0.0..1.0).contains(&x) && self.optimizer == Optimizer::Adagrad
                }),
                "at least 0 and less than 1, and 0 without --optimizer adagrad",
            ),
            ("batch_growth", self.batch_growth.is_none_or(is_at_least_0), "a number of at least 0"),
            ("l2_linear", is_at_least_0(self.l2_linear), "a number of at least 0"),
            ("l2_factors", self.l2_factors.is_none_or(is_at_least_0), "a number of at least 0"),
            ("l1_linear", is_l1(self.l1_linear), l1),
            ("l1_factors", is_l1(self.l1_factors), l1),
            ("batch_size", (1..=1 << 24).contains(&self.batch_rows(0)), "from 1 to 16777216"),
            ("epochs", self.epochs >= 1, "at least 1"),
            ("rate_decay", self.rate_decay > 0.0 && self.rate_decay <= 1.0, "in (0, 1]"),
            ("valid_fraction", (0.0..1.0).contains(&self.valid_share(usize::MAX)), share),
            ("valid_tail", (0.0..1.0).contains(&self.valid_tail), share),
            ("min_count", self.min_count >= 1, "at least 1"),
            ("hash_bits", self.hash_bits.is_none_or(|b| (1..=30).contains(&b)), "from 1 to 30"),
            ("bins", self.bins.is_none_or(|b| (2..=65536).contains(&b)), "from 2 to 65536"),
            (
                "bins",
                self.bins.is_none_or(|b| b >= self.numeric_transform.least_bins()),
                "at least 4 for spline",
            ),
            (
                "bias",
                self.bias || self.linear || self.resolved_factors() > 0,
                "on, if all else is off",
            ),
        ];
        match rules.iter().find(|(_, holds, _)| !holds) {
            None => Ok(()),
            Some((name, _, rule)) => Err(Error::setting(name, rule)),
        }
    }
}

/// Two digits: nobody wants to read or repeat more of them.
fn short(x: f64) -> f64 {
    format!("{x:.1e}").parse().unwrap_or(x)
}

/// Rows in a batch of so many training rows where nothing is said.
fn usual_batch(rows: usize) -> usize {
    1 << (rows / 256).clamp(32, 256).ilog2()
}

/// False for NaN and infinity too.
fn is_at_least_0(x: f64) -> bool {
    x.is_finite() && x >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_has_large_batches_where_nothing_is_said() {
        let usual = Config::default();
        assert_eq!(usual.large_batch(45_800_000), Some(1 << 16));
        assert_eq!(usual.large_batch(1_000_000), Some(4096));
        // A small set has those of the CPU.
        assert_eq!((usual.large_batch((1 << 18) - 1), usual.largest_batch(100_000)), (None, 256));
        assert_eq!((usual.large_batch(0), usual.largest_batch(0)), (None, 32));
        let said = Config { batch_size: Some(512), ..Config::default() };
        assert_eq!((said.large_batch(1_000_000), said.largest_batch(1_000_000)), (None, 512));
        let adam = Config { optimizer: Optimizer::Adam, ..Config::default() };
        assert_eq!(adam.large_batch(1_000_000), None);
        let of = |config: &Config, squares| {
            let large = config.with_large_batches(4096, squares);
            (large.batch_size, large.batch_growth, large.momentum)
        };
        assert_eq!(of(&usual, 39.0), (Some(4096), Some(0.02), Some(0.9)));
        assert_eq!(of(&usual, 15.0), (Some(4096), Some(0.02), Some(0.73)));
        assert_eq!(
            (of(&usual, 2.0).2, of(&usual, 0.0).2, of(&usual, 1e6).2),
            (Some(0.0), Some(0.0), Some(0.9))
        );
        let said = Config { momentum: Some(0.5), batch_growth: Some(0.0), ..Config::default() };
        assert_eq!(of(&said, 39.0), (Some(4096), Some(0.0), Some(0.5)));
    }

    #[test]
    fn batches_grow_up_to_their_size() {
        let config =
            |batch_growth| Config { batch_size: Some(1000), batch_growth, ..Config::default() };
        let sizes = |config: Config| [0, 10_000, 1 << 20].map(|n| config.batch_after(n, 100_000));
        assert_eq!(sizes(config(None)), [1000; 3]);
        assert_eq!(sizes(config(Some(0.0))), [1000; 3]);
        assert_eq!(sizes(config(Some(0.02))), [256, 456, 1000]);
        // Batches that are smaller than where growing begins stay so.
        let small = Config { batch_size: Some(7), ..config(Some(0.02)) };
        assert_eq!(sizes(small), [7; 3]);
        assert_eq!(sizes(config(Some(1e300))), [256, 1000, 1000]);
    }

    #[test]
    fn a_momentum_is_adagrads() {
        let check = |optimizer, momentum| {
            Config { optimizer, momentum: Some(momentum), ..Config::default() }.check().is_ok()
        };
        assert!(check(Optimizer::Adagrad, 0.9) && check(Optimizer::Sgd, 0.0));
        assert!(!check(Optimizer::Adagrad, 1.0) && !check(Optimizer::Adagrad, f64::NAN));
        assert!(!check(Optimizer::Adagrad, -0.1) && !check(Optimizer::Sgd, 0.9));
    }
}
