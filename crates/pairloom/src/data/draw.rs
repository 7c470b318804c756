//! Rows that quantities are learned from.

use xxhash_rust::xxh3::xxh3_64;

/// Rows that are enough to learn the quantiles and the scale of a column from: the share of rows
/// below a quantile is then right to a tenth of a percent.
const ENOUGH: usize = 1 << 18;

/// Which rows these are: all, or about so many as are enough, drawn by their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    /// `None` if all are taken.
    below: Option<u64>,
    /// Of the rows that one stands for, the share that counts.
    share: f64,
}

impl Draw {
    /// A draw from so many rows, which stand for so many; an eighth of what is enough where memory is limited.
    pub(crate) fn new(rows: usize, copies: usize, is_limited: bool) -> Self {
        let enough = if is_limited { ENOUGH / 8 } else { ENOUGH };
        let share = || ((enough as u128) << 64) / rows as u128;
        Draw {
            below: (rows > enough).then(|| share() as u64),
            share: (rows.max(enough) as f64 / copies.max(1) as f64).min(1.0),
        }
    }

    /// How often a row counts that stands for so many.
    pub(crate) fn of_copies(self, copies: u32) -> u32 {
        (f64::from(copies) * self.share).round().max(1.0) as u32
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
        assert_eq!(draw(1000, ENOUGH).of_copies(262), 262);
        assert_eq!(draw(1000, 10 * ENOUGH).of_copies(2620), 262);
        assert_eq!(draw(1000, 10 * ENOUGH).of_copies(1), 1);
        // As many rows are drawn as are enough, and count once each in the mean.
        assert_eq!(draw(2 * ENOUGH, 200 * ENOUGH).of_copies(100), 1);
    }
}
