//! What is refused on the way, in which words, and what is left behind: nothing. Nothing ends by a
//! panic or a signal, hangs, or is accepted in silence.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::refusals::{fails, in_order, room};
use common::{Room, shop};
use std::fs;
use std::time::Duration;

/// Writes `data` to a file of this name, trains on it, and expects an error that begins so.
fn data_fails(cases: &[(&str, &str, &str, &str)]) {
    for (name, data, flags, expected) in cases {
        let room = Room::new();
        room.write(name, data);
        let line = format!("train {name} {flags}");
        let error = fails(&room, &line, 1);
        let error = error.strip_prefix("error: ").unwrap();
        assert!(error.starts_with(expected), "{data:?}\n is    {error} wants {expected}");
        assert_eq!(error.lines().count(), 1, "{error}");
        let piped = room.run_with(&format!("train - {} {flags}", format_flag(name)), *data);
        in_order(&piped, &line);
        let expected = format!("error: {error}").replacen(name, "stdin", 1);
        assert_eq!((piped.code(), piped.err), (1, expected), "the same through a pipe");
        assert_eq!(room.files(), [*name]);
    }
}

fn format_flag(name: &str) -> String {
    format!("--format {}", name.rsplit_once('.').unwrap().1.replace("svm", "libsvm"))
}

#[test]
fn rows_that_cannot_be_used() {
    data_fails(&[
        ("a.csv", "label,a\n1,x\n0,y\n2,y\nmaybe,x\n", "", "a.csv:5:1: label: 'maybe' is not a nu"),
        ("a.csv", "label,a\n1,x\n,y\n", "", "a.csv:3:1: label: an empty cell"),
        ("a.csv", "label,a\n1,1.5\n0,2\n1,abc\n", "--numeric a", "a.csv:4:3: column 'a' is numer"),
        ("a.csv", "label,a\n1,1.5\n0,inf\n", "--numeric a", "a.csv:3:3: column 'a' is numeric an"),
        ("a.csv", "label,a\n1,1.5\n0,1e400\n", "--numeric a", "a.csv:3:3: column 'a' is numeric"),
        ("a.csv", "label,a\n1,1.5\n0,0x10\n", "--numeric a", "a.csv:3:3: column 'a' is numeric"),
        ("a.csv", "label,a\n1e39,x\n0,y\n3,x\n", "", "a.csv:2:1: label: '1e39' is beyond 32-bit"),
        ("a.csv", "label,a,w\n1,x,1\n0,y,-1\n", "--weight w", "a.csv:3:5: weight: '-1' is not a"),
        ("a.csv", "label,a,w\n1,x,1\n0,y,nan\n", "--weight w", "a.csv:3:5: weight: 'nan' is not"),
        ("a.csv", "label,a,w\n1,x,1\n0,y,\n", "--weight w", "a.csv:3:5: weight: an empty cell"),
        ("a.csv", "label,a\n1,x\n0,y,z\n", "", "a.csv:3:5: 3 cells, expected 2 as in line 1"),
        ("a.csv", "label,a\n1,x\n0\n", "", "a.csv:3:2: 1 cell, expected 2 as in line 1"),
        ("a.csv", "label,a\n1,\"x\n0,y\n", "", "a.csv:2:3: this quote is never closed"),
        ("a.csv", "label,a\n1,\"x\"y\n0,y\n", "", "a.csv:2:6: text after a closing quote"),
        (
            "a.csv",
            "label,a,a\n1,x,y\n0,y,y\n",
            "--header",
            "a.csv:1:9: columns 2 and 3 are both named",
        ),
        ("a.svm", "1 1:1\n0 2:nan\n", "", "a.svm:2:5: value nan is not a finite number"),
        ("a.svm", "1 1:1\n0 2:inf\n", "", "a.svm:2:5: value inf is not a finite number"),
        ("a.svm", "1 1:1\n0 2:1e400\n", "", "a.svm:2:5: value 1e400 is too large"),
        ("a.svm", "1 1:1\n0 -2:1\n", "", "a.svm:2:3: negative index -2"),
        ("a.svm", "1 1:1\n0 18446744073709551616:1\n", "", "a.svm:2:3: index 18446744073709551616"),
        ("a.svm", "1 1:1\n0 1:2:3\n", "", "a.svm:2:3: expected index:value"),
        ("a.svm", "1 1:1\n1:1\n", "", "a.svm:2:1: label: an empty cell"),
    ]);
}

#[test]
fn files_that_cannot_be_used() {
    data_fails(&[
        (
            "a.csv",
            "label,a,a\n1,2,3\n0,3,4\n",
            "",
            "a.csv:1:9: columns 2 and 3 are both named 'a': giv",
        ),
        ("a.csv", "x,y,y\na,b,c\nd,e,f\n", "--label x", "a.csv:1:5: columns 2 and 3 are both name"),
        ("a.csv", "{\"label\":1,\"x\":2}\n", "", "a.csv: JSON: save it as CSV"),
        ("a.csv", "", "", "a.csv: no rows: the file is empty"),
        ("a.csv", "label,a\n", "--header", "a.csv: no rows to train on"),
        ("a.svm", "# nothing\n\n", "", "a.svm: no rows to train on"),
        ("a.csv", "label,a\n1,x\n1,y\n", "", "a.csv: all 2 training rows have the label '1'"),
        ("a.csv", "label,a\n2.5,x\n2.5,y\n", "", "a.csv: all 2 training rows have the label '2.5'"),
        ("a.csv", "label,a,w\n1,x,0\n0,y,0\n", "--weight w", "a.csv: the weights of all training"),
    ]);
}

/// Whatever is in a file, its errors can be read.
#[test]
fn a_file_of_one_endless_line() {
    let room = Room::new();
    room.write("one.csv", "1".repeat(5_000_000));
    room.write("two.csv", format!("{0},{0}x\n1,2\n", "a".repeat(1_000_000)));
    for line in
        ["train one.csv", "train one.csv --header", "train two.csv", "train two.csv --label b"]
    {
        let error = room.run(line).err;
        assert!(error.starts_with("error: ") && error.len() < 5000, "{line}: {}", error.len());
    }
}

#[test]
fn compressed_files_that_are_cut_off() {
    let room = Room::new();
    room.write("a.csv", shop(3000));
    assert_eq!(room.shell("gzip -k a.csv").code(), 0);
    let (gzip, zstd) =
        (room.read("a.csv.gz"), zstd::encode_all(&room.read("a.csv")[..], 1).unwrap());
    for (name, bytes) in [("cut.csv.gz", gzip), ("cut.csv.zst", zstd)] {
        for share in [3, 2] {
            room.write(name, &bytes[..bytes.len() / share]);
            let error = fails(&room, &format!("train {name} --label bought"), 1);
            assert!(error.contains("stream is cut off"), "{name}: {error}");
        }
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 0x10;
        room.write(name, &flipped);
        let error = fails(&room, &format!("train {name} --label bought"), 1);
        assert!(error.starts_with(&format!("error: {name}")), "{error}");
    }
}

#[test]
fn damaged_models() {
    let room = room();
    let model = room.read("good.model");
    let mut lengths: Vec<usize> = (0..model.len()).step_by(model.len() / 40 + 1).collect();
    lengths.extend([1, 7, 8, 9, model.len() - 17, model.len() - 1]);
    for length in lengths {
        room.write("bad.model", &model[..length]);
        let error = fails(&room, "predict bad.model shop.csv", 1);
        assert_eq!(error.lines().count(), 1, "{length}: {error}");
        assert!(error.starts_with("error: bad.model: "), "{length}: {error}");
    }
    for at in (0..model.len()).step_by(model.len() / 60 + 1) {
        let mut flipped = model.clone();
        flipped[at] ^= 1 << (at % 8);
        room.write("bad.model", flipped);
        fails(&room, "inspect bad.model", 1);
    }
    room.write("bad.model", [&model[..], b"more"].concat());
    fails(&room, "inspect bad.model", 1);
}

#[test]
fn rows_that_cannot_be_evaluated_or_predicted() {
    let room = room();
    let case = |command: &str, rows: &str, expected: &str| {
        room.write("rows.csv", rows);
        let error = fails(&room, &format!("{command} good.model rows.csv"), 1);
        assert!(error.starts_with(&format!("error: {expected}")), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    let header = "site,price,tags,bought\n";
    let rows = |rows: &str| format!("{header}{rows}");
    case("evaluate", &rows("s1,1,new,maybe\n"), "rows.csv:2:10: label: 'maybe' is neither 'yes'");
    case("evaluate", &rows("s1,1,new,\n"), "rows.csv:2:10: label: an empty cell is neither 'yes'");
    case("evaluate", header, "rows.csv: no rows to evaluate");
    case("evaluate", "", "rows.csv: no rows: the file is empty");
    case("predict", "", "rows.csv: no rows: the file is empty");
    case("predict", &rows("s1,1,new,yes\ns1,abc,new,no\n"), "rows.csv:3:4: column 'price' is num");
    case("predict", &rows("s1,1,new,yes\ns1,1\n"), "rows.csv:3:5: 2 cells, expected 4 as in line");
    for (command, rows, column) in [
        ("evaluate", "site,price,tags\ns1,1,new\n", "bought"),
        ("predict", "site,tags\ns1,new\n", "price"),
    ] {
        room.write("rows.csv", rows);
        let error = fails(&room, &format!("{command} good.model rows.csv"), 2);
        let expected = format!("error: rows.csv: column '{column}' is missing");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_score_that_is_not_finite_is_an_error() {
    let room = room();
    room.ok("train ok.svm --valid-fraction 0 --epochs 2 --min-count 1 -o sparse.model");
    room.write("wild.svm", "1 1:1\n1 1:3e38 2:3e38 3:3e38\n");
    let error = fails(&room, "predict sparse.model wild.svm", 1);
    assert!(error.starts_with("error: wild.svm:2:1: the score of this row is not fin"), "{error}");
}

#[test]
fn a_run_that_diverges() {
    let room = Room::new();
    // Wild values only where a few rows can meet them.
    let rows: String = (0..400).map(|i| format!("{} 1:{} 2:1e19\n", i % 2, i % 7)).collect();
    room.write("wild.svm", rows);
    let line = "train wild.svm --optimizer sgd --learning-rate 1e9 --epochs 3 --min-count 1";
    let error = fails(&room, line, 1);
    assert!(error.starts_with("error: training diverged in epoch 1, at wild.svm:"), "{error}");
    assert!(error.contains("learning rate 1000000000"), "{error}");
}

#[test]
fn skipping_counts_and_goes_on() {
    let room = Room::new();
    let mut text = shop(200);
    text.insert_str(text.find('\n').unwrap() + 1, "bad,row\n");
    for row in 0..7 {
        text += &format!("r{row},s1,expensive,new,yes\n");
    }
    room.write("rows.csv", &text);
    let flags = "--label bought --ignore id --numeric price";
    assert!(fails(&room, &format!("train rows.csv {flags}"), 1).starts_with("error: rows.csv:2:8"));
    let done = room.ok(&format!("train rows.csv {flags} --epochs 2 --on-error skip --json"));
    let lines: Vec<&str> = done.err.lines().collect();
    assert_eq!(lines[0], "skipped 8 rows that cannot be used:");
    assert!(lines[1].starts_with("  rows.csv:2:8: 2 cells"), "{}", done.err);
    assert!(lines[2].starts_with("  rows.csv:203:7: column 'price'"), "{}", done.err);
    assert_eq!((lines.len(), lines[6]), (8, "  ..."));
    assert!(lines[7].starts_with("note: with 9 validation rows"), "{}", lines[7]);
    let events = done.json();
    assert_eq!((&events[1]["event"], &events[1]["rows"]), (&"skipped".into(), &8.into()));
    let start = &events[2];
    let rows = start["train_rows"].as_u64().unwrap() + start["valid_rows"].as_u64().unwrap();
    assert_eq!(rows, 200);
    // The same model as without those rows.
    room.write("clean.csv", shop(200));
    room.ok(&format!("train clean.csv {flags} --epochs 2 -o clean"));
    assert!(room.read("clean") == room.read("model.pairloom"));
    let predicted = room.ok("predict model.pairloom rows.csv --on-error skip");
    assert_eq!(predicted.numbers().len(), 200);
    assert!(predicted.err.starts_with("skipped 8 rows"), "{}", predicted.err);
    let evaluated = room.ok("evaluate model.pairloom rows.csv --on-error skip --json");
    assert_eq!(evaluated.json()[0]["rows"], 200);
    assert_eq!(evaluated.json()[0]["skipped_rows"], 8);
    // A quote that is never closed hides all rows behind it: that is not skipped.
    room.write("quote.csv", format!("{text}r9,\"s1,1,new,yes\n{text}"));
    let error = room.run(&format!("train quote.csv {flags} --on-error skip -o no"));
    assert_eq!((error.code(), room.has("no")), (1, false), "{}", error.err);
}

#[test]
fn too_little_memory() {
    let room = room();
    let huge = "train shop.csv --label bought --hash-bits 30 --factors 65536";
    let error = fails(&room, huge, 1);
    assert!(error.contains("GiB of memory") && error.contains("hash_bits"), "{error}");
    // With a limit that the program cannot see until an allocation fails.
    let base = "train shop.csv --label bought --valid-fraction 0 --epochs 1 --optimizer adagrad --threads 1 -o no.model";
    let before = room.files();
    for flags in [
        "--hash-bits 22 --factors 8",
        "--hash-bits 24 --factors 64",
        "--hash-bits 26 --factors 1",
        "--hash-bits 27 --factors 1",
        "--hash-bits 20 --factors 30",
    ] {
        let done = room.shell(&format!("ulimit -v 400000; exec $pairloom {base} {flags}"));
        in_order(&done, flags);
        assert_eq!(done.code(), 1, "{flags}: {}", done.err);
        assert!(
            done.err.starts_with("error: ") && done.err.contains("iB"),
            "{flags}: {}",
            done.err
        );
        assert_eq!(room.files(), before, "{flags}");
    }
}

#[test]
fn full_disks() {
    let room = room();
    for line in [
        "predict good.model shop.csv",
        "evaluate good.model shop.csv",
        "inspect good.model --json",
        "synth --rows 100000",
        "train shop.csv --label bought --epochs 1 -o no.model",
        "train shop.csv --label bought --epochs 1 -o -",
        "completions bash",
    ] {
        let done = room.shell(&format!("exec $pairloom {line} > /dev/full"));
        in_order(&done, line);
        assert_eq!(done.code(), 1, "{line}: {}", done.err);
        assert!(
            done.err.contains("error: stdout: No space left on device"),
            "{line}: {}",
            done.err
        );
        assert!(!room.has("no.model"));
    }
    let limited = "ulimit -f 8; trap '' XFSZ; exec $pairloom";
    let line = "train shop.csv --label bought --epochs 1 --factors 2000 -o good.model";
    let old = room.read("good.model");
    let files = room.files();
    let done = room.shell(&format!("{limited} {line}"));
    in_order(&done, line);
    assert_eq!(done.code(), 1, "{}", done.err);
    assert!(done.err.starts_with("error: good.model: File too large"), "{}", done.err);
    assert!(room.read("good.model") == old, "the old model is whole");
    assert_eq!(room.files(), files, "no temporary file is left");
}

#[test]
fn a_failed_run_leaves_the_old_files_alone() {
    let room = room();
    let old = room.read("good.model");
    room.write("predictions", "old");
    room.write("third.csv", "label,a\n1,x\n0,y\nNA,x\n");
    for (line, code) in [
        ("train third.csv -o good.model", 1),
        ("train missing.csv -o good.model", 1),
        ("train shop.csv --label bought --valid third.csv -o good.model", 2),
        ("predict good.model third.csv -o predictions", 2),
    ] {
        fails(&room, line, code);
        assert!(room.read("good.model") == old, "{line}");
        assert_eq!(room.text("predictions"), "old", "{line}");
    }
}

#[test]
fn going_on_with_another_run() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 20000 --fields 8 --features 2000");
    // A run that ends after a checkpoint: its report cannot be written, nor its model.
    let line = "train rows.tsv --epochs 40 --patience 0 --checkpoint-every 0.001 -o m";
    let mut child = room.command(line).spawn().unwrap();
    while !room.has("m.checkpoint") {
        assert!(child.try_wait().unwrap().is_none(), "the run was over too soon");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!room.has("m"));
    for temporary in room.files().iter().filter(|name| name.starts_with('.')) {
        fs::remove_file(room.path(temporary)).unwrap();
    }
    for (flags, what) in [
        ("--factors 3", "factors is 16 in it and 3 here"),
        ("--seed 99", "seed is 0 in it and 99 here"),
    ] {
        let error = fails(&room, &format!("{line} --resume {flags}"), 1);
        let expected = format!(
            "error: m.checkpoint: this checkpoint is of a run with other settings ({what})"
        );
        assert!(error.starts_with(&expected), "{error}");
    }
    let rows = room.text("rows.tsv");
    room.synth("rows.tsv", "--rows 20000 --fields 8 --features 2000 --sample 1");
    let error = fails(&room, &format!("{line} --resume"), 1);
    assert!(error.contains("this checkpoint is of a run with other data"), "{error}");
    room.write("rows.tsv", rows);
    let error = fails(&room, "predict m.checkpoint rows.tsv", 1);
    assert!(error.contains("this is a checkpoint, not a model"), "{error}");
    let checkpoint = room.read("m.checkpoint");
    room.write("m.checkpoint", &checkpoint[..checkpoint.len() / 2]);
    let error = fails(&room, &format!("{line} --resume"), 1);
    assert!(error.starts_with("error: m.checkpoint: "), "{error}");
    // Not even a damaged one is replaced without a word.
    let error = fails(&room, line, 1);
    assert!(error.contains("--restart"), "{error}");
    room.ok("train rows.tsv --epochs 1 -o m --restart");
    assert!(!room.has("m.checkpoint"));
}
