//! The texts that describe the command: a change of them shows in the snapshots.
//!
//! Defaults of settings are left out, since they are the library's and may change with a
//! measurement.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::Room;

const COMMANDS: [&str; 16] = [
    "demo",
    "train",
    "convert",
    "evaluate",
    "predict",
    "recommend",
    "calibrate",
    "average",
    "explain",
    "compare",
    "study",
    "tune",
    "inspect",
    "synth",
    "completions",
    "man",
];

fn help(line: &str) -> String {
    let done = Room::new().ok(line);
    assert_eq!(done.err, "");
    done.out
}

#[test]
fn help_texts() {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\s*\[default:\s+(?:[0-9][^\]]*|[a-z-]+)\]", " [default: ..]");
    settings.bind(|| {
        insta::assert_snapshot!("pairloom", help("--help"));
        for command in COMMANDS {
            insta::assert_snapshot!(command, help(&format!("{command} --help")));
        }
    });
}

#[test]
fn every_setting_shows_its_default() {
    let text = help("train --help");
    let room = Room::new();
    room.write("rows.svm", "1 1:1\n0 2:1\n1 1:1\n0 2:1\n");
    room.ok("train rows.svm --valid-fraction 0 --epochs 1");
    let config = &room.ok("inspect model.pairloom --json").json()[0]["config"];
    for name in config.as_object().unwrap().keys() {
        let flag = format!("--{}", name.replace('_', "-"));
        let negated = format!("--no-{}", name.replace('_', "-"));
        assert!(text.contains(&flag) || text.contains(&negated), "{name}");
    }
    assert!(text.matches("[default: ").count() >= 18, "{text}");
}

#[test]
fn version() {
    assert_eq!(help("--version"), format!("pairloom {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = help(&format!("completions {shell}"));
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(script.contains("hash-bits"), "{shell}");
    }
    let room = Room::new();
    room.write("completions", help("completions bash"));
    assert_eq!(room.shell("bash -n completions").code(), 0);
}

#[test]
fn man_pages() {
    let room = Room::new();
    room.ok("man .");
    let pages: Vec<String> = COMMANDS.iter().map(|name| format!("pairloom-{name}.1")).collect();
    for page in pages.iter().map(String::as_str).chain(["pairloom.1"]) {
        assert!(room.text(page).contains(".TH"), "{page}");
    }
}
