//! Distinct byte strings, numbered in the order of their arrival.
//!
//! Keys lie one after the other in one array: two arrays are all that a model file has to hold.

use crate::{Result, memory};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// A set of byte strings with a number for each.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    bytes: Vec<u8>,
    /// Where each key ends in `bytes`.
    ends: Vec<u64>,
    numbers: HashTable<u32>,
}

impl Dictionary {
    /// Number of keys.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The key with this number.
    pub fn key(&self, number: u32) -> &[u8] {
        key(&self.bytes, &self.ends, number)
    }

    /// The number of a key.
    pub fn get(&self, wanted: &[u8]) -> Option<u32> {
        let same = |&n: &u32| self.key(n) == wanted;
        self.numbers.find(xxh3_64(wanted), same).copied()
    }

    /// The number of a key, which is added if it is new.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if there is no room for it.
    pub fn insert(&mut self, wanted: &[u8]) -> Result<u32> {
        if let Some(number) = self.get(wanted) {
            return Ok(number);
        }
        let held = self.ends.len();
        let full =
            || memory::refused(&format!("more than {held} distinct values"), memory::FEWER_ROWS);
        let number = u32::try_from(held).map_err(|_| full())?;
        self.bytes.try_reserve(wanted.len()).map_err(|_| full())?;
        self.ends.try_reserve(1).map_err(|_| full())?;
        let (bytes, ends) = (&self.bytes, &self.ends);
        let hash = |&n: &u32| xxh3_64(key(bytes, ends, n));
        self.numbers.try_reserve(1, hash).map_err(|_| full())?;
        self.numbers.insert_unique(xxh3_64(wanted), number, hash);
        self.bytes.extend_from_slice(wanted);
        self.ends.push(self.bytes.len() as u64);
        Ok(number)
    }

    /// All keys one after the other, and where each ends.
    pub fn parts(&self) -> (&[u8], &[u64]) {
        (&self.bytes, &self.ends)
    }

    /// What [`Dictionary::parts`] came from; `None` if the parts do not fit together, or there is
    /// no memory for the numbers of the keys.
    pub(crate) fn from_parts(bytes: Vec<u8>, ends: Vec<u64>) -> Option<Self> {
        let count = u32::try_from(ends.len()).ok()?;
        if !ends.is_sorted() || ends.last().copied().unwrap_or(0) != bytes.len() as u64 {
            return None;
        }
        let hash = |&n: &u32| xxh3_64(key(&bytes, &ends, n));
        let mut numbers = HashTable::new();
        numbers.try_reserve(ends.len(), hash).ok()?;
        for number in 0..count {
            let same = |&n: &u32| key(&bytes, &ends, n) == key(&bytes, &ends, number);
            if numbers.find(hash(&number), same).is_some() {
                return None;
            }
            numbers.insert_unique(hash(&number), number, hash);
        }
        Some(Dictionary { bytes, ends, numbers })
    }
}

fn key<'a>(bytes: &'a [u8], ends: &[u64], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &bytes[start as usize..ends[number] as usize]
}
