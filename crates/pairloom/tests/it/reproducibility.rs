//! The same model from the same seed, whatever carries the rows and on any number of threads.

use crate::common::{bytes, folder, gzip, job, mixed, model, plain_config, small_clicks, write};
use pairloom::Model;
use pairloom::config::Config;
use pairloom::input;
use pairloom::interaction::Kind;
use pairloom::loss::Loss;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::schema::Hints;
use pairloom::train::{Job, SchemaSource};

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
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
        let config = Config { seed, valid_fraction: Some(valid_fraction), ..plain_config() };
        let model = model(&job(&data, &config));
        model.weights.factors.floats().to_vec()
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

/// 600 rows of libsvm with dense values, each in the unit that `unit` gives to its feature.
fn in_units(unit: &dyn Fn(usize) -> f32) -> String {
    let value = |i: usize, j: usize| ((i * 37 + j * 101 + i * j * 7) % 199) as f32 / 99.0 - 1.0;
    let row = |i: usize| {
        let label = u8::from(value(i, 0) + value(i, 1) * value(i, 2) > 0.0);
        let pairs = (0..8).map(|j| format!(" {}:{}", j + 1, value(i, j) * unit(j)));
        format!("{label}{}\n", pairs.collect::<String>())
    };
    (0..600).map(row).collect()
}

#[test]
fn the_unit_of_a_sparse_value_does_not_matter() {
    let folder = folder();
    let config = Config { l2_linear: 1.0, l2_factors: Some(1.0), ..plain_config() };
    let trained = |name: &str, unit: &dyn Fn(usize) -> f32| {
        let data = write(&folder, name, in_units(unit));
        model(&job(&data, &config))
    };
    let plain = trained("plain.libsvm", &|_| 1.0);
    assert!(plain.history.last().unwrap().train_loss < 0.69);
    // Powers of two, so that it does not matter to the bit.
    let other = trained("other.libsvm", &|j| (j as f32 * 5.0 - 20.0).exp2());
    assert_eq!(plain.history, other.history);
    // The model is in the units of its file.
    let threads = Threads::new(1).unwrap();
    let predicted = |model: &Model, name: &str| {
        let file = folder.path().join(name).to_str().unwrap().to_string();
        let mut reader = input::open(&file, &Default::default()).unwrap();
        let options = EvaluateOptions::default();
        model.evaluate(&mut *reader, &file, &options, &threads).unwrap().predictions
    };
    assert_eq!(predicted(&plain, "plain.libsvm"), predicted(&other, "other.libsvm"));
}

#[test]
fn the_rate_grows_to_its_full_size() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(320));
    // Plain gradient descent without momentum or penalty: a step is the rate times the gradient,
    // and the first gradient is the same whatever the rate.
    let first_step = |warm_up, learning_rate| {
        let config = Config {
            optimizer: Optimizer::Sgd,
            learning_rate: Some(learning_rate),
            warm_up,
            batch_size: Some(320),
            valid_fraction: Some(0.0),
            epochs: 1,
            factors: Some(0),
            bias: false,
            ..plain_config()
        };
        model(&job(&data, &config)).weights.linear.floats().to_vec()
    };
    // The first of three batches that grow to the full rate has a quarter of it.
    assert_eq!(first_step(3, 0.5), first_step(0, 0.125));
    assert_ne!(first_step(3, 0.5), first_step(0, 0.5));
}

/// Where a batch is all rows, a row of weight 2 is two rows, and no order of them says anything.
#[test]
fn weights_are_repetitions_where_a_batch_is_all_rows() {
    let folder = folder();
    let weight = |i: usize| [3, 0, 1, 2, 4, 1, 0, 2][i % 8];
    let row = |i: usize, weight: usize| {
        let (a, b, x) = (i * 7 % 5, i * i % 7, (i * 37 % 101) as f32 / 7.0);
        format!("{},{weight},a{a},b{b},{x}\n", (a * b + i) % 3)
    };
    let head = "label,weight,a,b,x\n".to_string();
    // The other way round, so that nothing is summed in the same order.
    let weighted: String = (0..40).rev().map(|i| row(i, weight(i))).collect();
    let repeated: String = (0..40).flat_map(|i| (0..weight(i)).map(move |_| row(i, 1))).collect();
    let files = [weighted, repeated].map(|rows| head.clone() + &rows);
    let [weighted, repeated] = [0, 1].map(|at| write(&folder, &format!("{at}.csv"), &files[at]));
    let hints =
        Hints { label: Some("label".into()), weight: Some("weight".into()), ..Hints::default() };
    let predicted = |config: &Config, data: &str| {
        let schema = SchemaSource::Infer(hints.clone());
        let model = model(&Job { schema, ..job(data, config) });
        let mut reader = input::open(&weighted, &Default::default()).unwrap();
        let (options, threads) = (EvaluateOptions::default(), Threads::new(1).unwrap());
        let found = model.evaluate(&mut *reader, &weighted, &options, &threads).unwrap();
        found.predictions
    };
    for (model, loss) in [
        (Kind::Linear, Loss::Squared),
        (Kind::Fm, Loss::Squared),
        (Kind::Fm, Loss::Softmax),
        (Kind::Ffm, Loss::Squared),
        (Kind::Fwfm, Loss::Softmax),
        (Kind::Fmfm, Loss::Squared),
        (Kind::Hofm, Loss::Squared),
    ] {
        let config = Config {
            model,
            loss: Some(loss),
            batch_size: Some(1000),
            epochs: 20,
            valid_fraction: Some(0.0),
            // Ids are given by how many rows have a value.
            hash_bits: Some(6),
            learn_l2: true,
            l2_linear: 1.0,
            l2_factors: Some(1.0),
            ..plain_config()
        };
        let [weighted, repeated] = [&weighted, &repeated].map(|data| predicted(&config, data));
        assert!(weighted == repeated, "{model:?} {loss:?}: {weighted:?} {repeated:?}");
    }
}
