//! Why a score is what it is: the parts that it is a sum of, for a row, and what columns are worth over many.
//!
//! A score of the family is a bias, a term for each feature, and one for each product of features:
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + sum_{i<j} p_ij x_i x_j  (+ products of three and more)
//! ```
//!
//! so that nothing has to be estimated to explain it: each part is written down, in 64 bits, by what
//! [`Interaction::pair`](crate::interaction::Interaction::pair) says of two features ([`Explanation`]). What
//! 32-bit arithmetic has made of their sum is a part of its own, and all parts add up to the score that
//! predictions are made of.
//!
//! Over the rows of a file ([`Model::importance`](crate::Model::importance)), fields, pairs of fields and
//! pairs of values are compared in two ways: by how much they add to scores, and by how much worse predictions
//! become if what they add is exchanged among the rows (Breiman 2001, "Random Forests", section 10; Fisher, Rudin,
//! Dominici 2019, "All Models are Wrong, but Many are Useful", section 3).

mod by_field;
mod by_weight;
mod found;
mod importance;
mod json;
mod names;
mod parts;
mod permute;
mod row;
mod rows;
mod sample;
#[cfg(test)]
mod tests;
mod weights;

pub use by_field::{ByField, FieldPair, FieldPart};
pub use found::{FieldImportance, Importance, PairImportance, ProductImportance, ValuePair, Worse};
pub use importance::{DEFAULT_REPEATS, DEFAULT_SAMPLE, DEFAULT_TOP, ImportanceOptions};
pub use names::Names;
pub use row::{Explanation, Pair, Steps, Value};
pub use rows::{ExplainOptions, Explained};
pub use weights::{Largest, Weighted};
