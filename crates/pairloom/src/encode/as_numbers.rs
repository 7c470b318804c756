//! From the labels of interned rows to those that are learned.

use super::{Target, classes};
use crate::data::Labels;
use crate::input::parse_number;

/// From what stands for a label in interned rows to the one in [`crate::batch::Rows`].
pub(crate) enum AsNumbers {
    /// It is the same.
    Same,
    /// 1 for this, and 0 for any other.
    Positive(f64),
    /// Places in a list are places of classes.
    Places(Vec<f32>),
    /// Numbers are classes, in this order.
    Numbers(Vec<f64>),
}

impl AsNumbers {
    pub(crate) fn new(labels: &Labels, target: &Target) -> Self {
        match target {
            Target::Count | Target::Grade | Target::Real { .. } => AsNumbers::Same,
            Target::Binary { positive, .. } => AsNumbers::Positive(labels.value_of(positive)),
            Target::Classes { names } if labels.are_text => {
                let place = |name: &String| classes::find(names, name.as_bytes());
                let place = |name| place(name).map_or(f32::NAN, |place| place as f32);
                AsNumbers::Places(labels.classes.iter().map(place).collect())
            }
            Target::Classes { names } => {
                let number = |name: &String| parse_number(name.as_bytes()).unwrap_or(f64::NAN);
                AsNumbers::Numbers(names.iter().map(number).collect())
            }
        }
    }

    /// The label. What is none of the classes, as damaged rows may have it, is no number.
    pub(crate) fn of(&self, value: f64) -> f32 {
        match self {
            AsNumbers::Same => value as f32,
            AsNumbers::Positive(positive) => f32::from(value == *positive),
            AsNumbers::Places(places) => {
                let place = Some(value as usize).filter(|&place| place as f64 == value);
                place.and_then(|place| places.get(place)).copied().unwrap_or(f32::NAN)
            }
            AsNumbers::Numbers(numbers) => {
                let found = numbers.binary_search_by(|number| number.total_cmp(&(value + 0.0)));
                found.map_or(f32::NAN, |place| place as f32)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What damaged rows may have is no class: not the one before it, nor the first.
    #[test]
    fn what_is_no_class_is_no_number() {
        let places = AsNumbers::Places(vec![2.0, 0.0, 1.0]);
        let numbers = AsNumbers::Numbers(vec![-1.0, 2.0, 7.5]);
        assert_eq!([0.0, 1.0, 2.0].map(|value| places.of(value)), [2.0, 0.0, 1.0]);
        assert_eq!([-1.0, 2.0, 7.5].map(|value| numbers.of(value)), [0.0, 1.0, 2.0]);
        for damaged in [0.5, 1.999, -0.5, -1e300, 3.0, 1e300, f64::NAN, f64::INFINITY] {
            assert!(places.of(damaged).is_nan(), "{damaged}");
            assert!(numbers.of(damaged).is_nan(), "{damaged}");
        }
    }
}
