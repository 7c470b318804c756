//! Between the halves of a step: what the rows of lists cost beside each other.

use super::Lists;
use crate::loss::{Loss, lists};

/// From the scores of a batch's rows, which are where slopes will be, to losses and slopes, list by list; `outcomes` are
/// labels and weights. Returns the weight of the rows that have some below them.
pub(super) fn slopes(
    loss: Loss,
    outcomes: &[(f32, f32)],
    lists: Lists<'_>,
    (slopes, losses): (&mut [f32], &mut [f64]),
) -> f64 {
    let (mut from, mut weight, mut scores, mut own) = (0, 0.0, Vec::new(), Vec::new());
    for &to in lists.ends {
        let list = from..to as usize;
        scores.clear();
        scores.extend(slopes[list.clone()].iter().map(|&score| f64::from(score)));
        own.resize(list.len(), 0.0);
        let rows = (&scores[..], &outcomes[list.clone()]);
        let found = (&mut losses[list.clone()], &mut own[..]);
        weight += lists::learn(loss, rows, lists.each, found);
        // Who is beside it is not to blame.
        if let Some(at) = scores.iter().position(|score| !score.is_finite()) {
            losses[list.clone()].fill(0.0);
            losses[list.start + at] = f64::NAN;
        }
        slopes[list].iter_mut().zip(&own).for_each(|(to, &slope)| *to = slope as f32);
        from = to as usize;
    }
    // What is in no list is not ranked.
    slopes[from..].fill(0.0);
    losses[from..].fill(0.0);
    weight
}
