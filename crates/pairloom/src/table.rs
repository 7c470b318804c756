//! A large array: for each feature its vector and, while training, the optimizer's state beside it:
//! `[v1 .. vk, padding | state]`. A feature's update then touches neighbouring cache lines only.
//! The factors are one table, the linear weights another with vectors of one float: with 16 factors
//! and AdaGrad a feature then takes two cache lines and a bit instead of three.

use crate::simd::prefetch;
use crate::{Result, memory};
use memmap2::MmapMut;

/// Zeroed floats in pages of their own: at the start of a cache line, and in huge pages where the
/// system has them, since a walk over a large table otherwise misses the processor's table of pages
/// as often as its cache.
#[derive(Debug)]
struct Pages(MmapMut);

impl Pages {
    fn zeroed(bytes: usize) -> std::io::Result<Self> {
        let pages = MmapMut::map_anon(bytes.max(size_of::<f32>()))?;
        #[cfg(target_os = "linux")]
        // It is as right without.
        let _ = pages.advise(memmap2::Advice::HugePage);
        Ok(Pages(pages))
    }
}

/// Vectors of all features.
#[derive(Debug)]
pub struct Table {
    pages: Pages,
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
        let size = usize::try_from(need).map_err(|_| failed())?;
        let pages = Pages::zeroed(size).map_err(|_| failed())?;
        Ok(Table { pages, features, width, stride: width * (1 + states) })
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
    #[inline(always)]
    pub fn floats(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.pages.0)[..self.features * self.stride]
    }

    /// All floats, feature after feature.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        let floats = self.features * self.stride;
        &mut bytemuck::cast_slice_mut(&mut self.pages.0)[..floats]
    }

    /// The vector of a feature.
    pub fn vector(&self, id: u32) -> &[f32] {
        self.view().vector(id, self.width)
    }

    /// What a loop over many features looks at.
    #[inline(always)]
    pub(crate) fn view(&self) -> View<'_> {
        View { floats: self.floats(), stride: self.stride }
    }

    /// The vector of a feature.
    pub fn vector_mut(&mut self, id: u32) -> &mut [f32] {
        let (stride, width) = (self.stride, self.width);
        &mut self.floats_mut()[id as usize * stride..][..width]
    }

    /// Vectors of all features in the order of their ids.
    pub fn vectors(&self) -> impl Iterator<Item = &[f32]> {
        (0..self.features as u32).map(|id| self.vector(id))
    }

    /// Vectors of all features in the order of their ids.
    pub(crate) fn vectors_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let (stride, width) = (self.stride, self.width);
        let rows = self.floats_mut().chunks_exact_mut(stride.max(1));
        rows.map(move |row| &mut row[..width])
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

/// The floats of a table, found once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    floats: &'a [f32],
    stride: usize,
}

impl<'a> View<'a> {
    /// The vector of a feature: `width` floats, as the compiler may know.
    #[inline(always)]
    pub(crate) fn vector(self, id: u32, width: usize) -> &'a [f32] {
        &self.floats[id as usize * self.stride..][..width]
    }

    /// Asks for the memory of a feature's vector, if there is such a feature.
    #[inline(always)]
    pub(crate) fn prefetch(self, id: u32, width: usize) {
        prefetch(self.floats, id as usize * self.stride, width);
    }
}
