//! The items of the training rows, and their features.

use crate::batch::{Row, Rows};
use crate::encode::{Encoding, FieldKind, Vocabulary};
use crate::schema::Schema;
use crate::store::Store;
use crate::{Error, Result, memory};
use std::ops::Range;

/// Items by number, in the order in which they first came.
pub(crate) struct Catalogue {
    /// The ids of the fields that tell of items, ascending; no two ranges meet.
    ranges: Vec<Range<u32>>,
    /// Those of the field that names them.
    names: Range<u32>,
    /// The id among them that many items share, which are too rare to have one of their own.
    rare: Option<u32>,
    /// The number of the item with each of these ids.
    numbers: Vec<u32>,
    /// The features of each, as they are in the first row that has it.
    features: Rows,
    /// How many rows have each.
    counts: Vec<u32>,
}

/// What stands for no item.
const NONE: u32 = u32::MAX;

impl Catalogue {
    /// The items of all relevant rows.
    ///
    /// # Errors
    /// [`Error::Usage`] if the schema does not say what is an item, [`Error::Memory`] if they do not fit,
    /// and those of reading rows from a file.
    pub(crate) fn learn(rows: &Store, schema: &Schema, encoding: &Encoding) -> Result<Self> {
        let mut ranges = Vec::new();
        for name in &schema.item {
            let column = schema.column(name)?;
            let field = encoding.fields.iter().find(|field| field.column == column);
            // A column that is a feature has a field.
            ranges.extend(field.map(|f| (f.offset..f.offset + f.len() as u32, &f.kind)));
        }
        let Some((names, FieldKind::Values(vocabulary))) = ranges.first().cloned() else {
            return Err(Error::usage("to draw items, say which column names them: --item COLUMN"));
        };
        let has_default = matches!(vocabulary, Vocabulary::Dictionary { .. });
        let rare = has_default.then_some(names.start);
        Self::of(ranges.into_iter().map(|(range, _)| range).collect(), (names, rare), rows)
    }

    /// The items of all relevant rows, by the ids of the fields that tell of items, and of the one that names
    /// them with what rare ones share there.
    pub(super) fn of(
        mut ranges: Vec<Range<u32>>,
        (names, rare): (Range<u32>, Option<u32>),
        rows: &Store,
    ) -> Result<Self> {
        ranges.sort_by_key(|range| range.start);
        let full = |_| memory::refused("the items of the rows", memory::FEWER_FEATURES);
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(names.len()).map_err(full)?;
        numbers.resize(names.len(), NONE);
        let mut found =
            Catalogue { ranges, names, rare, numbers, features: Rows::new(), counts: Vec::new() };
        rows.each(|rows| {
            let mut relevant = (0..rows.len()).filter(|&row| rows.label(row).0 > 0.0);
            relevant.try_for_each(|row| found.add(rows.row(row)))
        })?;
        Ok(found)
    }

    /// Rare items are as many as they have rows, nearly: if they were one, that would have all of their rows
    /// and be drawn as seldom as any other.
    fn add(&mut self, row: Row<'_>) -> Result<()> {
        let Some(name) = row.ids.iter().find(|id| self.names.contains(id)) else { return Ok(()) };
        let number = &mut self.numbers[(name - self.names.start) as usize];
        if *number == NONE || self.rare == Some(*name) {
            *number = self.counts.len() as u32;
            self.counts.push(0);
            self.features.reserve(row.ids.len())?;
            for (id, x) in row.features().filter(|(id, _)| within(&self.ranges, *id)) {
                self.features.push(id, x);
            }
            self.features.finish(1.0, 1.0);
        }
        self.counts[*number as usize] += 1;
        Ok(())
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// How many rows have each item.
    pub(crate) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// The item of a row, if it is one of these and can be told from others.
    pub(crate) fn item(&self, row: Row<'_>) -> Option<u32> {
        let name = row.ids.iter().find(|id| self.names.contains(id))?;
        if self.rare == Some(*name) {
            return None;
        }
        let number = self.numbers[(name - self.names.start) as usize];
        Some(number).filter(|&number| number != NONE)
    }

    /// The features of an item.
    pub(crate) fn features(&self, item: u32) -> Row<'_> {
        self.features.row(item as usize)
    }

    /// A number that other columns of items change.
    pub(crate) fn fingerprint(&self) -> u64 {
        let ends = |range: &Range<u32>| u64::from(range.start) << 32 | u64::from(range.end);
        let mix = |sum: u64, range| (sum ^ ends(range)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.ranges.iter().fold(ends(&self.names), mix)
    }

    /// How many features an item has at the most.
    pub(crate) fn longest(&self) -> usize {
        (0..self.len() as u32).map(|item| self.features(item).ids.len()).max().unwrap_or(0)
    }

    /// Whether a feature tells of items.
    pub(crate) fn is_of_item(&self, id: u32) -> bool {
        within(&self.ranges, id)
    }

    /// Adds the features of a row to one that is being built, with those of another item in the place of its
    /// own, if one is named. Fields keep their order.
    pub(crate) fn replace(&self, row: Row<'_>, item: Option<u32>, to: &mut Rows) -> Result<()> {
        let Some(item) = item.map(|item| self.features(item)) else {
            to.reserve(row.ids.len())?;
            row.features().for_each(|(id, x)| to.push(id, x));
            return Ok(());
        };
        to.reserve(row.ids.len() + item.ids.len())?;
        let mut others = item.features().peekable();
        for (id, x) in row.features().filter(|(id, _)| !within(&self.ranges, *id)) {
            // All ids of a field are below those of the next.
            while let Some((id, x)) = others.next_if(|other| other.0 < id) {
                to.push(id, x);
            }
            to.push(id, x);
        }
        others.for_each(|(id, x)| to.push(id, x));
        Ok(())
    }
}

/// Whether an id is in one of these ranges.
fn within(ranges: &[Range<u32>], id: u32) -> bool {
    let after = ranges.partition_point(|range| range.start <= id);
    after > 0 && id < ranges[after - 1].end
}
