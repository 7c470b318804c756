//! Flags that mean nothing beside a model or other flags, files that are left when work fails, and what odd weights
//! are told to mean.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::Room;
use common::refusals::fails;

/// Rows with a label of two values, of three, and a number; in groups, with a weight.
fn room(weight: f64) -> Room {
    let row = |i: usize| {
        let (two, three) = (i * 7 % 3 % 2, ["a", "b", "c"][i * 5 % 3]);
        format!("{two},{three},{},g{},v{},{weight}\n", i % 11, i / 4, i % 5)
    };
    let room = Room::new();
    let rows: String = (0..120).map(row).collect();
    room.write("rows.csv", format!("two,three,number,group,kind,weight\n{rows}"));
    room
}

/// The flags of a training on one of the columns.
fn on(label: &str, more: &str) -> String {
    let others: Vec<&str> = ["two", "three", "number", "group", "weight"]
        .into_iter()
        .filter(|name| *name != label && !more.contains(name))
        .collect();
    format!("train rows.csv --epochs 1 --label {label} --ignore {} {more}", others.join(","))
}

#[test]
fn flags_that_mean_nothing_are_refused() {
    let room = room(1.0);
    room.ok(&on("two", "-o two.model"));
    room.ok(&on("three", "-o classes.model"));
    room.ok(&on("number", "--loss poisson -o counts.model"));
    room.ok(&on("number", "--loss bpr --group group -o ranks.model"));
    for (line, expected) in [
        (
            "classes.model rows.csv --threshold 0.3",
            "--threshold is for the probability of one of two \
          classes, and the model was trained with --loss softmax",
        ),
        ("counts.model rows.csv --threshold 0.3", "--threshold is for the probability of one of"),
        ("ranks.model rows.csv --threshold 0.3", "--threshold is for the probability of one of"),
        (
            "two.model rows.csv --items rows.csv --threshold 0.3",
            "--threshold is for the probability \
          of one of two classes, and with --items ranks are measured",
        ),
        (
            "two.model rows.csv --at 3",
            "--at is for ranked lists, and the model was trained with --loss l",
        ),
        ("two.model rows.csv --top 3", "the following required arguments were not provided:"),
        (
            "two.model rows.csv --items rows.csv --ci",
            "the argument '--items <FILE>' cannot be used with",
        ),
        ("two.model rows.csv --ci 0.9", "unexpected argument '0.9' found"),
    ] {
        let error = fails(&room, &format!("evaluate {line}"), 2);
        assert!(error.strip_prefix("error: ").unwrap().starts_with(expected), "{line}: {error}");
    }
    let error = fails(&room, "compare counts.model counts.model rows.csv --at 3", 2);
    assert!(error.starts_with("error: --at is for ranked lists"), "{error}");
    for (flags, expected) in [
        (
            "--temp-dir .",
            "--temp-dir means nothing here: rows go to temporary files only where --memory",
        ),
        ("-o - --resume", "--resume means nothing here: a model for standard output has no"),
        ("-o - --restart", "--restart means nothing here: a model for standard output has no"),
    ] {
        let error = fails(&room, &on("two", flags), 2);
        assert!(error.strip_prefix("error: ").unwrap().starts_with(expected), "{flags}: {error}");
    }
    // The level does not swallow what comes next.
    let done = room.ok("evaluate --ci two.model rows.csv");
    assert!(done.out.starts_with("95.0% intervals"), "{}", done.out);
    room.ok("evaluate ranks.model rows.csv --at 3 --ci=0.5");
}

#[test]
fn errors_of_an_evaluation_name_the_file_and_what_is_not_there_is_one_kind() {
    let room = room(0.0);
    room.write("train.csv", room.text("rows.csv").replace(",0\n", ",2\n"));
    let train = |label: &str, more: &str| on(label, more).replace("rows.csv", "train.csv");
    room.ok(&train("two", "--weight weight -o weighted.model"));
    room.ok(&train("number", "--loss bpr --group group -o ranks.model"));
    let error = fails(&room, "evaluate weighted.model rows.csv", 1);
    assert_eq!(error, "error: rows.csv: no rows with a weight above zero to measure\n");
    room.write("alike.csv", "number,group,kind,weight\n1,g1,v1,1\n1,g1,v2,1\n");
    let error = fails(&room, "evaluate ranks.model alike.csv", 1);
    assert!(error.starts_with("error: alike.csv: no group has rows of different"), "{error}");
    let error = fails(&room, "compare ranks.model ranks.model alike.csv", 1);
    assert!(error.starts_with("error: alike.csv: no group has rows of different"), "{error}");
    // Columns that are not there.
    room.write("bare.csv", "kind\nv1\n");
    let error = fails(&room, "evaluate weighted.model bare.csv", 2);
    assert!(error.starts_with("error: bare.csv: column 'two' is missing"), "{error}");
    room.write("light.csv", "two,kind\n1,v1\n");
    let error = fails(&room, "evaluate weighted.model light.csv", 2);
    let expected =
        "column 'weight' is missing: it is the weight here; a column of 1 counts all rows alike";
    assert!(error.contains(expected), "{error}");
    let error = fails(&room, "evaluate ranks.model bare.csv", 2);
    assert!(error.starts_with("error: bare.csv: column 'number' is missing"), "{error}");
}

#[test]
fn a_training_that_fails_leaves_no_schema() {
    let room = room(1.0);
    let rows = room.text("rows.csv");
    room.write("rows.csv", format!("{rows}1,a,word,g,v,1\n"));
    let line = on("two", "--numeric number --save-schema schema.toml");
    let error = fails(&room, &line, 1);
    assert!(error.starts_with("error: rows.csv:122:5: column 'number' is numeric"), "{error}");
    for command in ["convert rows.csv -o kept", "study rows.csv -o study --folds 2 --epochs 1"] {
        let error = fails(
            &room,
            &format!("{command} --label two --numeric number --save-schema schema.toml"),
            1,
        );
        assert!(error.contains("rows.csv:122:5: column 'number' is numeric"), "{error}");
    }
    room.write("rows.csv", rows);
    room.ok(&line);
    assert!(room.text("schema.toml").contains("name = \"number\""));
}

#[test]
fn weights_that_are_no_counts_are_told() {
    let note = |weight: f64, more: &str| {
        let done = room(weight).ok(&on("two", &format!("--weight weight {more}")));
        done.err.lines().find(|line| line.contains("in the mean")).map(String::from)
    };
    let said = note(0.001, "").unwrap();
    let expected =
        "note: training rows weigh 0.001 in the mean; a weight counts as so many copies of its row";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.ends_with("if weights are no counts, scale them to a mean of 1"), "{said}");
    assert!(note(5000.0, "").unwrap().contains("weigh 5000 in the mean"));
    assert_eq!((note(0.02, ""), note(90.0, ""), note(0.001, "--quiet")), (None, None, None));
    let one = room(1.0);
    one.write("rows.csv", one.text("rows.csv").replacen(",1\n", ",1e20\n", 1));
    let done = one.run(&on("two", "--weight weight"));
    assert!(
        done.err.contains("the greatest weight is 1e20: one row counts more than"),
        "{}",
        done.err
    );
    // Clicks of impressions are counts, and many.
    let counts = room(1.0);
    let rows = "30,5000,v\n20,9000,w\n10,7000,v\n".repeat(10);
    counts.write("rows.csv", format!("clicks,shown,kind\n{rows}"));
    let done = counts.ok("train rows.csv --label clicks --trials shown --epochs 1");
    assert!(!done.err.contains("in the mean"), "{}", done.err);
}

#[test]
fn weights_that_are_huge_are_named_where_training_diverges() {
    let room = room(1e20);
    for flags in ["--weight weight", "--class-weight 1=1e30"] {
        let done = room.run(&on("two", flags));
        assert_eq!(done.code(), 1, "{}", done.err);
        let error = done.err.lines().last().unwrap();
        assert!(error.starts_with("error: training diverged in epoch 1"), "{error}");
        let likely =
            "in the mean, which is likely why: scale weights (--weight, --trials, --class-weight)";
        assert!(error.contains(likely) && !error.contains("Lower learning_rate"), "{error}");
    }
}

#[test]
fn rows_to_calibrate_on_are_called_validation_rows() {
    let room = room(1.0);
    room.write("valid.csv", "two,kind\n".to_string() + &"0,v1\n".repeat(30));
    let error = fails(&room, &on("two", "--valid valid.csv --calibrate platt"), 1);
    assert!(
        error.starts_with("error: valid.csv: 0 positive validation rows, and calibr"),
        "{error}"
    );
}
