//! Which field a feature is of.

use std::iter::once;
use std::ops::Range;
use std::sync::Arc;

/// Where the ids of each field begin, ascending from 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields(Arc<[u32]>);

impl Fields {
    /// Fields that begin at these ids.
    pub fn new(starts: impl IntoIterator<Item = u32>) -> Self {
        Fields(starts.into_iter().collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the ids of each begin.
    pub(crate) fn starts(&self) -> &[u32] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The features of each field, of so many in all; those of one field, if there are none.
    pub(crate) fn ranges(&self, features: u32) -> impl Iterator<Item = Range<u32>> {
        let starts = if self.is_empty() { &[0][..] } else { &self.0[..] };
        let ends = starts.iter().skip(1).copied().chain(once(features));
        starts.iter().zip(ends).map(|(&start, end)| start..end)
    }

    /// The fields of features one after the other.
    #[inline(always)]
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk { starts: &self.0, field: 0 }
    }
}

/// A walk over features whose ids mostly ascend, as they do in rows and in batches: then the field is
/// the last one or the next, and need not be looked up.
pub(crate) struct Walk<'a> {
    starts: &'a [u32],
    field: usize,
}

impl Walk<'_> {
    /// The field of a feature; 0 if there are no fields.
    #[inline(always)]
    pub(crate) fn field(&mut self, id: u32) -> usize {
        if !self.is_here(id) {
            self.field += 1;
            if !self.is_here(id) {
                self.field = self.starts.partition_point(|&start| start <= id).saturating_sub(1);
            }
        }
        self.field
    }

    #[inline(always)]
    fn is_here(&self, id: u32) -> bool {
        let [start, end] = [self.field, self.field + 1].map(|at| self.starts.get(at));
        start.is_some_and(|&start| start <= id) && end.is_none_or(|&end| id < end)
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn a_walk_finds_what_a_search_finds() {
        let fields = Fields::new([0, 3, 4, 9, 20]);
        let mut walk = fields.walk();
        for step in 0..400u32 {
            // Ascending for a while, then anywhere.
            let id = if step % 5 == 0 { step * 7919 % 25 } else { (step * 7919 / 5 + step) % 25 };
            let expected = [0, 3, 4, 9, 20].iter().filter(|start| **start <= id).count() - 1;
            assert_eq!(walk.field(id), expected, "{id}");
        }
        assert_eq!(Fields::default().walk().field(7), 0);
    }
}
