//! Numbers as B-splines, beside the recursion that defines them and a map that is looked up slowly.

use crate::common;
use crate::common::{
    CSV, Learned, bytes, folder, job, learned, model, path, plain_config, raw_rows, schema, write,
};
use pairloom::Model;
use pairloom::config::Config;
use pairloom::encode::{FieldKind, Number, Transform};
use pairloom::schema::{Column, Role};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;

fn spline(functions: usize, values: &[f64], places: &[f64]) -> Number {
    let of = json!({ "transform": "spline", "functions": functions, "values": values, "places": places });
    serde_json::from_value(of).unwrap()
}

/// The field of a column with these cells.
fn of_cells(cells: &[String], functions: usize) -> Number {
    let line = |(row, cell): (usize, &String)| format!("{},{cell}\n", row % 2);
    let lines: String = cells.iter().enumerate().map(line).collect();
    let (_, rows) = raw_rows("rows.csv", &format!("y,n\n{lines}"), CSV);
    let schema = schema(&[("y", Role::Label), ("n", Role::Numeric)]);
    let transform = Transform::Spline;
    let config = Config { numeric_transform: transform, bins: Some(functions), ..plain_config() };
    let Learned { encoding, .. } = learned(&schema, &config, &rows, &vec![false; rows.len()]);
    match &encoding.fields[0].kind {
        FieldKind::Number(number) => number.clone(),
        other => panic!("{other:?}"),
    }
}

fn of_numbers(numbers: &[f64], functions: usize) -> Number {
    of_cells(&numbers.iter().map(f64::to_string).collect::<Vec<_>>(), functions)
}

/// The x of each id.
fn dense(number: &Number, v: f64) -> Vec<f64> {
    let mut all = vec![0.0; number.len() as usize];
    let mut pushed = 0;
    number.features(v, |id, x| {
        assert!(x > 0.0 && x <= 1.0, "{x}");
        all[id as usize] += f64::from(x);
        pushed += 1;
    });
    assert!(pushed <= 4);
    all
}

/// The B-spline of a degree that begins at a knot, by the recursion of Cox and de Boor. Knots are at
/// whole numbers.
fn recursion(degree: i32, knot: f64, at: f64) -> f64 {
    if degree == 0 {
        return f64::from(u8::from(knot <= at && at < knot + 1.0));
    }
    let d = f64::from(degree);
    (at - knot) / d * recursion(degree - 1, knot, at)
        + (knot + d + 1.0 - at) / d * recursion(degree - 1, knot + 1.0, at)
}

/// All functions at a place of the unit interval; its end belongs to the last piece.
fn slow(functions: usize, place: f64) -> Vec<f64> {
    let pieces = (functions - 3) as f64;
    let at = (place * pieces).min(pieces - 1e-12);
    (0..functions).map(|function| recursion(3, function as f64 - 3.0, at)).collect()
}

fn parts(number: &Number) -> (Vec<f64>, Vec<f64>) {
    let json = serde_json::to_value(number).unwrap();
    let list = |name: &str| serde_json::from_value(json[name].clone()).unwrap();
    (list("values"), list("places"))
}

/// Where a number is in the unit interval.
fn place(number: &Number, v: f64) -> f64 {
    let (values, places) = parts(number);
    if v <= values[0] {
        return places[0];
    }
    for at in 1..values.len() {
        if v <= values[at] {
            let share = (v - values[at - 1]) / (values[at] - values[at - 1]);
            return places[at - 1] + share * (places[at] - places[at - 1]);
        }
    }
    *places.last().unwrap()
}

proptest! {
    #[test]
    fn functions_are_those_of_the_recursion(
        numbers in prop::collection::vec(-30i32..30, 2..600),
        functions in 4usize..20,
        tried in prop::collection::vec(-40.0f64..40.0, 20),
    ) {
        let numbers: Vec<f64> = numbers.into_iter().map(|n| f64::from(n) / 4.0).collect();
        let number = of_numbers(&numbers, functions);
        prop_assert_eq!(number.len(), functions as u64 + 1);
        for v in tried.into_iter().chain(numbers) {
            let (found, expected) = (dense(&number, v), slow(functions, place(&number, v)));
            prop_assert_eq!(found[0], 0.0, "it is not missing");
            for (found, expected) in found[1..].iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-6, "{}: {} {}", v, found, expected);
            }
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{}: their sum", v);
        }
    }

    #[test]
    fn the_map_is_monotone_and_fills_the_interval(
        numbers in prop::collection::vec(-1e6f64..1e6, 2..1000),
    ) {
        let number = of_numbers(&numbers, 4);
        let (values, places) = parts(&number);
        prop_assert!(values.len() <= 256);
        prop_assert!(values.is_sorted_by(|a, b| a < b) && places.is_sorted_by(|a, b| a < b));
        let mut sorted = numbers;
        sorted.sort_by(f64::total_cmp);
        prop_assert_eq!((values[0], places[0]), (sorted[0], 0.0));
        let end = (values.last(), places.last().copied());
        prop_assert_eq!(end, (sorted.last(), Some(f64::from(u8::from(values.len() > 1)))));
    }
}

#[test]
fn functions_go_on_from_piece_to_piece() {
    let number = spline(9, &[0.0, 1.0], &[0.0, 1.0]);
    let step = 1e-4;
    let at = |i: i32| dense(&number, f64::from(i) * step);
    for i in 0..10_000 {
        let (here, next) = (at(i), at(i + 1));
        // No function rises faster than 2/3 from knot to knot, of which there are 6.
        let rise = here.iter().zip(&next).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(rise < 6.0 * 0.67 * step, "{i}: {rise}");
    }
    for far in [-1e300, -0.1, f64::MIN] {
        assert_eq!(dense(&number, far), at(0), "outside, functions are as at the end");
    }
    assert_eq!(dense(&number, f64::MAX), at(10_000));
    let wide = spline(5, &[f64::MIN, f64::MAX], &[0.0, 1.0]);
    let middle = spline(5, &[-1.0, 1.0], &[0.0, 1.0]);
    assert_eq!(dense(&wide, 0.0), dense(&middle, 0.0));
}

#[test]
fn columns_of_few_values() {
    let one = of_numbers(&[3.5; 40], 6);
    assert_eq!(dense(&one, 3.5), dense(&one, -9.0));
    assert_eq!(dense(&one, 3.5), dense(&one, 9.0));
    let expected = [0.0, 1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0, 0.0, 0.0, 0.0];
    assert!(dense(&one, 3.5).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7));
    let two = of_numbers(&[&[0.0; 30][..], &[8.0; 10]].concat(), 4);
    assert_eq!(parts(&two), (vec![0.0, 8.0], vec![0.0, 1.0]));
    assert_eq!(dense(&two, 4.0), dense(&spline(4, &[0.0, 1.0], &[0.0, 1.0]), 0.5));
    // Of ten rows, four are 0, one is 1, five are 2: their middles are at 2, 4.5 and 7.5.
    let three = of_numbers(&[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0], 4);
    assert_eq!(parts(&three), (vec![0.0, 1.0, 2.0], vec![0.0, 2.5 / 5.5, 1.0]));
}

#[test]
fn missing_has_an_id_of_its_own() {
    let cells = ["1", "", "2", "NA", "nan", "7"].map(String::from);
    let number = of_cells(&cells, 5);
    assert_eq!(parts(&number).0, [1.0, 2.0, 7.0], "they are not learned from");
    assert_eq!(dense(&number, f64::NAN), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let none = of_cells(&["", "NA", ""].map(String::from), 5);
    assert_eq!(dense(&none, f64::NAN), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(dense(&none, 4.0)[1] > 0.0, "a number where there was none is some number");
    assert_eq!(number.describe(0), "missing");
    assert_eq!(number.describe(2), "spline 2 of 5");
}

#[test]
fn too_few_functions_are_refused() {
    let spline = Transform::Spline;
    let config = Config { numeric_transform: spline, bins: Some(3), ..Config::default() };
    let message = config.check().unwrap_err().to_string();
    assert_eq!(message, "bins (--bins) must be at least 4 for spline");
    assert_eq!(Config { bins: None, ..config }.bins_of(10, 10), 4);
    let about =
        Column { transform: Some(spline), bins: Some(3), ..Column::new("n", Role::Numeric) };
    let mut schema = schema(&[("y", Role::Label), ("n", Role::Numeric)]);
    schema.columns[1] = about;
    let message = schema.check().unwrap_err().to_string();
    assert_eq!(message, "bins of 'n' must be at least 4 for spline");
}

/// A model file of one spline whose parts have been changed.
fn changed(file: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let (header, mut document, data) = common::container::parts(file);
    change(&mut document["document"]["encoding"]["fields"][0]["kind"]["of"]);
    common::container::joined(header, &document, &data)
}

#[test]
fn parts_that_make_no_spline_are_refused() {
    let folder = folder();
    let lines: String = (0..60).map(|row| format!("{},{row}.5\n", row % 2)).collect();
    let data = write(&folder, "rows.csv", format!("y,n\n{lines}"));
    let config = Config {
        numeric_transform: Transform::Spline,
        loss: Some(pairloom::loss::Loss::Logistic),
        ..plain_config()
    };
    let good = bytes(&model(&job(&data, &config)));
    let file = path(&folder, "model");
    let load = |bytes: Vec<u8>| {
        fs::write(&file, bytes).unwrap();
        Model::load(&file).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(load(changed(&good, |_| {})), Ok(()));
    let wrong: [&dyn Fn(&mut Value); 8] = [
        &|of| of["functions"] = json!(3),
        &|of| of["functions"] = json!(1u64 << 40),
        &|of| of["functions"] = json!(9),
        &|of| of["values"] = json!([]),
        &|of| of["values"][1] = of["values"][0].clone(),
        &|of| of["places"][1] = json!(1.5),
        &|of| of["places"][0] = json!(-0.1),
        &|of| of["places"] = json!([0.0, null]),
    ];
    for (case, change) in wrong.iter().enumerate() {
        let message = load(changed(&good, change)).expect_err(&format!("case {case}"));
        assert!(message.starts_with(&file) && !message.contains('\n'), "{case}: {message}");
    }
}
