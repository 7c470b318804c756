//! `pairloom study`: the table and the events, what is refused and what is kept, and kills.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Room, finish, rows_in, shop_room};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

const ROWS: &str = "study shop.csv --label bought --ignore id";
const QUICK: &str = "--epochs 2 --patience 0 --batch-size 64";

fn line(more: &str) -> String {
    format!("{ROWS} {QUICK} {more}")
}

/// The last event, without what depends on the clock.
fn end(events: &[Value]) -> Value {
    let mut end = events.last().unwrap().clone();
    assert_eq!(end["event"], "end");
    for point in end["points"].as_array_mut().unwrap() {
        point["seconds"] = Value::Null;
    }
    end
}

#[test]
fn a_table_and_a_page() {
    let room = shop_room(300);
    let done = room.ok(&line("--model linear,fm --factors 2,4 --seeds 2 --report page.html"));
    let heads: Vec<&str> =
        done.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(done.out.contains("6 runs\n"), "{}", done.out);
    assert!(
        done.out.contains("a random 10% of the rows each, 2 seeds; 95% intervals"),
        "{}",
        done.out
    );
    for head in ["linear", "fm", "runs"] {
        assert!(heads.contains(&head), "{head}: {}", done.out);
    }
    let row = done.out.lines().find(|line| line.starts_with("fm k=2 ")).unwrap();
    assert!(row.contains('\u{b1}') && row.split_whitespace().nth(2) == Some("2"), "{row}");
    let page = room.text("page.html");
    for text in [
        "Quality over the number of factors",
        "fm k=4",
        "Quality beside time",
        "--report page.html",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("NaN"));
    assert_eq!(room.files(), ["page.html", "shop.csv", "study.jsonl"]);
    assert_eq!(rows_in(&room.text("study.jsonl")), 1 + 6);
    assert_eq!(done.err, "");
}

#[test]
fn the_exercises_are_a_line_each() {
    let room = shop_room(200);
    for (more, names) in [
        ("--factors 2,4,8", vec!["k=2", "k=4", "k=8"]),
        ("--model fm,mf --mf site,tags", vec!["fm", "mf"]),
        ("--model fm,hofm --order 3", vec!["fm", "hofm"]),
        ("--learning-rate 0.02,0.1 --no-learn-l2", vec!["learning_rate=0.02", "learning_rate=0.1"]),
    ] {
        let done = room.ok(&line(&format!("{more} --seeds 1 --json --restart")));
        let end = end(&done.json());
        let points = end["points"].as_array().unwrap();
        let found: Vec<&str> = points.iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(found, names);
        assert!(points.iter().all(|point| point["runs"] == 1), "{more}: {}", done.out);
    }
}

#[test]
fn every_run_is_an_event() {
    let room = shop_room(200);
    let done = room
        .ok(&line("--factors 2,4 --folds 3 --seeds 1 --json --baseline k=4 --metric auc --ci 0.9"));
    let events = done.json();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!((of("begin").len(), of("run").len(), of("end").len()), (1, 6, 1));
    assert_eq!((&of("begin")[0]["runs"], &of("begin")[0]["done"]), (&6.into(), &0.into()));
    let run = of("run")[0];
    assert!(run["run"]["done"]["metrics"]["auc"].is_number(), "{run}");
    assert!(run["run"]["test"]["fold"]["of"] == 3, "{run}");
    let end = of("end")[0];
    assert_eq!(
        (&end["metric"], &end["baseline"], &end["level"]),
        (&"auc".into(), &1.into(), &0.9.into())
    );
    assert!(
        end["points"][0]["difference"]["p"].is_number() && end["points"][1]["difference"].is_null()
    );
    assert_eq!(rows_in(&room.ok(&line("--quiet --restart")).out), 0);
}

#[test]
fn finished_runs_are_not_lost() {
    let room = shop_room(200);
    let wanted = end(&room.ok(&line("--factors 2,4 --json")).json());
    let journal = room.read("study.jsonl");
    let refused = room.run(&line("--factors 2,4"));
    assert_eq!(refused.code(), 1);
    assert!(
        refused.err.contains("--resume") && refused.err.contains("--restart"),
        "{}",
        refused.err
    );
    assert!(room.read("study.jsonl") == journal);
    let again = room.ok(&line("--factors 2,4 --json --resume")).json();
    assert!(again.iter().all(|event| event["event"] != "run"));
    assert_eq!(end(&again), wanted);
    // More of the same: what is there stays.
    let more = room.ok(&line("--factors 2,4,8 --json --resume")).json();
    assert_eq!(more.iter().filter(|event| event["event"] == "run").count(), 3);
    assert_eq!(end(&more)["points"][0], wanted["points"][0]);
    let anew = room.ok(&line("--factors 2,4 --json --restart")).json();
    assert_eq!(end(&anew), wanted);
    // Of another file they are not.
    room.write("shop.csv", common::shop(201));
    let other = room.run(&line("--factors 2,4 --resume"));
    assert!(other.code() == 1 && other.err.contains("of other rows"), "{}", other.err);
}

#[test]
fn other_files_are_left_alone() {
    let room = shop_room(100);
    room.write("study.jsonl", "my notes\n");
    for more in ["", "--resume", "--restart"] {
        let refused = room.run(&line(more));
        assert_eq!(refused.code(), 1, "{}", refused.err);
        assert_eq!(room.text("study.jsonl"), "my notes\n");
    }
    assert!(room.run(&line("--resume")).err.contains("no journal"));
    room.write("other.rows", "mine\n");
    let refused = room.run(&line("-o other"));
    assert_ne!(refused.code(), 0);
    assert_eq!(room.text("other.rows"), "mine\n");
    let input = room.run(&line("-o shop.csv"));
    assert!(input.code() == 2 && input.err.contains("would replace the input"), "{}", input.err);
}

#[test]
fn what_cannot_be_a_study() {
    let room = shop_room(60);
    room.write("one.csv", "y,a\n1,x\n");
    room.write("unlabelled.csv", common::shop(9).replace("bought", "sold"));
    let cases = [
        ("study one.csv", 1, "all runs failed"),
        ("study shop.csv --label bought --folds 61", 1, "60 rows cannot be 61 folds"),
        ("study shop.csv --label bought --folds 1", 2, "folds"),
        ("study shop.csv --label bought --test-fraction 1", 2, "test_fraction"),
        ("study shop.csv --label bought --test-tail 0", 2, "test_tail"),
        ("study shop.csv --label bought --seeds 0", 2, "seeds"),
        ("study shop.csv --label bought --seeds 4000000000", 2, "seeds"),
        ("study shop.csv --label bought --seed 1,2", 2, "say how many with seeds (--seeds)"),
        ("study shop.csv --label bought --parallel 4000", 2, "parallel"),
        ("study shop.csv --label bought --ci 2 --epochs 1", 2, "ci"),
        ("study shop.csv --label bought --metric acu --epochs 1", 2, "no figure is 'acu'"),
        ("study shop.csv --label bought --baseline ffm", 2, "none is called 'ffm': there are fm"),
        ("study shop.csv --label bought --rank 3,4", 2, "--rank means nothing to any"),
        ("study shop.csv --label bought --factors 3,many", 2, "many"),
        ("study shop.csv --label bought --model fm,fmx", 2, "fmx"),
        ("study shop.csv --label bought --factors 70000,70001", 2, "factors (--factors)"),
        ("study shop.csv --label bought --metric rows", 2, "no figure is 'rows'"),
        ("study shop.csv --label bought --metric ndcg --epochs 1", 2, "no figure is 'ndcg'"),
        ("study shop.csv --label bought --model fm,mf --mf site,Nope", 2, "no column 'Nope'"),
        ("study shop.csv --label bought --test unlabelled.csv", 2, "'bought' is missing"),
        ("study shop.csv --label bought --group site --folds 9", 1, "groups cannot be 9 folds"),
        ("study shop.csv --label price --calibrate platt --folds 9", 2, "calibrate (--calibrate)"),
        (
            "study shop.csv --label bought --loss bpr --group id --item site",
            2,
            "test (--test) FILE",
        ),
        ("study -", 2, "not standard input"),
        ("study shop.csv --label bought --test -", 2, "not standard input"),
        ("study missing.csv", 1, "missing.csv"),
        ("study shop.csv --label bought --test missing.csv", 1, "missing.csv"),
        ("study shop.csv --label bought --folds 3 --test-tail 0.1", 2, "cannot be used with"),
        ("study shop.csv --label nobody", 2, "nobody"),
    ];
    for (command, code, says) in cases {
        let done = room.run(&format!("{command} --save-schema schema.toml"));
        assert_eq!(done.code(), code, "{command}: {}", done.err);
        assert_eq!(
            (done.err.matches("error: ").count(), room.has("schema.toml")),
            (1, false),
            "{command}"
        );
        assert!(!done.out.contains("failed") || code == 1, "{command}: {}", done.out);
        // What would stand in the way of the right command is not there.
        assert!(!room.has("study.jsonl") || says == "all runs failed", "{command}");
        let _ = fs::remove_file(room.path("study.jsonl"));
        assert!(done.err.contains(says), "{command}: {}", done.err);
        assert!(!done.err.contains("panicked") && !room.has("study.jsonl.rows"), "{command}");
    }
}

#[test]
fn what_is_wrong_is_said_before_what_is_left() {
    let room = shop_room(60);
    room.write("study.jsonl", "{}\n");
    let done = room.run("study shop.csv --label bought --ci 1.5");
    assert!(done.code() == 2 && done.err.contains("ci (--ci)"), "{}", done.err);
    let done = room.run("study shop.csv --label bought --ci 0.9");
    assert!(done.code() == 1 && done.err.contains("--resume"), "{}", done.err);
}

#[test]
fn one_point_and_one_run_have_no_intervals() {
    let room = shop_room(200);
    let done = room.ok(&line("--seeds 1 --folds 2 --save-schema schema.toml"));
    assert!(done.out.contains("fm, seed 0, fold 2 of 2: log loss"), "{}", done.out);
    assert!(room.has("schema.toml"));
    let head = done.out.lines().find(|line| line.contains("weights")).unwrap();
    let head: Vec<&str> = head.split_whitespace().collect();
    assert_eq!(head, ["runs", "log", "loss", "seconds", "epochs", "weights"]);
    let done = room.ok(&line("--seeds 1 --restart"));
    assert!(done.out.contains("of the rows each, one seed.\n"), "{}", done.out);
    let done = room.ok(&line("--seeds 1 --factors 2,4 --restart"));
    assert!(done.out.contains("one seed; differences are from k=2.\n"), "{}", done.out);
    let done = room.ok(&line("--seeds 1 --factors 70000,2 --restart"));
    assert!(done.err.contains("k=70000: there is no figure of it"), "{}", done.err);
}

#[test]
fn an_impossible_point_is_named_and_the_others_go_on() {
    let room = shop_room(200);
    let done = room.ok(&line("--factors 2,70000,4"));
    let failed = done.out.lines().find(|line| line.starts_with("k=70000")).unwrap();
    assert!(failed.contains("0 (3 failed)"), "{failed}");
    assert!(
        done.err.contains("k=70000: 3 of its runs failed: factors (--factors)"),
        "{}",
        done.err
    );
    assert!(done.out.lines().any(|line| line.starts_with("k=4 ")));
}

/// Enough work that it can be ended in the middle.
const LONG: &str =
    "study rows.tsv --factors 4,8 --seeds 4 --epochs 12 --patience 0 --parallel 1 --json";

fn long_room() -> Room {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 4000 --fields 6 --features 600");
    room
}

/// Waits until so many runs are in the journal.
fn wait_for(room: &Room, runs: usize) {
    let begun = Instant::now();
    let lines = || fs::read_to_string(room.path("s")).map_or(0, |text| rows_in(&text));
    while lines() < 1 + runs {
        assert!(begun.elapsed() < Duration::from_secs(50), "{runs} runs never ended");
        sleep(Duration::from_millis(3));
    }
}

#[test]
fn a_killed_study_goes_on_to_the_same_figures() {
    let room = long_room();
    let wanted = end(&room.ok(&format!("{LONG} -o whole")).json());
    let mut kills = 0;
    for runs in [0, 2, 5] {
        let resume = if room.has("s") { "--resume" } else { "" };
        let mut child = room.command(&format!("{LONG} -o s {resume}")).spawn().unwrap();
        wait_for(&room, runs);
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills >= 2, "{kills} kills");
    let resumed = room.ok(&format!("{LONG} -o s --resume")).json();
    assert_eq!(end(&resumed), wanted);
    let ran = resumed.iter().filter(|event| event["event"] == "run").count();
    assert!(ran <= 3, "{ran} of 8 runs were done after the last kill");
    assert_eq!(room.files(), ["rows.tsv", "s", "whole"]);
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_signal_stops_a_study_where_it_can_go_on() {
    let room = long_room();
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let mut child = room.command(&format!("{LONG} -o s --restart")).spawn().unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.map(|line| line.unwrap()).any(|line| line.starts_with(r#"{"done":1,"#)));
        signal(&child, name);
        let done = finish(child, Vec::new());
        assert_eq!(done.code(), status, "{}", done.err);
        assert!(
            done.err.contains("stopped; what was finished is in s: go on with --resume"),
            "{}",
            done.err
        );
        assert!(rows_in(&room.text("s")) >= 2 && room.has("s.rows"));
    }
    let resumed = room.ok(&format!("{LONG} -o s --resume")).json();
    assert!(resumed.iter().filter(|event| event["event"] == "run").count() < 8);
}
