//! Groups that are odd: rows without one, rows apart from each other, very long ones.

use crate::common;
use crate::common::{bytes, folder, job, model, plain_config, refusal, trained, write};
use pairloom::batch::Outcomes;
use pairloom::config::Config;
use pairloom::loss::{Loss, lists};
use pairloom::metric::Ranking;
use pairloom::model::Model;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::{self, OnError};
use pairloom::schema::Hints;
use pairloom::train::{Job, SchemaSource};
use std::fmt::Write as _;

fn query_job(data: &str, loss: Loss) -> Job {
    let hints = Hints {
        label: Some("y".into()),
        group: Some("q".into()),
        categorical: vec!["a".into()],
        ..Hints::default()
    };
    let config = Config { loss: Some(loss), valid_fraction: Some(0.0), ..plain_config() };
    Job { schema: SchemaSource::Infer(hints), ..job(data, &config) }
}

/// Queries of four rows, of which those with feature 1 come first.
fn rows(queries: usize) -> Vec<String> {
    let row = |i: usize| format!("q{},a{},{}\n", i / 4, i % 3, u8::from(i % 3 == 1));
    (0..queries * 4).map(row).collect()
}

fn text(rows: &[String]) -> String {
    format!("q,a,y\n{}", rows.concat())
}

fn skipping(job: &Job) -> Job {
    Job { on_error: OnError::Skip, ..job.clone() }
}

const EMPTY: &str = "group: an empty cell: say which rows this one belongs to, or leave it out";

#[test]
fn a_row_without_a_group_is_an_error_and_may_be_skipped() {
    let folder = folder();
    let good = write(&folder, "good.csv", text(&rows(20)));
    let expected = model(&query_job(&good, Loss::Bpr));
    for cell in ["", "  "] {
        let mut rows = rows(20);
        rows.insert(2, format!("{cell},a1,1\n"));
        let data = write(&folder, "rows.csv", text(&rows));
        let job = query_job(&data, Loss::Bpr);
        let said = refusal(&job);
        assert!(said.starts_with(&format!("{data}:4:1: {EMPTY}")), "{said}");
        let run = trained(&skipping(&job));
        assert_eq!(run.start.as_ref().unwrap().groups.unwrap().all, 20);
        assert!(bytes(&run.model.unwrap()) == bytes(&expected), "as without this row");
        // The same of rows that are only measured.
        let valid = Job { valid: Some(data.clone()), ..query_job(&good, Loss::Bpr) };
        assert!(refusal(&valid).starts_with(&format!("{data}:4:1: group: ")));
        assert_eq!(trained(&skipping(&valid)).valid.len(), 80);
        let evaluate = |on_error| {
            let mut reader = reading::open(&data, &<_>::default(), &expected.schema).unwrap();
            let options = EvaluateOptions { on_error, ..EvaluateOptions::default() };
            expected.evaluate(&mut *reader, "r", &options, &Threads::new(1).unwrap())
        };
        let said = evaluate(OnError::Stop).unwrap_err().to_string();
        assert!(said.ends_with(EMPTY), "{said}");
        let found = evaluate(OnError::Skip).unwrap();
        assert_eq!((found.outcome.skipped.rows, found.labels.len()), (1, 80));
    }
}

#[test]
fn so_is_a_row_without_a_qid() {
    let folder = folder();
    let row = |i: usize| format!("{} qid:{} {}:1\n", u8::from(i % 3 == 1), i / 4, i % 3);
    let mut rows: Vec<String> = (0..80).map(row).collect();
    rows.insert(2, "1 1:1\n".into());
    let data = write(&folder, "rows.svm", rows.concat());
    let config = Config { loss: Some(Loss::Warp), valid_fraction: Some(0.0), ..plain_config() };
    let job = job(&data, &config);
    let said = refusal(&job);
    assert!(said.starts_with(&format!("{data}:3:")) && said.contains("as qid:7"), "{said}");
    let groups = trained(&skipping(&job)).start.unwrap().groups.unwrap();
    assert_eq!(groups.all, 20);
}

#[test]
fn rows_of_a_group_need_not_lie_together() {
    let folder = folder();
    let together = rows(30);
    // The first rows of all queries, then the second ones, ...
    let apart: Vec<String> =
        (0..4).flat_map(|at| together.iter().skip(at).step_by(4).cloned()).collect();
    let [a, b] = [&together, &apart].map(|rows| {
        let data = write(&folder, "rows.csv", text(rows));
        let job = query_job(&data, Loss::Listwise);
        // One step an epoch, so that the order of the groups means nothing.
        let config = Config { batch_size: Some(1000), ..job.config.clone() };
        let run = trained(&Job { config, ..job });
        assert_eq!(run.start.unwrap().groups.map(|of| (of.ranked, of.all)), Some((30, 30)));
        run.model.unwrap().history
    });
    for (a, b) in a.iter().zip(&b) {
        assert!((a.train_loss - b.train_loss).abs() < 1e-5, "{a:?} {b:?}");
    }
}

#[test]
fn long_groups_are_cut_into_parts_of_one_size() {
    for (rows, sizes) in [
        (1, vec![1]),
        (1024, vec![1024]),
        (1025, vec![513, 512]),
        (2048, vec![1024, 1024]),
        (2049, vec![683; 3]),
    ] {
        let mut group: Vec<u32> = (0..rows).collect();
        let mut random = common::random(3);
        let parts: Vec<Vec<u32>> =
            lists::parts(&mut group, &mut random).map(<[u32]>::to_vec).collect();
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
        let mut all = parts.concat();
        assert_eq!(all.is_sorted(), rows <= 1024, "only what is cut is shuffled");
        all.sort_unstable();
        assert_eq!(all, (0..rows).collect::<Vec<_>>());
    }
    assert_eq!(lists::parts(&mut [], &mut common::random(3)).count(), 0);
}

/// Three parts' worth of rows, of which those of the first part are all relevant: cut in the order of the file
/// each part would have rows of one label.
fn long() -> String {
    let row = |i: usize| format!("q0,a{},{}\n", i / 1024, u8::from(i < 1024));
    text(&(0..3 * 1024).map(row).collect::<Vec<_>>())
}

#[test]
fn a_long_group_that_is_sorted_teaches_in_the_order_of_the_file_too() {
    let folder = folder();
    let data = write(&folder, "rows.csv", long());
    for shuffle in [true, false] {
        let job = query_job(&data, Loss::Listwise);
        let config = Config { shuffle, batch_size: Some(1024), epochs: 4, ..job.config.clone() };
        let model = model(&Job { config, ..job });
        let losses: Vec<f64> = model.history.iter().map(|epoch| epoch.train_loss).collect();
        assert!(losses[0] > 1.0 && losses[3] < losses[0] - 0.1, "{shuffle}: {losses:?}");
        let found = evaluate(&model, &data);
        assert_eq!((found.grouped_auc, found.ndcg), (Some(1.0), 1.0), "{shuffle}");
    }
}

fn evaluate(model: &Model, data: &str) -> Ranking {
    let mut reader = reading::open(data, &<_>::default(), &model.schema).unwrap();
    let options = EvaluateOptions::default();
    let found = model.evaluate(&mut *reader, data, &options, &Threads::new(1).unwrap()).unwrap();
    match found.metrics {
        pairloom::metric::Metrics::Ranking(found) => found,
        other => panic!("{other:?}"),
    }
}

/// 2,000 rows, of which each fortieth is relevant, sorted by label or not.
#[test]
fn figures_of_a_long_group_do_not_depend_on_the_order_of_the_file() {
    let row = |i: usize| (((i * 37 % 101) as f64) / 30.0, f32::from(i.is_multiple_of(40)));
    let apart: Vec<(f64, f32)> = (0..2000).map(row).collect();
    let mut sorted = apart.clone();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    for loss in Loss::ranking() {
        let [a, b] = [&apart, &sorted].map(|rows| {
            let (scores, labels): (Vec<f64>, Vec<f32>) = rows.iter().copied().unzip();
            let mut outcomes = Outcomes::default();
            labels.iter().for_each(|&label| outcomes.push_in(Some(0), label, 1.0));
            Ranking::measure(&scores, &outcomes, Some(loss), 10).unwrap()
        });
        let [of_a, of_b] = [&a, &b].map(|found| found.loss.unwrap());
        // Which rows are together is drawn: a part of a thousand rows is like any other.
        assert!((of_a / of_b - 1.0).abs() < 0.02, "{loss}: {of_a} {of_b}");
        assert_eq!(Ranking { loss: None, ..a }, Ranking { loss: None, ..b });
    }
}

/// Rows of weight 0 are as good as not there: the same model is learned, and the same figures are measured.
#[test]
fn rows_of_weight_0_are_as_good_as_not_there() {
    let folder = folder();
    let hints = Hints {
        label: Some("y".into()),
        group: Some("q".into()),
        weight: Some("w".into()),
        categorical: vec!["a".into()],
        ..Hints::default()
    };
    // One row of each query weighs nothing: it is below some, above others.
    let (mut with, mut without) = (String::from("q,a,w,y\n"), String::from("q,a,w,y\n"));
    for i in 0..200 {
        let nothing = i % 5 == 4;
        let line = format!("q{},a{},{},{}\n", i / 5, i * i % 7, u8::from(!nothing), i * 7 % 11 % 3);
        with += &line;
        if !nothing {
            without += &line;
        }
    }
    for loss in Loss::ranking() {
        let [with, without] = [&with, &without].map(|text| {
            let data = write(&folder, "rows.csv", text);
            let config = Config {
                loss: Some(loss),
                valid_fraction: Some(0.0),
                // Neither numbers of ids nor batches may depend on how many rows there are.
                hash_bits: Some(6),
                batch_size: Some(1000),
                shuffle: false,
                ..plain_config()
            };
            let schema = SchemaSource::Infer(hints.clone());
            let job = Job { schema, valid: Some(data.clone()), ..job(&data, &config) };
            let run = trained(&job);
            (run.start.unwrap().groups.unwrap(), run.model.unwrap())
        });
        assert_eq!((with.0.ranked, with.0.all), (without.0.ranked, without.0.all), "{loss}");
        for (a, b) in with.1.history.iter().zip(&without.1.history) {
            assert!((a.train_loss - b.train_loss).abs() < 1e-6, "{loss}: {a:?} {b:?}");
            let [a, b] = [a, b].map(|epoch| epoch.valid.as_ref().unwrap().loss());
            assert!((a - b).abs() < 1e-6, "{loss}: {a} {b}");
        }
    }
}

#[test]
fn labels_that_differ_in_rows_of_weight_0_alone_are_all_alike() {
    let folder = folder();
    let text = |of_weight_0: &str| {
        let mut text = String::from("a,w,y\n");
        for i in 0..40 {
            writeln!(text, "a{},1,1", i % 3).unwrap();
            writeln!(text, "a{},0,{of_weight_0}", i % 3).unwrap();
        }
        text
    };
    let hints = || Hints { label: Some("y".into()), weight: Some("w".into()), ..Hints::default() };
    for of_weight_0 in ["0", "7"] {
        let data = write(&folder, "rows.csv", text(of_weight_0));
        let job = Job { schema: SchemaSource::Infer(hints()), ..job(&data, &plain_config()) };
        let said = refusal(&job);
        assert!(said.contains("training rows with a weight above 0 have the label '1'"), "{said}");
    }
}
