//! The settings of trials.

use super::Begun;
use super::axis::{Axis, Random, Values};
use super::trials::Task;
use crate::Result;
use crate::config::Config;
use rand::{RngExt, SeedableRng};

/// Of neighbours, one of so many settings is another.
const MOVED: f64 = 1.0 / 3.0;

/// Names of settings and their values.
pub(super) type Said = Vec<(String, String)>;

/// The settings of a trial that is drawn, and what was drawn of them.
pub(super) fn drawn(
    base: &Config,
    axes: &[Axis],
    begun: &Begun,
    number: usize,
) -> Result<(Config, Said)> {
    let mut random = random(base, number);
    made(base, axes, Some(begun), |axis, config| {
        let value = axis.draw(config, begun, &mut random);
        value.filter(|_| axis.always || random.random())
    })
}

/// The settings of trials that have one other setting each than the first trial: those that matter most come first, and
/// have a second value too.
pub(super) fn alone(
    base: &Config,
    axes: &[Axis],
    begun: &Begun,
    first: &Task,
) -> Result<Vec<(Config, Said)>> {
    let mut alone: Vec<(bool, usize, (String, String))> = Vec::new();
    for axis in axes {
        let values = axis.alone(&first.config, begun).into_iter().enumerate();
        alone.extend(values.map(|(at, value)| (!axis.always, at, (axis.name.clone(), value))));
    }
    alone.retain(|(seldom, at, (name, _))| {
        (!seldom || *at == 0) && !is_moot(&first.config, name, Some(begun))
    });
    alone.sort_by_key(|&(seldom, at, _)| (seldom, at));
    alone.into_iter().map(|(.., other)| with(base, axes, begun, first, &[other])).collect()
}

/// The settings of trials that have several of the settings that are better alone, of which the best come first.
pub(super) fn together(
    base: &Config,
    axes: &[Axis],
    begun: &Begun,
    better: &[Task],
    first: &Task,
) -> Result<Vec<(Config, Said)>> {
    let is_other = |(name, value): &&(String, String)| value_of(name, &first.said) != Some(value);
    let mut others: Said = Vec::new();
    for other in better.iter().filter_map(|task| task.said.iter().find(is_other)) {
        if value_of(&other.0, &others).is_none() {
            others.push(other.clone());
        }
    }
    let (mut with_model, others): (Said, Said) =
        others.into_iter().partition(|(name, _)| name == "model");
    if !with_model.is_empty() {
        // What is good of these depends on the model.
        let is_apart = |(name, _): &&(String, String)| name != "factors" && name != "l2_factors";
        with_model.extend(others.iter().filter(is_apart).cloned());
    }
    let some = |said: &Said, count: usize| said[..count.min(said.len())].to_vec();
    let mut all = vec![others.clone(), some(&others, 2), some(&others, 3)];
    all.extend([some(&with_model, 2), with_model]);
    let several = all.into_iter().filter(|several| several.len() > 1);
    several.map(|several| with(base, axes, begun, first, &several)).collect()
}

/// The settings of the first trial, but for some.
fn with(
    base: &Config,
    axes: &[Axis],
    begun: &Begun,
    first: &Task,
    others: &[(String, String)],
) -> Result<(Config, Said)> {
    made(base, axes, Some(begun), |axis, _| {
        let value = value_of(&axis.name, others).or_else(|| value_of(&axis.name, &first.said));
        value.map(String::from)
    })
}

/// Whether a setting means nothing to a model.
fn is_moot(config: &Config, name: &str, begun: Option<&Begun>) -> bool {
    let no_numbers = begun.is_some_and(|begun| begun.numbers == 0);
    config.is_moot(name) || (name == "numeric_transform" && no_numbers)
}

/// The settings of the first trial, with these values as far as they mean something, and what is said of it.
pub(super) fn first(base: &Config, values: &Said) -> Result<(Config, Said)> {
    let of = |(name, value): &(String, String)| {
        Axis::new(name, Values::Choice(vec![value.clone()]), true)
    };
    let axes: Vec<Axis> = values.iter().map(of).collect();
    let value = |axis: &Axis, _: &Config| match &axis.values {
        Values::Choice(all) => all.first().cloned(),
        _ => None,
    };
    made(base, &axes, None, value)
}

/// The settings of a trial near those before, the best first, and what is said of them: each setting is that of one of
/// them, or beside it, of those that have the same model.
pub(super) fn near(
    base: &Config,
    axes: &[Axis],
    begun: &Begun,
    number: usize,
    before: &[Task],
    first: &Task,
) -> Result<(Config, Said)> {
    let mut random = random(base, number);
    made(base, axes, Some(begun), |axis, config| {
        let is_like = |task: &&Task| axis.name == "model" || task.config.model == config.model;
        let mut like = before.iter().filter(is_like);
        // Mostly one of the first. What means nothing to the model of that one may mean something to this.
        let task = like.clone().find(|_| random.random_bool(0.4)).or_else(|| like.next());
        let said = task.and_then(|task| value_of(&axis.name, &task.said));
        let said = said.or_else(|| value_of(&axis.name, &first.said));
        match random.random_bool(MOVED) {
            true => axis.near(said, config, begun, &mut random),
            false => said.map(String::from),
        }
    })
}

/// What is said of a setting.
fn value_of<'s>(name: &str, said: &'s [(String, String)]) -> Option<&'s str> {
    said.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
}

/// What chance a trial has.
fn random(base: &Config, number: usize) -> Random {
    let mix = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Random::seed_from_u64(base.seed.rotate_left(48) ^ mix)
}

/// Settings with a value for each axis that one is given for, if it means something.
fn made(
    base: &Config,
    axes: &[Axis],
    begun: Option<&Begun>,
    mut value: impl FnMut(&Axis, &Config) -> Option<String>,
) -> Result<(Config, Said)> {
    let (mut config, mut said) = (base.clone(), Vec::new());
    // Whether a setting means something, and what is usual, depends on the model.
    for of_model in [true, false] {
        for axis in axes.iter().filter(|axis| (axis.name == "model") == of_model) {
            let Some(value) = value(axis, &config) else { continue };
            if !is_moot(&config, &axis.name, begun) {
                config = config.with(&axis.name, &value)?;
                said.push((axis.name.clone(), value));
            }
        }
    }
    Ok((config, said))
}
