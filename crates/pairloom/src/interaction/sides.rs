//! The two sides of a row: fields of a context and fields of an item.

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who asks, and when and where.
    Context,
    /// What may be recommended.
    Item,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Side::Context => Side::Item,
            Side::Item => Side::Context,
        }
    }
}

/// Which fields are of which side.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides {
    context: Vec<usize>,
    item: Vec<usize>,
}

impl Sides {
    /// For each field in turn whether it is one of the item's.
    pub fn new(is_item: &[bool]) -> Self {
        let fields = |wanted: bool| (0..is_item.len()).filter(|&f| is_item[f] == wanted).collect();
        Sides { context: fields(false), item: fields(true) }
    }

    /// The fields of a side, ascending.
    pub fn fields(&self, side: Side) -> &[usize] {
        match side {
            Side::Context => &self.context,
            Side::Item => &self.item,
        }
    }

    /// The side with fewer fields; of two with as many, the item.
    pub fn smaller(&self) -> Side {
        if self.context.len() < self.item.len() { Side::Context } else { Side::Item }
    }

    /// All pairs of a field of the context and one of the item.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.context.iter().flat_map(|&c| self.item.iter().map(move |&i| (c, i)))
    }
}
