//! Rows that are kept for a test: which they are, and that nothing is learned from them.

use crate::common::{bytes, folder, job, mixed, numbered, plain_config, refusal, trained, write};
use pairloom::Model;
use pairloom::batch::Outcomes;
use pairloom::config::Config;
use pairloom::encode::ClassWeight;
use pairloom::interaction::Kind;
use pairloom::metric::Metrics;
use pairloom::parallel::Threads;
use pairloom::schema::Hints;
use pairloom::train::{Job, SchemaSource, TestPart, Trained};
use tempfile::TempDir;

const SHARE: TestPart = TestPart::Share { share: 0.2, seed: 3 };
const TAIL: TestPart = TestPart::Tail { share: 0.2 };

fn fold(at: u32, of: u32, seed: u64) -> TestPart {
    TestPart::Fold { at, of, seed }
}

fn one_epoch() -> Config {
    Config { epochs: 1, ..plain_config() }
}

/// The labels of the test rows of a file whose labels are the numbers of its rows.
fn test_rows(data: &str, part: TestPart, config: &Config) -> Vec<usize> {
    let test = trained(&Job { test: Some(part), ..job(data, config) }).test;
    test.outcomes().unwrap().labels().iter().map(|&label| label as usize).collect()
}

#[test]
fn folds_are_all_rows_in_parts_of_nearly_one_size() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(103));
    let folds: Vec<Vec<usize>> =
        (0..10).map(|at| test_rows(&data, fold(at, 10, 3), &one_epoch())).collect();
    let mut all: Vec<usize> = folds.concat();
    all.sort_unstable();
    assert_eq!(all, (0..103).collect::<Vec<_>>());
    assert!(folds.iter().all(|fold| (10..=11).contains(&fold.len())), "{folds:?}");
    assert!(folds[0] != test_rows(&data, fold(0, 10, 4), &one_epoch()), "another seed");
    // Rows that lie beside each other are in different ones: 103 of them would be 10 runs.
    assert!(folds[0].windows(2).any(|pair| pair[1] - pair[0] > 1));
}

#[test]
fn a_share_is_drawn_and_a_tail_is_the_end() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(200));
    let share = |seed| test_rows(&data, TestPart::Share { share: 0.2, seed }, &one_epoch());
    assert_eq!(share(3).len(), 40);
    assert!(share(3).iter().any(|&row| row < 100) && share(3) != share(4));
    assert_eq!(test_rows(&data, TAIL, &one_epoch()), (160..200).collect::<Vec<_>>());
}

#[test]
fn the_same_rows_whatever_the_settings() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(120));
    for part in [SHARE, TAIL, fold(1, 4, 3)] {
        let usual = test_rows(&data, part, &one_epoch());
        let others = [
            Config { seed: 99, ..one_epoch() },
            Config { model: Kind::Ffm, factors: Some(2), ..one_epoch() },
            Config { valid_fraction: Some(0.0), ..one_epoch() },
            Config { valid_tail: 0.3, valid_fraction: Some(0.0), ..one_epoch() },
            Config { hash_bits: Some(6), batch_size: Some(1), ..one_epoch() },
        ];
        for config in others {
            assert_eq!(test_rows(&data, part, &config), usual, "{part:?} {config:?}");
        }
    }
}

#[test]
fn groups_stay_whole() {
    let folder = folder();
    let data = write(&folder, "rows.csv", numbered(205));
    let hints = Hints { group: Some("g".into()), ..Hints::default() };
    let schema = SchemaSource::Infer(hints);
    let rows = |part| {
        let job = Job { test: Some(part), schema: schema.clone(), ..job(&data, &one_epoch()) };
        let Trained { test, valid, .. } = trained(&job);
        [test, valid].map(|rows| {
            let outcomes = rows.outcomes().unwrap();
            outcomes.labels().iter().map(|&label| label as usize).collect::<Vec<_>>()
        })
    };
    let groups = |rows: &[usize]| {
        let mut groups: Vec<usize> = rows.iter().map(|row| row / 10).collect();
        groups.dedup();
        groups
    };
    for part in [SHARE, TAIL, fold(0, 5, 3)] {
        let [test, valid] = rows(part);
        for rows in [&test, &valid] {
            let size: usize = groups(rows).iter().map(|&g| if g == 20 { 5 } else { 10 }).sum();
            assert_eq!(rows.len(), size, "{part:?}: {rows:?}");
        }
        assert!(!test.is_empty() && !valid.is_empty());
        assert!(groups(&test).iter().all(|group| !groups(&valid).contains(group)), "{part:?}");
    }
    let all: Vec<usize> = (0..5).flat_map(|at| groups(&rows(fold(at, 5, 3))[0])).collect();
    assert_eq!(all.len(), 21, "21 groups, each in one fold");
    let many =
        Job { test: Some(fold(0, 22, 3)), schema: schema.clone(), ..job(&data, &one_epoch()) };
    assert!(refusal(&many).contains("21 groups cannot be 22 folds"), "{}", refusal(&many));
}

/// Rows of several classes, `many` of the first for each of the others.
fn classes(rows: usize, many: usize, names: &[&str]) -> String {
    let label = |i: usize| {
        names[if i % (many + names.len() - 1) < many {
            0
        } else {
            (i % (many + names.len() - 1)) - many + 1
        }]
    };
    let row = |i: usize| format!("{},c{},d{}\n", label(i), i % 7, i % 5);
    format!("y,c,d\n{}", (0..rows).map(row).collect::<String>())
}

#[test]
fn each_class_has_the_same_share_of_every_part() {
    let folder = folder();
    let cases = [
        (classes(400, 3, &["no", "yes"]), vec![300, 100]),
        (classes(500, 3, &["red", "green", "blue"]), vec![300, 100, 100]),
    ];
    for (text, sizes) in cases {
        let data = write(&folder, "rows.csv", text);
        for (part, share) in [(SHARE, 5), (fold(2, 5, 3), 5), (fold(0, 10, 3), 10)] {
            let test = trained(&Job { test: Some(part), ..job(&data, &one_epoch()) }).test;
            let outcomes = test.outcomes().unwrap();
            let of = |class| outcomes.labels().iter().filter(|&&label| label == class).count();
            let mut found: Vec<usize> = (0..sizes.len()).map(|class| of(class as f32)).collect();
            found.sort_unstable_by(|a, b| b.cmp(a));
            let wanted: Vec<usize> = sizes.iter().map(|size| size / share).collect();
            assert_eq!(found, wanted, "{part:?}");
        }
    }
}

/// Rows that are told apart by their weights, which are exact in 32 bits.
fn weighed(folder: &TempDir, name: &str, rows: impl Fn(usize) -> bool) -> Job {
    let mixed = mixed(300);
    let mut lines = mixed.lines();
    let mut text = format!("{},w\n", lines.next().unwrap());
    for (i, line) in lines.enumerate().filter(|(i, _)| rows(*i)) {
        // The last rows have values of their own.
        let own = if i >= 240 { format!("x{i}") } else { format!("x{}", i % 4) };
        let cells: Vec<&str> = line.split(',').collect();
        text +=
            &format!("{},{},{own},{},{}\n", cells[0], cells[1], cells[3], 1.0 + i as f64 / 1024.0);
    }
    let data = write(folder, name, text);
    let hints = Hints { weight: Some("w".into()), label: Some("label".into()), ..Hints::default() };
    Job { schema: SchemaSource::Infer(hints), ..job(&data, &plain_config()) }
}

fn rows_of(outcomes: &Outcomes) -> Vec<usize> {
    outcomes.iter().map(|(_, weight)| ((weight - 1.0) * 1024.0) as usize).collect()
}

/// Whether two models are one to the bit, but for why columns are what they are.
fn are_same(one: Model, other: Model) -> bool {
    let one = Model { schema: other.schema.clone(), ..one };
    bytes(&one) == bytes(&other)
}

/// What the features are, in no order: dictionaries count values as they come, in whatever row.
fn features(model: &Model) -> Vec<String> {
    let ids = 0..u32::try_from(model.encoding.features()).unwrap();
    let mut features: Vec<String> = ids.map(|id| model.encoding.describe(id)).collect();
    features.sort();
    features
}

/// With a test part, and of a file without its rows.
fn with_and_without(folder: &TempDir, part: TestPart, config: &Config) -> [Model; 2] {
    let all = weighed(folder, "all.csv", |_| true);
    let with = trained(&Job { test: Some(part), config: config.clone(), ..all });
    let test = rows_of(&with.test.outcomes().unwrap());
    assert!(test.len() >= 60);
    let rest = weighed(folder, "rest.csv", |row| !test.contains(&row));
    let without = trained(&Job { config: config.clone(), ..rest });
    let valid = rows_of(&with.valid.outcomes().unwrap());
    assert_eq!(valid, rows_of(&without.valid.outcomes().unwrap()), "{part:?}");
    assert!(!valid.is_empty() && valid.iter().all(|row| !test.contains(row)));
    [with, without].map(|trained| trained.model.unwrap())
}

#[test]
fn a_model_is_the_one_of_a_file_without_the_test_rows() {
    let folder = folder();
    for part in [SHARE, TAIL, fold(1, 4, 3)] {
        for valid_tail in [0.0, 0.25] {
            let config = Config { valid_tail, ..plain_config() };
            // No value that only test rows have, and no knot of theirs.
            let [with, without] = with_and_without(&folder, part, &config);
            assert_eq!(features(&with), features(&without), "{part:?}");
            // Where ids do not depend on the order in which values come, no bit of it.
            assert!(part != TAIL || are_same(with, without), "{valid_tail}");
            let hashed = Config { hash_bits: Some(8), ..config };
            let [with, without] = with_and_without(&folder, part, &hashed);
            assert!(are_same(with, without), "{part:?} {valid_tail}");
        }
    }
}

#[test]
fn weights_of_classes_do_not_count_in_a_test() {
    let folder = folder();
    let data = write(&folder, "rows.csv", classes(400, 3, &["no", "yes"]));
    let class_weight = Some("balanced".parse::<ClassWeight>().unwrap());
    let config = Config { class_weight, ..plain_config() };
    let done = trained(&Job { test: Some(SHARE), ..job(&data, &config) });
    let threads = Threads::new(1).unwrap();
    let Some(Metrics::Binary(found)) = done.test_metrics(&threads).unwrap() else { panic!() };
    assert_eq!((found.rows, found.weight), (80, 80.0));
    // The same from its predictions, row by row.
    let model = done.model.as_ref().unwrap();
    let (p, outcomes) = done.test.predictions(|rows| Ok(model.predict(rows, &threads))).unwrap();
    let loss =
        |(p, (label, _)): (&f64, (f32, f32))| -if label == 1.0 { p.ln() } else { (1.0 - p).ln() };
    let mean = p.iter().zip(outcomes.iter()).map(loss).sum::<f64>() / 80.0;
    assert!((found.log_loss - mean).abs() < 1e-12, "{} {mean}", found.log_loss);
}

#[test]
fn columns_that_do_not_count_are_as_if_ignored() {
    let folder = folder();
    let data = write(&folder, "rows.csv", mixed(300));
    let only = Job { only: Some(vec!["b".into(), "a".into()]), ..job(&data, &plain_config()) };
    let hints = Hints { ignore: vec!["n".into()], ..Hints::default() };
    let ignored = Job { schema: SchemaSource::Infer(hints), ..job(&data, &plain_config()) };
    let [only_model, ignored] = [&only, &ignored].map(|job| trained(job).model.unwrap());
    assert_eq!(only_model.encoding, ignored.encoding);
    assert!(are_same(only_model, ignored));
    let missing = Job { only: Some(vec!["c".into()]), ..only.clone() };
    assert!(refusal(&missing).contains("'c'"), "{}", refusal(&missing));
    let label = Job { only: Some(vec!["label".into()]), ..only };
    assert!(refusal(&label).contains("no feature"), "{}", refusal(&label));
}

#[test]
fn what_leaves_nothing_is_refused() {
    let folder = folder();
    let refused = |rows, part| {
        let data = write(&folder, "rows.csv", numbered(rows));
        refusal(&Job { test: Some(part), ..job(&data, &plain_config()) })
    };
    assert!(refused(3, fold(0, 4, 1)).contains("3 rows cannot be 4 folds"));
    let nothing = refused(3, SHARE);
    assert!(nothing.contains("no row is left for the test"), "{nothing}");
    let one = refused(1, SHARE);
    assert!(!one.is_empty(), "{one}");
    for share in [0.0, 1.0, 2.0, -0.5, f64::NAN] {
        for part in [TestPart::Share { share, seed: 1 }, TestPart::Tail { share }] {
            assert!(refused(9, part).contains("more than 0 and less than 1"));
        }
    }
    assert!(refused(9, fold(0, 0, 1)).contains("at least 2"));
    assert!(refused(9, fold(2, 2, 1)).contains("no fold 2 of 2"));
}
