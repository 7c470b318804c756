//! Ids of pairs that were met before.

use crate::simd::prefetch;

/// Indices that are remembered.
const INDICES: u64 = 1 << 22;

/// Pairs after which it pays: the first of few rows would wait for the memory.
const FIRST: usize = 4096;

/// Ids of pairs by their index, if it is small: in many rows the same pairs come again and again, and the text of an
/// index and the search for it take many times as long.
#[derive(Debug, Default)]
pub(super) struct Known {
    met: usize,
    /// One more than the place of the field, and the id.
    ids: Vec<(u32, u32)>,
}

impl Known {
    /// The id of a pair of the field at a place; `find` tells it where it is not known.
    pub(super) fn id(&mut self, field: usize, index: u64, find: impl FnOnce() -> u32) -> u32 {
        let (field, place) = (field as u32 + 1, index as usize);
        if self.met < FIRST || index >= INDICES || !self.has_room(place) {
            self.met = self.met.saturating_add(1);
            return find();
        }
        let known = &mut self.ids[place];
        if known.0 != field {
            *known = (field, find());
        }
        known.1
    }

    /// Says that the id of an index will be asked for soon.
    pub(super) fn expect(&self, index: u64) {
        prefetch(&self.ids, index as usize, 1);
    }

    fn has_room(&mut self, place: usize) -> bool {
        if place >= self.ids.len() {
            let size = (place + 1).next_power_of_two();
            if self.ids.try_reserve_exact(size - self.ids.len()).is_err() {
                return false;
            }
            self.ids.resize(size, (0, 0));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Known;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_known_is_what_is_found(
            pairs in prop::collection::vec((0usize..3, prop_oneof![0u64..50, 4_194_300u64..4_194_310]), 1..200),
        ) {
            let mut known = Known::default();
            let find = |field: usize, index: u64| (index as u32).wrapping_mul(7) + field as u32;
            for (field, index) in pairs.iter().copied().cycle().take(10_000) {
                prop_assert_eq!(known.id(field, index, || find(field, index)), find(field, index));
            }
            // Once all are known, nothing is looked for, unless fields share an index.
            if pairs.iter().all(|pair| pair.0 == 0 && pair.1 < 50) {
                for (field, index) in pairs {
                    known.id(field, index, || panic!("it is known"));
                }
            }
        }
    }
}
