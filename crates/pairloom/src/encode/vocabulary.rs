//! From the values of a categorical field to its ids.

use super::{Dictionary, truth};
use crate::Result;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// How values of one field become ids, counted from 0 within the field.
///
/// A missing (empty) value is a value like any other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Vocabulary {
    /// Id 0 is the default, for rare and unseen values; kept values follow, frequent ones first.
    Dictionary {
        /// The kept values; not in the JSON, since model files hold them as tensors.
        #[serde(skip)]
        values: Dictionary,
    },
    /// The lowest bits of XXH3-64 (seed 0) of the value's bytes: specified for ever.
    Hash {
        /// How many.
        bits: u8,
    },
}

impl Vocabulary {
    /// Learns a field from its distinct values, given how many training rows have each.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the kept values do not fit.
    pub fn learn(
        values: &Dictionary,
        counts: &[u32],
        min_count: u32,
        hash_bits: Option<u8>,
    ) -> Result<Self> {
        if let Some(bits) = hash_bits {
            return Ok(Vocabulary::Hash { bits });
        }
        let mut kept: Vec<u32> =
            (0..values.len() as u32).filter(|&n| counts[n as usize] >= min_count.max(1)).collect();
        // Frequent values first: their vectors then share pages. The sort keeps the order of
        // first appearance among equals.
        kept.sort_by_key(|&n| std::cmp::Reverse(counts[n as usize]));
        let mut dictionary = Dictionary::default();
        for number in kept {
            dictionary.insert(values.key(number))?;
        }
        Ok(Vocabulary::Dictionary { values: dictionary })
    }

    /// Number of ids.
    pub fn len(&self) -> u64 {
        match self {
            Vocabulary::Dictionary { values } => 1 + values.len() as u64,
            Vocabulary::Hash { bits } => 1 << bits,
        }
    }

    /// Bytes of memory taken.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Vocabulary::Dictionary { values } => values.bytes(),
            Vocabulary::Hash { .. } => 0,
        }
    }

    /// Never: every field has at least its default id.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether the parts make sense.
    pub(super) fn is_usable(&self) -> bool {
        match self {
            Vocabulary::Dictionary { .. } => true,
            Vocabulary::Hash { bits } => (1..=30).contains(bits),
        }
    }

    /// The id of a value.
    #[inline]
    pub fn id(&self, value: &[u8]) -> u32 {
        match self {
            Vocabulary::Dictionary { values } => match values.get(value) {
                Some(number) => number + 1,
                None => spelled_otherwise(values, value).map_or(0, |number| number + 1),
            },
            Vocabulary::Hash { bits } => (xxh3_64(value) & ((1 << bits) - 1)) as u32,
        }
    }

    /// What an id stands for, in words.
    pub(super) fn describe(&self, id: u32) -> String {
        match (self, id.checked_sub(1)) {
            (Vocabulary::Hash { .. }, _) => format!("#{id}"),
            (Vocabulary::Dictionary { .. }, None) => "other".into(),
            (Vocabulary::Dictionary { values }, Some(number)) => match values.key(number) {
                b"" => "missing".into(),
                value => String::from_utf8_lossy(value).into_owned(),
            },
        }
    }
}

/// A value that is true or false in another spelling: tools that write tables do not agree on one.
#[cold]
fn spelled_otherwise(values: &Dictionary, value: &[u8]) -> Option<u32> {
    let spellings: [&[u8]; 3] = match truth(value)? {
        true => [b"true", b"True", b"TRUE"],
        false => [b"false", b"False", b"FALSE"],
    };
    spellings.into_iter().find_map(|spelling| values.get(spelling))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(values: &[&str]) -> Vocabulary {
        let mut all = Dictionary::default();
        values.iter().for_each(|value| drop(all.insert(value.as_bytes())));
        Vocabulary::learn(&all, &vec![1; values.len()], 1, None)
            .unwrap_or(Vocabulary::Hash { bits: 1 })
    }

    #[test]
    fn true_and_false_may_be_spelled_otherwise() {
        let spelled = learned(&["TRUE", "FALSE", "maybe"]);
        for (value, id) in
            [("True", 1), ("true", 1), ("tRuE", 1), ("false", 2), ("Maybe", 0), ("t", 0)]
        {
            assert_eq!(spelled.id(value.as_bytes()), id, "{value}");
        }
        // Where both spellings are values they stay two.
        let both = learned(&["true", "True"]);
        assert_eq!(["true", "True", "TRUE"].map(|value| both.id(value.as_bytes())), [1, 2, 1]);
    }
}
