//! Whole training runs: the same model from the same seed whatever carries the rows, what is held
//! out, early stopping, weights, divergence, what cannot be learned from, and going on from a
//! checkpoint to the same bits.

#![allow(clippy::unwrap_used)]

mod common;

use common::{
    bytes, clicks, folder, job, mean_loss, model, near, path, plain_config, refusal, small_clicks,
    trained, write,
};
use pairloom::batch::Rows;
use pairloom::config::Config;
use pairloom::fit::{Checkpoints, FitEvent, Stop, measure};
use pairloom::input;
use pairloom::loss::Loss;
use pairloom::metric::Metrics;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::OnError;
use pairloom::schema::{Hints, Role};
use pairloom::synth::SynthConfig;
use pairloom::train::{Event, Job, SchemaSource, Trained, train};
use pairloom::{Error, Model};
use std::fs;
use std::io::Write;
use std::time::Duration;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

/// A CSV of a label, two categorical columns and a numeric one, all plain text.
fn mixed(rows: usize) -> String {
    let line = |i: usize| {
        let (a, b, n) = (i * 7 % 11, i * i % 13, (i * 37 % 101) as f64 / 8.0);
        format!("{},a{a},b{b},{n}\n", u8::from((a + b) % 3 == 0))
    };
    format!("label,a,b,n\n{}", (0..rows).map(line).collect::<String>())
}

#[test]
fn the_same_seed_gives_the_same_bytes_again_and_with_any_number_of_threads() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(1500));
    for optimizer in Optimizer::ALL {
        let config = Config { optimizer, learning_rate: Some(0.02), ..plain_config() };
        let job = job(&data, &config);
        let expected = bytes(&model(&job));
        for threads in [1, 2, 4] {
            let again = bytes(&model(&Job { threads, ..job.clone() }));
            assert!(again == expected, "{optimizer:?} with {threads} threads");
        }
    }
    for _ in 0..5 {
        assert!(
            bytes(&model(&job(&data, &plain_config())))
                == bytes(&model(&job(&data, &plain_config())))
        );
    }
}

#[test]
fn another_seed_gives_another_model() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(500));
    let numbers = |seed, valid_fraction| {
        let config = Config { seed, valid_fraction, ..plain_config() };
        let model = model(&job(&data, &config));
        model.weights.table.floats().to_vec()
    };
    assert_ne!(numbers(1, 0.2), numbers(2, 0.2));
    assert_ne!(numbers(1, 0.0), numbers(2, 0.0));
}

#[test]
fn what_carries_the_rows_does_not_matter() {
    let folder = folder();
    let text = mixed(600);
    let expected = bytes(&model(&job(&write(&folder, "rows.csv", &text), &plain_config())));
    let bom = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let twins = [
        ("twin.csv.gz", gzip(text.as_bytes())),
        ("twin.csv.zst", zstd(text.as_bytes())),
        ("gzip-of-another-name.csv", gzip(text.as_bytes())),
        ("no-extension", text.clone().into_bytes()),
        ("crlf.csv", text.replace('\n', "\r\n").into_bytes()),
        ("bom.csv", bom.clone()),
        ("bom.csv.gz", gzip(&bom)),
        ("no-final-newline.csv", text.trim_end().as_bytes().to_vec()),
        ("quoted.csv", text.replace("b1,", "\"b1\",").into_bytes()),
        ("empty-lines.csv", text.replace("\n1,", "\n\n1,").into_bytes()),
    ];
    for (name, twin) in twins {
        let found = bytes(&model(&job(&write(&folder, name, twin), &plain_config())));
        assert!(found == expected, "{name}");
    }
}

#[test]
fn sparse_twins_give_the_same_model() {
    let folder = folder();
    let line = |i: usize| {
        let (a, b) = (i * 7 % 11, i * i % 13);
        format!("{} {a}:1 {}:{}\n", u8::from((a + b) % 3 == 0), 100 + b, i % 5)
    };
    let text: String = (0..500).map(line).collect();
    let expected = bytes(&model(&job(&write(&folder, "rows.svm", &text), &plain_config())));
    let twins = [
        ("twin.svm.gz", gzip(text.as_bytes())),
        ("crlf.svm", text.replace('\n', "\r\n").into_bytes()),
        ("no-extension", text.clone().into_bytes()),
        ("no-final-newline.svm", text.trim_end().as_bytes().to_vec()),
        ("comments.svm", text.replace('\n', " # note\n").into_bytes()),
        ("tabs.svm", text.replace(' ', "\t").into_bytes()),
    ];
    for (name, twin) in twins {
        let found = bytes(&model(&job(&write(&folder, name, twin), &plain_config())));
        assert!(found == expected, "{name}");
    }
}

/// A regression file whose label is the row's number, so that held-out rows can be told.
fn numbered(rows: usize) -> String {
    let line = |i: usize| format!("{i},c{},g{}\n", i % 7, i / 10);
    format!("label,c,g\n{}", (0..rows).map(line).collect::<String>())
}

fn held_out(job: &Job) -> Vec<usize> {
    trained(job).valid.labels().iter().map(|&label| label as usize).collect()
}

#[test]
fn a_fraction_is_held_out_at_random() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(500));
    let held = |seed, valid_fraction| {
        held_out(&job(&data, &Config { seed, valid_fraction, ..plain_config() }))
    };
    let some = held(1, 0.25);
    assert_eq!(some.len(), 125);
    assert!(some.is_sorted() && some.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(some != held(2, 0.25) && some == held(1, 0.25));
    // Not a run of neighbours: in the mean of a random draw, half of them lie in either half.
    let first_half = some.iter().filter(|&&row| row < 250).count();
    assert!((40..85).contains(&first_half), "{first_half}");
    assert!(held(1, 0.0).is_empty());
}

#[test]
fn a_tail_is_held_out_in_order() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(200));
    let config = Config { valid_tail: 0.1, valid_fraction: 0.5, ..plain_config() };
    assert_eq!(held_out(&job(&data, &config)), (180..200).collect::<Vec<_>>());
}

#[test]
fn a_file_of_validation_rows_takes_the_place_of_a_fraction() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(200));
    // Another order of columns, one more of them, and a value never seen.
    let valid = "more,c,label\n1,c3,70\n2,never,80\n";
    let valid = Some(write(&folder, "valid.csv", valid));
    let mut job = Job { valid, ..job(&data, &plain_config()) };
    let missing = refusal(&job);
    assert!(missing.contains("valid.csv: column 'g' is missing"), "{missing}");
    job.schema = SchemaSource::Infer(Hints { ignore: vec!["g".into()], ..Hints::default() });
    let Trained { model, valid, .. } = trained(&job);
    let model = model.unwrap();
    assert_eq!(valid.labels(), [70.0, 80.0]);
    assert_eq!(valid.row(1).ids, [0]);
    assert_eq!(model.history[0].valid.as_ref().unwrap().iter().last(), Some(("weight", Some(2.0))));
    let counted = train(&job, &mut |event| {
        if let Event::Start(start) = event {
            assert_eq!((start.train, start.valid), (200, 2));
        }
        true
    });
    counted.unwrap();
    job.valid = Some(path(&folder, "not-there.csv"));
    assert!(refusal(&job).contains("not-there.csv"));
}

#[test]
fn groups_are_held_out_whole() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(600));
    let hints = Hints { group: Some("g".into()), ..Hints::default() };
    let mut job = job(&data, &Config { valid_fraction: 0.3, ..plain_config() });
    job.schema = SchemaSource::Infer(hints);
    let held = held_out(&job);
    // Ten neighbouring rows are a group.
    for group in 0..60 {
        let here = held.iter().filter(|&&row| row / 10 == group).count();
        assert!(here == 0 || here == 10, "group {group}: {here}");
    }
    assert_eq!(held.len(), 180, "18 of 60 groups");
}

/// Metrics of a model on encoded rows.
fn measured(model: &Model, rows: &Rows) -> Metrics {
    let predictions = model.predict(rows, &Threads::new(1).unwrap());
    measure(&model.encoding.target, &predictions, rows, 0.5).unwrap()
}

fn same_metrics(a: &Metrics, b: &Metrics) -> bool {
    let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => near(a, b, 1e-12, 1.0f64.max(a.abs())),
        (a, b) => a == b,
    };
    a.iter().zip(b.iter()).all(|((n, a), (m, b))| n == m && same(a, b))
}

#[test]
fn early_stopping_gives_the_best_epoch_back() {
    let folder = folder();
    let clicks = write(&folder, "clicks.csv", small_clicks(800));
    let numbers = write(&folder, "numbers.csv", {
        let line =
            |i: usize| format!("{},a{},b{}\n", (i * 31 % 17) as f64 / 3.0, i % 23, i * i % 29);
        format!("label,a,b\n{}", (0..500).map(line).collect::<String>())
    });
    for (data, optimizer) in
        [(&clicks, Optimizer::Adagrad), (&clicks, Optimizer::Adam), (&numbers, Optimizer::Adam)]
    {
        let config = Config {
            optimizer,
            learning_rate: Some(0.1),
            factors: 16,
            epochs: 60,
            patience: 3,
            ..plain_config()
        };
        let Trained { model, stop, valid, .. } = trained(&job(data, &config));
        let model = model.unwrap();
        assert_eq!(stop, Stop::NoBetter);
        assert_eq!(model.history.len() as u32, model.epoch + 3);
        let best = &model.history[model.epoch as usize - 1];
        assert_eq!(best.epoch, model.epoch);
        let best = best.valid.as_ref().unwrap();
        let losses = model.history.iter().map(|epoch| epoch.valid.as_ref().unwrap().loss());
        assert_eq!(losses.fold(f64::INFINITY, f64::min), best.loss());
        assert!(same_metrics(&measured(&model, &valid), best));
        // And so it is after a trip through a file, read again as rows to evaluate.
        let saved = path(&folder, "model");
        model.save(&saved).unwrap();
        assert!(same_metrics(&measured(&Model::load(&saved).unwrap(), &valid), best));
    }
}

#[test]
fn without_validation_rows_the_last_epoch_stays() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(300));
    let config = Config { valid_fraction: 0.0, patience: 1, epochs: 6, ..plain_config() };
    let Trained { model, stop, .. } = trained(&job(&data, &config));
    let model = model.unwrap();
    assert_eq!((stop, model.epoch, model.history.len()), (Stop::Finished, 6, 6));
    assert!(model.history.iter().all(|epoch| epoch.valid.is_none()));
    let losses: Vec<f64> = model.history.iter().map(|epoch| epoch.train_loss).collect();
    assert!(losses.is_sorted_by(|a, b| a > b), "{losses:?}");
}

#[test]
fn the_rate_decays_after_each_epoch_that_is_not_better() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(600));
    let config = Config {
        learning_rate: Some(0.4),
        rate_decay: 0.25,
        epochs: 12,
        factors: 8,
        ..plain_config()
    };
    let history = model(&job(&data, &config)).history;
    assert_eq!(history.len(), 12);
    let (mut rate, mut best, mut decays) = (0.4, f64::INFINITY, 0);
    for epoch in history {
        assert_eq!(epoch.learning_rate, rate, "epoch {}", epoch.epoch);
        let loss = epoch.valid.unwrap().loss();
        if loss < best {
            best = loss;
        } else {
            rate *= 0.25;
            decays += 1;
        }
    }
    assert!(decays > 0, "the example never decays");
}

#[test]
fn the_training_loss_of_a_still_model_is_its_loss() {
    // A rate too small to move anything: the loss told for the epoch is the mean loss of the
    // initial model, in nats, or as the mean squared error in squared units of the target.
    let folder = folder();
    let clicks = write(&folder, "clicks.csv", small_clicks(300));
    let numbers = write(&folder, "numbers.csv", numbered(300));
    for (data, unit) in [(&clicks, 1.0), (&numbers, 2.0 * (300f64.powi(2) - 1.0) / 12.0)] {
        let config = Config {
            optimizer: Optimizer::Sgd,
            learning_rate: Some(1e-30),
            valid_fraction: 0.0,
            epochs: 1,
            ..plain_config()
        };
        let model = model(&job(data, &config));
        let again = Job { valid: Some(data.clone()), ..job(data, &config) };
        let rows = trained(&again).valid;
        let expected = unit * mean_loss(&model, &rows);
        assert!(near(model.history[0].train_loss, expected, 1e-6, expected), "{data}");
    }
}

/// A file with weights, and the same with each row repeated as often as its weight says.
fn weighted_and_repeated(rows: usize) -> (String, String) {
    let mut weighted = String::from("label,a,b,w\n");
    let mut repeated = weighted.clone();
    for i in 0..rows {
        let (a, b, w) = (i * 7 % 5, i * i % 11 % 6, i % 3);
        let line = |w| format!("{},a{a},b{b},{w}\n", u8::from((a * b + i) % 3 == 0));
        weighted.push_str(&line(w));
        (0..w).for_each(|_| repeated.push_str(&line(1)));
    }
    (weighted, repeated)
}

fn with_weights(job: Job) -> Job {
    let hints = Hints { weight: Some("w".into()), ..Hints::default() };
    Job { schema: SchemaSource::Infer(hints), ..job }
}

#[test]
fn a_row_of_weight_two_is_the_row_twice_and_one_of_weight_zero_is_none() {
    let folder = folder();
    let (weighted, repeated) = weighted_and_repeated(240);
    let weighted = write(&folder, "weighted.csv", weighted);
    let repeated = write(&folder, "repeated.csv", repeated);
    for loss in Loss::ALL {
        let config = Config {
            optimizer: Optimizer::Sgd,
            learning_rate: Some(0.002),
            loss: Some(loss),
            batch_size: Some(10_000),
            epochs: 20,
            shuffle: false,
            // The order of dictionary ids follows counts, which weights do not change.
            hash_bits: Some(8),
            valid_fraction: 0.0,
            ..plain_config()
        };
        let one = model(&with_weights(job(&weighted, &config)));
        let other = model(&with_weights(job(&repeated, &config)));
        assert!(near(one.weights.bias.into(), other.weights.bias.into(), 1e-6, 1.0));
        let pairs = one.weights.table.floats().iter().zip(other.weights.table.floats());
        for (&a, &b) in pairs {
            assert!(near(a.into(), b.into(), 1e-6, 1.0), "{loss:?}: {a} {b}");
        }
        let rows = |data: &str| {
            let all = Job { valid: Some(data.to_string()), ..job(data, &config) };
            trained(&with_weights(all)).valid
        };
        let (a, b) = (measured(&one, &rows(&weighted)), measured(&one, &rows(&repeated)));
        for ((name, a), (_, b)) in a.iter().zip(b.iter()) {
            let (a, b) = (a.unwrap_or(-1.0), b.unwrap_or(-1.0));
            assert!(name == "rows" || near(a, b, 1e-9, 1.0f64.max(b)), "{loss:?} {name}: {a} {b}");
        }
        let losses = one.history.iter().zip(&other.history);
        assert!(losses.into_iter().all(|(a, b)| near(a.train_loss, b.train_loss, 1e-6, 1.0)));
    }
}

#[test]
fn weights_that_are_all_zero_are_refused() {
    let folder = folder();
    let text = mixed(100).replace("label,a,b,n", "label,a,b,w");
    let line = |line: &str| match line.rsplit_once(',') {
        Some((row, "w")) => format!("{row},w\n"),
        Some((row, _)) => format!("{row},0\n"),
        None => String::new(),
    };
    let zero: String = text.lines().map(line).collect();
    let data = write(&folder, "zero.csv", zero);
    let message = refusal(&with_weights(job(&data, &plain_config())));
    assert_eq!(message, format!("{data}: the weights of all training rows are 0"));
    // Validation rows cannot be measured without weight either, and that is known beforehand.
    let good = write(&folder, "good.csv", text.replace('.', ""));
    let job = Job { valid: Some(data.clone()), ..with_weights(job(&good, &plain_config())) };
    let mut epochs = 0;
    let error = train(&job, &mut |event| {
        epochs += u32::from(matches!(event, Event::Fit(_)));
        true
    });
    let message = format!("{data}: the weights of all validation rows are 0");
    assert_eq!((error.unwrap_err().to_string(), epochs), (message, 0));
}

#[test]
fn a_learning_rate_beyond_reason_ends_in_divergence() {
    let folder = folder();
    let clicks = write(&folder, "clicks.csv", small_clicks(400));
    let numbers = write(&folder, "numbers.csv", numbered(400));
    for data in [&clicks, &numbers] {
        for optimizer in Optimizer::ALL {
            for rate in [1e20, 1e30, 1e38] {
                for (batch_size, valid_fraction) in [(32, 0.2), (1000, 0.2), (32, 0.0)] {
                    let config = Config {
                        optimizer,
                        learning_rate: Some(rate),
                        batch_size: Some(batch_size),
                        valid_fraction,
                        ..plain_config()
                    };
                    let Trained { model, stop, .. } = trained(&job(data, &config));
                    let what = format!("{data} {optimizer:?} {rate} {batch_size} {valid_fraction}");
                    assert!(
                        matches!(stop, Stop::Diverged { rate: r, .. } if r == rate),
                        "{what}: {stop:?}"
                    );
                    if let Some(model) = model {
                        assert!(model.weights.table.is_finite(), "{what}");
                        assert!(model.weights.bias.is_finite(), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_wild_value_names_its_row() {
    let folder = folder();
    let wild = 77; // Counted from 1.
    let line = |i: usize| {
        let x = if i == wild { "1e30" } else { "1" };
        format!("{} {}:{x} {}:1\n", i % 2, i % 9, 20 + i % 7)
    };
    let data = write(&folder, "rows.svm", (1..=200).map(line).collect::<String>());
    for optimizer in Optimizer::ALL {
        let config = Config { optimizer, batch_size: Some(8), ..plain_config() };
        // Wherever the held-out rows lie, and the row is not one of them for these seeds.
        for (seed, valid_fraction, valid_tail) in [(1, 0.0, 0.0), (2, 0.1, 0.0), (3, 0.0, 0.3)] {
            let config = Config { seed, valid_fraction, valid_tail, ..config.clone() };
            let Trained { model, stop, diverged_row, .. } = trained(&job(&data, &config));
            let is_first = matches!(stop, Stop::Diverged { epoch: 1, row: Some(_), .. });
            assert!(is_first, "{optimizer:?} {seed}: {stop:?}");
            assert_eq!(diverged_row, Some(wild), "{optimizer:?} {seed}");
            assert!(model.is_none());
        }
    }
}

#[test]
fn the_last_good_epoch_outlives_a_divergence() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(400));
    // A rate of this size under SGD first helps and then blows up, or blows up at once; either
    // way what is given back is whole.
    for rate in [0.5, 2.0, 8.0, 32.0, 128.0] {
        let config = Config {
            optimizer: Optimizer::Sgd,
            learning_rate: Some(rate),
            batch_size: Some(400),
            epochs: 60,
            init_stdev: Some(0.3),
            valid_fraction: 0.0,
            ..plain_config()
        };
        let Trained { model, stop, .. } = trained(&job(&data, &config));
        if let (Stop::Diverged { epoch, .. }, Some(model)) = (&stop, &model) {
            assert_eq!((model.epoch, model.history.len() as u32), (epoch - 1, epoch - 1));
        }
        if let Some(model) = model {
            assert!(model.weights.table.is_finite() && model.weights.bias.is_finite());
        }
    }
}

#[test]
fn wild_values_never_give_a_model_that_is_not_finite() {
    let folder = folder();
    for x in ["1e30", "-1e30", "3e38", "1e-40", "1e-45", "0", "1e10"] {
        let line = |i: usize| {
            let x = if i % 50 == 7 { x } else { "0.5" };
            format!("{} {}:{x} {}:1\n", i % 2, i % 9, 20 + i % 7)
        };
        let data = write(&folder, "rows.svm", (0..200).map(line).collect::<String>());
        for optimizer in Optimizer::ALL {
            for loss in Loss::ALL {
                for factors in [0, 4] {
                    let config = Config { optimizer, loss: Some(loss), factors, ..plain_config() };
                    let Trained { model, stop, .. } = trained(&job(&data, &config));
                    let what = format!("{x} {optimizer:?} {loss:?} {factors}: {stop:?}");
                    match (model, stop) {
                        (Some(model), _) => assert!(model.weights.table.is_finite(), "{what}"),
                        (None, Stop::Diverged { .. }) => {}
                        (None, _) => panic!("{what}"),
                    }
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_learned_from_is_refused_in_words() {
    let folder = folder();
    let case = |name: &str, text: &str, expected: &str| {
        let data = write(&folder, name, text);
        let message = refusal(&job(&data, &Config { valid_fraction: 0.0, ..plain_config() }));
        assert_eq!(message, expected.replace("FILE", &data));
    };
    let one = |label| format!("label,c\n{}", format!("{label},a\n{label},b\n").repeat(4));
    let nothing = ": there is nothing to learn";
    case("one.csv", &one("1"), &format!("FILE: all 8 training rows have the label '1'{nothing}"));
    case("no.csv", &one("no"), &format!("FILE: all 8 training rows have the label 'no'{nothing}"));
    case("empty.csv", "", "FILE: no rows: the file is empty");
    case("header.csv", "label,c\n", "FILE: no rows to train on");
    case("empty.svm", "", "FILE: no rows to train on");
    case(
        "unlabelled.csv",
        "a,b\nx,1\ny,2\n",
        "which column is the label? Say --label COLUMN; the columns are a, b",
    );
    case("only.csv", "label\n1\n0\n", "no column is left to learn from");
    case(
        "hole.csv",
        "label,c\n1,a\n,b\n",
        "FILE:3:1: label: an empty cell; a training row needs a label",
    );
    case(
        "third.csv",
        "label,c\nyes,x\nno,y\nmaybe,z\n",
        "FILE:4:1: label: 'maybe' is a third value beside 'yes' and 'no': two values or numbers \
         can be learned",
    );
    let data = write(&folder, "rows.csv", mixed(50));
    let with = |change: &dyn Fn(&mut Job)| {
        let mut job = job(&data, &plain_config());
        change(&mut job);
        refusal(&job)
    };
    let hints = |hints| SchemaSource::Infer(hints);
    assert_eq!(
        with(&|job| job.schema = hints(Hints { label: Some("z".into()), ..Hints::default() })),
        "there is no column 'z': the columns are label, a, b, n"
    );
    assert_eq!(
        with(&|job| job.schema = hints(Hints { positive: Some("9".into()), ..Hints::default() })),
        format!("{data}: no label is '9': they are '1' and '0'")
    );
    let schema = common::schema(&[("a", Role::Categorical), ("b", Role::Categorical)]);
    assert_eq!(
        with(&|job| job.schema = SchemaSource::Given(schema.clone())),
        "the schema has no label: give one column the role label"
    );
    let schema = common::schema(&[("label", Role::Label), ("z", Role::Categorical)]);
    assert_eq!(
        with(&|job| job.schema = SchemaSource::Given(schema.clone())),
        format!("{data}: column 'z' of the schema is missing")
    );
    assert_eq!(
        with(&|job| job.config.valid_fraction = 1.0),
        "valid_fraction must be at least 0 and less than 1"
    );
    assert_eq!(
        with(&|job| job.config.batch_size = Some(0)),
        "batch_size must be from 1 to 16777216"
    );
    let missing = path(&folder, "missing.csv");
    let error = train(&job(&missing, &plain_config()), &mut |_| true).unwrap_err();
    assert!(matches!(&error, Error::Io { file, .. } if *file == missing), "{error}");
}

#[test]
fn the_one_label_of_the_training_rows_is_named_and_not_one_held_out() {
    let folder = folder();
    // The held-out tail has the other label; then the first rows do, and all else the same.
    for (label, other) in [("1", "0"), ("no", "yes"), ("2.5", "7")] {
        let rows = |label: &str, n: usize| format!("{label},a\n{label},b\n").repeat(n);
        let text = format!("label,c\n{}{}", rows(label, 8), rows(other, 2));
        let data = write(&folder, "tail.csv", &text);
        let config = Config { valid_tail: 0.2, ..plain_config() };
        let expected = format!(
            "{data}: all 16 training rows have the label '{label}': there is nothing to learn"
        );
        assert_eq!(refusal(&job(&data, &config)), expected);
        let text = format!("label,c,g\n{other},a,first\n{}", "LABEL,b,second\n".repeat(9));
        let data = write(&folder, "group.csv", text.replace("LABEL", label));
        let hints = Hints { group: Some("g".into()), ..Hints::default() };
        let messages = (0..64).map(|seed| {
            let config = Config { seed, valid_fraction: 0.5, ..plain_config() };
            let schema = SchemaSource::Infer(hints.clone());
            train(&Job { schema, ..job(&data, &config) }, &mut |_| true).map(|_| ())
        });
        let expected = format!(
            "{data}: all 9 training rows have the label '{label}': there is nothing to learn"
        );
        let messages: Vec<String> =
            messages.filter_map(|fitted| fitted.err()).map(|e| e.to_string()).collect();
        assert!(messages.contains(&expected), "{messages:?}");
    }
}

#[test]
fn bad_rows_can_be_skipped_and_are_counted() {
    let folder = folder();
    let clean = mixed(200);
    let mut lines: Vec<&str> = clean.lines().collect();
    let expected = bytes(&model(&job(&write(&folder, "clean.csv", &clean), &plain_config())));
    lines.insert(60, "1,a1,b1,one");
    lines.insert(130, "1,a1");
    lines.insert(131, ",a1,b1,2");
    let data = write(&folder, "bad.csv", lines.join("\n"));
    // Which role a column gets must not hang on a bad cell here.
    let schema = common::schema(&[
        ("label", Role::Label),
        ("a", Role::Categorical),
        ("b", Role::Categorical),
        ("n", Role::Numeric),
    ]);
    let given = Job { schema: SchemaSource::Given(schema), ..job(&data, &plain_config()) };
    assert!(refusal(&given).starts_with(&format!("{data}:61:9: column 'n' is numeric")));
    let skipping = Job { on_error: OnError::Skip, ..given };
    let mut skipped = pairloom::reading::Skipped::default();
    let count = &mut |event: Event<'_>| {
        if let Event::Skipped(of_file) = event {
            skipped.merge(of_file.clone());
        }
        true
    };
    let model = train(&skipping, count).unwrap().model;
    assert_eq!((skipped.rows, skipped.first.len()), (3, 3));
    assert!(skipped.first[1].starts_with(&format!("{data}:131:")), "{:?}", skipped.first);
    assert!(bytes(&model.unwrap()) == expected);
}

#[test]
fn a_planted_model_is_found_again() {
    let folder = folder();
    let planted = |sample, rows| SynthConfig {
        rows,
        cardinalities: vec![20, 15, 10, 8, 12],
        zipf: (0.3, 0.8),
        positives: 0.4,
        factors: 4,
        linear_spread: 0.8,
        interaction_spread: 1.2,
        seed: 5,
        sample,
        ..SynthConfig::default()
    };
    let data = write(&folder, "train.csv", clicks(&planted(0, 20_000)).0);
    let (test, summary) = clicks(&planted(1, 10_000));
    let test = write(&folder, "test.csv", test);
    let config = Config {
        factors: 6,
        optimizer: Optimizer::Adam,
        learning_rate: Some(0.005),
        l2_factors: Some(1e-4),
        batch_size: Some(256),
        epochs: 40,
        patience: 3,
        rate_decay: 0.5,
        ..plain_config()
    };
    let found = |factors| {
        let model = model(&job(&data, &Config { factors, ..config.clone() }));
        let mut reader = input::open(&test, &Default::default()).unwrap();
        let threads = Threads::new(1).unwrap();
        let evaluated =
            model.evaluate(&mut *reader, &test, &EvaluateOptions::default(), &threads).unwrap();
        match evaluated.metrics {
            Metrics::Binary(metrics) => metrics.auc.unwrap(),
            Metrics::Regression(_) => panic!("not a regression"),
        }
    };
    let (fm, linear, best) = (found(6), found(0), summary.best_auc.unwrap());
    assert!(best - fm < 0.02, "{fm} of {best}");
    // What is planted between the columns is out of a linear model's reach.
    assert!(fm - linear > 0.02, "{fm} and {linear}");
}

/// Runs a job until `watch` has heard of `events` batches and epochs.
fn interrupted(job: &Job, events: usize) -> Trained {
    let mut heard = 0;
    train(job, &mut |event| {
        heard += usize::from(matches!(event, Event::Fit(_)));
        heard < events
    })
    .unwrap()
}

#[test]
fn a_resumed_run_ends_in_the_same_bytes() {
    let folder = folder();
    let clicks = write(&folder, "clicks.csv", small_clicks(330));
    let numbers = write(&folder, "numbers.csv", numbered(330));
    for optimizer in Optimizer::ALL {
        for (data, stops) in [(&clicks, &[1, 5, 6, 7, 9, 16, 23, 99][..]), (&numbers, &[8])] {
            let config = Config {
                optimizer,
                learning_rate: Some(if optimizer == Optimizer::Sgd { 0.003 } else { 0.1 }),
                l2_factors: Some(1e-3),
                epochs: 4,
                rate_decay: 0.5,
                patience: 3,
                ..plain_config()
            };
            let plain = job(data, &config);
            let whole = trained(&plain);
            let expected = bytes(&whole.model.unwrap());
            // Five batches and the epoch's end are six events; the last stop is after the end.
            for &events in stops {
                let file = path(&folder, "checkpoint");
                let _ = fs::remove_file(&file);
                let every = Duration::ZERO;
                let checkpoints = Some(Checkpoints { path: file, every, resume: false });
                let mut job = Job { checkpoints, ..plain.clone() };
                let stopped = interrupted(&job, events);
                assert!(events > 24 || stopped.stop == Stop::Interrupted);
                job.checkpoints.as_mut().unwrap().resume = true;
                job.threads = 2;
                let resumed = trained(&job);
                assert_eq!(resumed.stop, whole.stop);
                let found = bytes(&resumed.model.unwrap());
                assert!(found == expected, "{optimizer:?} {data} after {events}");
            }
        }
    }
}

#[test]
fn a_run_may_be_cut_off_again_and_again() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(300));
    let config = Config { optimizer: Optimizer::Adam, epochs: 3, ..plain_config() };
    let expected = bytes(&model(&job(&data, &config)));
    let file = path(&folder, "checkpoint");
    let checkpoints = Some(Checkpoints { path: file, every: Duration::ZERO, resume: true });
    let job = Job { checkpoints, ..job(&data, &config) };
    // Three events a time, and nothing of what went before is lost.
    let mut runs = 0;
    while interrupted(&job, 3).stop == Stop::Interrupted {
        runs += 1;
        assert!(runs < 50);
    }
    assert!(runs > 3);
    assert!(bytes(&trained(&job).model.unwrap()) == expected);
}

#[test]
fn checkpoints_are_written_however_short_the_epochs_are() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(200));
    let file = path(&folder, "checkpoint");
    let every = Duration::from_millis(60);
    let checkpoints = Some(Checkpoints { path: file.clone(), every, resume: false });
    let config = Config { batch_size: Some(80), epochs: 10, ..plain_config() };
    // Two batches an epoch of 10 ms each: every epoch is over before a checkpoint is due.
    train(&Job { checkpoints, ..job(&data, &config) }, &mut |event| {
        if matches!(event, Event::Fit(FitEvent::Batch { .. })) {
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    })
    .unwrap();
    assert!(fs::exists(&file).unwrap(), "never written");
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(300));
    let file = path(&folder, "checkpoint");
    let checkpoints = Some(Checkpoints { path: file.clone(), every: Duration::ZERO, resume: true });
    let job = Job { checkpoints, ..job(&data, &plain_config()) };
    assert_eq!(interrupted(&job, 3).stop, Stop::Interrupted);
    let message = |what: &str| {
        format!(
            "{file}: this checkpoint is of a run with other {what}: resume with the same data and \
             settings, or start anew with --restart"
        )
    };
    let with = |change: &dyn Fn(&mut Config)| {
        let mut job = job.clone();
        change(&mut job.config);
        refusal(&job)
    };
    let settings = |differing: &str| message(&format!("settings ({differing})"));
    assert_eq!(with(&|config| config.factors = 5), settings("factors is 4 in it and 5 here"));
    assert_eq!(
        with(&|config| config.optimizer = Optimizer::Adam),
        settings("optimizer is adagrad in it and adam here")
    );
    let more = |config: &mut Config| (config.learning_rate, config.epochs) = (Some(0.2), 9);
    assert_eq!(
        with(&more),
        settings("epochs is 3 in it and 9 here, learning_rate is 0.1 in it and 0.2 here")
    );
    // Another seed holds out other rows.
    assert_eq!(
        with(&|config| config.seed = 8),
        message("settings (seed is 7 in it and 8 here) and other rows")
    );
    assert_eq!(
        with(&|config| config.hash_bits = Some(9)),
        message("settings (hash_bits is not set in it and 9 here) and other rows")
    );
    let data_differ = message("data (the rows, or what their columns are)");
    let less = String::from_utf8(small_clicks(299)).unwrap();
    let other = write(&folder, "other.csv", less);
    assert_eq!(refusal(&Job { data: other, ..job.clone() }), data_differ);
    let valid = Some(data.clone());
    assert_eq!(refusal(&Job { valid, ..job.clone() }), data_differ);
    // Only the same run may go on; a model is no checkpoint.
    let model = trained(&job).model.unwrap();
    model.save(&file).unwrap();
    assert_eq!(refusal(&job), format!("{file}: this is a model, not a checkpoint"));
    fs::write(&file, "").unwrap();
    assert_eq!(refusal(&job), format!("{file}: the file is empty"));
}

#[test]
fn what_is_told_on_the_way_adds_up() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(330));
    let (mut schemas, mut starts, mut rows, mut epochs) = (0, 0, Vec::new(), Vec::new());
    let config = Config { epochs: 2, ..plain_config() };
    let trained = train(&job(&data, &config), &mut |event| {
        match event {
            Event::Schema(_) => schemas += 1,
            Event::Skipped(_) => {}
            Event::Start(start) => {
                assert_eq!((start.train, start.valid), (264, 66));
                starts += 1;
            }
            Event::Fit(FitEvent::Batch { epoch, rows: trained, loss }) => {
                assert!(loss > 0.0 && loss.is_finite());
                rows.push((epoch, trained));
            }
            Event::Fit(FitEvent::Epoch(epoch)) => epochs.push(epoch.clone()),
            Event::Reading(_) | Event::Fit(FitEvent::Resumed { .. }) => {}
        }
        true
    });
    assert_eq!((schemas, starts), (1, 1));
    let of_epoch = |epoch| [64, 128, 192, 256, 264].map(|rows| (epoch, rows));
    assert_eq!(rows, [of_epoch(1), of_epoch(2)].concat());
    assert_eq!(trained.unwrap().model.unwrap().history, epochs);
}
