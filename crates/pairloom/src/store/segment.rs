//! Encoded rows as words of 32 bits.
//!
//! 1. rows, entries, flags, 0;
//! 2. where each row ends in the ids;
//! 3. the id of each entry; if flag 1 is set, the value of each;
//! 4. the label of each row; if flag 2 is set, the weight of each; if flag 4 is set, the group of each.
//!
//! Nothing of it is believed before it is checked: lengths before memory is taken, ids before they
//! are places in a table.

use crate::batch::{Block, Part};
use crate::pieces::CHECKSUM;
use crate::{Result, memory};

const HEADER: usize = 4;
const VALUES: u32 = 1;
const WEIGHTS: u32 = 2;
const GROUPS: u32 = 4;

/// Words that a block takes in a file.
fn words_of(rows: u64, entries: u64, flags: u32) -> u64 {
    let is_set = |flag| u64::from(flags & flag != 0);
    let of_rows = rows * (2 + is_set(WEIGHTS) + is_set(GROUPS));
    HEADER as u64 + of_rows + entries * (1 + is_set(VALUES))
}

/// Puts a block into words.
///
/// # Errors
/// [`crate::Error::Memory`] if the system has not got the memory.
pub(super) fn write(block: &Block, words: &mut Vec<u32>) -> Result<()> {
    let flag = |flag, is_set| if is_set { flag } else { 0 };
    let flags = flag(VALUES, !block.values().is_empty())
        | flag(WEIGHTS, !block.weights().is_empty())
        | flag(GROUPS, !block.groups().is_empty());
    words.clear();
    let need = words_of(block.len() as u64, block.ids().len() as u64, flags) + CHECKSUM as u64;
    let full = |_| memory::refused("a block of rows", memory::FEWER_ROWS);
    words.try_reserve(need as usize).map_err(full)?;
    words.extend([block.len() as u32, block.ids().len() as u32, flags, 0]);
    words.extend_from_slice(&block.starts()[1..]);
    words.extend_from_slice(block.ids());
    for floats in [block.values(), block.labels(), block.weights()] {
        words.extend_from_slice(bytemuck::cast_slice(floats));
    }
    words.extend_from_slice(block.groups());
    Ok(())
}

/// Finds the rows in words, whose ids must be below `features`.
///
/// # Errors
/// What is wrong with them.
pub(super) fn read(words: &[u32], features: u32) -> Result<Part<'_>, &'static str> {
    let &[rows, entries, flags, _, ref rest @ ..] = words else { return Err("it is cut off") };
    if flags > (VALUES | WEIGHTS | GROUPS)
        || words_of(rows.into(), entries.into(), flags) != words.len() as u64
    {
        return Err("its lengths are not those of its rows");
    }
    let (rows, entries) = (rows as usize, entries as usize);
    let if_set = |flag, len| if flags & flag != 0 { len } else { 0 };
    let (ends, rest) = rest.split_at(rows);
    let (ids, rest) = rest.split_at(entries);
    let (values, rest) = rest.split_at(if_set(VALUES, entries));
    let (labels, rest) = rest.split_at(rows);
    let (weights, groups) = rest.split_at(if_set(WEIGHTS, rows));
    let last = ends.last().map_or(0, |&end| end as usize);
    if last != entries || ends.windows(2).any(|of| of[0] > of[1]) {
        return Err("its rows do not follow each other");
    }
    // All are looked at, whatever the first are: that takes vector instructions.
    if ids.iter().fold(false, |any, &id| any | (id >= features)) {
        return Err("it has features that there are not");
    }
    let floats = bytemuck::cast_slice::<u32, f32>;
    let (values, labels, weights) = (floats(values), floats(labels), floats(weights));
    Ok(Part { ends, ids, values, labels, weights, groups })
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::batch::Rows;

    fn rows() -> Rows {
        rows_in(|_| None)
    }

    fn rows_in(group: impl Fn(u32) -> Option<u32>) -> Rows {
        let mut rows = Rows::new();
        for i in 0..50u32 {
            (0..i % 4).for_each(|at| rows.push(i + at, if at == 2 { 0.5 } else { 1.0 }));
            rows.finish_in(group(i), (i % 2) as f32, if i == 30 { 2.0 } else { 1.0 });
        }
        rows
    }

    fn written(rows: &Rows) -> Vec<u32> {
        let mut words = Vec::new();
        write(&rows.blocks()[0], &mut words).unwrap();
        words
    }

    #[test]
    fn what_is_written_is_read() {
        for rows in [rows(), rows_in(|i| Some(i / 3))] {
            let mut found = Rows::new();
            found.extend(&read(&written(&rows), 60).unwrap()).unwrap();
            assert_eq!(found, rows);
        }
    }

    /// A checksum can be recomputed: what is under it must still make sense.
    #[test]
    fn what_is_made_up_is_refused() {
        let words = written(&rows());
        for len in 0..words.len() {
            assert!(read(&words[..len], 60).is_err(), "{len} words");
        }
        let with = |at: usize, word: u32| {
            let mut words = words.clone();
            words[at] = word;
            read(&words, 60).err()
        };
        let lengths = Some("its lengths are not those of its rows");
        for word in [0, 49, 51, u32::MAX] {
            assert_eq!(with(0, word), lengths);
            assert_eq!(with(1, word), lengths);
        }
        assert_eq!(with(2, 1), lengths);
        assert_eq!(with(2, 7), lengths);
        assert_eq!(with(2, 8), lengths);
        let order = Some("its rows do not follow each other");
        assert_eq!(with(4, 9), order);
        assert_eq!(with(4 + 49, 74), order);
        assert_eq!(with(4 + 50, 60), Some("it has features that there are not"));
    }
}
