//! The metrics against scikit-learn (`data/metrics.json`, made by `data/make_metrics.py`), against
//! a plain twin, and against the laws they must obey.

use pairloom::Error;
use pairloom::batch::Outcomes;
use pairloom::loss::Loss;
use pairloom::metric::{
    Binary, Bootstrap, CALIBRATION_BINS, Constant, Measure, Metrics, Regression, calibration,
    histogram, predicted_actual, roc_curve, score_histogram,
};
use pairloom::parallel::Threads;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    name: String,
    score: Vec<f64>,
    truth: Vec<f32>,
    sample_weight: Option<Vec<f32>>,
    expected: Metrics,
    #[serde(default)]
    roc: Option<Vec<(f64, f64)>>,
    #[serde(default)]
    calibration: Vec<[f64; 5]>,
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("data/metrics.json")).unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    }
}

impl Golden {
    fn weight(&self) -> Option<&[f32]> {
        self.sample_weight.as_deref()
    }

    fn measure(&self) -> Metrics {
        match &self.expected {
            Metrics::Binary(b) => Metrics::Binary(
                Binary::measure(&self.score, &self.truth, self.weight(), b.threshold).unwrap(),
            ),
            Metrics::Regression(_) => Metrics::Regression(
                Regression::measure(&self.score, &self.truth, self.weight()).unwrap(),
            ),
            // They have tests of their own, also beside scikit-learn in `tests/python`.
            Metrics::Ranking(_) | Metrics::Classes(_) => panic!("{}", self.name),
        }
    }
}

#[test]
fn every_figure_equals_scikit_learn() {
    let sets = golden();
    assert!(sets.len() > 12);
    for set in &sets {
        let measured = set.measure();
        assert_eq!(measured.iter().count(), set.expected.iter().count());
        for ((name, got), (_, expected)) in measured.iter().zip(set.expected.iter()) {
            assert!(same(got, expected), "{}: {name} {got:?}, not {expected:?}", set.name);
        }
        assert!(near(measured.loss(), set.expected.loss()));
    }
}

#[test]
fn roc_curve_and_calibration_equal_scikit_learn_and_numpy() {
    for set in golden().iter().filter(|set| matches!(set.expected, Metrics::Binary(_))) {
        let points = roc_curve(&set.score, &set.truth, set.weight(), 10_000).unwrap();
        let expected = set.roc.as_deref().unwrap_or_default();
        assert_eq!(points.len(), expected.len(), "{}", set.name);
        for (a, b) in points.iter().zip(expected) {
            assert!(near(a.0, b.0) && near(a.1, b.1), "{}: {a:?}, not {b:?}", set.name);
        }
        let bins = calibration(&set.score, &set.truth, set.weight(), CALIBRATION_BINS).unwrap();
        assert_eq!(bins.len(), set.calibration.len(), "{}", set.name);
        for (a, b) in bins.iter().zip(&set.calibration) {
            let a = [a.lower, a.upper, a.mean_probability, a.positive_rate, a.weight];
            assert!(a.iter().zip(b).all(|(a, b)| near(*a, *b)), "{}: {a:?}, not {b:?}", set.name);
        }
    }
}

#[test]
fn json_is_flat_and_comes_back_equal() {
    for set in golden() {
        let metrics = set.measure();
        let text = serde_json::to_string(&metrics).unwrap();
        assert_eq!(serde_json::from_str::<Metrics>(&text).unwrap(), metrics);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        let mut names: Vec<_> = metrics.iter().map(|pair| pair.0.to_string()).collect();
        keys.sort();
        names.sort();
        assert_eq!(keys, names);
    }
}

#[test]
fn bad_input_is_an_error_and_never_nan() {
    let binary = |p: &[f64], y: &[f32], w: Option<&[f32]>| Binary::measure(p, y, w, 0.5);
    assert!(matches!(binary(&[], &[], None), Err(Error::Data { .. })));
    assert!(matches!(binary(&[0.5], &[1.0], Some(&[0.0])), Err(Error::Data { .. })));
    assert!(matches!(binary(&[0.5], &[1.0], Some(&[-1.0])), Err(Error::Data { .. })));
    assert!(matches!(binary(&[0.5], &[1.0], Some(&[f32::NAN])), Err(Error::Data { .. })));
    assert!(matches!(binary(&[0.5], &[0.5], None), Err(Error::Data { .. })));
    assert!(matches!(binary(&[1.5], &[1.0], None), Err(Error::Data { .. })));
    assert!(matches!(binary(&[f64::NAN], &[1.0], None), Err(Error::Diverged(_))));
    assert!(matches!(binary(&[0.5, 0.5], &[1.0], None), Err(Error::Usage(_))));
    assert!(matches!(binary(&[0.5], &[1.0], Some(&[1.0, 1.0])), Err(Error::Usage(_))));
    assert!(matches!(Binary::measure(&[0.5], &[1.0], None, f64::NAN), Err(Error::Usage(_))));
    assert!(matches!(Regression::measure(&[1e200], &[1.0], None), Err(Error::Diverged(_))));
    assert!(matches!(Regression::measure(&[1.0], &[f32::INFINITY], None), Err(Error::Data { .. })));
    assert!(matches!(histogram(&[1.0], None, (2.0, 2.0), 3), Err(Error::Usage(_))));
    assert!(matches!(calibration(&[0.5], &[1.0], None, 0), Err(Error::Usage(_))));
    let error = binary(&[0.5, 0.5], &[1.0, 3.0], None).unwrap_err().to_string();
    assert_eq!(error, "evaluation: row 2: label 3 is neither 0 nor 1");
}

#[test]
fn the_largest_allowed_values_stay_finite() {
    let tiny = f32::from_bits(1);
    let m = Regression::measure(&[1e60, -1e60], &[tiny, 0.0], Some(&[tiny, f32::MAX])).unwrap();
    assert!(m.rmse.is_finite() && m.mae.is_finite() && m.r2.unwrap().is_finite());
}

#[test]
fn histograms_put_edges_and_outliers_into_a_bin() {
    let values = [-9.0, 0.0, 0.49, 0.5, 1.0, 9.0];
    assert_eq!(histogram(&values, None, (0.0, 1.0), 2).unwrap(), [3.0, 3.0]);
    let weight = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    assert_eq!(histogram(&values, Some(&weight), (0.0, 1.0), 2).unwrap(), [7.0, 56.0]);
    assert_eq!(histogram(&[], None, (0.0, 1.0), 2).unwrap(), [0.0, 0.0]);
    let classes = score_histogram(&[0.1, 0.9, 0.8], &[0.0, 1.0, 0.0], None, (0.0, 1.0), 2).unwrap();
    assert_eq!(classes, [vec![1.0, 1.0], vec![0.0, 1.0]]);
}

#[test]
fn predicted_against_actual_bins_hold_equal_weight() {
    let prediction: Vec<f64> = (0..100).rev().map(f64::from).collect();
    let target: Vec<f32> = prediction.iter().map(|&p| 2.0 * p as f32).collect();
    let bins = predicted_actual(&prediction, &target, None, 10).unwrap();
    assert_eq!(bins.len(), 10);
    for (index, bin) in bins.iter().enumerate() {
        assert_eq!(bin.weight, 10.0);
        assert_eq!((bin.lower, bin.upper), (10.0 * index as f64, 10.0 * index as f64 + 9.0));
        assert!(near(bin.mean_prediction, 10.0 * index as f64 + 4.5));
        assert!(near(bin.mean_target, 2.0 * bin.mean_prediction));
    }
    assert_eq!(predicted_actual(&[4.0; 7], &[1.0; 7], None, 3).unwrap().len(), 1);
}

/// Area under the curve by its definition: every pair of a positive and a negative row.
fn plain_auc(rows: &[(f64, bool, f32)]) -> Option<f64> {
    let (mut right, mut pairs) = (0.0, 0.0);
    for a in rows.iter().filter(|row| row.1) {
        for b in rows.iter().filter(|row| !row.1) {
            let weight = f64::from(a.2) * f64::from(b.2);
            pairs += weight;
            right += weight * if a.0 > b.0 { 1.0 } else { f64::from(u8::from(a.0 == b.0)) / 2.0 };
        }
    }
    (pairs > 0.0).then(|| right / pairs)
}

fn measure(rows: &[(f64, bool, f32)]) -> Binary {
    let (p, y, w) = columns(rows);
    Binary::measure(&p, &y, Some(&w), 0.5).unwrap()
}

fn columns(rows: &[(f64, bool, f32)]) -> (Vec<f64>, Vec<f32>, Vec<f32>) {
    (
        rows.iter().map(|row| row.0).collect(),
        rows.iter().map(|row| f32::from(u8::from(row.1))).collect(),
        rows.iter().map(|row| row.2).collect(),
    )
}

fn equal_but_rows(a: &Binary, b: &Binary) -> bool {
    let figures = |m: &Binary| Metrics::Binary(m.clone()).iter().collect::<Vec<_>>();
    figures(a).iter().zip(figures(b)).all(|(a, b)| a.0 == "rows" || same(a.1, b.1))
}

/// Rows with many ties and many weights of zero; the first always has weight.
fn some_rows() -> impl Strategy<Value = Vec<(f64, bool, f32)>> {
    let score = prop_oneof![(0u8..=10).prop_map(|s| f64::from(s) / 10.0), 0.0..=1.0];
    let weight = prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..4.0];
    prop::collection::vec((score, any::<bool>(), weight), 1..60).prop_map(|mut rows| {
        rows[0].2 += 1.0;
        rows
    })
}

proptest! {
    #[test]
    fn auc_equals_its_plain_twin(rows in some_rows()) {
        prop_assert!(same(measure(&rows).auc, plain_auc(&rows)));
    }

    #[test]
    fn auc_sees_only_the_order(rows in some_rows()) {
        // Halving is exact, so ties stay ties and nothing else becomes one.
        let scaled: Vec<_> = rows.iter().map(|r| (0.5 * r.0, r.1, r.2)).collect();
        prop_assert_eq!(measure(&rows).auc, measure(&scaled).auc);
    }

    #[test]
    fn auc_does_not_depend_on_the_order_of_the_rows(rows in some_rows()) {
        let reversed: Vec<_> = rows.iter().rev().copied().collect();
        prop_assert_eq!(measure(&rows).auc, measure(&reversed).auc);
    }

    #[test]
    fn weight_two_is_the_row_twice_and_weight_zero_none(rows in some_rows()) {
        let doubled: Vec<_> = rows.iter().map(|r| (r.0, r.1, 2.0 * r.2)).collect();
        let mut twice = rows.clone();
        twice.extend_from_slice(&rows);
        prop_assert!(equal_but_rows(&measure(&doubled), &measure(&twice)));
        let counted: Vec<_> = rows.iter().copied().filter(|r| r.2 > 0.0).collect();
        prop_assert!(equal_but_rows(&measure(&rows), &measure(&counted)));
    }

    #[test]
    fn a_thinned_curve_keeps_its_shape(rows in some_rows(), points in 2usize..30) {
        let (p, y, w) = columns(&rows);
        let curve = roc_curve(&p, &y, Some(&w), points).unwrap();
        let full = roc_curve(&p, &y, Some(&w), 1000).unwrap();
        prop_assert!(curve.len() <= points);
        if let Some(auc) = measure(&rows).auc {
            prop_assert_eq!((curve[0], curve[curve.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
            prop_assert!(curve.windows(2).all(|p| p[0].0 <= p[1].0 && p[0].1 <= p[1].1));
            let area = |curve: &[(f64, f64)]| -> f64 {
                curve.windows(2).map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0).sum()
            };
            prop_assert!(near(area(&full), auc));
            let bound = 2.0 / (points - 1) as f64;
            prop_assert!((area(&curve) - auc).abs() <= 2.0 * bound);
        }
    }
}

#[test]
fn a_constant_prediction_is_what_the_figures_are_relative_to() {
    let (p, y) = ([0.2, 0.9, 0.4, 0.6], [0.0, 1.0, 0.0, 1.0]);
    for weight in [None, Some(&[1.0, 2.0, 0.0, 0.5][..])] {
        let of = |row: usize| (y[row], weight.map_or(1.0, |weight| weight[row]));
        let outcomes = || (0..y.len()).map(of);
        let constant = Constant::measure(outcomes(), true).unwrap();
        let metrics = Binary::measure(&p, &y, weight, 0.5).unwrap();
        let relative = metrics.log_loss / constant.loss;
        assert!((metrics.normalized_entropy.unwrap() - relative).abs() < 1e-12);
        assert_eq!(constant.mean, if weight.is_none() { 0.5 } else { 2.5 / 3.5 });
        let constant = Constant::measure(outcomes(), false).unwrap();
        let metrics = Regression::measure(&p, &y, weight).unwrap();
        let relative = (metrics.rmse / constant.loss).powi(2);
        assert!((metrics.r2.unwrap() - (1.0 - relative)).abs() < 1e-12);
    }
    for bad in [&[(1.0, 0.0); 4][..], &[], &[(1.0, -1.0)], &[(1.0, 1.0), (1.0, f32::NAN)]] {
        assert!(Constant::measure(bad.iter().copied(), false).is_err());
    }
}

/// Intervals of means are those that their standard error gives.
#[test]
fn intervals_are_as_wide_as_standard_errors_say() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(8);
    let (mut rows, mut predictions) = (Outcomes::default(), Vec::new());
    for _ in 0..4000 {
        let p = random.random_range(0.05..0.6);
        predictions.push(p);
        rows.push(f32::from(u8::from(random.random_range(0.0..1.0) < p)), 1.0);
    }
    let threads = |n| Threads::new(n).unwrap();
    let bootstrap = Bootstrap::default();
    let of = |bootstrap: Bootstrap, n| {
        bootstrap
            .intervals(&Measure::new(Loss::Logistic, 1.0), &predictions, &rows, &threads(n))
            .unwrap()
    };
    let found = of(bootstrap, 1);
    assert_eq!(of(bootstrap, 3), found, "threads");
    let squares: Vec<f64> =
        predictions.iter().zip(rows.labels()).map(|(p, &y)| (p - f64::from(y)).powi(2)).collect();
    let mean = squares.iter().sum::<f64>() / 4000.0;
    let variance = squares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 4000.0;
    for (level, errors) in [(0.95, 1.96), (0.8, 1.2816)] {
        let all = of(Bootstrap { level, ..bootstrap }, 2);
        let brier = all.iter().find(|(name, _)| *name == "brier_score").unwrap().1.unwrap();
        let half = errors * (variance / 4000.0).sqrt();
        for (end, expected) in brier.into_iter().zip([mean - half, mean + half]) {
            // A thousand samples know an end within a tenth of the half.
            assert!((end - expected).abs() < 0.2 * half, "{brier:?} {mean} {half}");
        }
    }
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    assert!(names.contains(&"auc") && !names.contains(&"weight"));
    for level in [0.0, 1.0, f64::NAN] {
        let bad = Bootstrap { level, ..bootstrap };
        assert!(
            bad.intervals(&Measure::new(Loss::Logistic, 1.0), &predictions, &rows, &threads(1))
                .is_err()
        );
    }
    // One row is in some samples, and then always the same.
    let one: Outcomes = [(1.0, 1.0)].into_iter().collect();
    let all =
        bootstrap.intervals(&Measure::new(Loss::Logistic, 1.0), &[0.5], &one, &threads(1)).unwrap();
    let ln2 = 2f64.ln();
    assert_eq!(all[0], ("log_loss", Some([ln2; 2])));
    assert_eq!(all.iter().find(|(name, _)| *name == "auc"), Some(&("auc", None)));
}
