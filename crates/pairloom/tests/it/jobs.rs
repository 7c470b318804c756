//! Training jobs on files with something about them: bad rows, groups in order of time, lines that
//! are no rows, labels of many classes.

use crate::common::{bytes, folder, held, job, model, plain_config, refusal, trained, write};
use pairloom::config::Config;
use pairloom::encode::Target;
use pairloom::fit::Stop;
use pairloom::input;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::OnError;
use pairloom::schema::Hints;
use pairloom::train::{Event, Job, SchemaSource, train};

fn hinted(data: &str, config: &Config, hints: Hints) -> Job {
    Job { schema: SchemaSource::Infer(hints), ..job(data, config) }
}

/// Equally frequent values are numbered by their arrival; those of a row that is left out have
/// not arrived.
#[test]
fn a_row_that_is_left_out_leaves_no_trace() {
    let folder = folder();
    let row = |i: usize| format!("{},c{},t{}|u{},{}.5\n", i % 2, i % 7, i % 5, i % 3, i % 9);
    let rows: String = (0..210).map(row).collect();
    let header = "label,c,tags,n\n";
    let bad = "1,c6,t4|u2,much\n,c5,t3|u1,1.5\n1e39,c4,t2,2.5\n";
    let clean = write(&folder, "clean.csv", format!("{header}{rows}"));
    let dirty = write(&folder, "dirty.csv", format!("{header}{bad}{rows}"));
    let hints = Hints { multi: vec![("tags".into(), '|')], ..Hints::default() };
    let of = |data| {
        let job = hinted(data, &plain_config(), hints.clone());
        model(&Job { on_error: OnError::Skip, ..job })
    };
    assert!(bytes(&of(&clean)) == bytes(&of(&dirty)));
}

/// Bad rows behind those that the schema is guessed from, quotes over lines, blank lines.
#[test]
fn many_threads_skip_and_refuse_what_one_does() {
    let folder = folder();
    let row = |i: usize| match i % 1000 {
        3 => format!("{},\"c\n{i}\",{}.5\n", i % 2, i % 9),
        500 if i > 10_000 => format!("1,c{i},much\n"),
        700 if i > 10_000 => "1,\"c\"x,2.5\n".into(),
        900 if i > 10_000 => format!(",c{i},2.5\n\n"),
        _ => format!("{},c{},{}.5\n", i % 2, i % 700, i % 9),
    };
    let text: String = (0..14_000).map(row).collect();
    let data = write(&folder, "rows.csv", format!("label,c,n\n{text}"));
    let of = |threads, on_error| {
        let job = Job { threads, on_error, ..job(&data, &plain_config()) };
        let mut told = Vec::new();
        let trained = train(&job, &mut |event| {
            told.extend(match event {
                Event::Skipped(skipped) => Some(format!("{skipped:?}")),
                Event::Reading(rows) => Some(rows.to_string()),
                _ => None,
            });
            true
        });
        let trained = trained.map(|t| (bytes(&t.model.unwrap()), held(t.valid)));
        (trained.map_err(|error| error.to_string()), told)
    };
    let skipped = of(1, OnError::Skip);
    assert!(skipped.0.is_ok() && skipped.1.iter().any(|told| told.contains("rows: 12")));
    assert!(of(1, OnError::Stop).0.is_err_and(|error| error.contains("is numeric")));
    for threads in [2, 5] {
        assert!(of(threads, OnError::Skip) == skipped, "{threads}");
        assert!(of(threads, OnError::Stop) == of(1, OnError::Stop), "{threads}");
    }
}

/// The labels are the rows' numbers.
fn held_out(job: &Job) -> Vec<usize> {
    trained(job).valid.outcomes().unwrap().labels().iter().map(|&label| label as usize).collect()
}

#[test]
fn a_tail_holds_out_the_groups_that_begin_in_it() {
    let folder = folder();
    let hints = Hints { group: Some("g".into()), ..Hints::default() };
    let rows = |group: &dyn Fn(usize) -> usize| -> String {
        (0..100).map(|i| format!("{i},{},c{}\n", group(i), i % 3)).collect()
    };
    let job = |name: &str, group: &dyn Fn(usize) -> usize| {
        let data = write(&folder, name, format!("label,g,c\n{}", rows(group)));
        hinted(&data, &Config { valid_tail: 0.25, ..plain_config() }, hints.clone())
    };
    // Groups of ten: the cut at 75 would go through the eighth.
    assert_eq!(held_out(&job("tens.csv", &|i| i / 10)), (80..100).collect::<Vec<_>>());
    // The cut is between two groups already.
    assert_eq!(held_out(&job("fives.csv", &|i| i / 5)), (75..100).collect::<Vec<_>>());
    // One group goes through all: its rows stay together.
    let mixed = |i: usize| if i.is_multiple_of(5) { 1000 } else { i / 10 };
    let expected: Vec<usize> = (80..100).filter(|i: &usize| !i.is_multiple_of(5)).collect();
    assert_eq!(held_out(&job("mixed.csv", &mixed)), expected);
    let error = refusal(&job("one.csv", &|i| i % 4));
    assert!(error.contains("one.csv: no group begins in the tail"), "{error}");
}

#[test]
fn a_diverged_row_is_named_by_its_line() {
    let folder = folder();
    // Comments, blank lines and a bad row stand before it: it is the 77th row, in line 97.
    let line = |i: usize| {
        let x = if i == 77 { "1e30" } else { "1" };
        let more = match i {
            10 => "# a comment\n\n".repeat(9),
            50 => "1 2:x\n\n".into(),
            _ => String::new(),
        };
        format!("{more}{} {}:{x} {}:1\n", i % 2, i % 9, 20 + i % 7)
    };
    let data = write(&folder, "rows.svm", (1..=200).map(line).collect::<String>());
    let config = Config { optimizer: Optimizer::Sgd, valid_tail: 0.3, ..plain_config() };
    let found = trained(&Job { on_error: OnError::Skip, ..job(&data, &config) });
    assert!(matches!(found.stop, Stop::Diverged { .. }), "{:?}", found.stop);
    assert_eq!(found.diverged_line, Some(97));
}

#[test]
fn a_positive_label_is_learned_against_the_rest() {
    let folder = folder();
    let texts = ["cat", "dog", "cow", "hen", "fox", "bee"];
    let numbers = ["1", "2.0", "3", "4", "+5.0", "6"];
    let mixed = ["1", "2", "3", "4", "fox", "bee"];
    for (labels, positive) in [
        (texts, "fox"),
        (texts, "cat"),
        (numbers, "5"),
        (numbers, "1.0"),
        (mixed, "fox"),
        (mixed, "4"),
    ] {
        let row = |i: usize| format!("{},c{},d{}\n", labels[i % 6], i % 6, i % 5);
        let text = format!("label,c,d\n{}", (0..300).map(row).collect::<String>());
        let data = write(&folder, "rows.csv", &text);
        let hints = Hints { positive: Some(positive.into()), ..Hints::default() };
        let config = Config { epochs: 20, ..plain_config() };
        let model = model(&hinted(&data, &config, hints));
        let target = &model.encoding.target;
        assert!(matches!(target, Target::Binary { negative: None, .. }), "{target:?}");
        let mut reader = input::open_as(&data, model.schema.format).unwrap();
        let threads = Threads::new(1).unwrap();
        let found =
            model.evaluate(&mut *reader, "rows", &EvaluateOptions::default(), &threads).unwrap();
        let expected = labels.iter().position(|l| target.parse(l.as_bytes()) == Ok(1.0)).unwrap();
        for (row, (&label, &p)) in found.labels.labels().iter().zip(&found.predictions).enumerate()
        {
            assert_eq!(label == 1.0, row % 6 == expected, "{positive} {row}");
            assert_eq!(p > 0.5, row % 6 == expected, "{positive} {row}: {p}");
        }
        assert!(target.parse(b"new").is_ok() && target.parse(b"").is_err());
        let hints = Hints { positive: Some("elk".into()), ..Hints::default() };
        let error = refusal(&hinted(&data, &plain_config(), hints));
        assert!(error.contains("no label is 'elk': they are '"), "{error}");
    }
    // Without a positive value, three texts are classes.
    let data = write(&folder, "three.csv", "label,c\na,x\nb,y\nc,x\n");
    assert_eq!(model(&job(&data, &plain_config())).outputs(), 3);
    let data = write(&folder, "comma.csv", "label;c\n1;x\n2;y\n2,5;x\n");
    let error = refusal(&job(&data, &plain_config()));
    assert!(error.ends_with("4:1: label: '2,5' is a number with a decimal comma: write a point"));
}
