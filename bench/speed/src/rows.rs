//! Rows like those of a click log: 39 features, Zipf-distributed, hashed into one table; labels from
//! a planted factorization machine, so that the loss shows whether a kernel learns.

use pairloom::batch::Rows;

/// Values of each field: 13 small ones, as numbers cut into bins, and 26 categorical ones.
const SMALL: usize = 13;
const LARGE: [usize; FEATURES - SMALL] = [
    1_460, 583, 10_131_227, 2_202_608, 305, 24, 12_517, 633, 3, 93_145, 5_683, 8_351_593, 3_194,
    27, 14_992, 5_461_306, 10, 5_652, 2_173, 4, 7_046_547, 18, 15, 286_181, 105, 142_572,
];

/// Features of a row.
pub const FEATURES: usize = 39;

/// Factors of the planted machine.
const PLANTED: usize = 4;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Draw {
    /// The values of a field by Zipf's law with exponent 1.
    Zipf,
    /// Any feature of the table: the worst case for the caches.
    Uniform,
}

/// `n` rows over `2^bits` features.
pub fn rows(n: usize, bits: u32, draw: Draw) -> Rows {
    let cardinalities = (0..SMALL).map(|field| 8 + 4 * field).chain(LARGE);
    let fields: Vec<f64> = cardinalities.map(|values| values as f64).collect();
    let (mut random, mut rows) = (Random(1), Rows::new());
    for _ in 0..n {
        let mut planted = Planted::default();
        for (field, &values) in (0..).zip(&fields) {
            let value = match draw {
                // Zipf's law as a continuous one: the rank's logarithm is uniform.
                Draw::Zipf => values.powf(random.uniform()) as u64,
                Draw::Uniform => random.next(),
            };
            let key = mix(value + (field << 40));
            planted.absorb(key);
            rows.push((key >> (64 - bits)) as u32, 1.0);
        }
        let positive = random.uniform() < planted.probability();
        rows.finish(if positive { 1.0 } else { 0.0 }, 1.0);
    }
    rows
}

/// The numbers of `n` rows in a random order.
pub fn shuffled(n: usize) -> Vec<u32> {
    let (mut random, mut order) = (Random(2), (0..n as u32).collect::<Vec<_>>());
    for i in (1..n).rev() {
        order.swap(i, (random.next() % (i as u64 + 1)) as usize);
    }
    order
}

/// The running sums of a row by the planted machine.
#[derive(Debug, Default)]
struct Planted {
    linear: f64,
    sums: [f64; PLANTED],
    squares: [f64; PLANTED],
}

impl Planted {
    /// Half of the score's variance is linear, half of it comes from the pairs.
    const LINEAR: f64 = 0.16;
    const FACTOR: f64 = 0.13;
    const BIAS: f64 = -1.5;

    fn absorb(&mut self, key: u64) {
        self.linear += Self::LINEAR * centred(mix(key));
        for (f, (sum, square)) in (1..).zip(self.sums.iter_mut().zip(&mut self.squares)) {
            let v = Self::FACTOR * centred(mix(key ^ f));
            *sum += v;
            *square += v * v;
        }
    }

    fn probability(&self) -> f64 {
        let pairs: f64 = self.sums.iter().zip(&self.squares).map(|(s, q)| s * s - q).sum();
        1.0 / (1.0 + (-(Self::BIAS + self.linear + 0.5 * pairs)).exp())
    }
}

/// A number of variance 1 around 0 from random bits.
fn centred(bits: u64) -> f64 {
    3f64.sqrt() * (2.0 * unit(bits) - 1.0)
}

fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    fn uniform(&mut self) -> f64 {
        unit(self.next())
    }
}
