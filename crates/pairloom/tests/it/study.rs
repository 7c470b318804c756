//! Studies: what a run is, that nothing of it depends on what else is run and where it was cut off, and what
//! fails alone.

use crate::common::{folder, mixed, numbered, path, plain_config, trained, write};
use pairloom::config::Config;
use pairloom::interaction::Kind;
use pairloom::metric::Metrics;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::preset::{self, Preset};
use pairloom::schema::Hints;
use pairloom::study::{Event, Outcome, Point, Run, Studied, Study, Summary, TestRows, grid};
use pairloom::train::{Job, SchemaSource, TestPart, convert};
use pairloom::{Error, Result, reading};
use std::fs;
use tempfile::TempDir;

fn axis(name: &str, values: &[&str]) -> (String, Vec<String>) {
    (name.into(), values.iter().map(ToString::to_string).collect())
}

/// Two models, with two lengths of vectors the one that has any, on shares of 300 rows.
fn study(folder: &TempDir) -> Study {
    let config = Config { epochs: 2, ..plain_config() };
    let axes = [axis("model", &["linear", "fm"]), axis("factors", &["2", "4"])];
    Study {
        points: grid(&config, &axes).unwrap(),
        job: Job { config, threads: 1, ..Job::new(write(folder, "rows.csv", mixed(300))) },
        mf: None,
        test: TestRows::Share(0.2),
        seeds: 2,
        parallel: 0,
        metric: None,
        journal: path(folder, "study.jsonl"),
        restart: false,
    }
}

fn run(study: &Study) -> Studied {
    study.run(&mut |_| true).unwrap()
}

/// The figures of all runs but for the time they took.
fn figures(studied: &Studied) -> Vec<Vec<Option<Metrics>>> {
    let of = |outcome: &Option<Outcome>| match outcome {
        Some(Outcome::Done(figures)) => Some(figures.metrics.clone()),
        _ => None,
    };
    studied.outcomes.iter().map(|point| point.iter().map(of).collect()).collect()
}

fn refusal(study: &Study) -> Error {
    study.run(&mut |_| true).unwrap_err()
}

#[test]
fn a_run_is_a_training_and_a_measurement() {
    let folder = folder();
    let study = study(&folder);
    let found = figures(&run(&study));
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
    for (point, found) in study.points.iter().zip(&found) {
        for (seed, found) in (7..).zip(found) {
            let test = Some(TestPart::Share { share: 0.2, seed });
            let config = Config { seed, ..point.config.clone() };
            let trained = trained(&Job { test, config, ..study.job.clone() });
            let alone = trained.test_metrics(&Threads::new(1).unwrap()).unwrap();
            assert_eq!(*found, alone, "{} {seed}", point.name());
        }
    }
    assert!(found[1] != found[2] && found[1][0] != found[1][1]);
}

#[test]
fn a_file_of_test_rows_is_evaluated() {
    let folder = folder();
    let file = write(&folder, "test.csv", mixed(90));
    let study = Study { test: TestRows::File(file.clone()), seeds: 1, ..study(&folder) };
    let found = figures(&run(&study));
    let config = study.points[2].config.clone();
    let model = trained(&Job { config, ..study.job.clone() }).model.unwrap();
    let mut reader = reading::open(&file, &study.job.open, &model.schema).unwrap();
    let options = EvaluateOptions::default();
    let alone = model.evaluate(&mut *reader, &file, &options, &Threads::new(1).unwrap()).unwrap();
    assert_eq!(found[2][0], Some(alone.metrics));
}

#[test]
fn the_order_of_runs_does_not_matter() {
    let folder = folder();
    let all = |parallel, threads| {
        let base = study(&folder);
        let journal = path(&folder, &format!("{parallel}-{threads}"));
        let job = Job { threads, ..base.job };
        figures(&run(&Study { parallel, journal, job, test: TestRows::Folds(3), ..base }))
    };
    let one = all(1, 1);
    assert_eq!(one[0].len(), 6, "three folds of two seeds");
    assert!(one.concat().iter().all(Option::is_some));
    assert_eq!(all(4, 2), one);
    assert_eq!(all(0, 3), one);
}

#[test]
fn what_a_journal_was_cut_at_does_not_matter() {
    let folder = folder();
    let study = study(&folder);
    let whole = figures(&run(&study));
    let journal = fs::read(&study.journal).unwrap();
    assert_eq!(journal.iter().filter(|&&byte| byte == b'\n').count(), 1 + 6);
    let lines = (0..journal.len()).filter(|&at| journal[at] == b'\n').map(|at| at + 1);
    for cut in lines.flat_map(|end| [end - 7, end]).chain([0]) {
        fs::write(&study.journal, &journal[..cut]).unwrap();
        let (mut kept, mut ran) = (None, 0);
        let again = study.run(&mut |event| {
            match event {
                Event::Begin { done, .. } => kept = Some(done),
                Event::Run { .. } => ran += 1,
                _ => {}
            }
            true
        });
        assert_eq!(figures(&again.unwrap()), whole, "cut at {cut}");
        let lines = journal[..cut].iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!((kept, ran), (Some(lines.saturating_sub(1)), 7 - lines.max(1)), "cut at {cut}");
    }
}

#[test]
fn runs_that_are_there_are_kept_whatever_is_added() {
    let folder = folder();
    let small = Study { seeds: 1, ..study(&folder) };
    run(&small);
    let mut kept = None;
    let more = study(&folder);
    let hear = &mut |event: Event<'_>| {
        if let Event::Begin { done, runs } = event {
            kept = Some((done, runs));
        }
        true
    };
    more.run(hear).unwrap();
    assert_eq!(kept, Some((3, 6)));
}

#[test]
fn a_journal_of_other_rows_is_refused() {
    let folder = folder();
    let file = |rows| TestRows::File(write(&folder, "test.csv", mixed(rows)));
    let first = Study { test: file(40), seeds: 1, ..study(&folder) };
    run(&first);
    let journal = fs::read(&first.journal).unwrap();
    let other_test = Study { test: file(50), ..first.clone() };
    assert!(refusal(&other_test).to_string().contains("of other rows"));
    let drawn = Study { test: TestRows::Share(0.2), ..first.clone() };
    assert!(refusal(&drawn).to_string().contains("of other rows"));
    file(40);
    write(&folder, "rows.csv", mixed(299));
    assert!(refusal(&first).to_string().contains("of other rows"));
    assert_eq!(fs::read(&first.journal).unwrap(), journal);
}

/// The tables beside a file of ratings are part of what was tested on.
#[test]
fn a_journal_knows_the_tables_that_test_rows_are_joined_with() {
    let folder = folder();
    let file = |name: &str, row: fn(usize) -> String, rows: usize| {
        write(&folder, name, (1..=rows).map(row).collect::<String>())
    };
    let rating = |i: usize| format!("{}::{}::{}::978300000\n", i % 5 + 1, i % 7 + 1, i * i % 5 + 1);
    let user = |i: usize| format!("{i}::F::25::{}::1\n", i % 3);
    let item = |i: usize| format!("{i}::A film (199{i})::Drama\n");
    fs::create_dir(folder.path().join("test")).unwrap();
    for place in ["", "test/"] {
        file(&format!("{place}users.dat"), user, 5);
        file(&format!("{place}movies.dat"), item, 7);
    }
    let (data, test) = (file("ratings.dat", rating, 60), file("test/ratings.dat", rating, 30));
    let (schema, _) = preset::get(Preset::MovieLens1m);
    let config = Config { epochs: 1, model: Kind::Linear, ..plain_config() };
    let schema = SchemaSource::Given(schema);
    let job = Job { schema, config: config.clone(), threads: 1, ..Job::new(data) };
    let points = grid(&config, &[]).unwrap();
    let base = study(&folder);
    let text = Study { job, points, test: TestRows::File(test), seeds: 1, ..base };
    let rows = path(&folder, "rows");
    convert(&text.job, &rows, &mut |_| true).unwrap();
    let open = SchemaSource::Infer(Hints::default());
    let converted = Study {
        job: Job { data: rows, schema: open, ..text.job.clone() },
        journal: path(&folder, "c"),
        ..text.clone()
    };
    for study in [&text, &converted] {
        assert!(figures(&run(study))[0][0].is_some());
        // Nothing has changed.
        run(study);
    }
    file("test/users.dat", |i| format!("{i}::M::25::{}::1\n", i % 3), 5);
    for study in [&text, &converted] {
        assert!(refusal(study).to_string().contains("of other rows"));
    }
}

#[test]
fn a_point_that_fails_fails_alone_and_is_tried_again() {
    let folder = folder();
    let base = study(&folder);
    // So many factors are no setting; the others go on.
    let axes = [axis("model", &["linear", "fm"]), axis("factors", &["2", "70000"])];
    let points = grid(&base.job.config, &axes).unwrap();
    let study = Study { points, ..base };
    let studied = run(&study);
    let failures = |studied: &Studied| -> Vec<usize> {
        let failed = |point: &Vec<Option<Outcome>>| {
            point.iter().flatten().filter(|outcome| outcome.failure().is_some()).count()
        };
        studied.outcomes.iter().map(failed).collect()
    };
    assert_eq!(failures(&studied), [0, 0, 2]);
    let summary = study.summary(&studied, 0, 0.95).unwrap();
    let OfPointView { runs, failed, failure } = view(&summary, 2);
    assert_eq!((runs, failed), (0, 2));
    assert!(failure.contains("factors"), "{failure}");
    assert_eq!((view(&summary, 1).runs, view(&summary, 1).failed), (2, 0));
    let mut ran = 0;
    let again = study.run(&mut |event| {
        ran += usize::from(matches!(event, Event::Run { .. }));
        true
    });
    assert_eq!((ran, failures(&again.unwrap())), (2, vec![0, 0, 2]));
}

struct OfPointView<'a> {
    runs: usize,
    failed: usize,
    failure: &'a str,
}

fn view(summary: &Summary, at: usize) -> OfPointView<'_> {
    let point = &summary.points[at];
    let failure = point.failure.as_deref().unwrap_or_default();
    OfPointView { runs: point.runs, failed: point.failed, failure }
}

#[test]
fn one_row_and_too_many_folds_say_so() {
    let folder = folder();
    let base = study(&folder);
    write(&folder, "rows.csv", "label,a\n1,x\n");
    let studied = run(&base);
    let error = base.summary(&studied, 0, 0.95).unwrap_err().to_string();
    assert!(error.contains("all runs failed"), "{error}");
    let folds = Study { test: TestRows::Folds(301), journal: path(&folder, "f"), ..study(&folder) };
    let error = refusal(&folds);
    assert!(error.to_string().contains("300 rows cannot be 301 folds"), "{error}");
    for test in [TestRows::Folds(1), TestRows::Share(0.0), TestRows::Tail(1.0)] {
        let error = refusal(&Study { test, ..study(&folder) });
        assert!(matches!(error, Error::Usage(_)), "{error}");
    }
    for file in ["-", "rows.csv"] {
        let job = Job { data: "-".into(), ..base.job.clone() };
        let test = TestRows::File(file.into());
        let study = Study { job, test, journal: path(&folder, "g"), ..study(&folder) };
        assert!(matches!(refusal(&study), Error::Usage(_) | Error::Io { .. }));
    }
    let seeds = grid(&base.job.config, &[axis("seed", &["1", "2"])]).unwrap();
    let apart = Study { points: seeds.clone(), ..study(&folder) };
    assert!(refusal(&apart).to_string().contains("seeds (--seeds)"));
    let tail = Study { test: TestRows::Tail(0.2), journal: path(&folder, "t"), ..apart };
    assert_eq!(figures(&run(&tail)).len(), 2);
    let dash = Study { test: TestRows::File("-".into()), ..study(&folder) };
    assert!(refusal(&dash).to_string().contains("not standard input"));
}

#[test]
fn a_stop_keeps_what_has_ended() {
    let folder = folder();
    let study = Study { parallel: 1, ..study(&folder) };
    let mut ended = 0;
    let stopped = study.run(&mut |event| {
        ended += usize::from(matches!(event, Event::Run { .. }));
        ended < 3
    });
    let stopped = stopped.unwrap();
    assert!(stopped.is_interrupted);
    // A run that ends before it hears of the stop is kept too.
    assert!(ended >= 3, "{ended}");
    assert_eq!(figures(&stopped).concat().iter().filter(|one| one.is_some()).count(), ended);
    let rows = format!("{}.rows", study.journal);
    assert!(fs::metadata(&rows).is_ok(), "they need not be read again");
    let whole = run(&study);
    assert!(!whole.is_interrupted && fs::metadata(&rows).is_err());
    assert_eq!(figures(&whole).concat().iter().filter(|one| one.is_some()).count(), 6);
}

#[test]
fn files_of_others_stay() {
    let folder = folder();
    let study = study(&folder);
    let rows = write(&folder, "study.jsonl.rows", "mine\n");
    assert!(matches!(refusal(&study), Error::Usage(_)));
    assert_eq!(fs::read_to_string(&rows).unwrap(), "mine\n");
    // Nor the rows themselves, if they are called so.
    fs::remove_file(&rows).unwrap();
    convert(&study.job, &rows, &mut |_| true).unwrap();
    let whole = figures(&run(&study));
    convert(&study.job, &rows, &mut |_| true).unwrap();
    fs::remove_file(&study.journal).unwrap();
    let converted = Study { job: Job { data: rows.clone(), ..study.job.clone() }, ..study };
    assert_eq!(figures(&run(&converted)), whole);
    assert!(fs::metadata(&rows).is_ok());
}

#[test]
fn what_is_begun_anew_is_lost_only_once_the_rows_are_there() {
    let folder = folder();
    let study = Study { seeds: 1, ..study(&folder) };
    run(&study);
    let journal = fs::read(&study.journal).unwrap();
    let anew = Study { restart: true, ..study };
    write(&folder, "rows.csv", "label,a\n1,x,too many\n");
    assert!(matches!(refusal(&anew), Error::Row { .. }));
    assert!(anew.is_begun() && fs::read(&anew.journal).unwrap() == journal);
    // Of other rows, and yet no reason to refuse it.
    write(&folder, "rows.csv", mixed(299));
    let (mut kept, mut ran) = (None, 0);
    let all = anew.run(&mut |event| {
        match event {
            Event::Begin { done, .. } => kept = Some(done),
            Event::Run { .. } => ran += 1,
            _ => {}
        }
        true
    });
    assert_eq!((all.unwrap().outcomes.len(), kept, ran), (3, Some(0), 3));
    let text = fs::read_to_string(&anew.journal).unwrap();
    assert_eq!(text.lines().count(), 1 + 3);
    // A file of others is found before the rows are read, and stays.
    fs::write(&anew.journal, "mine\n").unwrap();
    let mut heard = 0;
    let refused = anew.run(&mut |_| {
        heard += 1;
        true
    });
    assert!(refused.unwrap_err().to_string().contains("no journal"));
    assert_eq!((heard, &fs::read(&anew.journal).unwrap()[..]), (0, &b"mine\n"[..]));
}

#[test]
fn a_run_that_goes_on_keeps_its_rows() {
    let folder = folder();
    let study = study(&folder);
    run(&study);
    let rows = path(&folder, "study.jsonl.rows");
    convert(&study.job, &rows, &mut |_| true).unwrap();
    let before = fs::read(&rows).unwrap();
    let other = fs::File::open(&study.journal).unwrap();
    other.lock().unwrap();
    for restart in [false, true] {
        let error = refusal(&Study { restart, ..study.clone() });
        assert!(error.to_string().contains("another run"), "{error}");
    }
    assert!(fs::read(&rows).unwrap() == before);
}

#[test]
fn matrix_factorization_may_have_two_columns_of_its_own() {
    let folder = folder();
    let base = study(&folder);
    let points = grid(&base.job.config, &[axis("model", &["fm", "mf"])]).unwrap();
    let mf = Some(vec!["a".to_string(), "b".into()]);
    let mut only = Vec::new();
    let with = Study { points: points.clone(), mf, seeds: 1, ..base.clone() };
    let studied = with.run(&mut |event| {
        if let Event::Run { run: Run { config, only: of, .. }, .. } = event {
            only.push((config.model, of.clone()));
        }
        true
    });
    only.sort_by_key(|(model, _)| *model == Kind::Mf);
    assert_eq!(only, [(Kind::Fm, None), (Kind::Mf, with.mf.clone())]);
    assert!(figures(&studied.unwrap()).concat().iter().all(Option::is_some));
    // A model of all columns needs no columns of its own.
    let without = Study { points, journal: path(&folder, "w"), seeds: 1, ..base };
    let studied = run(&without);
    assert!(studied.outcomes[1][0].as_ref().unwrap().failure().is_some());
}

#[test]
fn figures_of_another_name() {
    let folder = folder();
    let base = study(&folder);
    let auc = Study { metric: Some("auc".into()), ..base.clone() };
    let studied = run(&auc);
    let summary = auc.summary(&studied, 1, 0.9).unwrap();
    assert!(summary.is_greater_better && summary.metric == "auc");
    let found = figures(&studied);
    let mean = found[0].iter().flatten().filter_map(|m| m.find("auc")).sum::<f64>() / 2.0;
    assert!((summary.points[0].figure.unwrap().mean - mean).abs() < 1e-15);
    assert!(summary.points[0].difference.is_some() && summary.points[1].difference.is_none());
    for level in [0.0, 1.0, f64::NAN] {
        assert!(matches!(auc.summary(&studied, 1, level), Err(Error::Usage(_))));
    }
    let wrong = Study { metric: Some("acu".into()), journal: path(&folder, "w"), ..base };
    let error = refusal(&wrong);
    assert!(error.to_string().contains("no figure is 'acu'"), "{error}");
    assert!(fs::metadata(&wrong.journal).is_err(), "nothing is left that would be in the way");
}

/// A study of points whose losses are given, and what it comes to.
fn of_losses(test: TestRows, losses: &[&[f64]], rows: [usize; 3]) -> Result<Summary> {
    let folder = folder();
    let base = study(&folder);
    let config = base.job.config.clone();
    let point =
        |at: usize| Point { said: vec![("seed".into(), at.to_string())], config: config.clone() };
    let Some(Outcome::Done(like)) =
        run(&Study { seeds: 1, ..base.clone() }).outcomes.remove(0).remove(0)
    else {
        panic!("it failed")
    };
    let outcome = |&loss: &f64| {
        let mut figures = like.clone();
        let Metrics::Binary(binary) = &mut figures.metrics else { panic!("no binary") };
        binary.log_loss = loss;
        figures.rows = rows;
        Some(Outcome::Done(figures))
    };
    let outcomes = losses.iter().map(|losses| losses.iter().map(outcome).collect()).collect();
    let study = Study { test, points: (0..losses.len()).map(point).collect(), ..base };
    let studied = Studied { outcomes, is_interrupted: false };
    assert!(matches!(study.summary(&studied, losses.len(), 0.95), Err(Error::Usage(_))));
    study.summary(&studied, 0, 0.95)
}

/// By hand: the losses have the mean .5 and the deviation .02, so with three runs the margin is
/// `t .02 sqrt(1/3 + overlap)`, where t = 4.302653 is the .975 quantile of Student's t with 2 degrees of freedom
/// (any table). The differences -.02, -.04, -.03 have the mean -.03 and the deviation .01; the tail of t with 2
/// degrees beyond t is `(1 - t / sqrt(t^2 + 2)) / 2`.
#[test]
fn means_intervals_and_p() {
    let losses: [&[f64]; 2] = [&[0.48, 0.50, 0.52], &[0.46, 0.46, 0.49]];
    // 25 test rows for 90 + 10 others.
    for (test, overlap) in
        [(TestRows::Share(0.2), 0.25_f64), (TestRows::Folds(5), 0.25), (TestRows::Tail(0.2), 0.0)]
    {
        let summary = of_losses(test, &losses, [90, 10, 25]).unwrap();
        let [first, second] = &summary.points[..] else { panic!() };
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        near(first.figure.unwrap().mean, 0.5);
        near(first.figure.unwrap().margin.unwrap(), 4.302653 * 0.02 * (1.0 / 3.0 + overlap).sqrt());
        assert!(first.difference.is_none());
        let difference = second.difference.unwrap();
        near(difference.of.mean, -0.03);
        let error = 0.01 * (1.0 / 3.0 + overlap).sqrt();
        near(difference.of.margin.unwrap(), 4.302653 * error);
        let t = 0.03 / error;
        near(difference.p.unwrap(), 1.0 - t / (t * t + 2.0).sqrt());
    }
}

#[test]
fn differences_that_are_all_the_same_are_sure() {
    let losses: [&[f64]; 3] = [&[0.5, 0.25], &[0.375, 0.125], &[0.5, 0.25]];
    let summary = of_losses(TestRows::Share(0.2), &losses, [90, 10, 25]).unwrap();
    let p = |at: usize| summary.points[at].difference.unwrap().p;
    assert_eq!((p(1), p(2)), (Some(0.0), Some(1.0)));
    let one: [&[f64]; 2] = [&[0.5], &[0.4]];
    let summary = of_losses(TestRows::Share(0.2), &one, [90, 10, 25]).unwrap();
    let difference = summary.points[1].difference.unwrap();
    assert_eq!((difference.of.margin, difference.p), (None, None));
}

#[test]
fn labels_of_any_kind() {
    let folder = folder();
    let base = study(&folder);
    write(&folder, "rows.csv", numbered(100));
    let points = grid(&base.job.config, &[axis("factors", &["0", "2"])]).unwrap();
    let study = Study { points, ..base };
    let studied = run(&study);
    let summary = study.summary(&studied, 0, 0.95).unwrap();
    assert!(summary.metric == "rmse" && !summary.is_greater_better, "{}", summary.metric);
}
