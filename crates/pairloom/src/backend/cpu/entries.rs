//! The entries of a batch, brought from the order of its rows into that of the features.

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
    /// Keeps what there is to be kept of `x`.
    fn keep(x: f32) -> Self;

    /// What was kept.
    fn x(self) -> f32;
}

impl Value for f32 {
    #[inline(always)]
    fn keep(x: f32) -> f32 {
        x
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
    fn keep(_x: f32) -> One {
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

/// Brings the entries of some lists, one after the other, into the order of their features, which
/// are in `first..first + span`; entries of the same feature stay in their order. `spare` is scratch
/// memory.
pub(super) fn sort<'a, X: Value + 'a>(
    lists: impl Iterator<Item = &'a Vec<Entry<X>>> + Clone,
    entries: &mut Vec<Entry<X>>,
    spare: &mut Vec<Entry<X>>,
    first: u32,
    span: u32,
) {
    let count = lists.clone().map(Vec::len).sum();
    let bits = u32::BITS - span.saturating_sub(1).leading_zeros();
    if count < FEW || bits == 0 {
        entries.clear();
        lists.for_each(|list| entries.extend_from_slice(list));
        return entries.sort_by_key(|entry| entry.feature);
    }
    entries.resize(count, Entry::default());
    spare.resize(count, Entry::default());
    let passes = bits.div_ceil(DIGIT);
    let digit = bits.div_ceil(passes);
    let mut pass = Pass { first, shift: 0, mask: (1 << digit) - 1 };
    pass.run(lists.clone().flatten(), entries);
    for number in 1..passes {
        pass.shift = number * digit;
        pass.run(entries.iter(), spare);
        std::mem::swap(entries, spare);
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
    fn run<'a, X: Value + 'a>(
        &self,
        from: impl Iterator<Item = &'a Entry<X>> + Clone,
        to: &mut [Entry<X>],
    ) {
        let mut places = [0u32; 1 << DIGIT];
        from.clone().for_each(|entry| places[self.digit(entry)] += 1);
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
