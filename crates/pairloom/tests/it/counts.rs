//! Rows of counts, positives of trials, beside a row for each trial.

use crate::common::{folder, near, path, random, write};
use pairloom::config::Config;
use pairloom::encode::Transform;
use pairloom::input;
use pairloom::interaction::Kind;
use pairloom::metric::Metrics;
use pairloom::model::Model;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::{self, OnError};
use pairloom::schema::Hints;
use pairloom::train::{Job, SchemaSource, convert, train};
use rand::RngExt;
use std::fmt::Write as _;

/// Rows of counts, and the same with a row for each trial. Some rows were never tried, some never or always
/// positive; the weights are those of columns too.
fn both() -> (String, String) {
    let (mut random, mut counts, mut trials) =
        (random(7), String::from("shown,a,b,clicks,w\n"), String::from("click,a,b,w\n"));
    for row in 0..90 {
        let shown = random.random_range(0..12);
        let clicks = if row % 9 == 0 { shown } else { random.random_range(0..=shown) / 2 };
        let (features, w) = (format!("a{},b{}", row % 5, row % 7), [1.0, 0.5, 2.0][row % 3]);
        writeln!(counts, "{shown},{features},{clicks},{w}").unwrap();
        for trial in 0..shown {
            writeln!(trials, "{},{features},{w}", u8::from(trial < clicks)).unwrap();
        }
    }
    (counts, trials)
}

fn hints(label: &str, trials: Option<&str>) -> SchemaSource {
    let (label, trials) = (Some(label.into()), trials.map(String::from));
    SchemaSource::Infer(Hints { label, trials, weight: Some("w".into()), ..Hints::default() })
}

/// Trains in batches of all rows, since rows of counts are fewer.
fn job(data: &str, schema: SchemaSource, kind: Kind) -> Job {
    let mut job = Job::new(data);
    job.schema = schema;
    job.valid = Some(data.into());
    job.threads = 1;
    job.config = Config {
        model: kind,
        factors: Some(3),
        optimizer: Optimizer::Adagrad,
        learning_rate: Some(0.05),
        batch_size: Some(10_000),
        epochs: 15,
        patience: 0,
        shuffle: false,
        // Neither numbers of ids nor what is rare may depend on how many rows there are.
        hash_bits: Some(6),
        ..Config::default()
    };
    job
}

fn model(job: &Job) -> Model {
    train(job, &mut |_| true).unwrap().model.unwrap()
}

fn evaluated(model: &Model, data: &str) -> Metrics {
    let mut reader = reading::open(data, &input::OpenOptions::default(), &model.schema).unwrap();
    let threads = Threads::new(1).unwrap();
    model.evaluate(&mut *reader, data, &EvaluateOptions::default(), &threads).unwrap().metrics
}

fn same(one: &Metrics, other: &Metrics, what: &str) {
    for ((name, a), (_, b)) in one.iter().zip(other.iter()) {
        // How many rows a file has is not how many trials.
        if name != "rows" {
            // Nobody may be predicted to be positive.
            // The others have steps, which the last bit of a prediction may be above or below.
            let smooth =
                ["log_loss", "brier_score", "normalized_entropy", "weight"].contains(&name);
            let most = if smooth { 1e-6 } else { 1e-3 };
            let close = a.zip(b).map_or(a == b, |(a, b)| near(a, b, most, b.abs().max(1.0)));
            assert!(close, "{what} {name}: {a:?} {b:?}");
        }
    }
}

#[test]
fn counts_train_and_score_as_a_row_for_each_trial() {
    let folder = folder();
    let (counts, trials) = both();
    let (counts, trials) =
        (write(&folder, "counts.csv", counts), write(&folder, "trials.csv", trials));
    let kept = path(&folder, "kept.rows");
    let by_counts = || hints("clicks", Some("shown"));
    convert(&job(&counts, by_counts(), Kind::Fm), &kept, &mut |_| true).unwrap();
    for kind in [Kind::Linear, Kind::Fm, Kind::Ffm] {
        let one = model(&job(&counts, by_counts(), kind));
        let other = model(&job(&trials, hints("click", None), kind));
        let floats = |model: &Model| {
            let weights = &model.weights;
            [&weights.bias[..], weights.linear.floats(), weights.factors.floats()].concat()
        };
        for (a, b) in floats(&one).into_iter().zip(floats(&other)) {
            assert!(near(a.into(), b.into(), 1e-5, 1.0), "{kind:?}: {a} {b}");
        }
        for (a, b) in one.history.iter().zip(&other.history) {
            assert!(near(a.train_loss, b.train_loss, 1e-6, 1.0), "{kind:?}: {a:?} {b:?}");
            same(a.valid.as_ref().unwrap(), b.valid.as_ref().unwrap(), "valid");
        }
        same(&evaluated(&one, &counts), &evaluated(&other, &trials), "evaluated");
        // Rows that were kept are those of trials already.
        let again = model(&job(&kept, SchemaSource::Infer(Hints::default()), kind));
        assert_eq!(floats(&again), floats(&one), "{kind:?}: converted");
        same(&evaluated(&again, &kept), &evaluated(&one, &counts), "converted");
        assert_eq!(evaluated(&one, &kept), evaluated(&one, &counts));
    }
}

/// What is learned of columns goes by trials too: which values are frequent, and the knots of numbers.
#[test]
fn counts_are_encoded_as_a_row_for_each_trial() {
    let folder = folder();
    let (mut random, mut counts, mut trials) =
        (random(5), String::from("shown,a,x,z,clicks\n"), String::from("click,a,x,z\n"));
    for row in 0..400 {
        let shown: u32 = random.random_range(0..40);
        let clicks = random.random_range(0..=shown);
        let (x, z) = (random.random::<f32>().powi(3), random.random_range(0..900));
        let features = format!("a{},{x:.3},{z}", (row % 20) * (row % 7));
        writeln!(counts, "{shown},{features},{clicks}").unwrap();
        (0..shown).for_each(|n| writeln!(trials, "{},{features}", u8::from(n < clicks)).unwrap());
    }
    let (counts, trials) =
        (write(&folder, "counts.csv", counts), write(&folder, "trials.csv", trials));
    // The number of bins that the settings say is that of trials too.
    let few = "shown,x,z,clicks\n5,1,2,1\n90,3,4,60\n40,2,5,9\n".to_string();
    let hints = Hints {
        label: Some("clicks".into()),
        trials: Some("shown".into()),
        numeric: vec!["x".into(), "z".into()],
        ..Hints::default()
    };
    let few = job(&write(&folder, "few.csv", few), SchemaSource::Infer(hints), Kind::Fm);
    assert_eq!(model(&few).config.bins, Some(6), "135 trials, 6 rows");
    for transform in Transform::ALL {
        let model = |data: &String, label: &str, trials: Option<&str>| {
            let hints = Hints {
                label: Some(label.into()),
                trials: trials.map(String::from),
                categorical: vec!["a".into()],
                numeric: vec!["x".into(), "z".into()],
                ..Hints::default()
            };
            let mut job = job(data, SchemaSource::Infer(hints), Kind::Fm);
            job.config.hash_bits = None;
            job.config.min_count = 300;
            job.config.numeric_transform = transform;
            job.config.learning_rate = None;
            job.config.epochs = 3;
            model(&job)
        };
        let one = model(&counts, "clicks", Some("shown"));
        let other = model(&trials, "click", None);
        assert_eq!(one.encoding, other.encoding, "{transform:?}");
        assert_eq!(one.config, other.config, "{transform:?}");
        for (a, b) in one.history.iter().zip(&other.history) {
            assert!(near(a.train_loss, b.train_loss, 1e-6, 1.0), "{transform:?}: {a:?} {b:?}");
            same(a.valid.as_ref().unwrap(), b.valid.as_ref().unwrap(), "valid");
        }
    }
}

#[test]
fn counts_that_are_none_are_refused_with_their_place() {
    let folder = folder();
    let error = |row: &str| {
        let text = format!("shown,a,clicks,w\n10,x,3,1\n5,y,1,1\n{row}\n");
        let data = write(&folder, "rows.csv", text);
        let job = job(&data, hints("clicks", Some("shown")), Kind::Fm);
        train(&job, &mut |_| true).unwrap_err().to_string()
    };
    for (row, said) in [
        ("4,x,5,1", "rows.csv:4:5: label: 5 of 4 trials: more than there were"),
        ("-4,x,5,1", "rows.csv:4:1: trials: '-4' is no count"),
        ("4,x,,1", "rows.csv:4:5: label: an empty cell is no count"),
        ("4,x,many,1", "rows.csv:4:5: label: 'many' is no count"),
        ("nan,x,1,1", "rows.csv:4:1: trials: 'nan' is no count"),
        ("9,\"x\"\"y\",1,-1", "rows.csv:4:12: weight: '-1' is not a number"),
        ("9,x,1,1e39", "rows.csv:4:7: weight: '1e39' is beyond 32-bit floats"),
        ("1e30,x,1,1e30", "weight: with that of the other column it is beyond 32-bit floats"),
    ] {
        let found = error(row);
        assert!(found.contains(said), "{row}: {found}");
    }
    let untried = write(&folder, "untried.csv", "shown,a,clicks,w\n0,x,0,1\n0,y,0,1\n");
    let job_of = |data: &str| job(data, hints("clicks", Some("shown")), Kind::Fm);
    let found = train(&job_of(&untried), &mut |_| true).unwrap_err().to_string();
    assert_eq!(found, format!("{untried}: no rows to train on: nothing was ever tried"));
    // If that is not known, since rows were left out, it is not said.
    let wrong = write(&folder, "wrong.csv", "shown,a,clicks,w\n0,x,0,1\n3,y,5,1\n");
    let skipping = Job { on_error: OnError::Skip, ..job_of(&wrong) };
    let found = train(&skipping, &mut |_| true).unwrap_err().to_string();
    assert_eq!(found, format!("{wrong}: no rows to train on"));
    let data = write(&folder, "good.csv", "shown,a,clicks,w\n10,x,3,1\n5,y,1,1\n");
    let mut squared = job(&data, hints("clicks", Some("shown")), Kind::Fm);
    squared.config.loss = Some("squared".parse().unwrap());
    let found = train(&squared, &mut |_| true).unwrap_err().to_string();
    assert!(found.contains("--trials") && found.contains("--loss logistic"), "{found}");
    // Rows to predict need no counts, and there is a prediction for each.
    let model = model(&job(&data, hints("clicks", Some("shown")), Kind::Fm));
    let mut reader =
        input::from_bytes("new", b"a\nx\ny\nz\n", &input::OpenOptions::default()).unwrap();
    let mut found = Vec::new();
    let options = pairloom::predict::PredictOptions::default();
    let threads = Threads::new(1).unwrap();
    model
        .predict_rows(&mut *reader, "new", &options, &threads, |piece| {
            found.extend_from_slice(&piece.predictions);
            Ok(())
        })
        .unwrap();
    assert_eq!(found.len(), 3);
}

/// Both rows of a line tell of each other, so they are held out together, drawn or as a tail.
#[test]
fn a_line_of_counts_is_held_out_whole() {
    let folder = folder();
    // The weights say which line it is: i positives, 1000 + i others.
    let lines = || (1..=40).map(|i| format!("{},a{},{i},1\n", 1000 + 2 * i, i % 3));
    let data =
        write(&folder, "rows.csv", "shown,a,clicks,w\n".to_string() + &lines().collect::<String>());
    let kept = path(&folder, "kept.rows");
    let mut job = job(&data, hints("clicks", Some("shown")), Kind::Fm);
    (job.valid, job.config.epochs) = (None, 1);
    convert(&job, &kept, &mut |_| true).unwrap();
    let held = |valid_fraction, valid_tail, data: &str| {
        let mut job = Job { data: data.into(), ..job.clone() };
        (job.config.valid_fraction, job.config.valid_tail) = (Some(valid_fraction), valid_tail);
        if data == kept {
            job.schema = SchemaSource::Infer(Hints::default());
        }
        let valid = train(&job, &mut |_| true).unwrap().valid.outcomes().unwrap();
        let of = |class: f32, base: f32| -> Vec<f32> {
            valid.iter().filter(|row| row.0 == class).map(|row| row.1 - base).collect()
        };
        let (positive, negative) = (of(1.0, 0.0), of(0.0, 1000.0));
        assert_eq!(positive, negative);
        positive
    };
    let drawn = held(0.25, 0.0, &data);
    assert!(drawn.len() == 10 && drawn != (31..=40).map(|i| i as f32).collect::<Vec<_>>());
    assert_eq!(held(0.25, 0.0, &kept), drawn, "of converted rows the same");
    // 15 of the 80 rows: the first of them belongs to a line that begins before.
    assert_eq!(held(0.0, 0.19, &data), (34..=40).map(|i| i as f32).collect::<Vec<_>>());
}
