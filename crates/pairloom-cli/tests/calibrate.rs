//! Calibrating by the command, on real rows; and rows by segments.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::refusals::all_fail;
use common::{Room, house, shop_room, trained_shop};
use serde_json::Value;

/// The shoppers in three files: rows to train on, to hold out and to test on.
fn shoppers() -> Room {
    let room = Room::new();
    let text = include_str!("../data/online_shoppers_intention.csv");
    let (header, rows) = text.split_once('\n').unwrap();
    for (name, parts) in [("train.csv", &[0, 3, 4][..]), ("held.csv", &[1]), ("test.csv", &[2])] {
        let mine = rows.lines().enumerate().filter(|(row, _)| parts.contains(&(row % 5)));
        let mine: String = mine.map(|(_, line)| format!("{line}\n")).collect();
        room.write(name, format!("{header}\n{mine}"));
    }
    room
}

const TRAIN: &str = "train train.csv --label Revenue -q";

fn evaluated(room: &Room, line: &str) -> Value {
    room.ok(&format!("evaluate {line} --json")).json()[0].clone()
}

fn number(of: &Value, name: &str) -> f64 {
    of[name].as_f64().unwrap()
}

#[test]
fn what_class_weights_bend_a_calibration_puts_right() {
    let room = shoppers();
    room.ok(&format!("{TRAIN} -o plain"));
    room.ok(&format!("{TRAIN} --class-weight balanced -o bent"));
    let [plain, bent] =
        ["plain", "bent"].map(|model| evaluated(&room, &format!("{model} test.csv")));
    assert!(number(&bent, "log_loss") > 1.3 * number(&plain, "log_loss"));
    for method in ["platt", "isotonic", "beta"] {
        for model in ["bent", "plain"] {
            let line = format!("calibrate {model} held.csv --method {method} -o better --json");
            let found = room.ok(&line).json()[0].clone();
            assert_eq!(found["calibration"]["method"], method);
            assert!(number(&found["after"], "log_loss") < number(&found["before"], "log_loss"));
            let better = evaluated(&room, "better test.csv");
            let worse = number(&better, "log_loss") / number(&plain, "log_loss");
            assert!(worse < 1.03, "{model} {method}: {worse}");
            let error = number(&better, "expected_calibration_error");
            assert!(error < 0.025, "{model} {method}: {error}");
        }
    }
    // In training it is the same, on the rows that training holds out.
    room.ok(&format!("{TRAIN} --class-weight balanced --calibrate platt -o bent"));
    let better = evaluated(&room, "bent test.csv");
    assert!(number(&better, "log_loss") < 1.03 * number(&plain, "log_loss"), "{better}");
}

#[test]
fn sampled_negatives_are_corrected() {
    let room = shoppers();
    let text = room.text("train.csv");
    let mut negatives = 0;
    let sample: String = text
        .lines()
        .filter(|line| {
            negatives += u32::from(line.ends_with(",0"));
            !line.ends_with(",0") || negatives % 4 == 0
        })
        .map(|line| format!("{line}\n"))
        .collect();
    room.ok(&format!("{TRAIN} -o whole"));
    room.write("train.csv", sample);
    room.ok(&format!("{TRAIN} -o raw"));
    room.ok(&format!("{TRAIN} --negative-rate 0.25 -o corrected"));
    room.ok(&format!("{TRAIN} --negative-rate 0.25 --calibrate beta -o both"));
    let all = |model: &str| {
        let found = evaluated(&room, &format!("{model} test.csv"));
        let p = room.ok(&format!("predict {model} test.csv")).numbers();
        let mean = p.iter().sum::<f64>() / p.len() as f64;
        (number(&found, "log_loss"), number(&found, "expected_calibration_error"), mean)
    };
    let [whole, raw] = ["whole", "raw"].map(all);
    assert!(raw.2 > 1.5 * whole.2 && raw.0 > 1.15 * whole.0 && raw.1 > 0.08, "{raw:?} {whole:?}");
    for model in ["corrected", "both"] {
        let found = all(model);
        assert!((found.2 / whole.2 - 1.0).abs() < 0.12, "{model}: {found:?} {whole:?}");
        assert!(found.0 < 1.06 * whole.0 && found.1 < 0.035, "{model}: {found:?} {whole:?}");
    }
    let said = room.ok("train train.csv --label Revenue --negative-rate 0.25 -o m --report r.html");
    assert!(said.out.contains("these rows have 25.0% of all negatives"), "{}", said.out);
    let page = room.text("r.html");
    assert!(page.contains("corrected for negatives sampled at 0.25"));
    assert!(page.contains("each as the rows that it stands for"));
}

#[test]
fn a_calibration_is_told_and_shown() {
    let room = trained_shop(700);
    let said = room.ok("calibrate model.pairloom shop.csv --method platt -o model.pairloom").out;
    for words in ["calibration: platt, log-odds", "on the 700 rows", "before", "wrote model.pair"] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let inspected = room.ok("inspect model.pairloom").out;
    assert!(inspected.contains("\ncalibration: platt, log-odds"), "{inspected}");
    assert!(inspected.contains("\non the validation rows, uncorrected and uncalibrated:"));
    let inspected = &room.ok("inspect model.pairloom --json").json()[0];
    assert_eq!(inspected["calibration"]["method"], "platt");
    room.ok("evaluate model.pairloom shop.csv --report r.html");
    assert!(room.text("r.html").contains("calibrated (platt, log-odds"));
    let line = format!("{} --calibrate isotonic --json", common::TRAIN);
    let trained = room.ok(&line);
    assert_eq!(trained.err, "note: 70 rows are few for isotonic: platt and beta take less\n");
    let end = trained.json().pop().unwrap();
    assert_eq!(end["calibrated"]["calibration"]["method"], "isotonic");
    let [before, after] = ["before", "after"].map(|at| number(&end["calibrated"][at], "log_loss"));
    assert!(after < before && before == number(&end["valid"], "log_loss"));
    let averaged = room.ok("average model.pairloom model.pairloom -o average");
    assert!(averaged.err.contains("note: calibrations are left out"), "{}", averaged.err);
    // Standard output is for the model where it goes there.
    let piped = room.shell("$pairloom calibrate average shop.csv --method beta -o - > piped");
    assert!(piped.err.contains("calibration: beta"), "{}", piped.err);
    assert!(room.ok("inspect piped").out.contains("calibration: beta"));
}

#[test]
fn segments_are_shown_everywhere() {
    let room = trained_shop(700);
    let line = "evaluate model.pairloom shop.csv --segment site,price --top 3";
    let said = room.ok(&format!("{line} --report r.html")).out;
    for words in ["\nby site:\n", "\nby price:\n", "(2 others)", "predicted", "observed", " to "] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let page = room.text("r.html");
    for words in ["By site", "By price", "(2 others)", "norm. entropy"] {
        assert!(page.contains(words), "{words}");
    }
    let segments =
        &evaluated(&room, "model.pairloom shop.csv --segment site,price --top 3")["segments"];
    let [site, price] = ["site", "price"].map(|name| segments[name].as_array().unwrap());
    assert_eq!((site.len(), price.len()), (4, 3));
    assert_eq!(site[3]["others"], 2);
    assert!(site[0]["rows"].is_u64() && site[0]["value"].is_string());
    assert!(site.iter().map(|of| number(of, "rows")).sum::<f64>() == 700.0);
    assert!(number(&price[0], "to") < number(&price[1], "from"));
    assert!(number(&price[0], "log_loss") > 0.0 && number(&site[0], "ratio") > 0.5);
    assert!(evaluated(&room, "model.pairloom shop.csv").get("segments").is_none());
    room.write("house.csv", house(300));
    room.ok("train house.csv --label y --epochs 2 -o house");
    let of_kind = &evaluated(&room, "house house.csv --segment kind")["segments"]["kind"][0];
    assert!(number(of_kind, "rmse") > 0.0 && of_kind.get("log_loss").is_none());
}

#[test]
fn what_is_refused() {
    all_fail(
        2,
        &[
            ("calibrate good.model shop.csv -o x", "the following required arguments were not"),
            (
                "calibrate good.model shop.csv --method vote -o x",
                "invalid value 'vote' for '--method",
            ),
            ("train shop.csv --calibrate vote", "invalid value 'vote' for '--calibrate"),
            (
                "train shop.csv --label bought --negative-rate 0",
                "negative_rate (--negative-rate) must be at least 1e-30 and at most 1",
            ),
            (
                "train house.csv --label y --negative-rate 0.1",
                "house.csv: negative_rate (--negative-rate) is for the probability of one of two classes",
            ),
            (
                "train shop.csv --label bought --calibrate platt --valid-fraction 0",
                "calibrate (--calibrate) learns from validation rows",
            ),
            (
                "evaluate good.model shop.csv --segment sight",
                "shop.csv: there is no column 'sight'",
            ),
            (
                "calibrate good.model shop.csv --method platt -o shop.csv",
                "shop.csv would replace the input shop.csv",
            ),
        ],
    );
    let room = shop_room(30);
    room.ok("train shop.csv --label bought --ignore id --epochs 1 --valid-fraction 0 -o m");
    let few: String =
        room.text("shop.csv").lines().take(9).map(|line| format!("{line}\n")).collect();
    room.write("few.csv", few);
    let said = common::refusals::fails(&room, "calibrate m few.csv --method beta -o x", 1);
    assert!(
        said.starts_with("error: few.csv: ")
            && said.contains("4 negative rows")
            && said.contains("take rows with more of each class"),
        "{said}"
    );
}
