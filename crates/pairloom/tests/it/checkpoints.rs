//! A run that was cut off goes on from its checkpoint to the same bits.

use crate::common::{
    bytes, folder, job, model, numbered, path, plain_config, refusal, small_clicks, trained, write,
};
use pairloom::config::Config;
use pairloom::fit::{Checkpoints, FitEvent, Stop};
use pairloom::optimizer::Optimizer;
use pairloom::train::{Event, Job, Trained, train};
use std::fs;
use std::time::Duration;

/// Runs a job until `watch` has heard of `events` batches and epochs.
fn interrupted(job: &Job, events: usize) -> Trained {
    let mut heard = 0;
    train(job, &mut |event| {
        heard += usize::from(matches!(event, Event::Fit(_)));
        heard < events
    })
    .unwrap()
}

#[test]
fn a_resumed_run_ends_in_the_same_bytes() {
    let folder = folder();
    let clicks = write(&folder, "clicks.csv", small_clicks(330));
    let numbers = write(&folder, "numbers.csv", numbered(330));
    let line = |i: usize| format!("{},a{},b{}\n", ["x", "y", "z"][i * i % 7 % 3], i % 5, i * i % 7);
    let classes: String = (0..330).map(line).collect();
    let classes = write(&folder, "classes.csv", format!("label,a,b\n{classes}"));
    let stops = &[1, 5, 6, 7, 9, 16, 23, 99][..];
    for optimizer in Optimizer::ALL {
        for (data, stops) in [(&clicks, stops), (&numbers, &[8]), (&classes, &[1, 7, 9, 16])] {
            let config = Config {
                optimizer,
                learning_rate: Some(if optimizer == Optimizer::Sgd { 0.003 } else { 0.1 }),
                l2_factors: Some(1e-3),
                l1_factors: if optimizer == Optimizer::Ftrl { 0.3 } else { 0.0 },
                epochs: 4,
                rate_decay: 0.5,
                patience: 3,
                ..plain_config()
            };
            let plain = job(data, &config);
            let whole = trained(&plain);
            let expected = bytes(&whole.model.unwrap());
            // Five batches and the epoch's end are six events; the last stop is after the end.
            for &events in stops {
                let file = path(&folder, "checkpoint");
                let _ = fs::remove_file(&file);
                let every = Duration::ZERO;
                let checkpoints = Some(Checkpoints { path: file, every, resume: false });
                let mut job = Job { checkpoints, ..plain.clone() };
                let stopped = interrupted(&job, events);
                assert!(events > 24 || stopped.stop == Stop::Interrupted);
                job.checkpoints.as_mut().unwrap().resume = true;
                job.threads = 2;
                let resumed = trained(&job);
                assert_eq!(resumed.stop, whole.stop);
                let found = bytes(&resumed.model.unwrap());
                assert!(found == expected, "{optimizer:?} {data} after {events}");
            }
        }
    }
}

/// Batches that grow begin where the run was cut off with the size that they had there, and the momentum is kept.
#[test]
fn a_resumed_run_has_the_batches_of_the_whole_one() {
    let folder = folder();
    let data = write(&folder, "clicks.csv", small_clicks(330));
    let config = Config { momentum: Some(0.8), batch_growth: Some(0.1), ..plain_config() };
    let whole = job(&data, &config);
    let sizes = |job: &Job| {
        let mut sizes = Vec::new();
        let watch = &mut |event: Event<'_>| {
            if let Event::Fit(FitEvent::Batch { rows, .. }) = event {
                sizes.push(rows);
            }
            sizes.len() != 7 || job.checkpoints.as_ref().is_none_or(|to| to.resume)
        };
        (train(job, watch).unwrap(), sizes)
    };
    let (done, expected) = sizes(&whole);
    let file = path(&folder, "checkpoint");
    let checkpoints = Checkpoints { path: file, every: Duration::ZERO, resume: false };
    let mut cut = Job { checkpoints: Some(checkpoints), ..whole.clone() };
    let (stopped, first) = sizes(&cut);
    assert_eq!((stopped.stop, first.len()), (Stop::Interrupted, 7));
    cut.checkpoints.as_mut().unwrap().resume = true;
    let (resumed, second) = sizes(&cut);
    assert_eq!([first, second].concat(), expected);
    assert!(bytes(&resumed.model.unwrap()) == bytes(&done.model.unwrap()));
    // From 32 rows on a tenth of a row more for each, until there are 64.
    let epochs: [&[usize]; 3] =
        [&[32, 67, 105, 147, 193, 244, 264], &[58, 122, 186, 250, 264], &[64, 128, 192, 256, 264]];
    assert_eq!(expected, epochs.concat());
}

#[test]
fn a_run_may_be_cut_off_again_and_again() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(300));
    let config = Config { optimizer: Optimizer::Adam, epochs: 3, ..plain_config() };
    let expected = bytes(&model(&job(&data, &config)));
    let file = path(&folder, "checkpoint");
    let checkpoints = Some(Checkpoints { path: file, every: Duration::ZERO, resume: true });
    let job = Job { checkpoints, ..job(&data, &config) };
    // Three events a time, and nothing of what went before is lost.
    let mut runs = 0;
    while interrupted(&job, 3).stop == Stop::Interrupted {
        runs += 1;
        assert!(runs < 50);
    }
    assert!(runs > 3);
    assert!(bytes(&trained(&job).model.unwrap()) == expected);
}

#[test]
fn checkpoints_are_written_however_short_the_epochs_are() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(200));
    let file = path(&folder, "checkpoint");
    let every = Duration::from_millis(60);
    let checkpoints = Some(Checkpoints { path: file.clone(), every, resume: false });
    let config = Config { batch_size: Some(80), epochs: 10, ..plain_config() };
    // Two batches an epoch of 10 ms each: every epoch is over before a checkpoint is due.
    train(&Job { checkpoints, ..job(&data, &config) }, &mut |event| {
        if matches!(event, Event::Fit(FitEvent::Batch { .. })) {
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    })
    .unwrap();
    assert!(fs::exists(&file).unwrap(), "never written");
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(300));
    let file = path(&folder, "checkpoint");
    let checkpoints = Some(Checkpoints { path: file.clone(), every: Duration::ZERO, resume: true });
    let job = Job { checkpoints, ..job(&data, &plain_config()) };
    assert_eq!(interrupted(&job, 3).stop, Stop::Interrupted);
    let message = |what: &str| {
        format!(
            "{file}: this checkpoint is of a run with other {what}: resume with the same data and \
             settings, or start anew with --restart"
        )
    };
    let with = |change: &dyn Fn(&mut Config)| {
        let mut job = job.clone();
        change(&mut job.config);
        refusal(&job)
    };
    let settings = |differing: &str| message(&format!("settings ({differing})"));
    assert_eq!(with(&|config| config.factors = Some(5)), settings("factors is 4 in it and 5 here"));
    assert_eq!(
        with(&|config| config.optimizer = Optimizer::Adam),
        settings("optimizer is adagrad in it and adam here")
    );
    let more = |config: &mut Config| (config.learning_rate, config.epochs) = (Some(0.2), 9);
    assert_eq!(
        with(&more),
        settings("epochs is 3 in it and 9 here, learning_rate is 0.1 in it and 0.2 here")
    );
    // Another seed holds out other rows.
    assert_eq!(
        with(&|config| config.seed = 8),
        message("settings (seed is 7 in it and 8 here) and other rows")
    );
    assert_eq!(
        with(&|config| config.hash_bits = Some(9)),
        message("settings (hash_bits is off in it and 9 here) and other rows")
    );
    let data_differ = message("data (the rows, or what their columns are)");
    let less = String::from_utf8(small_clicks(299)).unwrap();
    let other = write(&folder, "other.csv", less);
    assert_eq!(refusal(&Job { data: other, ..job.clone() }), data_differ);
    let valid = Some(data.clone());
    assert_eq!(refusal(&Job { valid, ..job.clone() }), data_differ);
    // Only the same run may go on; a model is no checkpoint.
    let model = trained(&job).model.unwrap();
    model.save(&file).unwrap();
    assert_eq!(refusal(&job), format!("{file}: this is a model, not a checkpoint"));
    fs::write(&file, "").unwrap();
    assert_eq!(refusal(&job), format!("{file}: the file is empty"));
}
