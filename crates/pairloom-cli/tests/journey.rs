//! What people do with the command, from raw rows to predictions.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Room, TRAIN, house, shop_room, trained_shop};
use serde_json::Value;
use std::fs;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn train_evaluate_predict_inspect_a_csv() {
    let room = shop_room(700);
    let trained = room.ok(&format!("{TRAIN} --report report.html"));
    assert_eq!(trained.err, "", "progress is for terminals");
    for text in ["bought", "'yes' against 'no'", "wrote model.pairloom", "wrote report.html"] {
        assert!(trained.out.contains(text), "{text}\n{}", trained.out);
    }
    assert_eq!(room.files(), ["model.pairloom", "report.html", "shop.csv"]);
    let page = room.text("report.html");
    assert!(page.contains("<svg") && page.contains("</html>") && page.contains("--label bought"));

    let evaluated = room.ok("evaluate model.pairloom shop.csv --report evaluation.html");
    assert!(evaluated.out.starts_with("log loss"), "{}", evaluated.out);
    assert!(room.text("evaluation.html").contains("</html>"));

    let predicted = room.ok("predict model.pairloom shop.csv");
    let probabilities = predicted.numbers();
    assert_eq!(probabilities.len(), 700);
    assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
    assert_eq!(predicted.err, "");

    let inspected = room.ok("inspect model.pairloom");
    for text in ["4 factors", "settings:", "site", "categorical", "multi"] {
        assert!(inspected.out.contains(text), "{text}\n{}", inspected.out);
    }
}

#[test]
fn a_report_says_what_a_constant_prediction_comes_to() {
    let room = shop_room(400);
    room.ok(&format!("{TRAIN} --report r.html"));
    let page = room.text("r.html");
    for words in ["for a constant prediction", "best epoch", "training rows", "<dd>360</dd>"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("bought is \u{2018}yes\u{2019} rather than \u{2018}no\u{2019}"));
    room.write("house.csv", house(300));
    room.ok("train house.csv --label y --epochs 2 --valid-fraction 0 --report r.html");
    let page = room.text("r.html");
    for words in ["training RMSE", "RMSE (target units)", "last epoch", "standard deviation"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("squared error"));
}

#[test]
fn names_of_any_kind_break_neither_page_nor_table() {
    let room = Room::new();
    let long = "x".repeat(5000);
    let text = format!("<b>\u{65e5}\u{672c}</b>,{long},\"two\nlines\",y\n");
    let rows: String = (0..60)
        .map(|i| format!("a{},b{},c{},{}\n", i % 3, i % 4, i % 5, ["<i>", "&"][i % 2]))
        .collect();
    room.write("odd.csv", text + &rows);
    let trained = room.ok("train odd.csv --label y --epochs 1 --report r.html").out;
    assert!(trained.lines().all(|line| line.chars().count() < 120), "{trained}");
    assert!(trained.contains("two\u{fffd}lines"));
    let page = room.text("r.html");
    assert!(page.contains("&lt;b&gt;\u{65e5}\u{672c}&lt;/b&gt;") && !page.contains("<b>"));
    assert!(page.contains("&lt;i&gt;") && !page.contains("<i>") && !page.contains(&long));
}

#[test]
fn quiet_says_nothing_and_json_only_json() {
    let room = shop_room(300);
    let quiet = room.ok(&format!("{TRAIN} --quiet"));
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let room = shop_room(700);
    let script = |flag: &str| format!("script -qec \"$pairloom {TRAIN} {flag}\" /dev/null");
    if room.shell("command -v script").code() == 0 {
        assert_eq!(room.shell(&script("-q")).out, "", "no progress on a terminal");
        let json = room.shell(&script("--json")).out.replace('\r', "");
        assert!(json.lines().all(|line| line.starts_with('{')), "{json}");
    }
}

#[test]
fn the_threshold_moves_precision_and_recall() {
    let room = trained_shop(400);
    let at = |threshold: &str| {
        let command = format!("evaluate model.pairloom shop.csv --json --threshold {threshold}");
        room.ok(&command).json()[0].clone()
    };
    let (low, high) = (at("0"), at("0.9"));
    assert_eq!(low["recall"], 1.0, "everything is positive");
    assert!(high["recall"].as_f64() < low["recall"].as_f64());
    assert_eq!(low["log_loss"], high["log_loss"]);
    assert_eq!(high["threshold"], 0.9);
}

#[test]
fn tsv_without_header() {
    let room = Room::new();
    room.synth("train.tsv", "--rows 2000 --fields 5 --features 200");
    room.ok("train train.tsv --epochs 2");
    assert_eq!(room.ok("predict model.pairloom train.tsv").numbers().len(), 2000);
    let schema = &room.ok("inspect model.pairloom --json").json()[0]["schema"];
    assert_eq!(schema["columns"][0]["role"], "label", "the first column is the label");
    assert_eq!(schema["format"]["header"], false);
}

#[test]
fn libsvm_and_libffm() {
    for format in ["libsvm", "libffm"] {
        let room = Room::new();
        let settings = format!("--rows 1500 --fields 5 --features 200 --format {format}");
        room.synth(&format!("a.{format}"), &settings);
        room.synth(&format!("b.{format}"), &format!("{settings} --sample 1"));
        room.ok(&format!(
            "train a.{format} --valid b.{format} --epochs 4 --optimizer adagrad --learning-rate 0.1"
        ));
        let metrics = &room.ok(&format!("evaluate model.pairloom b.{format} --json")).json()[0];
        assert!(metrics["auc"].as_f64().unwrap() > 0.55, "{metrics}");
        let rows = room.text(&format!("b.{format}"));
        let unlabelled: String =
            rows.lines().map(|line| line.split_once(' ').unwrap().1.to_string() + "\n").collect();
        room.write("unlabelled", unlabelled);
        let with = room.ok(&format!("predict model.pairloom b.{format}"));
        let without = room.ok("predict model.pairloom unlabelled");
        assert_eq!((with.out.lines().count(), with.out), (1500, without.out));
    }
}

#[test]
fn fields_of_libsvm() {
    let room = Room::new();
    let row = |i: usize| format!("{} {}:1 {}:1\n", i % 7 % 2, i % 11, 100 + i % 13);
    room.write("a.svm", (0..600).map(row).collect::<String>());
    room.write("fields", "0-99 user\n100-199 item # and no others\n");
    let settings = "--model ffm --factors 4 --epochs 3";
    room.ok(&format!("train a.svm --fields fields {settings} -o by-file --save-schema s.toml"));
    assert!(room.text("s.toml").contains("\"0-99 user\""), "{}", room.text("s.toml"));
    room.ok("convert a.svm --fields fields -o rows");
    room.ok(&format!("train rows {settings} -o converted"));
    room.ok(&format!("train a.svm --schema s.toml {settings} -o by-schema"));
    assert!(room.read("by-file") == room.read("converted"));
    assert!(room.read("by-file") == room.read("by-schema"));
    room.ok(&format!("train a.svm --fields 0-99,100- {settings} -o by-ranges"));
    let predicted = |model: &str| room.ok(&format!("predict {model} a.svm")).out;
    assert_eq!(predicted("by-file"), predicted("by-ranges"));
    room.write("wrong", "0-99 user\n 7 item\n");
    let done = room.run("train a.svm --fields wrong");
    assert_eq!(done.err, "error: wrong:2:2: index 7 is in two ranges\n");
}

#[test]
fn the_d2l_preset() {
    let room = Room::new();
    let settings = "--rows 4000 --fields 34 --features 2000";
    room.synth("train.tsv", settings);
    room.synth("test.tsv", &format!("{settings} --sample 1"));
    room.ok("train train.tsv --preset d2l --valid test.tsv --epochs 2 -o d2l.pairloom");
    let config = &room.ok("inspect d2l.pairloom --json").json()[0]["config"];
    assert_eq!(config["factors"], 20);
    assert_eq!(config["optimizer"], "adam-dense");
    assert_eq!(config["batch_size"], 2048);
    assert_eq!(config["min_count"], 4);
    assert_eq!(config["epochs"], 2, "a flag changes the recipe");
    assert_eq!(room.ok("predict d2l.pairloom test.tsv").numbers().len(), 4000);
}

#[test]
fn regression() {
    let room = Room::new();
    room.write("house.csv", house(800));
    let flags = "--label y --categorical kind --numeric-transform standard --optimizer adagrad --learning-rate 0.1";
    room.ok(&format!("train house.csv {flags} --epochs 20 --report report.html"));
    let metrics = &room.ok("evaluate model.pairloom house.csv --json").json()[0];
    let names = ["mae", "r2", "rmse", "rows", "skipped_rows", "unseen", "weight"];
    assert_eq!(keys(metrics), names);
    assert!(metrics["r2"].as_f64().unwrap() > 0.5, "{metrics}");
    assert!(room.text("report.html").contains("</html>"));
    assert_eq!(room.ok("predict model.pairloom house.csv").numbers().len(), 800);
}

#[test]
fn json_lines_of_training() {
    let room = shop_room(400);
    let lines = room.ok(&format!("{TRAIN} --json")).json();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["schema", "start", "epoch", "epoch", "epoch", "end"]);
    assert_eq!(keys(&lines[0]["schema"]), ["columns", "format"]);
    assert_eq!(lines[0]["schema"]["columns"][1]["because"], "text, 5 distinct");
    assert_eq!(
        keys(&lines[1]),
        ["device", "event", "features", "on_disk", "target", "train_rows", "valid_rows"]
    );
    assert_eq!(lines[1]["target"]["positive"], "yes");
    let rows = |key: &str| lines[1][key].as_u64().unwrap();
    assert_eq!(rows("train_rows") + rows("valid_rows"), 400);
    let epoch = ["epoch", "event", "learning_rate", "rows_per_second", "train_loss", "valid"];
    assert_eq!(keys(&lines[2]), epoch);
    let metrics = [
        "accuracy",
        "auc",
        "brier_score",
        "expected_calibration_error",
        "log_loss",
        "normalized_entropy",
        "precision",
        "recall",
        "rows",
        "threshold",
        "weight",
    ];
    assert_eq!(keys(&lines[2]["valid"]), metrics);
    assert_eq!(keys(&lines[5]), ["epoch", "event", "memory", "model", "stopped_early", "valid"]);
    assert_eq!(lines[5]["model"], "model.pairloom");
    if cfg!(target_os = "linux") {
        let bytes = |part: &str| lines[5]["memory"][part].as_u64().unwrap();
        assert!(bytes("rows") > 0 && bytes("peak") > bytes("rows") + bytes("model") / 2);
    }

    let evaluated = room.ok("evaluate model.pairloom shop.csv --json").json();
    let mut found = keys(&evaluated[0]);
    found.retain(|key| !["skipped_rows", "unseen"].contains(key));
    assert_eq!(found, metrics);
    assert_eq!(evaluated[0]["unseen"], serde_json::json!({}));
    let inspected = room.ok("inspect model.pairloom --json").json();
    let mut document = keys(&inspected[0]);
    document.retain(|key| !["calibration", "valid"].contains(key));
    let known = [
        "bytes", "config", "epoch", "features", "formula", "history", "largest", "schema", "target",
    ];
    assert_eq!(document, known);
    assert!(inspected[0]["calibration"].is_null() && inspected[0]["valid"].is_object());
    assert_eq!(inspected[0]["history"].as_array().unwrap().len(), 3);
    let predicted = room.ok("predict model.pairloom shop.csv --keep id,site --json").json();
    assert_eq!(keys(&predicted[0]), ["id", "prediction", "site"]);
    assert_eq!(predicted.len(), 400);
    let synth = room.ok("synth --rows 50 -o synth.tsv --json").json();
    assert_eq!(synth[0]["rows"], 50);
}

#[test]
fn a_few_whole_numbers_may_be_classes() {
    let room = Room::new();
    let rows = |classes: usize| {
        let row = |i: usize| format!("{},k{},{}.5\n", i * 7 % classes, i % 5, i % 11);
        format!("label,kind,x\n{}", (0..300).map(row).collect::<String>())
    };
    for (classes, is_told) in [(2, false), (3, true), (20, true), (21, false)] {
        room.write("rows.csv", rows(classes));
        let told = room.ok("train rows.csv --epochs 1").err;
        let note = format!("note: the label has {classes} distinct whole numbers, and they are");
        assert_eq!(told.contains(&note), is_told, "{told}");
    }
    room.write("rows.csv", rows(3));
    assert!(!room.ok("train rows.csv --epochs 1 --positive 2").err.contains("distinct whole"));
}

#[test]
fn guesses_that_change_are_told_and_saved() {
    let room = Room::new();
    let value = |i: usize| if i < 10_000 { "0".into() } else { format!("{}.5", i * 31 % 97) };
    let row = |i: usize| format!("{},k{},{}\n", i * 7 % 2, i % 5, value(i));
    room.write(
        "rows.csv",
        format!("label,kind,feat\n{}", (0..14_000).map(row).collect::<String>()),
    );
    let done = room.ok("train rows.csv --epochs 1 --json --save-schema schema.toml");
    assert!(done.err.starts_with("warning: column 'feat' is numeric after all: "), "{}", done.err);
    let revised = &done.json()[1];
    assert_eq!((&revised["event"], &revised["notes"][0].is_string()), (&"revised".into(), &true));
    assert_eq!(revised["schema"]["columns"][2]["role"], "numeric");
    assert!(room.text("schema.toml").contains("name = \"feat\"\nrole = \"numeric\""));
    let again = room.ok("train rows.csv --epochs 1 --schema schema.toml -o again");
    assert!(!again.err.contains("after all"), "{}", again.err);
    assert!(room.read("again") == room.read("model.pairloom"));
}

#[test]
fn ids_in_another_way_of_writing_are_told() {
    let room = Room::new();
    let rows = |end: &str| {
        let row = |i: usize| format!("{},{}{end},t{}\n", i % 2, i * 7 % 90, i % 3);
        format!("label,cid_code,tag\n{}", (0..900).map(row).collect::<String>())
    };
    room.write("train.csv", rows(""));
    room.write("valid.csv", rows(".0"));
    let warning = "warning: 100% of the values of 'cid_code' are none that the model knows: are \
                   they written in another way ('0.0' for '0')?";
    let trained = room.ok("train train.csv --epochs 1 --categorical cid_code --valid valid.csv");
    assert!(trained.err.contains(warning), "{}", trained.err);
    let evaluated = room.ok("evaluate model.pairloom valid.csv --json");
    assert_eq!(evaluated.err, format!("{warning}\n"));
    assert_eq!(evaluated.json()[0]["unseen"], serde_json::json!({ "cid_code": 1.0 }));
    assert_eq!(room.ok("predict model.pairloom valid.csv").err, format!("{warning}\n"));
    assert_eq!(room.ok("predict model.pairloom train.csv").err, "");
}

/// Where no window is too narrow for it, nothing is cut from a table.
#[test]
fn reasons_are_whole_in_a_pipe() {
    let room = Room::new();
    let row = |i: usize| format!("{},{}.01.2024,{}.5\n", i % 2, 1 + i % 28, i % 11);
    room.write("rows.csv", format!("label,day,x\n{}", (0..300).map(row).collect::<String>()));
    let shown = room.ok("train rows.csv --epochs 1").out;
    let reason = "is a date: make it a number, as days since some day, or columns of its parts\n";
    assert!(shown.contains(reason) && !shown.contains('\u{2026}'), "{shown}");
}

#[test]
fn unseen_values_and_empty_cells_are_predicted() {
    let room = trained_shop(300);
    room.write("odd.csv", "site,price,tags\nnever,,\n,1e300,new|never\ns1,-5,red|red\ns1,NA,|\n");
    let predictions = room.ok("predict model.pairloom odd.csv").numbers();
    assert!(predictions.len() == 4 && predictions.iter().all(|p| p.is_finite()));
}

#[test]
fn kept_columns_are_quoted() {
    let room = trained_shop(300);
    room.write(
        "odd.csv",
        "site,price,tags,note\ns1,1,new,\"a,b\"\ns2,2,new,\"say \"\"hi\"\"\"\n\
         s3,3,new,\"two\nlines\"\ns4,4,new,plain\n",
    );
    let kept = room.ok("predict model.pairloom odd.csv --keep note,site").out;
    let predictions = room.ok("predict model.pairloom odd.csv").out;
    let p: Vec<&str> = predictions.lines().collect();
    let expected = format!(
        "note,site,prediction\n\"a,b\",s1,{}\n\"say \"\"hi\"\"\",s2,{}\n\"two\nlines\",s3,{}\n\
         plain,s4,{}\n",
        p[0], p[1], p[2], p[3]
    );
    assert_eq!(kept, expected);
    let json = room.ok("predict model.pairloom odd.csv --keep note --json").json();
    assert_eq!(json[1]["note"], "say \"hi\"");
}

#[test]
fn rows_weigh_what_their_column_says() {
    let room = Room::new();
    let text = house(200);
    let weights = ["w"].into_iter().chain(["0", "1", "2.5"].into_iter().cycle());
    let weighted: String =
        text.lines().zip(weights).map(|(line, w)| format!("{line},{w}\n")).collect();
    room.write("weighted.csv", weighted);
    room.ok("train weighted.csv --label y --weight w --epochs 2");
    let metrics = &room.ok("evaluate model.pairloom weighted.csv --json").json()[0];
    let expected: f64 = (0..200).map(|i| [0.0, 1.0, 2.5][i % 3]).sum();
    assert_eq!(metrics["weight"].as_f64(), Some(expected));
}

#[test]
fn groups_are_held_out_whole() {
    let room = shop_room(400);
    room.ok(&format!("{TRAIN} --group site"));
    let schema = &room.ok("inspect model.pairloom --json").json()[0]["schema"];
    assert_eq!(schema["columns"][1]["role"], "group");
}

#[test]
fn a_tail_is_held_out() {
    let room = shop_room(400);
    let lines = room.ok(&format!("{TRAIN} --valid-tail 0.25 --json")).json();
    assert_eq!((&lines[1]["train_rows"], &lines[1]["valid_rows"]), (&300.into(), &100.into()));
    // The last rows are the validation rows, in their order.
    let text = room.text("shop.csv");
    let header = text.lines().next().unwrap();
    let tail: Vec<&str> = text.lines().skip(301).collect();
    room.write("tail.csv", format!("{header}\n{}\n", tail.join("\n")));
    let mut evaluated = room.ok("evaluate model.pairloom tail.csv --json").json();
    let evaluated = evaluated[0].as_object_mut().unwrap();
    evaluated.retain(|key, _| !["skipped_rows", "unseen"].contains(&key.as_str()));
    assert_eq!(lines.last().unwrap()["valid"].as_object(), Some(&*evaluated));
}

#[test]
fn no_rows_held_out() {
    let room = shop_room(200);
    let lines = room.ok(&format!("{TRAIN} --valid-fraction 0 --json --report r.html")).json();
    assert_eq!(lines[1]["valid_rows"], 0);
    assert_eq!(lines.last().unwrap()["epoch"], 3, "the last epoch is kept");
    assert!(lines[2]["valid"].is_null() && room.text("r.html").contains("</html>"));
}

#[test]
fn every_optimizer_and_transform() {
    let room = shop_room(300);
    for optimizer in ["sgd", "adagrad", "adam", "adam-dense", "ftrl --l1-linear 1 --l1-factors 1"] {
        for transform in ["spline", "quantile", "standard", "log", "log-square"] {
            let flags = format!("--optimizer {optimizer} --transform price={transform}");
            room.ok(&format!("{TRAIN} {flags} -o m"));
            assert_eq!(room.ok("predict m shop.csv").numbers().len(), 300, "{flags}");
        }
    }
    room.ok(&format!("{TRAIN} --hash-bits 6 -o hashed"));
    room.ok(&format!("{TRAIN} --factors 0 -o linear").replace("--factors 4 ", ""));
    for model in ["hashed", "linear"] {
        assert_eq!(room.ok(&format!("predict {model} shop.csv")).numbers().len(), 300);
    }
}

#[test]
fn the_demo() {
    let room = Room::new();
    let demo = room.ok("demo");
    assert!(demo.out.contains("factorization machine") && demo.out.contains("linear model"));
    let folder = fs::read_dir(room.path("pairloom-demo")).unwrap();
    let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["model.pairloom", "report.html", "test.csv", "train.csv"]);
    // What it says to do next works.
    room.ok("evaluate pairloom-demo/model.pairloom pairloom-demo/test.csv");
    let kept =
        "predict pairloom-demo/model.pairloom pairloom-demo/test.csv --keep Month,VisitorType";
    assert!(room.ok(kept).out.starts_with("Month,VisitorType,prediction\n"));
    let lines = room.ok("demo --json --output there").json();
    let auc = |model: &str| lines.last().unwrap()[model]["auc"].as_f64().unwrap();
    assert!(auc("fm") > 0.88 && auc("linear") > 0.88);
    assert!(room.has("there/report.html"));
}

#[test]
fn what_is_shown_is_what_there_is() {
    let room = Room::new();
    room.write("rows.svm", "1 1:1 2:0.5\n0 2:1\n1 1:2\n0 3:1\n".repeat(20));
    let trained = room.ok("train rows.svm --epochs 1");
    let shown = room.ok("inspect model.pairloom");
    for text in [&trained.out, &shown.out] {
        assert!(text.contains("pairs") && !text.contains("qid"), "{text}");
    }
    let hashing = shown.out.lines().find(|line| line.starts_with("hash_bits")).unwrap();
    assert!(hashing.ends_with(" off"), "{hashing}");
    let animals = ["cat", "dog", "cow"];
    let rows: String = (0..90).map(|i| format!("{},c{}\n", animals[i % 3], i % 3)).collect();
    room.write("animals.csv", format!("animal,c\n{rows}"));
    let one = room.ok("train animals.csv --label animal --positive cow --epochs 1");
    for text in ["given; 'cow' is positive", "probability of 'cow' against all others"] {
        assert!(one.out.contains(text), "{text}\n{}", one.out);
    }
    room.ok("evaluate model.pairloom animals.csv --report cows.html");
    let report = room.text("cows.html");
    assert!(
        report.contains("animal is \u{2018}cow\u{2019} rather than anything else, by"),
        "{report}"
    );
}

#[test]
fn models_of_several_seeds_become_one() {
    let room = shop_room(600);
    for seed in 1..=3 {
        room.ok(&format!("{TRAIN} --valid-tail 0.2 --seed {seed} -o {seed}.model")
            .replace("--seed 5 ", ""));
    }
    let said = room.ok("average 1.model 2.model 3.model -o mean.model").out;
    assert!(
        said.contains("the mean of 3 models") && said.contains("12 factors in a vector"),
        "{said}"
    );
    let predictions = |model: &str| room.ok(&format!("predict {model}.model shop.csv")).numbers();
    let odds = |p: f64| (p / (1.0 - p)).ln();
    let all = ["1", "2", "3"].map(predictions);
    for (row, mean) in predictions("mean").into_iter().enumerate() {
        let expected = all.iter().map(|of| odds(of[row])).sum::<f64>() / 3.0;
        assert!((odds(mean) - expected).abs() < 1e-4, "{row}: {mean}");
    }
    assert!(room.ok("inspect mean.model").out.contains("12 factors in a vector"));
    room.ok("evaluate mean.model shop.csv --report mean.html");
    room.ok("evaluate 1.model shop.csv --report one.html");
    let has_epochs = |page: &str| room.text(page).contains("best epoch");
    assert!(has_epochs("one.html") && !has_epochs("mean.html"));
    assert_eq!(room.ok("average 1.model 1.model -o same.model --json").json()[0]["models"], 2);
    let replaced = room.run("average 1.model 2.model -o 2.model");
    assert_eq!(replaced.code(), 2);
    assert!(replaced.err.contains("would replace the input 2.model"), "{}", replaced.err);
}

#[test]
fn intervals_hold_the_figures() {
    let room = trained_shop(400);
    let found = &room.ok("evaluate model.pairloom shop.csv --json --ci").json()[0];
    let ends = found["ci"]["log_loss"].as_array().unwrap();
    let [low, high] = [0, 1].map(|end| ends[end].as_f64().unwrap());
    let figure = found["log_loss"].as_f64().unwrap();
    assert!(low < figure && figure < high && high - low < 0.3, "{low} {figure} {high}");
    let text = room.ok("evaluate model.pairloom shop.csv --ci=0.8").out;
    assert!(text.contains("80.0% intervals") && text.contains("from"), "{text}");
    assert_eq!(room.run("evaluate model.pairloom shop.csv --ci=95").code(), 2);
}
