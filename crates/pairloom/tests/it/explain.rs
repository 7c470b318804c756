//! Explanations on real rows by every model, and weights by name, read back.

use crate::common::{folder, job, model, path, plain_config, raw_rows, write};
use pairloom::batch::Rows;
use pairloom::config::Config;
use pairloom::encode::RowEncoder;
use pairloom::explain::{ExplainOptions, Names};
use pairloom::input::{self, Format};
use pairloom::interaction::Kind;
use pairloom::loss::Loss;
use pairloom::precision::Precision;
use pairloom::train::SchemaSource;
use pairloom::{Error, Model};
use std::collections::HashMap;

/// Real rows: every twentieth of the online shoppers.
fn shoppers() -> String {
    let all = include_str!("../../../pairloom-cli/data/online_shoppers_intention.csv");
    let (head, rows) = all.split_once('\n').unwrap();
    let some: Vec<&str> = rows.lines().step_by(20).collect();
    format!("{head}\n{}\n", some.join("\n"))
}

fn trained(config: &Config, text: &str, label: &str, ignore: &[&str]) -> Model {
    let folder = folder();
    let data = write(&folder, "rows.csv", text);
    let mut job = job(&data, config);
    let SchemaSource::Infer(hints) = &mut job.schema else { panic!("schemas are inferred") };
    hints.label = Some(label.into());
    hints.ignore = ignore.iter().map(|name| name.to_string()).collect();
    model(&job)
}

fn encoded(model: &Model, text: &str) -> Rows {
    let (names, raw) = raw_rows("rows.csv", text, Format::Csv { delimiter: ',', header: true });
    let (encoding, schema) = (&model.encoding, &model.schema);
    let mut encoder = RowEncoder::bind(encoding, schema, "rows.csv", &names, false).unwrap();
    let mut rows = Rows::new();
    raw.iter().for_each(|row| encoder.encode(row, &mut rows).unwrap());
    rows
}

/// What 32-bit arithmetic makes of a sum, as a share of its parts, or of 1.
const ROUNDING: f64 = 1e-6;

#[test]
fn parts_add_up_on_real_rows_for_every_model() {
    let text = shoppers();
    let columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let others = columns.iter().filter(|name| !["Month", "TrafficType", "Revenue"].contains(name));
    let others: Vec<&str> = others.copied().collect();
    for precision in Precision::ALL {
        for &kind in Kind::ALL {
            let config = Config {
                model: kind,
                precision,
                factors: Some(if kind == Kind::Linear { 0 } else { 8 }),
                numeric_transform: pairloom::encode::Transform::Piecewise,
                ..plain_config()
            };
            let ignore = if kind == Kind::Mf { &others[..] } else { &[] };
            let model = trained(&config, &text, "Revenue", ignore);
            let rows = encoded(&model, &text);
            for at in 0..rows.len() {
                let explained = model.explain(rows.row(at), None).unwrap();
                let (rounding, scale) = (explained.rounding.abs(), explained.absolute().max(1.0));
                assert!(rounding <= ROUNDING * scale, "{kind:?} {at}: {rounding} of {scale}");
                assert_eq!(explained.products.is_empty(), kind != Kind::Hofm);
                assert_eq!(explained.pairs.is_empty(), kind == Kind::Linear);
            }
        }
    }
}

/// A CSV by RFC 4180.
fn parse(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

/// The weights of a model as its CSV has them.
struct Csv {
    header: Vec<String>,
    rows: Vec<HashMap<String, String>>,
}

impl Csv {
    fn of(model: &Model) -> Self {
        let folder = folder();
        let file = path(&folder, "weights.csv");
        model.save_weights(&file).unwrap();
        let mut rows = parse(&std::fs::read_to_string(file).unwrap());
        let header = rows.remove(0);
        let named = |row: Vec<String>| {
            assert_eq!(row.len(), header.len());
            header.iter().cloned().zip(row).collect()
        };
        Csv { rows: rows.into_iter().map(named).collect(), header }
    }

    fn number(row: &HashMap<String, String>, name: &str) -> f64 {
        f64::from(row[name].parse::<f32>().unwrap())
    }

    fn find(&self, class: Option<&str>, column: &str, value: &str) -> &HashMap<String, String> {
        let is_class = |row: &&HashMap<String, String>| class.is_none_or(|c| row["class"] == c);
        // What belongs to no feature may be called like a value.
        let is_meant = |row: &&HashMap<String, String>| column == "id" || row["id"].is_empty();
        let rows = self.rows.iter().filter(is_class).filter(is_meant);
        let mut found = rows.filter(|row| row[column] == value);
        let row = found.next().unwrap();
        assert!(found.next().is_none(), "{column} {value}");
        row
    }

    /// A vector of a feature: the numbers under `v1 of`, `v2 of`, ...
    fn vector(row: &HashMap<String, String>, of: &str) -> Vec<f64> {
        let name = |k: usize| format!("v{k} {of}").trim_end().to_string();
        let known = (1..).map(name).take_while(|name| row.contains_key(name));
        known.map(|name| Csv::number(row, &name)).collect()
    }

    /// The score of features as the formula has it, in 64 bits.
    fn score(&self, model: &Model, class: Option<&str>, features: &[(u32, f32)]) -> f64 {
        let rows: Vec<_> =
            features.iter().map(|(id, _)| self.find(class, "id", &id.to_string())).collect();
        let mut score = Csv::number(self.find(class, "value", "bias"), "w");
        for (row, (_, x)) in rows.iter().zip(features) {
            score += Csv::number(row, "w") * f64::from(*x);
        }
        for j in 0..rows.len() {
            for i in 0..j {
                let x = f64::from(features[i].1) * f64::from(features[j].1);
                score += self.pair(model, class, [rows[i], rows[j]]) * x;
            }
        }
        score
    }

    fn pair(
        &self,
        model: &Model,
        class: Option<&str>,
        [a, b]: [&HashMap<String, String>; 2],
    ) -> f64 {
        let dot = |v: &[f64], u: &[f64]| v.iter().zip(u).map(|(v, u)| v * u).sum::<f64>();
        let [f, g] = [&a["field"], &b["field"]];
        let plain = || dot(&Csv::vector(a, ""), &Csv::vector(b, ""));
        let shared = |name: String| Csv::number(self.find(class, "value", &name), "w");
        let order = |f: &str| model.schema.columns.iter().position(|c| c.name == f);
        let (less, more) = if order(f) <= order(g) { (f, g) } else { (g, f) };
        match model.config.model {
            Kind::Fm => plain(),
            Kind::Ffm => {
                let [v, u] =
                    [(a, g), (b, f)].map(|(row, of)| Csv::vector(row, &format!("for {of}")));
                dot(&v, &u)
            }
            Kind::Hofm => {
                let [v, u] = [a, b].map(|row| Csv::vector(row, "for products of 2"));
                dot(&v, &u)
            }
            Kind::Fwfm => shared(format!("r({less}, {more})")) * plain(),
            _ if f == g => 0.0,
            Kind::Dplr => {
                let of = |t: usize| {
                    let u = |field: &str| shared(format!("u{t}({field})"));
                    shared(format!("e{t}")) * u(f) * u(g)
                };
                (1..=model.config.rank).map(of).sum::<f64>() * plain()
            }
            Kind::Fmfm => {
                let (later, earlier) = if f == less { (b, a) } else { (a, b) };
                let (v, u) = (Csv::vector(later, ""), Csv::vector(earlier, ""));
                let cell = |(row, column): (usize, usize)| {
                    let m = shared(format!("M({less}, {more})[{}, {}]", row + 1, column + 1));
                    m * v[row] * u[column]
                };
                let places = (0..v.len()).flat_map(|row| (0..u.len()).map(move |at| (row, at)));
                places.map(cell).sum()
            }
            kind => panic!("{kind:?}"),
        }
    }
}

/// Rows whose names and values ask for quotes.
fn odd(rows: usize, several: bool) -> String {
    let line = |i: usize| {
        let label = if several { ["x", "y,z", "w"][i * 5 % 3] } else { ["x", "z"][i * 7 % 5 % 2] };
        let (a, b) = (["a,1", "say \"a\"", "plain", "bias"][i % 4], i * 11 % 7);
        format!("\"{label}\",\"{}\",b{b},{}\n", a.replace('"', "\"\""), (i * 37 % 101) as f64 / 8.0)
    };
    let lines: String = (0..rows).map(line).collect();
    format!("label,\"first, and\",second,n\n{lines}")
}

#[test]
fn weights_read_back_make_the_same_scores() {
    let kinds = [Kind::Fm, Kind::Ffm, Kind::Hofm, Kind::Fwfm, Kind::Dplr, Kind::Fmfm];
    let plain = kinds.map(|kind| (kind, Precision::F32, false));
    let others = [(Kind::Fm, Precision::Bf16, false), (Kind::Fwfm, Precision::F32, true)];
    for (kind, precision, several) in plain.into_iter().chain(others) {
        let text = odd(60, several);
        let config = Config {
            model: kind,
            precision,
            order: if kind == Kind::Hofm { 2 } else { 3 },
            factors: Some(3),
            loss: several.then_some(Loss::Softmax),
            epochs: 2,
            ..plain_config()
        };
        let model = trained(&config, &text, "label", &[]);
        let (csv, rows) = (Csv::of(&model), encoded(&model, &text));
        assert_eq!(csv.header[0] == "class", several);
        let names = model.encoding.target.names();
        let classes: Vec<Option<&str>> = match several {
            true => names.iter().map(|name| Some(name.as_str())).collect(),
            false => vec![None],
        };
        for at in [0, 1, 17] {
            let features: Vec<(u32, f32)> = rows.row(at).features().collect();
            for (place, &class) in classes.iter().enumerate() {
                let explained = model.explain(rows.row(at), several.then_some(place)).unwrap();
                let score = csv.score(&model, class, &features);
                let expected = f64::from(explained.score);
                assert!((score - expected).abs() < 1e-5, "{kind:?} {class:?}: {score} {expected}");
            }
        }
    }
}

#[test]
fn weights_lead_back_to_their_bits_and_names() {
    let model = trained(&plain_config(), &odd(60, false), "label", &[]);
    let (csv, names) = (Csv::of(&model), Names::new(&model));
    for id in 0..model.encoding.features() as u32 {
        let row = csv.find(None, "id", &id.to_string());
        let linear = model.weights.linear.vector(id)[0];
        assert_eq!(row["w"].parse::<f32>().unwrap().to_bits(), linear.to_bits());
        let factors = model.weights.factors.vector(id);
        for (k, v) in factors.iter().enumerate() {
            assert_eq!(row[&format!("v{}", k + 1)].parse::<f32>().unwrap().to_bits(), v.to_bits());
        }
        assert_eq!(
            (&row["value"], &row["field"]),
            (&names.value(id), &names.field(names.field_of(id)))
        );
    }
    assert!(csv.rows.iter().any(|row| row["value"] == "say \"a\"" && row["field"] == "first, and"));
    let all = model.largest(usize::MAX).linear;
    assert!(all.len() > 3 && model.largest(3).linear[..] == all[..3]);
    let largest = model.largest(3);
    let all = (0..model.encoding.features() as u32).map(|id| model.weights.linear.vector(id)[0]);
    let greatest = all.map(f32::abs).fold(0.0, f32::max);
    assert_eq!(largest.linear[0].value.abs(), f64::from(greatest));
    assert!(largest.factors.is_sorted_by(|a, b| a.value >= b.value) && largest.factors.len() == 3);
}

#[test]
fn rows_of_a_file_are_explained_by_their_numbers() {
    let text = odd(60, false);
    let model = trained(&plain_config(), &text, "label", &[]);
    let explain = |text: &str, rows: &[u64]| {
        let mut reader = input::from_bytes("rows.csv", text, &Default::default()).unwrap();
        let options = ExplainOptions { rows: rows.to_vec(), ..ExplainOptions::default() };
        model.explain_rows(&mut *reader, "rows.csv", &options).map(|found| found.0)
    };
    let found = explain(&text, &[4, 2, 4]).unwrap();
    assert_eq!(found.iter().map(|of| (of.row, of.line)).collect::<Vec<_>>(), [(2, 3), (4, 5)]);
    assert_eq!(found[0].cells, ["say \"a\"", "b4", "4.625"]);
    assert_eq!(found[0].label.as_deref(), Some("x"));
    let unseen = "second,n,\"first, and\"\nnever,1,plain\n";
    let found = explain(unseen, &[1]).unwrap();
    let (names, values) = (Names::new(&model), &found[0].explanation.values);
    let unknown = values.iter().find(|value| names.is_unknown(value.id)).unwrap();
    assert_eq!(names.feature(unknown.id), "second = rare or unseen");
    assert_eq!((unknown.contribution, &found[0].label), (0.0, &None));
    for (text, rows, message) in [
        (&text[..], &[61][..], "there is no row 61: rows.csv has 60 rows"),
        (&text, &[0], "there is no row 0: rows are counted from 1"),
        (unseen, &[2], "there is no row 2: rows.csv has 1 row"),
    ] {
        let error = explain(text, rows).unwrap_err();
        assert!(matches!(error, Error::Usage(_)));
        assert_eq!(error.to_string(), message);
    }
    let error = explain("second,n\nb1,2\n", &[1]).unwrap_err().to_string();
    assert!(error.starts_with("rows.csv: column 'first, and' is missing"), "{error}");
    let error = explain("\"first, and\",second,n\na,b,1\na,b,x\n", &[2]).unwrap_err().to_string();
    assert!(error.starts_with("rows.csv:3:5: column 'n' is numeric"), "{error}");
}
