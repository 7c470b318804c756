//! Odd rows of every task, by the command: groups, classes, weights, counts, items. What is refused, what is
//! left out and told.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::Room;
use common::refusals::fails;
use std::fmt::Write as _;

const RANK: &str = "--label y --group q --categorical a --loss bpr --epochs 2";

/// Rows of queries with a feature and a label.
fn queries(rows: &[(&str, &str, u32)]) -> String {
    let row = |(q, a, y): &(&str, &str, u32)| format!("{q},{a},{y}\n");
    "q,a,y\n".to_string() + &rows.iter().map(row).collect::<String>()
}

/// Fails on a file of this content, with an error that begins so after its name.
fn refused(text: &str, flags: &str, code: i32, expected: &str) {
    let room = Room::new();
    room.write("rows.csv", text);
    let error = fails(&room, &format!("train rows.csv {flags}"), code);
    let begins = error.strip_prefix("error: ").unwrap().starts_with(expected);
    assert!(begins, "{flags}\n is    {error} wants {expected}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn groups_that_teach_nothing_are_counted_and_an_error_if_there_are_no_others() {
    let room = Room::new();
    // Rows of a group do not lie together; one has one row, one has one label.
    let mut rows = Vec::new();
    for round in 0..3u32 {
        for q in ["q1", "q2", "q3", "q4"] {
            rows.push((q, ["x", "y", "z"][round as usize], u32::from(round == 1)));
        }
        rows.push(("alike", "x", 1));
    }
    rows.push(("alone", "y", 1));
    room.write("rows.csv", queries(&rows));
    let said = room.ok(&format!("train rows.csv {RANK} --valid-fraction 0")).out;
    let groups = "ranking the rows of 4 groups, of 6 (the others have one label)";
    assert!(said.contains(groups), "{said}");
    let json = &room.ok("evaluate model.pairloom rows.csv --json").json()[0];
    assert_eq!((&json["groups"], &json["groups_left_out"]), (&4.into(), &2.into()), "{json}");
    let odd = queries(&[("one", "x", 1), ("two", "y", 0), ("same", "x", 0), ("same", "y", 0)]);
    refused(
        &odd,
        &format!("{RANK} --valid-fraction 0"),
        1,
        "rows.csv: none of the 3 groups of training rows has rows of different labels",
    );
    let empty = queries(&[("q1", "x", 1), ("q1", "y", 0), ("", "x", 1)]);
    refused(&empty, RANK, 1, "rows.csv:4:1: group: an empty cell: say which rows this one");
    let done = room.run("evaluate model.pairloom rows.csv --segment a");
    assert_eq!(done.code(), 2);
    assert!(done.err.starts_with("error: segments are of models that predict"), "{}", done.err);
}

#[test]
fn classes_that_are_odd() {
    let rows = |label: &dyn Fn(usize) -> &'static str| {
        let row = |i: usize| format!("{},v{}\n", label(i), i % 5);
        "y,c\n".to_string() + &(0..90).map(row).collect::<String>()
    };
    let room = Room::new();
    // A class with one row, and one that the tail has alone.
    room.write("rows.csv", rows(&|i| if i == 7 { "rare" } else { ["a", "b", "c"][i % 3] }));
    let line = "train rows.csv --label y --epochs 1";
    let note = "note: 1 class has one training row only";
    assert!(room.ok(line).err.contains(note));
    assert!(!room.ok(&format!("{line} -q")).err.contains(note), "quiet is quiet");
    room.write("rows.csv", rows(&|i| if i > 84 { "late" } else { ["a", "b", "c"][i % 3] }));
    let said = room.ok(&format!("{line} --valid-tail 0.05")).out;
    assert!(said.contains("each of 'a', 'b', 'c', 'late'"), "{said}");
    // A label outside of the task.
    room.write("other.csv", "y,c\na,v1\nnever,v2\n");
    let error = fails(&room, "evaluate model.pairloom other.csv", 1);
    assert!(error.starts_with("error: other.csv:3:1: label: 'never' is none of the cl"), "{error}");
    let done = room.ok("evaluate model.pairloom other.csv --on-error skip");
    assert!(done.err.starts_with("skipped 1 row that cannot be used:"), "{}", done.err);
    let numbers = (1..30).map(|i| format!("{i},v\n")).collect::<String>();
    refused(
        &format!("y,c\nx,v\n{numbers}"),
        "--label y --on-error skip",
        1,
        "rows.csv:2:1: label: 'x' is not a number, and the others are ('1', '2', ..): correct it",
    );
    let slip = (0..40).map(|i| format!("{},v\n", if i == 20 { "O" } else { ["0", "1"][i % 2] }));
    refused(
        &format!("y,c\n{}", slip.collect::<String>()),
        "--label y",
        1,
        "rows.csv:22:1: label: 'O' is not a number, and the others are ('0', '1', ..): correct it, \
         or say --on-error skip; if each value is a class, train with --loss softmax",
    );
    refused(&rows(&|_| "a"), "--label y", 1, "rows.csv: all 81 training rows have the label 'a'");
    refused(
        "y,c\n1,v\n-1,v\n3,w\n",
        "--label y --loss poisson",
        1,
        "rows.csv:3:1: label: -1 is no count",
    );
    let two = rows(&|i| ["1", "0"][i % 2]);
    let twice = "rows.csv: class_weight (--class-weight): class '1' is there twice";
    refused(&two, "--label y --class-weight 1=2,1.0=3", 2, twice);
    let wide = "invalid value '1=1e31' for '--class-weight";
    let room = Room::new();
    room.write("rows.csv", two);
    let error = fails(&room, "train rows.csv --label y --class-weight 1=1e31", 2);
    assert!(error.contains(wide) && error.contains("a weight from 1e-30 to 1e30"), "{error}");
}

#[test]
fn weights_and_counts_that_are_odd() {
    let rows = |weight: &str| {
        let row = |i: usize| format!("{},v{},{weight}\n", i % 2, i % 5);
        "y,c,w\n".to_string() + &(0..40).map(row).collect::<String>()
    };
    let flags = "--label y --weight w";
    refused(&rows("-1"), flags, 1, "rows.csv:2:6: weight: '-1' is not a number of at least 0");
    refused(&rows("1e39"), flags, 1, "rows.csv:2:6: weight: '1e39' is beyond 32-bit floats");
    refused(&rows("0"), flags, 1, "rows.csv: the weights of all training rows are 0");
    let counts = |row: &str| format!("clicks,shown,c\n3,10,v\n{row}\n");
    let flags = "--label clicks --trials shown";
    refused(&counts("5,4,w"), flags, 1, "rows.csv:3:1: label: 5 of 4 trials: more than there");
    let untried = "clicks,shown,c\n0,0,v\n0,0,w\n";
    refused(untried, flags, 1, "rows.csv: no rows to train on: nothing was ever tried");
    let room = Room::new();
    let row = |i: usize| format!("{},{},v{}\n", i % 4, 4 + i % 3, i % 5);
    let text = format!("clicks,shown,c\n{}", (0..60).map(row).collect::<String>());
    room.write("rows.csv", &text);
    room.ok(&format!("train rows.csv {flags} --epochs 1"));
    let error = fails(&room, "evaluate model.pairloom rows.csv --segment shown", 2);
    assert!(error.starts_with("error: column 'shown': its counts are taken apart"), "{error}");
    room.write("bare.csv", common::columns(&text, &[0, 2]));
    let error = fails(&room, "evaluate model.pairloom bare.csv", 2);
    let expected = "error: bare.csv: column 'shown' is missing: it is the trials here";
    assert!(error.starts_with(expected), "{error}");
}

const DRAW: &str = "--label one --group user --item item --categorical user --loss bpr --epochs 2 \
                    --negatives 2";

/// Users who have items of their own kind, whose ids are numbers, and now and then one of label 0.
fn likes(users: u32) -> String {
    let mut text = String::from("user,item,one\n");
    for (user, n) in (0..users).flat_map(|user| (0..6).map(move |n| (user, n))) {
        let item = 1000 + n * 3 + user % 3;
        writeln!(text, "u{user},{item},{}", u8::from(n < 4)).unwrap();
    }
    text
}

#[test]
fn drawn_items_that_are_odd() {
    let room = Room::new();
    room.write("rows.csv", likes(30));
    let said = room.ok(&format!("train rows.csv {DRAW} --valid-fraction 0")).out;
    assert!(said.contains("drawn from 12; 60 rows of label 0 are left out"), "{said}");
    let item = said.lines().find(|line| line.starts_with("item ")).unwrap();
    assert!(item.contains("categorical"), "whole numbers, and a name: {item}");
    let none = likes(30).replace(",1\n", ",0\n");
    refused(&none, DRAW, 1, "rows.csv: none of the training rows has a label above 0: there is");
    let all = "user,item,one\n".to_string() + &"u1,5,1\nu1,6,1\nu2,5,1\nu2,6,1\n".repeat(3);
    let expected =
        "rows.csv: each group of the training rows has all 2 items, so none can be drawn";
    refused(&all, &format!("{DRAW} --valid-fraction 0"), 1, expected);
    refused(
        &likes(30),
        "--label one --categorical user,item --negative-sampling popularity",
        2,
        "negative_sampling (--negative-sampling) says how items are drawn, and none are: see",
    );
}

#[test]
fn rows_of_items_that_the_catalogue_lacks_are_told() {
    let room = Room::new();
    room.write("rows.csv", likes(30));
    room.ok(&format!("train rows.csv {DRAW} --valid-fraction 0 -o m"));
    let items = |ids: &[u32]| {
        "item\n".to_string() + &ids.iter().map(|id| format!("{id}\n")).collect::<String>()
    };
    let most: Vec<u32> = (1000..1018).filter(|id| *id != 1001).collect();
    room.write("items.csv", items(&most));
    room.write("users.csv", "user\nu1\nu2\n");
    let seen = "10 rows of rows.csv name items that are not in the catalogue\n";
    let line = "recommend m users.csv --items items.csv";
    assert_eq!(room.ok(&format!("{line} --seen rows.csv")).err, seen);
    assert_eq!(room.ok(line).err, "");
    // Of rows to evaluate those that are relevant.
    room.write(
        "test.csv",
        "user,item,one\nu1,1001,1\nu1,1004,1\nu2,1001,0\nu4,9999,0\nu2,1002,1\n",
    );
    let done = room.ok("evaluate m test.csv --items items.csv --seen rows.csv --json");
    let wanted = "1 row of test.csv names an item that is not in the catalogue\n";
    assert_eq!(done.err, format!("{wanted}{seen}"));
    let found = &done.json()[0];
    assert_eq!((&found["groups"], &found["groups_left_out"]), (&2.into(), &1.into()), "{found}");
    // Nobody, nothing.
    room.write("none.csv", "item\n");
    let error = fails(&room, "recommend m users.csv --items none.csv", 1);
    assert!(error.starts_with("error: none.csv: no items: there is nothing to recom"), "{error}");
    let error = fails(&room, &format!("{line} --filter item=7"), 1);
    assert!(error.starts_with("error: items.csv: no item has item=7: there is nothing"), "{error}");
}

#[test]
fn few_rows_to_calibrate_on_are_named_by_class() {
    let room = common::trained_shop(400);
    let text = room.text("shop.csv");
    let (header, rows) = text.split_once('\n').unwrap();
    let some = |class: &str, count: usize| -> String {
        let of = rows.lines().filter(|line| line.ends_with(class));
        of.take(count).map(|line| format!("{line}\n")).collect()
    };
    for (no, yes, expected) in [(9, 30, "9 negative rows"), (30, 1, "1 positive row,")] {
        room.write("few.csv", format!("{header}\n{}{}", some(",no", no), some(",yes", yes)));
        let error = fails(&room, "calibrate model.pairloom few.csv --method platt -o x", 1);
        assert!(error.starts_with(&format!("error: few.csv: {expected}")), "{error}");
    }
}
