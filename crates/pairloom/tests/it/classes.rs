//! Labels of several classes, from files to predictions: what is learned of them, which are refused, and that
//! a model of them is kept, averaged and taken up again as any other.

use crate::common;
use crate::common::{
    bytes, folder, job, model, path, plain_config, random, refusal, trained, write,
};
use pairloom::config::Config;
use pairloom::encode::{ClassWeight, Target};
use pairloom::input;
use pairloom::interaction::Kind;
use pairloom::loss::Loss;
use pairloom::metric::{Classes, Metrics};
use pairloom::model::Model;
use pairloom::parallel::Threads;
use pairloom::predict::{EvaluateOptions, PredictOptions};
use pairloom::reading::OnError;
use pairloom::schema::Hints;
use pairloom::train::{Event, Job, SchemaSource, convert, train};
use rand::RngExt;
use std::fmt::Write as _;
use tempfile::TempDir;

/// Classes that follow from two columns together, which alone say nothing: `(a + b) mod 3`.
fn pairs(rows: usize, name: impl Fn(usize) -> String) -> String {
    let (mut random, mut text) = (random(3), String::from("label,a,b\n"));
    for _ in 0..rows {
        let (a, b) = (random.random_range(0..6), random.random_range(0..6));
        let class =
            if random.random_range(0..10) == 0 { random.random_range(0..3) } else { (a + b) % 3 };
        writeln!(text, "{},a{a},b{b}", name(class)).unwrap();
    }
    text
}

fn letters(class: usize) -> String {
    ["red", "green", "blue"][class].into()
}

fn config() -> Config {
    Config { epochs: 12, factors: Some(6), learning_rate: None, ..Config::default() }
}

fn names(target: &Target) -> &[String] {
    let Target::Classes { names } = target else { panic!("{target:?}") };
    names
}

fn kept(model: &Model) -> &Classes {
    let Some(Metrics::Classes(found)) = &model.kept_epoch().unwrap().valid else { panic!() };
    found
}

/// The predictions of a file's rows, of each those of all classes.
fn predictions(model: &Model, data: &str) -> Vec<Vec<f64>> {
    let mut reader = input::open_as(data, model.schema.format).unwrap();
    let (options, mut all) = (PredictOptions::default(), Vec::new());
    let threads = Threads::new(1).unwrap();
    let mut take = |piece: &pairloom::predict::Piece| {
        all.extend(piece.rows().map(<[f64]>::to_vec));
        Ok(())
    };
    model.predict_rows(&mut *reader, data, &options, &threads, &mut take).unwrap();
    all
}

fn evaluate(model: &Model, data: &str) -> pairloom::Result<Metrics> {
    let mut reader = input::open_as(data, model.schema.format)?;
    let options = EvaluateOptions::default();
    Ok(model.evaluate(&mut *reader, data, &options, &Threads::new(1)?)?.metrics)
}

#[test]
fn pairs_of_columns_tell_classes_apart() {
    let folder = folder();
    let data = write(&folder, "rows.csv", pairs(3000, letters));
    let found = model(&job(&data, &config()));
    assert_eq!(names(&found.encoding.target), ["blue", "green", "red"]);
    assert_eq!((found.config.loss, found.outputs()), (Some(Loss::Softmax), 3));
    let metrics = kept(&found);
    assert!(metrics.accuracy > 0.88 && metrics.auc.unwrap() > 0.9, "{metrics:?}");
    // Nothing but pairs tells.
    let linear = model(&job(&data, &Config { model: Kind::Linear, ..config() }));
    assert!(kept(&linear).normalized_entropy.unwrap() > 0.98);
    let all = predictions(&found, &data);
    assert!(all.len() == 3000 && all.iter().all(|p| (p.iter().sum::<f64>() - 1.0).abs() < 1e-12));
    // One row by itself has the same scores as all together.
    let (valid, threads) = (trained(&job(&data, &config())).valid, Threads::new(1).unwrap());
    let rows = common::held(valid);
    let scores = found.scores(&rows, &threads);
    for (i, scores) in scores.chunks(3).enumerate() {
        let (mut single, mut two) = ([0.0; 3], [0.0; 2]);
        found.class_scores(rows.row(i), &mut single);
        found.class_scores(rows.row(i), &mut two);
        assert_eq!(
            (scores, &two[..], scores[0]),
            (&single[..], &single[..2], found.score(rows.row(i)))
        );
    }
}

#[test]
fn a_model_of_classes_is_a_file_like_any_other() {
    let folder = folder();
    let data = write(&folder, "rows.csv", pairs(600, letters));
    for &kind in Kind::ALL {
        // With a tail the rows that are held out are the same for every seed.
        let config = Config { model: kind, epochs: 3, min_count: 1, valid_tail: 0.1, ..config() };
        let first = job(&data, &config);
        let found = model(&first);
        let file = path(&folder, "model");
        found.save(&file).unwrap();
        let loaded = Model::load(&file).unwrap();
        assert_eq!(predictions(&found, &data), predictions(&loaded, &data), "{kind:?}");
        assert_eq!(bytes(&loaded), bytes(&found));
        assert!(bytes(&model(&Job { threads: 3, ..first.clone() })) == bytes(&found), "{kind:?}");
        // Rows that were kept before, and rows that are in a file while they are learned from.
        let rows = path(&folder, "rows.cache");
        convert(&first, &rows, &mut |_| true).unwrap();
        assert!(bytes(&model(&job(&rows, &config))) == bytes(&found), "{kind:?}");
        if matches!(kind, Kind::Linear | Kind::Mf | Kind::Fm | Kind::Ffm | Kind::Hofm) {
            let other = model(&job(&data, &Config { seed: 5, ..config.clone() }));
            let mean = Model::average(&[("one", &found), ("other", &other)]).unwrap();
            let (encoded, threads) =
                (common::held(trained(&first).valid), Threads::new(1).unwrap());
            let [a, b, both] = [&found, &other, &mean].map(|m| m.scores(&encoded, &threads));
            let near = |(both, (a, b)): (&f32, (&f32, &f32))| (both - (a + b) / 2.0).abs() < 2e-5;
            assert!(both.iter().zip(a.iter().zip(&b)).all(near), "{kind:?}");
        }
    }
}

#[test]
fn features_that_say_nothing_are_left_out_of_the_file() {
    let folder = folder();
    let data = write(&folder, "rows.csv", pairs(600, letters));
    let config = Config {
        optimizer: pairloom::optimizer::Optimizer::Ftrl,
        l1_linear: 40.0,
        l1_factors: 15.0,
        hash_bits: Some(9),
        ..config()
    };
    let found = model(&job(&data, &config));
    assert!(bytes(&found).len() < 4 * 3 * 1024 * 7 / 4, "{}", bytes(&found).len());
    let file = path(&folder, "model");
    found.save(&file).unwrap();
    let loaded = Model::load(&file).unwrap();
    assert_eq!(loaded.weights.factors.floats(), found.weights.factors.floats());
    assert_eq!(loaded.weights.linear.floats(), found.weights.linear.floats());
}

#[test]
fn numbers_are_classes_if_that_is_said() {
    let folder = folder();
    let number = |class: usize| ["10", "9.0", "-1"][class].into();
    let data = write(&folder, "rows.csv", pairs(600, number));
    let plain = model(&job(&data, &config()));
    assert!(matches!(plain.encoding.target, Target::Real { .. }));
    let config = Config { loss: Some(Loss::Softmax), ..config() };
    let found = model(&job(&data, &config));
    assert_eq!(names(&found.encoding.target), ["-1", "9", "10"]);
    // All spellings of a number are one class.
    let rows = write(&folder, "other.csv", "label,a,b\n+9,a1,b1\n1e1,a1,b1\n-1.0,a2,b1\n");
    assert!(evaluate(&found, &rows).is_ok());
    // The same in a sparse file, whose labels are numbers always.
    let sparse = write(&folder, "rows.svm", "1 1:1\n2 2:1\n3 3:1\n".repeat(60));
    let found = model(&job(&sparse, &config));
    assert_eq!(names(&found.encoding.target), ["1", "2", "3"]);
    assert!(kept(&found).accuracy == 1.0);
}

#[test]
fn two_classes_may_be_told_apart_by_softmax() {
    let folder = folder();
    let data = write(&folder, "rows.csv", pairs(900, |class| (class / 2).to_string()));
    let logistic = model(&job(&data, &config()));
    let softmax = model(&job(&data, &Config { loss: Some(Loss::Softmax), ..config() }));
    assert!(logistic.encoding.target.is_binary() && names(&softmax.encoding.target).len() == 2);
    let loss = |model: &Model| model.kept_epoch().unwrap().valid.as_ref().unwrap().loss();
    assert!((loss(&logistic) - loss(&softmax)).abs() < 0.05);
}

#[test]
fn labels_that_are_no_classes_are_refused() {
    let folder = folder();
    let error = |name: &str, text: &str, change: &dyn Fn(&mut Job)| {
        let data = write(&folder, name, text);
        let mut job = job(&data, &plain_config());
        change(&mut job);
        refusal(&job).replace(&data, "FILE")
    };
    let no_change = |_: &mut Job| {};
    let softmax = |job: &mut Job| job.config.loss = Some(Loss::Softmax);
    let header = |job: &mut Job| job.open.header = Some(true);
    let found = error("missing.csv", "label,c\n1,a\n2,b\nNA,c\n", &header);
    assert!(found.contains("stands for a missing number"), "{found}");
    let many: String = (0..1001).map(|i| format!("n{i},a\n").repeat(3)).collect();
    let found = error("many.csv", &format!("label,c\n{many}"), &no_change);
    assert!(
        found.starts_with("FILE:3002:1: label: 'n1000' is one value more than the 1000"),
        "{found}"
    );
    let many = many.replace('n', "");
    let found = error("numbers.csv", &format!("label,c\n{many}"), &softmax);
    assert!(found.contains("at most 1000 classes"), "{found}");
    let bare = |job: &mut Job| job.open.header = Some(false);
    let found = error("bare.csv", &pairs(60, letters), &bare);
    assert!(found.contains("is a third value beside") && found.contains("was guessed"), "{found}");
    let bare = |job: &mut Job| {
        job.open.header = Some(false);
        let label = Some("0".into());
        job.schema = SchemaSource::Infer(Hints { label, ..Hints::default() });
    };
    let found = error("bare.csv", &pairs(60, letters), &bare);
    assert!(found.contains("no other label is 'label', that of line 1"), "{found}");
    let own: String = (0..40).map(|i| format!("n{i},a\n")).collect();
    let found = error("own.csv", &format!("label,c\n{own}"), &no_change);
    assert!(found.contains("40 values in 40 rows"), "{found}");
    let three = pairs(60, letters);
    for (loss, said) in [
        (Loss::Squared, "squared loss takes numbers"),
        (Loss::Poisson, "poisson loss takes numbers"),
        (
            Loss::Logistic,
            "--loss softmax for all of them, --positive VALUE for one against the rest",
        ),
    ] {
        let found = error("three.csv", &three, &|job| job.config.loss = Some(loss));
        assert!(found.contains(said), "{found}");
        assert!(!found.contains("for numbers"), "texts are none: {found}");
    }
    let found = error("numbers.csv", &many, &|job| {
        job.config.loss = Some(Loss::Logistic);
        job.open.header = Some(false);
    });
    assert!(found.contains(", or --loss squared for numbers"), "{found}");
    let positive = Hints { positive: Some("red".into()), ..Hints::default() };
    let found = error("three.csv", &three, &|job| {
        softmax(job);
        job.schema = SchemaSource::Infer(positive.clone());
    });
    assert!(found.contains("softmax loss knows no positive value 'red'"), "{found}");
    let found = error("three.csv", &three, &|job| {
        job.config.class_weight = Some("red=2,pink=3".parse::<ClassWeight>().unwrap());
    });
    assert!(found.contains("no class is 'pink': there is 'blue', 'green', 'red'"), "{found}");
    // One value against the rest is what it was.
    let data = write(&folder, "one.csv", pairs(300, letters));
    let one = Job { schema: SchemaSource::Infer(positive), ..job(&data, &config()) };
    assert!(model(&one).encoding.target.is_binary());
}

/// Numbers and texts in one column: the one that differs is what is wrong, wherever it is.
#[test]
fn numbers_and_texts_are_classes_only_if_that_is_said() {
    let folder = folder();
    let of = |labels: &str, loss: Option<&str>| {
        let rows: String = labels.split(' ').map(|label| format!("{label},a\n")).collect();
        let data = write(&folder, "rows.csv", format!("label,c\n{rows}"));
        let mut job = job(&data, &Config { valid_fraction: Some(0.0), ..plain_config() });
        job.config.loss = loss.map(|loss| loss.parse().unwrap());
        job.open.header = Some(true);
        (data, job)
    };
    for (labels, expected) in [
        (
            "1 2 3 x",
            "5:1: label: 'x' is not a number, and the others are ('1', '2', ..): correct it",
        ),
        ("0 1 0 1 1 O 0 1", "7:1: label: 'O' is not a number, and the others are ('0', '1', ..)"),
        ("0 1 yes maybe", "4:1: label: 'yes' is not a number, and the others are ('0', '1', ..)"),
        ("yes 0 yes 1", "2:1: label: 'yes' is not a number, and the others are ('0', '1', ..)"),
        ("a b c 7 a", "5:1: label: '7' is a number, and the others are not ('a', 'b', ..)"),
        ("a 7 a b", "3:1: label: '7' is a number, and the others are not ('a', 'b', ..)"),
    ] {
        for loss in [None, Some("squared"), Some("logistic")] {
            let (data, job) = of(labels, loss);
            let said = refusal(&job);
            assert!(said.starts_with(&format!("{data}:{expected}")), "{labels}: {said}");
            // Who has said another loss does not take them for classes.
            let asks = said.ends_with("; if each value is a class, train with --loss softmax");
            assert_eq!(asks, loss.is_none(), "{said}");
        }
        let (_, job) = of(&format!("{labels} {labels} 4 5"), Some("softmax"));
        let target = trained(&job).start.unwrap().target;
        let mut distinct: Vec<&str> = labels.split(' ').chain(["4", "5"]).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(names(&target), distinct, "numbers come first");
    }
    // Two values are told apart whatever they are, and one against the rest too.
    for (labels, positive) in [("0 yes 0 yes", None), ("0 1 yes no 0", Some("yes".to_string()))] {
        let (_, mut job) = of(labels, None);
        job.schema = SchemaSource::Infer(Hints { positive, ..Hints::default() });
        assert!(trained(&job).start.unwrap().target.is_binary(), "{labels}");
    }
    // Rows that were kept as classes.
    let (data, job) = of("0 1 0 1 yes 1 yes", Some("softmax"));
    let kept = path(&folder, "kept.rows");
    let cached = Job { cache: Some(kept), ..job };
    trained(&cached);
    let plain = Job { config: Config { loss: None, ..cached.config.clone() }, ..cached };
    let expected =
        "6: label: 'yes' is not a number, and the others are ('0', '1', ..); 2 rows of 7 are";
    assert!(refusal(&plain).starts_with(&format!("{data}:{expected}")), "{}", refusal(&plain));
    // Which rows are left out depends on what is said, and so do those that are kept.
    let skipping = |job: &Job| Job { on_error: OnError::Skip, ..job.clone() };
    assert_eq!(trained(&skipping(&plain)).start.unwrap().train, 5);
    let softmax = Config { loss: Some(Loss::Softmax), ..plain.config.clone() };
    let all = Job { config: softmax, ..skipping(&plain) };
    assert_eq!(trained(&all).start.unwrap().train, 7);
}

/// What is wrong with one row is skipped with it; what is wrong with the column is said.
#[test]
fn skipping_rows_hides_no_flaw_of_the_column() {
    let folder = folder();
    let skipping = |name: &str, rows: String| {
        let data = write(&folder, name, format!("label,c\n{rows}"));
        let mut job = job(&data, &Config { valid_fraction: Some(0.0), ..plain_config() });
        (job.on_error, job.open.header) = (OnError::Skip, Some(true));
        job
    };
    let numbers: String = (1..=40).map(|i| format!("{i},c{}\n", i % 3)).collect();
    for (text, what) in [("x", "is not a number"), ("NA", "stands for a missing number")] {
        // Below numbers it is this row that is wrong.
        let below = skipping("below.csv", format!("{numbers}{text},c1\n{numbers}"));
        let run = train(&below, &mut |event| {
            if let Event::Skipped(skipped) = event {
                let said = &skipped.first[0];
                assert!(said.contains(what) && said.contains(":42:1: label: "), "{said}");
                assert!(!said.contains("--on-error"), "that was said: {said}");
            }
            true
        });
        assert_eq!(run.unwrap().start.unwrap().train, 80);
        // Above them it is every number.
        let said = refusal(&skipping("above.csv", format!("{text},c1\n{numbers}")));
        assert!(said.contains(&format!(":2:1: label: '{text}' {what}")), "{said}");
        assert!(!said.contains("--on-error"), "that would not help: {said}");
    }
    let many: String = (0..1001).map(|i| format!("n{i},a\n").repeat(3)).collect();
    let said = refusal(&skipping("many.csv", many));
    assert!(said.contains(":3002:1: label: 'n1000' is one value more than the 1000"), "{said}");
}

#[test]
fn a_class_that_training_never_saw_is_an_error_of_its_row() {
    let folder = folder();
    let data = write(&folder, "rows.csv", pairs(300, letters));
    let found = model(&job(&data, &config()));
    let other = write(&folder, "other.csv", "label,a,b\nred,a1,b1\npink,a1,b2\n,a1,b2\n");
    let error = evaluate(&found, &other).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "other.csv:3:1: label: 'pink' is none of the classes 'blue', 'green', 'red'"
        ),
        "{error}"
    );
    let valid = Job { valid: Some(other), ..job(&data, &config()) };
    assert!(refusal(&valid).contains("'pink' is none of the classes"));
}

/// The rows of each class on both sides: of one row none can be held out.
#[test]
fn every_class_has_training_rows() {
    let folder = folder();
    let mut text = String::from("label,c\n");
    for (class, rows) in [("many", 300), ("some", 40), ("few", 5), ("two", 2), ("one", 1)] {
        (0..rows).for_each(|i| writeln!(text, "{class},c{}", i % 7).unwrap());
    }
    let data = write(&folder, "rows.csv", text);
    for seed in 0..8 {
        let found = trained(&job(&data, &Config { seed, epochs: 1, ..config() }));
        let start = found.start.unwrap();
        assert_eq!(names(&start.target), ["few", "many", "one", "some", "two"]);
        let rows = found.valid.outcomes().unwrap();
        let held = |class: f32| rows.iter().filter(|(label, _)| *label == class).count();
        let held = [0.0, 1.0, 2.0, 3.0, 4.0].map(held);
        assert_eq!((held, start.single), ([1, 30, 0, 4, 1], 2), "{seed}");
        assert!(found.model.unwrap().weights.is_finite());
    }
    // A share of nothing holds out nothing.
    let none = trained(&job(&data, &Config { valid_fraction: Some(0.0), epochs: 1, ..config() }));
    assert!(none.valid.is_empty() && none.model.is_some());
}

#[test]
fn classes_weigh_what_is_said() {
    let folder = folder();
    // Without anything to tell them apart, probabilities are shares.
    let rows = |classes: &[(&str, usize)]| {
        let rows = classes.iter().flat_map(|&(class, rows)| std::iter::repeat_n(class, rows));
        rows.fold(String::from("label,c\n"), |text, class| text + class + ",x\n")
    };
    let data = write(&folder, "rows.csv", rows(&[("a", 600), ("b", 300), ("c", 100)]));
    let probabilities = |weights: Option<&str>| {
        let class_weight = weights.map(|w| w.parse().unwrap());
        let found =
            model(&job(&data, &Config { class_weight, valid_fraction: Some(0.0), ..config() }));
        predictions(&found, &data)[0].clone()
    };
    for (weights, expected) in [
        (None, [0.6, 0.3, 0.1]),
        (Some("balanced"), [1.0 / 3.0; 3]),
        (Some("b=2,c=6"), [1.0 / 3.0; 3]),
        (Some("c=4"), [6.0 / 13.0, 3.0 / 13.0, 4.0 / 13.0]),
    ] {
        let found = probabilities(weights);
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-3);
        assert!(near, "{weights:?}: {found:?}");
    }
}

#[test]
fn a_limited_memory_gives_the_same_classes() {
    let folder: TempDir = folder();
    let data = write(&folder, "rows.csv", pairs(40_000, letters));
    let config = Config { memory: Some(60 << 20), epochs: 2, ..config() };
    let found = model(&Job { temp_dir: path(&folder, ""), ..job(&data, &config) });
    assert!(kept(&found).accuracy > 0.85);
    let small = Config { memory: Some(20 << 20), ..config };
    assert!(refusal(&job(&data, &small)).contains("--memory"));
}

/// Whoever writes a file can make its checksum: what it says of classes is believed only if it can be.
#[test]
fn classes_of_a_file_are_checked() {
    let folder = folder();
    let data = write(&folder, "rows.csv", pairs(300, letters));
    let file = bytes(&model(&job(&data, &config())));
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let (header, mut document, rest) = common::container::parts(&file);
        change(&mut document["document"]["encoding"]["target"]);
        let file = write(&folder, "changed", common::container::joined(header, &document, &rest));
        Model::load(&file).err().map(|error| error.to_string())
    };
    assert_eq!(refused(&|_| ()), None);
    for names in [
        serde_json::json!(["blue"]),
        serde_json::json!([]),
        serde_json::json!(["blue", "blue", "red"]),
        serde_json::json!(["red", "green", "blue"]),
        serde_json::json!(["a", "b"]),
        serde_json::json!(["a", "b", "c", "d"]),
        serde_json::json!((1000..2001).map(|i| i.to_string()).collect::<Vec<_>>()),
    ] {
        let found = refused(&|target| target["names"] = names.clone());
        assert!(found.is_some(), "{names}");
    }
    let other = serde_json::json!({"task": "binary", "negative": "0", "positive": "1"});
    assert!(refused(&|target| *target = other.clone()).unwrap().contains("do not fit together"));
}
