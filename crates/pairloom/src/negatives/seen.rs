//! Which items each group has.

use super::Catalogue;
use crate::store::Store;
use crate::{Result, memory};

/// The items of each group, ascending.
pub(crate) struct Seen {
    /// Where those of each group end.
    ends: Vec<u64>,
    items: Vec<u32>,
}

impl Seen {
    /// Those of the relevant rows in these stores.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if they do not fit, and those of reading rows from a file.
    pub(crate) fn of_rows(stores: &[&Store], catalogue: &Catalogue) -> Result<Self> {
        let full = |_| memory::refused("the items of all groups", memory::FEWER_ROWS);
        let mut pairs: Vec<u64> = Vec::new();
        pairs.try_reserve_exact(stores.iter().map(|rows| rows.len()).sum()).map_err(full)?;
        for rows in stores {
            rows.each(|rows| {
                for row in (0..rows.len()).filter(|&row| rows.label(row).0 > 0.0) {
                    let item = catalogue.item(rows.row(row));
                    let pair = rows.group(row).zip(item);
                    pairs
                        .extend(pair.map(|(group, item)| u64::from(group) << 32 | u64::from(item)));
                }
                Ok(())
            })?;
        }
        pairs.sort_unstable();
        pairs.dedup();
        let groups = pairs.last().map_or(0, |pair| (pair >> 32) as usize + 1);
        let mut ends: Vec<u64> = Vec::new();
        ends.try_reserve_exact(groups).map_err(full)?;
        ends.resize(groups, 0);
        pairs.iter().for_each(|pair| ends[(pair >> 32) as usize] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        Ok(Seen { ends, items: pairs.iter().map(|&pair| pair as u32).collect() })
    }

    /// What a group has.
    pub(crate) fn of(&self, group: Option<u32>) -> &[u32] {
        let Some(group) = group.map(|group| group as usize).filter(|&g| g < self.ends.len()) else {
            return &[];
        };
        let start = if group == 0 { 0 } else { self.ends[group - 1] };
        &self.items[start as usize..self.ends[group] as usize]
    }
}
