//! A calibration is a part of the model: kept in its file, applied to whatever it predicts, replaced by
//! another one, and refused where it cannot be.

use crate::common;
use crate::common::container::{joined, parts};
use crate::common::{
    bytes, folder, mixed, model, near, numbered, plain_config, refusal, trained, write,
};
use pairloom::calibration::{Calibrated, Calibration, Method};
use pairloom::config::Config;
use pairloom::fit::{FitEvent, Stop};
use pairloom::input;
use pairloom::loss::Loss;
use pairloom::parallel::Threads;
use pairloom::predict::{EvaluateOptions, Evaluated};
use pairloom::reading::OnError;
use pairloom::schema::Hints;
use pairloom::train::{Event, Job, SchemaSource};
use pairloom::{Error, Model, Result};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

fn job(folder: &TempDir, calibrate: Option<Method>) -> Job {
    let data = write(folder, "rows.csv", mixed(900));
    common::job(&data, &Config { calibrate, ..plain_config() })
}

/// Other rows than those of training.
fn held_out() -> String {
    let all = mixed(1500);
    let (head, rows) = all.split_once('\n').unwrap();
    head.to_string() + "\n" + &rows.lines().skip(900).collect::<Vec<_>>().join("\n")
}

fn calibrate(model: &mut Model, method: Method) -> Result<Calibrated> {
    let mut reader = input::from_bytes("held", held_out().as_bytes(), &<_>::default()).unwrap();
    let threads = Threads::new(1).unwrap();
    model.calibrate(method, &mut *reader, "held", OnError::Stop, &threads).map(|found| found.0)
}

fn evaluate(model: &Model) -> Evaluated {
    let mut reader = input::from_bytes("held", held_out().as_bytes(), &<_>::default()).unwrap();
    let threads = Threads::new(1).unwrap();
    model.evaluate(&mut *reader, "held", &EvaluateOptions::default(), &threads).unwrap()
}

#[test]
fn a_calibrated_model_is_saved_and_predicts_calibrated() {
    let folder = folder();
    let plain = model(&job(&folder, None));
    let raw = evaluate(&plain);
    for method in Method::ALL {
        let mut model = model(&job(&folder, None));
        let found = calibrate(&mut model, method).unwrap();
        let calibration = model.calibration.clone().unwrap();
        assert_eq!(calibration.method(), method);
        let path = common::path(&folder, "calibrated");
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert_eq!(loaded.calibration, model.calibration, "to the last bit");
        assert_eq!(bytes(&loaded), fs::read(&path).unwrap());
        let calibrated = evaluate(&loaded);
        assert_eq!(json!(calibrated.metrics), json!(found.after));
        assert_eq!(json!(raw.metrics), json!(found.before));
        assert!(found.after.log_loss < found.before.log_loss, "{found:?}");
        for (before, after) in raw.predictions.iter().zip(&calibrated.predictions) {
            let expected = calibration.apply((before / (1.0 - before)).ln());
            assert!(near(*after, expected, 1e-9, 1.0), "{method:?} {before}: {after} {expected}");
        }
    }
}

#[test]
fn a_new_calibration_takes_the_place_of_the_old_one() {
    let folder = folder();
    let mut twice = model(&job(&folder, None));
    let mut once = model(&job(&folder, None));
    calibrate(&mut twice, Method::Isotonic).unwrap();
    let second = calibrate(&mut twice, Method::Beta).unwrap();
    let only = calibrate(&mut once, Method::Beta).unwrap();
    assert_eq!(second, only, "both begin with what the model itself says");
    assert_eq!(twice.calibration, once.calibration);
}

#[test]
fn training_calibrates_on_the_validation_rows() {
    let folder = folder();
    for method in Method::ALL {
        let trained = trained(&job(&folder, Some(method)));
        let (model, found) =
            (trained.model.as_ref().unwrap(), trained.calibrated.as_ref().unwrap());
        assert_eq!(model.calibration.as_ref().map(Calibration::method), Some(method));
        let kept = model.kept_epoch().unwrap().valid.as_ref().unwrap();
        assert_eq!(json!(kept), json!(found.before), "figures of epochs are those before");
        let plain = common::model(&job(&folder, None));
        assert_eq!(plain.history, model.history);
        assert!(plain.calibration.is_none());
        let (p, rows) = trained.predictions(&Threads::new(1).unwrap()).unwrap();
        let valid = common::held(trained.valid);
        assert_eq!(p, model.predict(&valid, &Threads::new(1).unwrap()));
        assert_eq!(rows, valid.outcomes().collect());
    }
}

#[test]
fn what_cannot_be_calibrated_is_said_before_the_work() {
    let folder = folder();
    let mut none = job(&folder, Some(Method::Platt));
    none.config.valid_fraction = Some(0.0);
    let said = refusal(&none);
    assert!(said.contains("calibrate (--calibrate) learns from validation rows"), "{said}");
    let mut few = job(&folder, Some(Method::Platt));
    few.config.valid_fraction = Some(0.01);
    let mut began = false;
    let error = pairloom::train::train(&few, &mut |event| {
        began |= matches!(event, pairloom::train::Event::Start(_));
        true
    });
    let said = error.unwrap_err().to_string();
    assert!(
        said.contains("rows.csv: ")
            && said.contains(" positive validation rows, and calibrating takes 10")
            && !began,
        "{said}"
    );
    let numbers = write(&folder, "numbers.csv", numbered(200));
    let mut number = model(&common::job(&numbers, &plain_config()));
    let error = calibrate(&mut number, Method::Platt).unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error}");
    let mut model = model(&job(&folder, None));
    let text: String = mixed(900).lines().take(12).map(|line| format!("{line}\n")).collect();
    let mut reader = input::from_bytes("few", text.as_bytes(), &<_>::default()).unwrap();
    let threads = Threads::new(1).unwrap();
    let error = model.calibrate(Method::Platt, &mut *reader, "few", OnError::Stop, &threads);
    let said = error.unwrap_err().to_string();
    assert!(said.starts_with("few: ") && said.contains("calibrating takes 10 at least"), "{said}");
    assert!(model.calibration.is_none());
}

#[test]
fn an_average_has_no_calibration() {
    let folder = folder();
    let models = [Some(Method::Platt), Some(Method::Beta)].map(|how| {
        let mut job = job(&folder, how);
        job.valid = Some(job.data.clone());
        model(&job)
    });
    let average = Model::average(&[("one", &models[0]), ("two", &models[1])]).unwrap();
    assert!(average.calibration.is_none() && average.config.calibrate.is_none());
    let plain = {
        let mut job = job(&folder, None);
        job.valid = Some(job.data.clone());
        model(&job)
    };
    let (raw, mean) = (evaluate(&plain).predictions, evaluate(&average).predictions);
    assert!(raw.iter().zip(mean).all(|(a, b)| near(*a, b, 1e-5, 1.0)), "the scores' mean");
    let mut sampled = job(&folder, None);
    sampled.valid = Some(sampled.data.clone());
    sampled.config.negative_rate = 0.5;
    let error = Model::average(&[("one", &plain), ("two", &model(&sampled))]).unwrap_err();
    assert!(error.to_string().starts_with("two: it has another rate of negatives"), "{error}");
}

#[test]
fn calibrations_that_are_none_are_refused() {
    let folder = folder();
    let path = common::path(&folder, "hostile");
    let (header, document, data) = parts(&bytes(&model(&job(&folder, Some(Method::Isotonic)))));
    let load = |calibration: Value| {
        let mut document = document.clone();
        document["document"]["calibration"] = calibration;
        fs::write(&path, joined(header.clone(), &document, &data)).unwrap();
        Model::load(&path)
    };
    let isotonic = |knots: Value, values: Value| json!({ "method": "isotonic", "knots": knots, "values": values });
    let platt = |slope: f64| json!({ "method": "platt", "slope": slope, "intercept": 0.5 });
    let sound = [
        Value::Null,
        platt(1e308),
        json!({ "method": "beta", "a": 1e308, "b": 0.0, "c": -1e308 }),
        isotonic(json!([0.5]), json!([0.5])),
        isotonic(json!([0.0, 1e-300, 1.0]), json!([1e-9, 0.5, 0.5])),
    ];
    for calibration in sound {
        let model = load(calibration.clone()).unwrap();
        let p = evaluate(&model).predictions;
        assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{calibration}");
    }
    let damaged = [
        platt(-1.0),
        json!({ "method": "beta", "a": 1.0, "b": -0.1, "c": 0.0 }),
        isotonic(json!([]), json!([])),
        isotonic(json!([0.1, 0.2]), json!([0.1])),
        isotonic(json!([0.2, 0.1]), json!([0.1, 0.2])),
        isotonic(json!([0.1, 0.1]), json!([0.1, 0.2])),
        isotonic(json!([0.1, 0.2]), json!([0.2, 0.1])),
        isotonic(json!([0.1, 1.2]), json!([0.1, 0.2])),
        isotonic(json!([0.1, 0.2]), json!([0.0, 0.2])),
        isotonic(json!([0.1, 0.2]), json!([0.1, 1.0])),
    ];
    for calibration in damaged {
        let error = load(calibration.clone()).unwrap_err().to_string();
        assert!(error.ends_with("its calibration is damaged"), "{calibration}: {error}");
    }
    for other in [json!({ "method": "venn" }), json!({ "method": "platt", "slope": 1.0 }), json!(3)]
    {
        assert!(matches!(load(other), Err(Error::ModelFile { .. })));
    }
    let numbers = write(&folder, "numbers.csv", numbered(200));
    let (header, mut document, data) =
        parts(&bytes(&model(&common::job(&numbers, &plain_config()))));
    document["document"]["calibration"] = platt(1.0);
    fs::write(&path, joined(header, &document, &data)).unwrap();
    let error = Model::load(&path).unwrap_err().to_string();
    assert!(error.contains("it has a calibration and predicts no probability"), "{error}");
    // Of two classes, but ranked: what it predicts is a score.
    let mut ranked = job(&folder, None);
    ranked.config.loss = Some(Loss::Bpr);
    let hints = Hints { group: Some("a".into()), positive: Some("1".into()), ..Hints::default() };
    ranked.schema = SchemaSource::Infer(hints);
    let mut ranked = model(&ranked);
    assert!(ranked.encoding.target.is_binary());
    let said = calibrate(&mut ranked, Method::Platt).unwrap_err().to_string();
    assert!(said.contains("probability of one of two classes (--loss logistic)"), "{said}");
    let (header, mut document, data) = parts(&bytes(&ranked));
    document["document"]["calibration"] = platt(1.0);
    fs::write(&path, joined(header, &document, &data)).unwrap();
    let error = Model::load(&path).unwrap_err().to_string();
    assert!(error.contains("it has a calibration and predicts no probability"), "{error}");
}

/// A run that goes on later is not done: its model has no calibration, which is fitted to the last one.
#[test]
fn an_interrupted_run_is_not_calibrated() {
    let folder = folder();
    let mut epochs = 0;
    let stopped = pairloom::train::train(&job(&folder, Some(Method::Platt)), &mut |event| {
        epochs += usize::from(matches!(event, Event::Fit(FitEvent::Epoch(_))));
        epochs < 2
    });
    let stopped = stopped.unwrap();
    assert_eq!(stopped.stop, Stop::Interrupted);
    assert!(stopped.calibrated.is_none() && stopped.model.unwrap().calibration.is_none());
}

#[test]
fn files_without_a_calibration_are_as_they_were() {
    let folder = folder();
    let path = common::path(&folder, "old");
    let (header, mut document, data) = parts(&bytes(&model(&job(&folder, None))));
    assert!(document["document"].get("calibration").is_none());
    let config = document["document"]["config"].as_object_mut().unwrap();
    assert!(config.remove("calibrate").is_some() && config.remove("negative_rate").is_some());
    fs::write(&path, joined(header, &document, &data)).unwrap();
    let old = Model::load(&path).unwrap();
    assert_eq!((old.config.negative_rate, old.config.calibrate), (1.0, None));
    assert_eq!(evaluate(&old).predictions, evaluate(&model(&job(&folder, None))).predictions);
}
