//! Running lines that must be refused.

use super::{Done, Room, house, shop};
use std::fs;
use std::time::Duration;

/// The most that any refusal may take.
const QUICK: Duration = Duration::from_secs(5);

/// A room with files that commands can be tried on.
pub fn room() -> Room {
    let room = Room::new();
    room.write("shop.csv", shop(120));
    room.write("house.csv", house(60));
    room.write("ok.svm", "1 1:1 2:0.5\n0 2:1\n1 1:2\n0 3:1\n");
    room.ok("train shop.csv --label bought --ignore id --epochs 1 -o good.model");
    fs::create_dir(room.path("folder")).unwrap();
    room
}

/// Runs a line that must fail with this status, quickly and in order, and leave no file behind.
pub fn fails(room: &Room, line: &str, code: i32) -> String {
    let before = room.files();
    let done = room.run(line);
    in_order(&done, line);
    assert_eq!(done.code(), code, "pairloom {line}\n{}", done.err);
    assert_eq!(room.files(), before, "pairloom {line}: files");
    assert!(done.err.starts_with("error: "), "pairloom {line}\n{}", done.err);
    done.err
}

/// Checks that a run has ended quickly, and by itself.
pub fn in_order(done: &Done, line: &str) {
    assert!(done.time < QUICK, "pairloom {line}: {:?}", done.time);
    assert!(done.status.code().is_some(), "pairloom {line}: {}", done.status);
    for text in ["panicked", "RUST_BACKTRACE", "memory allocation", "stack overflow"] {
        assert!(!done.err.contains(text), "pairloom {line}\n{}", done.err);
    }
}

/// Checks lines against how their errors begin, after `error: `.
pub fn all_fail(code: i32, cases: &[(&str, &str)]) {
    let room = room();
    for (line, expected) in cases {
        let error = fails(&room, line, code);
        let begins = error.strip_prefix("error: ").unwrap().starts_with(expected);
        assert!(begins, "pairloom {line}\n is    {error}\n wants {expected}");
        // Those of the argument parser itself say more in further lines.
        let is_parser = error.contains("For more information, try '--help'");
        assert!(error.lines().count() == 1 || (code == 2 && is_parser), "pairloom {line}\n{error}");
    }
}
