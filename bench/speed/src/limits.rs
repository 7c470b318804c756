//! What the memory allows: the table rows that training changes are read, changed and written in
//! the order of the data, and nothing else is done. They are asked for ahead and lie in huge pages.

use crate::Result;
use crate::racing::prefetch;
use pairloom::batch::Rows;
use pairloom::table::Table;

/// How many rows ahead the vectors are asked for.
const AHEAD: usize = 2;

/// The tables of a machine of 16 factors with AdaGrad, and the rows' features in visiting order.
pub struct Memory {
    factors: Table,
    linear: Table,
    ids: Vec<u32>,
    per_row: usize,
}

impl Memory {
    pub fn new(rows: &Rows, order: &[u32], bits: u32) -> Result<Self> {
        let features = order.iter().flat_map(|&i| rows.row(i as usize).ids.iter().copied());
        Ok(Memory {
            factors: Table::new(1 << bits, 16, 1)?,
            linear: Table::new(1 << bits, 1, 1)?,
            ids: features.collect(),
            per_row: crate::rows::FEATURES,
        })
    }

    /// Changes every vector once for each of its entries.
    pub fn pass(&mut self) {
        let strides = [self.factors.stride(), self.linear.stride()];
        let (factors, linear) = (self.factors.floats_mut(), self.linear.floats_mut());
        let ahead = AHEAD * self.per_row;
        for (at, &id) in self.ids.iter().enumerate() {
            if let Some(&coming) = self.ids.get(at + ahead) {
                prefetch(&factors[coming as usize * strides[0]..][..strides[0]]);
                prefetch(&linear[coming as usize * strides[1]..][..strides[1]]);
            }
            let id = id as usize;
            factors[id * strides[0]..][..32].iter_mut().for_each(|x| *x += 1.0);
            linear[id * strides[1]..][..2].iter_mut().for_each(|x| *x += 1.0);
        }
    }
}
