//! The product of all contexts with all items, tile by tile.

use crate::backend::Halves;
use crate::simd::{self, Work};
use crate::{Error, Result};
use ndarray::{ArrayView2, ArrayViewMut2, linalg::general_mat_mul};
use std::ops::Range;

/// Contexts and items of a tile: its scores stay in the second-level cache.
const CONTEXTS: usize = 128;
const ITEMS: usize = 1024;

/// Scores that are looked at together.
const CHUNK: usize = 64;

/// Gives `take` each context, the first of some of the items, and the products of the context with these.
///
/// # Errors
/// [`Error::Usage`] if lengths do not fit, and those of `take`.
pub(super) fn for_each(
    contexts: &Halves,
    items: &Halves,
    range: Range<usize>,
    mut take: impl FnMut(usize, usize, &[f32]),
) -> Result<()> {
    let (width, all) = (items.width, contexts.scores.len());
    let mut scores = vec![0.0; CONTEXTS.min(all) * ITEMS.min(range.len())];
    for first in range.clone().step_by(ITEMS) {
        let count = ITEMS.min(range.end - first);
        let some = &items.vectors[first * width..][..count * width];
        for context in (0..all).step_by(CONTEXTS) {
            let rows = CONTEXTS.min(all - context);
            let asking = &contexts.vectors[context * width..][..rows * width];
            let scores = &mut scores[..rows * count];
            product(asking, some, width, scores)?;
            for (context, scores) in (context..).zip(scores.chunks_exact(count)) {
                take(context, first, scores);
            }
        }
    }
    Ok(())
}

/// The inner products of all rows of `a` with all of `b`, rows of so many floats.
fn product(a: &[f32], b: &[f32], width: usize, to: &mut [f32]) -> Result<()> {
    let (rows, columns) = (a.len() / width, b.len() / width);
    let unfit = |e| Error::usage(format!("a product of {rows} by {columns} by {width}: {e}"));
    let a = ArrayView2::from_shape((rows, width), a).map_err(unfit)?;
    let b = ArrayView2::from_shape((columns, width), b).map_err(unfit)?;
    let mut to = ArrayViewMut2::from_shape((rows, columns), to).map_err(unfit)?;
    general_mat_mul(1.0, &a, &b.t(), 0.0, &mut to);
    Ok(())
}

/// Finds chunks of scores that may hold one that is not below `floor`.
struct Chunks<'a, F> {
    scores: &'a [f32],
    floor: f32,
    take: F,
}

impl<F: FnMut(usize, &[f32]) -> f32> Work for Chunks<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for (at, chunk) in (0..).step_by(CHUNK).zip(self.scores.chunks(CHUNK)) {
            // One that is not a number is not below.
            if !chunk.iter().fold(true, |below, score| below & (*score < self.floor)) {
                self.floor = (self.take)(at, chunk);
            }
        }
    }
}

/// Gives `take` those pieces of the scores, and where they begin, that have one which is not below `floor`;
/// `take` says what the floor is from there on.
pub(super) fn not_below(scores: &[f32], floor: f32, take: impl FnMut(usize, &[f32]) -> f32) {
    simd::run(Chunks { scores, floor, take });
}

/// Counts scores above `most`, and gives `take` the places of those neither above `most` nor below `least`.
struct Counting<'a, F> {
    scores: &'a [f32],
    least: f32,
    most: f32,
    take: F,
}

impl<F: FnMut(usize)> Work for Counting<'_, F> {
    type Output = u64;

    #[inline(always)]
    fn run(mut self) -> u64 {
        let mut above = 0;
        for (at, chunk) in (0..).step_by(CHUNK).zip(self.scores.chunks(CHUNK)) {
            let (mut more, mut near) = (0u32, false);
            for score in chunk {
                let is_more = *score > self.most;
                more += u32::from(is_more);
                near |= !(is_more | (*score < self.least));
            }
            above += u64::from(more);
            if near {
                for (at, score) in (at..).zip(chunk) {
                    if !(*score > self.most || *score < self.least) {
                        (self.take)(at);
                    }
                }
            }
        }
        above
    }
}

/// How many scores are above `most`; `take` is given the places of those that are neither that nor below
/// `least`.
pub(super) fn above(scores: &[f32], least: f32, most: f32, take: impl FnMut(usize)) -> u64 {
    simd::run(Counting { scores, least, most, take })
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, above, not_below};

    #[test]
    fn nothing_is_passed_over() {
        let mut scores: Vec<f32> = (0..5 * CHUNK + 7).map(|i| (i * 37 % 100) as f32).collect();
        scores[3] = f32::NAN;
        let mut found = Vec::new();
        not_below(&scores, 97.0, |at, chunk| {
            let high = (at..).zip(chunk).filter(|(_, score)| **score >= 97.0 || score.is_nan());
            found.extend(high.map(|(at, _)| at));
            97.0
        });
        let expected = |at: &usize| scores[*at] >= 97.0 || *at == 3;
        assert_eq!(found, (0..scores.len()).filter(expected).collect::<Vec<_>>());

        let mut near = Vec::new();
        let more = above(&scores, 50.0, 60.0, |at| near.push(at));
        assert_eq!(more, scores.iter().filter(|score| **score > 60.0).count() as u64);
        let between = |at: &usize| (50.0..=60.0).contains(&scores[*at]) || *at == 3;
        assert_eq!(near, (0..scores.len()).filter(between).collect::<Vec<_>>());
    }
}
