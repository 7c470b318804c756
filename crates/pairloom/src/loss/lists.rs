//! Losses of lists: rows that belong together, of which those with greater labels should come first.
//!
//! All three add up what each row `i` costs beside the rows `j` of its list with smaller labels, times the
//! weight of row `i`. A row that has none below it costs nothing, nor does one in a list of its own; one of weight 0
//! is as good as not there.
//!
//! - `bpr`: the mean of `ln(1 + e^(s_j - s_i))` over these rows: the negative log-likelihood of all being in
//!   order (Rendle et al. 2009, "BPR: Bayesian Personalized Ranking from Implicit Feedback", section 4.1).
//! - `warp`: `L(r)/r sum_j max(0, 1 + s_j - s_i)` over the `r` rows that are less than 1 below row `i`, with
//!   `L(r) = 1 + 1/2 + ... + 1/r`: what is wrong at the top of a list counts more (Weston, Bengio and Usunier
//!   2011, "WSABIE: Scaling Up To Large Vocabulary Image Annotation", equations 4 to 6). They draw rows until
//!   one is in the way and tell the rank from how many that took; here all rows of the list are looked at,
//!   and if they were drawn from more, the rank in these is that share of them.
//! - `listwise`: `-s_i + ln(e^(s_i) + sum_j e^(s_j))`: the negative log-likelihood that row `i` is drawn
//!   first of these, by a softmax (Cao et al. 2007, "Learning to Rank: From Pairwise Approach to Listwise
//!   Approach", section 4; Plackett and Luce's model).

use super::Loss;
use rand::Rng;
use rand::seq::SliceRandom;

/// Rows of a list at the most: longer ones are cut into random parts in each epoch, as the pairs of rows grow
/// with the square of their number.
pub const MOST: usize = 1024;

/// Labels and weights of the rows of a list.
pub type Outcome = (f32, f32);

/// The rows of a group as lists to be ranked: itself, or if it has more than [`MOST`] rows random parts of the same
/// size.
pub fn parts<'a>(group: &'a mut [u32], random: &mut impl Rng) -> std::slice::Chunks<'a, u32> {
    if group.len() > MOST {
        group.shuffle(random);
    }
    let parts = group.len().div_ceil(MOST).max(1);
    group.chunks(group.len().div_ceil(parts).max(1))
}

/// Writes what each row of a list costs and the derivative of the whole by its score. Each row stands for
/// `each` rows that it was drawn from, or for itself. Returns the weight of the rows that have some below
/// them.
pub fn learn(
    loss: Loss,
    (scores, outcomes): (&[f64], &[Outcome]),
    each: f64,
    (losses, slopes): (&mut [f64], &mut [f64]),
) -> f64 {
    losses.fill(0.0);
    slopes.fill(0.0);
    let mut total = 0.0;
    let counts = |outcome: &Outcome| outcome.1 > 0.0;
    let least = outcomes.iter().filter(|o| counts(o)).map(|o| o.0).fold(f32::INFINITY, f32::min);
    for (i, (&score, &(label, weight))) in scores.iter().zip(outcomes).enumerate() {
        // Most rows of a list have none below them.
        if label <= least || weight <= 0.0 {
            continue;
        }
        let is_below = |j: &usize| outcomes[*j].0 < label && counts(&outcomes[*j]);
        let below = || (0..scores.len()).filter(is_below);
        let weight = f64::from(weight);
        total += weight;
        let mut push = |j: usize, slope: f64| {
            slopes[j] += slope;
            slopes[i] -= slope;
        };
        losses[i] = weight
            * match loss {
                Loss::Warp => {
                    let missing = |j: usize| 1.0 + scores[j] - score;
                    let near = || below().filter(|&j| missing(j) > 0.0);
                    let rank = near().count() as f64;
                    // However few they stand for, one of them is in the way.
                    let rank_of_all = if rank > 0.0 { (rank * each).max(1.0) } else { 0.0 };
                    let share = harmonic(rank_of_all) / rank.max(1.0);
                    near().for_each(|j| push(j, weight * share));
                    share * near().map(missing).sum::<f64>()
                }
                Loss::Listwise => {
                    let top = below().map(|j| scores[j]).fold(score, f64::max);
                    let sum =
                        (score - top).exp() + below().map(|j| (scores[j] - top).exp()).sum::<f64>();
                    below().for_each(|j| push(j, weight * (scores[j] - top).exp() / sum));
                    top - score + sum.ln()
                }
                _ => {
                    let share = 1.0 / below().count() as f64;
                    let pair = |j: usize| Loss::Logistic.with_gradient(score - scores[j], 1.0);
                    below().for_each(|j| push(j, -weight * share * pair(j).1));
                    share * below().map(|j| pair(j).0).sum::<f64>()
                }
            };
    }
    total
}

/// `1 + 1/2 + ... + 1/n` for the whole number next to `n`; of large ones by Euler's expansion, to 1e-6.
fn harmonic(n: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let n = n.round();
    match n < 32.0 {
        true => (1..=n as u32).map(|i| 1.0 / f64::from(i)).sum(),
        false => n.ln() + EULER + 0.5 / n - 1.0 / (12.0 * n * n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grades with ties, weights of which one is 0.
    fn list() -> (Vec<f64>, Vec<Outcome>) {
        let scores = vec![0.3, -1.2, 2.0, 0.31, -0.4, 0.9, 5.0];
        let labels = [2.0, 0.0, 1.0, 0.0, 2.0, 0.0, 1.0];
        let weights = [1.0, 1.0, 0.5, 3.0, 2.0, 1.0, 0.0];
        (scores, labels.into_iter().zip(weights).collect())
    }

    fn learned(loss: Loss, scores: &[f64], outcomes: &[Outcome]) -> (Vec<f64>, Vec<f64>, f64) {
        let (mut losses, mut slopes) = (vec![9.0; scores.len()], vec![9.0; scores.len()]);
        let weight = learn(loss, (scores, outcomes), 1.0, (&mut losses, &mut slopes));
        (losses, slopes, weight)
    }

    #[test]
    fn slopes_are_derivatives() {
        let (scores, outcomes) = list();
        for loss in Loss::ranking() {
            let (_, slopes, weight) = learned(loss, &scores, &outcomes);
            // Rows of label 0 have none below them, and one weighs nothing.
            assert_eq!(weight, 1.0 + 0.5 + 2.0, "{loss}");
            for (at, slope) in slopes.iter().enumerate() {
                let moved = |by: f64| {
                    let mut scores = scores.clone();
                    scores[at] += by;
                    learned(loss, &scores, &outcomes).0.iter().sum::<f64>()
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((slope - difference).abs() < 1e-8, "{loss} {at}: {slope} {difference}");
            }
            assert!(slopes.iter().sum::<f64>().abs() < 1e-12, "{loss}: only differences count");
        }
    }

    #[test]
    fn nothing_to_rank_costs_nothing() {
        for loss in Loss::ranking() {
            for outcomes in [vec![(1.0, 1.0)], vec![(1.0, 1.0), (1.0, 2.0)], vec![]] {
                let scores = vec![0.5; outcomes.len()];
                let (losses, slopes, weight) = learned(loss, &scores, &outcomes);
                assert!(losses.iter().chain(&slopes).all(|&x| x == 0.0), "{loss}");
                assert_eq!(weight, 0.0);
            }
        }
    }

    #[test]
    fn scores_may_be_far_apart() {
        let outcomes = [(1.0, 1.0), (0.0, 1.0)];
        for loss in Loss::ranking() {
            let (losses, slopes, _) = learned(loss, &[-1e5, 1e5], &outcomes);
            assert!((losses[0] - 2e5).abs() <= 1.0 && slopes == [-1.0, 1.0], "{loss}: {losses:?}");
        }
    }

    /// A row of weight 0 is neither above nor below others: the rest learn as they do without it.
    #[test]
    fn a_row_of_weight_0_is_as_good_as_not_there() {
        let (scores, mut outcomes) = list();
        for out in 0..scores.len() {
            let weight = std::mem::replace(&mut outcomes[out].1, 0.0);
            let rest: Vec<usize> = (0..scores.len()).filter(|&at| at != out).collect();
            let scores_of: Vec<f64> = rest.iter().map(|&at| scores[at]).collect();
            let outcomes_of: Vec<Outcome> = rest.iter().map(|&at| outcomes[at]).collect();
            for loss in Loss::ranking() {
                let (losses, slopes, total) = learned(loss, &scores, &outcomes);
                let (of, slopes_of, total_of) = learned(loss, &scores_of, &outcomes_of);
                assert_eq!((losses[out], slopes[out], total), (0.0, 0.0, total_of), "{loss}");
                for (at, &row) in rest.iter().enumerate() {
                    let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
                    let same = near(losses[row], of[at]) && near(slopes[row], slopes_of[at]);
                    assert!(same, "{loss} {out} {row}");
                }
            }
            outcomes[out].1 = weight;
        }
    }

    /// Drawn from fewer items than are drawn, a row stands for less than one; but it is in the way.
    #[test]
    fn a_drawn_row_stands_for_one_at_least() {
        let list = (&[0.0, 0.5][..], &[(1.0, 1.0), (0.0, 1.0)][..]);
        for each in [0.01, 0.4, 1.0] {
            let (mut losses, mut slopes) = ([0.0; 2], [0.0; 2]);
            learn(Loss::Warp, list, each, (&mut losses, &mut slopes));
            assert_eq!((losses, slopes), ([1.5, 0.0], [-1.0, 1.0]), "{each}");
        }
        // Who is not in the way costs nothing.
        let (mut losses, mut slopes) = ([9.0; 2], [9.0; 2]);
        let far = (&[3.0, 0.5][..], list.1);
        learn(Loss::Warp, far, 0.4, (&mut losses, &mut slopes));
        assert_eq!((losses, slopes), ([0.0; 2], [0.0; 2]));
    }

    /// A row that stands for many is in the way of as many.
    #[test]
    fn drawn_rows_stand_for_others() {
        let (mut losses, mut slopes) = ([0.0; 3], [0.0; 3]);
        let list = (&[0.0, 0.5, -3.0][..], &[(1.0, 1.0), (0.0, 1.0), (0.0, 1.0)][..]);
        learn(Loss::Warp, list, 1000.0, (&mut losses, &mut slopes));
        let expected: f64 = (1..=1000).map(|i| 1.0 / f64::from(i)).sum();
        assert!((slopes[1] - expected).abs() < 1e-6, "{slopes:?} {expected}");
    }
}
