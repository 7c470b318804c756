//! From the words of a command line to what they name.

use pairloom::backend::DeviceName;
use pairloom::calibration::Method;
use pairloom::encode::{ClassWeight, Transform};
use pairloom::input::{FormatName, TimePattern};
use pairloom::interaction::Kind;
use pairloom::loss::Loss;
use pairloom::negatives::NegativeSampling;
use pairloom::optimizer::Optimizer;
use pairloom::precision::Precision;
use pairloom::preset::Preset;
use pairloom::recommend::Filter;
use pairloom::{Error, Result};
use std::time::Duration;

fn by_name<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Result<T> {
    let found = all.iter().find(|item| name_of(**item) == name).copied();
    found.ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|item| name_of(*item)).collect();
        Error::usage(format!("'{name}' is none of {}", names.join(", ")))
    })
}

/// An update rule.
pub fn optimizer(name: &str) -> Result<Optimizer> {
    by_name(&Optimizer::ALL, Optimizer::name, name)
}

/// A model of the family.
pub fn model(name: &str) -> Result<Kind> {
    by_name(Kind::ALL, Kind::name, name)
}

/// How factors are kept.
pub fn precision(name: &str) -> Result<Precision> {
    by_name(&Precision::ALL, Precision::name, name)
}

/// What training runs on.
pub fn device(name: &str) -> Result<DeviceName> {
    by_name(&DeviceName::ALL, DeviceName::name, name)
}

/// A loss.
pub fn loss(name: &str) -> Result<Loss> {
    name.parse().map_err(|why: String| Error::usage(format!("'{name}': {why}")))
}

/// How items are drawn.
pub fn negative_sampling(name: &str) -> Result<NegativeSampling> {
    by_name(&NegativeSampling::ALL, |sampling| sampling.name(), name)
}

/// How much the rows of each class count.
pub fn class_weight(text: &str) -> Result<ClassWeight> {
    text.parse().map_err(|why: String| Error::usage(why))
}

/// A way to calibrate.
pub fn calibration(name: &str) -> Result<Method> {
    by_name(&Method::ALL, Method::name, name)
}

/// A transform.
pub fn transform_name(name: &str) -> Result<Transform> {
    by_name(&Transform::ALL, Transform::name, name)
}

/// A format of rows.
pub fn format(name: &str) -> Result<FormatName> {
    by_name(&FormatName::ALL, FormatName::name, name)
}

/// A recipe.
pub fn preset(name: &str) -> Result<Preset> {
    by_name(&Preset::ALL, Preset::name, name)
}

/// A number of bytes, in units of 1024, its square or its cube with K, M or G behind.
pub fn bytes(text: &str) -> Result<u64> {
    let units = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let unit = |&(unit, bits): &(char, u32)| {
        let number = text.strip_suffix(['B', 'b']).unwrap_or(text);
        let number = number.strip_suffix('i').unwrap_or(number);
        Some((number.strip_suffix([unit, unit.to_ascii_lowercase()])?, bits))
    };
    let (number, bits) = units.iter().find_map(unit).unwrap_or((text, 0));
    let bytes = number.trim().parse::<f64>().ok().map(|number| number * (1u64 << bits) as f64);
    let wrong =
        || Error::usage(format!("'{text}' is no number of bytes: write it like 2G or 500M"));
    bytes.filter(|bytes| (1.0..1e18).contains(bytes)).map(|bytes| bytes as u64).ok_or_else(wrong)
}

/// A time: a number of seconds, or with a unit.
pub fn duration(text: &str) -> Result<Duration> {
    let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86400.0)];
    let unit = |&(unit, seconds): &(char, f64)| Some((text.strip_suffix(unit)?, seconds));
    let (number, unit) = units.iter().find_map(unit).unwrap_or((text, 1.0));
    let seconds = number.trim().parse::<f64>().ok().filter(|number| *number > 0.0);
    let time = seconds.and_then(|number| Duration::try_from_secs_f64(number * unit).ok());
    time.ok_or_else(|| Error::usage(format!("'{text}' is no time: write it like 90s, 10m or 2h")))
}

/// One character, or a name for one that is hard to type.
pub fn character(text: &str) -> Result<char> {
    let mut characters = text.chars();
    match (text, characters.next(), characters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        ("space", ..) => Ok(' '),
        (_, Some(character), None) if character.is_ascii() => Ok(character),
        _ => Err(Error::usage(format!("'{text}' is not one ASCII character"))),
    }
}

/// A multi-valued column and its separator.
pub fn multi(text: &str) -> Result<(String, char)> {
    let (name, separator) = named(text, "genres=|")?;
    Ok((name.into(), character(separator)?))
}

/// A column of times and how they are written.
pub fn time(text: &str) -> Result<(String, TimePattern)> {
    let missing = || Error::usage(format!("'{text}' lacks '=': write it like hour=YYMMDDHH"));
    let (name, pattern) = text.split_once('=').ok_or_else(missing)?;
    Ok((name.into(), TimePattern::new(pattern).map_err(Error::Usage)?))
}

/// A numeric column, its transform and perhaps its number of bins.
pub fn transform(text: &str) -> Result<(String, Transform, Option<usize>)> {
    let (name, how) = named(text, "price=log or age=quantile:64")?;
    let (how, bins) = Transform::with_bins(how)?;
    Ok((name.into(), how, bins))
}

/// A column and the value that it must have; the value may hold '=' too.
pub fn filter(text: &str) -> Result<Filter> {
    let missing = || Error::usage(format!("'{text}' lacks '=': write it like genres=Comedy"));
    let (column, value) = text.split_once('=').ok_or_else(missing)?;
    Ok(Filter { column: column.into(), value: value.into() })
}

fn named<'a>(text: &'a str, example: &str) -> Result<(&'a str, &'a str)> {
    let missing = || Error::usage(format!("'{text}' lacks '=': write it like {example}"));
    text.rsplit_once('=').ok_or_else(missing)
}
