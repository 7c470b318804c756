//! One column: how its values are drawn and what the planted model knows of them.
//!
//! Values follow Zipf's law: the value of rank r has a probability proportional to r^-exponent.
//! Ranks are scattered over the ids, so that an id tells nothing of its frequency.
//!
//! A value is drawn from an alias table (Walker 1977, built by Vose's method, 1991): one random
//! number, one look into the table, whatever the cardinality. Measured on the default shape, one
//! core: 76 ns for a row of 34 values, where a binary search in the cumulated probabilities takes
//! 550 ns.

use super::exact::{self, Random};

/// A slot of the alias table: the slot's own value below the threshold, the other one from there.
#[derive(Clone, Copy)]
struct Slot {
    threshold: u32,
    other: u32,
}

/// Settings that all columns share.
pub(super) struct Plan {
    /// The range of Zipf exponents.
    pub(super) zipf: (f64, f64),
    /// Number of factors.
    pub(super) factors: usize,
    /// Standard deviation of a planted weight.
    pub(super) weight_spread: f64,
    /// Standard deviation of a coordinate of a planted factor vector.
    pub(super) factor_spread: f64,
}

impl Plan {
    /// Numbers kept per value: the weight and the factors, rounded up to four. A width that is a
    /// multiple of four lets the sum over a row run in vector registers.
    pub(super) fn width(&self) -> usize {
        (1 + self.factors).next_multiple_of(LANES)
    }
}

/// Floats added at a time.
const LANES: usize = 4;

/// A column of the log.
pub(super) struct Field {
    /// Index of the column's first feature among all features.
    pub(super) offset: u32,
    /// What makes the tokens of this column differ from those of others.
    token_key: u32,
    slots: Vec<Slot>,
    /// For each value `w - |v|^2 / 2`, then v: summed over a row they give the score of a
    /// factorization machine, sum of w + (|sum of v|^2 - sum of |v|^2) / 2, in one pass.
    planted: Vec<f32>,
}

impl Field {
    /// Plants a column. The stream should be the column's own, so that columns can be made in
    /// parallel.
    pub(super) fn new(
        number: usize,
        offset: u32,
        cardinality: u32,
        plan: &Plan,
        mut random: Random,
    ) -> Self {
        let exponent = plan.zipf.0 + (plan.zipf.1 - plan.zipf.0) * random.unit();
        let mut ids: Vec<u32> = (0..cardinality).collect();
        random.shuffle(&mut ids);
        let mut weights = vec![0.0; ids.len()];
        for (rank, &id) in ids.iter().enumerate() {
            weights[id as usize] = exact::pow((rank + 1) as f64, -exponent);
        }
        Field {
            offset,
            token_key: scatter(number as u32 + 1),
            slots: alias_table(weights),
            planted: plant(cardinality as usize, plan, &mut random),
        }
    }

    /// Number of different values.
    pub(super) fn cardinality(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Turns 64 random bits into a value.
    #[inline]
    pub(super) fn pick(&self, bits: u64) -> u32 {
        // The whole part of bits / 2^64 * n chooses the slot, the fraction stands for the coin.
        let scaled = u128::from(bits) * self.slots.len() as u128;
        let index = (scaled >> 64) as u32;
        let slot = self.slots[index as usize];
        if ((scaled as u64) >> 32) as u32 >= slot.threshold { slot.other } else { index }
    }

    /// Adds a value's planted numbers to the sums of its row.
    #[inline]
    pub(super) fn add_to(&self, value: u32, sums: &mut [f32]) {
        let start = value as usize * sums.len();
        let planted = &self.planted[start..start + sums.len()];
        for (sum, x) in
            sums.as_chunks_mut::<LANES>().0.iter_mut().zip(planted.as_chunks::<LANES>().0)
        {
            for lane in 0..LANES {
                sum[lane] += x[lane];
            }
        }
    }

    /// The value as a hash: what it is called in delimited text. Different values of a column
    /// have different hashes, as every step is a bijection.
    #[inline]
    pub(super) fn token(&self, value: u32) -> u32 {
        scatter(value ^ self.token_key)
    }
}

/// The finaliser of MurmurHash3: a bijection of 32-bit numbers.
#[inline]
fn scatter(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

/// The score of a row from the sums over its values, without the bias.
#[inline]
pub(super) fn score(sums: &[f32]) -> f32 {
    let squares: f32 = sums[1..].iter().map(|s| s * s).sum();
    sums[0] + 0.5 * squares
}

fn plant(cardinality: usize, plan: &Plan, random: &mut Random) -> Vec<f32> {
    let mut planted = vec![0.0; cardinality * plan.width()];
    for row in planted.chunks_exact_mut(plan.width()) {
        let weight = plan.weight_spread * random.normal();
        let mut square = 0.0;
        for x in &mut row[1..=plan.factors] {
            *x = (plan.factor_spread * random.normal()) as f32;
            square += f64::from(*x) * f64::from(*x);
        }
        row[0] = (weight - 0.5 * square) as f32;
    }
    planted
}

/// Vose's method: every slot is filled up to the mean, a small value's slot with part of a large
/// value.
fn alias_table(mut weights: Vec<f64>) -> Vec<Slot> {
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    weights.iter_mut().for_each(|w| *w /= mean);
    let ids = 0..weights.len() as u32;
    let mut slots: Vec<Slot> = ids.map(|other| Slot { threshold: u32::MAX, other }).collect();
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (id, &w) in weights.iter().enumerate() {
        if w < 1.0 { small.push(id) } else { large.push(id) }
    }
    // What is left when one side runs out is 1 but for rounding: those slots keep their own value.
    while let (Some(&poor), Some(&rich)) = (small.last(), large.last()) {
        small.pop();
        let threshold = (weights[poor] * (1u64 << 32) as f64) as u32;
        slots[poor] = Slot { threshold, other: rich as u32 };
        weights[rich] -= 1.0 - weights[poor];
        if weights[rich] < 1.0 {
            large.pop();
            small.push(rich);
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(factors: usize) -> Plan {
        Plan { zipf: (1.1, 1.1), factors, weight_spread: 0.3, factor_spread: 0.5 }
    }

    #[test]
    fn the_alias_table_holds_the_probabilities_of_zipf() {
        let weights: Vec<f64> = (1..=1000).map(|r| f64::from(r).powf(-1.2)).collect();
        let total: f64 = weights.iter().sum();
        let slots = alias_table(weights.clone());
        let mut shares = vec![0.0; slots.len()];
        for (id, slot) in slots.iter().enumerate() {
            let own = f64::from(slot.threshold) / 2f64.powi(32);
            shares[id] += own / slots.len() as f64;
            shares[slot.other as usize] += (1.0 - own) / slots.len() as f64;
        }
        for (share, weight) in shares.iter().zip(&weights) {
            assert!((share - weight / total).abs() < 1e-9);
        }
    }

    #[test]
    fn picks_reach_both_ends_and_follow_the_bits() {
        let field = Field::new(0, 0, 7, &plan(1), Random::new(&[5]));
        let mut seen = [0; 7];
        let mut random = Random::new(&[6]);
        for _ in 0..10_000 {
            seen[field.pick(random.bits()) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| n > 0));
        assert!(field.pick(0) < 7 && field.pick(u64::MAX) < 7);
    }

    #[test]
    fn the_score_is_that_of_the_pairwise_formula() {
        for factors in [0, 1, 3, 4, 8, 11] {
            let plan = plan(factors);
            let fields: Vec<Field> =
                (0..5).map(|f| Field::new(f, 0, 9, &plan, Random::new(&[f as u64]))).collect();
            let rows: Vec<&[f32]> =
                fields.iter().map(|f| &f.planted[3 * plan.width()..4 * plan.width()]).collect();
            let dot = |a: &[f32], b: &[f32]| -> f32 {
                a[1..].iter().zip(&b[1..]).map(|(x, y)| x * y).sum()
            };
            let mut slow: f32 = rows.iter().map(|r| r[0] + 0.5 * dot(r, r)).sum();
            for i in 0..5 {
                for j in 0..i {
                    slow += dot(rows[i], rows[j]);
                }
            }
            let mut sums = vec![0.0; plan.width()];
            fields.iter().for_each(|f| f.add_to(3, &mut sums));
            assert!((score(&sums) - slow).abs() < 1e-5);
        }
    }

    #[test]
    fn tokens_of_a_column_differ() {
        let field = Field::new(3, 0, 5000, &plan(0), Random::new(&[5]));
        let mut tokens: Vec<u32> = (0..5000).map(|v| field.token(v)).collect();
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), 5000);
    }
}
