//! Rows by the values of a column, against sums that are written down plainly.

use crate::common;
use crate::common::{folder, near, plain_config, write};
use pairloom::config::Config;
use pairloom::input::{self, parse_number};
use pairloom::loss::Loss;
use pairloom::metric::{Metrics, Regression};
use pairloom::parallel::Threads;
use pairloom::predict::{EvaluateOptions, Evaluated};
use pairloom::schema::Hints;
use pairloom::segment::{Segment, Which};
use pairloom::train::{Job, SchemaSource};
use pairloom::{Error, Model, Result};

/// A log with names, numbers, numbers that are names, missing cells and weights.
fn text(rows: usize) -> String {
    let line = |i: usize| {
        let site = ["news", "shop", "mail", "game", ""][(i * i + i / 7) % 9 % 5];
        let age = match i % 13 {
            0 => String::new(),
            _ => format!("{}", (i * 37 % 101) as f64 / 2.0),
        };
        let code = 100 + i * 7 % 23;
        let label = u8::from((i * 31 + i / 3) % 5 < 1 + (site.len() / 4 % 2) * 2);
        let spent = (i * 17 % 29) as f64 / 4.0;
        format!("{label},{site},{age},{code},{},{spent},{}\n", i % 4, i * 11 % 997)
    };
    "label,site,age,code,w,spent,when\n".to_string() + &(0..rows).map(line).collect::<String>()
}

fn model(data: &str, label: &str, ignored: &str) -> Model {
    let mut job: Job = common::job(data, &plain_config());
    let columns = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    job.schema = SchemaSource::Infer(pairloom::schema::Hints {
        label: Some(label.into()),
        weight: Some("w".into()),
        categorical: columns(&["site", "code"]),
        numeric: columns(&["age"]),
        ignore: columns(&[ignored, "when"]),
        ..<_>::default()
    });
    common::model(&job)
}

fn evaluate(model: &Model, text: &str, segments: &[&str], top: usize) -> Result<Evaluated> {
    let mut reader = input::from_bytes("rows", text.as_bytes(), &<_>::default()).unwrap();
    let segments = segments.iter().map(|name| name.to_string()).collect();
    let options = EvaluateOptions { segments, top, ..EvaluateOptions::default() };
    model.evaluate(&mut *reader, "rows", &options, &Threads::new(1)?)
}

/// Checks a segment against the sums over its rows, which `is_in` picks by their cell in this column.
fn check(
    segment: &Segment,
    found: &Evaluated,
    text: &str,
    column: usize,
    is_in: impl Fn(&str) -> bool,
) {
    let cells = text.lines().skip(1).map(|line| line.split(',').nth(column).unwrap());
    let rows = cells.zip(&found.predictions).zip(found.labels.iter());
    let rows: Vec<(f64, f64, f64)> = rows
        .filter(|((cell, _), _)| is_in(cell))
        .map(|((_, p), (y, w))| (*p, f64::from(y), f64::from(w)))
        .collect();
    let sum = |f: &dyn Fn(&(f64, f64, f64)) -> f64| rows.iter().map(f).sum::<f64>();
    let weight = sum(&|r| r.2);
    let figures = segment.figures();
    let is = |name: &str, expected: f64| {
        let (_, value) = figures.iter().find(|(of, _)| *of == name).unwrap();
        assert!(near(value.unwrap(), expected, 1e-9, 1.0), "{name}: {value:?} {expected}");
    };
    is("rows", rows.len() as f64);
    is("weight", weight);
    let (predicted, observed) = (sum(&|r| r.2 * r.0) / weight, sum(&|r| r.2 * r.1) / weight);
    is("mean_prediction", predicted);
    is("mean_label", observed);
    if let Metrics::Regression(Regression { rmse, .. }) = segment.metrics {
        is("rmse", (sum(&|r| r.2 * (r.0 - r.1) * (r.0 - r.1)) / weight).sqrt());
        assert!(rmse > 0.0 && figures.len() == 5);
        return;
    }
    is("ratio", predicted / observed);
    let loss = -sum(&|r| r.2 * (r.1 * r.0.ln() + (1.0 - r.1) * (1.0 - r.0).ln())) / weight;
    is("log_loss", loss);
    let entropy = -observed * observed.ln() - (1.0 - observed) * (1.0 - observed).ln();
    is("normalized_entropy", loss / entropy);
    let gap = |bin: usize| {
        let mine = rows.iter().filter(|r| ((r.0 * 15.0) as usize).min(14) == bin);
        mine.map(|r| r.2 * (r.0 - r.1)).sum::<f64>().abs()
    };
    is("expected_calibration_error", (0..15).map(gap).sum::<f64>() / weight);
}

#[test]
fn values_by_falling_weight_and_all_others() {
    let folder = folder();
    let text = text(1200);
    let data = write(&folder, "rows.csv", &text);
    for (label, ignored) in [("label", "spent"), ("spent", "label")] {
        let model = model(&data, label, ignored);
        let found = evaluate(&model, &text, &["site", "code"], 3).unwrap();
        let [site, code] = &found.segments[..] else { panic!("two columns") };
        assert_eq!((site.column.as_str(), code.column.as_str()), ("site", "code"));
        for (of, column, distinct) in [(site, 1, 5), (code, 3, 23)] {
            assert_eq!(of.segments.len(), 4);
            let named: Vec<&str> = of.segments[..3]
                .iter()
                .map(|segment| match &segment.which {
                    Which::Value(value) => value.as_str(),
                    other => panic!("{other:?}"),
                })
                .collect();
            for (segment, name) in of.segments.iter().zip(&named) {
                check(segment, &found, &text, column, |cell| cell == *name);
            }
            let weight = |segment: &Segment| segment.figures()[1].1.unwrap();
            assert!(of.segments[..3].is_sorted_by(|a, b| weight(a) >= weight(b)));
            assert_eq!(of.segments[3].which, Which::Others(distinct - 3));
            check(&of.segments[3], &found, &text, column, |cell| !named.contains(&cell));
        }
        // Numbers that are names stay names, however many there are; all of them is all rows.
        let all = &evaluate(&model, &text, &["code"], 30).unwrap().segments[0].segments;
        assert_eq!(all.len(), 23);
        let rows: f64 = all.iter().map(|segment| segment.figures()[0].1.unwrap()).sum();
        assert_eq!(rows, 1200.0);
        let none = &evaluate(&model, &text, &["code"], 0).unwrap().segments[0].segments;
        assert_eq!(none[0].which, Which::Others(23));
        check(&none[0], &found, &text, 3, |_| true);
    }
}

#[test]
fn numbers_are_cut_into_ranges() {
    let folder = folder();
    let text = text(1200);
    let model = model(&write(&folder, "rows.csv", &text), "label", "spent");
    // One that the model takes for a number, and one that it leaves out.
    for (name, column, missing) in [("age", 2, true), ("when", 6, false)] {
        let found = evaluate(&model, &text, &[name], 5).unwrap();
        let segments = &found.segments[0].segments;
        assert_eq!(segments.len(), if missing { 6 } else { 5 });
        let mut highest = f64::NEG_INFINITY;
        for segment in &segments[..5] {
            let Which::Range(from, to) = segment.which else { panic!("{segment:?}") };
            assert!(from > highest && from <= to, "{name}: {from} {to} after {highest}");
            highest = to;
            check(segment, &found, &text, column, |cell| {
                parse_number(cell.as_bytes()).is_some_and(|n| from <= n && n <= to)
            });
            let rows = segment.figures()[0].1.unwrap();
            assert!((180.0..290.0).contains(&rows), "{name}: {rows}");
        }
        if missing {
            assert_eq!(segments[5].which, Which::Missing);
            check(&segments[5], &found, &text, column, str::is_empty);
        }
    }
    // Few of them are values.
    let few = &evaluate(&model, &text, &["w"], 5).unwrap().segments[0].segments;
    assert_eq!(few.len(), 3, "rows that weigh nothing are in no segment");
    assert!(few.iter().all(|segment| matches!(segment.which, Which::Value(_))));
    // Cells that differ may be one number.
    let spelled = "label,site,age,code,w\n1,a,1,1,1\n0,a,1.0,1,1\n1,a,2,1,1\n0,a,3,1,1\n";
    let found = evaluate(&model, spelled, &["age"], 3).unwrap();
    let ranges: Vec<&Which> = found.segments[0].segments.iter().map(|s| &s.which).collect();
    assert_eq!(ranges[0], &Which::Range(1.0, 1.0), "{ranges:?}");
}

#[test]
fn segments_that_make_none_are_refused() {
    let folder = folder();
    let rows = |labels: [&str; 3]| {
        let row = |i: usize| format!("{},s{},u{}\n", labels[i * i % 3], i % 4, i % 5);
        format!("label,site,user\n{}", (0..120).map(row).collect::<String>())
    };
    let learned = |text: &str, loss: Loss| {
        let data = write(&folder, "rows.csv", text);
        let config = Config { loss: Some(loss), ..plain_config() };
        let hints = Hints { group: Some("user".into()), ..Hints::default() };
        common::model(&Job { schema: SchemaSource::Infer(hints), ..common::job(&data, &config) })
    };
    for (labels, loss) in [(["a", "b", "c"], Loss::Softmax), (["0", "1", "2"], Loss::Bpr)] {
        let text = rows(labels);
        let said = evaluate(&learned(&text, loss), &text, &["site"], 3).unwrap_err().to_string();
        let expected = "segments are of models that predict a number or one of two classes, and \
                        not of --loss ";
        assert_eq!(said, format!("{expected}{}", loss.name()));
    }
    // A line of counts is two rows, which have its cells but for these.
    let row = |i: usize| format!("{},{},s{}\n", i % 5, 5 + i % 3, i % 4);
    let text = format!("clicks,shown,site\n{}", (0..120).map(row).collect::<String>());
    let data = write(&folder, "counts.csv", &text);
    let hints =
        Hints { label: Some("clicks".into()), trials: Some("shown".into()), ..Hints::default() };
    let job = common::job(&data, &plain_config());
    let model = common::model(&Job { schema: SchemaSource::Infer(hints), ..job });
    for name in ["clicks", "shown"] {
        let said = evaluate(&model, &text, &[name], 3).unwrap_err().to_string();
        let expected = "its counts are taken apart into rows for each trial, and make no segments";
        assert_eq!(said, format!("column '{name}': {expected}"));
    }
    assert_eq!(evaluate(&model, &text, &["site"], 9).unwrap().segments[0].segments.len(), 4);
}

#[test]
fn a_column_that_is_not_there() {
    let folder = folder();
    let text = text(300);
    let model = model(&write(&folder, "rows.csv", &text), "label", "spent");
    let error = evaluate(&model, &text, &["sites"], 3).unwrap_err();
    assert!(
        matches!(&error, Error::Usage(said) if said.contains("did you mean 'site'")),
        "{error}"
    );
}
