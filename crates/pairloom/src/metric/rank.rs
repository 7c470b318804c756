//! What depends on the order of the scores: the ROC curve and the area under it.
//!
//! The rows are sorted once by score and walked once. Rows of equal score form one step of the
//! curve, a slanted one, which is what counts a tied pair as half right. Ties are broken by weight
//! and label before adding up, so the result does not depend on the order of the rows, not even
//! in the last bit.

use super::rows::{Rows, at};
use crate::{Error, Result, memory};

/// One row as sorting wants it: small, and without a look-up.
struct Ranked {
    score: f64,
    weight: f32,
    positive: bool,
}

/// The ROC curve (Fawcett 2006): (false positive rate, true positive rate), both in `[0, 1]`, as
/// the threshold falls from above the highest score to the lowest; from (0, 0) to (1, 1).
///
/// A curve of more than `max_points` is thinned to steps of equal length along the curve, so no
/// point of the full curve is farther than `2 / (max_points - 1)` from the one returned. Empty
/// with one class.
///
/// # Errors
/// As [`Binary::measure`](super::Binary::measure), and [`Error::Usage`] for `max_points` below 2.
pub fn roc_curve(
    probability: &[f64],
    label: &[f32],
    weight: Option<&[f32]>,
    max_points: usize,
) -> Result<Vec<(f64, f64)>> {
    if max_points < 2 {
        return Err(Error::usage("a ROC curve needs at least 2 points"));
    }
    let ranked = ranked(&Rows::binary(probability, label, weight)?);
    let (mut negative, mut positive) = (0.0, 0.0);
    let mut points = vec![(0.0, 0.0)];
    for step in steps(&ranked) {
        negative += step.0;
        positive += step.1;
        points.push((negative, positive));
    }
    if negative == 0.0 || positive == 0.0 {
        return Ok(Vec::new());
    }
    for point in &mut points {
        *point = (point.0 / negative, point.1 / positive);
    }
    Ok(if points.len() > max_points { thin(&points, max_points) } else { points })
}

/// Area under the curve by the trapezoid rule over its steps.
pub(super) fn area(rows: &Rows<'_>) -> Option<f64> {
    trapezoids(steps(&ranked(rows)))
}

fn trapezoids(steps: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut negative, mut positive, mut area) = (0.0, 0.0, 0.0);
    for (n, p) in steps {
        area += n * (positive + 0.5 * p);
        negative += n;
        positive += p;
    }
    let pairs = negative * positive;
    (pairs > 0.0).then(|| (area / pairs).clamp(0.0, 1.0))
}

/// Rows by falling score, to find the area of other weights without sorting again.
pub(super) struct Order {
    rows: Vec<u32>,
    /// Where each run of equal scores ends.
    ends: Vec<u32>,
}

impl Order {
    /// Of finite scores.
    pub(super) fn new(scores: &[f64]) -> Result<Self> {
        let mut rows = room(scores.len())?;
        rows.extend(0..scores.len() as u32);
        let score = |row: u32| scores[row as usize] + 0.0;
        rows.sort_unstable_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
        let mut ends = room(rows.len())?;
        let mut end = 0;
        for ties in rows.chunk_by(|&a, &b| score(a) == score(b)) {
            end += ties.len() as u32;
            ends.push(end);
        }
        Ok(Order { rows, ends })
    }

    /// As [`area`], but for the order in which the weights of a tie are added.
    pub(super) fn area(
        &self,
        weight: Option<&[f32]>,
        is_positive: impl Fn(usize) -> bool,
    ) -> Option<f64> {
        let mut from = 0;
        trapezoids(self.ends.iter().map(|&end| {
            let ties = &self.rows[from..end as usize];
            from = end as usize;
            ties.iter().fold((0.0, 0.0), |(negative, positive), &row| {
                let row = row as usize;
                let weight = at(weight, row);
                if is_positive(row) {
                    (negative, positive + weight)
                } else {
                    (negative + weight, positive)
                }
            })
        }))
    }
}

/// An empty list with room for so many.
fn room(count: usize) -> Result<Vec<u32>> {
    let mut list = Vec::new();
    let found = list.try_reserve_exact(count);
    found.map_err(|_| memory::refused("the order of the rows", memory::FEWER_ROWS))?;
    Ok(list)
}

/// The rows by falling score.
fn ranked(rows: &Rows<'_>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = rows
        .iter()
        .map(|(score, y, w)| Ranked { score: score + 0.0, weight: w as f32, positive: y == 1.0 })
        .collect();
    ranked.sort_unstable_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(a.weight.total_cmp(&b.weight))
            .then(a.positive.cmp(&b.positive))
    });
    ranked
}

/// Negative and positive weight at each distinct score.
fn steps(ranked: &[Ranked]) -> impl Iterator<Item = (f64, f64)> {
    ranked.chunk_by(|a, b| a.score == b.score).map(|ties| {
        ties.iter().fold((0.0, 0.0), |(negative, positive), row| {
            let weight = f64::from(row.weight);
            if row.positive { (negative, positive + weight) } else { (negative + weight, positive) }
        })
    })
}

/// Keeps the first point in each of `count` equal stretches of the curve's length.
///
/// Both rates only rise, so their sum, from 0 to 2, measures the length walked.
fn thin(points: &[(f64, f64)], count: usize) -> Vec<(f64, f64)> {
    let stretch = |point: &(f64, f64)| (0.5 * (point.0 + point.1) * (count - 1) as f64) as usize;
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(count);
    for point in points {
        if kept.last().is_none_or(|last| stretch(point) > stretch(last)) {
            kept.push(*point);
        }
    }
    // Rounding may put a point just before the end into the last stretch too.
    if let (Some(last), Some(end)) = (kept.last_mut(), points.last()) {
        *last = *end;
    }
    kept
}
