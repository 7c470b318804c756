//! Labels, weights and groups of rows, without their features.

/// A label and a weight for each row, and perhaps a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcomes {
    labels: Vec<f32>,
    /// Empty while every weight is 1, else as long as `labels`.
    weights: Vec<f32>,
    /// As long as `labels`, or empty where rows are not said to belong together.
    groups: Vec<u32>,
}

impl Outcomes {
    /// Adds a row.
    pub fn push(&mut self, label: f32, weight: f32) {
        if weight != 1.0 && self.weights.is_empty() {
            self.weights.resize(self.labels.len(), 1.0);
        }
        if weight != 1.0 || !self.weights.is_empty() {
            self.weights.push(weight);
        }
        self.labels.push(label);
    }

    /// Adds a row, which belongs to a group if all do.
    pub fn push_in(&mut self, group: Option<u32>, label: f32, weight: f32) {
        self.groups.extend(group);
        self.push(label, weight);
    }

    /// Adds rows; those of both have groups, or none has. The same number is the same group.
    pub(crate) fn append(&mut self, more: &Outcomes) {
        self.groups.extend_from_slice(&more.groups);
        more.iter().for_each(|(label, weight)| self.push(label, weight));
    }

    /// Label and weight of row `i`.
    pub fn outcome(&self, i: usize) -> (f32, f32) {
        (self.labels[i], self.weights.get(i).copied().unwrap_or(1.0))
    }

    /// The group of row `i`; 0 if rows have none.
    pub fn group(&self, i: usize) -> u32 {
        self.groups.get(i).copied().unwrap_or(0)
    }

    /// The groups of all rows; empty if they have none.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// The same rows with other weights, by row and weight.
    pub(crate) fn weighing(&self, mut weight: impl FnMut(usize, f32) -> f32) -> Self {
        let weights = self.iter().enumerate().map(|(row, (_, was))| weight(row, was)).collect();
        Outcomes { labels: self.labels.clone(), weights, groups: self.groups.clone() }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Labels: 0 and 1 of a binary task, else the target in its own unit.
    pub fn labels(&self) -> &[f32] {
        &self.labels
    }

    /// Weights, or `None` if all are 1.
    pub fn weights(&self) -> Option<&[f32]> {
        (!self.weights.is_empty()).then_some(&self.weights)
    }

    /// Label and weight of each row.
    pub fn iter(&self) -> impl Iterator<Item = (f32, f32)> {
        let weights = self.weights.iter().copied().chain(std::iter::repeat(1.0));
        self.labels.iter().copied().zip(weights)
    }
}

impl FromIterator<(f32, f32)> for Outcomes {
    fn from_iter<I: IntoIterator<Item = (f32, f32)>>(rows: I) -> Self {
        let mut outcomes = Outcomes::default();
        rows.into_iter().for_each(|(label, weight)| outcomes.push(label, weight));
        outcomes
    }
}
