//! Labels of several classes from the command line: what is said of them, and what is written.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Room, draws};

/// Rows of which the class follows from a number and a name together; one class has a comma in it.
fn room(rows: usize) -> Room {
    let mut text = String::from("kind,size,site\n");
    for [a, b, c] in draws(rows) {
        let size = f64::from(a % 300) / 10.0;
        let class = if c % 8 == 0 { c / 8 % 3 } else { (a % 300 / 100 + b % 3) % 3 };
        text +=
            &format!("{},{size},s{}\n", ["low", "\"mid, or so\"", "high"][class as usize], b % 3);
    }
    let room = Room::new();
    room.write("rows.csv", text);
    room
}

const TRAIN: &str = "train rows.csv --label kind --epochs 20";

#[test]
fn classes_are_trained_evaluated_and_predicted() {
    let room = room(2000);
    let said = room.ok(&format!("{TRAIN} --report report.html")).out;
    let classes =
        "predicting the probability of each of 'high', 'low', 'mid, or so' (3 classes, the";
    for part in [classes, "log loss", "macro F1", "balanced accuracy"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let page = room.text("report.html");
    assert!(page.contains("The probability that kind is each of 3 classes"), "{page}");
    assert!(page.contains("observed share"), "of classes, not of positives: {page}");
    assert!(page.contains("Calibration") && !page.contains("Nothing to draw"), "{page}");
    let inspected = room.ok("inspect model.pairloom").out;
    assert!(inspected.contains("the score of each class = ") && inspected.contains("3 classes, "));

    let evaluated = room.ok("evaluate model.pairloom rows.csv --ci --json").json().remove(0);
    let accuracy = evaluated["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.8, "{accuracy}");
    assert!(evaluated["ci"]["macro_f1"][0].as_f64() < evaluated["macro_f1"].as_f64());
    let names: Vec<_> = (0..3).map(|at| evaluated["classes"][at]["class"].clone()).collect();
    assert_eq!(names, ["high", "low", "mid, or so"]);
    let weights = |at: usize| evaluated["classes"][at]["weight"].as_f64().unwrap();
    assert_eq!(weights(0) + weights(1) + weights(2), 2000.0);
    let text = room.ok("evaluate model.pairloom rows.csv").out;
    assert!(text.contains("\nclass       precision   recall       F1  weight\n"), "{text}");

    let lines = room.ok("predict model.pairloom rows.csv --keep site,kind").out;
    let mut lines = lines.lines();
    assert_eq!(lines.next(), Some("site,kind,prediction,p_high,p_low,\"p_mid, or so\""));
    let right = lines.filter(|line| {
        let (_, cells) = line.split_once(',').unwrap();
        ["high,high,", "low,low,", "\"mid, or so\",\"mid, or so\","]
            .iter()
            .any(|both| cells.starts_with(both))
    });
    assert_eq!(right.count() as f64, 2000.0 * accuracy);
    let plain = room.ok("predict model.pairloom rows.csv").out;
    assert!(plain.starts_with("prediction,p_high,p_low,\"p_mid, or so\"\n"));
    let objects = room.ok("predict model.pairloom rows.csv --json --keep site").json();
    assert_eq!(objects.len(), 2000);
    for (object, line) in objects.iter().zip(plain.lines().skip(1)).take(50) {
        let p = |name: &str| object["probabilities"][name].as_f64().unwrap();
        let all = [p("high"), p("low"), p("mid, or so")];
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(line.ends_with(&format!(",{},{},{}", all[0], all[1], all[2])));
        let top = all.iter().fold(0.0, |top: f64, p| top.max(*p));
        assert_eq!(p(object["prediction"].as_str().unwrap()), top);
    }
}

#[test]
fn columns_that_would_be_two_are_refused() {
    let room = room(300);
    let text = room.text("rows.csv").replace("site", "p_low");
    room.write("rows.csv", text);
    room.ok(TRAIN);
    let done = room.run("predict model.pairloom rows.csv --keep p_low");
    assert_eq!((done.code(), done.out.as_str()), (2, ""));
    assert!(done.err.starts_with("error: --keep p_low: what is predicted"), "{}", done.err);
}

#[test]
fn what_may_be_wrong_with_classes_is_said() {
    let room = Room::new();
    room.write("rows.csv", "y,c\n".to_string() + &"a,x\nb,y\nNA,z\n".repeat(30) + "rare,x\n");
    let done = room.ok("train rows.csv --label y --epochs 1");
    assert!(done.err.contains("warning: 'NA' is taken for a class"), "{}", done.err);
    assert!(done.err.contains("note: 1 class has one training row only"), "{}", done.err);
    room.write("numbers.csv", "y,c\n".to_string() + &"1,x\n2,y\n3,z\n".repeat(30));
    let done = room.ok("train numbers.csv --label y --epochs 1");
    assert!(done.err.contains("--loss softmax learns the probability of each"), "{}", done.err);
}
