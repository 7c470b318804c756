//! Linear and logistic regression: no interaction at all.

use super::{Interaction, Lanes, Plan};
use crate::precision::Stored;
use std::marker::PhantomData;

/// Nothing but the linear weights.
#[derive(Debug, Clone)]
pub struct Linear<L>(PhantomData<L>);

impl<L: Lanes> Interaction for Linear<L> {
    type Vector = [f32; 0];
    type Sums = ();

    fn new(_plan: &Plan) -> Self {
        Linear(PhantomData)
    }

    fn parts(_plan: &Plan) -> usize {
        0
    }

    fn room(_plan: &Plan) -> usize {
        0
    }

    fn width(&self) -> usize {
        0
    }

    fn zero(&self) {}

    fn afresh(&self, _used: &mut ()) {}

    fn absorb<T: Stored>(&self, _vector: &[T], _field: usize, _x: f32, _sums: &mut ()) {}

    fn score(&self, _shared: &[f32], _sums: &mut ()) -> f32 {
        0.0
    }
}
