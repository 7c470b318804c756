//! Units that the features of sparse files are trained in.
//!
//! The `x` of libsvm and libffm may have any unit: term frequencies, prices, pixels. A rate or a
//! penalty that suits the one does not suit the other, since a weight is as much greater as `x` is
//! smaller. So rows are trained on in units of each feature's usual `|x|`, and the weights are then
//! brought back: `w x = (w / u) (u x)`, and the same for the factors. Units are powers of 2, so the
//! model says to the bit what it said in training.

use crate::batch::Rows;
use crate::encode::Encoding;
use crate::model::Weights;
use crate::schema::{Role, Schema};
use crate::{Error, Result};

/// No unit is further from 1, so that neither values nor weights leave the range of 32-bit floats.
const LIMIT: f64 = 60.0;

/// What the values of each feature are multiplied with; empty if it is 1 for all.
pub(super) struct Units(Vec<f32>);

impl Units {
    /// Learns the units: one over the geometric mean of `|x|`, which a few wild values do not move.
    pub(super) fn learn(schema: &Schema, encoding: &Encoding, rows: &Rows) -> Result<Self> {
        if rows.values().is_empty() {
            return Ok(Units(Vec::new()));
        }
        let mut logs = Vec::new();
        let full =
            |_| Error::Memory("no memory for the units of the features: raise min_count".into());
        logs.try_reserve_exact(encoding.features()).map_err(full)?;
        logs.resize(encoding.features(), (0.0_f64, 0.0_f64));
        for (&id, &x) in rows.ids().iter().zip(rows.values()).filter(|(_, x)| **x != 0.0) {
            let (sum, count) = &mut logs[id as usize];
            (*sum, *count) = (*sum + x.abs().log2(), *count + 1.0);
        }
        let unit = |(sum, count): (f64, f64)| {
            (-sum / count.max(1.0)).round().clamp(-LIMIT, LIMIT).exp2() as f32
        };
        let mut units: Vec<f32> = logs.into_iter().map(unit).collect();
        for field in encoding.fields.iter().filter(|f| schema.columns[f.column].role != Role::Pairs)
        {
            units[field.offset as usize..][..field.len() as usize].fill(1.0);
        }
        let all_1 = units.iter().all(|&unit| unit == 1.0);
        Ok(Units(if all_1 { Vec::new() } else { units }))
    }

    /// Brings rows into these units.
    pub(super) fn enter(&self, rows: &mut Rows) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { rows.scale(|id| self.0[id as usize]) }
    }

    /// Brings rows back into their own units, and weights with them.
    pub(super) fn leave(&self, rows: &mut Rows, weights: Option<&mut Weights>) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        rows.scale(|id| 1.0 / self.0[id as usize])?;
        if let Some(Weights { table, .. }) = weights {
            for (id, unit) in (0..).zip(&self.0) {
                table.vector_mut(id).iter_mut().for_each(|w| *w *= unit);
            }
        }
        Ok(())
    }
}
