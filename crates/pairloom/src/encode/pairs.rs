//! Distinct pairs of field and index, numbered in the order of their arrival.

use super::slots::Slots;
use crate::simd::prefetch;
use crate::{Result, memory};
use std::collections::TryReserveError;

/// A set of pairs with a number for each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs {
    pairs: Vec<(u64, u32)>,
    /// Of the indices of field 0 that are small, one more than their numbers; 0 for those that are not there. It is a
    /// quarter of what the table takes, and needs no search.
    small: Vec<u32>,
    numbers: Slots,
}

/// Indices that are small whatever there is, and how many may be for each pair.
const SMALL: u64 = 1 << 16;
const SMALL_A_PAIR: u64 = 4;

impl Pairs {
    /// Number of pairs.
    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The pair with this number: field and index.
    pub(crate) fn get(&self, number: u32) -> (u32, u64) {
        let (index, field) = self.pairs[number as usize];
        (field, index)
    }

    /// All of them, in the order of their numbers: field and index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        self.pairs.iter().map(|&(index, field)| (field, index))
    }

    /// Asks for the memory that says whether a pair is there.
    #[inline(always)]
    pub(crate) fn prefetch(&self, field: u32, index: u64) {
        match self.place(field, index) {
            Some(place) => prefetch(&self.small, place, 1),
            None => self.numbers.prefetch(index, field),
        }
    }

    /// Where the number of a pair is, if it is found by its place.
    #[inline(always)]
    fn place(&self, field: u32, index: u64) -> Option<usize> {
        (field == 0 && index < self.small.len() as u64).then_some(index as usize)
    }

    /// The number of a pair, which is added if it is new.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if there is no room for it.
    #[inline]
    pub(crate) fn insert(&mut self, field: u32, index: u64) -> Result<u32> {
        let found = match self.place(field, index) {
            Some(place) => self.small[place].checked_sub(1),
            None => self.numbers.find(index, field, |_| true),
        };
        found.map_or_else(|| self.add(field, index), Ok)
    }

    fn add(&mut self, field: u32, index: u64) -> Result<u32> {
        let held = self.pairs.len();
        let full =
            || memory::refused(&format!("more than {held} distinct pairs"), memory::FEWER_ROWS);
        let number = u32::try_from(held).ok().filter(|n| *n < u32::MAX).ok_or_else(full)?;
        self.pairs.try_reserve(1).map_err(|_| full())?;
        if field == 0 && index < SMALL.max(SMALL_A_PAIR * held as u64) {
            self.make_small(index).map_err(|_| full())?;
        }
        match self.place(field, index) {
            Some(place) => self.small[place] = number + 1,
            None => self.numbers.insert(index, field, number).map_err(|_| full())?,
        }
        self.pairs.push((index, field));
        Ok(number)
    }

    /// Finds indices up to this one by their place from now on.
    fn make_small(&mut self, index: u64) -> Result<(), TryReserveError> {
        let held = self.small.len();
        if index < held as u64 {
            return Ok(());
        }
        let size = (index + 1).next_power_of_two() as usize;
        self.small.try_reserve_exact(size - held)?;
        self.small.resize(size, 0);
        for (number, &(index, field)) in (1..).zip(&self.pairs) {
            if field == 0 && (held..size).contains(&(index as usize)) {
                self.small[index as usize] = number;
            }
        }
        Ok(())
    }
}
