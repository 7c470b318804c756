//! Rows that are read once and trained on many times, and rows in memory beside the files that they stand for.

use crate::common::{bytes, clicks, folder, job, model, path, plain_config, write};
use ndarray::Array2;
use pairloom::config::Config;
use pairloom::input::{self, Beside, OpenOptions, RawRow};
use pairloom::loss::Loss;
use pairloom::reading::Given;
use pairloom::schema::Hints;
use pairloom::synth::SynthConfig;
use pairloom::train::{Dataset, Job, SchemaSource, train_on};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::Arc;

fn log() -> Vec<u8> {
    clicks(&SynthConfig { rows: 900, features: 300, ..SynthConfig::default() }).0
}

fn quiet() -> impl FnMut(pairloom::train::Event<'_>) -> bool {
    |_| true
}

#[test]
fn one_reading_serves_many_trainings() {
    let folder = folder();
    let data = write(&folder, "log.csv", log());
    let job = job(&data, &plain_config());
    let rows = Dataset::read(&job, &mut quiet()).unwrap();
    let text = bytes(&model(&job));
    for _ in 0..2 {
        let trained = train_on(rows.clone(), None, &job, &mut quiet()).unwrap();
        assert_eq!(bytes(&trained.model.unwrap()), text);
    }
    // Other settings, the same rows: and the last to have them may forget them as it goes.
    let job = Job { config: Config { min_count: 3, factors: Some(2), ..job.config }, ..job };
    let trained = train_on(rows, None, &job, &mut quiet()).unwrap();
    assert_eq!(bytes(&trained.model.unwrap()), bytes(&model(&job)));
}

/// Also where the memory for rows is limited, so that they lie in a file.
#[test]
fn rows_in_a_temporary_file_serve_as_well() {
    let folder = folder();
    let data = write(&folder, "log.csv", log());
    let config = Config { memory: Some(64 << 20), ..plain_config() };
    let job = job(&data, &config);
    let rows = Dataset::read(&job, &mut quiet()).unwrap();
    for _ in 0..2 {
        let trained = train_on(rows.clone(), None, &job, &mut quiet()).unwrap();
        assert_eq!(bytes(&trained.model.unwrap()), bytes(&model(&job)));
    }
}

#[test]
fn validation_rows_may_be_a_data_set_or_given() {
    let folder = folder();
    let text = log();
    let (data, other) = (write(&folder, "log.csv", &text), write(&folder, "valid.csv", &text));
    let job = Job { valid: Some(other.clone()), ..job(&data, &plain_config()) };
    let expected = bytes(&model(&job));
    let rows = Dataset::read(&job, &mut quiet()).unwrap();
    let again = Given::Own(rows.reader(rows.schema()).unwrap());
    let given = Given::Own(input::open(&other, &OpenOptions::default()).unwrap());
    for valid in [again, given] {
        let trained = train_on(rows.clone(), Some(valid), &job, &mut quiet()).unwrap();
        assert_eq!(bytes(&trained.model.unwrap()), expected);
    }
}

/// Labels, weights and groups of many rows, as arrays have them.
fn outside(rows: usize) -> (Vec<f64>, Vec<f64>) {
    let label = (0..rows).map(|row| f64::from(row * row % 7 > 2)).collect();
    (label, (0..rows).map(|row| 0.5 + (row % 3) as f64).collect())
}

fn beside(label: &[f64], weight: &[f64]) -> Vec<(String, Arc<Beside>)> {
    let column = |name: &str, numbers: &[f64]| {
        (name.to_string(), Arc::new(Beside::Numbers(numbers.to_vec())))
    };
    vec![column("label", label), column("weight", weight)]
}

fn hints() -> SchemaSource {
    let [label, weight] = ["label", "weight"].map(|name| Some(name.to_string()));
    SchemaSource::Infer(Hints { label, weight, ..Hints::default() })
}

/// The weights of a model, as text that tells bits.
fn numbers(job: &Job, rows: Dataset) -> String {
    let model = train_on(rows, None, job, &mut quiet()).unwrap().model.unwrap();
    let weights = &model.weights;
    format!("{:?} {:?} {:?}", weights.bias, weights.linear.floats(), weights.factors.floats())
}

#[test]
fn a_dense_matrix_is_the_table_of_its_numbers() {
    let (rows, (label, weight)) = (700, outside(700));
    let value = |row: usize, column: usize| match (row * 31 + column * 17) % 11 {
        0 => f64::NAN,
        n => (n as f64 - 4.0) / 3.0 + column as f64 * 1e-3,
    };
    let matrix = Array2::from_shape_fn((rows, 3), |(row, column)| value(row, column));
    let mut text = String::from("a,b,c,label,weight\n");
    for row in 0..rows {
        for column in 0..3 {
            let value = value(row, column);
            let cell = if value.is_nan() { String::new() } else { value.to_string() };
            write!(text, "{cell},").unwrap();
        }
        writeln!(text, "{},{}", label[row], weight[row]).unwrap();
    }
    let folder = folder();
    let job = Job { schema: hints(), ..job(&write(&folder, "rows.csv", text), &plain_config()) };
    let expected = numbers(&job, Dataset::read(&job, &mut quiet()).unwrap());
    let names = ["a", "b", "c"].map(String::from).to_vec();
    // In both orders of memory.
    let turned = matrix.t().as_standard_layout().into_owned();
    for view in [matrix.view(), turned.t()] {
        let reader = input::dense(view, names.clone(), "matrix").unwrap();
        let reader = input::beside(reader, beside(&label, &weight), "matrix").unwrap();
        let rows = Dataset::from_reader(Given::Lent(reader), &job, &mut quiet()).unwrap();
        assert_eq!(numbers(&job, rows), expected);
    }
}

/// The parts of a sparse matrix, and the file that it is.
fn sparse(rows: usize, label: &[f64]) -> (Vec<i32>, Vec<i32>, Vec<f32>, String) {
    let (mut starts, mut indices, mut values, mut text) = (vec![0], vec![], vec![], String::new());
    for (row, label) in label.iter().enumerate().take(rows) {
        write!(text, "{label}").unwrap();
        for index in (0..9).filter(|index| (row + index) % 4 == 0 || index % 7 == row % 7) {
            let value = 0.25 * (1 + (row + index) % 5) as f32;
            write!(text, " {index}:{value}").unwrap();
            indices.push(index as i32);
            values.push(value);
        }
        starts.push(indices.len() as i32);
        text.push('\n');
    }
    (starts, indices, values, text)
}

#[test]
fn compressed_sparse_rows_are_the_libsvm_file_of_them() {
    let label = outside(600).0;
    let (starts, indices, values, text) = sparse(600, &label);
    let folder = folder();
    let job = job(&write(&folder, "rows.svm", text), &plain_config());
    let expected = numbers(&job, Dataset::read(&job, &mut quiet()).unwrap());
    let parts = input::Sparse { starts: &starts, indices: &indices, values: &values };
    let reader = input::sparse(parts, "matrix").unwrap();
    let column = ("label".to_string(), Arc::new(Beside::Numbers(label)));
    let reader = input::beside(reader, vec![column], "matrix").unwrap();
    let rows = Dataset::from_reader(Given::Lent(reader), &job, &mut quiet()).unwrap();
    assert_eq!(numbers(&job, rows), expected);
}

#[test]
fn texts_beside_rows_are_cells() {
    let matrix = Array2::<i64>::from_shape_fn((4, 1), |(row, _)| row as i64);
    let reader = input::dense(matrix.view(), vec!["x".into()], "matrix").unwrap();
    let texts = Beside::Texts(vec![1, 0, 1, 1], vec!["no".into(), "yes, sir".into()]);
    let mut reader = input::beside(reader, vec![("y".into(), Arc::new(texts))], "matrix").unwrap();
    assert_eq!(reader.columns(), ["x", "y"]);
    let (mut row, mut found) = (RawRow::new(), Vec::new());
    while reader.read(&mut row).unwrap() {
        found.push((
            row.line(),
            [0, 1].map(|cell| String::from_utf8_lossy(row.cell(cell)).into_owned()),
        ));
    }
    let expected = [[1, 0, 1], [2, 1, 0], [3, 2, 1], [4, 3, 1]];
    for ((line, [x, y]), [number, value, place]) in found.iter().zip(expected) {
        assert_eq!((*line, &**x), (number, &*value.to_string()));
        assert_eq!(y, ["no", "yes, sir"][place as usize]);
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let matrix = Array2::<f64>::zeros((3, 1));
    let read_all = |labels: usize| {
        let reader = input::dense(matrix.view(), vec!["x".into()], "matrix").unwrap();
        let column = ("label".to_string(), Arc::new(Beside::Numbers(vec![0.0; labels])));
        let mut reader = input::beside(reader, vec![column], "matrix").unwrap();
        let mut row = RawRow::new();
        loop {
            match reader.read(&mut row) {
                Ok(true) => {}
                Ok(false) => return "all is well".to_string(),
                Err(error) => return error.to_string(),
            }
        }
    };
    assert_eq!(read_all(3), "all is well");
    let wrong = |rows: &str, labels: u32| {
        format!("matrix: there are {rows} rows and {labels} labels or weights of rows")
    };
    assert_eq!([read_all(2), read_all(4)], [wrong("at least 3", 2), wrong("3", 4)]);

    let refused = |starts: &[i64], indices: &[i64], values: &[f64]| {
        let mut reader = match input::sparse(input::Sparse { starts, indices, values }, "m") {
            Ok(reader) => reader,
            Err(error) => return error.to_string(),
        };
        let mut row = RawRow::new();
        while match reader.read(&mut row) {
            Ok(more) => more,
            Err(error) => return error.to_string(),
        } {}
        "all is well".to_string()
    };
    assert_eq!(refused(&[0, 1], &[0], &[1.0]), "all is well");
    let parts = "m: it is no matrix of compressed sparse rows: its parts do not fit together";
    for starts in [&[][..], &[1], &[1, 1], &[0, 2], &[0, -1, 1], &[1, 0, 1], &[0, 3, 1]] {
        assert_eq!(refused(starts, &[0], &[1.0]), parts, "{starts:?}");
    }
    assert_eq!(refused(&[0, 1], &[0], &[]), parts);
    let row = "m:1:1: a negative column, or a value that is not finite";
    assert_eq!(refused(&[0, 1], &[-1], &[1.0]), row);
    assert_eq!(refused(&[0, 1], &[0], &[f64::NAN]), row);
    assert_eq!(refused(&[0, 1], &[0], &[1e39]), row);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// A row that weighs twice is two rows to what is learned of columns, whatever the unit of weights.
    #[test]
    fn quantities_are_learned_by_weight(
        rows in prop::collection::vec((-9.0..9.0f64, 0..4u32, 0..2u32), 40..80),
        scale in prop::sample::select(vec![1.0, 0.5]),
    ) {
        let folder = folder();
        let (mut weighted, mut copies) = (String::from("y,x,w\n"), String::from("y,x,w\n"));
        // Both classes and a first value whatever is drawn.
        let both = [(1.0, 1, 0), (2.0, 1, 1)];
        for (x, times, y) in both.into_iter().chain(rows) {
            writeln!(weighted, "{y},{x},{}", f64::from(times) * scale).unwrap();
            (0..times).for_each(|_| writeln!(copies, "{y},{x},1").unwrap());
        }
        let hints = Hints { label: Some("y".into()), weight: Some("w".into()), ..Hints::default() };
        let hints = Hints { numeric: vec!["x".into()], ..hints };
        let config = Config { loss: Some(Loss::Logistic), valid_fraction: Some(0.0), ..plain_config() };
        let encoding = |name: &str, text: &str| {
            let data = write(&folder, name, text);
            let schema = SchemaSource::Infer(hints.clone());
            model(&Job { schema, ..job(&data, &config) }).encoding
        };
        // What weighs half is drawn half as often as whole copies: then only a number may be left out.
        let (one, other) = (encoding("w.csv", &weighted), encoding("c.csv", &copies));
        if scale == 1.0 {
            prop_assert_eq!(one, other);
        } else {
            prop_assert_eq!(one.fields.len(), other.fields.len());
        }
    }
}

#[test]
fn a_data_set_says_what_it_is() {
    let folder = folder();
    let data = write(&folder, "log.csv", log());
    let rows = Dataset::read(&Job::new(&data), &mut quiet()).unwrap();
    assert_eq!((rows.len(), rows.is_empty(), rows.name()), (900, false, &*data));
    assert_eq!(rows.loss_of_classes(), Loss::Logistic);
    assert!(rows.notes().is_empty() && rows.skipped().rows == 0);
    let missing = Dataset::read(&Job::new(path(&folder, "none.csv")), &mut quiet());
    assert!(missing.unwrap_err().to_string().contains("none.csv"));
}
