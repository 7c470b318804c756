//! What can be known about a synthetic log because its true probabilities are known: the figures
//! that no model can beat but by chance.

use super::exact;
use serde::Serialize;

/// The most rows whose scores are kept and sorted for the AUC (32 MiB); more are counted in bins.
pub(super) const EXACT_ROWS: u64 = 1 << 22;

/// Bins for the scores -LIMIT..LIMIT.
const BINS: usize = 1 << 16;
const LIMIT: f32 = 16.0;

/// Figures of the rows that were written. Those that need rows, or rows of both labels, are absent
/// where there are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SynthSummary {
    /// Rows written.
    pub rows: u64,
    /// Columns, the label not counted.
    pub fields: usize,
    /// Different values that the columns can have, all together.
    pub features: u64,
    /// Share of the rows that are positive.
    pub positives: Option<f64>,
    /// Mean entropy of the true probabilities: the log loss that the best possible model has on
    /// average over all labels that could have been drawn.
    pub best_log_loss: Option<f64>,
    /// Log loss of the true probabilities for the labels that were drawn.
    pub drawn_log_loss: Option<f64>,
    /// Log loss of predicting the share of positives everywhere.
    pub constant_log_loss: Option<f64>,
    /// Area under the ROC curve of the true probabilities.
    pub best_auc: Option<f64>,
    /// Whether the area is exact. For more than 4,194,304 rows it is that of scores rounded to
    /// 1/2048, which is the same in the first five digits.
    pub auc_exact: bool,
}

/// Sums over rows, to be merged in the order of the rows.
#[derive(Default)]
pub(super) struct Tally {
    entropy: f64,
    drawn: f64,
    /// Per row: the score's bits in the order of the numbers, then one bit for the label.
    keys: Vec<u64>,
}

impl Tally {
    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        (self.entropy, self.drawn) = (0.0, 0.0);
        self.keys.clear();
    }

    /// Draws the label of a row with this score, given a uniform number, and counts it.
    #[inline]
    pub(super) fn draw(&mut self, score: f32, uniform: f64) -> bool {
        let s = f64::from(score);
        let e = exact::exp(-s.abs());
        // The probability of the likelier label is 1 / (1 + e): its loss, and that of the other.
        let likely = exact::ln(1.0 + e);
        let unlikely = likely + s.abs();
        let odd = e / (1.0 + e);
        let surprise = uniform < odd;
        let label = surprise != (s > 0.0);
        self.entropy += (1.0 - odd) * likely + odd * unlikely;
        self.drawn += if surprise { unlikely } else { likely };
        self.keys.push(key(score, label));
        label
    }
}

/// Numbers that sort like (score, label).
fn key(score: f32, label: bool) -> u64 {
    // Adding zero makes one zero of the two.
    let bits = (score + 0.0).to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | (1 << 31) };
    (u64::from(ordered) << 1) | u64::from(label)
}

/// The score in a key.
fn score_of(key: u64) -> f32 {
    let ordered = (key >> 1) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

/// The sums over all rows.
pub(super) struct Total {
    rows: u64,
    positives: u64,
    entropy: f64,
    drawn: f64,
    scores: Scores,
}

/// Scores with labels, as they are or as counts of (negatives, positives) by score.
enum Scores {
    Exact(Vec<u64>),
    Binned(Vec<[u64; 2]>),
}

impl Total {
    /// Sums for so many rows to come.
    pub(super) fn new(rows: u64) -> Self {
        let scores = if rows <= EXACT_ROWS {
            Scores::Exact(Vec::new())
        } else {
            Scores::Binned(vec![[0; 2]; BINS])
        };
        Total { rows: 0, positives: 0, entropy: 0.0, drawn: 0.0, scores }
    }

    /// Takes in the next rows.
    pub(super) fn merge(&mut self, tally: &Tally) {
        self.rows += tally.keys.len() as u64;
        self.positives += tally.keys.iter().map(|k| k & 1).sum::<u64>();
        self.entropy += tally.entropy;
        self.drawn += tally.drawn;
        match &mut self.scores {
            Scores::Exact(keys) => keys.extend_from_slice(&tally.keys),
            Scores::Binned(bins) => {
                for &key in &tally.keys {
                    bins[bin(score_of(key))][(key & 1) as usize] += 1;
                }
            }
        }
    }

    /// The figures.
    pub(super) fn finish(self, fields: usize, features: u64) -> SynthSummary {
        let mean = |sum: f64| (self.rows > 0).then(|| sum / self.rows as f64);
        let positives = mean(self.positives as f64);
        SynthSummary {
            rows: self.rows,
            fields,
            features,
            positives,
            best_log_loss: mean(self.entropy),
            drawn_log_loss: mean(self.drawn),
            constant_log_loss: positives.map(entropy),
            auc_exact: matches!(self.scores, Scores::Exact(_)),
            best_auc: self.scores.auc(),
        }
    }
}

/// The entropy of a coin, in nats.
fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * exact::ln(p) } else { 0.0 };
    part(p) + part(1.0 - p)
}

fn bin(score: f32) -> usize {
    // A cast saturates: scores beyond the limits fall into the outermost bins.
    (((score + LIMIT) * (BINS as f32 / (2.0 * LIMIT))) as usize).min(BINS - 1)
}

impl Scores {
    /// The share of pairs of a positive and a negative row in which the positive has the higher
    /// score; a pair of equals counts half.
    fn auc(self) -> Option<f64> {
        match self {
            Scores::Binned(bins) => area(bins),
            Scores::Exact(mut keys) => {
                keys.sort_unstable();
                area(keys.chunk_by(|a, b| a >> 1 == b >> 1).map(|equals| {
                    let positives = equals.iter().map(|k| k & 1).sum::<u64>();
                    [equals.len() as u64 - positives, positives]
                }))
            }
        }
    }
}

/// The AUC of groups of rows with equal scores, from the lowest.
fn area(groups: impl IntoIterator<Item = [u64; 2]>) -> Option<f64> {
    let (mut below, mut positives, mut doubled) = (0u64, 0u64, 0u128);
    for [negative, positive] in groups {
        doubled += u128::from(positive) * (2 * u128::from(below) + u128::from(negative));
        below += negative;
        positives += positive;
    }
    let pairs = u128::from(below) * u128::from(positives);
    (pairs > 0).then(|| doubled as f64 / (2.0 * pairs as f64))
}

#[cfg(test)]
mod tests {
    use super::super::exact::Random;
    use super::*;

    fn drawn(rows: u64, scores: impl Fn(&mut Random) -> f32) -> Tally {
        let mut random = Random::new(&[9]);
        let mut tally = Tally::default();
        for _ in 0..rows {
            let score = scores(&mut random);
            let uniform = random.unit();
            tally.draw(score, uniform);
        }
        tally
    }

    #[test]
    fn the_area_is_the_share_of_ordered_pairs() {
        let tally = drawn(400, |r| (r.normal() * 4.0).round() as f32 / 4.0);
        let (mut won, mut pairs) = (0.0, 0.0);
        for &a in tally.keys.iter().filter(|&k| k & 1 == 1) {
            for &b in tally.keys.iter().filter(|&k| k & 1 == 0) {
                let (a, b) = (score_of(a), score_of(b));
                won += if a > b {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                };
                pairs += 1.0;
            }
        }
        let mut total = Total::new(400);
        total.merge(&tally);
        let auc = total.finish(1, 2).best_auc.unwrap();
        assert!((auc - won / pairs).abs() < 1e-12, "{auc} {}", won / pairs);
    }

    #[test]
    fn bins_change_the_area_by_next_to_nothing() {
        let tally = drawn(200_000, |r| r.normal() as f32);
        let auc = |rows| {
            let mut total = Total::new(rows);
            total.merge(&tally);
            let summary = total.finish(1, 2);
            assert_eq!(summary.auc_exact, rows <= EXACT_ROWS);
            summary.best_auc.unwrap()
        };
        assert!((auc(200_000) - auc(EXACT_ROWS + 1)).abs() < 1e-6);
    }

    #[test]
    fn labels_have_the_probability_of_the_score() {
        for score in [-3.0, -0.5, 0.0, 0.5, 3.0] {
            let tally = drawn(50_000, |_| score);
            let share = tally.keys.iter().map(|k| k & 1).sum::<u64>() as f64 / 50_000.0;
            let p = exact::sigmoid(f64::from(score));
            assert!((share - p).abs() < 4.0 * (p * (1.0 - p) / 50_000.0).sqrt());
            assert!((tally.entropy / 50_000.0 - entropy(p)).abs() < 1e-12);
        }
    }

    #[test]
    fn keys_sort_like_scores_and_give_them_back() {
        let scores = [-1e9, -2.5, -1e-30, -0.0, 0.0, 1e-30, 2.5, 1e9];
        let keys: Vec<u64> = scores.iter().map(|&s| key(s, true)).collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().zip(scores).all(|(&k, s)| score_of(k) == s));
    }
}
