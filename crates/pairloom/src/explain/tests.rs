//! Importance against recomputations that are written out: columns are exchanged in the text of a file, and what
//! pairs add comes from the explanation of each row.

use super::found::Worse;
use super::permute::{Exchanged, Permuting};
use super::sample::Sampled;
use super::*;
use crate::batch::Outcomes;
use crate::input::from_bytes;
use crate::interaction::Kind;
use crate::loss::Loss;
use crate::metric::{Measure, Metrics};
use crate::model::Model;
use crate::parallel::Threads;
use crate::predict::{EvaluateOptions, PredictOptions};
use crate::reading::OnError;
use crate::train::{Job, train};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const ROWS: usize = 240;

/// Rows whose label follows `a` and the product of `s` and `t`, and not `noise`.
fn cells(several: bool) -> Vec<Vec<String>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    let row = |_| {
        let [s, t, noise] = [2, 2, 4].map(|count| random.random_range(0..count));
        let a: f64 = random.random_range(-1.0..1.0);
        let score = 2.0 * a + if s == t { 2.0 } else { -2.0 } + random.random_range(-1.0..1.0);
        let label = match several {
            true => ["low", "middle", "high"][((score + 2.5) / 2.0).clamp(0.0, 2.0) as usize],
            false => ["no", "yes"][usize::from(score > 0.0)],
        };
        [label.into(), format!("{a:.4}"), format!("s{s}"), format!("t{t}"), format!("n{noise}")]
            .to_vec()
    };
    (0..ROWS).map(row).collect()
}

fn text(rows: &[Vec<String>]) -> String {
    let lines: String = rows.iter().map(|row| row.join(",") + "\n").collect();
    format!("label,a,s,t,noise\n{lines}")
}

fn model(kind: Kind, several: bool) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv").to_str().unwrap().to_string();
    std::fs::write(&path, text(&cells(several))).unwrap();
    let mut job = Job::new(&path);
    job.config.model = kind;
    job.config.loss = several.then_some(Loss::Softmax);
    (job.config.factors, job.config.epochs, job.config.valid_fraction) = (Some(4), 15, Some(0.0));
    (job.threads, job.config.l2_factors) = (1, Some(1.0));
    train(&job, &mut |_| true).unwrap().model.unwrap()
}

fn importance(model: &Model, options: &ImportanceOptions, threads: usize) -> Importance {
    let several = model.outputs() > 1;
    let mut reader = from_bytes("rows.csv", text(&cells(several)), &Default::default()).unwrap();
    let threads = Threads::new(threads).unwrap();
    model.importance(&mut *reader, "rows.csv", options, &threads, &mut || true).unwrap()
}

fn sampled(model: &Model) -> Sampled {
    let rows = text(&cells(model.outputs() > 1));
    let mut reader = from_bytes("rows.csv", rows, &Default::default()).unwrap();
    Sampled::read(model, &mut *reader, "rows.csv", (None, 0, OnError::Stop)).unwrap()
}

/// Log loss and AUC of rows of text.
fn measured(model: &Model, rows: &[Vec<String>]) -> [f64; 2] {
    let mut reader = from_bytes("rows.csv", text(rows), &Default::default()).unwrap();
    let (options, threads) = (EvaluateOptions::default(), Threads::new(1).unwrap());
    figures(&model.evaluate(&mut *reader, "rows.csv", &options, &threads).unwrap().metrics)
}

fn figures(metrics: &Metrics) -> [f64; 2] {
    let named = |wanted| metrics.iter().find(|(name, _)| *name == wanted).unwrap().1.unwrap();
    ["log_loss", "auc"].map(named)
}

fn near(found: Worse, expected: Worse) -> bool {
    // Scores of exchanged rows are summed in 32 bits.
    (found.mean - expected.mean).abs() < 1e-6 && (found.deviation - expected.deviation).abs() < 1e-6
}

fn worse(before: [f64; 2], after: &[[f64; 2]]) -> [Worse; 2] {
    let losses: Vec<f64> = after.iter().map(|after| after[0] - before[0]).collect();
    let areas: Vec<f64> = after.iter().map(|after| before[1] - after[1]).collect();
    [losses, areas].map(|found| {
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let squares: f64 = found.iter().map(|x| (x - mean).powi(2)).sum();
        Worse { mean, deviation: (squares / (found.len() as f64 - 1.0)).sqrt() }
    })
}

/// Every model but `mf`, which takes two columns.
const KINDS: [Kind; 4] = [Kind::Fm, Kind::Ffm, Kind::Fwfm, Kind::Hofm];

#[test]
fn exchanging_a_column_is_exchanging_its_cells_in_the_file() {
    for (kind, several) in KINDS.map(|kind| (kind, false)).into_iter().chain([(Kind::Fm, true)]) {
        let (model, options) = (model(kind, several), ImportanceOptions::default());
        let found = importance(&model, &ImportanceOptions { repeats: 3, ..options }, 2);
        let (sampled, threads) = (sampled(&model), Threads::new(1).unwrap());
        let permuting = Permuting::new(&model, &sampled, (3, 0), &threads).unwrap();
        let rows = cells(several);
        let before = measured(&model, &rows);
        for of in &found.fields {
            let exchanged = |repeat: usize| {
                let order = permuting.order(Exchanged::Field(of.field), repeat);
                let mut changed = rows.clone();
                for (row, &other) in changed.iter_mut().zip(&order) {
                    row[of.field + 1] = rows[other][of.field + 1].clone();
                }
                measured(&model, &changed)
            };
            let [loss, area] = worse(before, &[0, 1, 2].map(exchanged));
            assert!(near(of.loss, loss), "{kind:?} {}: {:?} {loss:?}", of.field, of.loss);
            assert!(near(of.quality.unwrap(), area), "{kind:?} {}", of.field);
        }
    }
}

#[test]
fn exchanging_a_pair_is_exchanging_what_explanations_say_that_it_adds() {
    for kind in KINDS {
        let model = model(kind, false);
        let found = importance(&model, &ImportanceOptions { repeats: 2, ..Default::default() }, 1);
        let (sampled, threads) = (sampled(&model), Threads::new(1).unwrap());
        let permuting = Permuting::new(&model, &sampled, (2, 0), &threads).unwrap();
        let explained: Vec<Explanation> =
            (0..ROWS).map(|row| model.explain(sampled.rows.row(row), None).unwrap()).collect();
        let measure = Measure::new(Loss::Logistic, 1.0);
        let before = figures(&permuting.metrics);
        assert_eq!(found.pairs.len(), 6, "{kind:?}");
        for of in &found.pairs {
            let adds = |row: usize| {
                let by_field = explained[row].by_field(&model.encoding);
                let pair = by_field.pairs.iter().find(|pair| pair.fields == of.fields);
                pair.map_or(0.0, |pair| pair.contribution)
            };
            let exchanged = |repeat: usize| {
                let order = permuting.order(Exchanged::Pair(of.fields), repeat);
                let score = |(row, &other): (usize, &usize)| {
                    f64::from(explained[row].score) - adds(row) + adds(other)
                };
                let scores = order.iter().enumerate().map(score);
                let predictions: Vec<f64> = scores.map(|s| 1.0 / (1.0 + (-s).exp())).collect();
                figures(&measure.measure(&predictions, &sampled.outcomes).unwrap())
            };
            let [loss, area] = worse(before, &[0, 1].map(exchanged));
            assert!(near(of.loss.unwrap(), loss), "{kind:?} {:?}", of.fields);
            assert!(near(of.quality.unwrap(), area), "{kind:?} {:?}", of.fields);
            let mean = (0..ROWS).map(|row| adds(row).abs()).sum::<f64>() / ROWS as f64;
            assert!((of.weight - mean).abs() < 1e-9, "{kind:?} {:?}", of.fields);
        }
    }
}

#[test]
fn what_fields_and_values_add_is_the_mean_over_explanations() {
    let (model, options) = (model(Kind::Fm, false), ImportanceOptions::default());
    let found = importance(&model, &ImportanceOptions { top: 1000, ..options }, 1);
    let sampled = sampled(&model);
    let explained: Vec<Explanation> =
        (0..ROWS).map(|row| model.explain(sampled.rows.row(row), None).unwrap()).collect();
    let mean =
        |of: &dyn Fn(&Explanation) -> f64| explained.iter().map(of).sum::<f64>() / ROWS as f64;
    for of in &found.fields {
        let parts = |explanation: &Explanation| {
            let ByField { fields, pairs } = explanation.by_field(&model.encoding);
            let own = fields.iter().find(|part| part.field == of.field).unwrap().contribution();
            let mine = pairs.iter().filter(|pair| pair.fields.contains(&of.field));
            (own, mine.map(|pair| pair.contribution).sum::<f64>())
        };
        let own = mean(&|explanation| parts(explanation).0.abs());
        let pairs = mean(&|explanation| parts(explanation).1.abs());
        let all = |explanation: &Explanation| parts(explanation).0 + parts(explanation).1;
        let spread = (mean(&|e| all(e).powi(2)) - mean(&all).powi(2)).sqrt();
        for (found, expected) in [(of.own, own), (of.pairs, pairs), (of.spread, spread)] {
            assert!((found - expected).abs() < 1e-9, "{}: {found} {expected}", of.field);
        }
    }
    for of in &found.values {
        let pair = |explanation: &&Explanation| {
            let mut pairs = explanation.pairs.iter();
            let pair = pairs.find(|pair| {
                [pair.ids[0].min(pair.ids[1]), pair.ids[0].max(pair.ids[1])] == of.ids
            });
            pair.map(|pair| pair.contribution)
        };
        let adds: Vec<f64> = explained.iter().filter_map(|e| pair(&e)).collect();
        assert_eq!(adds.len() as u64, of.rows, "{:?}", of.ids);
        let contribution = adds.iter().sum::<f64>() / adds.len() as f64;
        assert!((of.contribution - contribution).abs() < 1e-9, "{:?}", of.ids);
    }
    assert!(found.values.is_sorted_by(|a, b| a.weight >= b.weight));
}

#[test]
fn what_was_planted_is_important_and_noise_is_not() {
    let (model, options) = (model(Kind::Fm, false), ImportanceOptions::default());
    let found = importance(&model, &options, 2);
    let of = |field: usize| found.fields.iter().find(|of| of.field == field).unwrap();
    let [a, s, t, noise] = [0, 1, 2, 3].map(of);
    for planted in [a, s, t] {
        assert!(planted.loss.mean > 0.04, "{planted:?}");
        assert!(planted.quality.unwrap().mean > 0.02, "{planted:?}");
    }
    assert!(noise.loss.mean.abs() < 0.02 && noise.spread < s.spread / 2.0, "{noise:?}");
    // The label follows the product of `s` and `t`, and neither alone.
    let first = found.pairs[0];
    assert_eq!(first.fields, [1, 2]);
    assert!(first.loss.unwrap().mean > 0.1, "{first:?}");
    assert!(found.pairs[1..].iter().all(|of| of.loss.unwrap().mean < 0.05));
}

#[test]
fn threads_change_nothing_and_seeds_and_samples_do() {
    for several in [false, true] {
        let model = model(Kind::Fm, several);
        let options = ImportanceOptions { rows: Some(100), repeats: 2, ..Default::default() };
        let one = importance(&model, &options, 1);
        let three = importance(&model, &options, 3);
        assert_eq!((one.rows, one.of), (100, ROWS as u64));
        assert_eq!(one.fields, three.fields);
        assert_eq!((&one.pairs, &one.values), (&three.pairs, &three.values));
        let other = importance(&model, &ImportanceOptions { seed: 1, ..options }, 1);
        assert_ne!(one.fields, other.fields);
    }
}

#[test]
fn of_classes_nothing_is_made_of_what_all_have() {
    let mut model = model(Kind::Fm, true);
    let options = ImportanceOptions { repeats: 2, ..Default::default() };
    let before = importance(&model, &options, 1);
    // The same number for the scores of all classes changes no probability.
    let first = model.encoding.fields[1].offset;
    let classes = model.weights.classes() as u32;
    for row in first * classes..(first + 3) * classes {
        model.weights.linear.vector_mut(row)[0] += 5.0;
    }
    let after = importance(&model, &options, 1);
    let of = |found: &Importance| found.fields.iter().find(|of| of.field == 1).unwrap().own;
    assert!((of(&before) - of(&after)).abs() < 1e-5, "{} {}", of(&before), of(&after));
}

#[test]
fn all_parts_add_up_to_the_score_that_is_predicted() {
    let threads = Threads::new(1).unwrap();
    for (kind, several) in KINDS.map(|kind| (kind, false)).into_iter().chain([(Kind::Fm, true)]) {
        let model = model(kind, several);
        let rows = text(&cells(several));
        let mut reader = from_bytes("rows.csv", rows, &Default::default()).unwrap();
        let (mut scores, mut predictions) = (Vec::new(), Vec::new());
        let options = PredictOptions::default();
        let taken = model.predict_rows(&mut *reader, "rows.csv", &options, &threads, |piece| {
            scores.extend_from_slice(&piece.scores);
            predictions.extend_from_slice(&piece.predictions);
            Ok(())
        });
        taken.unwrap();
        let (sampled, outputs) = (sampled(&model), model.outputs());
        for (at, &score) in scores.iter().enumerate() {
            let class = several.then_some(at % outputs);
            let row = sampled.rows.row(at / outputs);
            let explanation = model.explain(row, class).unwrap();
            assert_eq!(explanation.score.to_bits(), score.to_bits(), "{kind:?}");
            assert!((explanation.steps.prediction - predictions[at]).abs() < 1e-12, "{kind:?}");
            let by_field = explanation.by_field(&model.encoding);
            let fields: f64 = by_field.fields.iter().map(FieldPart::contribution).sum();
            let pairs: f64 = by_field.pairs.iter().map(|pair| pair.contribution).sum();
            let products: f64 = explanation.products.iter().map(|part| part.1).sum();
            let all = explanation.bias + fields + pairs + products + explanation.rounding;
            assert!((all - f64::from(score)).abs() < 1e-12, "{kind:?}: {all} {score}");
        }
        let outcomes: Outcomes = sampled.rows.outcomes().collect();
        assert_eq!(outcomes.len(), ROWS);
    }
}
