//! How much the rows of each class count in training.

use super::Target;
use super::as_numbers::AsNumbers;
use super::target::{all, same_label, training, unfit};
use crate::Result;
use crate::data::Interned;
use crate::error::flagged;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How much the rows of each class count, beside their own weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Said", into = "Said")]
pub enum ClassWeight {
    /// So that all classes weigh the same in all, and all rows what they did.
    Balanced,
    /// This much for these classes, and 1 for all others.
    Each(Vec<(String, f64)>),
}

impl ClassWeight {
    /// The factor of each class, by the number that stands for it among the labels of encoded rows.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] for a class that is none, or labels that are numbers.
    pub(crate) fn factors(
        &self,
        interned: &Interned,
        held_out: &[bool],
        target: &Target,
        file: &str,
    ) -> Result<Vec<f32>> {
        let names = target.class_names();
        if names.is_empty() {
            let name = flagged("class_weight");
            return Err(unfit(file, &format!("{name} is for classes, and the label is a number")));
        }
        match self {
            ClassWeight::Balanced => {
                let labels = AsNumbers::new(&interned.labels, target);
                let mut sums = vec![0.0; names.len()];
                training(interned, held_out, |label, weight| {
                    if let Some(sum) = sums.get_mut(labels.of(label) as usize) {
                        *sum += weight;
                    }
                })?;
                let total: f64 = sums.iter().sum();
                let classes = sums.iter().filter(|sum| **sum > 0.0).count() as f64;
                let factor = |sum: f64| if sum > 0.0 { total / (classes * sum) } else { 1.0 };
                Ok(sums.into_iter().map(|sum| factor(sum) as f32).collect())
            }
            ClassWeight::Each(each) => {
                let mut factors = vec![1.0; names.len()];
                for (class, weight) in each {
                    let is = |name: &Option<&str>| {
                        name.is_some_and(|name| same_label(class.as_bytes(), name))
                    };
                    let Some(at) = names.iter().position(is) else {
                        let known = names.iter().flatten().map(|name| name.to_string());
                        let classes = all(&known.collect::<Vec<_>>());
                        let name = flagged("class_weight");
                        let message = format!("{name}: no class is '{class}': there is {classes}");
                        return Err(unfit(file, &message));
                    };
                    if each.iter().filter(|(other, _)| same_label(other.as_bytes(), class)).count()
                        > 1
                    {
                        let name = flagged("class_weight");
                        return Err(unfit(
                            file,
                            &format!("{name}: class '{class}' is there twice"),
                        ));
                    }
                    factors[at] = *weight as f32;
                }
                Ok(factors)
            }
        }
    }
}

/// How much a row of this label counts, if something is said of its class.
pub(super) fn class_weight(factors: &[f32], label: f32) -> f32 {
    factors.get(label as usize).copied().unwrap_or(1.0)
}

/// `balanced`, or the weights of classes, as in `1=5,0=0.5`.
impl fmt::Display for ClassWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClassWeight::Balanced => f.write_str("balanced"),
            ClassWeight::Each(each) => {
                let each: Vec<String> = each.iter().map(|(c, w)| format!("{c}={w}")).collect();
                f.write_str(&each.join(","))
            }
        }
    }
}

impl FromStr for ClassWeight {
    type Err = String;

    fn from_str(text: &str) -> Result<ClassWeight, String> {
        if text == "balanced" {
            return Ok(ClassWeight::Balanced);
        }
        let of = |pair: &str| {
            let (class, weight) = pair.rsplit_once('=')?;
            let weight: f64 = weight.parse().ok()?;
            is_weight(weight).then(|| (class.to_string(), weight))
        };
        let each = text.split(',').map(|pair| {
            of(pair).ok_or_else(|| {
                format!(
                    "'{pair}' is not CLASS=W with a weight from 1e-30 to 1e30, as in 1=5, and not balanced"
                )
            })
        });
        Ok(ClassWeight::Each(each.collect::<Result<_, _>>()?))
    }
}

fn is_weight(weight: f64) -> bool {
    (1e-30..=1e30).contains(&weight)
}

/// Weights as files and programs have them: the text of the command, or the weight of each class, whose names may
/// then have commas in them.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Said {
    Text(String),
    Each(BTreeMap<String, f64>),
}

impl TryFrom<Said> for ClassWeight {
    type Error = String;

    fn try_from(said: Said) -> Result<ClassWeight, String> {
        match said {
            Said::Text(text) => text.parse(),
            Said::Each(each) => match each.iter().find(|(_, weight)| !is_weight(**weight)) {
                Some((class, weight)) => {
                    Err(format!("the weight of '{class}' is {weight}, and not from 1e-30 to 1e30"))
                }
                None => Ok(ClassWeight::Each(each.into_iter().collect())),
            },
        }
    }
}

impl From<ClassWeight> for Said {
    fn from(weights: ClassWeight) -> Said {
        let text = weights.to_string();
        match weights {
            ClassWeight::Each(each) if text.parse() != Ok(ClassWeight::Each(each.clone())) => {
                Said::Each(each.into_iter().collect())
            }
            _ => Said::Text(text),
        }
    }
}
