//! Converted rows beside the text that they were made from: what they are predicted and measured as, and
//! what a model becomes by them.

use crate::common;
use crate::common::{bytes, folder, job, model, path, plain_config, refusal, write};
use pairloom::input::{OpenOptions, RawRow, Reader, parse_number};
use pairloom::parallel::Threads;
use pairloom::predict::{EvaluateOptions, PredictOptions};
use pairloom::schema::{Hints, Schema};
use pairloom::train::{Job, SchemaSource, convert};
use pairloom::{Model, Result, reading};
use proptest::prelude::*;
use tempfile::TempDir;

/// Rows in two blocks.
const ROWS: usize = 17_000;

/// A job and the rows that its text was converted to.
struct Case {
    folder: TempDir,
    job: Job,
    kept: String,
}

fn case(name: &str, text: &str, hints: Hints) -> Case {
    let folder = folder();
    let data = write(&folder, name, text);
    let job = Job { schema: SchemaSource::Infer(hints), ..job(&data, &plain_config()) };
    let kept = path(&folder, "kept");
    convert(&job, &kept, &mut |_| true).unwrap();
    Case { folder, job, kept }
}

/// Every kind of column, cells over several lines, values that are missing, lines that are none.
fn shop(rows: usize) -> String {
    let row = |i: usize| {
        let name = match i % 5 {
            0 => format!("\"a, \"\"{}\"\"\nb\"", i % 40),
            1 => String::new(),
            _ => format!(" c{} ", i % 300),
        };
        let tags = ["", "x", "x| y", "z||x|z", "|"][i % 7 % 5];
        let number = [format!("{}.10", i % 900), "NA".into(), format!("{i}e-3")];
        let end = if i % 100 == 7 { "\n\n" } else { "\n" };
        let (label, weight) = (u8::from(i * i % 7 + i % 3 > 4), 1.0 + (i % 10) as f64 / 10.0);
        format!("{label},{name},{tags},{},{weight},g{},-{i}{end}", number[i % 3], i / 9)
    };
    format!("y,c,m,n,w,g,x\n{}", (0..rows).map(row).collect::<String>())
}

fn shop_case(rows: usize) -> Case {
    let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let hints = Hints {
        label: Some("y".into()),
        weight: Some("w".into()),
        group: Some("g".into()),
        multi: vec![("m".into(), '|')],
        numeric: texts(&["n"]),
        ignore: texts(&["x"]),
        ..Hints::default()
    };
    case("shop.csv", &shop(rows), hints)
}

/// Regression, no header, and numbers that the first rows do not tell.
fn bare() -> Case {
    let name = |i: usize| if i.is_multiple_of(13) { "?".into() } else { format!("n{}", i % 50) };
    let late = |i: usize| if i < 10_500 { 0.0 } else { i as f64 % 700.0 + 0.5 };
    let row = |i: usize| format!("{}.5,{},{}\n", i % 17, name(i), late(i));
    let hints = Hints { label: Some("0".into()), ..Hints::default() };
    case("bare.csv", &(0..ROWS).map(row).collect::<String>(), hints)
}

/// One text label against many.
fn many() -> Case {
    let row = |i: usize| format!("l{},a{},b{}\n", i * i % 11, i % 31, i % 7);
    let text = format!("label,a,b\n{}", (0..ROWS).map(row).collect::<String>());
    case("many.csv", &text, Hints { positive: Some("l5".into()), ..Hints::default() })
}

fn libsvm() -> Case {
    let row = |i: usize| {
        let label = if i.is_multiple_of(3) { "+1" } else { "-1" };
        let (odd, far) = ([0.1f32, 1.0, 1e-40][i % 3], u64::MAX - (i % 40) as u64);
        format!("{label} qid:{} 7:1 {}:{odd} {far}:{} 7:2\n", i / 10, i % 90, i % 4)
    };
    case(
        "rows.svm",
        &("# a comment\n".to_string() + &(0..ROWS).map(row).collect::<String>()),
        Hints::default(),
    )
}

fn libffm() -> Case {
    let row = |i: usize| format!("{} 0:{}:1 7:{}:0.25\n", i % 2, i % 90 + i % 2, i % 8);
    case("rows.ffm", &(0..ROWS).map(row).collect::<String>(), Hints::default())
}

fn cases() -> [Case; 5] {
    [shop_case(ROWS), bare(), many(), libsvm(), libffm()]
}

fn open(path: &str, schema: &Schema) -> Result<Box<dyn Reader>> {
    reading::open(path, &OpenOptions::default(), schema)
}

/// Predictions, kept cells and what else there is to be known.
fn predicted(model: &Model, path: &str, keep: &[&str], threads: usize) -> Result<Vec<String>> {
    let threads = Threads::new(threads)?;
    let mut reader = reading::ahead(open(path, &model.schema)?, &threads)?;
    let keep: Vec<String> = keep.iter().map(ToString::to_string).collect();
    let options = PredictOptions { keep, labelled: true, ..PredictOptions::default() };
    let mut all = Vec::new();
    let outcome = model.predict_rows(&mut *reader, path, &options, &threads, |piece| {
        for (row, prediction) in piece.predictions.iter().enumerate() {
            let kept: Vec<_> =
                piece.kept(row, options.keep.len()).map(String::from_utf8_lossy).collect();
            all.push(format!(
                "{:x} {:?} {kept:?}",
                prediction.to_bits(),
                piece.labels.outcome(row)
            ));
        }
        Ok(())
    })?;
    all.push(format!("{outcome:?}"));
    Ok(all)
}

fn measured(model: &Model, path: &str) -> Result<String> {
    let threads = Threads::new(1)?;
    let mut reader = open(path, &model.schema)?;
    let found = model.evaluate(&mut *reader, path, &EvaluateOptions::default(), &threads)?;
    Ok(format!("{:?}", found.metrics))
}

#[test]
fn predictions_and_metrics_are_those_of_the_text() {
    for Case { job, kept, .. } in cases() {
        let model = model(&job);
        let keep: &[&str] = match job.data.ends_with("shop.csv") {
            true => &["y", "c", "w"],
            false => &[],
        };
        let expected = predicted(&model, &job.data, keep, 1).unwrap();
        assert_eq!(expected.len(), ROWS + 1);
        for threads in [1, 2] {
            assert!(predicted(&model, &kept, keep, threads).unwrap() == expected, "{}", job.data);
        }
        assert_eq!(measured(&model, &kept).unwrap(), measured(&model, &job.data).unwrap());
    }
}

#[test]
fn a_model_is_the_same_by_validation_rows_of_either_kind() {
    for Case { folder, job, kept } in cases() {
        let model_by = |valid: &str| {
            let job = Job { valid: Some(valid.into()), ..job.clone() };
            bytes(&model(&job))
        };
        assert!(model_by(&kept) == model_by(&job.data), "{:?}", common::names(folder.path()));
    }
}

#[test]
fn rows_keep_their_lines_and_pairs() {
    for Case { job, kept, .. } in cases() {
        let schema = model(&job).schema;
        let [mut text, mut kept] = [&job.data, &kept].map(|path| open(path, &schema).unwrap());
        let (mut one, mut other) = (RawRow::new(), RawRow::new());
        while text.read(&mut one).unwrap() {
            assert!(kept.read(&mut other).unwrap());
            assert_eq!((one.line(), one.pairs()), (other.line(), other.pairs()));
        }
        assert!(!kept.read(&mut other).unwrap());
    }
}

#[test]
fn an_error_of_a_row_tells_its_line() {
    let shop = shop_case(100);
    let hints = Hints { numeric: vec!["c".into()], ..Hints::default() };
    let text = "y,c\n".to_string() + &"1,1\n0,2\n".repeat(50);
    let model = model(&case("numbers.csv", &text, hints).job);
    let [text, kept] = [&shop.job.data, &shop.kept].map(|path| {
        let error = predicted(&model, path, &[], 1).unwrap_err().to_string();
        let (line, rest) = error.strip_prefix(path).unwrap()[1..].split_once(':').unwrap();
        let (_, message) = rest.split_once(' ').unwrap();
        (line.to_string(), message.to_string())
    });
    assert_eq!((text.0.as_str(), &text), ("2", &kept));
}

#[test]
fn what_converted_rows_do_not_hold_is_said() {
    let shop = shop_case(100);
    let model = model(&shop.job);
    for name in ["x", "g"] {
        for threads in [1, 2] {
            let error = predicted(&model, &shop.kept, &[name], threads).unwrap_err().to_string();
            let expected = format!("converted rows do not hold column '{name}': use the text");
            assert!(error.contains(&expected), "{error}");
        }
    }
    let error = predicted(&model, &shop.kept, &["z"], 1).unwrap_err().to_string();
    assert!(error.contains("there is no column 'z': the columns are"), "{error}");
    let options = OpenOptions { delimiter: Some(','), ..OpenOptions::default() };
    let error = reading::open(&shop.kept, &options, &model.schema).err().unwrap().to_string();
    assert!(error.contains("say it to pairloom convert"), "{error}");
}

/// Text that another role has left is not the text that a model was trained on.
#[test]
fn rows_that_were_converted_for_another_use_are_refused() {
    let text = "y,a,b\n".to_string() + &"1,01,1|2\n0,1,2;1\n0,2,3\n1,2,1|3\n".repeat(5);
    let roles = |numeric: bool, separator: char| {
        let a = vec!["a".to_string()];
        let (numeric, categorical) = if numeric { (a, vec![]) } else { (vec![], a) };
        let multi = vec![("b".to_string(), separator)];
        Hints { label: Some("y".into()), numeric, categorical, multi, ..Hints::default() }
    };
    let [names, numbers, other] =
        [roles(false, '|'), roles(true, '|'), roles(false, ';')].map(|h| case("r.csv", &text, h));
    let refused = |case: &Case, rows: &Case, message: &str| {
        let error = predicted(&model(&case.job), &rows.kept, &[], 1).unwrap_err().to_string();
        assert!(error.contains(message) && !error.contains('\n'), "{error}");
        let job = Job { valid: Some(rows.kept.clone()), ..case.job.clone() };
        assert_eq!(refusal(&job), error);
    };
    refused(&names, &numbers, "column 'a' was converted as numeric, not categorical");
    refused(&names, &other, "column 'b' was converted with another separator");
    refused(&names, &libsvm(), "it is read as libsvm, and the model is one for csv");
    refused(&names, &bare(), "is missing: the model was trained on 3 columns");
    // Names keep their text, whatever it is used for.
    let model = model(&numbers.job);
    let [text, kept] = [&numbers.job.data, &names.kept].map(|path| predicted(&model, path, &[], 1));
    assert_eq!(text.unwrap(), kept.unwrap());
}

#[test]
fn another_positive_label_among_many_is_refused() {
    let case = many();
    let hints = Hints { positive: Some("l9".into()), ..Hints::default() };
    let model = model(&Job { schema: SchemaSource::Infer(hints), ..case.job.clone() });
    let error = measured(&model, &case.kept).unwrap_err().to_string();
    assert!(error.contains("another positive one was said to pairloom convert"), "{error}");
}

#[test]
fn a_damaged_file_is_one_clear_error() {
    let shop = shop_case(200);
    let model = model(&shop.job);
    let whole = std::fs::read(&shop.kept).unwrap();
    for at in (16..whole.len()).step_by(41) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&shop.kept, damaged).unwrap();
        let job = Job { valid: Some(shop.kept.clone()), ..shop.job.clone() };
        let predicted = predicted(&model, &shop.kept, &[], 2).unwrap_err().to_string();
        let measured = measured(&model, &shop.kept).unwrap_err().to_string();
        for error in [predicted, measured, refusal(&job)] {
            assert!(error.contains("it is not as it was written"), "byte {at}: {error}");
            assert!(!error.contains('\n'), "byte {at}: {error}");
        }
    }
}

#[test]
fn values_that_memory_has_no_room_for_are_refused() {
    let row = |i: usize| format!("{},a{}\n", i % 2, i % 90);
    let text = "y,a\n".to_string() + &(0..1000).map(row).collect::<String>();
    let few = case("few.csv", &text, Hints::default());
    let row = |i: usize| format!("{},a{i}\n", i % 2);
    let text = "y,a\n".to_string() + &(0..200_000).map(row).collect::<String>();
    let names = Hints { categorical: vec!["a".into()], ..Hints::default() };
    let many = case("many.csv", &text, names);
    let by = |valid: &str| {
        let mut job = Job { valid: Some(valid.into()), ..few.job.clone() };
        job.config.memory = Some(64 << 20);
        job
    };
    assert!(bytes(&model(&by(&few.kept))) == bytes(&model(&by(&few.job.data))));
    model(&by(&many.job.data));
    let error = refusal(&by(&many.kept));
    assert!(error.contains("its distinct values take about 1"), "{error}");
}

/// The numbers in the cells of a file with columns y, w, n.
fn numbers(path: &str, schema: &Schema) -> Vec<[Option<f64>; 3]> {
    let (mut reader, mut row, mut all) = (open(path, schema).unwrap(), RawRow::new(), Vec::new());
    while reader.read(&mut row).unwrap() {
        all.push([0, 1, 2].map(|cell| parse_number(row.cell(cell))));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn numbers_keep_their_bits(
        rows in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u64>()), 3..200),
        short: bool,
    ) {
        let finite = |bits: u32| Some(f32::from_bits(bits)).filter(|x| x.is_finite()).unwrap_or(0.1);
        let text: String = rows.iter().enumerate().map(|(i, &(label, weight, number))| {
            let number = if short { f64::from(finite(number as u32)) } else { f64::from_bits(number) };
            format!("{},{},{number}\n", finite(label) + i as f32, finite(weight).abs())
        }).collect();
        let text = format!("y,w,n\n1,1,0\n2,1,-0\n{text}");
        let (text, names) = (text.replace("inf", "7"), |name: &str| vec![name.to_string()]);
        let hints = Hints {
            label: Some("y".into()),
            weight: Some("w".into()),
            numeric: names("n"),
            ..Hints::default()
        };
        let case = case("n.csv", &text, hints);
        let schema = convert(&case.job, &case.kept, &mut |_| true).unwrap().schema;
        let [expected, found] = [&case.job.data, &case.kept].map(|path| numbers(path, &schema));
        prop_assert_eq!(expected.len(), found.len());
        for ([y, w, n], [label, weight, number]) in expected.into_iter().zip(found) {
            // Labels are used as single floats, and so are weights.
            prop_assert_eq!(y.map(|y| y as f32), label.map(|y| y as f32));
            prop_assert_eq!(w.map(|w| w as f32), weight.map(|w| w as f32));
            prop_assert_eq!(n.map(f64::to_bits), number.map(f64::to_bits));
        }
    }
}
