//! What the command writes to: files, links, pipes, sockets, readers that leave.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::{TRAIN, finish, rows_in, shop, shop_room, trained_shop};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

#[test]
fn a_model_is_a_file_like_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let room = trained_shop(200);
    let mode = |name| fs::metadata(room.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("model.pairloom"), mode("shop.csv"));
    fs::set_permissions(room.path("model.pairloom"), fs::Permissions::from_mode(0o640)).unwrap();
    room.ok(TRAIN);
    assert_eq!(mode("model.pairloom"), 0o640, "those of the old file");
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    let room = shop_room(200);
    fs::create_dir(room.path("real")).unwrap();
    room.write("real/model", "old");
    std::os::unix::fs::symlink("real/model", room.path("link")).unwrap();
    room.ok(&format!("{TRAIN} -o link"));
    assert!(fs::symlink_metadata(room.path("link")).unwrap().is_symlink());
    room.ok("inspect real/model");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let room = trained_shop(300);
    room.synth("large.tsv", "--rows 60000 --fields 4 --features 100");
    room.ok("train large.tsv --epochs 1 -o large");
    for line in ["predict large large.tsv", "synth --rows 200000", "predict large large.tsv --json"]
    {
        let mut child = room.command(line).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        drop(out);
        let done = finish(child, Vec::new());
        assert!(!first.is_empty());
        assert_eq!(done.code(), 0, "{line}: {}", done.err);
        assert!(line.starts_with("synth") || done.err.is_empty(), "{line}: {}", done.err);
    }
}

#[test]
fn training_goes_on_when_its_reader_leaves() {
    let room = shop_room(700);
    let done = room.shell(&format!("$pairloom {TRAIN} | head -n 1"));
    assert_eq!((done.code(), done.err.as_str(), rows_in(&done.out)), (0, "", 1));
    for _ in 0..500 {
        if room.has("model.pairloom") {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    room.ok("inspect model.pairloom");
}

#[test]
fn predictions_flow_through_a_pipe() {
    let room = trained_shop(300);
    let text = shop(20_000);
    let (header, rows) = text.split_once('\n').unwrap();
    let half = rows.lines().take(12_000).map(|line| line.len() + 1).sum::<usize>();
    let mut command = room.command("predict model.pairloom -");
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    let lines = thread::spawn(move || {
        let tell = |line: io::Result<String>| tell.send(line.unwrap()).unwrap();
        out.lines().map(tell).count()
    });
    stdin.write_all(format!("{header}\n{}", &rows[..half]).as_bytes()).unwrap();
    stdin.flush().unwrap();
    // The input is still open, and the first predictions are there.
    let first = told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(first.parse::<f64>().is_ok(), "{first}");
    stdin.write_all(&rows.as_bytes()[half..]).unwrap();
    drop(stdin);
    assert_eq!(finish(child, Vec::new()).code(), 0);
    assert_eq!(told.iter().count(), 19_999);
    assert_eq!(lines.join().unwrap(), 20_000);
}

#[test]
fn a_model_through_standard_output() {
    let room = trained_shop(300);
    let model = room.read("model.pairloom");
    let piped = room.ok(&format!("{TRAIN} -o -"));
    assert!(piped.bytes == model);
    assert!(piped.err.contains("epoch"), "what happens is told on standard error");
    assert!(!piped.err.contains("wrote") && !piped.err.contains("next:"), "{}", piped.err);
    room.write("log", "before\n");
    let done = room.shell(&format!("$pairloom {TRAIN} -o - >> log"));
    assert_eq!(done.code(), 0);
    assert!(room.read("log") == [b"before\n", &model[..]].concat(), "the file is not replaced");
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut command = room.command(&format!("{TRAIN} --output -"));
    let child = command.stdout(std::os::fd::OwnedFd::from(theirs)).spawn().unwrap();
    drop(command);
    let mut bytes = Vec::new();
    (&ours).read_to_end(&mut bytes).unwrap();
    assert_eq!(finish(child, Vec::new()).code(), 0, "a socket");
    assert!(bytes == model);
    let files = ["log", "model.pairloom", "shop.csv"];
    assert_eq!(room.files(), files, "neither checkpoints nor temporary files");
}
