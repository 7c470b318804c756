//! Platt's calibration: a line through the log-odds.

use super::fit::Observed;
use super::{Calibration, logistic};

/// Learns it. Where the positives have the lower log-odds, a line that does not fall is level.
pub(super) fn fit(rows: &[Observed]) -> Calibration {
    let [slope, intercept] = logistic::fit(rows, |s| [s, 1.0]);
    if slope >= 0.0 {
        return Calibration::Platt { slope, intercept };
    }
    let [intercept] = logistic::fit(rows, |_| [1.0]);
    Calibration::Platt { slope: 0.0, intercept }
}
