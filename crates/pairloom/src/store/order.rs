//! The order in which an epoch takes its rows: a permutation that is computed and not kept, since
//! a list of all rows would take 4 bytes for each of them.
//!
//! A place is split into `low`, of a few bits, and `high`, which has no more values than are needed;
//! each is moved in turn by a keyed function of the other, which can be undone, and so the whole is
//! a permutation: a Feistel network (Luby and Rackoff, "How to construct pseudorandom permutations
//! from pseudorandom functions", SIAM Journal on Computing 17, 1988). It may lead out of the rows,
//! one time in about the root of their number; then it is taken again until it does not (Black and
//! Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::ops::Range;

/// Times that both halves are moved. Luby and Rackoff need two; with four, sets of a few rows are
/// spread evenly too.
const ROUNDS: usize = 4;

/// A permutation of the numbers below `rows`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    rows: u32,
    /// Bits of a place that are `low`, and how many values `high` has.
    bits: u32,
    highs: u32,
    /// A key for each half of each round; none leaves all in its place.
    keys: Option<[[u64; 2]; ROUNDS]>,
}

impl Order {
    /// All in its place.
    pub(crate) fn plain(rows: usize) -> Self {
        let rows = rows as u32;
        let bits = (u32::BITS - rows.leading_zeros()) / 2;
        Order { rows, bits, highs: (u64::from(rows).div_ceil(1 << bits)) as u32, keys: None }
    }

    /// The permutation of one of several things in an epoch.
    pub(crate) fn shuffled(rows: usize, seed: u64, epoch: u32, thing: u32) -> Self {
        // The golden ratio's bits keep (seed, epoch) and (seed + 1, epoch - 1) apart.
        let number = u64::from(thing) << 32 | u64::from(epoch);
        let mix = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ mix);
        let keys = std::array::from_fn(|_| std::array::from_fn(|_| random.next_u64()));
        Order { keys: Some(keys), ..Order::plain(rows) }
    }

    /// How many numbers there are.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// Bits of a place that are `low`, and how many values `high` has.
    pub(crate) fn parts(&self) -> [u32; 2] {
        [self.bits, self.highs]
    }

    /// A key for each half of each round, if it is a permutation.
    pub(crate) fn keys(&self) -> Option<[[u64; 2]; ROUNDS]> {
        self.keys
    }

    /// What stands at a place.
    pub(crate) fn number(&self, place: usize) -> u32 {
        self.keys.map_or(place as u32, |keys| self.at(place as u32, &keys))
    }

    /// Writes down what stands at these places.
    pub(crate) fn fill(&self, places: Range<usize>, rows: &mut Vec<u32>) {
        rows.clear();
        let places = places.start as u32..places.end as u32;
        match &self.keys {
            None => rows.extend(places),
            Some(keys) => rows.extend(places.map(|place| self.at(place, keys))),
        }
    }

    #[inline]
    fn at(&self, place: u32, keys: &[[u64; 2]; ROUNDS]) -> u32 {
        let mut row = self.moved(place, keys);
        while row >= self.rows {
            row = self.moved(row, keys);
        }
        row
    }

    #[inline]
    fn moved(&self, place: u32, keys: &[[u64; 2]; ROUNDS]) -> u32 {
        let mask = (1 << self.bits) - 1;
        let (mut high, mut low) = (place >> self.bits, place & mask);
        for [key_high, key_low] in keys {
            let step = below(self.highs, mixed(low, *key_high));
            high = if high >= self.highs - step { high - (self.highs - step) } else { high + step };
            low ^= mixed(high, *key_low) & mask;
        }
        high << self.bits | low
    }
}

/// 32 bits that depend on all bits of both: multiplied, folded and multiplied again.
#[inline]
fn mixed(x: u32, key: u64) -> u32 {
    let once = (u64::from(x) ^ key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((once ^ (once >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as u32
}

/// A number below `bound` from 32 random bits.
#[inline]
fn below(bound: u32, bits: u32) -> u32 {
    ((u64::from(bound) * u64::from(bits)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::Order;

    fn order(rows: usize, seed: u64, epoch: u32) -> Vec<u32> {
        let mut all = Vec::new();
        Order::shuffled(rows, seed, epoch, 0).fill(0..rows, &mut all);
        all
    }

    #[test]
    fn every_row_comes_once() {
        for rows in (0..300).chain([1023, 1024, 1025, 65_535, 65_537, 1_000_003]) {
            let mut all = order(rows, 3, 1);
            all.sort_unstable();
            assert!(all.into_iter().eq(0..rows as u32), "{rows}");
        }
    }

    #[test]
    fn the_largest_set_has_an_order() {
        let mut some = Vec::new();
        for rows in [u32::MAX as usize, 1 << 31, (1 << 31) + 1, u32::MAX as usize - 65_536] {
            Order::shuffled(rows, 1, 1, 0).fill(rows - 1000..rows, &mut some);
            assert!(some.iter().all(|&row| (row as usize) < rows));
            some.sort_unstable();
            some.dedup();
            assert_eq!(some.len(), 1000);
        }
    }

    #[test]
    fn parts_are_parts_of_the_whole_and_another_seed_or_epoch_is_another_order() {
        let all = order(1000, 5, 2);
        let mut part = Vec::new();
        Order::shuffled(1000, 5, 2, 0).fill(300..420, &mut part);
        assert_eq!(part, all[300..420]);
        for (seed, epoch) in [(5, 1), (4, 2), (6, 1), (4, 3)] {
            let same = order(1000, seed, epoch).iter().zip(&all).filter(|(a, b)| a == b).count();
            assert!(same < 10, "{seed} {epoch}: {same}");
        }
        let mut other = Vec::new();
        Order::shuffled(1000, 5, 2, 1).fill(0..1000, &mut other);
        assert_ne!(all, other);
        let mut plain = Vec::new();
        Order::plain(1000).fill(2..5, &mut plain);
        assert_eq!(plain, [2, 3, 4]);
    }

    /// Pearson's statistic of counts that should be alike, as standard deviations above its mean.
    fn uneven(counts: &[u32]) -> f64 {
        let expected = counts.iter().sum::<u32>() as f64 / counts.len() as f64;
        let square = |&count: &u32| (f64::from(count) - expected).powi(2) / expected;
        let free = (counts.len() - 1) as f64;
        (counts.iter().map(square).sum::<f64>() - free) / (2.0 * free).sqrt()
    }

    /// A sum over seeds, of small sets and of large ones: where a row comes, and which row is next.
    #[test]
    fn orders_are_even() {
        for (rows, seeds) in [(5, 4000), (37, 4000), (256, 4000), (10_007, 200), (300_000, 5)] {
            let parts = rows.min(64);
            let part = |of: usize| of * parts / rows;
            let (mut places, mut steps) = (vec![0; parts * parts], vec![0; parts]);
            for seed in 0..seeds {
                let all = order(rows, seed, 1);
                for (place, &row) in all.iter().enumerate() {
                    places[part(place) * parts + part(row as usize)] += 1;
                }
                for pair in all.windows(2) {
                    steps[part((pair[1] as usize + rows - pair[0] as usize) % rows)] += 1;
                }
            }
            // No row follows itself: the first part has one step less.
            let (places, steps) = (uneven(&places), uneven(&steps[1..]));
            assert!(places < 5.0, "{rows} rows: places {places}");
            assert!(steps < 5.0, "{rows} rows: steps {steps}");
        }
    }
}
