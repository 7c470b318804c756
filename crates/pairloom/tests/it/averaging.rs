//! The average of models scores as the mean of their scores; and which models have none.

use crate::common;
use crate::common::{folder, near, random, write};
use pairloom::config::Config;
use pairloom::interaction::Kind;
use pairloom::model::Model;
use pairloom::parallel::Threads;
use pairloom::precision::Precision;
use pairloom::train::{Job, train};
use rand::RngExt;
use std::fmt::Write as _;
use tempfile::TempDir;

/// A file of numbers that depend on all columns together.
fn file(folder: &TempDir, name: &str, columns: usize) -> String {
    let (mut random, mut text) = (random(11), String::from("label"));
    (0..columns).for_each(|column| write!(text, ",c{column}").unwrap());
    for _ in 0..300 {
        let values: Vec<u32> = (0..columns).map(|_| random.random_range(0..5)).collect();
        let label: u32 = values.iter().map(|value| value % 2).product();
        write!(text, "\n{}", f64::from(label) + random.random_range(-0.2..0.2)).unwrap();
        values.iter().for_each(|value| write!(text, ",v{value}").unwrap());
    }
    write(folder, name, text)
}

/// Models of two to four factors.
fn models(job: &Job) -> Vec<Model> {
    let trained = |seed: u64| {
        let mut job = job.clone();
        // Linear models of any seed end alike, but not after a few steps of another size.
        let learning_rate = Some([0.003, 0.02, 0.1][seed as usize]);
        let factors = Some(2 + seed as usize);
        job.config = Config { seed, factors, learning_rate, ..job.config };
        train(&job, &mut |_| true).unwrap().model.unwrap()
    };
    (0..3).map(trained).collect()
}

/// One without factors.
fn linear(job: &Job) -> Model {
    let mut job = job.clone();
    job.config.factors = Some(0);
    train(&job, &mut |_| true).unwrap().model.unwrap()
}

fn named(models: &[Model]) -> Vec<(&str, &Model)> {
    ["one", "two", "three"].into_iter().zip(models).collect()
}

fn job(data: String, kind: Kind) -> Job {
    let mut job = Job::new(&data);
    job.valid = Some(data);
    job.config.model = kind;
    job.config = Config { epochs: 4, init_stdev: Some(0.5), l2_factors: Some(0.1), ..job.config };
    job
}

#[test]
fn an_average_scores_as_the_mean() {
    let folder = folder();
    let [two, four] = [2, 4].map(|columns| file(&folder, &format!("{columns}.csv"), columns));
    for kind in [Kind::Linear, Kind::Mf, Kind::Fm, Kind::Ffm, Kind::Hofm] {
        for (precision, lower_orders) in [(Precision::F32, true), (Precision::Bf16, false)] {
            let mut job = job(if kind == Kind::Mf { two.clone() } else { four.clone() }, kind);
            (job.config.precision, job.config.lower_orders) = (precision, lower_orders);
            (job.config.order, job.config.linear) = (4, lower_orders || kind == Kind::Linear);
            let (models, threads) = (models(&job), Threads::new(1).unwrap());
            let rows = train(&job, &mut |_| true).unwrap().valid;
            let predictions = |model: &Model| {
                rows.predictions(|rows| Ok(model.predict(rows, &threads))).unwrap().0
            };
            let all: Vec<Vec<f64>> = models.iter().map(predictions).collect();
            let average = Model::average(&named(&models)).unwrap();
            let factors = if kind == Kind::Linear { 0 } else { 9 };
            assert_eq!(average.config.factors, Some(factors));
            let path = common::path(&folder, "average");
            average.save(&path).unwrap();
            let loaded = predictions(&Model::load(&path).unwrap());
            assert_eq!(loaded, predictions(&average));
            // Bfloat16 keeps 8 bits of what was divided.
            let close = if precision == Precision::F32 { 1e-5 } else { 2e-2 };
            for (row, found) in loaded.into_iter().enumerate() {
                let mean = all.iter().map(|of| of[row]).sum::<f64>() / 3.0;
                assert!(near(found, mean, close, 1.0), "{kind:?} {row}: {found} {mean}");
            }
            let apart = (0..300).filter(|&row| (all[0][row] - all[1][row]).abs() > 0.01).count();
            assert!(apart > 10, "{kind:?}: the models are all alike");
        }
    }
}

#[test]
fn a_model_without_factors_and_one_that_was_loaded_are_models_too() {
    let folder = folder();
    let (data, path) = (file(&folder, "rows.csv", 4), common::path(&folder, "model"));
    for kind in [Kind::Fm, Kind::Ffm, Kind::Hofm] {
        let job = job(data.clone(), kind);
        let (plain, other) = (linear(&job), models(&job).remove(2));
        other.save(&path).unwrap();
        let all = [plain, Model::load(&path).unwrap()];
        let average = Model::average(&named(&all)).unwrap();
        let (rows, threads) = (train(&job, &mut |_| true).unwrap().valid, Threads::new(1).unwrap());
        let predictions =
            |model: &Model| rows.predictions(|rows| Ok(model.predict(rows, &threads))).unwrap().0;
        let means = predictions(&all[0]).into_iter().zip(predictions(&all[1]));
        for ((one, two), found) in means.zip(predictions(&average)) {
            assert!(near(found, (one + two) / 2.0, 1e-5, 1.0), "{kind:?}: {found} {one} {two}");
        }
    }
}

#[test]
fn models_that_do_not_go_together_are_named() {
    let folder = folder();
    let [data, other] = [("a.csv", 4), ("b.csv", 3)].map(|(name, n)| file(&folder, name, n));
    let error = |models: &[Model]| Model::average(&named(models)).unwrap_err().to_string();
    let of = |job: &Job| models(job).remove(0);
    for kind in [Kind::Fwfm, Kind::Dplr, Kind::Fmfm] {
        let said = error(&models(&job(data.clone(), kind)));
        assert!(said.starts_with("one: the mean of several") && said.contains("hofm"), "{said}");
        let linear = error(&[linear(&job(data.clone(), kind)), of(&job(data.clone(), kind))]);
        assert!(linear.starts_with("two: the mean of several"), "{linear}");
    }
    let mut held_out = job(data.clone(), Kind::Fm);
    held_out.valid = None;
    let unlike = [
        (job(data.clone(), Kind::Hofm), "another model"),
        (job(other, Kind::Fm), "other columns"),
        (held_out, "other values"),
    ];
    for (unlike, said) in unlike {
        let error = error(&[of(&job(data.clone(), Kind::Fm)), of(&unlike)]);
        assert!(error.starts_with(&format!("two: it has {said}")), "{error}");
        assert!(error.contains("--valid"), "{error}");
    }
    assert!(Model::average(&[]).is_err());
}
