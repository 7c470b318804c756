//! What is held out, and what the training loop makes of it: early stopping, the falling rate.

use crate::common::{
    folder, held, job, measured, model, near, numbered, path, plain_config, refusal, small_clicks,
    trained, write,
};
use pairloom::Model;
use pairloom::config::Config;
use pairloom::fit::Stop;
use pairloom::metric::Metrics;
use pairloom::optimizer::Optimizer;
use pairloom::schema::Hints;
use pairloom::train::{Event, Job, SchemaSource, Trained, train};

fn held_out(job: &Job) -> Vec<usize> {
    trained(job).valid.outcomes().unwrap().labels().iter().map(|&label| label as usize).collect()
}

#[test]
fn a_fraction_is_held_out_at_random() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(500));
    let held = |seed, valid_fraction| {
        held_out(&job(
            &data,
            &Config { seed, valid_fraction: Some(valid_fraction), ..plain_config() },
        ))
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
fn a_tenth_is_held_out_but_nothing_of_few_rows() {
    let folder = folder();
    let held = |rows| {
        let data = write(&folder, "rows.csv", numbered(rows));
        held_out(&job(&data, &Config { valid_fraction: None, ..plain_config() })).len()
    };
    assert_eq!([10, 49, 50, 500].map(held), [0, 0, 5, 50]);
}

/// How many rows of labels 0 and 1 are held out of so many of them.
fn held_of_each(zeros: usize, ones: usize, valid_fraction: f64, hints: Hints) -> [usize; 2] {
    let folder = folder();
    let row = |i: usize| format!("{},v{}\n", i32::from(i < ones), i % 3);
    let rows: String = (0..zeros + ones).map(row).collect();
    let data = write(&folder, "rows.csv", format!("y,c\n{rows}"));
    let config = Config { valid_fraction: Some(valid_fraction), ..plain_config() };
    let schema = SchemaSource::Infer(hints);
    let valid = trained(&Job { schema, ..job(&data, &config) }).valid;
    [0.0, 1.0].map(|class| {
        valid.outcomes().unwrap().labels().iter().filter(|&&label| label == class).count()
    })
}

#[test]
fn the_same_share_of_two_classes_is_held_out() {
    let held = |zeros, ones, share| held_of_each(zeros, ones, share, Hints::default());
    assert_eq!(held(900, 100, 0.1), [90, 10]);
    assert_eq!(held(330, 70, 0.2), [66, 14]);
    // Of a rare class at least one row, but never the only one.
    assert_eq!(held(196, 4, 0.1), [19, 1]);
    assert_eq!(held(199, 1, 0.1), [20, 0]);
    assert_eq!(held(4, 4, 0.1), [0, 0]);
    assert_eq!(held(3, 197, 0.1), [1, 19]);
    // One class against the rest counts as two.
    let one = Hints { positive: Some("1".into()), ..Hints::default() };
    assert_eq!(held_of_each(900, 100, 0.1, one), [90, 10]);
}

/// Which rows are held out depends on the rows, not on what they are called.
#[test]
fn the_same_rows_are_held_out_whichever_class_is_positive() {
    let folder = folder();
    let row = |i: usize| format!("{},v{},{}\n", ["yes", "no"][i * i % 7 % 2], i % 3, i + 1);
    let rows: String = (0..203).map(row).collect();
    let data = write(&folder, "rows.csv", format!("y,c,w\n{rows}"));
    let [one, other] = ["yes", "no"].map(|positive| {
        let hints =
            Hints { weight: Some("w".into()), positive: Some(positive.into()), ..Hints::default() };
        let schema = SchemaSource::Infer(hints);
        let run = trained(&Job { schema, ..job(&data, &plain_config()) });
        let rows = run.valid.outcomes().unwrap();
        // The weight is the number of the row.
        let numbers: Vec<f32> = rows.iter().map(|row| row.1).collect();
        (numbers, rows.iter().filter(|row| row.0 == 1.0).count())
    });
    assert_eq!(one.0, other.0);
    assert_eq!(one.1 + other.1, one.0.len(), "labels are the other way round");
}

#[test]
fn a_tail_is_held_out_in_order() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(200));
    let config = Config { valid_tail: 0.1, valid_fraction: Some(0.5), ..plain_config() };
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
    assert_eq!(valid.outcomes().unwrap().labels(), [70.0, 80.0]);
    assert_eq!(held(valid).row(1).ids, [0]);
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
    let mut job = job(&data, &Config { valid_fraction: Some(0.3), ..plain_config() });
    job.schema = SchemaSource::Infer(hints);
    let held = held_out(&job);
    // Ten neighbouring rows are a group.
    for group in 0..60 {
        let here = held.iter().filter(|&&row| row / 10 == group).count();
        assert!(here == 0 || here == 10, "group {group}: {here}");
    }
    assert_eq!(held.len(), 180, "18 of 60 groups");
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
            factors: Some(16),
            epochs: 60,
            patience: 3,
            ..plain_config()
        };
        let Trained { model, stop, valid, .. } = trained(&job(data, &config));
        let (model, valid) = (model.unwrap(), held(valid));
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
    let config = Config { valid_fraction: Some(0.0), patience: 1, epochs: 6, ..plain_config() };
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
        factors: Some(8),
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
