//! Settings of a synthetic log: defaults, checks, and the sizes of the columns.

use super::field::Plan;
use crate::memory;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A column with fewer values would say nothing.
const LEAST_VALUES: u64 = 2;
/// The smallest column of a geometric spread, where there are features enough.
const SMALLEST: u64 = 4;
/// Wider rows are surely a mistake, and a block of them would take much memory.
const MOST_FIELDS: usize = 1 << 16;
/// Feature indices have 32 bits, and are counted from 1 in the sparse formats.
const MOST_FEATURES: u64 = u32::MAX as u64;
/// Wider spreads make labels that are all but certain.
const WIDEST: f64 = 100.0;

/// What log to make. The default has the shape of the D2L guide's advertising data (34 columns)
/// and about the difficulty of real click logs: 22 % positives, best log loss about 0.42.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SynthConfig {
    /// Rows to write; none is legal.
    pub rows: u64,
    /// Number of columns beside the label.
    pub fields: usize,
    /// Number of different values of all columns together. The columns' cardinalities are spread
    /// geometrically from 4 upwards, in a random order.
    pub features: u64,
    /// The cardinality of each column, in order. If there are any, `fields` and `features` follow
    /// from them and are not read.
    pub cardinalities: Vec<u64>,
    /// The range that each column's Zipf exponent is drawn from. 0 makes all values equally
    /// likely; beyond 2 most rows have the same value.
    pub zipf: (f64, f64),
    /// The share of positive rows to aim at.
    pub positives: f64,
    /// Factors of the planted factorization machine; none makes a linear model.
    pub factors: usize,
    /// Standard deviation of a row's sum of weights over all possible models: how much the values
    /// say one by one. The rows of one log vary less, because most share frequent values.
    pub linear_spread: f64,
    /// The same for a row's sum of pair interactions: how much is to be found by a factorization
    /// machine only.
    pub interaction_spread: f64,
    /// What the planted model is drawn from, and with `sample` the rows.
    pub seed: u64,
    /// Which rows of the same planted model: 0 for training, 1 for test, and so on.
    pub sample: u64,
}

impl Default for SynthConfig {
    fn default() -> Self {
        SynthConfig {
            rows: 15_000,
            fields: 34,
            features: 1 << 18,
            cardinalities: Vec::new(),
            zipf: (1.05, 1.3),
            positives: 0.22,
            factors: 8,
            linear_spread: 0.875,
            interaction_spread: 0.965,
            seed: 1,
            sample: 0,
        }
    }
}

impl SynthConfig {
    /// Checks the settings one by one.
    pub(super) fn check(&self) -> Result<()> {
        if !(self.positives > 0.0 && self.positives < 1.0) {
            return Err(Error::setting("positives", "more than 0 and less than 1"));
        }
        let (low, high) = self.zipf;
        if !(0.0 <= low && low <= high && high <= 10.0) {
            return Err(Error::setting("zipf", "a range of exponents from 0 to 10"));
        }
        let spreads = [
            ("linear_spread", self.linear_spread),
            ("interaction_spread", self.interaction_spread),
        ];
        for (name, spread) in spreads {
            if !(0.0..=WIDEST).contains(&spread) {
                return Err(Error::setting(name, &format!("from 0 to {WIDEST}")));
            }
        }
        if self.cardinalities.is_empty() { self.check_total() } else { self.check_each() }
    }

    fn check_total(&self) -> Result<()> {
        check_fields("fields", self.fields)?;
        let least = LEAST_VALUES * self.fields as u64;
        if self.features < least {
            let rule = format!("at least {least}: {LEAST_VALUES} for each field");
            return Err(Error::setting("features", &rule));
        }
        check_features("features", Some(self.features))
    }

    fn check_each(&self) -> Result<()> {
        let name = "cardinalities";
        check_fields(name, self.cardinalities.len())?;
        for (i, &n) in self.cardinalities.iter().enumerate() {
            if n < LEAST_VALUES {
                let rule = format!("at least {LEAST_VALUES}: that of field {} is {n}", i + 1);
                return Err(Error::setting(name, &rule));
            }
        }
        check_features(name, self.cardinalities.iter().try_fold(0u64, |sum, &n| sum.checked_add(n)))
    }

    /// The cardinality of each column. The settings must have been checked.
    pub(super) fn sizes(&self) -> Vec<u64> {
        if self.cardinalities.is_empty() {
            geometric(self.fields, self.features)
        } else {
            self.cardinalities.clone()
        }
    }

    /// The spreads of single weights and factor coordinates that give a row of so many columns
    /// the spreads asked for: the variance of a sum of F weights is F w^2, that of the F (F-1) / 2
    /// products of vectors of k coordinates is F (F-1) / 2 k v^4.
    pub(super) fn plan(&self, fields: usize) -> Plan {
        let fields = fields as f64;
        let products = fields * (fields - 1.0) / 2.0 * self.factors as f64;
        let square = self.interaction_spread / products.max(1.0).sqrt();
        Plan {
            zipf: self.zipf,
            factors: self.factors,
            weight_spread: self.linear_spread / fields.sqrt(),
            factor_spread: square.sqrt(),
        }
    }

    /// Refuses a planted model that cannot fit, before anything is allocated.
    pub(super) fn check_memory(&self, features: u64) -> Result<()> {
        // The planted numbers, the alias table, and what building it takes for a while.
        let each = 4 * (self.factors as u128 + 4) + 8 + 20;
        let what = format!("a planted model of {features} features and {} factors", self.factors);
        let remedy = "lower features (--features) or factors (--factors)";
        memory::check(each * u128::from(features), &what, remedy)
    }
}

fn check_fields(setting: &str, fields: usize) -> Result<()> {
    match fields {
        1..=MOST_FIELDS => Ok(()),
        _ => Err(Error::setting(setting, &format!("from 1 to {MOST_FIELDS} columns"))),
    }
}

fn check_features(setting: &str, features: Option<u64>) -> Result<()> {
    match features {
        Some(0..=MOST_FEATURES) => Ok(()),
        _ => Err(Error::setting(setting, &format!("at most {MOST_FEATURES} in all"))),
    }
}

/// So many cardinalities in geometric progression, with this sum.
fn geometric(fields: usize, total: u64) -> Vec<u64> {
    let first = SMALLEST.min(total / fields as u64);
    let spread = |ratio: f64| {
        let sizes = std::iter::successors(Some(first as f64), move |&size| Some(size * ratio));
        sizes.take(fields)
    };
    // The sum grows with the ratio; past the total it may as well be infinite.
    let (mut low, mut high) = (1.0, total as f64);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if spread(middle).sum::<f64>() < total as f64 { low = middle } else { high = middle }
    }
    let mut sizes: Vec<u64> = spread(low).map(|size| size as u64).collect();
    let sum: u64 = sizes.iter().sum();
    if let Some(last) = sizes.last_mut() {
        *last += total.saturating_sub(sum);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometric_sizes_have_the_sum() {
        for (fields, total) in [
            (34, 1 << 18),
            (1, 2),
            (1, 1000),
            (2, 4),
            (3, 7),
            (34, 68),
            (65_536, 1 << 20),
            (5, 1 << 31),
        ] {
            let sizes = geometric(fields, total);
            assert_eq!((sizes.len(), sizes.iter().sum::<u64>()), (fields, total));
            assert!(sizes.iter().all(|&n| n >= LEAST_VALUES), "{fields} {total}");
            assert!(sizes.is_sorted());
        }
        assert_eq!(geometric(34, 1 << 18)[0], 4);
    }

    #[test]
    fn memory_is_checked_before_it_is_taken() {
        let config = SynthConfig::default();
        assert!(config.check_memory(1 << 10).is_ok());
        let refused = config.check_memory(1 << 50).unwrap_err().to_string();
        assert!(refused.contains("needs 79691776.0 GiB of memory"), "{refused}");
        let many = SynthConfig { factors: usize::MAX, ..config };
        assert!(many.check_memory(2).is_err());
    }
}
