//! The entries of a batch, brought from the order of its rows into that of the features.

/// One feature of one row of the batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) feature: u32,
    /// Place in the batch.
    pub(super) row: u32,
    pub(super) x: f32,
}

/// Bits of a digit of the radix sort: its counters then fit the first-level cache.
const DIGIT: u32 = 11;

/// With fewer entries, counting digits costs more than comparing.
const FEW: usize = 256;

/// Sorts by feature; entries of the same feature stay in their order. Features are in
/// `first..first + span`; `spare` is scratch memory.
pub(super) fn sort(entries: &mut Vec<Entry>, spare: &mut Vec<Entry>, first: u32, span: u32) {
    if entries.len() < FEW {
        return entries.sort_by_key(|entry| entry.feature);
    }
    spare.resize(entries.len(), Entry::default());
    let bits = u32::BITS - span.saturating_sub(1).leading_zeros();
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit =
            |entry: &Entry| (((entry.feature - first) >> shift) & ((1 << DIGIT) - 1)) as usize;
        let mut places = [0u32; 1 << DIGIT];
        entries.iter().for_each(|entry| places[digit(entry)] += 1);
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for entry in &*entries {
            let place = &mut places[digit(entry)];
            spare[*place as usize] = *entry;
            *place += 1;
        }
        std::mem::swap(entries, spare);
    }
}
