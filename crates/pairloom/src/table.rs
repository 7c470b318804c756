//! A large array: for each feature its vector and, while training, the optimizer's state beside it:
//! `[v1 .. vk, padding | state]`. Where each of several classes has vectors of its own, a feature has one
//! after the other, and what is called a feature here is a feature and a class. A feature's update then touches neighbouring cache lines only.
//! The factors are one table, the linear weights another with vectors of one float: with 16 factors
//! and AdaGrad a feature then takes two cache lines and a bit instead of three, and one and a bit where
//! the factors are kept in 16 bits ([`crate::precision`]).

use crate::precision::{Bf16, Precision, Stored};
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
    precision: Precision,
}

/// Bytes that a table takes.
pub fn bytes(features: usize, width: usize, states: usize, precision: Precision) -> u128 {
    features as u128 * width as u128 * (1 + states as u128) * precision.bytes() as u128
}

impl Table {
    /// A table of zeros: `width` floats of vector and `states * width` floats of state a feature.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub fn new(features: usize, width: usize, states: usize) -> Result<Self> {
        Table::of(features, width, states, Precision::F32)
    }

    /// The same, with its numbers kept in this way.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub fn of(features: usize, width: usize, states: usize, precision: Precision) -> Result<Self> {
        let need = bytes(features, width, states, precision);
        let failed = || {
            let need = memory::gib(need);
            let what = format!("the {need} of {features} features with the optimizer's state");
            memory::refused(&what, memory::SMALLER_MODEL)
        };
        let size = usize::try_from(need).map_err(|_| failed())?;
        let pages = Pages::zeroed(size).map_err(|_| failed())?;
        Ok(Table { pages, features, width, stride: width * (1 + states), precision })
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

    /// How the numbers are kept.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// All numbers, feature after feature; none if they are kept in another way.
    #[inline(always)]
    pub fn numbers<T: Stored>(&self) -> &[T] {
        match T::PRECISION == self.precision {
            true => &bytemuck::cast_slice(&self.pages.0)[..self.features * self.stride],
            false => &[],
        }
    }

    /// All numbers, feature after feature; none if they are kept in another way.
    pub fn numbers_mut<T: Stored>(&mut self) -> &mut [T] {
        let numbers = self.features * self.stride;
        match T::PRECISION == self.precision {
            true => &mut bytemuck::cast_slice_mut(&mut self.pages.0)[..numbers],
            false => &mut [],
        }
    }

    /// The bytes of all numbers, however they are kept.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.pages.0[..self.features * self.stride * self.precision.bytes()]
    }

    /// The bytes of all numbers, however they are kept.
    pub(crate) fn raw_mut(&mut self) -> &mut [u8] {
        &mut self.pages.0[..self.features * self.stride * self.precision.bytes()]
    }

    /// All numbers of a table of 32-bit floats.
    #[inline(always)]
    pub fn floats(&self) -> &[f32] {
        self.numbers()
    }

    /// All numbers of a table of 32-bit floats.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        self.numbers_mut()
    }

    /// The vector of a feature, in a table of 32-bit floats.
    pub fn vector(&self, id: u32) -> &[f32] {
        self.view().vector(id, self.width)
    }

    /// What a loop over many features looks at.
    #[inline(always)]
    pub(crate) fn view<T: Stored>(&self) -> View<'_, T> {
        View { numbers: self.numbers(), stride: self.stride }
    }

    /// The vector of a feature, in a table of 32-bit floats.
    pub fn vector_mut(&mut self, id: u32) -> &mut [f32] {
        let (stride, width) = (self.stride, self.width);
        &mut self.floats_mut()[id as usize * stride..][..width]
    }

    /// Vectors of all features in the order of their ids, if they are kept in this way.
    pub fn vectors<T: Stored>(&self) -> impl Iterator<Item = &[T]> {
        let view = self.view();
        (0..self.features as u32).map(move |id| view.vector(id, self.width))
    }

    /// Vectors of all features in the order of their ids, if they are kept in this way.
    pub(crate) fn vectors_mut<T: Stored>(&mut self) -> impl Iterator<Item = &mut [T]> {
        let (stride, width) = (self.stride, self.width);
        let rows = self.numbers_mut().chunks_exact_mut(stride.max(1));
        rows.map(move |row| &mut row[..width])
    }

    /// Vectors of these features, whose ids ascend, if they are kept in this way. It ends before an id
    /// that there is not.
    pub(crate) fn vectors_of_mut<T: Stored>(
        &mut self,
        ids: &[u32],
    ) -> impl Iterator<Item = &mut [T]> {
        let (stride, width) = (self.stride, self.width);
        let (mut rest, mut next) = (self.numbers_mut(), 0);
        ids.iter().map_while(move |&id| {
            let skipped = (id as usize).checked_sub(next)? * stride;
            let (_, from_it) = std::mem::take(&mut rest).split_at_mut_checked(skipped)?;
            let (row, after) = from_it.split_at_mut_checked(stride)?;
            (rest, next) = (after, id as usize + 1);
            Some(&mut row[..width])
        })
    }

    /// Changes the vector of every feature, whatever it is kept in: `change` has its id and its
    /// numbers, which are then rounded to the nearest.
    pub fn change(&mut self, mut change: impl FnMut(u32, &mut [f32])) {
        match self.precision {
            Precision::F32 => self.change_in::<f32>(&mut change),
            Precision::Bf16 => self.change_in::<Bf16>(&mut change),
        }
    }

    fn change_in<T: Stored>(&mut self, change: &mut impl FnMut(u32, &mut [f32])) {
        let mut floats = vec![0.0; self.width];
        for (id, vector) in (0..).zip(self.vectors_mut::<T>()) {
            floats.iter_mut().zip(&*vector).for_each(|(to, from)| *to = from.load());
            change(id, &mut floats);
            vector.iter_mut().zip(&floats).for_each(|(to, from)| *to = T::nearest(*from));
        }
    }

    /// The same vectors with another amount of (zeroed) state.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn with_states(&self, states: usize) -> Result<Self> {
        let mut table = Table::of(self.features, self.width, states, self.precision)?;
        match self.precision {
            Precision::F32 => table.copy_vectors::<f32>(self),
            Precision::Bf16 => table.copy_vectors::<Bf16>(self),
        }
        Ok(table)
    }

    /// Takes over the vectors (not the state) of a table of the same features, width and precision.
    fn copy_vectors<T: Stored>(&mut self, from: &Table) {
        for (to, from) in self.vectors_mut::<T>().zip(from.vectors()) {
            to.copy_from_slice(from);
        }
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        match self.precision {
            Precision::F32 => self.numbers::<f32>().iter().all(|x| x.is_finite()),
            Precision::Bf16 => self.numbers::<Bf16>().iter().all(|x| x.load().is_finite()),
        }
    }
}

/// The numbers of a table, found once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a, T> {
    numbers: &'a [T],
    stride: usize,
}

impl<'a, T> View<'a, T> {
    /// The vector of a feature: `width` numbers, as the compiler may know.
    #[inline(always)]
    pub(crate) fn vector(self, id: u32, width: usize) -> &'a [T] {
        &self.numbers[id as usize * self.stride..][..width]
    }

    /// The vectors of one of the classes that each feature has a vector for.
    #[inline(always)]
    pub(crate) fn of_class(self, class: usize, classes: usize) -> Self {
        let View { numbers, stride } = self;
        // A table without features has no classes either.
        View { numbers: &numbers[(class * stride).min(numbers.len())..], stride: classes * stride }
    }

    /// Asks for the memory of a feature's vector, if there is such a feature.
    #[inline(always)]
    pub(crate) fn prefetch(self, id: u32, width: usize) {
        prefetch(self.numbers, id as usize * self.stride, width);
    }
}
