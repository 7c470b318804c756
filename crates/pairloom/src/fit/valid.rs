//! Figures of the validation rows.

use super::Run;
use crate::backend::Backend;
use crate::batch::Rows;
use crate::metric::ranking::Groups;
use crate::metric::{DEFAULT_AT, Measure, Metrics, finite};
use crate::model::predictions;
use crate::negatives::{Negatives, Purpose};
use crate::store::Store;
use crate::{Error, Result};

/// Items that a validation row is ranked among, where they are drawn: enough for figures of the first ten,
/// and few enough to be scored after each epoch.
const VALID_NEGATIVES: usize = 100;

/// Validation rows whose lists are made at once.
const TOGETHER: usize = 256;

impl Run<'_> {
    /// Measures the validation rows: as they are, or each among items that are drawn for it, always the same.
    pub(super) fn measure(&self, backend: &mut dyn Backend) -> Result<Metrics> {
        if let Some(negatives) = self.negatives {
            return self.drawn(negatives, backend);
        }
        let (loss, scale) = (self.config.resolved_loss(), self.target.scale());
        let predict = |rows: &Rows| {
            let scores = match self.valid {
                Store::Held(_) => backend.scores_held(rows)?,
                Store::Spilled(_) => backend.scores(rows)?,
            };
            Ok(predictions(loss, self.target, &scores))
        };
        let (predictions, outcomes) = self.valid.predictions(predict)?;
        Measure::new(loss, scale).measure(&predictions, &outcomes)
    }

    /// Each validation row and the items that are drawn for it are a group.
    fn drawn(&self, negatives: &Negatives, backend: &mut dyn Backend) -> Result<Metrics> {
        let mut groups = Groups::new(Some(self.config.resolved_loss()), DEFAULT_AT);
        let (mut made, mut lists, mut place) = (Rows::new(), Vec::new(), 0);
        self.valid.each(|rows| {
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            for batch in all.chunks(TOGETHER) {
                let purpose = Purpose::Valid { each: VALID_NEGATIVES, place };
                negatives.draw(rows, batch, purpose, &mut made, &mut lists)?;
                let scores: Vec<f64> = backend.scores(&made)?.into_iter().map(f64::from).collect();
                finite(&scores)?;
                let mut start = 0;
                for &(_, end) in &lists {
                    let mut list: Vec<u32> = (start..end).collect();
                    list.retain(|&row| made.label(row as usize).1 > 0.0);
                    if !list.is_empty() {
                        groups.add(&scores, |row| made.label(row), &mut list);
                    }
                    start = end;
                }
                place += lists.len();
            }
            Ok(())
        })?;
        // That something can be drawn is known since before the first epoch.
        let nothing = || Error::data("validation rows", "there is nothing to rank among them");
        groups.done().map(Metrics::Ranking).ok_or_else(nothing)
    }
}
