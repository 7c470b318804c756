//! Ids of pairs that were met before.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// Indices that are remembered: so many for each value that there is, but at least and at most so many.
const INDICES_A_VALUE: usize = 4;
const INDICES: [usize; 2] = [1 << 20, 1 << 22];

/// Pairs after which it pays: the first of few rows would wait for the memory.
const FIRST: usize = 1 << 14;

/// Ids of pairs by their index, if it is small: in many rows the same pairs come again and again, and the text of an
/// index and the search for it take many times as long. Clones know what one of them has met.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    met: usize,
    /// One more than the ids, which say of which field they are; 0 where none is known. Whoever reads an old one
    /// looks for the id, and finds the same.
    ids: Arc<OnceLock<Vec<AtomicU32>>>,
}

impl Known {
    /// Hears that so many pairs will be asked for, in a column that has so many values.
    pub(super) fn expect(&mut self, pairs: usize, values: impl FnOnce() -> usize) {
        self.met = self.met.saturating_add(pairs);
        if self.met >= FIRST && self.ids.get().is_none() {
            self.ids.get_or_init(|| {
                let [least, most] = INDICES;
                let size = values().saturating_mul(INDICES_A_VALUE).clamp(least, most);
                let mut ids = Vec::new();
                // Without it all is as it was, only slower.
                let room = ids.try_reserve_exact(size).map_or(0, |()| size);
                ids.resize_with(room, AtomicU32::default);
                ids
            });
        }
    }

    /// What is known of pairs.
    pub(super) fn ids(&self) -> &[AtomicU32] {
        self.ids.get().map_or(&[], Vec::as_slice)
    }
}

/// The id of a pair whose field has these ids; `find` tells it where it is not known.
#[inline(always)]
pub(super) fn id(
    known: &[AtomicU32],
    of: &Range<u32>,
    index: u64,
    find: impl FnOnce() -> u32,
) -> u32 {
    let Some(known) = usize::try_from(index).ok().and_then(|index| known.get(index)) else {
        return find();
    };
    let id = known.load(Relaxed).wrapping_sub(1);
    if of.contains(&id) {
        return id;
    }
    let id = find();
    known.store(id.wrapping_add(1), Relaxed);
    id
}

#[cfg(test)]
mod tests {
    use super::{FIRST, INDICES, Known, id};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_known_is_what_is_found(
            pairs in prop::collection::vec((0u32..3, prop_oneof![0u64..50, 1_048_570u64..1_048_580]), 1..200),
        ) {
            let mut known = Known::default();
            let find = |field: u32, index: u64| 100 * field + index as u32 % 100;
            let ids = |field: u32| 100 * field..100 * field + 100;
            for (field, index) in pairs.iter().copied().cycle().take(2 * FIRST) {
                known.expect(1, || 5);
                let found = id(known.ids(), &ids(field), index, || find(field, index));
                prop_assert_eq!(found, find(field, index));
            }
            // Once all are known, nothing is looked for, unless fields share an index; a clone knows them too.
            if pairs.iter().all(|pair| pair.0 == 0 && pair.1 < 50) {
                for (field, index) in pairs {
                    id(known.clone().ids(), &ids(field), index, || panic!("it is known"));
                }
            }
        }
    }

    #[test]
    fn few_rows_take_no_memory_and_many_values_take_more() {
        let mut known = Known::default();
        known.expect(FIRST - 1, || 7);
        assert!(known.ids().is_empty());
        known.expect(1, || INDICES[0]);
        assert_eq!(known.ids().len(), 4 * INDICES[0]);
    }
}
