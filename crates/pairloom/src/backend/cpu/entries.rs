//! The entries of a batch, brought from the order of its rows into that of the features.

use crate::batch::Row;

/// One feature of one row of the batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry<X> {
    pub(super) feature: u32,
    /// Place in the batch.
    pub(super) row: u32,
    pub(super) x: X,
}

/// The `x` of an entry: a number, or nothing where all of them are 1, as in most click logs. Entries
/// are moved about more than anything else, and are a third smaller then.
pub(super) trait Value: Copy + Default + Send + Sync {
    /// That of an entry of a row.
    fn of(row: Row<'_>, at: usize) -> Self;

    /// The number.
    fn x(self) -> f32;
}

impl Value for f32 {
    #[inline(always)]
    fn of(row: Row<'_>, at: usize) -> f32 {
        if row.values.is_empty() { 1.0 } else { row.values[at] }
    }

    #[inline(always)]
    fn x(self) -> f32 {
        self
    }
}

/// An `x` of 1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct One;

impl Value for One {
    #[inline(always)]
    fn of(_row: Row<'_>, _at: usize) -> One {
        One
    }

    #[inline(always)]
    fn x(self) -> f32 {
        1.0
    }
}

/// The most bits of a digit of the radix sort: its counters then fit the first-level cache.
const DIGIT: u32 = 11;

/// With fewer entries, counting digits costs more than comparing.
const FEW: usize = 256;

/// Brings entries into the order of their features, which are in `first..first + span`; those of the
/// same feature stay in their order. They come out in `sorted`; `spare` is scratch memory.
pub(super) fn sort<X: Value>(
    found: &[Entry<X>],
    sorted: &mut Vec<Entry<X>>,
    spare: &mut Vec<Entry<X>>,
    first: u32,
    span: u32,
) {
    let bits = u32::BITS - span.saturating_sub(1).leading_zeros();
    if found.len() < FEW || bits == 0 {
        sorted.clear();
        sorted.extend_from_slice(found);
        return sorted.sort_by_key(|entry| entry.feature);
    }
    sorted.resize(found.len(), Entry::default());
    spare.resize(found.len(), Entry::default());
    let passes = bits.div_ceil(DIGIT);
    let digit = bits.div_ceil(passes);
    let mut pass = Pass { first, shift: 0, mask: (1 << digit) - 1 };
    pass.run(found, sorted);
    for number in 1..passes {
        pass.shift = number * digit;
        pass.run(sorted, spare);
        std::mem::swap(sorted, spare);
    }
}

/// One pass of the sort: by one digit.
struct Pass {
    first: u32,
    shift: u32,
    mask: u32,
}

impl Pass {
    #[inline(always)]
    fn digit<X>(&self, entry: &Entry<X>) -> usize {
        (((entry.feature - self.first) >> self.shift) & self.mask) as usize
    }

    #[inline(always)]
    fn run<X: Value>(&self, from: &[Entry<X>], to: &mut [Entry<X>]) {
        let mut places = [0u32; 1 << DIGIT];
        from.iter().for_each(|entry| places[self.digit(entry)] += 1);
        let mut next = 0;
        for place in &mut places[..=self.mask as usize] {
            next += std::mem::replace(place, next);
        }
        for entry in from {
            let place = &mut places[self.digit(entry)];
            to[*place as usize] = *entry;
            *place += 1;
        }
    }
}
