//! Which rows are held out, for validation and for a test.

use super::{Job, TestPart};
use crate::config::Config;
use crate::data::Interned;
use crate::encode::MOST_CLASSES;
use crate::error::flagged;
use crate::input;
use crate::schema::{Role, Schema};
use crate::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::HashMap;

/// What rows are for.
pub(super) struct Parts {
    /// Whether each row is held out: it is not trained on.
    pub(super) held_out: Vec<bool>,
    /// Whether it is so for the test part, if there is one.
    pub(super) test: Vec<bool>,
}

/// What rows are drawn by.
struct Units {
    /// The group of each row, where rows stay together.
    groups: Vec<u32>,
    /// A number for the class of each row, 0 for all where labels are numbers.
    classes: Vec<u32>,
}

/// Which rows are held out: the test part if one is asked for; and of the others the last ones, or some drawn at
/// random, in whole groups where there are groups (but if items are drawn for each row: then groups are to be
/// known), both rows of a line of counts, and of classes the same share of each.
pub(super) fn hold_out(
    interned: &Interned,
    schema: &Schema,
    job: &Job,
    draws: bool,
) -> Result<Parts> {
    let (rows, config, file) = (interned.rows, &job.config, input::name(&job.data));
    if job.valid.is_some() && job.test.is_none() {
        return Ok(Parts { held_out: vec![false; rows], test: Vec::new() });
    }
    let (mut groups, classes) = groups_and_classes(interned, config)?;
    if draws {
        groups.clear();
    }
    if groups.is_empty() && schema.find(Role::Trials).is_some() {
        // The two rows that a line of counts became tell of each other.
        groups = lines(interned);
    }
    let units = Units { groups, classes };
    let valid = |units: &Units| match (&job.valid, config.valid_tail > 0.0) {
        (Some(_), _) => Ok(vec![false; units.classes.len()]),
        (None, true) => units.tail(config.valid_tail, "valid_tail", file),
        (None, false) => {
            let share = config.valid_share(units.classes.len());
            Ok(units.drawn(share, config.seed.rotate_left(VALID_STREAM)))
        }
    };
    let Some(part) = &job.test else {
        return Ok(Parts { held_out: valid(&units)?, test: Vec::new() });
    };
    let test = units.test(part, file)?;
    // What is left is held out from as if there were nothing else.
    let mut left = valid(&units.without(&test))?.into_iter();
    let held_out = test.iter().map(|&out| out || left.next().unwrap_or(false)).collect();
    Ok(Parts { held_out, test })
}

/// Places by which a seed is turned for each purpose.
const VALID_STREAM: u32 = 32;
const TEST_STREAM: u32 = 16;

impl Units {
    /// Those that are not left out.
    fn without(&self, out: &[bool]) -> Units {
        let stay = |all: &[u32]| {
            let stay = all.iter().zip(out).filter(|(_, out)| !**out);
            stay.map(|(&number, _)| number).collect()
        };
        Units { groups: stay(&self.groups), classes: renumbered(stay(&self.classes)) }
    }

    /// The rows of a test part.
    fn test(&self, part: &TestPart, file: &str) -> Result<Vec<bool>> {
        match *part {
            TestPart::Share { share, seed } => Ok(self.drawn(share, seed.rotate_left(TEST_STREAM))),
            TestPart::Tail { share } => self.tail(share, "test_tail", file),
            TestPart::Fold { at, of, seed } => {
                let folds = self.folds(of, seed.rotate_left(TEST_STREAM), file)?;
                Ok(folds.into_iter().map(|fold| fold == at).collect())
            }
        }
    }

    fn tail(&self, tail: f64, setting: &str, file: &str) -> Result<Vec<bool>> {
        let rows = self.classes.len();
        held_tail(&self.groups, rows, rows - share(rows, tail), setting, file)
    }

    /// A share that is drawn at random.
    fn drawn(&self, fraction: f64, seed: u64) -> Vec<bool> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut draw = |of: usize, held: usize| {
            let mut drawn = vec![false; of];
            drawn[..held].fill(true);
            drawn.shuffle(&mut random);
            drawn
        };
        let Some(&last) = self.groups.iter().max() else {
            let sizes = sizes(&self.classes);
            let held = strata(&sizes, fraction).into_iter().zip(&sizes);
            let mut drawn: Vec<_> = held.map(|(held, &of)| draw(of, held).into_iter()).collect();
            let of_row = |&class: &u32| drawn[class as usize].next();
            return self.classes.iter().filter_map(of_row).collect();
        };
        let groups = distinct(&self.groups, last);
        let drawn = draw(groups.len(), share(groups.len(), fraction));
        let held: Vec<u32> = groups
            .into_iter()
            .zip(drawn)
            .filter(|(_, held)| *held)
            .map(|(group, _)| group)
            .collect();
        self.groups.iter().map(|group| held.binary_search(group).is_ok()).collect()
    }

    /// The fold of each row, of so many: groups whole, and of each class nearly as many rows in each.
    fn folds(&self, of: u32, seed: u64, file: &str) -> Result<Vec<u32>> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let by_group = self.groups.iter().max().map(|&last| distinct(&self.groups, last));
        let (units, what) = match &by_group {
            Some(groups) => (groups.len(), "groups"),
            None => (self.classes.len(), "rows"),
        };
        if units < of as usize {
            let message = format!("{units} {what} cannot be {of} folds: take fewer");
            return Err(Error::data(file, message));
        }
        // Where one class ends the next goes on, so that all folds have as many.
        let mut next = 0;
        let mut deal = |units: usize| {
            let mut folds: Vec<u32> =
                (next..).take(units).map(|n| (n % of as usize) as u32).collect();
            next += units;
            folds.shuffle(&mut random);
            folds
        };
        if let Some(groups) = by_group {
            let folds = deal(groups.len());
            let fold = |group: &u32| groups.binary_search(group).map_or(0, |at| folds[at]);
            return Ok(self.groups.iter().map(fold).collect());
        }
        let mut dealt: Vec<_> =
            sizes(&self.classes).into_iter().map(|size| deal(size).into_iter()).collect();
        Ok(self.classes.iter().filter_map(|&class| dealt[class as usize].next()).collect())
    }
}

/// Classes with the numbers that they would have if these were all rows: those of two are told from that of the first
/// row, which is 1, and those of several are counted as they come.
fn renumbered(mut classes: Vec<u32>) -> Vec<u32> {
    let last = classes.iter().copied().max().unwrap_or(0);
    let (mut numbers, mut count) = (vec![None; last as usize + 1], 0);
    for class in &mut classes {
        let number = *numbers[*class as usize].get_or_insert_with(|| {
            count += 1;
            if last == 1 { 2 - count } else { count - 1 }
        });
        *class = number;
    }
    classes
}

/// How many rows each class has, two classes at least.
fn sizes(classes: &[u32]) -> Vec<usize> {
    let mut sizes = vec![0; 2];
    for &class in classes {
        sizes.resize(sizes.len().max(class as usize + 1), 0);
        sizes[class as usize] += 1;
    }
    sizes
}

/// The groups that there are, ascending.
fn distinct(groups: &[u32], last: u32) -> Vec<u32> {
    let mut is_there = vec![false; last as usize + 1];
    groups.iter().for_each(|&group| is_there[group as usize] = true);
    (0..).zip(is_there).filter(|(_, is_there)| *is_there).map(|(group, _)| group).collect()
}

/// A number for the line of each row.
fn lines(interned: &Interned) -> Vec<u32> {
    let (mut number, mut before) = (0, None);
    let of_row = |row| {
        let line = interned.lines.line(row);
        number += u32::from(row > 0 && line != before);
        before = line;
        number
    };
    (0..interned.rows).map(of_row).collect()
}

fn share(of: usize, fraction: f64) -> usize {
    (of as f64 * fraction) as usize
}

/// The group of each row, where there are groups; and a number for its class, 0 for all rows where labels
/// are numbers.
fn groups_and_classes(interned: &Interned, config: &Config) -> Result<(Vec<u32>, Vec<u32>)> {
    let labels = &interned.labels;
    let one = labels.one_of_two();
    let several = labels.are_several(config.loss);
    let (mut groups, mut classes) = (Vec::new(), Vec::new());
    let mut known: HashMap<u64, u32> = HashMap::new();
    let mut first = None;
    interned.heads(|_, head| {
        groups.extend_from_slice(&head.groups);
        // Which of two it is depends on the rows alone, not on which is called positive.
        let first = *first.get_or_insert(head.labels[0]);
        classes.extend(head.labels.iter().map(|&label| match one {
            Some(one) => u32::from((label == one) == (first == one)),
            None if several => {
                // What has more values than this is refused as soon as it is known what is to be learned.
                let next = (known.len() as u32).min(MOST_CLASSES as u32);
                *known.entry(label.to_bits()).or_insert(next)
            }
            None => 0,
        }));
    })?;
    Ok((groups, classes))
}

/// How many of the rows of each class are held out: where there is a choice at least one, so that the
/// validation rows can tell the classes apart, and never all, but of the second of two or of rows that are
/// no classes.
fn strata(sizes: &[usize], fraction: f64) -> Vec<usize> {
    let rows: usize = sizes.iter().sum();
    let all = share(rows, fraction);
    if let [first, second] = *sizes {
        let least = [first, second].map(|of| usize::from(all >= 2).min(of / 2));
        let of_first = (all as f64 * first as f64 / rows.max(1) as f64).round() as usize;
        let of_first = of_first.clamp(least[0], all - least[1]);
        return vec![of_first, all - of_first];
    }
    let held = |&of: &usize| {
        let least = usize::from(all > 0).min(of / 2);
        ((of as f64 * fraction).round() as usize).clamp(least, of.saturating_sub(1).max(least))
    };
    sizes.iter().map(held).collect()
}

/// The rows from `first` on, but for those of groups that begin before it. Groups are numbered in
/// the order in which they begin.
fn held_tail(
    groups: &[u32],
    rows: usize,
    first: usize,
    setting: &str,
    file: &str,
) -> Result<Vec<bool>> {
    let Some(&last_before) = groups[..first.min(groups.len())].iter().max() else {
        return Ok((0..rows).map(|row| row >= first).collect());
    };
    let held: Vec<bool> = groups.iter().map(|&group| group > last_before).collect();
    match held.contains(&true) || first == rows {
        true => Ok(held),
        false => {
            let tail = flagged(setting);
            let message = "no group begins in the tail of the rows, so none can be held out whole";
            Err(Error::data(file, format!("{message}: raise {tail}, or take a share at random")))
        }
    }
}
