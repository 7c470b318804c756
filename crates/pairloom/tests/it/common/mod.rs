//! What several test files need: folders, random numbers, training jobs, the bytes of models.

pub mod container;

use pairloom::Model;
use pairloom::batch::{Outcomes, Rows};
use pairloom::config::Config;
use pairloom::data::{Interned, Interning};
use pairloom::encode::{self, Beside, Encoding, RowEncoder, Transform};
use pairloom::input::{self, Format, FormatName, OpenOptions, RawRow};
use pairloom::loss::Loss;
use pairloom::metric::{Measure, Metrics};
use pairloom::parallel::Threads;
use pairloom::predict::PredictOptions;
use pairloom::reading::OnError;
use pairloom::schema::{Column, Role, Schema};
use pairloom::store::{Room, Store};
use pairloom::synth::{Synth, SynthConfig, SynthSummary};
use pairloom::train::{Job, SchemaSource, Trained, train};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

/// A CSV whose first line names the columns.
pub const CSV: Format = Format::Csv { delimiter: ',', header: true };

/// A generator that gives the same numbers in every run.
pub fn random(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// A folder that is removed at the end of the test.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A path in the folder.
pub fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_string()
}

/// Writes a file into the folder and returns its path.
pub fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = path(folder, name);
    fs::write(&path, text).unwrap();
    path
}

/// Settings in which nothing depends on what the defaults are.
#[allow(clippy::needless_update)] // A setting that is added later needs no change here.
pub fn plain_config() -> Config {
    Config {
        factors: Some(4),
        bias: true,
        linear: true,
        init_stdev: Some(0.05),
        loss: None,
        optimizer: pairloom::optimizer::Optimizer::Adagrad,
        learning_rate: Some(0.1),
        warm_up: 0,
        l2_linear: 0.0,
        l2_factors: Some(0.0),
        batch_size: Some(64),
        epochs: 3,
        shuffle: true,
        patience: 0,
        rate_decay: 1.0,
        seed: 7,
        valid_fraction: Some(0.2),
        valid_tail: 0.0,
        min_count: 1,
        hash_bits: None,
        numeric_transform: encode::Transform::Quantile,
        bins: Some(8),
        ..Config::default()
    }
}

/// A job on this file, with one thread, and with the schema inferred.
pub fn job(data: &str, config: &Config) -> Job {
    Job { config: config.clone(), threads: 1, ..Job::new(data) }
}

/// Runs a job that must not fail.
pub fn trained(job: &Job) -> Trained {
    train(job, &mut |_| true).unwrap()
}

/// The model of a job that must give one.
pub fn model(job: &Job) -> Model {
    trained(job).model.unwrap()
}

/// The message of a job that must fail.
pub fn refusal(job: &Job) -> String {
    train(job, &mut |_| true).unwrap_err().to_string()
}

/// The bytes of a model's file.
pub fn bytes(model: &Model) -> Vec<u8> {
    let folder = folder();
    let path = path(&folder, "model");
    model.save(&path).unwrap();
    fs::read(path).unwrap()
}

/// A synthetic click log with a header, and what is known of it.
pub fn clicks(config: &SynthConfig) -> (Vec<u8>, SynthSummary) {
    let mut text = Vec::new();
    let format = Format::Csv { delimiter: ',', header: true };
    let synth = Synth::new(config, Threads::new(1).unwrap()).unwrap();
    let summary = synth.write(format, &mut text, "memory").unwrap();
    (text, summary)
}

/// A small click log: a few columns of a few values.
pub fn small_clicks(rows: u64) -> Vec<u8> {
    let cardinalities = vec![12, 30, 5, 8];
    clicks(&SynthConfig { rows, cardinalities, factors: 3, ..SynthConfig::default() }).0
}

/// The rows and column names of a text.
pub fn raw_rows(name: &str, text: &str, format: Format) -> (Vec<String>, Vec<RawRow>) {
    use input::FormatName;
    let (name_of_format, header) = match format {
        Format::Csv { header, .. } => (FormatName::Csv, Some(header)),
        Format::Libsvm => (FormatName::Libsvm, None),
        Format::Libffm => (FormatName::Libffm, None),
        Format::MovieLens { edition } => (FormatName::MovieLens(edition), None),
        Format::Parquet => (FormatName::Parquet, None),
    };
    let delimiter = match format {
        Format::Csv { delimiter, .. } => Some(delimiter),
        _ => None,
    };
    let options =
        OpenOptions { format: Some(name_of_format), delimiter, header, ..OpenOptions::default() };
    let mut reader = input::from_bytes(name, text.as_bytes(), &options).unwrap();
    let mut rows = Vec::new();
    let mut row = RawRow::new();
    while reader.read(&mut row).unwrap() {
        rows.push(row.clone());
    }
    (reader.columns().to_vec(), rows)
}

/// A schema of comma-separated columns with a header.
pub fn schema(columns: &[(&str, pairloom::schema::Role)]) -> Schema {
    use pairloom::schema::{Column, Role};
    let column = |&(name, role): &(&str, Role)| Column {
        separator: (role == Role::Multi).then_some('|'),
        ..Column::new(name, role)
    };
    Schema {
        format: Format::Csv { delimiter: ',', header: true },
        positive: None,
        item: Vec::new(),
        columns: columns.iter().map(column).collect(),
    }
}

/// Whether two numbers are within a share of a scale of each other.
pub fn near(a: f64, b: f64, share: f64, scale: f64) -> bool {
    (a - b).abs() <= share * scale
}

/// Files of a folder, by name.
pub fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| name(e).into_string().unwrap()).collect();
    names.sort();
    names
}

/// The mean loss under a model's own target and loss, as a check that is not the metric's.
pub fn mean_loss(model: &Model, rows: &Rows) -> f64 {
    let scores = model.scores(rows, &Threads::new(1).unwrap());
    let loss: Loss = model.config.resolved_loss();
    let of_row = |(row, &score): (usize, &f32)| {
        let (label, weight) = rows.label(row);
        let label = model.encoding.target.standardize(label);
        f64::from(weight) * loss.value(f64::from(score), label)
    };
    let weight: f64 = rows.outcomes().map(|(_, weight)| f64::from(weight)).sum();
    scores.iter().enumerate().map(of_row).sum::<f64>() / weight
}

/// A CSV of a label, two categorical columns and a numeric one, all plain text.
pub fn mixed(rows: usize) -> String {
    let line = |i: usize| {
        let (a, b, n) = (i * 7 % 11, i * i % 13, (i * 37 % 101) as f64 / 8.0);
        format!("{},a{a},b{b},{n}\n", u8::from((a + b) % 3 == 0))
    };
    format!("label,a,b,n\n{}", (0..rows).map(line).collect::<String>())
}

/// Names as they are given to hints.
pub fn words(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// A regression file whose label is the row's number, so that held-out rows can be told.
pub fn numbered(rows: usize) -> String {
    let line = |i: usize| format!("{i},c{},g{}\n", i % 7, i / 10);
    format!("label,c,g\n{}", (0..rows).map(line).collect::<String>())
}

/// Metrics of a model on encoded rows.
pub fn measured(model: &Model, rows: &Rows) -> Metrics {
    let predictions = model.predict(rows, &Threads::new(1).unwrap());
    let outcomes: Outcomes = rows.outcomes().collect();
    let (loss, scale) = (model.config.resolved_loss(), model.encoding.target.scale());
    Measure::new(loss, scale).measure(&predictions, &outcomes).unwrap()
}

/// Rows that are in memory.
pub fn held(store: Store) -> Rows {
    match store {
        Store::Held(rows) => rows,
        Store::Spilled(_) => panic!("these rows are in a file"),
    }
}

/// An encoding and the rows that it was learned from, and those held out.
pub struct Learned {
    pub encoding: Encoding,
    pub train: Rows,
    pub valid: Rows,
}

/// Learns from the rows that are not held out, and encodes all.
pub fn learned(schema: &Schema, config: &Config, rows: &[RawRow], held_out: &[bool]) -> Learned {
    let mut interning = Interning::new(schema);
    rows.iter().for_each(|row| interning.push(schema, row).unwrap());
    learned_of(interning.done().unwrap(), schema, config, held_out)
}

/// The same of rows that are interned.
pub fn learned_of(
    interned: Interned,
    schema: &Schema,
    config: &Config,
    held_out: &[bool],
) -> Learned {
    let threads = Threads::new(2).unwrap();
    let encoding = encode::learn(
        (&interned, held_out),
        schema,
        config,
        None,
        "rows.csv",
        &threads,
        &mut || Ok(()),
    )
    .unwrap();
    let room = Room::default();
    let (interned, beside) = (interned.into(), Beside { held_out, ..Beside::default() });
    let stores =
        encode::encode(interned, &encoding, &room, None, &beside, &threads, &mut || Ok(()));
    let [train, valid, _] = stores.unwrap().map(held);
    Learned { encoding, train, valid }
}

/// Encodes rows one by one.
pub fn one_by_one(
    encoding: &Encoding,
    schema: &Schema,
    names: &[String],
    rows: &mut dyn Iterator<Item = &RawRow>,
) -> Rows {
    let mut encoder = RowEncoder::bind(encoding, schema, "rows.csv", names, true).unwrap();
    let mut encoded = Rows::new();
    rows.for_each(|row| encoder.encode(row, &mut encoded).unwrap());
    encoded
}

/// Bytes packed by gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Options that name the format.
pub fn options(format: FormatName) -> OpenOptions {
    OpenOptions { format: Some(format), ..OpenOptions::default() }
}

/// Options of a CSV, with a header or without.
pub fn csv(header: bool) -> OpenOptions {
    OpenOptions { delimiter: Some(','), header: Some(header), ..options(FormatName::Csv) }
}

/// Rows with every kind of column.
pub fn all_kinds(count: usize) -> String {
    let line = |i: usize| {
        let multi = ["", "x", "x|y", "y|z|x"][i % 4];
        let label = u8::from((i * 7 % 11 + i % 4).is_multiple_of(3));
        format!("{label},a{},{multi},{},{},b{}\n", i * 7 % 11, i * 37 % 101, i % 13, i % 5)
    };
    format!("label,c,m,n,l,h\n{}", (0..count).map(line).collect::<String>())
}

/// What the columns of [`all_kinds`] are.
pub fn all_kinds_schema() -> Schema {
    let mut columns = vec![Column::new("label", Role::Label), Column::new("c", Role::Categorical)];
    columns.push(Column { separator: Some('|'), ..Column::new("m", Role::Multi) });
    let numeric =
        |name, transform| Column { transform: Some(transform), ..Column::new(name, Role::Numeric) };
    columns.push(numeric("n", Transform::Quantile));
    columns.push(numeric("l", Transform::LogSquare));
    columns.push(Column { hash_bits: Some(3), ..Column::new("h", Role::Categorical) });
    Schema {
        format: Format::Csv { delimiter: ',', header: true },
        positive: None,
        item: Vec::new(),
        columns,
    }
}

/// A small model of every kind of field.
pub fn all_kinds_model() -> Model {
    let folder = folder();
    let data = write(&folder, "rows.csv", all_kinds(200));
    let config = Config { factors: Some(8), epochs: 3, ..plain_config() };
    model(&Job { schema: SchemaSource::Given(all_kinds_schema()), ..job(&data, &config) })
}

/// What a model of [`all_kinds`] predicts for rows of these kinds.
pub fn predictions(model: &Model) -> pairloom::Result<Vec<f64>> {
    let options = PredictOptions { on_error: OnError::Skip, ..PredictOptions::default() };
    let mut reader = input::from_bytes("rows.csv", all_kinds(60), &Default::default())?;
    let mut all = Vec::new();
    let threads = Threads::new(1).unwrap();
    model.predict_rows(&mut *reader, "rows.csv", &options, &threads, |piece| {
        all.extend_from_slice(&piece.predictions);
        Ok(())
    })?;
    Ok(all)
}

/// What a list of scores costs beside its (label, weight): the definitions of `loss::lists`, pair by pair.
pub fn cost_of_list(loss: Loss, scores: &[f64], outcomes: &[(f64, f64)]) -> f64 {
    let cost = |i: usize| {
        // A row of weight 0 is as good as not there.
        let below =
            (0..scores.len()).filter(|&j| outcomes[j].0 < outcomes[i].0 && outcomes[j].1 > 0.0);
        let below: Vec<f64> = below.map(|j| scores[j] - scores[i]).collect();
        let near: Vec<f64> = below.iter().map(|d| 1.0 + d).filter(|d| *d > 0.0).collect();
        match loss {
            _ if below.is_empty() => 0.0,
            Loss::Bpr => {
                below.iter().map(|d| (1.0 + d.exp()).ln()).sum::<f64>() / below.len() as f64
            }
            Loss::Warp if near.is_empty() => 0.0,
            Loss::Warp => {
                let share: f64 = (1..=near.len()).map(|r| 1.0 / r as f64).sum();
                share / near.len() as f64 * near.iter().sum::<f64>()
            }
            _ => (1.0 + below.iter().map(|d| d.exp()).sum::<f64>()).ln(),
        }
    };
    (0..scores.len()).map(|i| outcomes[i].1 * cost(i)).sum()
}
