//! A catalogue ranked for each context, beside all its items scored as rows.

use crate::common::{folder, job, model, plain_config, random, write};
use pairloom::batch::Outcomes;
use pairloom::config::Config;
use pairloom::input;
use pairloom::loss::Loss;
use pairloom::metric::Ranking;
use pairloom::model::Model;
use pairloom::parallel::Threads;
use pairloom::reading::OnError;
use pairloom::recommend::{Catalogue, Columns, Recommender, Seen, Tested};
use pairloom::schema::Hints;
use pairloom::train::{Job, SchemaSource};
use rand::RngExt;
use std::collections::HashSet;
use std::fmt::Write as _;

const USERS: u32 = 25;
const ITEMS: u32 = 40;

type Pairs = HashSet<(u32, u32)>;

fn pairs(count: usize, seed: u64) -> Pairs {
    let mut random = random(seed);
    let mut pairs = Pairs::new();
    while pairs.len() < count {
        let (user, item) = (random.random_range(0..USERS), random.random_range(0..ITEMS));
        if (user + item) % 3 == 0 || random.random_range(0..6) == 0 {
            pairs.insert((user, item));
        }
    }
    pairs
}

/// Rows of users and items; some have label 0.
fn text(pairs: &Pairs) -> String {
    let mut text = String::from("user,item,kind,one\n");
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort();
    for &&(user, item) in &sorted {
        let label = u8::from((user * 5 + item) % 7 > 0);
        writeln!(text, "u{user},i{item},k{},{label}", item % 4).unwrap();
    }
    text
}

fn items() -> String {
    let row = |item: u32| format!("i{item},k{}\n", item % 4);
    format!("item,kind\n{}", (0..ITEMS).map(row).collect::<String>())
}

fn open(text: &str) -> Box<dyn input::Reader> {
    input::from_bytes("rows.csv", text.to_string(), &Default::default()).unwrap()
}

fn learned(text: &str) -> Model {
    learned_of(text, &["user", "item", "kind"])
}

/// The same of a model of these columns.
fn learned_of(text: &str, features: &[&str]) -> Model {
    let folder = folder();
    let data = write(&folder, "rows.csv", text);
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect::<Vec<_>>();
    let hints = Hints {
        label: Some("one".into()),
        group: Some("user".into()),
        item: names(&["item", "kind"]),
        categorical: names(features),
        ..Hints::default()
    };
    let config =
        Config { loss: Some(Loss::Bpr), epochs: 3, valid_fraction: Some(0.0), ..plain_config() };
    model(&Job { schema: SchemaSource::Infer(hints), ..job(&data, &config) })
}

fn catalogue(model: &Model) -> Catalogue {
    let columns = Columns::new(model, &model.schema.item).unwrap();
    let options = Default::default();
    Catalogue::read(model, columns, &mut *open(&items()), "items.csv", &options).unwrap()
}

/// All items that a user has not seen, scored as rows, in one group; those that it wants have label 1.
fn brute_force(model: &Model, wanted: &Pairs, seen: &Pairs, at: usize) -> Ranking {
    let (mut text, mut outcomes) = (String::from("user,item,kind\n"), Outcomes::default());
    for user in 0..USERS {
        if !wanted.iter().any(|pair| pair.0 == user) {
            continue;
        }
        for item in 0..ITEMS {
            let is_wanted = wanted.contains(&(user, item));
            if is_wanted || !seen.contains(&(user, item)) {
                writeln!(text, "u{user},i{item},k{}", item % 4).unwrap();
                outcomes.push_in(Some(user), f32::from(is_wanted), 1.0);
            }
        }
    }
    let (mut scores, threads) = (Vec::new(), Threads::new(1).unwrap());
    let take = |piece: &pairloom::predict::Piece| {
        scores.extend_from_slice(&piece.predictions);
        Ok(())
    };
    let options = Default::default();
    model.predict_rows(&mut *open(&text), "all.csv", &options, &threads, take).unwrap();
    Ranking::measure(&scores, &outcomes, None, at).unwrap()
}

#[test]
fn a_ranked_catalogue_is_as_good_as_all_rows() {
    let (train, test) = (pairs(300, 1), pairs(60, 2));
    // Items 30 and up are in no training row: all of one kind have the same score.
    let train: Pairs = train.into_iter().filter(|pair| pair.1 < 30).collect();
    // The last users have nothing that is relevant.
    let relevant = |&(user, item): &(u32, u32)| (user * 5 + item) % 7 > 0;
    let mut test: Pairs = test.into_iter().filter(|pair| pair.0 < 22 || !relevant(pair)).collect();
    test.extend([(24, 6), (23, 4)]);
    let (train_text, test_text) = (text(&train), text(&test));
    let model = learned(&train_text);
    let threads = Threads::new(2).unwrap();
    let catalogue = catalogue(&model);
    let read = |text: &str, relevant: bool| {
        let mut reader = open(text);
        Seen::read(&model, &catalogue, &mut *reader, "rows.csv", &[], relevant, OnError::Stop)
            .unwrap()
    };
    let (wanted, seen, nothing) =
        (read(&test_text, true), read(&train_text, false), Seen::default());
    let relevant: Pairs = test.iter().copied().filter(relevant).collect();
    let recommender = Recommender::new(&model, &catalogue, &threads).unwrap();
    for (seen, known) in [(&seen, &train), (&nothing, &Pairs::new())] {
        for at in [1, 5, 10] {
            let tested = Tested { wanted: &wanted, seen, at };
            let found = recommender
                .measure(&mut *open(&test_text), "test.csv", tested, OnError::Stop, &threads)
                .unwrap()
                .0;
            let expected = brute_force(&model, &relevant, known, at);
            assert_eq!((found.groups, found.rows), (expected.groups, expected.rows));
            // Who has rows, but none that is relevant.
            let users: HashSet<u32> = test.iter().map(|pair| pair.0).collect();
            let idle = users.len() as u64 - found.groups;
            assert!(idle > 0 && found.groups_left_out == idle, "{found:?}");
            let figures = |r: &Ranking| {
                [r.ndcg, r.map, r.mrr, r.recall, r.precision, r.hit_rate, r.grouped_auc.unwrap()]
            };
            let both = figures(&found).into_iter().zip(figures(&expected));
            assert!(
                both.clone().all(|(a, b)| (a - b).abs() < 1e-9),
                "{at}: {found:?} {expected:?}"
            );
        }
    }
    let tested = Tested { wanted: &nothing, seen: &seen, at: 10 };
    let error = recommender
        .measure(&mut *open(&test_text), "test.csv", tested, OnError::Stop, &threads)
        .unwrap_err();
    assert!(error.to_string().contains("no relevant row has an item of the catalogue"), "{error}");
}

/// Wanted items may be those of a user at an hour, and seen ones those of the user.
#[test]
fn seen_and_wanted_items_may_be_known_by_other_columns() {
    let model = learned(&text(&pairs(300, 1)));
    let catalogue = catalogue(&model);
    let test =
        "user,hour,item,kind,one\nu1,8,i1,k1,1\nu1,9,i2,k2,1\nu2,8,i3,k3,1\nu1,8,i9999,k3,1\n";
    let seen = "user,item\nu1,i1\nu1,i5\nu1,i6\nu2,i7\nu2,gone\nu3,gone\n";
    let read = |text: &str, by: &[&str], relevant: bool| {
        let by: Vec<String> = by.iter().map(|name| name.to_string()).collect();
        let mut reader = open(text);
        Seen::read(&model, &catalogue, &mut *reader, "rows.csv", &by, relevant, OnError::Stop)
            .unwrap()
    };
    let (wanted, seen) = (read(test, &["user", "hour"], true), read(seen, &["user"], false));
    assert_eq!((wanted.unknown(), seen.unknown()), (1, 2), "rows of items that are none");
    let threads = Threads::new(1).unwrap();
    let recommender = Recommender::new(&model, &catalogue, &threads).unwrap();
    let tested = Tested { wanted: &wanted, seen: &seen, at: 10 };
    let (found, _) =
        recommender.measure(&mut *open(test), "test.csv", tested, OnError::Stop, &threads).unwrap();
    // Of 40 items two are left out for u1 at 8, who wants one of the three, three at 9, and one for u2.
    assert_eq!((found.groups, found.rows), (3, 38 + 37 + 39));
}

/// Users who are alike to the model have items of their own all the same.
#[test]
fn groups_that_are_no_feature_tell_contexts_apart() {
    let row = |user: u32, item: u32| format!("u{user},t{},i{item},k{},1\n", user % 2, item % 4);
    let rows = |items: [u32; 3]| {
        let each = |user: u32| items.map(|item| row(user, (item + 3 * user) % ITEMS)).concat();
        format!("user,taste,item,kind,one\n{}", (0..USERS).map(each).collect::<String>())
    };
    let model = learned_of(&rows([0, 7, 11]), &["taste", "item", "kind"]);
    let catalogue = catalogue(&model);
    let read = |text: &str, relevant: bool| {
        let mut reader = open(text);
        Seen::read(&model, &catalogue, &mut *reader, "rows.csv", &[], relevant, OnError::Stop)
    };
    let test = rows([1, 2, 5]);
    let (wanted, seen) = (read(&test, true).unwrap(), read(&rows([0, 7, 11]), false).unwrap());
    assert_eq!(wanted.by(), ["taste", "user"]);
    let threads = Threads::new(1).unwrap();
    let recommender = Recommender::new(&model, &catalogue, &threads).unwrap();
    let tested = Tested { wanted: &wanted, seen: &seen, at: 10 };
    let (found, _) = recommender
        .measure(&mut *open(&test), "test.csv", tested, OnError::Stop, &threads)
        .unwrap();
    assert_eq!((found.groups, found.rows), (USERS.into(), u64::from(USERS * (ITEMS - 3))));
    // Where a file does not say of whom rows are, it is by what the model knows.
    assert_eq!(read("taste,item\nt1,i1\n", false).unwrap().by(), ["taste"]);
    let none = read(&test.replace(",1\n", ",0\n"), true).unwrap_err().to_string();
    assert!(none.contains("rows.csv: no row is relevant: none has a label above 0"), "{none}");
}
