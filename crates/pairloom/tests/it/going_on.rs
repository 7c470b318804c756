//! Models that go on learning: from other rows with a fresh optimizer, or from rows as they come.

use crate::common::{bytes, clicks, folder, job, model, plain_config, write};
use pairloom::backend::DeviceName;
use pairloom::config::Config;
use pairloom::input::{self, OpenOptions};
use pairloom::interaction::Kind;
use pairloom::model::Model;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::{self, Given};
use pairloom::synth::SynthConfig;
use pairloom::train::{Dataset, Event, Job, Learner, SchemaSource, train};
use std::sync::Arc;

fn log(seed: u64) -> Vec<u8> {
    clicks(&SynthConfig { rows: 1500, features: 200, seed, ..SynthConfig::default() }).0
}

fn config() -> Config {
    Config { valid_fraction: Some(0.0), learning_rate: Some(0.05), ..plain_config() }
}

fn loss(model: &Model, data: &str) -> f64 {
    let mut reader = reading::open(data, &OpenOptions::default(), &model.schema).unwrap();
    let threads = Threads::new(1).unwrap();
    let options = EvaluateOptions::default();
    model.evaluate(&mut *reader, data, &options, &threads).unwrap().metrics.loss()
}

/// The same job, going on from a model.
fn from(job: &Job, model: Model) -> Job {
    let schema = SchemaSource::Given(model.schema.clone());
    Job { init: Some(Arc::new(model)), schema, ..job.clone() }
}

#[test]
fn training_goes_on_where_a_model_is() {
    let folder = folder();
    let data = write(&folder, "log.csv", log(1));
    for kind in [Kind::Fm, Kind::Fwfm, Kind::Ffm] {
        let job = job(&data, &Config { model: kind, epochs: 1, ..config() });
        let (first, again) = (model(&job), model(&job));
        let before = loss(&first, &data);
        // Where no step is made, nothing changes: the least rate leaves every number as it was.
        let still = Job {
            config: Config { learning_rate: Some(1e-30), learn_l2: false, ..job.config.clone() },
            ..job.clone()
        };
        let unmoved = model(&from(&still, again));
        assert_eq!(unmoved.weights.factors.floats(), first.weights.factors.floats());
        assert_eq!(unmoved.weights.shared, first.weights.shared);
        assert_eq!(unmoved.encoding, first.encoding);
        let on = model(&from(&job, first));
        assert!(loss(&on, &data) < before - 1e-3, "{kind:?}");
    }
}

/// Values of libsvm are trained in units that rows tell: going on with rows of others keeps the weights.
#[test]
fn units_of_other_rows_change_no_prediction() {
    let folder = folder();
    let rows = |scale: f64| -> String {
        let row = |i: usize| {
            let (a, b) = (scale * (1 + i % 5) as f64, scale * (1 + i % 3) as f64);
            format!("{} 1:{a} {}:{b}\n", u8::from(i % 5 > 1), 2 + i % 3)
        };
        (0..300).map(row).collect()
    };
    let (data, other) = (write(&folder, "a.svm", rows(1.0)), write(&folder, "b.svm", rows(64.0)));
    let first = model(&job(&data, &config()));
    let floats = first.weights.linear.floats().to_vec();
    let config = Config { learning_rate: Some(1e-30), learn_l2: false, ..config() };
    let on = model(&from(&job(&other, &config), first));
    assert_eq!(on.weights.linear.floats(), floats);
}

#[test]
fn what_cannot_go_on_is_refused() {
    let folder = folder();
    let data = write(&folder, "log.csv", "y,a,b\n1,u,v\n0,w,v\n1,u,x\n0,w,x\n");
    let job = job(&data, &config());
    let refused = |job: &Job| train(job, &mut |_| true).unwrap_err().to_string();
    let other = Job { config: Config { factors: Some(2), ..job.config.clone() }, ..job.clone() };
    let message = refused(&from(&other, model(&job)));
    assert_eq!(
        message,
        "the model to go on from has factors (--factors) 4: it cannot go on with another"
    );
    let label = write(&folder, "label.csv", "y,a,b\n1,u,v\n2,w,v\n");
    let message = refused(&Job { data: label.clone(), ..from(&job, model(&job)) });
    assert_eq!(message, format!("{label}: label: '2' is neither '1' nor '0'"));
    // Another schema than the model's.
    let mut ignoring = from(&job, model(&job));
    let SchemaSource::Given(schema) = &mut ignoring.schema else { unreachable!() };
    schema.columns[1].role = pairloom::schema::Role::Ignore;
    let message = refused(&ignoring);
    let why = "its columns are not those that the model to go on from was trained on";
    assert_eq!(message, format!("{data}: {why}"));
}

fn read(data: &str) -> Given<'static> {
    Given::Own(input::open(data, &OpenOptions::default()).unwrap())
}

#[test]
fn rows_are_learned_from_as_they_come() {
    let folder = folder();
    let parts: Vec<String> =
        (0..4).map(|n| write(&folder, &format!("{n}.csv"), log(n + 10))).collect();
    let test = write(&folder, "test.csv", log(99));
    let job = job(&parts[0], &config());
    let rows = Dataset::read(&job, &mut |_| true).unwrap();
    let mut learner = Learner::begin(rows, &job, &mut |_| true).unwrap();
    let mut losses = vec![loss(&learner.model().unwrap(), &test)];
    for part in &parts[1..] {
        learner.learn(read(part), part, &mut |_| true).unwrap();
        losses.push(loss(&learner.model().unwrap(), &test));
    }
    assert!(losses[3] < losses[0] - 1e-3, "{losses:?}");
    let model = learner.model().unwrap();
    let epochs: Vec<u32> = model.history.iter().map(|epoch| epoch.epoch).collect();
    assert_eq!((epochs, model.epoch), (vec![1, 2, 3, 4], 4));
}

/// The first pass is that of an epoch without anything held out.
#[test]
fn the_first_pass_is_an_epoch() {
    let folder = folder();
    let data = write(&folder, "log.csv", log(5));
    let job = job(&data, &Config { epochs: 1, ..config() });
    let rows = Dataset::read(&job, &mut |_| true).unwrap();
    let mut starts = Vec::new();
    let mut learner = Learner::begin(rows, &job, &mut |event| {
        if let Event::Start(start) = event {
            starts.push((start.train, start.valid, start.device, start.no_gpu.clone()));
        }
        true
    });
    let learner = learner.as_mut().unwrap();
    assert_eq!(bytes(&learner.model().unwrap()), bytes(&model(&job)));
    // It is told what training begins with, as of any other, and once.
    learner.learn(read(&data), &data, &mut |event| !matches!(event, Event::Start(_))).unwrap();
    assert_eq!(starts, [(1500, 0, DeviceName::Cpu, None)]);
}

#[test]
fn values_that_come_later_get_factors_if_they_have_an_id() {
    let folder = folder();
    let row = |i: usize, new: &str| format!("{},a{}{new},b{}\n", i % 2, i % 4, i % 3);
    let rows = |new: &str| (0..60).map(|i| row(i, new)).collect::<String>();
    let (one, two) = (
        write(&folder, "one.csv", format!("y,a,b\n{}", rows(""))),
        write(&folder, "two.csv", format!("y,a,b\n{}", rows("new"))),
    );
    let job = job(&one, &Config { hash_bits: Some(10), ..config() });
    let rows = Dataset::read(&job, &mut |_| true).unwrap();
    let mut learner = Learner::begin(rows, &job, &mut |_| true).unwrap();
    let used = |learner: &mut Learner| {
        let model = learner.model().unwrap();
        model.weights.factors.vectors::<f32>().filter(|v| v.iter().any(|x| *x != 0.0)).count()
    };
    let before = used(&mut learner);
    learner.learn(read(&two), &two, &mut |_| true).unwrap();
    assert_eq!([before, used(&mut learner)], [7, 11]);
}

#[test]
fn classes_may_be_known_before_they_come() {
    let folder = folder();
    let one = write(&folder, "one.csv", "y,a\nno,u\nno,v\nno,u\n");
    let two = write(&folder, "two.csv", "y,a\nyes,w\nno,v\n");
    let odd = write(&folder, "odd.csv", "y,a\nperhaps,w\n");
    let classes = Some(["yes", "no"].map(String::from).to_vec());
    let job = Job { classes, ..job(&one, &config()) };
    let rows = Dataset::read(&job, &mut |_| true).unwrap();
    let mut learner = Learner::begin(rows.clone(), &job, &mut |_| true).unwrap();
    learner.learn(read(&two), &two, &mut |_| true).unwrap();
    let before = bytes(&learner.model().unwrap());
    let refused = learner.learn(read(&odd), &odd, &mut |_| true).unwrap_err().to_string();
    assert_eq!(refused, format!("{odd}:2:1: label: 'perhaps' is neither 'yes' nor 'no'"));
    assert_eq!(bytes(&learner.model().unwrap()), before);
    for (classes, said) in [(vec!["no"], "'no'"), (vec!["no", "no"], "'no', 'no'")] {
        let classes = Some(classes.into_iter().map(String::from).collect());
        let refused = Learner::begin(rows.clone(), &Job { classes, ..job.clone() }, &mut |_| true);
        let message = format!("classes must be 2 to 1000 different labels, and not {said}");
        assert_eq!(refused.err().unwrap().to_string(), message);
    }
}

#[test]
fn rows_are_not_ranked_some_after_others() {
    let folder = folder();
    let data = write(&folder, "log.csv", "y,a,g\n1,u,1\n0,v,1\n");
    let loss = Some(pairloom::loss::Loss::Bpr);
    let mut job = job(&data, &Config { loss, ..config() });
    let hints = pairloom::schema::Hints { group: Some("g".into()), ..Default::default() };
    job.schema = SchemaSource::Infer(hints);
    let rows = Dataset::read(&job, &mut |_| true).unwrap();
    let refused = Learner::begin(rows, &job, &mut |_| true).err().unwrap().to_string();
    assert!(refused.starts_with("rows that are ranked are learned from as a whole"), "{refused}");
}
