//! What changes no byte of a model and no digit of a prediction: how rows are packed, written and
//! ordered in columns, the number of threads, running the same command again.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Room, TRAIN, columns, shop, shop_room, trained_shop, without_header};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

#[test]
fn compression_and_pipes_change_nothing() {
    let room = trained_shop(400);
    let (text, model) = (room.read("shop.csv"), room.read("model.pairloom"));
    let predictions = room.ok("predict model.pairloom shop.csv").out;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&text).unwrap();
    let packed = [
        ("shop.csv.gz", gzip.finish().unwrap()),
        ("shop.csv.zst", zstd::encode_all(&text[..], 1).unwrap()),
        ("misnamed", text.clone()),
    ];
    for (name, bytes) in packed {
        room.write(name, &bytes);
        room.ok(&format!("{} -o packed", TRAIN.replace("shop.csv", name)));
        assert!(room.read("packed") == model, "{name}");
        assert_eq!(room.ok(&format!("predict model.pairloom {name}")).out, predictions, "{name}");
        room.ok_with(&format!("{} -o piped", TRAIN.replace("shop.csv", "-")), bytes.clone());
        assert!(room.read("piped") == model, "{name} through a pipe");
        assert_eq!(room.ok_with("predict model.pairloom -", bytes).out, predictions, "{name}");
    }
    let measured = room.ok("evaluate model.pairloom shop.csv --json").out;
    assert_eq!(room.ok_with("evaluate model.pairloom - --json", text).out, measured);
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let room = trained_shop(300);
    let (text, model) = (room.text("shop.csv"), room.read("model.pairloom"));
    let twins = [
        ("CRLF", text.replace('\n', "\r\n")),
        ("a mark", format!("\u{feff}{text}")),
        ("no last line end", text.trim_end().to_string()),
    ];
    for (what, twin) in twins {
        room.write("shop.csv", twin);
        room.ok(TRAIN);
        assert!(room.read("model.pairloom") == model, "{what}");
    }
}

#[test]
fn tables_with_tabs_and_with_commas_stand_for_each_other() {
    let room = Room::new();
    for header in ["--header", ""] {
        for format in ["csv", "tsv"] {
            let settings =
                format!("--rows 300 --fields 4 --features 100 --format {format} {header}");
            room.synth(&format!("rows.{format}"), &settings);
            let label = if header.is_empty() { "0" } else { "label" };
            room.ok(&format!("train rows.{format} --label {label} --epochs 1 -o {format}"));
        }
        for model in ["csv", "tsv"] {
            let expected = room.ok(&format!("predict {model} rows.{model}")).out;
            for format in ["csv", "tsv"] {
                let found = room.ok(&format!("predict {model} rows.{format}")).out;
                assert_eq!(found, expected, "{model} {format} {header}");
            }
        }
    }
}

#[test]
fn evaluation_agrees_with_training() {
    let room = Room::new();
    let settings = "--rows 2000 --fields 5 --features 300 --format csv --header";
    room.synth("train.csv", settings);
    room.synth("valid.csv", &format!("{settings} --sample 1"));
    let lines = room.ok("train train.csv --valid valid.csv --epochs 6 --json").json();
    let end = lines.last().unwrap();
    let evaluated = room.ok("evaluate model.pairloom valid.csv --json").json();
    for (name, figure) in end["valid"].as_object().unwrap() {
        assert_eq!(*figure, evaluated[0][name], "{name}, also after stopping early");
    }
    let best = lines.iter().find(|l| l["event"] == "epoch" && l["epoch"] == end["epoch"]).unwrap();
    assert_eq!(best["valid"], end["valid"]);
}

#[test]
fn a_saved_schema_gives_the_same_model() {
    let room = trained_shop(400);
    let model = room.read("model.pairloom");
    room.ok(&format!("{TRAIN} --save-schema schema.toml"));
    assert!(room.text("schema.toml").contains("name = \"bought\""));
    room.ok(
        "train shop.csv --schema schema.toml --epochs 3 --patience 0 --factors 4 --seed 5 -o again",
    );
    assert!(room.read("again") == model);
    // A file written another way is read as the flags say.
    room.write("tabs.txt", room.text("shop.csv").replace(',', "\t"));
    room.ok("train tabs.txt --schema schema.toml --delimiter tab --header --epochs 1 -o tabs");
    // It can be edited, and flags change it further.
    let edited = room.text("schema.toml").replace("role = \"multi\"", "role = \"ignore\"");
    room.write("edited.toml", edited);
    room.ok("train shop.csv --schema edited.toml --ignore site --epochs 1 -o edited");
    let fields = &room.ok("inspect edited --json").json()[0]["schema"]["columns"];
    let roles: Vec<_> = fields.as_array().unwrap().iter().map(|c| &c["role"]).collect();
    assert_eq!(roles, ["ignore", "ignore", "numeric", "ignore", "label"]);
}

#[test]
fn threads_do_not_change_a_byte() {
    let room = shop_room(1500);
    let of = |threads: u32| {
        room.ok(&format!("{TRAIN} --threads {threads} -o m{threads}"));
        let predictions = room.ok(&format!("predict m{threads} shop.csv --threads {threads}")).out;
        let json = room.ok(&format!("evaluate m{threads} shop.csv --json --threads {threads}")).out;
        (room.read(&format!("m{threads}")), predictions, json)
    };
    let one = of(1);
    assert!(one == of(2) && one == of(4));
    let log = |threads| room.ok(&format!("synth --rows 5000 --threads {threads}")).out;
    assert!(log(1) == log(3));
}

#[test]
fn the_same_command_gives_the_same_bytes() {
    let room = trained_shop(500);
    let model = room.read("model.pairloom");
    for _ in 0..20 {
        room.ok(TRAIN);
        assert!(room.read("model.pairloom") == model);
    }
    let first = room.ok("predict model.pairloom shop.csv").out;
    assert_eq!(room.ok("predict model.pairloom shop.csv").out, first);
    room.ok("predict model.pairloom shop.csv -o predictions.txt");
    assert_eq!(room.text("predictions.txt"), first);
    room.ok(&format!("{TRAIN} --seed 6").replace("--seed 5 ", ""));
    assert!(room.read("model.pairloom") != model, "another seed");
}

#[test]
fn columns_are_found_by_name() {
    let room = trained_shop(300);
    let (text, expected) = (room.text("shop.csv"), room.ok("predict model.pairloom shop.csv").out);
    let twins = [
        ("without the label", columns(&text, &[0, 1, 2, 3])),
        ("without what is not used", columns(&text, &[1, 2, 3])),
        ("in another order", columns(&text, &[4, 3, 2, 1, 0])),
        ("with more", text.lines().map(|line| format!("{line},more\n")).collect()),
    ];
    for (what, twin) in twins {
        room.write("twin.csv", twin);
        assert_eq!(room.ok("predict model.pairloom twin.csv").out, expected, "{what}");
    }
    let bad_labels = text.replace(",yes", ",maybe").replace(",no", ",");
    room.write("twin.csv", bad_labels);
    assert_eq!(room.ok("predict model.pairloom twin.csv").out, expected, "labels are not read");
}

#[test]
fn without_a_header_the_label_may_be_missing() {
    let room = Room::new();
    room.write("rows.csv", without_header(&shop(300)));
    room.ok("train rows.csv --no-header --label 4 --ignore 0 --epochs 2");
    let expected = room.ok("predict model.pairloom rows.csv").out;
    let text = format!("x,x,x,x,x\n{}", room.text("rows.csv"));
    room.write("unlabelled.csv", without_header(&columns(&text, &[0, 1, 2, 3])));
    assert_eq!(room.ok("predict model.pairloom unlabelled.csv").out, expected);
}
