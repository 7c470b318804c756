//! Searches: the same whatever goes on beside each other and wherever the journal was cut off, what they cost, and
//! what becomes of trials that fail or come too late.

use crate::common::{bytes, folder, mixed, model, path, plain_config, write};
use pairloom::Error;
use pairloom::config::Config;
use pairloom::interaction::Kind;
use pairloom::train::{Job, convert};
use pairloom::tune::{Axis, Event, Trial, Tune, Tuned, Values, usual_axes};
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

/// A search over 300 rows, of trainings that are not stopped early.
fn tune(folder: &TempDir) -> Tune {
    let config = Config { epochs: 6, valid_fraction: Some(0.3), ..plain_config() };
    let axes = ["factors=1:8", "learning_rate=0.02:0.5", "l2_factors=0.1:10", "min_count=1,3"];
    Tune {
        axes: axes.iter().map(|text| Axis::said(text, &config).unwrap()).collect(),
        job: Job { config, threads: 1, ..Job::new(write(folder, "rows.csv", mixed(300))) },
        first: Vec::new(),
        metric: None,
        runs: 8.0,
        time: None,
        parallel: 0,
        journal: path(folder, "model.tune"),
        restart: false,
    }
}

fn run(tune: &Tune) -> Tuned {
    tune.run(&mut |_| true).unwrap()
}

/// The same, and how many trials there were before those near the best.
fn counted(tune: &Tune) -> (Tuned, usize) {
    let mut count = 0;
    let tuned = tune.run(&mut |event| {
        if let Event::Rung { trials, epochs: Some(_), near: false } = event {
            count += trials;
        }
        true
    });
    (tuned.unwrap(), count)
}

fn refusal(tune: &Tune) -> Error {
    tune.run(&mut |_| true).unwrap_err()
}

/// What was tried, how often it was trained for how long, and what came of it.
fn told(trials: &[Trial], metric: &str) -> Vec<(usize, Option<u32>, Config, Option<f64>)> {
    let of =
        |trial: &Trial| (trial.trial, trial.stopped, trial.config.clone(), trial.figure(metric));
    let mut told: Vec<_> = trials.iter().map(of).collect();
    told.sort_by_key(|(trial, stopped, ..)| (stopped.unwrap_or(u32::MAX), *trial));
    told
}

/// The same rows, in which every number is a name.
fn names_only() -> String {
    mixed(300).replace("0.", "n").replace('.', "n")
}

#[test]
fn the_best_few_go_on_and_then_what_is_near_them() {
    let folder = folder();
    let tune = Tune { runs: 10.0, ..tune(&folder) };
    let mut rungs = Vec::new();
    let tuned = tune.run(&mut |event| {
        if let Event::Rung { trials, epochs, near } = event {
            rungs.push((trials, epochs, near));
        }
        true
    });
    let tuned = tuned.unwrap();
    // The defaults; trainings of 2 epochs with one other setting, then with several, of which some go on to 6; then some
    // near the best.
    let [first, (alone, Some(2), false), (more, Some(2), false), (whole, None, false), near @ ..] =
        &rungs[..]
    else {
        panic!("{rungs:?}")
    };
    let drawn = alone + more;
    assert!(*first == (1, None, false) && (1..=drawn.div_ceil(8)).contains(whole), "{rungs:?}");
    assert!(*alone >= 5 && *more >= 3 && !near.is_empty(), "{rungs:?}");
    assert!(near.iter().all(|(trials, epochs, near)| *near == epochs.is_some() && *trials <= 4));
    let defaults = tuned.defaults().unwrap();
    assert!(defaults.said.is_empty() && defaults.stopped.is_none());
    assert_eq!(defaults.config, tune.job.config);
    // Of what was trained to its end, the best is the best, and no worse than the defaults.
    let figure = |trial: &&Trial| trial.figure("log_loss").unwrap();
    let best = figure(&tuned.best());
    let of = |epochs: Option<u32>| tuned.trials.iter().filter(move |t| t.stopped == epochs);
    assert!(of(None).all(|other| figure(&other) >= best) && tuned.best().stopped.is_none());
    // The first ones have one other setting each.
    assert!(tuned.trials[1..=*alone].iter().all(|trial| trial.said.len() == 1));
    // Those of the first rungs go on in the order of their figures.
    let mut rung: Vec<&Trial> = tuned.trials[1..=drawn].iter().collect();
    rung.sort_by(|a, b| figure(a).total_cmp(&figure(b)));
    let numbers = |trials: &[&Trial]| {
        trials.iter().map(|trial| trial.trial).collect::<std::collections::BTreeSet<_>>()
    };
    let ended: Vec<&Trial> = of(None).skip(1).take(*whole).collect();
    assert_eq!(numbers(&ended), numbers(&rung[..*whole]));
    // Of those near the best, what goes on is no worse than the best few of these.
    let few = of(Some(2)).count().div_ceil(8);
    for trial in of(None).skip(1 + whole) {
        let third = of(Some(2)).find(|of| of.trial == trial.trial).unwrap();
        assert!(figure(&third) <= figure(&rung[few - 1]), "{trial:?}");
    }
    assert!(tuned.cost <= 1.05 * tune.runs && tuned.cost > 0.7 * tune.runs, "{}", tuned.cost);
}

#[test]
fn the_best_is_a_training_like_any_other() {
    let folder = folder();
    let tune = tune(&folder);
    let tuned = run(&tune);
    let config = tuned.best().config.clone();
    assert!(bytes(&tuned.model) == bytes(&model(&Job { config, ..tune.job.clone() })));
    assert_eq!(tuned.model.kept_epoch(), Some(&tuned.best().measured().unwrap().best));
    // Its settings are what is said of it, upon those that stay.
    let config =
        tuned.best().said.iter().fold(tune.job.config.clone(), |config, (name, value)| {
            config.with(name, value).unwrap()
        });
    assert_eq!(config, tuned.best().config);
}

#[test]
fn what_goes_on_beside_each_other_does_not_matter() {
    let folder = folder();
    let base = tune(&folder);
    let with = |parallel, threads| {
        let journal = path(&folder, &format!("{parallel}-{threads}"));
        let job = Job { threads, ..base.job.clone() };
        run(&Tune { parallel, journal, job, ..base.clone() })
    };
    let one = with(1, 1);
    for (parallel, threads) in [(4, 1), (0, 3), (2, 4)] {
        let other = with(parallel, threads);
        assert_eq!(told(&other.trials, "log_loss"), told(&one.trials, "log_loss"));
        assert_eq!((other.best().trial, other.cost), (one.best().trial, one.cost));
        assert!(bytes(&other.model) == bytes(&one.model));
    }
    // Trials that come to the same are told apart by their numbers: no column is numeric that would have these knots.
    write(&folder, "rows.csv", names_only());
    let axes = vec![Axis::said("bins=4,8,16", &base.job.config).unwrap()];
    let equal = Tune { axes, ..base };
    for round in 0..3 {
        let tuned = run(&Tune {
            parallel: 8,
            journal: path(&folder, &format!("e{round}")),
            ..equal.clone()
        });
        assert_eq!(tuned.best().trial, 0, "the defaults are as good");
    }
}

#[test]
fn another_seed_draws_other_trials() {
    let folder = folder();
    let base = tune(&folder);
    let drawn = |seed| {
        let config = Config { seed, ..base.job.config.clone() };
        let job = Job { config, ..base.job.clone() };
        let journal = path(&folder, &format!("s{seed}"));
        let tune = Tune { job, journal, runs: 8.0, ..base.clone() };
        run(&tune).trials[1..].iter().map(|trial| trial.said.clone()).collect::<Vec<_>>()
    };
    assert!(drawn(1) != drawn(2));
}

#[test]
fn what_a_journal_was_cut_at_does_not_matter() {
    let folder = folder();
    let tune = tune(&folder);
    let whole = run(&tune);
    let journal = fs::read(&tune.journal).unwrap();
    let ends = (0..journal.len()).filter(|&at| journal[at] == b'\n').map(|at| at + 1);
    for cut in ends.flat_map(|end| [end - 9, end]).chain([0]) {
        fs::write(&tune.journal, &journal[..cut]).unwrap();
        let mut ended = 0;
        let again = tune.run(&mut |event| {
            ended += usize::from(matches!(event, Event::Trial(_)));
            true
        });
        let again = again.unwrap();
        let lines = journal[..cut].iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(ended, whole.trials.len() - lines.saturating_sub(1), "cut at {cut}");
        assert_eq!(told(&again.trials, "log_loss"), told(&whole.trials, "log_loss"));
        assert_eq!(again.best().trial, whole.best().trial);
        assert!(bytes(&again.model) == bytes(&whole.model), "cut at {cut}");
        assert!((again.cost - whole.cost).abs() < 1e-9);
    }
}

#[test]
fn trials_of_other_settings_or_rows_are_not_taken() {
    let folder = folder();
    let base = tune(&folder);
    run(&base);
    // The best of these is found among trainings of 2 epochs only, or the command would be wrong.
    let config = Config { epochs: 2, ..base.job.config.clone() };
    let short = Tune { job: Job { config, ..base.job.clone() }, ..base.clone() };
    let tuned = run(&short);
    assert!(tuned.trials.iter().all(|trial| trial.config.epochs == 2));
    let valid = |rows| Some(write(&folder, "valid.csv", mixed(rows)));
    let job = Job { valid: valid(50), ..base.job.clone() };
    let other = Tune { job, ..base.clone() };
    assert!(refusal(&other).to_string().contains("of other rows"));
    let other = Tune { journal: path(&folder, "v"), ..other };
    run(&other);
    valid(60);
    assert!(refusal(&other).to_string().contains("of other rows"));
    let job = Job { valid: Some("-".into()), ..base.job.clone() };
    let dash = Tune { job, journal: path(&folder, "d"), ..base };
    assert!(refusal(&dash).to_string().contains("not standard input"));
}

#[test]
fn more_of_some_figures_is_better() {
    let folder = folder();
    let base = tune(&folder);
    let tuned = run(&Tune { metric: Some("auc".into()), ..base.clone() });
    let whole = || tuned.trials.iter().filter(|trial| trial.stopped.is_none());
    let figures: Vec<f64> = whole().filter_map(|trial| trial.figure("auc")).collect();
    assert!(figures.len() > 1);
    let greatest = figures.iter().copied().fold(f64::MIN, f64::max);
    assert_eq!(tuned.best().figure("auc"), Some(greatest));
    let wrong = Tune { metric: Some("acu".into()), journal: path(&folder, "w"), ..base };
    assert!(refusal(&wrong).to_string().contains("no figure is 'acu'"));
}

#[test]
fn without_time_it_is_the_model_of_the_defaults() {
    let folder = folder();
    let tune = Tune { time: Some(Duration::ZERO), ..tune(&folder) };
    let tuned = run(&tune);
    assert_eq!((tuned.trials.len(), tuned.best().trial), (1, 0));
    assert!(bytes(&tuned.model) == bytes(&model(&tune.job)));
}

#[test]
fn late_only_the_best_so_far_is_trained_to_its_end() {
    let folder = folder();
    // Trials that were drawn have come to a third; then there is no time for anything else.
    let base = tune(&folder);
    let (whole, drawn) = counted(&base);
    let text = fs::read_to_string(&base.journal).unwrap();
    let first: Vec<&str> = text.lines().skip(1).take(1 + drawn).collect();
    assert!(first[1..].iter().all(|line| line.contains("\"stopped\":2")));
    let header = text.lines().next().unwrap();
    fs::write(&base.journal, format!("{header}\n{}\n", first.join("\n"))).unwrap();
    let late = run(&Tune { time: Some(Duration::ZERO), ..base.clone() });
    let added: Vec<&Trial> = late.trials[first.len()..].iter().collect();
    let [added] = added[..] else { panic!("{added:?}") };
    let figure = |trial: &&Trial| trial.figure("log_loss").unwrap();
    let rung = whole.trials[1..].iter().take(drawn);
    let best = rung.min_by(|a, b| figure(a).total_cmp(&figure(b))).unwrap();
    assert_eq!((added.trial, added.stopped), (best.trial, None));
}

#[test]
fn a_journal_of_no_epochs_comes_to_an_end() {
    let folder = folder();
    let tune = tune(&folder);
    run(&tune);
    let text = fs::read_to_string(&tune.journal).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("\"trial\":1")).collect();
    assert!(lines[1].contains("\"trial\":0,") && lines[1].contains("\"epochs\":6,\"course\""));
    let defaults = lines[1].replace("\"epochs\":6,\"course\"", "\"epochs\":0,\"course\"");
    fs::write(&tune.journal, format!("{}\n{defaults}\n", lines[0])).unwrap();
    assert!(run(&tune).trials.len() > 1);
}

#[test]
fn a_stop_keeps_what_has_ended() {
    let folder = folder();
    let tune = Tune { parallel: 1, ..tune(&folder) };
    let mut ended = 0;
    let stopped = tune.run(&mut |event| {
        ended += usize::from(matches!(event, Event::Trial(_)));
        ended < 3
    });
    assert!(matches!(stopped, Err(Error::Interrupted)));
    // What has ended meanwhile is kept too.
    assert!(fs::read_to_string(&tune.journal).unwrap().lines().count() > 3);
    let rows = format!("{}.rows", tune.journal);
    assert!(fs::metadata(&rows).is_ok() && tune.is_begun());
    run(&tune);
    assert!(fs::metadata(&rows).is_err());
    let mut anew = 0;
    let again = Tune { restart: true, ..tune.clone() }.run(&mut |event| {
        anew += usize::from(matches!(event, Event::Trial(_)));
        true
    });
    assert_eq!(anew, again.unwrap().trials.len());
    tune.forget().unwrap();
    assert!(!tune.is_begun());
}

#[test]
fn files_of_others_stay() {
    let folder = folder();
    let tune = tune(&folder);
    let rows = write(&folder, "model.tune.rows", "mine\n");
    assert!(matches!(refusal(&tune), Error::Usage(_)));
    assert_eq!(fs::read_to_string(&rows).unwrap(), "mine\n");
    fs::remove_file(&rows).unwrap();
    convert(&tune.job, &rows, &mut |_| true).unwrap();
    run(&Tune { job: Job { data: rows.clone(), ..tune.job.clone() }, ..tune });
    assert!(fs::metadata(&rows).is_ok());
}

#[test]
fn trials_that_fail_are_left_out() {
    let folder = folder();
    let base = tune(&folder);
    let values = Values::Choice(["2", "70000"].map(String::from).to_vec());
    let axes = vec![Axis { name: "factors".into(), values, always: true }];
    let tune = Tune { axes, runs: 4.0, ..base };
    let tuned = run(&tune);
    let failed: Vec<&Trial> = tuned.trials.iter().filter(|t| t.measured().is_none()).collect();
    assert!(failed.iter().all(|trial| trial.config.factors == Some(70000)));
    assert!(tuned.best().config.factors != Some(70000));
    // If the defaults cannot be trained, nothing can.
    let config = Config { factors: Some(70000), ..tune.job.config.clone() };
    let none =
        Tune { job: Job { config, ..tune.job.clone() }, journal: path(&folder, "n"), ..tune };
    assert!(refusal(&none).to_string().contains("factors"), "{}", refusal(&none));
}

#[test]
fn no_search_without_validation_rows_or_runs() {
    let folder = folder();
    let base = tune(&folder);
    let config = Config { valid_fraction: Some(0.0), ..base.job.config.clone() };
    let none = Tune { job: Job { config, ..base.job.clone() }, ..base.clone() };
    assert!(refusal(&none).to_string().contains("validation rows"));
    for runs in [0.5, f64::NAN, 1e7] {
        assert!(matches!(refusal(&Tune { runs, ..base.clone() }), Error::Usage(_)));
    }
    let values = Values::Choice(vec!["2G".into(), "4G".into()]);
    let axes = vec![Axis { name: "memory".into(), values, always: true }];
    let memory = Tune { axes, ..base.clone() };
    assert!(refusal(&memory).to_string().contains("no setting of the model"));
    // A figure that these validation rows have not.
    let one = mixed(300).lines().take(2).collect::<Vec<_>>().join("\n");
    let job = Job { valid: Some(write(&folder, "one.csv", one)), ..base.job.clone() };
    let metric = Some("auc".into());
    let undefined = refusal(&Tune { job, metric, journal: path(&folder, "u"), ..base.clone() });
    assert!(undefined.to_string().contains("one.csv: the auc of the validation rows is not"));
    let dash = Tune { job: Job::new("-"), ..base.clone() };
    assert!(refusal(&dash).to_string().contains("not standard input"));
    write(&folder, "rows.csv", "label,a\n1,x\n");
    assert!(!refusal(&base).to_string().is_empty());
}

#[test]
fn axes_that_mean_nothing_are_refused() {
    let base = Config::default();
    for (text, says) in [
        ("factors", "no NAME=LOW:HIGH"),
        ("", "no NAME=LOW:HIGH"),
        ("faktors=1:2", "did you mean 'factors'?"),
        ("factors=8:2", "LOW:HIGH with 0 < LOW < HIGH"),
        ("factors=0:2", "LOW:HIGH with 0 < LOW < HIGH"),
        ("factors=1:inf", "LOW:HIGH with 0 < LOW < HIGH"),
        ("factors=a:b", "LOW:HIGH with 0 < LOW < HIGH"),
        ("seed=1,2", "cannot be compared"),
        ("valid_fraction=0.1:0.2", "cannot be compared"),
        ("class_weight=balanced", "cannot be compared"),
        ("factors=4,many", "'many' is none of its values"),
        ("factors=", "none of its values"),
        ("learn_l2=1:2", "none of its values"),
        ("model=1:2", "none of its values"),
        ("batch_size=1:1e30", "none of its values"),
    ] {
        let error = Axis::said(text, &base).unwrap_err();
        assert!(
            matches!(error, Error::Usage(_)) && error.to_string().contains(says),
            "{text}: {error}"
        );
    }
    // Values that are tried alone lie in the range, wherever the usual one is.
    let rows = folder();
    let axes = vec![Axis::said("factors=32:40", &base).unwrap()];
    let narrow = Tune { axes, ..tune(&rows) };
    let tuned = run(&narrow);
    let factors = tuned.trials[1..].iter().map(|trial| trial.config.factors.unwrap());
    assert!(factors.clone().all(|k| (32..=40).contains(&k)) && factors.count() > 1);
    let range = |text| Axis::said(text, &base).unwrap();
    let whole = Values::Range { low: 2.0, high: 64.0, whole: true };
    let factors = Axis { name: "factors".into(), values: whole, always: true };
    assert_eq!(range("factors=2:64"), factors);
    let part = Values::Range { low: 0.001, high: 1.0, whole: false };
    let rate = Axis { name: "learning_rate".into(), values: part, always: true };
    assert_eq!(range("learning-rate=1e-3:1"), rate);
    let losses = Values::Choice(["squared", "huber:2"].map(String::from).to_vec());
    assert_eq!(range("loss=squared,huber:2").values, losses);
    let folder = folder();
    for (low, high) in [(2.0, 1.0), (0.0, 1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
        let range = Values::Range { low, high, whole: false };
        for values in [range, Values::Times { low, high }, Values::Choice(Vec::new())] {
            let axis = Axis { name: "learning_rate".into(), values, always: true };
            let error = refusal(&Tune { axes: vec![axis], ..tune(&folder) });
            assert!(matches!(error, Error::Usage(_)), "{error}");
        }
    }
}

#[test]
fn usual_axes_are_settings_around_usual_values() {
    let folder = folder();
    let base = tune(&folder);
    let config = Config {
        learning_rate: None,
        l2_factors: None,
        init_stdev: None,
        batch_size: None,
        ..base.job.config.clone()
    };
    let axes = usual_axes(&config);
    let tune =
        Tune { axes: axes.clone(), job: Job { config, ..base.job.clone() }, runs: 30.0, ..base };
    let (tuned, count) = counted(&tune);
    let usual = tuned.defaults().unwrap().measured().unwrap().begun;
    assert_eq!((usual.rows, usual.numbers, usual.fields), (210, 1, 3));
    // Two values of the three settings that matter most, but for what is usual, and the model that knows fields; then one
    // of each other.
    let mut alone: Vec<&Trial> = tuned.trials[1..=11].iter().collect();
    alone.sort_by_key(|trial| trial.trial);
    let mut models = Vec::new();
    for (at, trial) in alone.iter().enumerate() {
        assert_eq!((trial.said.len(), trial.trial), (1, at + 1), "{:?}", trial.said);
        let axis = axes.iter().find(|axis| axis.name == trial.said[0].0).unwrap();
        assert_eq!(axis.always, at < 6, "{:?}", trial.said);
        models.extend((axis.name == "model").then_some(trial.config.model));
    }
    assert_eq!(models, [Kind::Ffm]);
    let (mut seldom, mut together) = (0, 0);
    let mut drawn: Vec<&Trial> = Vec::new();
    for trial in &tuned.trials[12..=count] {
        let is_said = |axis: &&Axis| trial.said.iter().any(|(name, _)| *name == axis.name);
        let is_always = |axis: &&Axis| axis.always && axis.name != "model";
        if !axes.iter().filter(is_always).all(|axis| is_said(&axis)) {
            // Several that are better alone, each of one of those.
            let is_there = |said: &(String, String)| alone.iter().any(|one| one.said[0] == *said);
            assert!(trial.said.len() > 1 && trial.said.iter().all(is_there), "{:?}", trial.said);
            together += 1;
            continue;
        }
        drawn.push(trial);
        // Those are always drawn, but for the model; the others every other time.
        seldom += axes.iter().filter(|axis| !axis.always).filter(is_said).count();
        // Around .07 at the most, within a factor of 4, and two digits of it.
        let rate = trial.config.learning_rate.unwrap_or(0.07);
        assert!(rate <= 0.29, "{rate}");
    }
    assert!((1..=5).contains(&together), "{together}");
    let all = drawn.len() * axes.iter().filter(|axis| !axis.always).count();
    assert!((all / 4..all * 3 / 4).contains(&seldom), "{seldom} of {all}");
    let rates: std::collections::BTreeSet<String> =
        drawn.iter().map(|trial| format!("{:?}", trial.config.learning_rate)).collect();
    assert!(rates.len() > 5, "{rates:?}");
}

#[test]
fn where_no_column_is_numeric_no_transform_is_drawn() {
    let folder = folder();
    let base = tune(&folder);
    write(&folder, "rows.csv", names_only());
    let drawn = |axes: &[&str]| {
        let axes = axes.iter().map(|text| Axis::said(text, &base.job.config).unwrap()).collect();
        let tuned = run(&Tune { axes, journal: path(&folder, "t"), restart: true, ..base.clone() });
        assert_eq!(tuned.defaults().unwrap().measured().unwrap().begun.numbers, 0);
        tuned.trials.iter().map(|trial| trial.said.clone()).collect::<Vec<_>>()
    };
    let names = |said: &Vec<(String, String)>| said.iter().map(|(name, _)| name.clone()).collect();
    let said = drawn(&["numeric_transform=log,spline", "factors=1:8"]);
    let said: Vec<Vec<String>> =
        said.iter().map(names).filter(|of: &Vec<_>| !of.is_empty()).collect();
    assert!(!said.is_empty() && said.iter().all(|of| of[..] == ["factors"]), "{said:?}");
}
