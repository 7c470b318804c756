//! What the README shows of the demo is what the demo prints, but for the speed.
//!
//! `INSTA_UPDATE=always cargo test -p pairloom-cli --test readme` writes it anew.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::Room;
use std::fs;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");

/// Lines with the speed left out, which is the last of an epoch's seven columns.
fn without_speed(text: &str) -> Vec<String> {
    let is_epoch = |words: &[&str]| words.len() == 7 && words[0].parse::<u32>().is_ok();
    let line = |line: &str| match line.split_whitespace().collect::<Vec<_>>() {
        words if is_epoch(&words) => line.trim_end_matches(words[6]).trim_end().to_string(),
        _ => line.to_string(),
    };
    text.lines().map(line).collect()
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let printed = Room::new().ok("demo").out;
    let begin = printed.find("predicting ").unwrap();
    let shown = &printed[begin..printed.find("\nnext:").unwrap()];
    let readme = fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once("```text\n").unwrap();
    let (block, after) = rest.split_once("```").unwrap();
    if without_speed(block) == without_speed(shown) {
        return;
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(README, format!("{before}```text\n{shown}```{after}")).unwrap();
        return;
    }
    assert_eq!(block, shown, "INSTA_UPDATE=always writes the README anew");
}
