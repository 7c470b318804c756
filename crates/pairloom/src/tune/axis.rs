//! Where settings are looked for.

use super::Begun;
use super::cost::cost;
use crate::config::Config;
use crate::error::flagged;
use crate::interaction::Kind;
use crate::optimizer::Optimizer;
use crate::{Error, Result};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What chance a trial has.
pub(super) type Random = Xoshiro256PlusPlus;

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
    /// Of a factorization machine over three fields or more, the model that knows fields: `ffm`, or `dplr` where an
    /// epoch of that would take too much longer; neither if both would. It is tried alone, and drawn near it if it is
    /// good.
    Richer,
}

/// A setting that is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Values,
    /// Whether it is drawn in every trial, or stays as it is in every other one: of many settings that are each
    /// somewhere else, some are always where they do harm.
    pub always: bool,
}

/// How far a setting moves: the standard deviation of its logarithm, beside the length of its range.
const STEP: f64 = 0.125;

/// Values without an order of which each is tried alone.
const ALONE: usize = 4;

/// Settings that change which rows are measured, or what a figure is.
const MEASURES: [&str; 5] =
    ["seed", "valid_fraction", "valid_tail", "class_weight", "negative_rate"];

/// How many times as long an epoch of a richer model may take.
const RICHER: f64 = 8.0;

const RANGE: &str = "a range is LOW:HIGH with 0 < LOW < HIGH";

/// Whether values can be drawn between these ends.
fn is_range(low: f64, high: f64) -> bool {
    low > 0.0 && low < high && high.is_finite()
}

impl Axis {
    pub(super) fn new(name: &str, values: Values, always: bool) -> Self {
        Axis { name: name.into(), values, always }
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
            Some((low?, high?)).filter(|&(low, high)| is_range(low, high))
        };
        let values = match range() {
            Some((low, high)) => {
                // A setting that takes no fraction is a whole number.
                let whole = base.with(&name, "1.5").is_err();
                Values::Range { low, high, whole }
            }
            None if values.contains(':') && !values.contains(',') => {
                let message = format!("{}: '{values}': {RANGE}", flagged(&name));
                return Err(Error::usage(message));
            }
            None => Values::Choice(values.split(',').map(String::from).collect()),
        };
        let axis = Axis { name, values, always: true };
        axis.check(base).map(|()| axis)
    }

    /// Checks that there is such a setting, and that it has such values.
    pub(super) fn check(&self, base: &Config) -> Result<()> {
        let refused = |what: &str| Err(Error::usage(format!("{}: {what}", flagged(&self.name))));
        if MEASURES.contains(&self.name.as_str()) {
            return refused("figures with different values of it cannot be compared");
        }
        match &self.values {
            Values::Range { low, high, .. } | Values::Times { low, high }
                if !is_range(*low, *high) =>
            {
                return refused(RANGE);
            }
            Values::Choice(all) if all.is_empty() => return refused("there are no values"),
            _ => {}
        }
        let ends = match &self.values {
            Values::Range { low, high, whole } => {
                [*low, *high].map(|end| number(end, *whole)).to_vec()
            }
            Values::Times { .. } | Values::Richer => Vec::new(),
            Values::Choice(all) => all.clone(),
        };
        ends.iter().try_for_each(|value| base.with(&self.name, value).map(drop))
    }

    /// The text of a value that is drawn for these settings.
    pub(super) fn draw(
        &self,
        config: &Config,
        begun: &Begun,
        random: &mut Random,
    ) -> Option<String> {
        if let Values::Choice(all) = &self.values {
            return all.get(random.random_range(0..all.len())).cloned();
        }
        let (low, high) = self.ends(config, begun)?;
        let value = random.random_range(low.ln()..=high.ln()).exp();
        Some(self.text(value, config))
    }

    /// Values to be tried alone: the middle between what is usual and the ends of a range; the ends of numbers; all of
    /// a few others.
    pub(super) fn alone(&self, config: &Config, begun: &Begun) -> Vec<String> {
        let usual = usual(&self.name, config, begun);
        let mut values = match &self.values {
            Values::Choice(all) if all.iter().all(|text| text.parse::<f64>().is_ok()) => {
                all.iter().rev().take(1).chain(all.first()).cloned().collect()
            }
            Values::Choice(all) => all.iter().take(ALONE).cloned().collect(),
            Values::Richer => {
                richer(config, begun.fields).iter().map(|kind| kind.name().into()).collect()
            }
            _ => {
                let usual = usual.as_deref().and_then(|text| text.parse::<f64>().ok());
                match (self.ends(config, begun), usual.filter(|usual| *usual > 0.0)) {
                    (Some((low, high)), Some(usual)) => {
                        // What is usual may lie outside.
                        let inside = usual.clamp(low, high);
                        let middle = |end: f64| (end * inside).sqrt().clamp(low, high);
                        [middle(high), middle(low)].map(|value| self.text(value, config)).to_vec()
                    }
                    _ => Vec::new(),
                }
            }
        };
        values.retain(|value| Some(value.as_str()) != usual.as_deref());
        values.dedup();
        values
    }

    /// The text of a value beside `value`, or beside what is usual for these settings.
    pub(super) fn near(
        &self,
        value: Option<&str>,
        config: &Config,
        begun: &Begun,
        random: &mut Random,
    ) -> Option<String> {
        if self.values == Values::Richer {
            return value.map(String::from);
        }
        let usual = usual(&self.name, config, begun);
        let value = value.or(usual.as_deref());
        if let Values::Choice(all) = &self.values {
            let is_ordered = all.iter().all(|text| text.parse::<f64>().is_ok());
            let at = all.iter().position(|text| Some(text.as_str()) == value);
            return match at {
                Some(at) if is_ordered => {
                    let next = if random.random() { at + 1 } else { at.saturating_sub(1) };
                    all.get(next.min(all.len() - 1)).cloned()
                }
                _ => self.draw(config, begun, random),
            };
        }
        let (low, high) = self.ends(config, begun)?;
        let step: f64 = StandardNormal.sample(random);
        let value = value?.parse::<f64>().ok()? * (step * STEP * (high / low).ln()).exp();
        Some(self.text(value.clamp(low, high), config))
    }

    /// The ends of a range.
    fn ends(&self, config: &Config, begun: &Begun) -> Option<(f64, f64)> {
        match self.values {
            Values::Range { low, high, .. } => Some((low, high)),
            Values::Times { low, high } => {
                let usual: f64 = usual(&self.name, config, begun)?.parse().ok()?;
                Some((low * usual, high * usual)).filter(|&(low, high)| is_range(low, high))
            }
            Values::Choice(_) | Values::Richer => None,
        }
    }

    fn text(&self, value: f64, config: &Config) -> String {
        let whole = match self.values {
            Values::Range { whole, .. } => whole,
            _ => config.with(&self.name, "1.5").is_err(),
        };
        number(value, whole)
    }
}

/// The usual value of a setting.
fn usual(name: &str, config: &Config, begun: &Begun) -> Option<String> {
    begun.resolve(config).values().into_iter().find(|(of, _)| *of == name)?.1
}

/// The model that is worth a try beside these settings.
fn richer(config: &Config, fields: usize) -> Option<Kind> {
    let takes = |kind| cost(&Config { model: kind, ..config.clone() }, fields);
    let is_near = |kind: &Kind| takes(*kind) <= RICHER * takes(config.model);
    let is_fm = config.model == Kind::Fm && fields > 2;
    [Kind::Ffm, Kind::Dplr].into_iter().filter(|_| is_fm).find(is_near)
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
        Axis::new("factors", choice(&["4", "8", "16", "32", "64"]), true),
        Axis::new("l2_factors", times(0.03, 10.0), true),
        Axis::new("l2_linear", times(0.03, 30.0), false),
        Axis::new("learning_rate", times(0.25, 4.0), true),
        Axis::new("model", Values::Richer, true),
        Axis::new("batch_size", times(0.25, 4.0), false),
        Axis::new("init_stdev", times(0.3, 3.0), false),
        Axis::new("min_count", choice(&["1", "2", "3", "5", "10"]), false),
        Axis::new("numeric_transform", choice(&["piecewise", "spline"]), false),
    ];
    if config.optimizer == Optimizer::Adagrad {
        axes.push(Axis::new("learn_l2", choice(&["true", "true", "false"]), false));
    }
    axes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_richer_model_is_one_that_does_not_take_too_long() {
        let of = |model, factors, fields| {
            richer(&Config { model, factors, ..Config::default() }, fields)
        };
        assert_eq!(of(Kind::Fm, None, 2), None);
        assert_eq!(of(Kind::Fm, None, 3), Some(Kind::Ffm));
        // 39 fields have longer vectors than are affordable.
        assert_eq!(of(Kind::Fm, None, 39), Some(Kind::Dplr));
        assert_eq!(of(Kind::Fm, Some(64), 39), None);
        assert_eq!(of(Kind::Mf, None, 3), None);
    }
}
