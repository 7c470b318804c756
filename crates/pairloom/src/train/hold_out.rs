//! Which rows are held out for validation.

use super::Job;
use crate::data::Interned;
use crate::error::flagged;
use crate::input;
use crate::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Which rows are held out: the last ones, or some drawn at random, in whole groups where there
/// are groups (but if items are drawn for each row: then groups are to be known), and of two classes the same
/// share of each.
pub(super) fn hold_out(interned: &Interned, job: &Job, draws: bool) -> Result<Vec<bool>> {
    let (rows, config) = (interned.rows, &job.config);
    if job.valid.is_some() {
        return Ok(vec![false; rows]);
    }
    let (mut groups, classes) = groups_and_classes(interned)?;
    if draws {
        groups.clear();
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
        let sizes = [false, true].map(|class| classes.iter().filter(|&&c| c == class).count());
        let [mut first, mut second] =
            strata(sizes, config.valid_fraction).map(|(of, held)| draw(of, held).into_iter());
        let of_row = |&class: &bool| if class { second.next() } else { first.next() };
        return Ok(classes.iter().filter_map(of_row).collect());
    };
    let count = last as usize + 1;
    let drawn = draw(count, share(count, config.valid_fraction));
    Ok(groups.iter().map(|&group| drawn[group as usize]).collect())
}

fn share(of: usize, fraction: f64) -> usize {
    (of as f64 * fraction) as usize
}

/// The group of each row, where there are groups; and of two classes, which one it has: false for all
/// rows of any other label.
fn groups_and_classes(interned: &Interned) -> Result<(Vec<u32>, Vec<bool>)> {
    let one = interned.labels.one_of_two();
    let (mut groups, mut classes) = (Vec::new(), Vec::new());
    interned.heads(|_, head| {
        groups.extend_from_slice(&head.groups);
        classes.extend(head.labels.iter().map(|&label| one == Some(label)));
    })?;
    Ok((groups, classes))
}

/// How many rows there are of each class, and how many of them are held out: where there is a
/// choice, at least one, so that the validation rows can tell the classes apart.
fn strata(sizes: [usize; 2], fraction: f64) -> [(usize, usize); 2] {
    let rows = sizes[0] + sizes[1];
    let all = share(rows, fraction);
    let least = sizes.map(|of| usize::from(all >= 2).min(of / 2));
    let first = (all as f64 * sizes[0] as f64 / rows.max(1) as f64).round() as usize;
    let first = first.clamp(least[0], all - least[1]);
    [(sizes[0], first), (sizes[1], all - first)]
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
