//! Which rows are held out for validation.

use super::Job;
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

/// Which rows are held out: the last ones, or some drawn at random, in whole groups where there
/// are groups (but if items are drawn for each row: then groups are to be known), both rows of a line of counts, and of
/// classes the same share of each.
pub(super) fn hold_out(
    interned: &Interned,
    schema: &Schema,
    job: &Job,
    draws: bool,
) -> Result<Vec<bool>> {
    let (rows, config) = (interned.rows, &job.config);
    if job.valid.is_some() {
        return Ok(vec![false; rows]);
    }
    let (mut groups, classes) = groups_and_classes(interned, config)?;
    if draws {
        groups.clear();
    }
    if groups.is_empty() && schema.find(Role::Trials).is_some() {
        // The two rows that a line of counts became tell of each other.
        groups = lines(interned);
    }
    if config.valid_tail > 0.0 {
        let first = rows - share(rows, config.valid_tail);
        return tail(&groups, rows, first, input::name(&job.data));
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(config.seed.rotate_left(32));
    let mut draw = |of: usize, held: usize| {
        let mut drawn = vec![false; of];
        drawn[..held].fill(true);
        drawn.shuffle(&mut random);
        drawn
    };
    let Some(&last) = groups.iter().max() else {
        let mut sizes = vec![0; 2];
        for &class in &classes {
            sizes.resize(sizes.len().max(class as usize + 1), 0);
            sizes[class as usize] += 1;
        }
        let held = strata(&sizes, config.valid_fraction).into_iter().zip(&sizes);
        let mut drawn: Vec<_> = held.map(|(held, &of)| draw(of, held).into_iter()).collect();
        let of_row = |&class: &u32| drawn[class as usize].next();
        return Ok(classes.iter().filter_map(of_row).collect());
    };
    let count = last as usize + 1;
    let drawn = draw(count, share(count, config.valid_fraction));
    Ok(groups.iter().map(|&group| drawn[group as usize]).collect())
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
fn tail(groups: &[u32], rows: usize, first: usize, file: &str) -> Result<Vec<bool>> {
    let Some(&last_before) = groups[..first.min(groups.len())].iter().max() else {
        return Ok((0..rows).map(|row| row >= first).collect());
    };
    let held: Vec<bool> = groups.iter().map(|&group| group > last_before).collect();
    match held.contains(&true) || first == rows {
        true => Ok(held),
        false => {
            let [tail, fraction] = ["valid_tail", "valid_fraction"].map(flagged);
            let message = "no group begins in the tail of the rows, so none can be held out whole";
            Err(Error::data(file, format!("{message}: raise {tail}, or take {fraction}")))
        }
    }
}
