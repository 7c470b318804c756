//! Limits of the system: a disk that takes no more at any place of a file, and memory that is
//! short. What was there stays, and one line says what is wrong.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Done, Room, shop};
use std::path::Path;

/// Runs the command where no file may grow beyond some blocks of 512 bytes; a shell that has larger
/// blocks does no harm.
fn with_files_of(room: &Room, blocks: usize, line: &str) -> Done {
    room.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$pairloom\" {line}"))
}

/// Runs the command with so many megabytes of memory.
fn with_memory_of(room: &Room, megabytes: usize, line: &str) -> Done {
    room.shell(&format!("ulimit -v {}; exec \"$pairloom\" {line}", megabytes << 10))
}

/// Checks that a command has failed with one line of error.
fn refused(done: &Done) -> &str {
    assert_eq!(done.code(), 1, "{}{}", done.out, done.err);
    let errors: Vec<&str> = done.err.lines().collect();
    assert!(errors.len() == 1 && errors[0].starts_with("error: "), "{}", done.err);
    errors[0]
}

#[test]
fn a_file_that_cannot_be_written_to_its_end_stays_as_it_was() {
    let room = Room::new();
    room.write("rows.csv", shop(600));
    room.ok("train rows.csv --label bought --epochs 1 -o base");
    let train = "train rows.csv --label bought --epochs 2 --checkpoint-every 99 --save-schema schema --report \
                 report -o model";
    for (line, files) in [
        (train, &["model", "report", "schema"][..]),
        ("predict base rows.csv -o predictions", &["predictions"]),
        ("evaluate base rows.csv --report report", &["report"]),
    ] {
        room.ok(line);
        let new: Vec<Vec<u8>> = files.iter().map(|file| room.read(file)).collect();
        let largest = new.iter().map(Vec::len).max().unwrap();
        let mut all = room.files();
        all.sort();
        let mut failures = 0;
        for blocks in (0..).step_by(3) {
            files.iter().for_each(|file| room.write(file, "old"));
            let done = with_files_of(&room, blocks, line);
            let is_whole = |(file, new): (&&str, &Vec<u8>)| {
                let found = room.read(file);
                found == b"old" || found == *new
            };
            assert!(files.iter().zip(&new).all(is_whole), "{line}: {blocks} blocks");
            assert_eq!(room.files(), all, "{line}: {blocks} blocks");
            if done.code() == 0 {
                break;
            }
            let error = refused(&done);
            let named = files.iter().any(|file| error.starts_with(&format!("error: {file}: ")));
            assert!(named && error.contains("File too large"), "{error}");
            failures += 1;
        }
        assert!(failures * 3 * 512 >= largest / 2, "{line}: {failures} failures");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_run() {
    let room = Room::new();
    room.write("rows.csv", shop(600));
    let line = "train rows.csv --label bought --epochs 2 --checkpoint-every 0 -o model";
    let error = with_files_of(&room, 4, line);
    assert!(refused(&error).starts_with("error: model.checkpoint: File too large"));
    assert_eq!(room.files(), ["rows.csv"]);
}

#[test]
fn a_place_that_takes_no_files_is_found_before_the_rows_are_read() {
    let room = Room::new();
    room.write("rows.csv", shop(600));
    room.ok("train rows.csv --label bought --epochs 1 -o base");
    assert!(Path::new("/sys").is_dir());
    for line in [
        "train missing.csv -o /sys/model",
        "train missing.csv --report /sys/report",
        "train missing.csv --save-schema /sys/schema",
        "predict base missing.csv -o /sys/predictions",
        "evaluate base missing.csv --report /sys/report",
        "synth -o /sys/rows",
    ] {
        let done = room.run(line);
        let error = refused(&done);
        assert!(error.starts_with("error: /sys/") && !error.contains(".pairloom-"), "{error}");
    }
    // The checkpoint is an output too, whose name is longer than the model's.
    let name = "m".repeat(250);
    let done = room.run(&format!("train missing.csv -o {name}"));
    assert!(refused(&done).starts_with(&format!("error: {name}.checkpoint: File name too long")));
    assert_eq!(room.files(), ["base", "rows.csv"]);
}

#[test]
fn a_model_is_in_memory_once() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 8000 --cardinalities 800,800");
    let settings = "--factors 60000 --epochs 1 --threads 1";
    room.ok(&format!("train rows.tsv {settings} -o m"));
    let size = room.read("m").len() >> 20;
    assert!((100..300).contains(&size), "{size} MiB");
    let done = with_memory_of(&room, size + 70, "predict m rows.tsv --threads 1");
    assert_eq!(done.code(), 0, "{}", done.err);
    let done = with_memory_of(&room, size - 10, "predict m rows.tsv --threads 1");
    assert!(refused(&done).contains("60000 factors"), "{}", done.err);
}

#[test]
fn memory_that_runs_out_while_rows_are_read_is_said_in_words() {
    let room = Room::new();
    // 2 bytes a number in the file and 8 in memory.
    room.write(
        "rows.csv",
        "1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9\n"
            .repeat(250_000),
    );
    let line = "train rows.csv --no-header --label 0 --epochs 1 --factors 1 --threads 1 -o m";
    let mut messages = Vec::new();
    // What the command itself takes, and a sample of the rows.
    let itself = (1..).find(|&size| with_memory_of(&room, size, "--version").code() == 0).unwrap();
    for megabytes in (itself + 12..).step_by(6) {
        let done = with_memory_of(&room, megabytes, line);
        if done.code() == 0 {
            break;
        }
        messages.push(refused(&done).to_string());
    }
    assert!(messages.len() > 3, "{messages:?}");
    assert!(messages.iter().all(|m| m.contains("memory") && m.contains(": ")), "{messages:?}");
    assert!(messages.iter().any(|m| m.contains("encoding the ")), "{messages:?}");
}
