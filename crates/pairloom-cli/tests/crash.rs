//! `kill -9` at any moment: a run goes on to the same bits, and a model file is the old or the new
//! one, whole.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Room, draws};
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Ends a process without warning; whether it was still there.
fn kill(mut child: Child) -> bool {
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// Removes what processes that were killed could not.
fn sweep(room: &Room) {
    for name in room.files().iter().filter(|name| name.starts_with('.')) {
        fs::remove_file(room.path(name)).unwrap();
    }
}

#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 20000 --fields 8 --features 3000");
    let line = "train rows.tsv --epochs 80 --patience 0 --factors 8 --seed 3 --valid-fraction 0.1";
    let begun = Instant::now();
    room.ok(&format!("{line} -o whole"));
    let usual = begun.elapsed();
    let whole = room.read("whole");
    let (mut kills, mut resumed) = (0, 0);
    for [a, b, _] in draws(40) {
        let resume = ["", "--resume"][usize::from(room.has("m.checkpoint"))];
        resumed += u32::from(!resume.is_empty());
        let line = format!("{line} --checkpoint-every 0.01 -o m {resume} --threads {}", 1 + b % 2);
        let child = room.command(&line).spawn().unwrap();
        sleep(usual.mul_f64(0.05 + f64::from(a % 1000) / 4000.0));
        kills += u32::from(kill(child));
        if room.has("m") {
            assert!(room.read("m") == whole, "after {kills} kills");
            fs::remove_file(room.path("m")).unwrap();
        }
        if kills == 10 {
            break;
        }
    }
    assert_eq!(kills, 10);
    assert!(resumed > 0, "{resumed} runs began with a checkpoint");
    room.ok(&format!("{line} --resume -o m"));
    assert!(room.read("m") == whole);
    assert!(!room.has("m.checkpoint"), "a complete run leaves no checkpoint");
}

#[test]
fn short_epochs_are_saved_too() {
    // Each epoch takes far less time than there is between two checkpoints.
    let room = Room::new();
    room.synth("rows.tsv", "--rows 2000 --fields 4 --features 200");
    let line = "train rows.tsv --epochs 1000000 --patience 0 --checkpoint-every 0.3 -o m";
    let child = room.command(line).spawn().unwrap();
    let begun = Instant::now();
    while !room.has("m.checkpoint") && begun.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(20));
    }
    assert!(kill(child), "the run was over too soon");
    assert!(room.has("m.checkpoint"));
}

#[test]
fn a_killed_save_leaves_the_old_model_or_the_new_one() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 3000 --cardinalities 40,300");
    let line = "train rows.tsv --epochs 1 --hash-bits 18 --factors 16 -o m";
    let begun = Instant::now();
    room.ok(line);
    let usual = begun.elapsed();
    assert!(room.read("m").len() > 30_000_000, "large enough that saving takes time");
    let (mut old, mut new) = (0, 0);
    for (round, [a, ..]) in (0..16).zip(draws(16)) {
        let child = room.command(&format!("{line} --seed {}", round + 1)).spawn().unwrap();
        sleep(usual.mul_f64(0.3 + 0.7 * f64::from(a % 1000) / 1000.0));
        kill(child);
        let seed = &room.ok("inspect m --json").json()[0]["config"]["seed"];
        if seed == round + 1 {
            new += 1
        } else {
            old += 1
        }
        sweep(&room);
    }
    assert!(old > 0, "{old} old, {new} new: all kills came too late");
}
