//! Presets on small files in the shape of the real ones: trained, predicted, measured, converted; and what
//! is wrong with files that are not so.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, sets};

const FEW: &str = "--epochs 3 --factors 4 --patience 0 --seed 3 --json";

/// Trains from text, converted rows and a cache, which must give the same model; returns the roles of its
/// columns.
fn train(room: &Room, data: &str, preset: &str) -> Vec<(String, String)> {
    let settings = format!("--preset {preset} {FEW}");
    room.ok(&format!("train {data} {settings} -o model"));
    room.ok(&format!("convert {data} --preset {preset} -o rows -q"));
    room.ok(&format!("train rows {settings} -o by-rows"));
    for _ in 0..2 {
        room.ok(&format!("train {data} {settings} --cache cache -o by-cache"));
        assert!(room.read("model") == room.read("by-cache"));
    }
    assert!(room.read("model") == room.read("by-rows"));
    let metrics = |data: &str| room.ok(&format!("evaluate model {data} --json")).out;
    assert_eq!(metrics(data), metrics("rows"));
    room.ok(&format!("train {data} {settings} --save-schema s.toml -o saved"));
    room.ok(&format!("train {data} --schema s.toml {FEW} --min-count 1 -o by-schema"));
    let inspected = &room.ok("inspect model --json").json()[0];
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_string();
    let columns = inspected["schema"]["columns"].as_array().unwrap();
    columns.iter().map(|column| (text(&column["name"]), text(&column["role"]))).collect()
}

fn features(columns: &[(String, String)]) -> Vec<&str> {
    let used = columns.iter().filter(|(_, role)| !["ignore", "label"].contains(&role.as_str()));
    used.map(|(name, _)| name.as_str()).collect()
}

#[test]
fn criteo() {
    let room = Room::new();
    room.write("train.txt", sets::criteo(300, true));
    room.write("test.txt", sets::criteo(300, false));
    let columns = train(&room, "train.txt", "criteo");
    assert_eq!((columns.len(), features(&columns).len()), (40, 39));
    let inspected = room.ok("inspect model").out;
    assert_eq!(inspected.matches("log-square buckets").count(), 13);
    let auc = &room.ok("evaluate model train.txt --json").json()[0]["auc"];
    assert!(auc.as_f64().unwrap() > 0.7, "{auc}");
    // The rows of the test file are the same, without labels.
    let with_labels = room.ok("predict model train.txt --keep C26").out;
    assert_eq!(room.ok("predict model test.txt --keep C26").out, with_labels);
    assert_eq!(room.ok("predict model rows --keep C26").out, with_labels);
    let short: String =
        sets::criteo(9, true).lines().map(|row| row[..20].to_string() + "\n").collect();
    room.write("short.txt", &short);
    let said = room.run("predict model short.txt").err;
    assert!(said.contains("rows of this schema have 40, or 39 without the label"), "{said}");
    let said = room.run("train short.txt --preset criteo").err;
    assert!(said.contains("rows of this schema have 40"), "{said}");
    // With the names that others write in the first line.
    let names: Vec<String> =
        (1..=13).map(|i| format!("I{i}")).chain((1..=26).map(|i| format!("C{i}"))).collect();
    let named = format!("label\t{}\n", names.join("\t")) + &sets::criteo(300, true);
    room.write("named.tsv", named);
    room.ok(&format!("train named.tsv --header --preset criteo {FEW} -o named"));
    let predicted = |model: &str, data: &str| room.ok(&format!("predict {model} {data}")).out;
    assert_eq!(predicted("named", "named.tsv"), predicted("model", "train.txt"));
}

#[test]
fn avazu() {
    let room = Room::new();
    room.write("train.csv", sets::avazu(300, true));
    room.write("test.csv", sets::avazu(300, false));
    let columns = train(&room, "train.csv", "avazu");
    let used = features(&columns);
    assert_eq!(used.len(), 24);
    assert_eq!(used[21..], ["hour.day", "hour.weekday", "hour.hour"]);
    let auc = &room.ok("evaluate model train.csv --json").json()[0]["auc"];
    assert!(auc.as_f64().unwrap() > 0.8, "the hour alone tells nearly all: {auc}");
    let kept = "--keep hour,hour.day,hour.weekday,hour.hour";
    let predicted = room.ok(&format!("predict model test.csv {kept}")).out;
    assert_eq!(predicted, room.ok(&format!("predict model train.csv {kept}")).out);
    let mut lines = predicted
        .lines()
        .skip(1)
        .zip(room.text("test.csv").lines().skip(1).map(String::from).collect::<Vec<_>>());
    let (first, row) = lines.next().unwrap();
    let hour = row.split(',').nth(1).unwrap().to_string();
    assert!(
        first.starts_with(&format!("{hour},21,tue,{},", hour[6..].parse::<u8>().unwrap())),
        "{first}"
    );
}

#[test]
fn times_that_are_none() {
    let room = Room::new();
    let rows = sets::avazu(50, true);
    let (head, tail) = rows.split_at(rows.find("\n").unwrap() + 1);
    let damaged = |hour: &str| {
        let first = tail.lines().next().unwrap();
        let mut cells: Vec<&str> = first.split(',').collect();
        cells[2] = hour;
        format!("{head}{}\n{}", cells.join(","), &tail[first.len() + 1..])
    };
    room.write("wrong.csv", damaged("14102125"));
    room.write("missing.csv", damaged(""));
    let done = room.run("train wrong.csv --preset avazu");
    let place = "wrong.csv:2:24: column 'hour': '14102125' is no time written YYMMDDHH: there is no hour 25";
    assert!(done.code() == 1 && done.err.contains(place), "{}", done.err);
    let done = room.ok("train wrong.csv --preset avazu --epochs 1 --on-error skip");
    assert!(done.err.contains("1 row"), "{}", done.err);
    room.ok("train missing.csv --preset avazu --epochs 1 -o model --restart");
    let kept = room.ok("predict model missing.csv --keep hour.day,hour.hour").out;
    assert!(kept.lines().nth(1).unwrap().starts_with(",,"), "{kept}");
    for (line, said) in [
        ("train missing.csv --time hour", "'hour' lacks '='"),
        ("train missing.csv --time hour=HHH", "'H' is there 3 times"),
        (
            "train missing.csv --time huor=HH --label click",
            "there is no column 'huor' (did you mean 'hour'?)",
        ),
        (
            "train missing.csv --time hour=YYMMDDHH --time hour=YY* --label click",
            "column 'hour' is there twice",
        ),
        (
            "train missing.csv --time hour=YYMMDDHH --time hour.day=DD --label click",
            "'hour.day' is a part of the time 'hour'",
        ),
        (
            "train missing.csv --time hour.day=DD --time hour=YYMMDDHH --label click",
            "'hour.day' is a part of the time 'hour'",
        ),
        (
            "train missing.csv --preset avazu --time hour.day=DD",
            "'hour.day' is a part of the time 'hour'",
        ),
    ] {
        let done = room.run(line);
        assert!(done.code() == 2 && done.err.contains(said), "{line}: {}", done.err);
    }
}

#[test]
fn times_of_columns_that_are_inferred() {
    let room = Room::new();
    let rows = sets::avazu(200, true);
    room.write("train.csv", &rows);
    // Without a header, columns are called by their places, which another file may count without the label.
    let bare = common::without_header(&rows);
    room.write("bare.csv", &bare);
    let without: String = bare
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            [&cells[..1], &cells[2..]].concat().join(",") + "\n"
        })
        .collect();
    room.write("without.csv", without);
    let predicted = |flags: &str, data: &str| {
        room.ok(&format!("train {flags} --epochs 2 --seed 1 -q -o m"));
        room.ok(&format!("predict m {data}")).out
    };
    let named = predicted("train.csv --label click --ignore id --time hour=YYMMDDHH", "train.csv");
    let flags = "bare.csv --no-header --label 1 --ignore 0 --time 2=YYMMDDHH";
    assert_eq!(predicted(flags, "bare.csv"), named);
    assert_eq!(predicted(flags, "without.csv"), named);
    // A time that has its own role keeps it.
    room.ok("train train.csv --label click --time hour=YYMMDDHH --numeric hour --ignore hour.year,id --epochs 1 -q -o n");
    let columns = room.ok("inspect n --json").json()[0]["schema"]["columns"].clone();
    let role = |name: &str| {
        let of = |column: &&serde_json::Value| column["name"] == name;
        columns.as_array().unwrap().iter().find(of).unwrap()["role"].clone()
    };
    assert_eq!(["hour", "hour.year", "hour.month"].map(role), ["numeric", "ignore", "categorical"]);
}

fn folder_of<const N: usize>(room: &Room, files: [(&'static str, Vec<u8>); N]) {
    files.into_iter().for_each(|(name, bytes)| room.write(name, bytes));
}

/// The best movie of user 3, with its title.
fn recommended(room: &Room, contexts: &str, items: &str, seen: &str) -> String {
    let line = format!(
        "recommend model {contexts} --items {items} --seen {seen} --top 1 --keep-item title,year,genres --keep user"
    );
    let out = room.ok(&line).out;
    out.lines().find(|line| line.starts_with("3,")).unwrap().to_string()
}

/// The joined rows as a CSV, made with what `predict` hands on.
fn joined(room: &Room, data: &str, columns: &[(String, String)]) {
    let names: Vec<&str> =
        columns.iter().map(|(name, _)| name.as_str()).filter(|name| !name.contains('.')).collect();
    room.ok(&format!("predict model {data} --keep {} -o joined.csv", names.join(",")));
}

fn movielens(room: &Room, data: &str, preset: &str, beside: &[&str]) -> Vec<(String, String)> {
    let columns = train(room, data, preset);
    let metrics = room.ok(&format!("evaluate model {data} --json")).json()[0].clone();
    assert_eq!(metrics["rows"], 400);
    assert!(metrics["r2"].as_f64().unwrap() > 0.1, "{metrics}");
    joined(room, data, &columns);
    let by_csv = room.ok("evaluate model joined.csv --format csv --json").json()[0].clone();
    assert_eq!(by_csv, metrics);
    // What is known of items is part of what a cache was made of.
    let last = beside[beside.len() - 1];
    let known = room.read(last);
    let fewer: Vec<u8> =
        known.split_inclusive(|byte| *byte == b'\n').take(12).flatten().copied().collect();
    room.write(last, fewer);
    let again = room.ok(&format!("train {data} --preset {preset} {FEW} --cache cache -o again"));
    assert!(again.out.contains("it is of other rows"), "{}", again.out);
    assert!(room.read("again") != room.read("model"));
    for file in beside {
        let kept = room.read(file);
        std::fs::remove_file(room.path(file)).unwrap();
        let done = room.run(&format!("train {data} --preset {preset}"));
        assert!(
            done.code() == 1
                && done.err.contains(&format!(
                    "joined with {file}, which is not there: put {file} beside"
                )),
            "{}",
            done.err
        );
        room.write(file, kept);
    }
    room.write(last, known);
    let done = room.run_with(&format!("train - --preset {preset}"), room.read(data));
    assert!(
        done.code() == 2 && done.err.contains("standard input has nothing beside it"),
        "{}",
        done.err
    );
    columns
}

#[test]
fn movielens_100k() {
    let room = Room::new();
    folder_of(&room, sets::movielens_100k());
    let columns = movielens(&room, "u.data", "movielens-100k", &["u.user", "u.item"]);
    assert_eq!(
        features(&columns),
        ["user", "item", "age", "gender", "occupation", "year", "genres"]
    );
    room.write("u1.test", "3\t3\t5\t881250949\n99\t99\t1\t881250949\n");
    let kept = room.ok("predict model u1.test --keep title,year,genres,age,timestamp.year").out;
    let lines: Vec<&str> = kept.lines().collect();
    assert!(
        lines[1].starts_with("Caf\u{e9} 3 (1987),1987,Animation|Film-Noir|War,21,1997,"),
        "{kept}"
    );
    assert!(lines[2].starts_with(",,,,1997,"), "{kept}");
    let best = recommended(&room, "u.user", "u.item", "u.data");
    assert!(best.starts_with("3,1,"), "{best}");
    room.write("u2.test", "3\t3\t5\n");
    let done = room.run("predict model u2.test");
    assert!(done.err.contains("u2.test:1:6: 3 parts, expected 4"), "{}", done.err);
}

#[test]
fn movielens_1m() {
    let room = Room::new();
    folder_of(&room, sets::movielens_1m());
    let columns = movielens(&room, "ratings.dat", "movielens-1m", &["users.dat", "movies.dat"]);
    assert_eq!(
        features(&columns),
        ["user", "item", "age", "gender", "occupation", "year", "genres"]
    );
    assert!(room.text("joined.csv").contains(",A :: B 4 (1999),1999,Drama,"));
    recommended(&room, "users.dat", "movies.dat", "ratings.dat");
}

#[test]
fn movielens_latest() {
    let room = Room::new();
    folder_of(&room, sets::movielens());
    let columns = movielens(&room, "ratings.csv", "movielens", &["movies.csv"]);
    assert_eq!(features(&columns), ["user", "item", "genres", "year"]);
    let mine = room.ok_with("recommend model - --items movies.csv --seen ratings.csv --top 1 --keep-item title,year,genres", "userId\n3\n");
    assert_eq!(
        mine.out.lines().nth(1).unwrap(),
        recommended(&room, "ratings.csv", "movies.csv", "ratings.csv")
    );
    // What of a time is used is said as of any column.
    room.ok(
        "train ratings.csv --preset movielens --categorical timestamp.hour --epochs 1 -q -o hour",
    );
    room.ok("train ratings.csv --format movielens --label rating --ignore timestamp --epochs 1 -q -o inferred");
}
