//! Calibrations against plain definitions: the optimum of what each minimises, laws that all obey, and
//! what cannot be calibrated. `tests/python/test_calibration.py` has scikit-learn's.

use crate::common::{near, random};
use pairloom::Error;
use pairloom::batch::Outcomes;
use pairloom::calibration::{Calibration, Method};
use pairloom::metric::Binary;
use proptest::prelude::*;
use rand::RngExt;

fn sigmoid(s: f64) -> f64 {
    1.0 / (1.0 + (-s).exp())
}

/// Log-odds of rows whose labels are drawn with the probability `truth(s)`, and weights if wanted.
fn rows(n: usize, weighted: bool, truth: impl Fn(f64) -> f64) -> (Vec<f64>, Outcomes) {
    let mut random = random(5);
    let mut row = || {
        let s: f64 = (0..6).map(|_| random.random_range(-1.5..1.5)).sum::<f64>() - 1.0;
        // Some scores are equal.
        let s = (s * 50.0).round() / 50.0;
        let label = f32::from(random.random::<f64>() < truth(s));
        let weight = if weighted { [0.0, 0.5, 1.0, 3.0][random.random_range(0..4)] } else { 1.0 };
        (s, (label, weight))
    };
    let (log_odds, outcomes): (_, Vec<_>) = (0..n).map(|_| row()).unzip();
    (log_odds, outcomes.into_iter().collect())
}

/// `sum w l(score, y)` with the labels smoothed as Platt 1999 has it, written down plainly.
fn smoothed_loss(log_odds: &[f64], rows: &Outcomes, score: impl Fn(f64) -> f64) -> f64 {
    let of = |class: f32| rows.iter().filter(|r| r.0 == class).map(|r| f64::from(r.1)).sum::<f64>();
    let labels = [1.0 / (of(0.0) + 2.0), (of(1.0) + 1.0) / (of(1.0) + 2.0)];
    let loss = |(s, (label, weight)): (&f64, (f32, f32))| {
        let (p, y) = (sigmoid(score(*s)), labels[label as usize]);
        -f64::from(weight) * (y * p.ln() + (1.0 - y) * (1.0 - p).ln())
    };
    log_odds.iter().zip(rows.iter()).map(loss).sum()
}

/// Log-odds by parameters and the log-odds of a model.
type Formula = fn(&[f64], f64) -> f64;

/// The parameters of a calibration, and its formula for any others.
fn formula(calibration: &Calibration) -> (Vec<f64>, Formula) {
    match calibration {
        Calibration::Platt { slope, intercept } => {
            (vec![*slope, *intercept], |t, s| t[0] * s + t[1])
        }
        Calibration::Beta { a, b, c } => (vec![*a, *b, *c], |t, s| {
            t[0] * sigmoid(s).ln() - t[1] * (1.0 - sigmoid(s)).ln() + t[2]
        }),
        Calibration::Isotonic { .. } => panic!("it has no parameters"),
    }
}

#[test]
fn platt_and_beta_are_optima() {
    for weighted in [false, true] {
        for truth in [
            |s| sigmoid(0.6 * s - 0.8),
            |s| sigmoid(2.0 * s + 1.0),
            |s: f64| sigmoid(2.0 * sigmoid(s).ln() - 0.5 * (1.0 - sigmoid(s)).ln() + 1.0),
        ] {
            let (log_odds, rows) = rows(4000, weighted, truth);
            for method in [Method::Platt, Method::Beta] {
                let found = Calibration::fit(method, &log_odds, &rows).unwrap();
                let (t, score) = formula(&found);
                assert!(t.iter().take(t.len() - 1).all(|&slope| slope > 0.0), "{found:?}");
                let loss = |t: &[f64]| smoothed_loss(&log_odds, &rows, |s| score(t, s));
                for at in 0..t.len() {
                    let moved = |by: f64| {
                        let mut t = t.clone();
                        t[at] += by;
                        loss(&t)
                    };
                    let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
                    assert!(near(slope, 0.0, 1e-5, 4000.0), "{found:?}: {at} {slope}");
                    assert!(moved(0.05) > loss(&t) && moved(-0.05) > loss(&t), "{found:?}: {at}");
                }
            }
        }
    }
}

#[test]
fn parameters_are_found_again() {
    let (log_odds, rows) = rows(200_000, false, |s| sigmoid(0.6 * s - 0.8));
    let Calibration::Platt { slope, intercept } =
        Calibration::fit(Method::Platt, &log_odds, &rows).unwrap()
    else {
        panic!("another method")
    };
    assert!(near(slope, 0.6, 0.02, 1.0) && near(intercept, -0.8, 0.02, 1.0), "{slope} {intercept}");
    let truth = |s: f64| sigmoid(2.0 * sigmoid(s).ln() - 0.5 * (1.0 - sigmoid(s)).ln() + 1.0);
    let (log_odds, rows) = self::rows(200_000, false, truth);
    for method in [Method::Beta, Method::Isotonic] {
        let found = Calibration::fit(method, &log_odds, &rows).unwrap();
        for s in [-3.0, -1.0, 0.0, 1.0, 2.0] {
            assert!(near(found.apply(s), truth(s), 0.02, 1.0), "{method:?} {s} {}", found.apply(s));
        }
    }
}

/// `max_{i <= at} min_{j >= at}` of the means of the values `i..=j`: isotonic regression by its definition
/// (Robertson, Wright and Dykstra 1988, "Order Restricted Statistical Inference", theorem 1.4.4).
fn by_definition(values: &[(f64, f64)]) -> Vec<f64> {
    let mean = |i: usize, j: usize| {
        let sums = values[i..=j].iter().fold((0.0, 0.0), |s, &(y, w)| (s.0 + y * w, s.1 + w));
        sums.0 / sums.1
    };
    let lowest =
        |i: usize, at: usize| (at..values.len()).map(|j| mean(i, j)).fold(f64::INFINITY, f64::min);
    let value = |at: usize| (0..=at).map(|i| lowest(i, at)).fold(f64::NEG_INFINITY, f64::max);
    (0..values.len()).map(value).collect()
}

#[test]
fn isotonic_is_what_its_definition_says() {
    for weighted in [false, true] {
        let (log_odds, rows) = rows(120, weighted, |s| sigmoid(1.5 * s));
        let found = Calibration::fit(Method::Isotonic, &log_odds, &rows).unwrap();
        let mut distinct: Vec<f64> = log_odds.clone();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        // Mean label and weight of the rows with each score; rows that weigh nothing are none.
        let at = |s: f64| {
            let mine = log_odds.iter().zip(rows.iter()).filter(|(other, _)| **other == s);
            let sums = mine.fold((0.0, 0.0), |sums, (_, (y, w))| {
                (sums.0 + f64::from(y * w), sums.1 + f64::from(w))
            });
            (sums.0 / sums.1, sums.1)
        };
        distinct.retain(|&s| at(s).1 > 0.0);
        let values: Vec<(f64, f64)> = distinct.iter().map(|&s| at(s)).collect();
        let total = |class: f32| rows.iter().filter(|r| r.0 == class).map(|r| f64::from(r.1)).sum();
        let [negative, positive]: [f64; 2] = [total(0.0), total(1.0)];
        let bounds = (1.0 / (negative + 2.0), (positive + 1.0) / (positive + 2.0));
        let expected = by_definition(&values);
        assert!(expected[0] == 0.0 && *expected.last().unwrap() == 1.0, "both bounds are tried");
        for (s, expected) in distinct.iter().zip(&expected) {
            let expected = expected.clamp(bounds.0, bounds.1);
            assert!(near(found.apply(*s), expected, 1e-12, 1.0), "{s} {expected}");
        }
        // Between two scores there is a line, in probabilities, and beyond the last nothing changes.
        for pair in distinct.windows(2) {
            let [low, high] = [pair[0], pair[1]].map(|s| (sigmoid(s), found.apply(s)));
            let middle = (pair[0] + pair[1]) / 2.0;
            let share = (sigmoid(middle) - low.0) / (high.0 - low.0);
            let expected = low.1 + share * (high.1 - low.1);
            assert!(near(found.apply(middle), expected, 1e-9, 1.0), "{middle}");
        }
        assert_eq!(found.apply(-50.0), bounds.0);
        assert_eq!(found.apply(f64::INFINITY), bounds.1);
    }
}

#[test]
fn weights_are_repetitions() {
    let (log_odds, rows) = rows(500, false, |s| sigmoid(s - 1.0));
    let times = |row: usize| [1, 3, 0, 2][row % 4];
    let weighted: Outcomes =
        rows.iter().enumerate().map(|(row, (y, _))| (y, times(row) as f32)).collect();
    let repeated: Vec<usize> = (0..500).flat_map(|row| vec![row; times(row)]).collect();
    let log_odds_repeated: Vec<f64> = repeated.iter().map(|&row| log_odds[row]).collect();
    let repeated: Outcomes = repeated.iter().map(|&row| rows.iter().nth(row).unwrap()).collect();
    for method in Method::ALL {
        let one = Calibration::fit(method, &log_odds, &weighted).unwrap();
        let two = Calibration::fit(method, &log_odds_repeated, &repeated).unwrap();
        for s in (-40..40).map(|s| f64::from(s) / 7.0) {
            assert!(near(one.apply(s), two.apply(s), 1e-7, 1.0), "{method:?} {s}");
        }
    }
}

/// Labels are smoothed by two rows more: beside weights that are shares these would be all that counts.
#[test]
fn weights_that_are_shares_calibrate_like_rows() {
    let (log_odds, rows) = rows(600, false, |s| sigmoid(0.6 * s - 0.8));
    let weigh = |weight: &dyn Fn(usize) -> f32| -> Outcomes {
        rows.iter().enumerate().map(|(row, (y, _))| (y, weight(row))).collect()
    };
    let uneven = |row: usize| [0.5, 1.5][row % 2];
    let pairs = [
        (weigh(&|_| 1.0), weigh(&|_| 0.001)),
        (weigh(&uneven), weigh(&|row| 1e-6 * uneven(row))),
        (weigh(&uneven), weigh(&|row| 1e-30 * uneven(row))),
    ];
    for (plain, shares) in &pairs {
        for method in Method::ALL {
            let [one, two] =
                [plain, shares].map(|rows| Calibration::fit(method, &log_odds, rows).unwrap());
            for s in (-40..40).map(|s| f64::from(s) / 7.0) {
                assert!(near(one.apply(s), two.apply(s), 1e-6, 1.0), "{method:?} {s}: {two:?}");
            }
        }
    }
}

/// Whatever the weights, what comes is a calibration that a model file may hold, or an error: beside great weights
/// the labels that are smoothed are no 0 and 1.
#[test]
fn weights_that_are_huge_damage_nothing() {
    let (log_odds, rows) = rows(300, false, |s| sigmoid(1.5 * s));
    let each: [fn(usize, f32) -> bool; 4] =
        [|_, _| true, |row, _| row % 2 == 0, |_, y| y == 1.0, |_, y| y == 0.0];
    for weight in [1e5, 1e10, 1e17, 1e25, f32::MAX] {
        for is_huge in each {
            let of = |(row, (y, _))| (y, if is_huge(row, y) { weight } else { 1.0 });
            let outcomes: Outcomes = rows.iter().enumerate().map(of).collect();
            for method in Method::ALL {
                match Calibration::fit(method, &log_odds, &outcomes) {
                    Err(error) => {
                        let said = error.to_string();
                        assert!(said.contains("weights are too large to calibrate with"), "{said}");
                    }
                    Ok(Calibration::Isotonic { values, .. }) => {
                        assert!(values.iter().all(|&p| p > 0.0 && p < 1.0), "{weight} {values:?}");
                    }
                    Ok(found) => {
                        let (t, _) = formula(&found);
                        assert!(t.iter().all(|t| t.is_finite()), "{weight} {found:?}");
                        assert!(t[0] >= 0.0, "{weight} {found:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn beta_leaves_out_what_would_be_negative() {
    // The lower the score, the less it says, down to the wrong way round; and the same above.
    let bent = |s: f64| sigmoid(if s < 0.0 { -0.4 * s } else { 2.0 * s });
    for (mirror, a_is_left_out) in [(1.0, true), (-1.0, false)] {
        let truth = |s: f64| if mirror > 0.0 { bent(s) } else { 1.0 - bent(-s) };
        let (log_odds, rows) = rows(20_000, false, truth);
        let found = Calibration::fit(Method::Beta, &log_odds, &rows).unwrap();
        let Calibration::Beta { a, b, c } = found else { panic!("another method") };
        let (left_out, kept) = if a_is_left_out { (a, b) } else { (b, a) };
        assert!(left_out == 0.0 && kept > 0.2, "{found:?}");
        // The other two are those with the least loss where it is 0.
        let loss = |kept: f64, c: f64| {
            let (a, b) = if a_is_left_out { (0.0, kept) } else { (kept, 0.0) };
            smoothed_loss(&log_odds, &rows, |s| {
                a * sigmoid(s).ln() - b * (1.0 - sigmoid(s)).ln() + c
            })
        };
        let least = loss(kept, c);
        for (by, to) in [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)] {
            assert!(loss(kept + by, c + to) > least, "{found:?}");
        }
    }
}

#[test]
fn scores_the_wrong_way_round_give_the_mean() {
    let (log_odds, rows) = rows(5000, false, |s| sigmoid(-2.0 * s));
    let mean = rows.iter().map(|r| f64::from(r.0)).sum::<f64>() / 5000.0;
    for method in Method::ALL {
        let found = Calibration::fit(method, &log_odds, &rows).unwrap();
        for s in [-9.0, 0.0, 9.0] {
            assert!(near(found.apply(s), mean, 0.01, 1.0), "{found:?}: {}", found.apply(s));
        }
    }
}

#[test]
fn scores_that_say_all_or_nothing_have_a_calibration() {
    let outcomes: Outcomes = (0..40).map(|row| (f32::from(row >= 20), 1.0)).collect();
    let sets: [fn(usize) -> f64; 5] = [
        |row| if row < 20 { -1.0 } else { 1.0 },
        |row| row as f64 / 10.0 - 2.0,
        |_| 0.7,
        |row| if row < 20 { -1e30 } else { 1e30 },
        |row| if row % 2 == 0 { -1e4 } else { 1e4 },
    ];
    for (number, set) in sets.iter().enumerate() {
        let log_odds: Vec<f64> = (0..40).map(set).collect();
        for method in Method::ALL {
            let found = Calibration::fit(method, &log_odds, &outcomes).unwrap();
            let p: Vec<f64> = log_odds.iter().map(|&s| found.apply(s)).collect();
            assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{number} {found:?}");
            let loss = Binary::measure(&p, outcomes.labels(), None, 0.5).unwrap().log_loss;
            let limit = if matches!(number, 2 | 4) { 0.6932 } else { 0.2 };
            assert!(loss < limit, "{number} {found:?}: {loss}");
            // It does not claim more than 20 rows of a class can tell.
            if number == 0 {
                assert!(p[0] > 1.0 / 200.0 && p[39] < 1.0 - 1.0 / 200.0, "{number} {found:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_calibrated_is_refused() {
    let (log_odds, good) = rows(300, false, sigmoid);
    let fit = |log_odds: &[f64], rows: &Outcomes| {
        Method::ALL.map(|method| Calibration::fit(method, log_odds, rows).unwrap_err())[2]
            .to_string()
    };
    let one_class: Outcomes = good.iter().map(|_| (1.0, 1.0)).collect();
    let said = fit(&log_odds, &one_class);
    assert!(
        said.contains("0 negative rows") && said.contains("rows with more of each class"),
        "{said}"
    );
    let mut positives = 0;
    let few = good.iter().map(|(y, _)| {
        positives += usize::from(y == 1.0);
        (y, f32::from(y == 0.0 || positives < 10))
    });
    let said = fit(&log_odds, &few.collect());
    assert!(said.contains("9 positive rows"), "{said}");
    assert!(fit(&log_odds[1..], &good).contains("do not match"));
    for wild in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut log_odds = log_odds.clone();
        log_odds[7] = wild;
        assert!(fit(&log_odds, &good).contains("row 8 is not finite"));
    }
    let negative: Outcomes = good.iter().map(|(y, _)| (y, -1.0)).collect();
    assert!(matches!(
        Calibration::fit(Method::Beta, &log_odds, &negative),
        Err(Error::Data { .. })
    ));
}

proptest! {
    /// Whatever the rows: probabilities, which never fall as the score rises, and a mean of the calibrated
    /// ones that is that of the labels but for the smoothing.
    #[test]
    fn every_calibration_rises(
        rows in prop::collection::vec((-12.0f64..12.0, any::<bool>(), 0u8..4), 60..200),
        shift in -6.0f64..6.0,
    ) {
        let log_odds: Vec<f64> = rows.iter().map(|row| row.0 + shift).collect();
        let outcomes: Outcomes =
            rows.iter().map(|row| (f32::from(row.1), f32::from(row.2) / 2.0)).collect();
        let of = |class: f32| outcomes.iter().filter(|r| r.0 == class && r.1 > 0.0).count();
        prop_assume!(of(0.0) >= 10 && of(1.0) >= 10);
        for method in Method::ALL {
            let found = Calibration::fit(method, &log_odds, &outcomes).unwrap();
            let mut all: Vec<f64> = (-200..200).map(|s| f64::from(s) / 9.0).collect();
            all.extend(&log_odds);
            all.sort_by(f64::total_cmp);
            let p: Vec<f64> = all.iter().map(|&s| found.apply(s)).collect();
            prop_assert!(p.is_sorted(), "{found:?}");
            prop_assert!(p.iter().all(|&p| p > 0.0 && p < 1.0), "{found:?}");
            prop_assert!(found.apply(f64::NAN).is_nan());
            let (mut predicted, mut observed, mut total) = (0.0, 0.0, 0.0);
            for (s, (y, w)) in log_odds.iter().zip(outcomes.iter()) {
                predicted += f64::from(w) * found.apply(*s);
                observed += f64::from(w * y);
                total += f64::from(w);
            }
            prop_assert!((predicted - observed).abs() < 2.0 + 0.01 * total, "{found:?}");
        }
    }
}
