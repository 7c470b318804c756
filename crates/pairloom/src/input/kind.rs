//! What the type of a column tells of it.

/// What the type of a column tells, where columns have types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Nothing: text of a file, which may be anything, or whole numbers, which may be names.
    #[default]
    Unknown,
    /// Text that is no number.
    Text,
    /// Values of which there are few: dictionaries, and what is true or false.
    Category,
    /// Numbers that may have fractions.
    Number,
    /// Lists, whose values a cell has with [`LIST_SEPARATOR`] between them.
    List,
}

/// The character between the values of a list in a cell.
pub const LIST_SEPARATOR: char = '|';
