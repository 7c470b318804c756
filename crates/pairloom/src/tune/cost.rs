//! What an epoch costs.

use crate::config::Config;
use crate::interaction::Sizes;

/// About what an epoch costs with these settings, beside one with others: for each feature of a row what is read and
/// written of its vectors, what its model takes longer, and as much as so many floats for all else (measured with 4 to
/// 64 factors).
pub(super) fn cost(config: &Config, fields: usize) -> f64 {
    const EACH: f64 = 48.0;
    let sizes = Sizes::new(config, fields);
    EACH + sizes.width() as f64 + sizes.work as f64
}
