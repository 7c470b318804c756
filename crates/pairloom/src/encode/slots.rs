//! A hash table of short keys, which lie in the table itself.
//!
//! A look-up then touches one cache line and not the four of a table that leads to keys elsewhere.
//! A key is a word and a mark beside it: for a text of up to 8 bytes these are the text and its
//! length, for a pair its index and field, and nothing else has to be compared. A longer text is
//! there as its hash, and the caller compares the rest.

use crate::simd::prefetch;
use std::collections::TryReserveError;

/// A key with its number.
#[derive(Debug, Clone, Copy)]
struct Slot {
    word: u64,
    mark: u32,
    number: u32,
}

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
const SALT: u64 = 0x243f_6a88_85a3_08d3;

const EMPTY: Slot = Slot { word: 0, mark: 0, number: u32::MAX };

/// Numbers by their keys; any but `u32::MAX`.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    /// None, or a power of 2 of them, of which at most three quarters are taken.
    slots: Vec<Slot>,
    taken: usize,
}

impl Slots {
    /// Bytes of memory taken.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// Asks for the memory that the search for a key begins in.
    #[inline(always)]
    pub(super) fn prefetch(&self, word: u64, mark: u32) {
        if let Some(last) = self.slots.len().checked_sub(1) {
            prefetch(&self.slots, place(word, mark, last), 1);
        }
    }

    /// The number of a key for which `same` says that all of it is the same.
    #[inline]
    pub(super) fn find(&self, word: u64, mark: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        let last = self.slots.len().checked_sub(1)?;
        let mut at = place(word, mark, last);
        loop {
            let slot = self.slots[at & last];
            if slot.word == word
                && slot.mark == mark
                && slot.number != u32::MAX
                && same(slot.number)
            {
                return Some(slot.number);
            }
            if slot.number == u32::MAX {
                return None;
            }
            at = (at & last) + 1;
        }
    }

    /// Adds a key that is not there.
    pub(super) fn insert(
        &mut self,
        word: u64,
        mark: u32,
        number: u32,
    ) -> Result<(), TryReserveError> {
        self.reserve(1)?;
        self.put(Slot { word, mark, number });
        self.taken += 1;
        Ok(())
    }

    /// Makes room for `more` keys.
    pub(super) fn reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        let need = (self.taken + more).saturating_mul(4) / 3 + 1;
        if need <= self.slots.len() {
            return Ok(());
        }
        let size = need.checked_next_power_of_two().unwrap_or(usize::MAX).max(16);
        let mut slots = Vec::new();
        slots.try_reserve_exact(size)?;
        slots.resize(size, EMPTY);
        let old = std::mem::replace(&mut self.slots, slots);
        old.into_iter().filter(|slot| slot.number != u32::MAX).for_each(|slot| self.put(slot));
        Ok(())
    }

    fn put(&mut self, slot: Slot) {
        let last = self.slots.len() - 1;
        let mut at = place(slot.word, slot.mark, last) & last;
        while self.slots[at].number != u32::MAX {
            at = (at + 1) & last;
        }
        self.slots[at] = slot;
    }
}

/// Where the search for a key begins, in a table whose last slot is `last`.
#[inline]
fn place(word: u64, mark: u32, last: usize) -> usize {
    let mixed = word ^ u64::from(mark).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let product = u128::from(mixed ^ SALT) * u128::from(ODD);
    ((product >> 64) as u64 ^ product as u64) as usize & last
}

#[cfg(test)]
mod tests {
    use super::Slots;
    use crate::encode::{Dictionary, Pairs};
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Keys of all lengths around a word, many of them alike, beside the standard library's map.
        #[test]
        fn texts_are_numbered_as_they_come(
            keys in prop::collection::vec(prop::collection::vec(0u8..3, 0..18), 0..200),
        ) {
            let (mut values, mut twin) = (Dictionary::default(), HashMap::new());
            for key in &keys {
                prop_assert_eq!(values.get(key), twin.get(key).copied());
                let number = twin.len() as u32;
                let number = *twin.entry(key.clone()).or_insert(number);
                prop_assert_eq!(values.insert(key).unwrap(), number);
                prop_assert_eq!(values.key(number), &key[..]);
            }
            let (bytes, ends) = values.parts();
            let again = Dictionary::from_parts(bytes.to_vec(), ends.to_vec()).unwrap();
            prop_assert!(keys.iter().all(|key| again.get(key) == twin.get(key).copied()));
        }

        #[test]
        fn pairs_are_numbered_as_they_come(
            pairs in prop::collection::vec(
                (0u32..3, prop_oneof![0u64..40, 65_500u64..65_600, 131_000u64..132_000]),
                0..300,
            ),
        ) {
            let (mut values, mut twin) = (Pairs::default(), HashMap::new());
            for &(field, index) in &pairs {
                let number = twin.len() as u32;
                let number = *twin.entry((field, index)).or_insert(number);
                prop_assert_eq!(values.insert(field, index).unwrap(), number);
            }
            prop_assert_eq!(values.len(), twin.len());
        }
    }

    /// Hashes of long keys may be the same: the caller's word decides, and the search goes on.
    #[test]
    fn equal_words_are_told_apart() {
        let mut slots = Slots::default();
        (0..5).for_each(|number| slots.insert(7, 9, number).unwrap());
        for number in 0..5 {
            assert_eq!(slots.find(7, 9, |found| found == number), Some(number));
        }
        assert_eq!(slots.find(7, 9, |_| false), None);
        assert_eq!(slots.find(7, 8, |_| true), None);
    }
}
