//! Isotonic regression: the rising function with the least squared error, by pooling adjacent violators
//! (Ayer, Brunk, Ewing, Reid and Silverman 1955, "An Empirical Distribution Function for Sampling with
//! Incomplete Information").
//!
//! Knots and what is between them are those of scikit-learn's `IsotonicRegression(y_min, y_max,
//! out_of_bounds="clip")`. The bounds are `1 / (N- + 2)` and `(N+ + 1) / (N+ + 2)`: without them the lowest
//! block would have 0 and the highest 1 as soon as there are no positives or no negatives in it, which few
//! rows cannot tell, and the log loss of the first row that says otherwise would be infinite.

use super::fit::{Observed, weights};
use super::{Calibration, probability};

/// Rows of neighbouring probabilities that get the same value.
struct Block {
    /// The lowest and the highest of them.
    ends: [f64; 2],
    /// Weight of the positives, and of all.
    positive: f64,
    weight: f64,
}

impl Block {
    fn mean(&self) -> f64 {
        self.positive / self.weight
    }

    /// Takes in the block after it.
    fn pool(&mut self, next: &Block) {
        self.ends[1] = next.ends[1];
        self.positive += next.positive;
        self.weight += next.weight;
    }
}

/// Learns it.
pub(super) fn fit(rows: &[Observed]) -> Calibration {
    let [negative, positive] = weights(rows);
    // Of very great weights, too, these are no 0 and 1.
    let highest = ((positive + 1.0) / (positive + 2.0)).min(1.0f64.next_down());
    let bounds = [1.0 / (negative + 2.0), highest];
    let (mut knots, mut values) = (Vec::new(), Vec::new());
    for block in blocks(rows) {
        let value = block.mean().clamp(bounds[0], bounds[1]);
        let [from, to] = block.ends;
        knots.push(from);
        values.push(value);
        if to > from {
            knots.push(to);
            values.push(value);
        }
    }
    Calibration::Isotonic { knots, values }
}

/// The blocks of the solution, whose means rise.
fn blocks(rows: &[Observed]) -> Vec<Block> {
    let block = |row: &Observed| {
        let positive = if row.positive { row.weight } else { 0.0 };
        Block { ends: [probability(row.log_odds); 2], positive, weight: row.weight }
    };
    let mut all: Vec<Block> = rows.iter().map(block).collect();
    all.sort_by(|a, b| a.ends[0].total_cmp(&b.ends[0]));
    let mut done: Vec<Block> = Vec::new();
    let mut rest = all.into_iter().peekable();
    while let Some(mut block) = rest.next() {
        // Rows of one probability get one value, whatever their labels.
        while let Some(tie) = rest.next_if(|next| next.ends[0] == block.ends[1]) {
            block.pool(&tie);
        }
        while let Some(mut before) = done.pop_if(|before| before.mean() >= block.mean()) {
            before.pool(&block);
            block = before;
        }
        done.push(block);
    }
    done
}

/// The value at a probability: on the line between the knots beside it, or that of the nearest one.
pub(super) fn interpolate(knots: &[f64], values: &[f64], p: f64) -> f64 {
    if p.is_nan() {
        return p;
    }
    let after = knots.partition_point(|&knot| knot < p);
    let Some(&high) = values.get(after) else { return values.last().copied().unwrap_or(f64::NAN) };
    let Some(before) = after.checked_sub(1) else { return high };
    let (from, low) = (knots[before], values[before]);
    let share = (p - from) / (knots[after] - from);
    // Rounding must not lead beyond the knot.
    (low + share * (high - low)).min(high)
}

/// Whether knots and values out of a file are of that kind.
pub(super) fn is_sound(knots: &[f64], values: &[f64]) -> bool {
    knots.len() == values.len()
        && !knots.is_empty()
        && knots.iter().all(|knot| (0.0..=1.0).contains(knot))
        && knots.is_sorted_by(|a, b| a < b)
        && values.iter().all(|&value| value > 0.0 && value < 1.0)
        && values.is_sorted()
}
