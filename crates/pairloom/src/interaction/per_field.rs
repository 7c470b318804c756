//! Sums of the features of each field, for the models whose pairs of features depend on their fields
//! alone.
//!
//! Such a score is a function of the sums `S_f = sum_{i in f} v_i x_i`, and its gradient by a vector of
//! field `f` is `x_i P_f` with `P_f = d score / d S_f`: what pulls at the vectors of the field.

use super::Lanes;
use crate::precision::Stored;
use std::mem::take;
use std::ops::Range;

/// The sums of a row's fields, and what pulls at them.
#[derive(Debug, Clone)]
pub struct PerField<L> {
    /// `S_f`.
    pub(super) sums: Vec<L>,
    /// `P_f`, once there is a score.
    pub(super) pulls: Vec<L>,
    pub(super) seen: Seen,
}

impl<L: Lanes> PerField<L> {
    pub(super) fn zero(fields: usize, zeros: L) -> Self {
        let all = vec![zeros; fields];
        PerField { sums: all.clone(), pulls: all, seen: Seen::default() }
    }

    #[inline(always)]
    pub(super) fn afresh(&mut self) -> Self {
        let PerField { sums, pulls, seen } = self;
        // Only those of fields that were seen are not zero.
        for field in seen.iter() {
            for lanes in [&mut sums[field], &mut pulls[field]] {
                *lanes = L::afresh(lanes);
            }
        }
        PerField { sums: take(sums), pulls: take(pulls), seen: seen.afresh() }
    }

    /// Adds a vector to its field's sum.
    #[inline(always)]
    pub(super) fn absorb<T: Stored>(&mut self, vector: &[T], field: usize, x: f32) {
        self.seen.note(field);
        let lanes = self.sums[field].as_mut().iter_mut().zip(vector);
        lanes.for_each(|(s, v)| *s += v.load() * x);
    }

    /// The sums of the row's fields.
    #[inline(always)]
    pub(super) fn seen(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.seen.iter().map(|field| (field, self.sums[field].as_ref()))
    }
}

/// The fields that a row has, each once, in the order of their first features.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    fields: Vec<u32>,
    /// The same as ranges: mostly all fields are seen in their order, and then it is one.
    runs: Vec<Range<u32>>,
    /// One more than the greatest field: mostly fields ascend, and then nothing is searched.
    end: u32,
}

impl Seen {
    /// Notes a field.
    #[inline(always)]
    pub(super) fn note(&mut self, field: usize) {
        if !self.has(field) {
            self.extend(field..field + 1);
        }
    }

    #[inline(always)]
    pub(super) fn has(&self, field: usize) -> bool {
        let field = field as u32;
        // Features of one field mostly follow each other.
        field < self.end
            && (field + 1 == self.end || self.runs.iter().any(|run| run.contains(&field)))
    }

    /// Notes fields that are new.
    #[inline(always)]
    pub(super) fn extend(&mut self, fields: Range<usize>) {
        let new = fields.start as u32..fields.end as u32;
        self.end = self.end.max(new.end);
        self.fields.extend(new.clone());
        match self.runs.last_mut() {
            Some(last) if last.end == new.start => last.end = new.end,
            _ => self.runs.push(new),
        }
    }

    /// The fields as ranges.
    #[inline(always)]
    pub(super) fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        self.runs.iter().map(|run| run.start as usize..run.end as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Brings the ranges into order.
    pub(super) fn sort_runs(&mut self) {
        self.runs.sort_unstable_by_key(|run| run.start);
    }

    /// The ranges of those of so many fields that were not seen; what was, is in order.
    #[inline(always)]
    pub(super) fn gaps(&self, fields: usize) -> impl Iterator<Item = Range<usize>> + Clone {
        let bounds = self.runs.iter().map(|run| (run.start as usize, run.end as usize));
        let starts = std::iter::once(0).chain(bounds.clone().map(|(_, end)| end));
        let ends = bounds.map(|(start, _)| start).chain(std::iter::once(fields));
        starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end)
    }

    #[inline(always)]
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + Clone {
        self.fields.iter().map(|&field| field as usize)
    }

    /// All pairs of different fields: the later one, the one before it.
    #[inline(always)]
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.iter().enumerate().flat_map(|(at, f)| self.iter().take(at).map(move |g| (f, g)))
    }

    #[inline(always)]
    pub(super) fn afresh(&mut self) -> Self {
        let Seen { mut fields, mut runs, .. } = take(self);
        fields.clear();
        runs.clear();
        Seen { fields, runs, end: 0 }
    }
}

/// Place of an unordered pair of two fields, or of a field with itself, among all such pairs.
#[inline(always)]
pub(super) fn pair(one: usize, other: usize) -> usize {
    let (less, more) = if one < other { (one, other) } else { (other, one) };
    more * (more + 1) / 2 + less
}

/// The pair at this place.
pub(super) fn pair_of(place: usize) -> (usize, usize) {
    // The root may be one too many or too few where 64 bits round it.
    let near = ((8.0 * place as f64 + 1.0).sqrt() as usize / 2).saturating_sub(1);
    let more = (near..).find(|&more| pair(more + 1, 0) > place).unwrap_or(near);
    (place - pair(more, 0), more)
}

#[cfg(test)]
mod tests {
    use super::{pair, pair_of};

    #[test]
    fn a_place_leads_back_to_its_pair() {
        for more in (0..40).chain([9_999, 94_906_265]) {
            for less in [0, more / 2, more] {
                assert_eq!(pair_of(pair(less, more)), (less, more));
            }
        }
    }
}
