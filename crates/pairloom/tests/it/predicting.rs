//! Prediction in pieces: rows left out, cells kept, and rows whose score is not finite.

use pairloom::batch::Rows;
use pairloom::input::{FormatName, OpenOptions, Reader, Sparse, from_bytes, sparse};
use pairloom::parallel::Threads;
use pairloom::predict::PredictOptions;
use pairloom::reading::OnError;
use pairloom::table::Table;
use pairloom::train::{Job, train};
use pairloom::{Error, Model};

/// A small machine over two pairs.
fn model() -> Model {
    trained_on((0..200).map(|i| format!("{} 1:{} 2:1\n", i % 2, i % 2 + i % 5)).collect())
}

fn trained_on(rows: String) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.svm");
    std::fs::write(&file, rows).unwrap();
    let mut job = Job::new(file.to_str().unwrap());
    job.config.epochs = 2;
    train(&job, &mut |_| true).unwrap().model.unwrap()
}

/// More rows than two pieces; row 5 is far too large and row 20,000 no row at all.
fn rows() -> String {
    let row = |i: usize| match i {
        5 => "1 1:1e38 2:1e38\n".to_string(),
        20_000 => "1 1:x\n".to_string(),
        _ => format!("{} 1:{} 2:1\n", i % 2, i % 7),
    };
    (1..=30_000).map(row).collect()
}

type Predicted = (Vec<f64>, Vec<String>, pairloom::Result<Vec<String>>);

fn predict(on_error: OnError) -> Predicted {
    predict_text(2, rows(), on_error)
}

fn predict_text(threads: usize, rows: String, on_error: OnError) -> Predicted {
    let options = OpenOptions { format: Some(FormatName::Libsvm), ..Default::default() };
    let mut reader = from_bytes("rows", rows, &options).unwrap();
    predict_by(threads, &mut *reader, vec!["label".into()], on_error)
}

fn predict_by(
    threads: usize,
    reader: &mut dyn Reader,
    keep: Vec<String>,
    on_error: OnError,
) -> Predicted {
    let (model, count) = (model(), keep.len());
    let options = PredictOptions { on_error, keep, ..Default::default() };
    let (mut predictions, mut kept) = (Vec::new(), Vec::new());
    let threads = Threads::new(threads).unwrap();
    let skipped = model.predict_rows(reader, "rows", &options, &threads, |piece| {
        assert!(piece.predictions.len() <= 8192, "rows pile up");
        for row in 0..piece.predictions.len() {
            let cells = piece.kept(row, count).map(|c| String::from_utf8_lossy(c).into_owned());
            kept.extend(cells);
        }
        predictions.extend_from_slice(&piece.predictions);
        Ok(())
    });
    (predictions, kept, skipped.map(|outcome| outcome.skipped.first))
}

#[test]
fn rows_whose_score_is_not_finite_are_left_out_like_any_others() {
    let (predictions, kept, skipped) = predict(OnError::Skip);
    let skipped = skipped.unwrap();
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert!(skipped.iter().any(|s| s.starts_with("rows:5:1: the score")), "{skipped:?}");
    assert!(skipped.iter().any(|s| s.starts_with("rows:20000:5: ")), "{skipped:?}");
    assert_eq!(predictions.len(), 29_998);
    assert!(predictions.iter().all(|p| (0.0..=1.0).contains(p)));
    let expected: Vec<String> =
        (1..=30_000).filter(|i| ![5, 20_000].contains(i)).map(|i| (i % 2).to_string()).collect();
    assert!(kept == expected, "kept cells stay beside their rows");
}

type Told = (Vec<f64>, Vec<String>, Result<Vec<String>, String>);

fn told((predictions, kept, skipped): Predicted) -> Told {
    match skipped {
        Ok(skipped) => (predictions, kept, Ok(skipped)),
        // What was handed on before an error is what happened to be done.
        Err(error) => (vec![], vec![], Err(error.to_string())),
    }
}

#[test]
fn rows_of_a_matrix_are_read_by_all_threads_as_those_of_text_are_by_one() {
    for from in [0, 90, 500, 1100, 2000] {
        let value = |i: usize| match i {
            _ if i >= from && i % 97 == 5 => 1e38f32,
            _ if i >= from && i % 89 == 7 => f32::NAN,
            _ => (i % 3) as f32,
        };
        let starts: Vec<i32> = (0..=1500).map(|row| 2 * row).collect();
        let indices: Vec<i32> = (0..1500).flat_map(|row| [1, 2 + row % 4]).collect();
        let values: Vec<f32> = (0..1500).flat_map(|row| [value(row); 2]).collect();
        let row = |row: usize| {
            let (value, other) = (value(row), indices[2 * row + 1]);
            format!("0 1:{value} {other}:{value}\n")
        };
        let text = (0..1500).map(row).collect::<String>();
        for on_error in [OnError::Skip, OnError::Stop] {
            let matrix = |threads| {
                let parts = Sparse { starts: &starts, indices: &indices, values: &values };
                told(predict_by(threads, &mut *sparse(parts, "rows").unwrap(), vec![], on_error))
            };
            let alone = matrix(1);
            assert_eq!(alone.2.is_ok(), on_error == OnError::Skip || from == 2000);
            for threads in [2, 3, 8] {
                assert_eq!(matrix(threads), alone, "{from} {threads}");
            }
            assert_eq!(alone.0, told(predict_text(1, text.clone(), on_error)).0, "{from}");
        }
    }
}

#[test]
fn nothing_that_is_told_depends_on_the_number_of_threads() {
    let row = |from: usize, i: usize| match i {
        _ if i >= from && i % 97 == 5 => "1 1:1e38 2:1e38\n".to_string(),
        _ if i >= from && i % 89 == 7 => "1 1:x\n".to_string(),
        _ => format!("{} 1:{} 2:1\n", i % 2, i % 7),
    };
    for from in [0, 90, 500, 1100] {
        let rows = (0..1500).map(|i| row(from, i)).collect::<String>();
        let told = |threads, on_error| self::told(predict_text(threads, rows.clone(), on_error));
        for on_error in [OnError::Skip, OnError::Stop] {
            let alone = told(1, on_error);
            assert_eq!(alone.2.is_ok(), on_error == OnError::Skip);
            for threads in [2, 3, 8] {
                assert_eq!(told(threads, on_error), alone, "{from} {threads}");
            }
        }
    }
}

#[test]
fn or_end_the_input_with_their_place() {
    let (_, _, skipped) = predict(OnError::Stop);
    match skipped {
        Err(error @ Error::Row { .. }) => assert!(error.to_string().starts_with("rows:5:1: ")),
        other => panic!("{other:?}"),
    }
}

/// A score beyond all numbers is a probability of 0 or 1 and an error all the same.
#[test]
fn a_score_that_is_infinite_is_an_error_though_its_probability_is_not() {
    for sign in [1.0, -1.0] {
        let mut model = model();
        model.weights.linear.change(|_, v| v.iter_mut().for_each(|v| *v = sign * 1e10));
        model.weights.factors.change(|_, v| v.iter_mut().for_each(|v| *v = 0.0));
        let options = OpenOptions { format: Some(FormatName::Libsvm), ..Default::default() };
        let predict = |on_error| {
            let rows = "1 1:1\n0 1:1e37\n1 1:2\n";
            let mut reader = from_bytes("rows", rows, &options).unwrap();
            let options = PredictOptions { on_error, ..PredictOptions::default() };
            let mut all = Vec::new();
            let threads = Threads::new(1).unwrap();
            let done = model.predict_rows(&mut *reader, "rows", &options, &threads, |piece| {
                all.extend_from_slice(&piece.predictions);
                Ok(())
            });
            (all, done.map(|outcome| outcome.skipped))
        };
        let error = predict(OnError::Stop).1.unwrap_err().to_string();
        assert!(error.starts_with("rows:2:1: the score of this row is not finite"), "{error}");
        let (all, skipped) = predict(OnError::Skip);
        let expected = if sign > 0.0 { 1.0 } else { 0.0 };
        assert_eq!((all, skipped.unwrap().rows), (vec![expected; 2], 1));
    }
}

#[test]
fn wide_rows_are_scored_in_smaller_pieces() {
    let pairs: String = (1..=5000).map(|i| format!(" {i}:1")).collect();
    let model = trained_on(format!("1{pairs}\n0{pairs}\n").repeat(20));
    let rows = format!("1{pairs}\n").repeat(1000);
    let options = OpenOptions { format: Some(FormatName::Libsvm), ..Default::default() };
    let mut reader = from_bytes("rows", rows, &options).unwrap();
    let (mut all, threads) = (0, Threads::new(1).unwrap());
    let options = PredictOptions::default();
    let done = model.predict_rows(&mut *reader, "rows", &options, &threads, |piece| {
        assert!(piece.predictions.len() < 700, "entries pile up");
        all += piece.predictions.len();
        Ok(())
    });
    assert_eq!((done.unwrap().skipped.rows, all), (0, 1000));
}

/// Ids that are written in another way are told, with one of them; a few new ones are not.
#[test]
fn a_column_of_unseen_values_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    let rows = |id: &dyn Fn(usize) -> String| {
        let row = |i: usize| format!("{},{},{}\n", i % 2, id(i), ["a", "b", "c"][i % 3]);
        format!("label,cid_code,tag\n{}", (0..400).map(row).collect::<String>())
    };
    std::fs::write(&file, rows(&|i| format!("{}", 5 + i % 40))).unwrap();
    let mut job = Job::new(file.to_str().unwrap());
    job.config.epochs = 1;
    let model = train(&job, &mut |_| true).unwrap().model.unwrap();
    let told = |text: String| {
        let mut reader = from_bytes("rows.csv", text, &OpenOptions::default()).unwrap();
        let (options, threads) = (PredictOptions::default(), Threads::new(1).unwrap());
        let done = model.predict_rows(&mut *reader, "rows.csv", &options, &threads, |_| Ok(()));
        done.unwrap().unseen.iter().map(|unseen| unseen.to_string()).collect::<Vec<_>>()
    };
    let begins = "100% of the values of 'cid_code' are none that the model knows: ";
    let floats = told(rows(&|i| format!("{}.0", 5 + i % 40)));
    assert_eq!(floats, [format!("{begins}are they written in another way ('5.0' for '5')?")]);
    let padded = told(rows(&|i| format!("{:05}", 5 + i % 40)));
    assert_eq!(padded, [format!("{begins}are they written in another way ('00005' for '5')?")]);
    let others = told(rows(&|i| format!("x{i}")));
    assert_eq!(others, [format!("{begins}are these rows like the training rows?")]);
    let none: [&str; 0] = [];
    assert_eq!(told(rows(&|i| format!("{}", 5 + i % 70))), none);
    assert_eq!(told(rows(&|_| String::new())), none);
    let few = rows(&|i| format!("x{i}")).lines().take(90).map(|line| format!("{line}\n")).collect();
    assert_eq!(told(few), none);
}

#[test]
fn rows_of_another_format_are_refused() {
    let options = OpenOptions { format: Some(FormatName::Libffm), ..Default::default() };
    let mut reader = from_bytes("rows", "1 3:1:1 4:2:1\n", &options).unwrap();
    let threads = Threads::new(1).unwrap();
    let options = PredictOptions::default();
    let done = model().predict_rows(&mut *reader, "rows", &options, &threads, |_| Ok(()));
    let message = "rows: it is read as libffm, and the model is one for libsvm";
    assert_eq!(done.unwrap_err().to_string(), message);
}

#[test]
fn a_row_alone_scores_as_among_others() {
    let mut model = model();
    let mut rows = Rows::new();
    for i in 0..50 {
        (0..i % 3).for_each(|id| rows.push(id, if i < 25 { 1.0 } else { 0.3 * id as f32 }));
        rows.finish(0.0, 1.0);
    }
    // A width that kernels are compiled for, and one that they are not.
    for factors in [model.config.resolved_factors(), 40] {
        model.config.factors = Some(factors);
        let width = factors.next_multiple_of(8);
        let mut factors = Table::new(model.weights.factors.features(), width, 0).unwrap();
        let floats = factors.floats_mut().iter_mut().enumerate();
        floats.for_each(|(i, v)| *v = (i % 13) as f32 * 0.01 - 0.05);
        model.weights.factors = factors;
        let all = model.scores(&rows, &Threads::new(1).unwrap());
        let alone = (0..rows.len()).map(|i| model.score(rows.row(i)).to_bits());
        assert!(alone.eq(all.iter().map(|score| score.to_bits())));
        assert!(all.iter().any(|score| *score != all[0]), "rows differ");
    }
}
