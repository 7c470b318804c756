//! What training has told so far.

/// What one epoch brought.
#[derive(Debug, Clone)]
pub struct Done {
    pub epoch: u32,
    pub train: f64,
    pub valid: Option<f64>,
    pub quality: [Option<f64>; 2],
}

/// The course of a training.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// What the loss is called, and the figures beside it.
    pub loss: &'static str,
    pub quality: [&'static str; 2],
    pub has_valid: bool,
    /// Epochs at the most.
    pub most: u32,
    /// Rows of an epoch.
    pub rows: usize,
    /// The epoch in progress, and rows of it so far.
    pub epoch: u32,
    pub so_far: usize,
    /// Rows per second.
    pub rate: f64,
    /// Seconds that it took, when it is over.
    pub over: Option<f64>,
    pub done: Vec<Done>,
    /// (epochs, mean loss of the epoch so far): of the first epoch all, of a later one the last.
    pub running: Vec<(f64, f64)>,
}

/// Epochs between two running losses that are kept.
const APART: f64 = 1.0 / 400.0;

impl Course {
    /// The mean loss of the rows of an epoch so far.
    pub fn batch(&mut self, epoch: u32, rows: usize, loss: f64) {
        (self.epoch, self.so_far) = (epoch, rows);
        let last = self.running.len().saturating_sub(2);
        if !self.done.is_empty() {
            self.running.clear();
        } else if matches!(self.running[last..], [a, b] if b.0 - a.0 < APART) {
            self.running.pop();
        }
        self.running.push((f64::from(epoch) - 1.0 + self.share(), loss));
    }

    /// An epoch is over.
    pub fn epoch(&mut self, done: Done) {
        (self.epoch, self.so_far) = (done.epoch, self.rows);
        if !self.done.is_empty() {
            self.running.clear();
        }
        self.done.push(done);
    }

    /// How much of the epoch is done.
    pub fn share(&self) -> f64 {
        (self.so_far as f64 / self.rows.max(1) as f64).min(1.0)
    }

    /// The training loss: of the first epoch as it goes on until there is a second one, of each after at its
    /// end, and of the one in progress so far.
    pub fn training(&self) -> Vec<(f64, f64)> {
        let means = self.done.iter().map(|done| (f64::from(done.epoch), done.train));
        let mut points: Vec<_> = self.running.iter().copied().chain(means).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    }

    /// The epochs that there are points of.
    pub fn epochs(&self) -> (u32, u32) {
        let first = self.done.first().map_or(self.epoch, |done| done.epoch);
        let low = if self.done.len() < 2 { first.saturating_sub(1) } else { first };
        (low, self.epoch.max(low + 1))
    }
}
