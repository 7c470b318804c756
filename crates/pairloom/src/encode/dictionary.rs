//! Distinct byte strings, numbered in the order of their arrival.
//!
//! Keys lie one after the other in one array: two arrays are all that a model file has to hold.

use super::slots::Slots;
use crate::{Result, memory};
use xxhash_rust::xxh3::xxh3_64;

/// A set of byte strings with a number for each.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    bytes: Vec<u8>,
    /// Where each key ends in `bytes`.
    ends: Vec<u64>,
    numbers: Slots,
}

/// The same keys with the same numbers.
impl PartialEq for Dictionary {
    fn eq(&self, other: &Dictionary) -> bool {
        self.parts() == other.parts()
    }
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

    /// Bytes of memory taken.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity() + 8 * self.ends.capacity() + self.numbers.bytes()
    }

    /// The key with this number.
    pub fn key(&self, number: u32) -> &[u8] {
        key(&self.bytes, &self.ends, number)
    }

    /// The number of a key.
    #[inline]
    pub fn get(&self, wanted: &[u8]) -> Option<u32> {
        let (word, mark) = shortened(wanted);
        self.numbers.find(word, mark, |n| mark < LONG || self.key(n) == wanted)
    }

    /// What stands for a key; asks for the memory that says whether it is there, so that many can
    /// be looked up at once.
    #[inline(always)]
    pub(crate) fn ask(&self, wanted: &[u8]) -> Short {
        let (word, mark) = shortened(wanted);
        self.numbers.prefetch(word, mark);
        Short { word, mark }
    }

    /// The same as [`Dictionary::insert`] of a key that was asked for.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if there is no room for it.
    #[inline(always)]
    pub(crate) fn insert_asked(&mut self, Short { word, mark }: Short, key: &[u8]) -> Result<u32> {
        match self.numbers.find(word, mark, |n| mark < LONG || self.key(n) == key) {
            Some(number) => Ok(number),
            None => self.add(key),
        }
    }

    /// The number of a key, which is added if it is new.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if there is no room for it.
    #[inline]
    pub fn insert(&mut self, wanted: &[u8]) -> Result<u32> {
        match self.get(wanted) {
            Some(number) => Ok(number),
            None => self.add(wanted),
        }
    }

    fn add(&mut self, key: &[u8]) -> Result<u32> {
        let held = self.ends.len();
        let full =
            || memory::refused(&format!("more than {held} distinct values"), memory::FEWER_ROWS);
        let number = u32::try_from(held).ok().filter(|n| *n < u32::MAX).ok_or_else(full)?;
        self.bytes.try_reserve(key.len()).map_err(|_| full())?;
        self.ends.try_reserve(1).map_err(|_| full())?;
        let (word, mark) = shortened(key);
        self.numbers.insert(word, mark, number).map_err(|_| full())?;
        self.bytes.extend_from_slice(key);
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
        let mut numbers = Slots::default();
        numbers.reserve(ends.len()).ok()?;
        for number in 0..count {
            let wanted = key(&bytes, &ends, number);
            let (word, mark) = shortened(wanted);
            let same = |n: u32| mark < LONG || key(&bytes, &ends, n) == wanted;
            if numbers.find(word, mark, same).is_some() {
                return None;
            }
            numbers.insert(word, mark, number).ok()?;
        }
        Some(Dictionary { bytes, ends, numbers })
    }
}

/// What stands for a key in the table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Short {
    word: u64,
    mark: u32,
}

/// The mark of keys that do not fit in a word.
const LONG: u32 = 9;

/// What stands for a key in the table: its bytes and their number, if they are few enough, else
/// their hash.
#[inline]
fn shortened(key: &[u8]) -> (u64, u32) {
    let four = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
    let word = match (key, key.first_chunk(), key.last_chunk()) {
        (&[a, b, c, d, e, f, g, h], _, _) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        // The halves overlap; together with the length they are still the key.
        (_, Some(&first), Some(&last)) if key.len() < 8 => four(first) | four(last) << 32,
        (&[], _, _) => 0,
        (&[a], _, _) => u64::from(a),
        (&[a, b], _, _) => u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]),
        (&[a, b, c], _, _) => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
        _ => return (xxh3_64(key), LONG),
    };
    (word, key.len() as u32)
}

fn key<'a>(bytes: &'a [u8], ends: &[u64], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &bytes[start as usize..ends[number] as usize]
}
