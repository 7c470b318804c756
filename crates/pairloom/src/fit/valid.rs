//! Figures of the validation rows.

use super::Run;
use crate::backend::Backend;
use crate::batch::{Outcomes, Rows};
use crate::metric::{Measure, Metrics};
use crate::model::predictions;
use crate::negatives::{Negatives, Purpose};
use crate::{Result, memory};

/// Items that a validation row is ranked among, where they are drawn: enough for figures of the first ten,
/// and few enough to be scored after each epoch.
const VALID_NEGATIVES: usize = 100;

/// Validation rows whose lists are made at once.
const TOGETHER: usize = 256;

impl Run<'_> {
    /// Measures the validation rows: as they are, or each among items that are drawn for it, always the same.
    pub(super) fn measure(&self, backend: &dyn Backend) -> Result<Metrics> {
        let (predictions, outcomes) = match self.negatives {
            Some(negatives) => self.drawn(negatives, backend)?,
            None => {
                let loss = self.config.resolved_loss();
                let predict = |rows: &Rows| predictions(loss, self.target, &backend.scores(rows));
                self.valid.predictions(predict)?
            }
        };
        let (loss, scale) = (self.config.resolved_loss(), self.target.scale());
        Measure::new(loss, scale).measure(&predictions, &outcomes)
    }

    /// Scores of each validation row and of the items that are drawn for it, which are a group.
    fn drawn(&self, negatives: &Negatives, backend: &dyn Backend) -> Result<(Vec<f64>, Outcomes)> {
        let (mut scores, mut outcomes) = (Vec::new(), Outcomes::default());
        let (mut made, mut lists, mut group) = (Rows::new(), Vec::new(), 0);
        let mut done = Ok(());
        self.valid.each(|rows| {
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            for batch in all.chunks(TOGETHER) {
                let purpose = Purpose::Valid { each: VALID_NEGATIVES, place: group as usize };
                done = std::mem::replace(&mut done, Ok(())).and_then(|()| {
                    negatives.draw(rows, batch, purpose, &mut made, &mut lists)?;
                    let full =
                        |_| memory::refused("the scores of validation rows", memory::FEWER_ROWS);
                    scores.try_reserve(made.len()).map_err(full)?;
                    scores.extend(backend.scores(&made).into_iter().map(f64::from));
                    let mut start = 0;
                    for &(_, end) in &lists {
                        for row in start..end as usize {
                            let (label, weight) = made.label(row);
                            outcomes.push_in(Some(group), label, weight);
                        }
                        (start, group) = (end as usize, group + 1);
                    }
                    Ok(())
                });
            }
        })?;
        done.map(|()| (scores, outcomes))
    }
}
