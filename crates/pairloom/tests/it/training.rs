//! Whole training runs: losses, weights, what cannot be learned from, rows that are left out,
//! what is told on the way, and a planted model that is found again.

use crate::common;
use crate::common::{
    bytes, clicks, folder, held, job, mean_loss, measured, mixed, model, near, numbered, path,
    plain_config, refusal, small_clicks, trained, write,
};
use pairloom::Model;
use pairloom::config::Config;
use pairloom::fit::FitEvent;
use pairloom::loss::Loss;
use pairloom::metric::Metrics;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::OnError;
use pairloom::schema::{Hints, Role};
use pairloom::synth::SynthConfig;
use pairloom::train::{Event, Job, SchemaSource, train};
use pairloom::{Error, input};

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
            valid_fraction: Some(0.0),
            epochs: 1,
            ..plain_config()
        };
        let model = model(&job(data, &config));
        let again = Job { valid: Some(data.clone()), ..job(data, &config) };
        let rows = held(trained(&again).valid);
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
    for loss in Loss::pointwise() {
        let config = Config {
            optimizer: Optimizer::Sgd,
            learning_rate: Some(0.002),
            loss: Some(loss),
            batch_size: Some(10_000),
            epochs: 20,
            shuffle: false,
            // The order of dictionary ids follows counts, which weights do not change.
            hash_bits: Some(8),
            valid_fraction: Some(0.0),
            ..plain_config()
        };
        let one = model(&with_weights(job(&weighted, &config)));
        let other = model(&with_weights(job(&repeated, &config)));
        let biases = one.weights.bias.iter().zip(&other.weights.bias);
        assert!(biases.into_iter().all(|(a, b)| near((*a).into(), (*b).into(), 1e-6, 1.0)));
        let floats = |model: &Model| {
            [model.weights.linear.floats(), model.weights.factors.floats()].concat()
        };
        for (a, b) in floats(&one).into_iter().zip(floats(&other)) {
            assert!(near(a.into(), b.into(), 1e-6, 1.0), "{loss:?}: {a} {b}");
        }
        let rows = |data: &str| {
            let all = Job { valid: Some(data.to_string()), ..job(data, &config) };
            held(trained(&with_weights(all)).valid)
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
fn what_cannot_be_learned_from_is_refused_in_words() {
    let folder = folder();
    let case = |name: &str, text: &str, expected: &str| {
        let data = write(&folder, name, text);
        let message = refusal(&job(&data, &Config { valid_fraction: Some(0.0), ..plain_config() }));
        assert_eq!(message, expected.replace("FILE", &data));
    };
    let one = |label| format!("label,c\n{}", format!("{label},a\n{label},b\n").repeat(4));
    let nothing = ": there is nothing to learn";
    case("one.csv", &one("1"), &format!("FILE: all 8 training rows have the label '1'{nothing}"));
    case("no.csv", &one("no"), &format!("FILE: all 8 training rows have the label 'no'{nothing}"));
    case("empty.csv", "", "FILE: no rows: the file is empty");
    let numbers = |number: &dyn Fn(usize) -> f64| {
        let row = |i| format!("{},{}\n", number(i), ["a", "b"][i % 2]);
        format!("label,c\n{}", (0..40).map(row).collect::<String>())
    };
    case(
        "times.csv",
        &numbers(&|i| 1.7e9 + i as f64),
        "FILE: labels are 1700000019.5 in the mean and deviate by 1.15e1, of which the 32 bits of a label lose too \
         much: take the same number off all of them and add it to predictions, or multiply them",
    );
    // Whole numbers below 2^24 lose nothing.
    let whole = write(&folder, "whole.csv", numbers(&|i| 1e7 + (i % 7) as f64));
    trained(&job(&whole, &Config { valid_fraction: Some(0.0), ..plain_config() }));
    case(
        "small.csv",
        &numbers(&|i| 1e-300 * i as f64),
        "FILE: labels deviate by less than 1e-160: multiply all by the same number",
    );
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
        format!("{data}: column 'z' of the schema is missing: the columns are label, a, b, n")
    );
    assert_eq!(
        with(&|job| job.config.valid_fraction = Some(1.0)),
        "valid_fraction (--valid-fraction) must be at least 0 and less than 1"
    );
    assert_eq!(
        with(&|job| job.config.batch_size = Some(0)),
        "batch_size (--batch-size) must be from 1 to 16777216"
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
            let config = Config { seed, valid_fraction: Some(0.5), ..plain_config() };
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

/// A column that is 0 in the first rows and a quantity in the others is one.
#[test]
fn guesses_from_the_first_rows_are_looked_at_again() {
    let folder = folder();
    let rows = |feat: &dyn Fn(usize) -> String| {
        let row = |i: usize| format!("{},c{},{}\n", i * 7 % 2, i % 5, feat(i));
        format!("label,c,feat\n{}", (0..25_000).map(row).collect::<String>())
    };
    let revised = |name: &str, feat: &dyn Fn(usize) -> String| {
        let mut found = Vec::new();
        let job = job(&write(&folder, name, rows(feat)), &Config { epochs: 1, ..plain_config() });
        let model = train(&job, &mut |event| {
            if let Event::Revised { schema, notes } = event {
                assert_eq!(notes.len(), 1);
                found.push((schema.columns[2].role, notes[0].clone()));
            }
            true
        });
        (model.unwrap().model.unwrap().schema.columns[2].role, found)
    };
    let late = |i: usize, text: String| if i < 10_500 { "0".into() } else { text };
    let (role, notes) = revised("real.csv", &|i| late(i, format!("{}.5", i * 31 % 997)));
    assert_eq!((role, notes[0].0), (Role::Numeric, Role::Numeric));
    let note = "column 'feat' is numeric after all: 97% of the rows after the first 10000 have";
    assert!(notes[0].1.starts_with(note), "{}", notes[0].1);
    let (role, _) = revised("whole.csv", &|i| late(i, format!("{}", i * 31 % 997)));
    assert_eq!(role, Role::Numeric);
    // One cell that is no number keeps the text of all.
    let one = |i: usize| if i == 20_000 { "much".into() } else { late(i, format!("{i}.5")) };
    let (role, notes) = revised("odd.csv", &one);
    assert_eq!(role, Role::Categorical);
    assert!(
        notes[0].1.contains("correct 'much' and the like, and say --numeric"),
        "{}",
        notes[0].1
    );
    // Names stay names: those of few values, of new texts, and of a few fractions.
    let names: [&dyn Fn(usize) -> String; 3] =
        [&|i| late(i, format!("{}", i % 4)), &|i| late(i, format!("x{i}")), &|i| {
            if i % 50 == 49 && i > 12_000 { "1.5".into() } else { format!("{}", i % 4) }
        }];
    for (number, feat) in names.into_iter().enumerate() {
        assert_eq!(revised(&format!("{number}.csv"), feat), (Role::Categorical, Vec::new()));
    }
}

/// A label that is no number among numbers is named, and so is the guess that made it the label.
#[test]
fn labels_that_are_no_numbers_are_told() {
    let folder = folder();
    let error = |text: &str| refusal(&job(&write(&folder, "rows.csv", text), &plain_config()));
    let data = path(&folder, "rows.csv");
    assert_eq!(
        error("label,c\n1.5,x\n2.5,y\nN/A,z\n"),
        format!(
            "{data}:4:1: label: 'N/A' stands for a missing number: leave out rows without a label, \
             or say --on-error skip"
        )
    );
    let above = error("label,c\nnan,x\n1.5,x\n2.5,y\n");
    assert!(above.contains(":2:1: label: 'nan' stands for a missing number"), "{above}");
    let text = error("label,c\n1.5,x\n2.5,y\n3.5,y\nhigh,z\n");
    assert!(text.contains("label: 'high' is not a number, and the others are"), "{text}");
    let bare = error("ann,0.5,1\nbob,0.25,0\ntom,0.5,1\nann,0.5,0\n");
    let guess = "; the label was guessed (the first column, as there is no header): is it another?";
    assert!(bare.contains(guess) && bare.ends_with("Say --label COLUMN"), "{bare}");
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
        factors: Some(6),
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
            other => panic!("{other:?}"),
        }
    };
    let (fm, linear, best) = (found(Some(6)), found(Some(0)), summary.best_auc.unwrap());
    assert!(best - fm < 0.02, "{fm} of {best}");
    // What is planted between the columns is out of a linear model's reach.
    assert!(fm - linear > 0.02, "{fm} and {linear}");
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
            Event::Skipped(_) | Event::Cache { .. } => {}
            Event::Start(start) => {
                assert_eq!((start.train, start.valid), (264, 66));
                starts += 1;
            }
            Event::Fit(FitEvent::Batch { epoch, rows: trained, loss }) => {
                assert!(loss > 0.0 && loss.is_finite());
                rows.push((epoch, trained));
            }
            Event::Fit(FitEvent::Epoch(epoch)) => epochs.push(epoch.clone()),
            Event::Reading(_)
            | Event::Encoding
            | Event::Revised { .. }
            | Event::Unseen(_)
            | Event::Fit(FitEvent::Resumed { .. }) => {}
        }
        true
    });
    assert_eq!((schemas, starts), (1, 1));
    let of_epoch = |epoch| [64, 128, 192, 256, 264].map(|rows| (epoch, rows));
    assert_eq!(rows, [of_epoch(1), of_epoch(2)].concat());
    assert_eq!(trained.unwrap().model.unwrap().history, epochs);
}
