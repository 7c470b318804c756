//! `kill -9` at any moment: a run goes on to the same bits, and a model file is the old or the new
//! one, whole. Other signals stop a run where it can go on.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{Room, draws, finish};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Ends a process without warning; whether it was still there.
fn kill(mut child: Child) -> bool {
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// Files that are being written.
fn unfinished(room: &Room) -> Vec<PathBuf> {
    let names = room.files().into_iter().filter(|name| name.starts_with('.'));
    let is_begun = |path: &PathBuf| fs::metadata(path).is_ok_and(|meta| meta.len() > 0);
    names.map(|name| room.path(&name)).filter(is_begun).collect()
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

/// How long the model of a run is being written; `None` if nobody looked meanwhile, as on a machine with
/// other work.
fn time_of_saving(room: &Room, line: &str) -> Option<Duration> {
    let mut child = room.command(line).spawn().unwrap();
    let mut begun = None;
    while child.try_wait().unwrap().is_none() {
        match (unfinished(room).is_empty(), begun) {
            (false, None) => begun = Some(Instant::now()),
            (true, Some(begun)) => {
                let usual = begun.elapsed();
                assert!(child.wait().unwrap().success());
                return Some(usual);
            }
            _ => sleep(Duration::from_micros(100)),
        }
    }
    None
}

#[test]
fn a_killed_save_leaves_the_old_model_or_the_new_one() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 3000 --cardinalities 40,300");
    let line = "train rows.tsv --epochs 1 --factors 50000 -o m";
    let usual = (0..20).find_map(|_| time_of_saving(&room, line)).unwrap();
    assert!(room.read("m").len() > 30_000_000, "large enough that saving takes time");
    let (mut new, mut in_time) = (0, 0);
    for (round, [a, ..]) in (0..40).zip(draws(40)) {
        let mut child = room.command(&format!("{line} --seed {}", round + 1)).spawn().unwrap();
        while unfinished(&room).is_empty() && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_micros(300));
        }
        sleep(usual.mul_f64(f64::from(a % 1000) / 800.0));
        kill(child);
        let seed = &room.ok("inspect m --json").json()[0]["config"]["seed"];
        new += u32::from(*seed == round + 1);
        for left in unfinished(&room) {
            fs::remove_file(left).unwrap();
            in_time += 1;
        }
    }
    assert!(in_time >= 5, "{in_time} kills came while the model was written, {new} after it");
}

/// Sends a signal: `INT`, `TERM`.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Waits until a line of standard output has this in it.
fn wait_for(child: &mut Child, what: &str) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let mut lines = lines.map(|line| line.unwrap());
    assert!(lines.any(|line| line.contains(what)), "'{what}' never came");
}

#[test]
fn a_signal_stops_a_training_where_it_can_go_on() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 20000 --fields 8 --features 3000");
    let line = "train rows.tsv --epochs 25 --patience 0 --factors 8 --seed 3 --valid-fraction 0.1";
    room.ok(&format!("{line} -o whole"));
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let line = format!("{line} -o m --json");
        let mut child = room.command(&line).spawn().unwrap();
        wait_for(&mut child, r#"{"epoch":1,"#);
        signal(&child, name);
        let done = finish(child, Vec::new());
        assert_eq!((done.code(), room.has("m")), (status, false), "{}", done.err);
        let told: Vec<&str> = done.err.lines().collect();
        let [stopped, command] = told[..] else { panic!("{}", done.err) };
        assert!(stopped.starts_with("stopped after ") && stopped.contains("m.checkpoint"));
        assert_eq!(room.files(), ["m.checkpoint", "rows.tsv", "whole"]);
        // The same line again would cost what is done; it must be said which way to go.
        let checkpoint = room.read("m.checkpoint");
        let refused = room.run(&line);
        assert_eq!(refused.code(), 1);
        assert!(refused.err.contains("--resume") && refused.err.contains("--restart"));
        assert!(room.read("m.checkpoint") == checkpoint);
        let resumed = room.shell(command).success(command);
        assert!(resumed.out.contains(r#""event":"resume""#), "{}", resumed.out);
        assert!(room.read("m") == room.read("whole"));
        assert_eq!(room.files(), ["m", "rows.tsv", "whole"]);
        fs::remove_file(room.path("m")).unwrap();
        room.write("m.checkpoint", checkpoint);
        room.ok(&format!("{line} --restart"));
        assert!(room.read("m") == room.read("whole") && !room.has("m.checkpoint"));
        fs::remove_file(room.path("m")).unwrap();
    }
    let missing = room.ok(&format!("{line} -o m --resume"));
    assert!(missing.err.contains("there is no m.checkpoint to go on from"), "{}", missing.err);
}

#[test]
fn a_second_signal_ends_the_command_at_once() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 30000 --fields 34 --features 3000");
    // One batch of all rows: no event comes while it is worked on.
    let line = "train rows.tsv --batch-size 100000 --factors 1500 --valid-fraction 0 --json";
    let stopped = |millis| {
        let mut child = room.command(line).spawn().unwrap();
        wait_for(&mut child, r#""event":"start""#);
        sleep(Duration::from_millis(millis));
        signal(&child, "TERM");
        sleep(Duration::from_millis(100));
        child.try_wait().unwrap().is_none().then_some(child)
    };
    // Into the batch: a signal before it is heeded at once, and on a busy machine it begins late.
    let child = [100, 300, 900, 2700].into_iter().find_map(stopped);
    let child = child.expect("the first one waits for the end of the batch");
    signal(&child, "TERM");
    let done = finish(child, Vec::new());
    assert_eq!(done.status.signal(), Some(15), "{}", done.err);
    assert_eq!(room.files(), ["rows.tsv"]);
}

#[test]
fn while_rows_are_read_the_first_signal_ends_the_command() {
    let room = Room::new();
    let mut child = room.command("train -").stdin(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take();
    sleep(Duration::from_millis(300));
    // Not SIGINT: shells have it ignored by what they start in the background, tests among it.
    signal(&child, "TERM");
    assert_eq!(finish(child, Vec::new()).status.signal(), Some(15));
    drop(stdin);
}

#[test]
fn a_run_that_diverged_leaves_no_checkpoint() {
    let room = Room::new();
    room.synth("rows.tsv", "--rows 2000 --fields 4 --features 200");
    let line = "train rows.tsv --optimizer sgd --batch-size 1 --checkpoint-every 0 -o m";
    let done = room.run(&format!("{line} --learning-rate 1e18"));
    assert_eq!(done.code(), 1);
    assert!(done.err.contains("diverged"), "{}", done.err);
    assert!(!room.has("m.checkpoint"), "it would diverge again");
}
