//! Items that are drawn to be ranked below those that groups have: which rows count, and what cannot be drawn.

use crate::common::{folder, job, path, plain_config, refusal, trained, write};
use pairloom::config::Config;
use pairloom::encode::Target;
use pairloom::fit::{Checkpoints, Stop};
use pairloom::loss::Loss;
use pairloom::metric::Metrics;
use pairloom::negatives::NegativeSampling;
use pairloom::optimizer::Optimizer;
use pairloom::schema::Hints;
use pairloom::train::{Event, Job, SchemaSource, train};
use std::fmt::Write as _;
use std::time::Duration;

fn config() -> Config {
    let loss = Some(Loss::Bpr);
    Config { loss, negatives: Some(3), valid_fraction: Some(0.0), epochs: 2, ..plain_config() }
}

fn drawing(data: &str, config: &Config, items: &[&str]) -> Job {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    let hints = Hints {
        label: Some("y".into()),
        group: Some("user".into()),
        item: names(items),
        categorical: names(&["user", "item", "kind"]),
        ..Hints::default()
    };
    Job { schema: SchemaSource::Infer(hints), ..job(data, config) }
}

const HEADER: &str = "user,item,kind,y\n";

/// Ten users who have each third item of twelve, and each fifth of the others with label 0; the label of the
/// former is as it is said.
fn likes(has: &str) -> String {
    let mut text = String::from(HEADER);
    for (user, item) in (0..10).flat_map(|user| (0..12).map(move |item| (user, item))) {
        match ((user + item) % 3, (user * 7 + item) % 5) {
            (0, _) => writeln!(text, "u{user},i{item},k{},{has}", item % 4).unwrap(),
            (_, 0) => writeln!(text, "u{user},i{item},k{},0", item % 4).unwrap(),
            _ => {}
        }
    }
    text
}

#[test]
fn rows_of_label_0_are_left_out_and_counted() {
    let folder = folder();
    // Labels of 0 and 1 are grades here, as 0 and 3 are: the class 0 is nothing that could be ranked.
    for has in ["1", "3"] {
        let text = likes(has);
        let count = |label: &str| text.lines().filter(|line| line.ends_with(label)).count();
        let (ones, zeros) = (count(&format!(",{has}")), count(",0"));
        assert!(ones == 40 && zeros > 10);
        let data = write(&folder, "rows.csv", &text);
        let start = trained(&drawing(&data, &config(), &["item", "kind"])).start.unwrap();
        assert_eq!((start.train, start.left_out, start.items), (ones, zeros, Some(12)));
        assert!(matches!(start.target, Target::Grade), "{:?}", start.target);
        // Of rows that are held out those of label 0 are no training rows that are left out.
        let half = Config { valid_fraction: Some(0.5), ..config() };
        let start = trained(&drawing(&data, &half, &["item", "kind"])).start.unwrap();
        assert_eq!(start.train + start.valid, ones);
        assert!(start.left_out > 0 && start.left_out < zeros, "{}", start.left_out);
        let valid = Job { valid: Some(data.clone()), ..drawing(&data, &config(), &["item"]) };
        let start = trained(&valid).start.unwrap();
        assert_eq!((start.train, start.valid, start.left_out), (ones, ones, zeros));
    }
    // Of two texts one is a class that others are drawn in the place of.
    let text = likes("yes").replace(",0\n", ",no\n");
    let data = write(&folder, "rows.csv", text);
    let start = trained(&drawing(&data, &config(), &["item"])).start.unwrap();
    assert!(start.target.is_binary() && start.left_out > 10);
}

/// What is drawn for a batch takes memory too.
#[test]
fn the_memory_of_drawn_rows_is_told() {
    let folder = folder();
    let data = write(&folder, "rows.csv", likes("1"));
    let bytes = |negatives| {
        let config = Config { negatives: Some(negatives), ..config() };
        trained(&drawing(&data, &config, &["item"])).start.unwrap().model_bytes
    };
    let [few, many] = [bytes(1), bytes(101)];
    // 40 rows in a batch, and 4 bytes of each of four factors for each that is drawn.
    assert!(many >= few + 40 * 100 * 4 * 4, "{few} {many}");
}

#[test]
fn an_item_of_rows_of_label_0_alone_is_none() {
    let folder = folder();
    let data = write(&folder, "rows.csv", likes("1") + "u0,bad,k1,0\nu1,bad,k1,0\n");
    let start = trained(&drawing(&data, &config(), &["item"])).start.unwrap();
    assert_eq!(start.items, Some(12));
}

#[test]
fn without_a_label_above_0_there_is_nothing_to_rank() {
    let folder = folder();
    let none = write(&folder, "none.csv", likes("0"));
    let said = refusal(&drawing(&none, &config(), &["item"]));
    let expected = "none of the training rows has a label above 0: there is nothing to rank";
    assert_eq!(said, format!("{none}: {expected}"));
    let good = write(&folder, "good.csv", likes("1"));
    let job = Job { valid: Some(none.clone()), ..drawing(&good, &config(), &["item"]) };
    let said = refusal(&job);
    assert_eq!(said, format!("{none}: {}", expected.replace("training", "validation")));
}

#[test]
fn each_group_must_lack_an_item() {
    let folder = folder();
    let rows = |pairs: &[(u32, u32)]| {
        let row = |(user, item): &(u32, u32)| format!("u{user},i{item},k,1\n");
        HEADER.to_string() + &pairs.iter().map(row).collect::<String>()
    };
    let all = write(&folder, "all.csv", rows(&[(1, 1), (1, 2), (2, 1), (2, 2)]));
    let said = refusal(&drawing(&all, &config(), &["item"]));
    let expected =
        "each group of the training rows has all 2 items, so none can be drawn to rank below them";
    assert_eq!(said, format!("{all}: {expected}"));
    // One group that lacks one is enough, as long as it is no validation row that fills it up.
    let some = write(&folder, "some.csv", rows(&[(1, 1), (1, 2), (2, 1)]));
    let start = trained(&drawing(&some, &config(), &["item"])).start.unwrap();
    assert_eq!((start.train, start.items), (3, Some(2)));
    let rest = write(&folder, "rest.csv", rows(&[(2, 2)]));
    let said = refusal(&Job { valid: Some(rest.clone()), ..drawing(&some, &config(), &["item"]) });
    assert_eq!(said, format!("{rest}: {}", expected.replace("training", "validation")));
}

/// Where the only group that lacks an item weighs nothing, nothing is learned, and the loss is 0 and no number
/// divided by 0.
#[test]
fn an_epoch_without_anything_to_learn_has_a_loss_of_0() {
    let folder = folder();
    let text = "user,item,w,y\nu1,i1,1,1\nu1,i2,1,1\nu2,i1,0,1\n";
    let data = write(&folder, "rows.csv", text);
    let mut job = drawing(&data, &config(), &["item"]);
    if let SchemaSource::Infer(hints) = &mut job.schema {
        hints.weight = Some("w".into());
        hints.categorical.pop();
    }
    let run = trained(&job);
    assert_eq!(run.stop, Stop::Finished);
    assert!(run.model.unwrap().history.iter().all(|epoch| epoch.train_loss == 0.0));
}

#[test]
fn a_checkpoint_knows_the_columns_of_an_item() {
    let folder = folder();
    let data = write(&folder, "rows.csv", likes("1"));
    let at = path(&folder, "checkpoint");
    let job = |resume, items: &[&str]| {
        let checkpoints = Checkpoints { path: at.clone(), every: Duration::ZERO, resume };
        Job { checkpoints: Some(checkpoints), ..drawing(&data, &config(), items) }
    };
    let mut heard = 0;
    let stopped = train(&job(false, &["item", "kind"]), &mut |event| {
        heard += usize::from(matches!(event, Event::Fit(_)));
        heard < 1
    });
    assert_eq!(stopped.unwrap().stop, Stop::Interrupted);
    let said = refusal(&job(true, &["item"]));
    assert!(said.contains("is of a run with other data (the rows, or what their col"), "{said}");
    assert_eq!(trained(&job(true, &["item", "kind"])).stop, Stop::Finished);
}

#[test]
fn how_items_are_drawn_is_said_only_where_some_are() {
    let folder = folder();
    let data = write(&folder, "rows.csv", likes("1"));
    let popular = Config { negative_sampling: NegativeSampling::Popularity, ..config() };
    let none = "negative_sampling (--negative-sampling) says how items are drawn, and none are: \
                see item (--item) and negatives (--negatives)";
    for (loss, negatives, items) in [
        (Some(Loss::Bpr), None, &[][..]),
        (Some(Loss::Bpr), Some(0), &["item"]),
        (Some(Loss::Logistic), None, &[]),
        (None, None, &[]),
    ] {
        let config = Config { loss, negatives, ..popular.clone() };
        assert_eq!(refusal(&drawing(&data, &config, items)), none, "{loss:?}");
    }
    assert_eq!(trained(&drawing(&data, &popular, &["item"])).stop, Stop::Finished);
}

/// Settings of ranking that do not fit are refused before all rows are read: the last one is no row.
#[test]
fn settings_are_checked_before_the_rows() {
    let folder = folder();
    let mut text = likes("1");
    (0..20_000).for_each(|i| writeln!(text, "u{},i{},k0,1", i % 10, i % 12).unwrap());
    let data = write(&folder, "rows.csv", text + "u1,i1\n");
    let mut job = drawing(&data, &config(), &["item"]);
    assert!(refusal(&job).contains(": 2 cells, expected 4"));
    if let SchemaSource::Infer(hints) = &mut job.schema {
        hints.group = None;
    }
    assert!(refusal(&job).contains("ranks the rows of a group"));
}

/// What is measured does not depend on how it is learned: without learning both ways have the same figures.
#[test]
fn validation_rows_are_ranked_among_uniform_draws() {
    let folder = folder();
    // More items than are drawn for a validation row, the first of them in most rows.
    let mut text = String::from(HEADER);
    for user in 0..60 {
        (0..6).for_each(|i| writeln!(text, "u{user},i{},k,1", i * i).unwrap());
        (0..4).for_each(|i| writeln!(text, "u{user},i{},k,1", 40 + user * 4 + i).unwrap());
    }
    let data = write(&folder, "rows.csv", text);
    let found = NegativeSampling::ALL.map(|negative_sampling| {
        let config = Config {
            negative_sampling,
            learning_rate: Some(1e-30),
            valid_fraction: Some(0.2),
            epochs: 1,
            ..config()
        };
        let run = trained(&drawing(&data, &config, &["item"]));
        assert!(run.start.unwrap().items > Some(150));
        run.model.unwrap().history[0].valid.clone()
    });
    assert!(matches!(found[0], Some(Metrics::Ranking(_))));
    assert_eq!(found[0], found[1]);
}

#[test]
fn a_row_that_diverges_is_named_though_others_are_left_out() {
    let folder = folder();
    // The rows that are left out are the first ones.
    let row = |i: usize| format!("u{},i{},k,{}\n", i % 6, i % 10 + i / 30, u8::from(i >= 60));
    let rows: String = (0..100).map(row).collect();
    let data = write(&folder, "rows.csv", HEADER.to_string() + &rows);
    let config = Config {
        optimizer: Optimizer::Sgd,
        learning_rate: Some(1e30),
        batch_size: Some(4),
        ..config()
    };
    let run = trained(&drawing(&data, &config, &["item"]));
    assert!(matches!(run.stop, Stop::Diverged { row: Some(_), .. }), "{:?}", run.stop);
    let line = run.diverged_line.unwrap();
    assert!((62..=101).contains(&line), "{line}");
}
