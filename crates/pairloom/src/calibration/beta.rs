//! Beta calibration: a curve through the log-odds with a slope of its own at either end.

use super::fit::Observed;
use super::{Calibration, logistic};

/// Learns it. As in the paper, one of `a` and `b` that would be negative is left out and the other is
/// learned again; their labels are not smoothed, ours are (see the head of this room).
pub(super) fn fit(rows: &[Observed]) -> Calibration {
    let [low, high] = [0, 1].map(|which| move |s: f64| [1.0, -1.0][which] * logarithms(s)[which]);
    let [mut a, mut b, mut c] = logistic::fit(rows, |s| [low(s), high(s), 1.0]);
    if a < 0.0 {
        a = 0.0;
        [b, c] = logistic::fit(rows, |s| [high(s), 1.0]);
    } else if b < 0.0 {
        b = 0.0;
        [a, c] = logistic::fit(rows, |s| [low(s), 1.0]);
    }
    if a < 0.0 || b < 0.0 {
        (a, b) = (0.0, 0.0);
        [c] = logistic::fit(rows, |_| [1.0]);
    }
    Calibration::Beta { a, b, c }
}

/// `ln p` and `ln(1 - p)`, of log-odds of any size.
pub(super) fn logarithms(log_odds: f64) -> [f64; 2] {
    let rest = (-log_odds.abs()).exp().ln_1p();
    [log_odds.min(0.0) - rest, -log_odds.max(0.0) - rest]
}
