//! Labels and weights of rows, without their features.

/// A label and a weight for each row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcomes {
    labels: Vec<f32>,
    /// Empty while every weight is 1, else as long as `labels`.
    weights: Vec<f32>,
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

    /// Label and weight of row `row`.
    pub(crate) fn row(&self, row: usize) -> (f32, f32) {
        (self.labels[row], self.weights.get(row).copied().unwrap_or(1.0))
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
