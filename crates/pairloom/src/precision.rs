//! How the factors and their optimizer state are kept: as 32-bit floats, or in half of the memory as
//! bfloat16 (Wang, Kanwar 2019), while all arithmetic is in 32 bits.
//!
//! A bfloat16 is the upper half of a float: it has the same range, so sums of squares and weights in
//! any unit fit, and bringing it back is a shift on every processor. Of the 24 bits of the fraction
//! it keeps 8. Small steps would get lost if they were rounded to the nearest number, so they are
//! rounded up or down by chance, as often as it is right on average (Gupta, Agrawal, Gopalakrishnan,
//! Narayanan 2015). The chance is a hash of step, feature and place, so that a run has the same bits
//! for any number of threads.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

/// The ways to keep a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// Bfloat16: 16 bits.
    Bf16,
}

impl Precision {
    /// All of them, for help texts and tests.
    pub const ALL: [Precision; 2] = [Precision::F32, Precision::Bf16];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        }
    }

    /// Bytes of a number.
    pub fn bytes(self) -> usize {
        match self {
            Precision::F32 => size_of::<f32>(),
            Precision::Bf16 => size_of::<Bf16>(),
        }
    }
}

/// A number as a table keeps it.
pub trait Stored: Pod + Send + Sync {
    /// Which way this is.
    const PRECISION: Precision;

    /// The number.
    fn load(self) -> f32;

    /// What comes nearest to a number.
    fn nearest(number: f32) -> Self;

    /// Numbers as floats that can be changed: themselves, or a copy in `spare`, which has at least as
    /// many.
    fn open<'a>(numbers: &'a mut [Self], spare: &'a mut [f32]) -> &'a mut [f32];

    /// Takes over what has become of the floats that were opened, rounded by chance.
    fn close(numbers: &mut [Self], spare: &[f32], chance: Chance);
}

impl Stored for f32 {
    const PRECISION: Precision = Precision::F32;

    #[inline(always)]
    fn load(self) -> f32 {
        self
    }

    #[inline(always)]
    fn nearest(number: f32) -> f32 {
        number
    }

    #[inline(always)]
    fn open<'a>(numbers: &'a mut [f32], _spare: &'a mut [f32]) -> &'a mut [f32] {
        numbers
    }

    #[inline(always)]
    fn close(_numbers: &mut [f32], _spare: &[f32], _chance: Chance) {}
}

/// The upper 16 bits of a float.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Bf16(pub u16);

/// Those of a float that it lacks.
const LOST: u32 = 16;

impl Stored for Bf16 {
    const PRECISION: Precision = Precision::Bf16;

    #[inline(always)]
    fn load(self) -> f32 {
        f32::from_bits(u32::from(self.0) << LOST)
    }

    /// Of two that are as near the even one.
    #[inline(always)]
    fn nearest(number: f32) -> Bf16 {
        let odd = (number.to_bits() >> LOST) & 1;
        Bf16::cut(number, 0x7FFF + odd)
    }

    #[inline(always)]
    fn open<'a>(numbers: &'a mut [Bf16], spare: &'a mut [f32]) -> &'a mut [f32] {
        let floats = &mut spare[..numbers.len()];
        floats.iter_mut().zip(numbers).for_each(|(to, from)| *to = from.load());
        floats
    }

    #[inline(always)]
    fn close(numbers: &mut [Bf16], spare: &[f32], chance: Chance) {
        for (place, (to, &from)) in (0..).zip(numbers.iter_mut().zip(spare)) {
            *to = Bf16::cut(from, chance.at(place));
        }
    }
}

impl Bf16 {
    /// Rounds away from 0 if what is lost and `more` come to a whole.
    #[inline(always)]
    fn cut(number: f32, more: u32) -> Bf16 {
        Bf16((number.to_bits().wrapping_add(more) >> LOST) as u16)
    }
}

/// What the rounding of one vector hangs on.
#[derive(Debug, Clone, Copy)]
pub struct Chance(u32);

impl Chance {
    /// That of a feature in a step.
    #[inline(always)]
    pub fn new(time: u64, feature: u32) -> Self {
        let key = (time << 32) ^ (time >> 32) ^ u64::from(feature);
        let key = (key ^ (key >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        let key = (key ^ (key >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        Chance((key >> 32) as u32)
    }

    /// 16 random bits for each place of the vector.
    #[inline(always)]
    pub fn at(self, place: u32) -> u32 {
        let key = self.0.wrapping_add(place.wrapping_mul(0x9E37_79B9));
        (key ^ (key >> 15)).wrapping_mul(0x2C1B_3C6D) >> LOST
    }
}
