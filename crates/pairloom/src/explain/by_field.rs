//! Parts of a score by the fields of the features.
//!
//! A number is several features (its value and the knots beside it), a list has one for each of its values. What
//! these add alone and with each other hangs on their field only, and is one part of a score.

use super::Explanation;
use crate::encode::Encoding;

/// What fields and pairs of fields add to a score, in the order of the fields. A field of which the row has no
/// feature is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ByField {
    /// Each field alone.
    pub fields: Vec<FieldPart>,
    /// Pairs of different fields.
    pub pairs: Vec<FieldPair>,
}

/// What a field adds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FieldPart {
    /// Its place in [`Encoding::fields`].
    pub field: usize,
    /// The sum over its features of `w_i x_i`.
    pub linear: f64,
    /// The sum over the pairs of its features.
    pub within: f64,
}

impl FieldPart {
    /// All that hangs on the field alone.
    pub fn contribution(&self) -> f64 {
        self.linear + self.within
    }
}

/// What two fields add together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldPair {
    /// Their places in [`Encoding::fields`], ascending.
    pub fields: [usize; 2],
    /// The sum over the pairs of a feature of the one and a feature of the other.
    pub contribution: f64,
}

impl Explanation {
    /// The same by fields.
    pub fn by_field(&self, encoding: &Encoding) -> ByField {
        let fields = encoding.starts();
        let mut walk = fields.walk();
        let mut sums = Sums::default();
        for value in &self.values {
            sums.field(walk.field(value.id)).linear += value.contribution;
        }
        for pair in &self.pairs {
            let [one, other] = pair.ids.map(|id| walk.field(id));
            sums.add(one, other, pair.contribution);
        }
        sums.finish()
    }
}

/// Sums by field and pair of fields.
#[derive(Debug, Default)]
struct Sums {
    fields: std::collections::BTreeMap<usize, FieldPart>,
    pairs: std::collections::BTreeMap<[usize; 2], f64>,
}

impl Sums {
    fn field(&mut self, field: usize) -> &mut FieldPart {
        self.fields.entry(field).or_insert(FieldPart { field, ..FieldPart::default() })
    }

    /// Adds what a feature of one field and one of another, or of the same, have together.
    fn add(&mut self, one: usize, other: usize, contribution: f64) {
        match one == other {
            true => self.field(one).within += contribution,
            false => {
                *self.pairs.entry([one.min(other), one.max(other)]).or_default() += contribution
            }
        }
    }

    fn finish(self) -> ByField {
        let pair = |(fields, contribution)| FieldPair { fields, contribution };
        ByField {
            fields: self.fields.into_values().collect(),
            pairs: self.pairs.into_iter().map(pair).collect(),
        }
    }
}
