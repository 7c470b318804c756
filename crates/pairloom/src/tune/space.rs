//! Where settings are looked for.

use super::Begun;
use crate::config::Config;
use crate::error::flagged;
use crate::optimizer::Optimizer;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Values of one setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers of a range, their logarithms alike.
    Range {
        /// The least: more than 0.
        low: f64,
        /// The greatest.
        high: f64,
        /// Whether they are whole.
        whole: bool,
    },
    /// The usual value of the model, times a number of a range, whose logarithms are alike.
    Times {
        /// The least: more than 0.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Some, alike.
    Choice(Vec<String>),
}

/// A setting that is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Values,
}

impl Axis {
    fn new(name: &str, values: Values) -> Self {
        Axis { name: name.into(), values }
    }

    /// What `NAME=LOW:HIGH` or `NAME=VALUE,VALUE,...` says.
    ///
    /// # Errors
    /// [`Error::Usage`] for a setting that is not there, or what are no values of it.
    pub fn said(text: &str, base: &Config) -> Result<Self> {
        let form = || Error::usage(format!("'{text}' is no NAME=LOW:HIGH and no NAME=VALUE,VALUE"));
        let (name, values) = text.split_once('=').ok_or_else(form)?;
        let name = name.replace('-', "_");
        let range = || {
            let (low, high) = values.split_once(':')?;
            let [low, high] = [low, high].map(|end| end.parse::<f64>().ok());
            Some((low?, high?)).filter(|(low, high)| *low > 0.0 && low < high && high.is_finite())
        };
        let values = match range() {
            Some((low, high)) => {
                // A setting that takes no fraction is a whole number.
                let whole = base.with(&name, "1.5").is_err();
                Values::Range { low, high, whole }
            }
            None if values.contains(':') && !values.contains(',') => {
                let range = "a range is LOW:HIGH with 0 < LOW < HIGH";
                return Err(Error::usage(format!("{}: '{values}': {range}", flagged(&name))));
            }
            None => Values::Choice(values.split(',').map(String::from).collect()),
        };
        let axis = Axis { name, values };
        axis.check(base).map(|()| axis)
    }

    /// Checks that there is such a setting, and that it has such values.
    pub(super) fn check(&self, base: &Config) -> Result<()> {
        let ends = match &self.values {
            Values::Range { low, high, whole } => {
                [*low, *high].map(|end| number(end, *whole)).to_vec()
            }
            Values::Times { .. } => Vec::new(),
            Values::Choice(all) => all.clone(),
        };
        ends.iter().try_for_each(|value| base.with(&self.name, value).map(drop))
    }

    /// The text of a value that is drawn for these settings.
    fn draw(
        &self,
        config: &Config,
        begun: &Begun,
        random: &mut Xoshiro256PlusPlus,
    ) -> Option<String> {
        let mut between = |low: f64, high: f64| random.random_range(low.ln()..=high.ln()).exp();
        match &self.values {
            Values::Range { low, high, whole } => Some(number(between(*low, *high), *whole)),
            Values::Times { low, high } => {
                let times = between(*low, *high);
                let known = begun.resolve(config).values();
                let value = &known.iter().find(|(name, _)| *name == self.name)?.1;
                let value: f64 = value.as_ref()?.parse().ok()?;
                let whole = config.with(&self.name, "1.5").is_err();
                let least = if whole { 1.0 } else { f64::MIN_POSITIVE };
                Some(number((times * value).max(least), whole))
            }
            Values::Choice(all) => all.get(random.random_range(0..all.len())).cloned(),
        }
    }
}

/// Two digits: nobody wants to read or repeat more of them.
fn number(value: f64, whole: bool) -> String {
    if whole {
        return format!("{}", value.round().max(1.0));
    }
    let short: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    short.to_string()
}

/// The settings that matter, and where they are looked for where nothing is said: ranges around the usual values, which
/// follow from the rows.
pub fn usual_axes(config: &Config) -> Vec<Axis> {
    let times = |low, high| Values::Times { low, high };
    let choice = |all: &[&str]| Values::Choice(all.iter().map(ToString::to_string).collect());
    let mut axes = vec![
        Axis::new("factors", choice(&["4", "8", "16", "32", "64"])),
        Axis::new("l2_factors", times(0.03, 10.0)),
        Axis::new("l2_linear", times(0.03, 30.0)),
        Axis::new("learning_rate", times(0.25, 4.0)),
        Axis::new("batch_size", times(0.25, 4.0)),
        Axis::new("init_stdev", times(0.3, 3.0)),
        Axis::new("min_count", choice(&["1", "2", "3", "5", "10"])),
        Axis::new("numeric_transform", choice(&["piecewise", "spline"])),
    ];
    if config.optimizer == Optimizer::Adagrad {
        axes.push(Axis::new("learn_l2", choice(&["true", "true", "false"])));
    }
    axes
}

/// The settings of a trial, and what was drawn of them.
pub(super) fn trial(
    base: &Config,
    axes: &[Axis],
    begun: &Begun,
    number: usize,
) -> Result<(Config, Vec<(String, String)>)> {
    let mix = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(base.seed.rotate_left(48) ^ mix);
    let (mut config, mut said) = (base.clone(), Vec::new());
    let is_moot = |config: &Config, name: &str| {
        config.is_moot(name) || (name == "numeric_transform" && begun.numbers == 0)
    };
    // Whether a setting means something, and what is usual, depends on the model.
    for of_model in [true, false] {
        for axis in axes.iter().filter(|axis| (axis.name == "model") == of_model) {
            let Some(value) = axis.draw(&config, begun, &mut random) else { continue };
            if !is_moot(&config, &axis.name) {
                config = config.with(&axis.name, &value)?;
                said.push((axis.name.clone(), value));
            }
        }
    }
    Ok((config, said))
}
