//! What a block of rows has beside features: labels, weights and groups.
//!
//! 1. rows, bytes of a label, 1 if there are weights, 1 if there are groups;
//! 2. labels, weights, groups.

use super::ids::Ids;
use crate::pieces::{number_of, words_of};

/// Labels, weights and groups of a block of rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    /// The label cells, as [`super::Labels`] tells.
    pub(crate) labels: Vec<f64>,
    /// Weights; empty if the schema has none.
    pub(crate) weights: Vec<f32>,
    /// Numbers of the group cells; empty if the schema has none.
    pub(crate) groups: Vec<u32>,
}

impl Head {
    /// The weight of a row.
    pub(crate) fn weight(&self, row: usize) -> f32 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }

    /// The rows as words.
    pub(super) fn write(&self) -> Vec<u32> {
        let is_small = |&label: &f64| (0.0..=255.0).contains(&label) && label.fract() == 0.0;
        let width = if self.labels.iter().all(is_small) { 1 } else { 8 };
        let flag = |is_empty: bool| u32::from(!is_empty);
        let [weights, groups] = [self.weights.is_empty(), self.groups.is_empty()].map(flag);
        let mut words = vec![self.labels.len() as u32, width, weights, groups];
        match width {
            1 => {
                let labels: Vec<u32> = self.labels.iter().map(|&label| label as u32).collect();
                Ids::write(&labels, 1, &mut words);
            }
            _ => words.extend(words_of(self.labels.iter().map(|label| label.to_bits()))),
        }
        words.extend_from_slice(bytemuck::cast_slice(&self.weights));
        words.extend_from_slice(&self.groups);
        words
    }

    /// The rows in words.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(words: &[u32]) -> Result<Self, &'static str> {
        let cut_off = "labels are cut off";
        let &[rows, width, weights, groups, ref rest @ ..] = words else { return Err(cut_off) };
        let rows = rows as usize;
        let words_of = if width == 1 { Ids::words(rows, 1) } else { 2 * rows };
        let (labels, mut rest) = rest.split_at_checked(words_of).ok_or(cut_off)?;
        let mut take =
            |is_there: u32| rest.split_off(..if is_there == 1 { rows } else { 0 }).ok_or(cut_off);
        let (weights, groups) = (take(weights)?, take(groups)?);
        let labels: Vec<f64> = match Ids::read(labels, rows, width) {
            Some(small) if width == 1 => (0..rows).map(|row| small.get(row).into()).collect(),
            _ => {
                let doubles = labels.as_chunks().0.iter();
                doubles.map(|&words| f64::from_bits(number_of(words))).collect()
            }
        };
        if labels.iter().any(|label: &f64| !(*label as f32).is_finite()) {
            return Err("a label is none");
        }
        let weights: &[f32] = bytemuck::cast_slice(weights);
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            return Err("a weight is none");
        }
        Ok(Head { labels, weights: weights.to_vec(), groups: groups.to_vec() })
    }
}
