//! `pairloom tune`: the command it ends with repeats its model, what is refused and what is kept, and kills.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Room, finish, rows_in, shop_room};
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

const QUICK: &str = "--label bought --epochs 4 --batch-size 64 --runs 4";

/// The command that a search told, as the test has it.
fn told(out: &str) -> String {
    let line = out.lines().find(|line| line.starts_with("  pairloom train ")).unwrap();
    line.trim().replacen("pairloom", "$pairloom", 1)
}

/// Runs the told command, and holds its model beside that of the search.
fn repeats(room: &Room, out: &str) {
    let model = room.read("model.pairloom");
    fs::remove_file(room.path("model.pairloom")).unwrap();
    let command = told(out);
    room.shell(&command).success(&command);
    assert!(room.read("model.pairloom") == model, "{command}");
}

#[test]
fn the_command_it_ends_with_repeats_the_model() {
    let room = shop_room(250);
    room.write(
        "valid.csv",
        common::shop(400).lines().take(90).fold(String::new(), |text, line| text + line + "\n"),
    );
    for flags in [
        "--ignore id",
        "--ignore id,site --positive yes --threads 2",
        "--ignore id --multi tags=| --no-linear",
        "--ignore id --categorical site,price --seed 9 --valid-tail 0.2",
        "--ignore id --valid valid.csv --metric auc",
        "--ignore id --model ffm --no-learn-l2 --search factors=2:6 --search learning_rate=0.01:0.4",
        "--ignore id --model linear,fm,fwfm --factors 3 --optimizer adagrad,adam",
        "--ignore id --search learn_l2=false --search shuffle=true,false --search bias=false",
        "--ignore id --class-weight balanced --calibrate platt --transform price=log",
        "--ignore id --loss logistic,squared --on-error skip --delimiter , --header",
    ] {
        let done = room.ok(&format!("tune shop.csv {QUICK} {flags}"));
        assert!(done.out.contains("wrote model.pairloom; the same again:"), "{}", done.out);
        assert!(done.out.contains("of the validation rows: "), "{}", done.out);
        assert!(!room.has("model.pairloom.tune") && !room.has("model.pairloom.tune.rows"));
        repeats(&room, &done.out);
    }
}

#[test]
fn of_lists_the_first_trial_has_the_first_values() {
    let room = Room::new();
    let row = |i: usize| format!("{},{},{}\n", i % 12, i * 7 % 31, 1 + i % 5);
    room.write("rated.csv", format!("user,item,rating\n{}", (0..240).map(row).collect::<String>()));
    let ranked = "--loss bpr,listwise --group user --item item --categorical user --label rating";
    let lists =
        "--model linear,fm --search optimizer=ftrl,adagrad --search factors=2:4 --l2-linear 3,4";
    for (rows, flags, first) in [
        ("rated.csv", ranked, "loss=bpr"),
        ("rated.csv", lists, "model=linear optimizer=ftrl l2_linear=3"),
    ] {
        // One training pays for the first trial alone.
        let line = format!("tune {rows} --epochs 2 --batch-size 64 --runs 1 {flags}");
        let done = room.ok(&line);
        assert!(done.out.contains(&format!(": the defaults and {first}\n")), "{}", done.out);
        repeats(&room, &done.out);
    }
}

#[test]
fn so_it_does_with_names_that_the_shell_would_read() {
    let room = Room::new();
    room.write("my shop's.csv", common::shop(200).replace("price", "the price $"));
    let script = format!(
        "\"$pairloom\" tune \"my shop's.csv\" {QUICK} --ignore id --numeric 'the price $' -o 'a model'"
    );
    let done = room.shell(&script).success(&script);
    let model = room.read("a model");
    fs::remove_file(room.path("a model")).unwrap();
    room.shell(&told(&done.out)).success(&done.out);
    assert!(room.read("a model") == model);
}

#[test]
fn and_with_a_preset_and_a_schema() {
    let room = Room::new();
    room.synth("train.txt", "--rows 600");
    // The columns of the preset: a label, 13 numbers, 26 categories.
    let row = |i: usize| {
        let numbers: Vec<String> = (0..13).map(|n| (i * (n + 3) % 50).to_string()).collect();
        let names: Vec<String> = (0..26).map(|n| format!("{:x}", i * (n + 1) % 9)).collect();
        format!("{}\t{}\t{}\n", u8::from(i.is_multiple_of(3)), numbers.join("\t"), names.join("\t"))
    };
    room.write("clicks.tsv", (0..300).map(row).collect::<String>());
    let quick = "--epochs 2 --runs 3";
    let done = room.ok(&format!("tune clicks.tsv --preset d2l {quick} --search l2_factors=0.1:10"));
    assert!(told(&done.out).contains("--preset d2l"), "{}", done.out);
    repeats(&room, &done.out);
    room.write("shop.csv", common::shop(200));
    room.ok("train shop.csv --label bought --epochs 1 --save-schema s.toml -o other");
    let done = room.ok(&format!("tune shop.csv --schema s.toml {quick}"));
    repeats(&room, &done.out);
}

#[test]
fn events() {
    let room = shop_room(200);
    let events = room.ok(&format!("tune shop.csv {QUICK} --ignore id --json")).json();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let [end] = of("end")[..] else { panic!("{events:?}") };
    assert_eq!(
        of("rung")[0],
        &serde_json::json!({ "event": "rung", "trials": 1, "epochs": null, "near": false })
    );
    let defaults = of("trial")[0];
    assert!(defaults["trial"]["trial"] == 0 && defaults["trial"]["said"] == serde_json::json!([]));
    let loss = |trial: &Value| trial["done"]["best"]["valid"]["log_loss"].as_f64().unwrap();
    assert!(loss(&end["best"]) <= loss(&end["defaults"]));
    assert!(end["cost"].as_f64().unwrap() <= 4.2, "{}", end["cost"]);
    assert!(end["command"].as_str().unwrap().starts_with("pairloom train shop.csv --label bought"));
    assert_eq!(room.run(&format!("tune shop.csv {QUICK} --ignore id --quiet")).out, "");
}

#[test]
fn what_cannot_be_searched() {
    let room = shop_room(60);
    room.write("one.csv", "y,a\n1,x\n");
    let cases = [
        ("tune one.csv", 1, "error: one.csv: the one training row"),
        ("tune -", 2, "not standard input"),
        ("tune shop.csv --label bought --valid -", 2, "not standard input"),
        ("tune shop.csv --label bought --metric acu --epochs 1", 2, "no figure is 'acu'"),
        ("tune shop.csv --label bought --valid-fraction 0", 2, "validation rows"),
        ("tune shop.csv --label bought --runs 0", 2, "runs"),
        ("tune shop.csv --label bought --seed 1,2", 2, "cannot be compared"),
        ("tune shop.csv --label bought --time-limit soon", 2, "soon"),
        ("tune shop.csv --label bought --search factors", 2, "NAME=LOW:HIGH"),
        ("tune shop.csv --label bought --search factors=9:2", 2, "0 < LOW < HIGH"),
        ("tune shop.csv --label bought --search faktors=2:9", 2, "did you mean 'factors'"),
        (
            "tune shop.csv --label bought --search factors=2:9 --factors 4",
            2,
            "--factors is said twice",
        ),
        ("tune shop.csv --label bought --factors 70000 --epochs 1", 2, "factors (--factors)"),
        ("tune shop.csv --label bought --metric ndcg --epochs 1", 2, "no figure is 'ndcg'"),
        ("tune shop.csv --label bought --metric weight", 2, "no figure is 'weight'"),
        ("tune shop.csv --label price --calibrate platt", 2, "calibrate (--calibrate)"),
        ("tune shop.csv --label bought --parallel 4000", 2, "parallel"),
        ("tune missing.csv", 1, "missing.csv"),
        ("tune shop.csv --label bought --valid missing.csv", 1, "missing.csv"),
        ("tune shop.csv --label bought -o shop.csv", 2, "would replace the input"),
    ];
    for (command, code, says) in cases {
        let done = room.run(&format!("{command} --save-schema schema.toml"));
        assert_eq!(done.code(), code, "{command}: {}", done.err);
        assert!(!room.has("model.pairloom.tune") && !room.has("schema.toml"), "{command}");
        assert!(done.err.contains(says), "{command}: {}", done.err);
        assert!(!room.has("model.pairloom") && !room.has("model.pairloom.tune.rows"), "{command}");
    }
}

#[test]
fn other_files_are_left_alone() {
    let room = shop_room(100);
    room.write("model.pairloom.tune", "my notes\n");
    for more in ["", "--resume", "--restart"] {
        assert_eq!(room.run(&format!("tune shop.csv {QUICK} {more}")).code(), 1);
        assert_eq!(room.text("model.pairloom.tune"), "my notes\n");
    }
}

/// Waits until there are so many trials.
fn wait_for(room: &Room, trials: usize) {
    let begun = Instant::now();
    let lines = || fs::read_to_string(room.path("m.tune")).map_or(0, |text| rows_in(&text));
    while lines() < 1 + trials {
        assert!(begun.elapsed() < Duration::from_secs(50), "{trials} trials never ended");
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn killed_and_stopped_it_goes_on_to_the_same_model() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 4000 --fields 6 --features 500");
    let line =
        "tune rows.tsv --epochs 12 --patience 0 --runs 6 --parallel 1 --batch-size 32 --factors 4";
    room.ok(&format!("{line} -o whole"));
    let whole = room.read("whole");
    let line = format!("{line} -o m");
    let mut child = room.command(&line).spawn().unwrap();
    wait_for(&room, 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let refused = room.run(&line);
    assert!(refused.code() == 1 && refused.err.contains("--resume"), "{}", refused.err);
    let child = room.command(&format!("{line} --resume")).spawn().unwrap();
    wait_for(&room, 3);
    let sent = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let done = finish(child, Vec::new());
    assert_eq!(done.code(), 130, "{}", done.err);
    assert!(done.err.contains("the trials are in m.tune: go on with --resume"), "{}", done.err);
    let done = room.ok(&format!("{line} --resume"));
    assert!(room.read("m") == whole, "{}", done.out);
    assert_eq!(room.files(), ["m", "rows.tsv", "whole"]);
}
