//! The entries of a batch, brought from the order of its rows into that of the features.

/// One feature of one row of the batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) feature: u32,
    /// Place in the batch.
    pub(super) row: u32,
    pub(super) x: f32,
}

/// The most bits of a digit of the radix sort: its counters then fit the first-level cache.
const DIGIT: u32 = 11;

/// With fewer entries, counting digits costs more than comparing.
const FEW: usize = 256;

/// Brings the entries of some lists, one after the other, into the order of their features, which
/// are in `first..first + span`; entries of the same feature stay in their order. `spare` is scratch
/// memory.
pub(super) fn sort<'a>(
    lists: impl Iterator<Item = &'a Vec<Entry>> + Clone,
    entries: &mut Vec<Entry>,
    spare: &mut Vec<Entry>,
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
    fn digit(&self, entry: &Entry) -> usize {
        (((entry.feature - self.first) >> self.shift) & self.mask) as usize
    }

    #[inline(always)]
    fn run<'a>(&self, from: impl Iterator<Item = &'a Entry> + Clone, to: &mut [Entry]) {
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
