//! `pairloom recommend` beside `pairloom predict` over every context with every item.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::refusals::fails;
use common::{Room, draws, rows_in};
use std::fmt::Write as _;

const USERS: u32 = 12;

/// Items of the catalogue; the model has not seen the last of them.
const ITEMS: u32 = 30;
const KNOWN: u32 = 26;

fn genres(item: u32) -> &'static str {
    ["fun|war", "war", "fun", "", "love|fun"][item as usize % 5]
}

fn title(item: u32) -> String {
    format!("\"Part {item}, \"\"again\"\"\"")
}

/// A model of who likes what, the rows that it is of, and all items.
fn cinema() -> Room {
    let room = Room::new();
    let mut likes = String::from("user,age,item,genres,liked\n");
    for [a, b, c] in draws(900) {
        let (user, item) = (a % USERS, b % KNOWN);
        let liked = (user + item) % 3 == 0 || (user % 2 == 0 && item % 5 == 2);
        let liked = if c % 8 == 0 { !liked } else { liked };
        let (age, liked) = (20 + user * 3, u8::from(liked));
        writeln!(likes, "u{user},{age},i{item},{},{liked}", genres(item)).unwrap();
    }
    room.write("likes.csv", likes);
    let item = |item: u32| format!("{},{},i{item}\n", title(item), genres(item));
    let items: String = (0..ITEMS).map(item).collect();
    room.write("items.csv", format!("title,genres,item\n{items}another,fun,i3\n"));
    room.ok(
        "train likes.csv --label liked --categorical user,item --multi genres=| --numeric age \
             --epochs 4 --factors 4 --valid-fraction 0 -o likes.model",
    );
    room
}

/// Items for all users that there are.
const RECOMMEND: &str = "recommend likes.model likes.csv --items items.csv --item item,genres";

/// What `predict` says of a user with all items, best first.
fn by_predict(room: &Room, user: u32) -> Vec<(String, String)> {
    let row = |item: u32| format!("u{user},{},i{item},{}\n", 20 + user * 3, genres(item));
    let rows: String = (0..ITEMS).map(row).collect();
    let text = format!("user,age,item,genres\n{rows}");
    let done = room.ok_with("predict likes.model - --keep item", text);
    let pair = |line: &str| {
        let (item, prediction) = line.split_once(',').unwrap();
        (item.to_string(), prediction.to_string())
    };
    let mut all: Vec<(String, String)> = done.out.lines().skip(1).map(pair).collect();
    let number = |pair: &(String, String)| pair.1.parse::<f64>().unwrap();
    all.sort_by(|a, b| number(b).total_cmp(&number(a)));
    all
}

/// The lines of a user.
fn of_user(csv: &str, user: u32) -> Vec<Vec<&str>> {
    let lines = csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    lines.filter(|cells| cells[0] == format!("u{user}")).collect()
}

#[test]
fn the_best_items_are_those_that_predict_says() {
    let room = cinema();
    let done = room.ok(&format!("{RECOMMEND} --top 7"));
    assert_eq!(done.err, "items.csv: left out 1 row of items that were there before\n");
    assert_eq!(done.out.lines().next().unwrap(), "user,age,rank,item,prediction");
    // Each context once, in the order of the file.
    assert_eq!(rows_in(&done.out), 1 + 7 * USERS as usize);
    for user in 0..USERS {
        let expected = by_predict(&room, user);
        let lines = of_user(&done.out, user);
        assert_eq!(lines.len(), 7);
        for (rank, (line, (item, prediction))) in lines.iter().zip(&expected).enumerate() {
            let age = format!("{}", 20 + user * 3);
            let rank = format!("{}", rank + 1);
            assert_eq!(line[1..], [&age, &rank, item, prediction], "{user}");
        }
    }
    for flags in ["--threads 1", "--threads 5", "-o best.csv"] {
        let again = room.ok(&format!("{RECOMMEND} --top 7 {flags}"));
        let out = if room.has("best.csv") { room.text("best.csv") } else { again.out };
        assert_eq!(out, done.out, "{flags}");
    }
    // The same columns, found in the file.
    let found = room.ok("recommend likes.model likes.csv --items items.csv --top 7");
    assert_eq!(found.out, done.out);
}

#[test]
fn seen_items_are_left_out() {
    let room = cinema();
    let likes = room.text("likes.csv");
    for by in ["", "--by user", "--by user,age"] {
        let done = room.ok(&format!("{RECOMMEND} --top 100 --seen likes.csv {by}"));
        for user in 0..USERS {
            let has = |item: &str| likes.contains(&format!("u{user},{},{item},", 20 + user * 3));
            let found: Vec<String> =
                of_user(&done.out, user).iter().map(|line| line[3].to_string()).collect();
            let all = by_predict(&room, user).into_iter().map(|(item, _)| item);
            let expected: Vec<String> = all.filter(|item| !has(item)).collect();
            assert_eq!(found, expected, "{user} {by}");
            assert!((4..ITEMS as usize).contains(&found.len()), "{user} {by}");
        }
    }
    // Who has seen everything gets nothing, which is said.
    let everything = (0..ITEMS).map(|item| format!("u1,i{item}\n")).collect::<String>();
    room.write("seen.csv", format!("user,item\n{everything}u2,i9999\n"));
    let done = room.ok(&format!("{RECOMMEND} --top 100 --seen seen.csv"));
    assert!(done.err.ends_with("1 context has nothing left: all items that may come were seen\n"));
    assert_eq!(of_user(&done.out, 1).len(), 0);
    assert_eq!(of_user(&done.out, 2).len(), ITEMS as usize);
}

#[test]
fn filters_and_columns_are_what_was_said() {
    let room = cinema();
    room.write("one.csv", "name,user,age\nAnn,u1,23\nBob,u2,26\nAnn,u1,23\nEve,u1,23\n");
    let line = "recommend likes.model one.csv --items items.csv --item item,genres --top 2 \
                --keep name --keep-item title,genres";
    let done = room.ok(&format!("{line} --filter genres=war --filter genres=fun"));
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines[0], "name,rank,item,title,genres,prediction");
    assert_eq!(lines.len(), 1 + 2 * 3);
    assert!(lines[1..].iter().all(|line| line.contains(",fun|war,")), "{lines:?}");
    let all = by_predict(&room, 1);
    let fun_war = |item: &str| item[1..].parse::<u32>().unwrap() % 5 == 0;
    let (best, prediction) = all.iter().find(|(item, _)| fun_war(item)).unwrap();
    let title = title(best[1..].parse().unwrap());
    assert_eq!(lines[1], format!("Ann,1,{best},{title},fun|war,{prediction}"));
    // Others of the same context are contexts of their own where what is kept of them differs.
    assert_eq!(lines[5].replace("Eve", "Ann"), lines[1]);

    let json = room.ok(&format!("{line} --json --filter genres=war")).json();
    assert_eq!(json.len(), 6);
    let names: Vec<&String> = json[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["genres", "item", "name", "prediction", "rank", "title"]);
    assert_eq!((json[1]["rank"].as_u64(), json[1]["name"].as_str()), (Some(2), Some("Ann")));
    assert!(json[0]["prediction"].as_f64() >= json[1]["prediction"].as_f64());
}

#[test]
fn rows_that_cannot_be_used_are_skipped_if_that_is_wanted() {
    let room = cinema();
    room.write("bad.csv", "user,age\nu1,23\nu2,old\n");
    room.write("bare.csv", "item,genres\ni1,war\n,fun\ni2,fun\n");
    let line = "recommend likes.model bad.csv --items bare.csv --item item,genres";
    let error = fails(&room, line, 1);
    assert!(error.starts_with("error: bare.csv:3:1: column 'item' is empty: it names"), "{error}");
    let done = room.ok(&format!("{line} --on-error skip"));
    assert_eq!(rows_in(&done.out), 3);
    assert_eq!(done.err.matches("skipped 1 row that cannot be used:").count(), 2, "{}", done.err);
}

#[test]
fn contexts_that_are_strangers_are_told() {
    let room = cinema();
    room.write("items.csv", room.text("items.csv").replace("another,fun,i3\n", ""));
    let said = |users: &str, more: &str| {
        room.write("users.csv", format!("user,age\n{users}"));
        room.ok(&format!("recommend likes.model users.csv --items items.csv {more}")).err
    };
    assert_eq!(said("u1,23\n", ""), "");
    assert_eq!(
        said("U1,23\nU2,26\n", ""),
        "warning: users.csv: the model knows none of the 2 values of 'user': are they written in another way ('U1' \
         for 'u1')?\n"
    );
    let one = said("nobody,23\n", "");
    assert!(
        one.starts_with("warning: users.csv: the model does not know the one value of"),
        "{one}"
    );
    // One that is known is enough: others may be new.
    assert_eq!(said("u1,23\nnew,26\n", "--seen likes.csv --by user"), "");
    room.write("seen.csv", "user,item\nU1,i1\nU2,i2\n");
    assert_eq!(
        said("u1,23\nu2,26\n", "--seen seen.csv"),
        "warning: none of the 2 contexts of users.csv has an item of the catalogue in seen.csv, so nothing is left out \
         as seen: is user, by which they are known (--by), written in another way there?\n"
    );
    let one = said("u1,23\n", "--seen seen.csv");
    assert!(one.starts_with("warning: the one context of users.csv has no item of the"), "{one}");
    let evaluated = room.ok("evaluate likes.model likes.csv --items items.csv --seen seen.csv");
    let expected = "contexts of likes.csv has an item of the catalogue in seen.csv, so nothing";
    assert!(evaluated.err.contains(expected), "{}", evaluated.err);
}

/// A value of one of several columns may be missing, as anywhere; that of all of them says that nobody is meant.
#[test]
fn a_context_is_not_empty() {
    let room = cinema();
    room.write("items.csv", room.text("items.csv").replace("another,fun,i3\n", ""));
    room.write("seen.csv", "user,item\nu1,i1\n ,i2\n");
    let users = |rows: &str| room.write("users.csv", format!("user,age\n{rows}"));
    let line = "recommend likes.model users.csv --items items.csv";
    users("u1,23\n,23\n");
    assert_eq!(rows_in(&room.ok(line).out), 21);
    let said = "context: an empty cell: say whose row this is, or leave it out";
    assert_eq!(
        fails(&room, &format!("{line} --seen seen.csv"), 1),
        format!("error: seen.csv:3:1: {said}\n")
    );
    let error = fails(&room, &format!("{line} --seen likes.csv --by user"), 1);
    assert_eq!(error, format!("error: users.csv:3:1: {said}\n"));
    users("u1,23\n,\n");
    assert_eq!(fails(&room, line, 1), format!("error: users.csv:3:1: {said}\n"));
    let done = room.ok(&format!("{line} --on-error skip"));
    assert!(rows_in(&done.out) == 11 && done.err.starts_with("skipped 1 row that"), "{}", done.err);
    room.write("test.csv", "user,age,item,genres,liked\nu1,23,i1,war,1\n,,i2,fun,1\n");
    let error = fails(&room, "evaluate likes.model test.csv --items items.csv", 1);
    assert_eq!(error, format!("error: test.csv:3:1: {said}\n"));
}

#[test]
fn what_cannot_work_is_refused() {
    let room = cinema();
    // What is said of items that are there twice would come before an error.
    room.write("items.csv", room.text("items.csv").replace("another,fun,i3\n", ""));
    room.write("none.csv", "item,genres\n");
    room.write("nobody.csv", "user,age\n");
    room.write("titles.csv", "title\na\n");
    room.write("ok.svm", "1 1:1 2:0.5\n0 2:1\n1 1:2\n0 3:1\n");
    room.write("users.csv", "user\nu1\n");
    room.ok("train ok.svm --epochs 1 -o svm.model");
    let cases = [
        (1, "likes.csv --items none.csv", "none.csv: no items: there is nothing to recommend"),
        (1, "nobody.csv --items items.csv", "nobody.csv: no rows, so there are no contexts"),
        (2, "likes.csv --items titles.csv", "titles.csv: none of its columns is a feature of the"),
        (
            2,
            "users.csv --items items.csv",
            "users.csv: column 'age' of the model is missing: a context needs it; if it is the items', their file needs it",
        ),
        (2, "likes.csv --items likes.csv", "all features of the model are the item's"),
        (2, "likes.csv --items items.csv --item itme", "items.csv: there is no column 'itme' that"),
        (
            2,
            "likes.csv --items items.csv --item itme,genres",
            "items.csv: there is no column 'itme' that",
        ),
        (2, "likes.csv --items items.csv --top 0", "the number of items (--top) must be at"),
        (2, "likes.csv --items items.csv --filter genres", "invalid value 'genres' for '--filter"),
        (
            2,
            "likes.csv --items items.csv --filter year=1",
            "items.csv: there is no column 'year' in the",
        ),
        (1, "likes.csv --items items.csv --filter genres=x", "items.csv: no item has genres=x"),
        (2, "likes.csv --items items.csv --by user", "--by says how --seen knows a context"),
        (
            2,
            "likes.csv --items items.csv --seen likes.csv --by x",
            "likes.csv: there is no column 'x' by",
        ),
        (2, "likes.csv --items items.csv --seen none.csv", "none.csv: none of its columns tells"),
        (2, "- --items -", "standard input (-) can be one of the files only"),
        (2, "likes.csv --items items.csv -o items.csv", "items.csv would replace the input"),
        (2, "likes.csv --items items.csv --keep rank", "two columns to write are called 'rank'"),
        (2, "likes.csv --items items.csv --keep-item item", "two columns to write are called"),
        (1, "likes.csv --items gone.csv", "gone.csv: "),
    ];
    for (code, line, expected) in cases {
        let error = fails(&room, &format!("recommend likes.model {line}"), code);
        let begins = error.strip_prefix("error: ").unwrap().starts_with(expected);
        assert!(begins, "{line}\n is    {error}\n wants {expected}");
    }
    let error = fails(&room, "recommend svm.model ok.svm --items ok.svm", 2);
    assert!(error.contains("told apart by the names of their columns"), "{error}");
}
