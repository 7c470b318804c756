//! The distinct values of a feature column.

use crate::encode::{Dictionary, Pairs};
use crate::schema::Role;

/// A feature column.
#[derive(Debug, Clone)]
pub(crate) struct InternedColumn {
    /// Number of the column in the schema.
    pub(crate) column: usize,
    /// Its distinct values, which the cells of the rows number.
    pub(crate) values: Values,
}

/// What the cells of a column number, or that they are numbers themselves.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    /// Texts: one a row, or several.
    Texts(Dictionary),
    /// Fields and indices of sparse rows.
    Pairs(Pairs),
    /// The cells are numbers; NaN where one is missing.
    Numbers,
    /// Texts that were found to be these numbers when all of them were known.
    NumbersOf(Vec<f64>),
}

impl Values {
    /// No values of a column with this role.
    pub(super) fn new(role: Role) -> Self {
        match role {
            Role::Numeric => Values::Numbers,
            Role::Pairs => Values::Pairs(Pairs::default()),
            _ => Values::Texts(Dictionary::default()),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Texts(texts) => texts.len(),
            Values::Pairs(pairs) => pairs.len(),
            Values::Numbers => 0,
            Values::NumbersOf(numbers) => numbers.len(),
        }
    }

    /// Whether cells are numbers.
    pub(crate) fn are_numbers(&self) -> bool {
        matches!(self, Values::Numbers | Values::NumbersOf(_))
    }
}
