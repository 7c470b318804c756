//! Columns of a file beside those of a schema: too many, too few, by other names, cut otherwise.

use crate::common;
use crate::common::{job, model, plain_config};
use pairloom::Model;
use pairloom::input::{Format, OpenOptions, from_bytes};
use pairloom::parallel::Threads;
use pairloom::predict::{EvaluateOptions, PredictOptions};
use pairloom::schema::{Column, Role, Schema};

/// A machine on rows of (label, colour, size), with or without a header.
fn colours(header: &str) -> Model {
    let folder = common::folder();
    let row = |i: usize| format!("{},c{},{}\n", i % 2, i % 5, i % 3);
    let rows: String = (0..200).map(row).collect();
    model(&job(&common::write(&folder, "rows.csv", format!("{header}{rows}")), &plain_config()))
}

/// What becomes of predicting and of evaluating these rows, read as the model's were.
fn tried(model: &Model, rows: &str) -> [Result<usize, String>; 2] {
    let Format::Csv { delimiter, header } = model.schema.format else { panic!("a CSV") };
    let options =
        OpenOptions { delimiter: Some(delimiter), header: Some(header), ..OpenOptions::default() };
    let open = || from_bytes("new", rows, &options).unwrap();
    let threads = Threads::new(1).unwrap();
    let mut count = 0;
    let take = |piece: &pairloom::predict::Piece| {
        count += piece.predictions.len();
        Ok(())
    };
    let done = model.predict_rows(&mut *open(), "new", &PredictOptions::default(), &threads, take);
    let evaluated = model.evaluate(&mut *open(), "new", &EvaluateOptions::default(), &threads);
    [
        done.map(|_| count).map_err(|e| e.to_string()),
        evaluated.map(|found| found.predictions.len()).map_err(|e| e.to_string()),
    ]
}

#[test]
fn a_file_without_header_has_the_same_columns_or_all_but_the_label() {
    let model = colours("");
    assert_eq!(tried(&model, "1,c1,2\n0,c2,1\n"), [Ok(2), Ok(2)]);
    let message = |has: &str, or: &str| {
        Err(format!(
            "new: the model was trained on 3 columns without names and this file has {has}: it \
             must have those{or}"
        ))
    };
    let or = ", or all but the label";
    assert_eq!(tried(&model, "c1,2\nc2,1\n"), [Ok(2), message("2", "")]);
    assert_eq!(tried(&model, "1,c1,2,7\n0,c2,1,7\n"), [message("4", or), message("4", "")]);
    let one = "1 (other --delimiter?)";
    assert_eq!(tried(&model, "1;c1;2\n"), [message(one, or), message(one, "")]);
}

#[test]
fn a_missing_column_comes_with_what_may_be_the_matter() {
    let model = colours("label,colour,size\n");
    let missing = |rows: &str| {
        let [predicted, evaluated] = tried(&model, rows);
        assert!(evaluated.is_err());
        let error = predicted.unwrap_err();
        let begins = "new: column 'colour' is missing: the model was trained on 3 columns and \
                      these rows have ";
        error.strip_prefix(begins).unwrap_or_else(|| panic!("{error}")).to_string()
    };
    assert_eq!(missing("size,x\n1,c\n"), "2");
    assert_eq!(missing("size,Color \n1,c\n"), "2; is it the one called 'Color'?");
    assert_eq!(
        missing("label;colour;size\n1;c1;2\n"),
        "1, as its cells are separated by ';': say --delimiter"
    );
    assert_eq!(
        missing("1,c1,2\n0,c2,1\n"),
        "3, none of them by the same name: the first line must name them; the columns are colour, \
         size"
    );
}

#[test]
fn columns_that_a_schema_ignores_may_be_missing() {
    let columns = [("y", Role::Label), ("x", Role::Categorical), ("note", Role::Ignore)];
    let columns = columns.map(|(name, role)| Column::new(name, role)).to_vec();
    let schema = Schema {
        format: Format::Csv { delimiter: ',', header: true },
        positive: None,
        item: Vec::new(),
        columns,
    };
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let fitted = schema.for_columns("f.csv", &names(&["x", "y"])).unwrap();
    let roles: Vec<Role> = fitted.columns.iter().map(|column| column.role).collect();
    assert_eq!(roles, [Role::Categorical, Role::Label]);
    let error = schema.for_columns("f.csv", &names(&["X", "y", "note"])).unwrap_err().to_string();
    let expected = "f.csv: column 'x' of the schema is missing (did you mean 'X'?): the columns";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn numbers_that_are_spelled_otherwise_are_told() {
    let folder = common::folder();
    let rows = |cell: &str| {
        let row = |i: usize| format!("{};{}\n", i % 2, if i == 30 { cell } else { "1.5" });
        format!("label;price\n{}", (0..60).map(row).collect::<String>())
    };
    for (cell, expected) in [
        ("1,5", "'1,5' is a number with a decimal comma: write a point"),
        ("1,234", "'1,234' is a number with a comma: write a point, or leave it out between"),
        ("1.234,50", "'1.234,50' is a number with separators of thousands: leave them out"),
        ("$3", "'$3' is a number with a sign of currency or percent: leave that out"),
        ("2024-05-17", "'2024-05-17' is a date: make it a number"),
        ("much", "'much' is not a finite number: correct it"),
    ] {
        let data = common::write(&folder, "rows.csv", rows(cell));
        let error = common::refusal(&job(&data, &plain_config()));
        let expected = format!("{data}:32:3: column 'price' is numeric and {expected}");
        assert!(error.starts_with(&expected), "{error}");
    }
    // A whole column of them is text, and its reason says why.
    let row = |i: usize| format!("{};{},{:02}\n", i % 2, i / 7, i % 90 + 10);
    let text = format!("label;price\n{}", (0..300).map(row).collect::<String>());
    let data = common::write(&folder, "commas.csv", text);
    let error = common::refusal(&job(&data, &plain_config()));
    let expected = "no column is left to learn from; 'price' is left out: text: '0,10' is a number \
                    with a decimal comma: write a point";
    assert_eq!(error, expected);
}

#[test]
fn a_first_line_that_does_not_fit_may_be_a_header() {
    let folder = common::folder();
    let rows: String = (0..100).map(|i| format!("{},{}.5\n", i % 2, i % 9)).collect();
    let model = model(&job(&common::write(&folder, "rows.csv", &rows), &plain_config()));
    let [predicted, evaluated] = tried(&model, &format!("y,size\n{rows}"));
    let expected =
        "new:1:3: column '1' is numeric and 'size' is no number: if this line is a header";
    assert!(predicted.as_ref().unwrap_err().starts_with(expected), "{predicted:?}");
    let expected = "new:1:1: label: 'y' is neither '1' nor '0'; is this line a header (--header)?";
    assert_eq!(evaluated.unwrap_err(), expected);
}
