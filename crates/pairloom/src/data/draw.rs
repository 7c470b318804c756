//! Rows that quantities are learned from.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Rows that are enough to learn the quantiles and the scale of a column from: the share of rows
/// below a quantile is then right to a tenth of a percent.
const ENOUGH: usize = 1 << 18;

/// Which rows these are: all, or about so many as are enough, drawn by their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    /// `None` if all are taken.
    below: Option<u64>,
    /// How often a row counts for each that it stands for.
    share: f64,
}

impl Draw {
    /// A draw from so many rows, which stand for so many; an eighth of what is enough where memory is limited.
    pub(crate) fn new(rows: usize, copies: usize, is_limited: bool) -> Self {
        Self::weighted(rows, copies as f64, is_limited).once()
    }

    /// A draw from rows that weigh so much in all, and count as they weigh.
    pub(crate) fn weighted(rows: usize, weight: f64, is_limited: bool) -> Self {
        let enough = if is_limited { ENOUGH / 8 } else { ENOUGH };
        let share = || ((enough as u128) << 64) / rows as u128;
        Draw {
            below: (rows > enough).then(|| share() as u64),
            share: rows.max(enough) as f64 / weight.max(f64::MIN_POSITIVE),
        }
    }

    /// The same, but that no copy counts more than once.
    pub(crate) fn once(self) -> Self {
        Draw { share: self.share.min(1.0), ..self }
    }

    /// How often a row counts that stands for so many: what is less than one counts as often as its share says.
    pub(crate) fn of_copies(self, row: usize, copies: f64) -> u32 {
        let counts = copies * self.share;
        let chance = xxh3_64_with_seed(&(row as u64).to_le_bytes(), 1) as f64 / u64::MAX as f64;
        let whole = counts.floor() + f64::from(u8::from(chance < counts.fract()));
        whole.min(ENOUGH as f64) as u32
    }

    /// Whether a row is taken.
    pub(crate) fn takes(self, row: usize) -> bool {
        self.below.is_none_or(|below| xxh3_64(&(row as u64).to_le_bytes()) < below)
    }
}

#[cfg(test)]
mod tests {
    use super::{Draw, ENOUGH};

    #[test]
    fn few_rows_are_all_taken_and_of_many_about_enough() {
        let taken =
            |rows: usize| (0..rows).filter(|&row| Draw::new(rows, rows, false).takes(row)).count();
        assert_eq!(taken(ENOUGH), ENOUGH);
        // Three standard deviations of a binomial count.
        let many = taken(3_000_000) as f64 - ENOUGH as f64;
        assert!(many.abs() < 3.0 * (ENOUGH as f64).sqrt(), "{many}");
    }

    #[test]
    fn of_many_copies_about_enough_count() {
        let draw = |rows, copies| Draw::new(rows, copies, false);
        assert_eq!(draw(1000, ENOUGH).of_copies(0, 262.0), 262);
        // Of ten times as many, a tenth: also of rows that stand for less than ten.
        let tenth = draw(1000, 10 * ENOUGH);
        for copies in [1.0, 3.0, 2620.0] {
            let counts: u32 = (0..100_000).map(|row| tenth.of_copies(row, copies)).sum();
            let expected = copies / 10.0;
            assert!((f64::from(counts) / 1e5 - expected).abs() < 0.01, "{copies}: {counts}");
        }
        // As many rows are drawn as are enough, and count once each in the mean.
        assert_eq!(draw(2 * ENOUGH, 200 * ENOUGH).of_copies(0, 100.0), 1);
        assert_eq!(draw(2 * ENOUGH, 2 * ENOUGH).of_copies(0, u32::MAX.into()), ENOUGH as u32);
    }
}
