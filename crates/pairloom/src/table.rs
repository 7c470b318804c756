//! The one large array: for each feature its vector and, while training, the optimizer's state
//! beside it: `[w, v1 .. vk, padding | state]`. A feature's update then touches neighbouring cache
//! lines only.

use crate::{Result, memory};
use bytemuck::{Pod, Zeroable};

/// A cache line: the unit of alignment.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const LINE: usize = 16;

/// Vectors of all features.
#[derive(Debug, Clone)]
pub struct Table {
    lines: Vec<Line>,
    features: usize,
    width: usize,
    stride: usize,
}

/// Bytes that a table takes.
pub fn bytes(features: usize, width: usize, states: usize) -> u128 {
    features as u128 * width as u128 * (1 + states as u128) * size_of::<f32>() as u128
}

impl Table {
    /// A table of zeros: `width` floats of vector and `states * width` floats of state a feature.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub fn new(features: usize, width: usize, states: usize) -> Result<Self> {
        let need = bytes(features, width, states);
        let failed = || {
            let need = memory::gib(need);
            let what = format!("the {need} of {features} features with the optimizer's state");
            memory::refused(&what, memory::SMALLER_MODEL)
        };
        let lines = usize::try_from(need.div_ceil(size_of::<Line>() as u128)).ok();
        let lines = lines.ok_or_else(failed)?;
        let mut table = Vec::new();
        table.try_reserve_exact(lines).map_err(|_| failed())?;
        table.resize(lines, Line::zeroed());
        Ok(Table { lines: table, features, width, stride: width * (1 + states) })
    }

    /// Number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Floats in a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Floats from one feature to the next: vector and state.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// All floats, feature after feature.
    pub fn floats(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.features * self.stride]
    }

    /// All floats, feature after feature.
    pub(crate) fn floats_mut(&mut self) -> &mut [f32] {
        let floats = self.features * self.stride;
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..floats]
    }

    /// The vector of a feature.
    #[inline]
    pub fn vector(&self, id: u32) -> &[f32] {
        &self.floats()[id as usize * self.stride..][..self.width]
    }

    /// The vector of a feature.
    pub fn vector_mut(&mut self, id: u32) -> &mut [f32] {
        let (stride, width) = (self.stride, self.width);
        &mut self.floats_mut()[id as usize * stride..][..width]
    }

    /// Vectors of all features in the order of their ids.
    pub fn vectors(&self) -> impl Iterator<Item = &[f32]> {
        self.floats().chunks_exact(self.stride).map(|row| &row[..self.width])
    }

    /// Vectors of all features in the order of their ids.
    pub(crate) fn vectors_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let (stride, width) = (self.stride, self.width);
        self.floats_mut().chunks_exact_mut(stride).map(move |row| &mut row[..width])
    }

    /// The same vectors with another amount of (zeroed) state.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn with_states(&self, states: usize) -> Result<Self> {
        let mut table = Table::new(self.features, self.width, states)?;
        table.copy_vectors(self);
        Ok(table)
    }

    /// Takes over the vectors (not the state) of a table with as many features of the same width.
    pub(crate) fn copy_vectors(&mut self, from: &Table) {
        for (to, from) in self.vectors_mut().zip(from.vectors()) {
            to.copy_from_slice(from);
        }
    }

    /// Whether every float is finite.
    pub fn is_finite(&self) -> bool {
        self.floats().iter().all(|x| x.is_finite())
    }
}
