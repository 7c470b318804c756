//! `explain`, `compare` and what `inspect` says of weights, on two real data sets; and what they refuse.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::refusals::{all_fail, fails};
use common::{Room, TRAIN, columns, house, shop, shop_room, trained_shop};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;

/// The first rows of the two sets, and their labels.
fn sets() -> [(&'static str, String, &'static str); 2] {
    let shoppers = include_str!("../data/online_shoppers_intention.csv").to_string();
    let mut bank = String::new();
    let packed = &include_bytes!("data/bank-marketing.csv.gz")[..];
    GzDecoder::new(packed).read_to_string(&mut bank).unwrap();
    let some = |text: String| {
        let step = text.lines().count() / 900;
        let (head, rows) = text.split_once('\n').unwrap();
        let rows: Vec<&str> = rows.lines().step_by(step).collect();
        format!("{head}\n{}\n", rows.join("\n"))
    };
    [("shoppers.csv", some(shoppers), "Revenue"), ("bank.csv", some(bank), "Class")]
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name}: {value}"))
}

fn sum(list: &Value) -> f64 {
    list.as_array().unwrap().iter().map(|part| number(part, "contribution")).sum()
}

#[test]
fn parts_of_real_rows_add_up_to_what_is_predicted() {
    let room = Room::new();
    for (file, text, label) in sets() {
        room.write(file, text);
        for model in ["fm", "hofm"] {
            room.ok(&format!(
                "train {file} --label {label} --model {model} --epochs 2 --factors 4"
            ));
            let predictions = room.ok(&format!("predict model.pairloom {file}")).numbers();
            let line = format!("explain model.pairloom {file} --row 700,1,33 --json");
            let rows = room.ok(&line).json();
            let numbers: Vec<u64> = rows.iter().map(|row| row["row"].as_u64().unwrap()).collect();
            assert_eq!(numbers, [1, 33, 700]);
            for row in rows {
                let (score, rounding) = (number(&row, "score"), number(&row, "rounding"));
                let products = sum(&row["products"]);
                assert_eq!(products == 0.0, model == "fm");
                let others = number(&row, "bias") + products + rounding;
                let features = sum(&row["values"]) + sum(&row["pairs"]);
                let by_column = sum(&row["columns"]) + sum(&row["column_pairs"]);
                assert!((others + features - score).abs() < 1e-9, "{file} {row}");
                assert!((others + by_column - score).abs() < 1e-9, "{file} {row}");
                assert!(rounding.abs() < 1e-6 * score.abs().max(1.0) * 10.0, "{file} {rounding}");
                let predicted = predictions[row["row"].as_u64().unwrap() as usize - 1];
                assert_eq!(number(&row, "prediction"), predicted, "{file}");
            }
            let shown = room.ok(&format!("explain model.pairloom {file} --top 3")).out;
            let parts: Vec<&str> = shown.lines().skip(2).take(3).collect();
            let size = |line: &&str| line.split_whitespace().last()?.parse::<f64>().ok();
            let sizes: Vec<f64> = parts.iter().map(|part| size(part).unwrap().abs()).collect();
            assert!(sizes.is_sorted_by(|a, b| a >= b), "{shown}");
            assert!(
                shown.contains("others)") && shown.contains("': 1 / (1 + e^-score) = "),
                "{shown}"
            );
        }
    }
}

#[test]
fn importance_of_real_columns_as_text_json_and_page() {
    let room = Room::new();
    for ((file, text, label), first) in sets().into_iter().zip(["PageValues", "V12"]) {
        room.write(file, text);
        room.ok(&format!("train {file} --label {label} --epochs 3 --factors 4"));
        let line = format!(
            "explain model.pairloom {file} --importance --sample 400 --repeats 2 --top 5 --seed 3"
        );
        let shown = room.ok(&format!("{line} --report page.html --threads 1")).out;
        assert!(shown.contains("400 of ") && shown.contains("pairs of values:"), "{shown}");
        let found = &room.ok(&format!("{line} --json --threads 2")).json()[0];
        assert_eq!(found["columns"][0]["column"], first, "{shown}");
        assert!(number(&found["columns"][0]["log_loss_worse"], "mean") > 0.01, "{shown}");
        assert!(number(&found["columns"][0]["auc_worse"], "mean") > 0.01, "{shown}");
        assert_eq!(found["value_pairs"].as_array().unwrap().len(), 5);
        let adds = found["column_pairs"].as_array().unwrap();
        let adds: Vec<f64> = adds.iter().map(|pair| number(pair, "weight")).collect();
        assert!(adds.len() > 100 && adds.is_sorted_by(|a, b| a >= b));
        // Rounded as it is shown, the table has the same for another number of threads.
        let shown_first = format!("{:.5}", number(&found["columns"][0]["log_loss_worse"], "mean"));
        assert!(shown.contains(&shown_first), "{shown}\n{shown_first}");
        let page = room.text("page.html");
        assert!(page.contains("id=\"map0-title\"") && page.contains("id=\"map1-title\""));
        assert!(page.contains(first) && page.matches("<rect class=\"cell").count() > 100);
    }
}

#[test]
fn other_tasks_are_explained_too() {
    let room = Room::new();
    room.write("house.csv", house(200));
    room.ok("train house.csv --label y --epochs 3");
    let shown = room.ok("explain model.pairloom house.csv").out;
    assert!(shown.contains("prediction: ") && shown.contains(" score = "), "{shown}");
    let found = room.ok("explain model.pairloom house.csv --importance --repeats 2").out;
    assert!(found.contains("RMSE worse by") && !found.contains("AUC"), "{found}");
    room.ok("train house.csv --label kind --loss softmax --epochs 3 -o classes.model");
    let row = &room.ok("explain classes.model house.csv --class k1 --json").json()[0];
    assert_eq!(row["class"], "k1");
    let found = room.ok("explain classes.model house.csv --importance --repeats 2").out;
    assert!(found.contains("log loss worse by"), "{found}");
    room.ok("train house.csv --label y --loss squared --factors 0 --epochs 1 -o linear.model");
    let found = room.ok("explain linear.model house.csv --importance --report page.html").out;
    assert!(!found.contains("pairs of columns:"), "{found}");
    room.write("rows.svm", "1 1:1 2:0.5\n0 2:1\n1 1:2\n0 2:1 3:1\n".repeat(10));
    room.ok("train rows.svm --epochs 2 --valid-fraction 0 --min-count 1 -o svm.model");
    let row = &room.ok("explain svm.model rows.svm --json").json()[0];
    assert_eq!(row["columns"][0]["cell"], "1:1 2:0.5");
    let found = room.ok("explain svm.model rows.svm --importance --repeats 1").out;
    assert!(found.contains("pairs of values:"), "{found}");
    let ranking = "train house.csv --label b --loss bpr --group kind --categorical kind";
    room.ok(&format!("{ranking} --epochs 2 -o rank.model"));
    let shown = room.ok("explain rank.model house.csv").out;
    assert!(shown.contains("rows of a group"), "{shown}");
    let found = room.ok("explain rank.model house.csv --importance --repeats 1").out;
    assert!(found.contains("NDCG worse by"), "{found}");
}

#[test]
fn rows_come_from_anywhere_and_bad_ones_are_skipped_if_asked() {
    let room = trained_shop(100);
    let file = room.ok("explain model.pairloom shop.csv --row 2").out;
    assert_eq!(room.ok_with("explain model.pairloom - --row 2", shop(100)).out, file);
    room.ok("convert shop.csv --label bought --ignore id -o rows");
    let kept = room.ok("explain model.pairloom rows --row 2 --json").json();
    let text = room.ok("explain model.pairloom shop.csv --row 2 --json").json();
    assert_eq!(kept[0]["score"], text[0]["score"]);
    room.write("bad.csv", "id,site,price,tags\nr,s1,x,\nr,never,2,old\n");
    let done = room.ok("explain model.pairloom bad.csv --row 1,2 --on-error skip");
    assert!(done.err.starts_with("skipped 1 row"), "{}", done.err);
    assert!(done.out.starts_with("row 2 (line 3)\n"), "{}", done.out);
    assert!(done.out.contains("site = never (rare or unseen)"), "{}", done.out);
}

#[test]
fn a_model_is_as_good_as_itself_and_better_than_a_worse_one() {
    let room = shop_room(600);
    room.ok(&format!("{TRAIN} -o a.model"));
    room.ok(
        "train shop.csv --label bought --ignore price,tags,id --factors 0 --epochs 1 -o b.model",
    );
    let same = &room.ok("compare a.model a.model shop.csv --json").json()[0];
    for figure in same["figures"].as_array().unwrap() {
        assert_eq!(number(figure, "difference"), 0.0, "{figure}");
        assert_eq!(figure["interval"], serde_json::json!([0.0, 0.0]), "{figure}");
        assert!(figure["better"].is_null());
    }
    let found = &room.ok("compare b.model a.model shop.csv --json --threads 1").json()[0];
    let evaluated = ["b.model", "a.model"]
        .map(|model| room.ok(&format!("evaluate {model} shop.csv --json")).json().remove(0));
    for figure in found["figures"].as_array().unwrap() {
        let name = figure["name"].as_str().unwrap();
        assert_eq!(figure["a"], evaluated[0][name], "{name}");
        assert_eq!(figure["b"], evaluated[1][name], "{name}");
        if let [Some(from), Some(to)] = [0, 1].map(|end| figure["interval"][end].as_f64()) {
            let difference = number(figure, "difference");
            assert!(from <= difference && difference <= to, "{figure}");
        }
    }
    assert_eq!(found["figures"][0]["better"], "B");
    let shown = room.ok("compare b.model a.model shop.csv").out;
    assert!(shown.contains("\nB is better: log loss"), "{shown}");
    assert!(room.ok("compare a.model a.model shop.csv").out.contains("cannot be told apart"));
    // Of one row there is no area under a curve, and no verdict.
    let one: Vec<String> = room.text("shop.csv").lines().take(2).map(String::from).collect();
    room.write("one.csv", one.join("\n") + "\n");
    let done = room.ok("compare b.model a.model one.csv");
    let warning = "warning: samples are drawn from 1 row: an interval of fewer than 30 says little";
    assert!(done.err.contains(warning), "{}", done.err);
    assert!(done.out.contains("\nToo few to tell them apart: log loss"), "{}", done.out);
    assert!(done.out.contains("\nUndefined on these rows: AUC"), "{}", done.out);
    assert!(!done.out.contains("is better"), "{}", done.out);
    assert!(room.ok("evaluate a.model one.csv --ci").err.contains(warning));
}

#[test]
fn weights_are_written_by_name() {
    let room = trained_shop(200);
    let done = room.ok("inspect model.pairloom --weights weights.csv --top 2");
    for words in ["sizes:", "largest linear weights:", "longest factor vectors:", "history:"] {
        assert!(done.out.contains(words), "{}", done.out);
    }
    let text = room.text("weights.csv");
    assert!(text.starts_with("field,value,id,w,v1,v2,v3,v4\n,bias,,"), "{text}");
    assert_eq!(room.ok("inspect model.pairloom --weights -").out, text);
    let found = &room.ok("inspect model.pairloom --top 2 --json").json()[0];
    assert_eq!(found["largest"]["linear"].as_array().unwrap().len(), 2);
    assert_eq!(found["history"].as_array().unwrap().len(), 3);
}

#[test]
fn what_cannot_be_explained_or_compared_is_refused_in_a_line() {
    all_fail(
        2,
        &[
            ("explain good.model shop.csv --row 121", "there is no row 121: shop.csv has 120 rows"),
            ("explain good.model shop.csv --row 0", "there is no row 0"),
            ("explain good.model shop.csv --class no", "class (--class) 'no': the model has one"),
            ("explain good.model shop.csv --importance --sample 0", "sample (--sample) must be"),
            ("explain good.model shop.csv --importance --repeats 0", "repeats (--repeats) must be"),
            ("compare good.model good.model -", "the rows are read once for each model"),
            ("compare good.model good.model shop.csv --ci 1", "ci (--ci) must be between 0 and 1"),
            ("explain good.model house.csv", "house.csv: column 'site' is missing"),
            ("compare good.model good.model house.csv", "house.csv: column '"),
            ("explain good.model house.csv --importance", "house.csv: column '"),
            ("explain good.model ok.svm", "ok.svm: column 'site' is missing"),
        ],
    );
    all_fail(
        1,
        &[
            ("explain good.model none.csv", "none.csv: "),
            ("explain shop.csv shop.csv", "shop.csv: "),
        ],
    );
    let room = common::refusals::room();
    room.write("unlabelled.csv", columns(&shop(50), &[0, 1, 2, 3]));
    let fails_with = |line: &str, code: i32, expected: &str| {
        let error = fails(&room, line, code);
        assert!(error.starts_with(&format!("error: {expected}")), "{line}\n{error}");
    };
    let refused = |line: &str, expected: &str| fails_with(line, 1, expected);
    let missing = "unlabelled.csv: column 'bought' is missing: it is the label here";
    fails_with("explain good.model unlabelled.csv --importance", 2, missing);
    fails_with("compare good.model good.model unlabelled.csv", 2, missing);
    room.ok("train house.csv --label y --epochs 1 -o number.model");
    let numbers =
        "number.model: it predicts a number, and good.model predicts the probability of 'yes'";
    refused("compare good.model number.model shop.csv", numbers);
    room.ok("train house.csv --label kind --loss softmax --epochs 1 -o classes.model");
    let one = fails(&room, "explain classes.model house.csv --class k9", 2);
    assert!(one.contains("is none of the classes"), "{one}");
    // A row that one model can use and the other cannot.
    room.write("mixed.csv", "id,site,price,tags,bought\nr,s1,1,,yes\nr,s1,x,,no\nr,s2,3,,no\n");
    room.ok("train shop.csv --label bought --ignore id,price --epochs 1 -o less.model");
    let line = "compare good.model less.model mixed.csv --on-error skip";
    refused(line, "mixed.csv: line 3: less.model takes the row and good.model leaves it out");
}
