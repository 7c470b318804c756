//! Training on a sample of the negatives, and correcting for it, is as good as training on all rows.

use crate::common;
use crate::common::{bytes, folder, model, near, random, refusal, trained, write};
use pairloom::batch::Outcomes;
use pairloom::calibration::Method;
use pairloom::config::Config;
use pairloom::encode::ClassWeight;
use pairloom::loss::Loss;
use pairloom::metric::Binary;
use pairloom::parallel::Threads;
use pairloom::predict::PredictOptions;
use pairloom::reading::OnError;
use pairloom::train::Job;
use pairloom::{Model, input};
use rand::RngExt;

const RATE: f64 = 0.1;

/// Rows of three columns, with a label drawn with a probability that is known.
struct Log {
    text: String,
    truth: Vec<f64>,
    labels: Outcomes,
}

/// A log of so many rows, of whose negatives a share was kept.
fn log(rows: usize, seed: u64, rate: f64) -> Log {
    let mut random = random(seed);
    let mut log = Log { text: "label,a,b,c\n".into(), truth: vec![], labels: Outcomes::default() };
    for _ in 0..rows {
        let [a, b, c] = [4, 6, 5].map(|n| random.random_range(0..n));
        let main = f64::from(a) * 0.5 - f64::from(b) * 0.3 - 3.0;
        let pair = if (a + b + c) % 2 == 0 { 0.5 } else { -0.5 };
        let p = 1.0 / (1.0 + (-main - pair).exp());
        let label = u8::from(random.random::<f64>() < p);
        if label == 1 || random.random::<f64>() < rate {
            log.text += &format!("{label},a{a},b{b},c{c}\n");
            log.truth.push(p);
            log.labels.push(f32::from(label), 1.0);
        }
    }
    log
}

fn job(data: &str, negative_rate: f64, calibrate: Option<Method>) -> Job {
    let config = Config { negative_rate, calibrate, epochs: 15, ..Config::default() };
    Job { threads: 1, config, ..Job::new(data) }
}

fn predictions(model: &Model, text: &str) -> Vec<f64> {
    let mut reader = input::from_bytes("test", text.as_bytes(), &<_>::default()).unwrap();
    let (mut all, threads) = (Vec::new(), Threads::new(1).unwrap());
    let take = |piece: &pairloom::predict::Piece| {
        all.extend_from_slice(&piece.predictions);
        Ok(())
    };
    model.predict_rows(&mut *reader, "test", &PredictOptions::default(), &threads, take).unwrap();
    all
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

#[test]
fn corrected_probabilities_are_those_of_all_rows() {
    let folder = folder();
    let test = log(50_000, 2, 1.0);
    let (whole, sample) = (log(50_000, 1, 1.0), log(50_000, 1, RATE));
    assert!(sample.truth.len() * 4 < whole.truth.len());
    let [whole, sample] = [("whole.csv", whole), ("sample.csv", sample)]
        .map(|(name, log)| write(&folder, name, log.text));
    let measured = |model: &Model| {
        let p = predictions(model, &test.text);
        let away: Vec<f64> =
            p.iter().zip(&test.truth).map(|(p, truth)| (p - truth).abs()).collect();
        let figures = Binary::measure(&p, test.labels.labels(), None, 0.5).unwrap();
        (mean(&p), mean(&away), figures)
    };
    let truth = mean(&test.truth);
    let (_, all_away, all) = measured(&model(&job(&whole, 1.0, None)));
    let (raw_mean, _, raw) = measured(&model(&job(&sample, 1.0, None)));
    assert!(raw_mean > 3.0 * truth && raw.log_loss > 1.3 * all.log_loss, "{raw_mean} {raw:?}");
    let trained = [None, Some(Method::Platt), Some(Method::Beta)];
    let mut models: Vec<Model> =
        trained.into_iter().map(|how| model(&job(&sample, RATE, how))).collect();
    // Steps need more rows than training holds out of a sample: rows that are not sampled.
    let held_out = log(50_000, 3, 1.0).text;
    for method in Method::ALL {
        let mut model = model(&job(&sample, RATE, None));
        let mut reader = input::from_bytes("held", held_out.as_bytes(), &<_>::default()).unwrap();
        let threads = Threads::new(1).unwrap();
        model.calibrate(method, &mut *reader, "held", OnError::Stop, &threads).unwrap();
        models.push(model);
    }
    for model in models {
        let (how, (mean, away, figures)) = (&model.calibration, measured(&model));
        assert!(near(mean, truth, 0.06, truth), "{how:?}: {mean} {truth}");
        assert!(away < all_away + 0.012, "{how:?}: {away} {all_away}");
        let worse = figures.log_loss / all.log_loss;
        assert!(worse < 1.01, "{how:?}: {figures:?} {all:?}");
        assert!(figures.expected_calibration_error < 0.012, "{how:?}: {figures:?}");
    }
}

#[test]
fn the_correction_is_that_of_the_paper_and_changes_nothing_else() {
    let folder = folder();
    let (sample, test) = (log(5000, 1, RATE), log(500, 2, 1.0));
    let data = write(&folder, "sample.csv", sample.text);
    let (plain, corrected) = (trained(&job(&data, 1.0, None)), trained(&job(&data, RATE, None)));
    let [before, after] = [&plain, &corrected]
        .map(|trained| predictions(trained.model.as_ref().unwrap(), &test.text));
    for (p, q) in before.iter().zip(after) {
        assert!(near(q, p / (p + (1.0 - p) / RATE), 1e-12, 1.0), "{p} {q}");
    }
    let [plain_model, model] = [&plain, &corrected].map(|t| t.model.as_ref().unwrap());
    assert_eq!(plain_model.history, model.history, "figures of epochs are those of the sample");
    assert_eq!(plain_model.weights.linear.floats(), model.weights.linear.floats());
    // Where what the model predicts is measured, a negative stands for ten.
    let threads = Threads::new(1).unwrap();
    let (_, stands_for) = corrected.predictions(&threads).unwrap();
    let (_, rows) = plain.predictions(&threads).unwrap();
    for ((y, w), (label, weight)) in rows.iter().zip(stands_for.iter()) {
        assert_eq!((label, weight), (y, if y == 0.0 { 10.0 * w } else { w }));
    }
    let loaded = {
        let path = common::path(&folder, "model");
        model.save(&path).unwrap();
        Model::load(&path).unwrap()
    };
    assert_eq!(predictions(&loaded, &test.text), predictions(model, &test.text));
    assert_eq!(bytes(&loaded), bytes(model));
}

#[test]
fn a_calibration_takes_back_the_weights_of_classes() {
    let folder = folder();
    let test = log(50_000, 2, 1.0);
    let data = write(&folder, "whole.csv", log(50_000, 1, 1.0).text);
    for weights in [ClassWeight::Balanced, ClassWeight::Each(vec![("1".into(), 20.0)])] {
        let mut job = job(&data, 1.0, None);
        job.config.class_weight = Some(weights);
        let weighted = mean(&predictions(&model(&job), &test.text));
        job.config.calibrate = Some(Method::Platt);
        let trained = trained(&job);
        let calibrated = mean(&predictions(trained.model.as_ref().unwrap(), &test.text));
        let truth = mean(&test.truth);
        assert!(weighted > 3.0 * truth && near(calibrated, truth, 0.08, truth), "{calibrated}");
        let found = trained.calibrated.as_ref().unwrap();
        assert!(found.after.log_loss < found.before.log_loss);
        // These are the rows themselves again, to the last bits of a float.
        let (p, rows) = trained.predictions(&Threads::new(1).unwrap()).unwrap();
        assert!(rows.iter().all(|(_, weight)| near(weight.into(), 1.0, 1e-6, 1.0)));
        let again = Binary::measure(&p, rows.labels(), rows.weights(), 0.5).unwrap();
        assert!(near(again.log_loss, found.after.log_loss, 1e-9, 1.0));
    }
}

#[test]
fn rates_that_are_none_are_refused() {
    let folder = folder();
    let data = write(&folder, "rows.csv", common::numbered(300));
    // A negative stands for one over the rate, which is a weight in 32 bits.
    for rate in [0.0, -0.5, 1.5, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 9e-31] {
        let said = refusal(&job(&data, rate, None));
        assert!(said.contains("negative_rate (--negative-rate) must be at least 1e-30"), "{said}");
    }
    let said = refusal(&job(&data, 0.5, None));
    assert!(
        said.contains("(--negative-rate) is for the probability of one of two classes"),
        "{said}"
    );
    let said = refusal(&job(&data, 1.0, Some(Method::Beta)));
    assert!(
        said.contains("calibrate (--calibrate) is for the probability of one of two classes"),
        "{said}"
    );
    for (rate, calibrate) in [(0.5, None), (1.0, Some(Method::Platt))] {
        let mut job = job(&data, rate, calibrate);
        job.config.loss = Some(Loss::Squared);
        assert!(refusal(&job).contains("without --loss logistic"));
    }
}
