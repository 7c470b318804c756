//! The figures of several classes against their definitions, written down again without any cleverness, and
//! the laws that they must obey. Beside scikit-learn they are in `tests/python`.

use crate::common::random;
use pairloom::Error;
use pairloom::batch::Outcomes;
use pairloom::loss::Loss;
use pairloom::metric::{
    Binary, Bootstrap, Classes, Constant, Measure, Metrics, of_classes, predicted_class, top_class,
};
use pairloom::parallel::Threads;
use rand::{Rng, RngExt};

/// Rows of probabilities, their classes and weights.
struct Sample {
    probability: Vec<f64>,
    label: Vec<f32>,
    weight: Vec<f32>,
    classes: usize,
}

/// Rows of which probabilities know a little; of the last class there is none if it is `missing`.
fn sample(rows: usize, classes: usize, missing: bool, random: &mut impl Rng) -> Sample {
    let (mut probability, mut label, mut weight) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let class = random.random_range(0..classes - usize::from(missing));
        let score = |at: usize, random: &mut dyn FnMut() -> f64| {
            // A few steps, so that some are tied.
            ((4.0 * random()).round() / 2.0 + f64::from(u8::from(at == class))).exp()
        };
        let scores: Vec<f64> =
            (0..classes).map(|at| score(at, &mut || random.random::<f64>())).collect();
        let sum: f64 = scores.iter().sum();
        probability.extend(scores.iter().map(|score| score / sum));
        label.push(class as f32);
        weight.push([0.0, 0.5, 1.0, 3.0][random.random_range(0..4)]);
    }
    Sample { probability, label, weight, classes }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

impl Sample {
    fn rows(&self) -> impl Iterator<Item = (&[f64], usize, f64)> {
        let rows = self.probability.chunks(self.classes).zip(&self.label).zip(&self.weight);
        rows.map(|((p, &y), &w)| (p, y as usize, f64::from(w)))
    }

    fn measure(&self) -> Classes {
        Classes::measure(&self.probability, &self.label, Some(&self.weight)).unwrap()
    }

    /// The weighted share of pairs of a row of the class and another that are in the right order.
    fn area(&self, class: usize) -> Option<f64> {
        let (mut right, mut all) = (0.0, 0.0);
        for (p, y, w) in self.rows().filter(|(_, y, _)| *y == class) {
            for (q, z, v) in self.rows().filter(|(_, z, _)| *z != y) {
                all += w * v;
                right += w
                    * v
                    * [0.0, 0.5, 1.0]
                        [usize::from(p[class] >= q[class]) + usize::from(p[class] > q[class])];
                assert_ne!(z, class);
            }
        }
        (all > 0.0).then(|| right / all)
    }

    /// Weight of the rows for which something is.
    fn of(&self, is: impl Fn(&[f64], usize) -> bool) -> f64 {
        self.rows().filter(|(p, y, _)| is(p, *y)).map(|(_, _, w)| w).sum()
    }
}

#[test]
fn figures_are_their_definitions() {
    let mut random = random(4);
    for (classes, missing) in [(2, false), (3, false), (5, true), (7, false)] {
        let sample = sample(80, classes, missing, &mut random);
        let (found, total) = (sample.measure(), sample.of(|_, _| true));
        let mean = |f: &dyn Fn(&[f64], usize) -> f64| {
            sample.rows().map(|(p, y, w)| w * f(p, y)).sum::<f64>() / total
        };
        assert!(near(found.log_loss, mean(&|p, y| -p[y].ln())));
        let accuracy = mean(&|p, y| f64::from(predicted_class(p) == y));
        assert!(near(found.accuracy, accuracy) && accuracy > 1.0 / classes as f64);
        let square = |p: &[f64], y: usize| {
            (0..classes).map(|c| (p[c] - f64::from(c == y)).powi(2)).sum::<f64>()
        };
        assert!(near(found.brier_score, mean(&square)));
        let areas: Vec<f64> = (0..classes).filter_map(|class| sample.area(class)).collect();
        assert_eq!(areas.len(), classes - usize::from(missing));
        assert!(near(found.auc.unwrap(), areas.iter().sum::<f64>() / areas.len() as f64));
        let shares = (0..classes).map(|class| sample.of(|_, y| y == class) / total);
        let entropy: f64 = shares.filter(|s| *s > 0.0).map(|s| -s * s.ln()).sum();
        assert!(near(found.normalized_entropy.unwrap(), found.log_loss / entropy));
        let bin = |p: &[f64]| ((p[predicted_class(p)] * 15.0) as usize).min(14);
        let gap = |at: usize| {
            let (mut sure, mut right) = (0.0, 0.0);
            for (p, y, w) in sample.rows().filter(|(p, ..)| bin(p) == at) {
                sure += w * p[predicted_class(p)];
                right += w * f64::from(predicted_class(p) == y);
            }
            f64::abs(sure - right) / total
        };
        assert!(near(found.expected_calibration_error, (0..15).map(gap).sum()));
        let each = of_classes(&sample.probability, &sample.label, Some(&sample.weight)).unwrap();
        let (mut recalls, mut f1s) = (Vec::new(), Vec::new());
        for (class, figures) in each.iter().enumerate() {
            let hits = sample.of(|p, y| y == class && predicted_class(p) == class);
            let (rows, predicted) =
                (sample.of(|_, y| y == class), sample.of(|p, _| predicted_class(p) == class));
            assert_eq!(figures.weight, rows);
            assert!(figures.precision.is_none_or(|x| near(x, hits / predicted)));
            assert_eq!(figures.recall.is_none(), rows == 0.0);
            recalls.extend(figures.recall.inspect(|x| assert!(near(*x, hits / rows))));
            f1s.extend(figures.f1.inspect(|x| assert!(near(*x, 2.0 * hits / (rows + predicted)))));
        }
        let mean = |figures: &[f64]| figures.iter().sum::<f64>() / figures.len() as f64;
        assert!(near(found.balanced_accuracy, mean(&recalls)) && near(found.macro_f1, mean(&f1s)));
    }
}

#[test]
fn weights_are_repetitions() {
    let sample = sample(120, 4, false, &mut random(9));
    let (mut probability, mut label) = (Vec::new(), Vec::new());
    for (p, y, w) in sample.rows() {
        // Weights are halves.
        for _ in 0..(2.0 * w) as usize {
            probability.extend_from_slice(p);
            label.push(y as f32);
        }
    }
    let repeated = Metrics::Classes(Classes::measure(&probability, &label, None).unwrap());
    let weighted = Metrics::Classes(sample.measure());
    for ((name, one), (_, other)) in repeated.iter().zip(weighted.iter()) {
        let (one, other) = (one.unwrap(), other.unwrap());
        assert!(name == "rows" || near(one, other * if name == "weight" { 2.0 } else { 1.0 }));
    }
}

#[test]
fn two_classes_have_the_figures_of_one_probability() {
    let mut sample = sample(200, 2, false, &mut random(2));
    // So that what is tied is tied on both sides.
    for p in sample.probability.chunks_mut(2) {
        p[1] = (64.0 * p[1]).round() / 64.0;
        p[0] = 1.0 - p[1];
    }
    let positive: Vec<f64> = sample.probability.chunks(2).map(|p| p[1]).collect();
    let one = Binary::measure(&positive, &sample.label, Some(&sample.weight), 0.5).unwrap();
    let two = sample.measure();
    assert!(near(two.log_loss, one.log_loss) && near(two.auc.unwrap(), one.auc.unwrap()));
    assert!(near(two.brier_score, 2.0 * one.brier_score));
    assert!(near(two.normalized_entropy.unwrap(), one.normalized_entropy.unwrap()));
    let rows: Outcomes = sample.label.iter().copied().zip(sample.weight.iter().copied()).collect();
    let [constant, of_classes] = [
        Constant::measure(rows.iter(), true).unwrap(),
        Constant::of_classes(rows.iter(), 2).unwrap(),
    ];
    assert!(near(of_classes.loss, constant.loss));
    assert!(near(of_classes.mean, constant.mean.max(1.0 - constant.mean)));
}

#[test]
fn the_first_of_the_greatest_probabilities_is_predicted() {
    assert_eq!(predicted_class(&[0.2, 0.4, 0.4]), 1);
    assert_eq!(predicted_class(&[0.5, 0.5]), 0);
    let (top, right) = top_class(&[0.2, 0.4, 0.4, 0.9, 0.05, 0.05], &[2.0, 0.0]);
    assert_eq!((top, right), (vec![0.4, 0.9], vec![0.0, 1.0]));
}

#[test]
fn what_cannot_be_measured_is_an_error() {
    let measure = |p: &[f64], y: &[f32], w: Option<&[f32]>| Classes::measure(p, y, w).unwrap_err();
    let good = [0.2, 0.3, 0.5, 0.6, 0.2, 0.2];
    assert!(matches!(measure(&good, &[0.0, 3.0], None), Error::Data { .. }));
    assert!(matches!(measure(&good, &[0.0, 0.5], None), Error::Data { .. }));
    assert!(matches!(measure(&good, &[0.0, -1.0], None), Error::Data { .. }));
    assert!(matches!(measure(&good, &[0.0, 1.0], Some(&[0.0, 0.0])), Error::Data { .. }));
    assert!(matches!(measure(&good, &[0.0, 1.0], Some(&[1.0])), Error::Usage(_)));
    assert!(matches!(measure(&good[..5], &[0.0, 1.0], None), Error::Usage(_)));
    assert!(matches!(measure(&[], &[], None), Error::Data { .. }));
    assert!(matches!(measure(&[f64::NAN, 0.5], &[0.0], None), Error::Diverged(_)));
    assert!(matches!(measure(&[1.5, -0.5], &[0.0], None), Error::Data { .. }));
    // One class alone has no area and no entropy.
    let one = Classes::measure(&good, &[1.0, 1.0], None).unwrap();
    assert_eq!((one.auc, one.normalized_entropy), (None, None));
}

#[test]
fn intervals_hold_the_figures() {
    let sample = sample(300, 3, false, &mut random(6));
    let rows: Outcomes = sample.label.iter().copied().zip(sample.weight.iter().copied()).collect();
    let bootstrap = Bootstrap { samples: 200, ..Bootstrap::default() };
    let threads = Threads::new(2).unwrap();
    let found = bootstrap
        .intervals(&Measure::new(Loss::Softmax, 1.0), &sample.probability, &rows, &threads)
        .unwrap();
    let metrics = Metrics::Classes(sample.measure());
    assert_eq!(found.len() + 2, metrics.iter().count());
    for (name, ends) in found {
        let [from, to] = ends.unwrap();
        let figure = metrics.iter().find(|(of, _)| *of == name).unwrap().1.unwrap();
        // Gaps of bins are only ever made greater by chance.
        let inside = from <= figure && figure <= to || name == "expected_calibration_error";
        assert!(from < to && inside, "{name}: {figure} {from} {to}");
    }
}
