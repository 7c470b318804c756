//! Arithmetic and random numbers that come out the same on every platform.
//!
//! `f64::exp` and `f64::ln` call the system's mathematics library, whose last bit differs between
//! systems, and one bit in a threshold can change a drawn value. The four basic operations and the
//! square root are exact by IEEE 754 (and Rust never fuses or reorders them), so a series made of
//! them alone is reproducible. Both functions here are good to about 2e-16, far more than a
//! synthetic label needs.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// `e^x`, for `x` in [-700, 700]; values beyond are taken as the nearer end.
pub(super) fn exp(x: f64) -> f64 {
    // ln 2 in two parts: the product of the first with a small integer has no rounding error.
    const HIGH: f64 = 0.693_147_180_369_123_8;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = x.clamp(-700.0, 700.0);
    let halves = (x * LOG2_E + 0.5_f64.copysign(x)) as i64;
    let n = halves as f64;
    let rest = (x - n * HIGH) - n * LOW;
    let mut sum = 1.0;
    for i in (1..=13).rev() {
        sum = 1.0 + sum * rest / f64::from(i);
    }
    sum * f64::from_bits(((halves + 1023) as u64) << 52)
}

/// The natural logarithm of a positive, normal `x`.
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1))
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for i in (0..11).rev() {
        sum = sum * square + 1.0 / f64::from(2 * i + 1);
    }
    exponent as f64 * LN_2 + 2.0 * s * sum
}

/// `base^power` for a positive base.
pub(super) fn pow(base: f64, power: f64) -> f64 {
    exp(power * ln(base))
}

/// `1 / (1 + e^-x)`.
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// A stream of random numbers (xoshiro256++).
pub(super) struct Random {
    generator: Xoshiro256PlusPlus,
    spare: Option<f64>,
}

impl Random {
    /// The stream named by a path of numbers, such as (seed, what for, which block). Streams of
    /// different names are independent for all practical purposes, so rows can be drawn in blocks
    /// by any number of threads.
    pub(super) fn new(path: &[u64]) -> Self {
        let name = path.iter().fold(0, |h, &part| mix(mix(h) ^ part));
        Random { generator: Xoshiro256PlusPlus::seed_from_u64(name), spare: None }
    }

    /// 64 random bits.
    #[inline]
    pub(super) fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    #[inline]
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..n, with a bias under n / 2^64.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Standard normal, by Marsaglia's polar method: it needs `ln` and a square root only, where
    /// the tables of the ziggurat method call the system's `exp` in their tails.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        loop {
            let (a, b) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * ln(square) / square).sqrt();
                self.spare = Some(b * scale);
                return a * scale;
            }
        }
    }

    /// Puts `items` into a random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// The finaliser of SplitMix64: a bijection that scatters neighbouring numbers.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_ln_agree_with_the_system() {
        for i in -2000..2000 {
            let x = f64::from(i) * 0.03;
            assert!((exp(x) / x.exp() - 1.0).abs() < 4e-16, "exp({x})");
            let y = x.exp();
            assert!((ln(y) - y.ln()).abs() <= 4e-16 * x.abs().max(1.0), "ln({y})");
        }
        assert_eq!((exp(0.0), ln(1.0)), (1.0, 0.0));
        assert!(exp(-1e9) > 0.0 && exp(1e9).is_finite());
    }

    #[test]
    fn normals_have_the_moments_of_normals() {
        let mut random = Random::new(&[1, 2]);
        let n = 200_000;
        let (mut sums, mut beyond) = ([0.0; 3], 0);
        for _ in 0..n {
            let x = random.normal();
            sums = [sums[0] + x, sums[1] + x * x, sums[2] + x.powi(4)];
            beyond += usize::from(x.abs() > 1.959_964);
        }
        let [mean, square, fourth] = sums.map(|s| s / f64::from(n));
        assert!(mean.abs() < 0.01 && (square - 1.0).abs() < 0.02 && (fourth - 3.0).abs() < 0.1);
        assert!((beyond as f64 / f64::from(n) - 0.05).abs() < 0.002);
    }

    #[test]
    fn streams_differ_by_name() {
        let first = |path: &[u64]| Random::new(path).bits();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[0, 0]), first(&[0]));
    }
}
