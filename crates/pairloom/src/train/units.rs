//! Units that the features of sparse files are trained in.
//!
//! The `x` of libsvm and libffm may have any unit: term frequencies, prices, pixels. A rate or a
//! penalty that suits the one does not suit the other, since a weight is as much greater as `x` is
//! smaller. So rows are trained on in units of each feature's usual `|x|`, and the weights are then
//! brought back: `w x = (w / u) (u x)`, and the same for the factors. Units are powers of 2, so the
//! model says to the bit what it said in training.

use crate::encode::{Encoding, Field};
use crate::model::Weights;
use crate::schema::{Role, Schema};
use crate::store::Store;
use crate::{Result, memory};

/// No unit is further from 1, so that neither values nor weights leave the range of 32-bit floats.
const LIMIT: f64 = 60.0;

/// A root mean square so many doublings above the geometric mean is that of a few wild values.
const FAR: f64 = 10.0;

/// What the values of each feature are multiplied with; empty if it is 1 for all.
pub(super) struct Units(Vec<f32>);

impl Units {
    /// Learns the units from the training rows.
    pub(super) fn learn(schema: &Schema, encoding: &Encoding, rows: &Store) -> Result<Self> {
        let is_sparse = |field: &&Field| schema.columns[field.column].role == Role::Pairs;
        let fields: Vec<&Field> = encoding.fields.iter().filter(is_sparse).collect();
        if fields.is_empty() || !rows.has_values() {
            return Ok(Units(Vec::new()));
        }
        let features = encoding.features();
        let need = features as u128 * size_of::<Usual>() as u128;
        memory::check(need, "the units of the features", memory::FEWER_FEATURES)?;
        let mut usual = vec![Usual::default(); features];
        rows.each(|rows| {
            for block in rows.blocks() {
                let of_row = |((_, weight), entries): ((f32, f32), u32)| {
                    std::iter::repeat_n(f64::from(weight), entries as usize)
                };
                let weights = block.outcomes().zip(block.lengths()).flat_map(of_row);
                for ((id, x), weight) in block.features().zip(weights) {
                    usual[id as usize].add(f64::from(x.abs()), weight);
                }
            }
            Ok(())
        })?;
        let mut units = vec![1.0; features];
        for field in fields {
            let start = field.offset as usize;
            let range = start..start + field.len() as usize;
            for (unit, usual) in units[range.clone()].iter_mut().zip(&usual[range]) {
                *unit = usual.unit();
            }
        }
        let all_1 = units.iter().all(|&unit| unit == 1.0);
        Ok(Units(if all_1 { Vec::new() } else { units }))
    }

    /// Brings rows into these units.
    pub(super) fn enter(&self, rows: &mut Store) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { rows.scale(&self.0) }
    }

    /// Brings weights into these units.
    pub(super) fn enter_weights(&self, weights: &mut Weights) {
        scale(weights, &self.back());
    }

    /// Brings rows back into their own units, and weights with them.
    pub(super) fn leave(&self, rows: [&mut Store; 2], weights: Option<&mut Weights>) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let back = self.back();
        rows.into_iter().try_for_each(|rows| rows.scale(&back))?;
        if let Some(weights) = weights {
            scale(weights, &self.0);
        }
        Ok(())
    }

    fn back(&self) -> Vec<f32> {
        self.0.iter().map(|unit| 1.0 / unit).collect()
    }
}

/// Multiplies the weights of each feature with its factor, if there are some.
fn scale(weights: &mut Weights, by: &[f32]) {
    if by.is_empty() {
        return;
    }
    for table in [&mut weights.linear, &mut weights.factors] {
        let classes = table.features() / by.len();
        table.change(|id, vector| {
            let by = by[id as usize / classes];
            vector.iter_mut().for_each(|w| *w *= by);
        });
    }
}

/// What is usual for the values of a feature.
#[derive(Clone, Default)]
struct Usual {
    squares: f64,
    logs: f64,
    count: f64,
}

impl Usual {
    /// Zeros are no values: some write them, some do not.
    fn add(&mut self, x: f64, weight: f64) {
        if x > 0.0 && weight > 0.0 {
            self.squares += weight * x * x;
            // Most are 1.
            if x != 1.0 {
                self.logs += weight * x.log2();
            }
            self.count += weight;
        }
    }

    /// One over the root mean square; over the geometric mean where that is far less, since then a
    /// few wild values are all that the squares tell of.
    fn unit(&self) -> f32 {
        if self.count == 0.0 {
            return 1.0;
        }
        let count = self.count;
        let (square, log) = ((self.squares / count).log2() / 2.0, self.logs / count);
        let usual = if square < log + FAR { square } else { log };
        (-usual).round().clamp(-LIMIT, LIMIT).exp2() as f32
    }
}
