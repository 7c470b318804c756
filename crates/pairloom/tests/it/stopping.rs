//! A run that is stopped, refused before it begins, or told apart from another.

use crate::common::{folder, job, path, plain_config, small_clicks, trained, write};
use pairloom::Error;
use pairloom::backend::{Backend, Learned, Lists, NoStep, State};
use pairloom::batch::Rows;
use pairloom::config::Config;
use pairloom::encode::Target;
use pairloom::fit::{Checkpoints, FitEvent, Run, Stop};
use pairloom::interaction::Fields;
use pairloom::loss::Loss;
use pairloom::reading::OnError;
use pairloom::store::Store;
use pairloom::table::Table;
use pairloom::train::{Event, Job, train};
use std::time::Duration;

#[test]
fn every_event_can_stop_a_job() {
    let folder = folder();
    // A bad row, to be skipped and told about.
    let mut text = small_clicks(9000);
    text.extend_from_slice(b"too,few\n");
    let data = write(&folder, "rows.csv", text);
    let config = Config { epochs: 1, batch_size: Some(4096), ..plain_config() };
    let job = Job { on_error: OnError::Skip, ..job(&data, &config) };
    let mut events = Vec::new();
    let name = |event: &Event<'_>| match event {
        Event::Schema(_) => "schema",
        Event::Reading(_) => "reading",
        Event::Revised { .. } => "revised",
        Event::Skipped(_) => "skipped",
        Event::Encoding => "encoding",
        Event::Unseen(_) => "unseen",
        Event::Start(_) => "start",
        Event::Cache { .. } => "cache",
        Event::Fit(_) => "fit",
    };
    train(&job, &mut |event| {
        events.push(name(&event));
        true
    })
    .unwrap();
    let expected = [
        "schema", "reading", "reading", "skipped", "encoding", "encoding", "start", "fit", "fit",
        "fit",
    ];
    assert_eq!(events, expected);
    for stop in 0..events.len() {
        let mut heard = Vec::new();
        let trained = train(&job, &mut |event| {
            heard.push(name(&event));
            heard.len() <= stop
        });
        assert_eq!(heard, expected[..=stop], "nothing is told after the stop");
        let trained = trained.unwrap();
        assert_eq!(trained.stop, Stop::Interrupted);
        assert_eq!(trained.model.is_some(), stop + 1 == events.len());
    }
}

#[test]
fn going_on_is_told_and_can_be_stopped_again() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(330));
    let checkpoints = Checkpoints {
        path: path(&folder, "checkpoint"),
        every: Duration::from_secs(60),
        resume: true,
    };
    let job = Job { checkpoints: Some(checkpoints), ..job(&data, &plain_config()) };
    let mut told = Vec::new();
    // Each run is stopped at its second event of training, if it gets that far.
    for _ in 0..3 {
        let mut heard = 0;
        let stopped = train(&job, &mut |event| {
            heard += usize::from(matches!(event, Event::Fit(_)));
            if let Event::Fit(FitEvent::Resumed { epoch, rows }) = event {
                told.push((epoch, rows));
            }
            heard < 2
        });
        assert_eq!(stopped.unwrap().stop, Stop::Interrupted);
    }
    assert_eq!(told, [(1, 128), (1, 192)], "a run that goes on says so first");
    let refused = train(&job, &mut |event| !matches!(event, Event::Fit(FitEvent::Resumed { .. })));
    assert_eq!(refused.unwrap().stop, Stop::Interrupted);
    assert_eq!(trained(&job).stop, Stop::Finished);
}

/// A backend that takes no more than this many entries a batch.
struct Small(usize, State);

impl Backend for Small {
    fn most_entries(&self) -> usize {
        self.0
    }
    fn count(&mut self, _: &[u32]) -> bool {
        false
    }

    fn announce(&mut self, _: &[u32]) {}
    fn learn_strengths(&mut self, _: f64) -> pairloom::Result<()> {
        Ok(())
    }
    fn step(&mut self, _: &Rows, _: &[u32], _: f32) -> Result<Learned, NoStep> {
        Ok(Learned { loss: 1.0, weight: 1.0 })
    }
    fn step_lists(&mut self, _: &Rows, _: &[u32], _: Lists<'_>, _: f32) -> Result<Learned, NoStep> {
        Ok(Learned { loss: 1.0, weight: 1.0 })
    }
    fn scores(&mut self, rows: &Rows) -> pairloom::Result<Vec<f32>> {
        Ok(vec![0.0; rows.len()])
    }
    fn state(&self) -> &State {
        &self.1
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.1
    }
}

#[test]
fn batches_that_are_too_large_are_refused_before_training() {
    let mut train = Rows::new();
    for row in [3, 1, 7, 2, 5] {
        (0..row).for_each(|id| train.push(id, 1.0));
        train.finish(row as f32, 1.0);
    }
    let state = || {
        let [linear, factors] = [1, 8].map(|width| Table::new(8, width, 0).unwrap());
        State {
            linear,
            factors,
            bias: vec![0.0],
            shared: Vec::new(),
            fields: Fields::default(),
            strengths: Vec::new(),
            classes: 1,
            time: 0,
            learned: 0,
        }
    };
    let target = Target::Real { mean: 0.0, scale: 1.0 };
    let config =
        Config { batch_size: Some(2), loss: Some(Loss::Squared), epochs: 1, ..plain_config() };
    let (config, valid) = (&config, &Store::default());
    let (train, most_entries) = (&Store::from(train), 12);
    let run = Run {
        train,
        most_entries,
        valid,
        config,
        negatives: None,
        target: &target,
        before: 0,
        keeps_best: true,
        checkpoints: None,
    };
    run.fit(&mut Small(12, state()), &mut |_| true).unwrap();
    match run.fit(&mut Small(11, state()), &mut |_| panic!("training has begun")) {
        Err(Error::Usage(message)) => assert_eq!(
            message,
            "a batch of 2 rows may have more than 11 features in all: lower batch_size \
             (--batch-size)"
        ),
        other => panic!("{other:?}"),
    }
}
