//! What holds for every model of the family: a step goes down the gradient of the loss, whatever the
//! numbers belong to; the way from rows to a file and back; and what sizes are refused.

use crate::common::{near, random};
use pairloom::backend::{Backend, Cpu, State, StepSettings};
use pairloom::batch::Rows;
use pairloom::config::Config;
use pairloom::encode::Target;
use pairloom::interaction::{
    Dplr, Ffm, Fields, Fm, Fmfm, Fwfm, Hofm, Interaction, Kind, Linear, Mf, Plan,
};
use pairloom::loss::Loss;
use pairloom::model::{Model, Weights};
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::precision::Precision;
use pairloom::train::{Job, train};
use rand::RngExt;
use std::fmt::Write as _;

/// Ids of each of two or four fields.
const IDS: u32 = 6;

fn settings(kind: Kind) -> Config {
    Config {
        model: kind,
        factors: Some(5),
        optimizer: Optimizer::Sgd,
        init_stdev: Some(0.4),
        l2_linear: 0.0,
        l2_factors: Some(0.0),
        ..Config::default()
    }
}

/// Rows with one or two features of most fields, of two classes or more.
fn some_rows(fields: u32, classes: usize) -> Rows {
    let (mut random, mut rows) = (random(3), Rows::new());
    for _ in 0..24 {
        for field in 0..fields {
            for id in 0..IDS {
                if random.random_range(0..4) == 0 {
                    rows.push(field * IDS + id, random.random_range(-1.5..1.5));
                }
            }
        }
        rows.finish(random.random_range(0..classes.max(2)) as f32, 1.0);
    }
    rows
}

/// The loss of all rows at this state, in `f64` but for the scores.
fn loss(backend: &mut impl Backend, rows: &Rows) -> f64 {
    let scores = backend.scores(rows).unwrap();
    let of = |(scores, (label, _)): (&[f32], (f32, f32))| match scores {
        [score] => Loss::Logistic.value(f64::from(*score), f64::from(label)),
        scores => {
            let sum: f64 = scores.iter().map(|&score| f64::from(score).exp()).sum();
            sum.ln() - f64::from(scores[label as usize])
        }
    };
    scores.chunks(scores.len() / rows.len()).zip(rows.outcomes()).map(of).sum()
}

/// Any of the numbers that are learned.
fn number(state: &mut State, at: usize) -> &mut f32 {
    let State { linear, factors, bias, shared, .. } = state;
    let parts = [&mut bias[..], linear.floats_mut(), factors.floats_mut(), shared];
    parts.into_iter().flatten().nth(at).unwrap()
}

/// After one step of plain gradient descent each number has moved by the rate times the derivative of
/// the loss, taken by central differences.
fn goes_down<M: Interaction>(kind: Kind, fields: u32, classes: usize) {
    const RATE: f32 = 1e-3;
    const STEP: f32 = 0.02;
    let (target, first) = match classes {
        1 => (Target::Binary { negative: Some("0".into()), positive: "1".into() }, vec![0.1]),
        _ => {
            let names = (0..classes).map(|class| class.to_string()).collect();
            (Target::Classes { names }, (0..classes).map(|class| 0.1 * class as f32).collect())
        }
    };
    let (config, rows) = (settings(kind), some_rows(fields, classes));
    let config = Config { loss: Some(target.usual_loss()), ..config };
    let counts = vec![2; (fields * IDS) as usize];
    let starts = Fields::new((0..fields).map(|field| field * IDS));
    let weights = Weights::init(&config, &counts, starts, &first).unwrap();
    let Config { order, lower_orders, rank, .. } = config;
    let plan = Plan { fields: fields as usize, factors: 5, order, lower_orders, rank };
    let new = || {
        let settings = StepSettings::new(&config, target.clone(), counts.clone());
        Cpu::<_, f32>::new(M::new(&plan), &weights, settings, Threads::new(2).unwrap()).unwrap()
    };
    let (mut before, mut after) = (new(), new());
    let batch: Vec<u32> = (0..rows.len() as u32).collect();
    after.step(&rows, &batch, RATE).unwrap();
    let State { linear, factors, bias, shared, .. } = before.state();
    let all = bias.len() + linear.floats().len() + factors.floats().len() + shared.len();
    let mut random = random(5);
    let mut moved = 0;
    for turn in 0..150 {
        // The last ones are the shared numbers, which are few.
        let at = if turn < 30 { all - 1 - turn % all } else { random.random_range(0..all) };
        let first = *number(before.state_mut(), at);
        let mut loss_at = |x: f32| {
            *number(before.state_mut(), at) = x;
            loss(&mut before, &rows)
        };
        let slope = (loss_at(first + STEP) - loss_at(first - STEP)) / f64::from(2.0 * STEP);
        loss_at(first);
        let found = f64::from(first - *number(after.state_mut(), at)) / f64::from(RATE);
        assert!(near(found, slope, 4e-3, slope.abs().max(1.0)), "{kind:?} {at}: {found} {slope}");
        moved += usize::from(slope.abs() > 0.01);
    }
    assert!(moved > 20, "{kind:?}: {moved}");
}

#[test]
fn a_step_goes_down_the_gradient_of_the_loss() {
    for classes in [1, 3] {
        goes_down::<Linear<Vec<f32>>>(Kind::Linear, 4, classes);
        goes_down::<Mf<[f32; 8]>>(Kind::Mf, 2, classes);
        goes_down::<Fm<[f32; 8]>>(Kind::Fm, 4, classes);
        goes_down::<Ffm<[f32; 8]>>(Kind::Ffm, 4, classes);
        goes_down::<Fwfm<[f32; 8]>>(Kind::Fwfm, 4, classes);
        goes_down::<Dplr<[f32; 8]>>(Kind::Dplr, 4, classes);
        goes_down::<Fmfm<[f32; 8]>>(Kind::Fmfm, 4, classes);
        goes_down::<Hofm<[f32; 8]>>(Kind::Hofm, 4, classes);
    }
}

/// A file of clicks on items by users, which depend on both together, in so many columns.
fn file(folder: &tempfile::TempDir, columns: usize) -> String {
    let mut random = random(11);
    let names: Vec<String> = (0..columns).map(|c| format!("c{c}")).collect();
    let mut text = format!("click,{}\n", names.join(","));
    for _ in 0..600 {
        let values: Vec<u32> = (0..columns).map(|_| random.random_range(0..7)).collect();
        let even = (values[0] + values[1]).is_multiple_of(2);
        let click = u8::from(if random.random_range(0..10) == 0 { !even } else { even });
        let cells: Vec<String> = values.iter().map(|value| format!("v{value}")).collect();
        writeln!(text, "{click},{}", cells.join(",")).unwrap();
    }
    let path = folder.path().join(format!("clicks{columns}.csv"));
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

fn job(kind: Kind, folder: &tempfile::TempDir) -> Job {
    let mut job = Job::new(file(folder, if kind == Kind::Mf { 2 } else { 3 }));
    job.config.model = kind;
    job.config.factors = Some(6);
    job.config.epochs = 12;
    job.threads = 1;
    job
}

fn saved(job: &Job, folder: &tempfile::TempDir) -> (Model, Vec<u8>) {
    let path = folder.path().join("model").to_string_lossy().into_owned();
    let model = train(job, &mut |_| true).unwrap().model.unwrap();
    model.save(&path).unwrap();
    (Model::load(&path).unwrap(), std::fs::read(&path).unwrap())
}

#[test]
fn every_model_goes_from_rows_to_a_file_and_back() {
    let folder = tempfile::tempdir().unwrap();
    for &kind in Kind::ALL {
        for precision in [Precision::F32, Precision::Bf16] {
            let mut job = job(kind, &folder);
            job.config.precision = precision;
            let trained = train(&job, &mut |_| true).unwrap();
            let (rows, model) = (trained.valid, trained.model.unwrap());
            let (loaded, bytes) = saved(&job, &folder);
            let threads = Threads::new(1).unwrap();
            let predict = |model: &Model| {
                rows.predictions(|rows| Ok(model.predict(rows, &threads))).unwrap().0
            };
            assert_eq!(predict(&model), predict(&loaded), "{kind:?}");
            job.threads = 3;
            assert!(saved(&job, &folder).1 == bytes, "{kind:?}: threads");
            // Only pairs tell: without any, nothing is better than a constant.
            let found = model.kept_epoch().unwrap().valid.as_ref().unwrap().loss();
            assert_eq!(found < 0.6, kind != Kind::Linear, "{kind:?}: {found}");
        }
    }
}

#[test]
fn every_model_takes_every_loss_and_optimizer() {
    let folder = tempfile::tempdir().unwrap();
    for &kind in Kind::ALL {
        for optimizer in Optimizer::ALL {
            for loss in Loss::pointwise() {
                let mut job = job(kind, &folder);
                (job.config.optimizer, job.config.loss) = (optimizer, Some(loss));
                (job.config.patience, job.config.epochs) = (0, 4);
                let model = train(&job, &mut |_| true).unwrap().model.unwrap();
                let losses: Vec<f64> = model.history.iter().map(|e| e.train_loss).collect();
                let what = format!("{kind:?} {optimizer:?} {loss:?}: {losses:?}");
                assert!(model.weights.is_finite() && losses.len() == 4, "{what}");
                assert!(losses[3] < losses[0], "{what}");
            }
        }
    }
}

#[test]
fn without_factors_every_model_is_linear() {
    let folder = tempfile::tempdir().unwrap();
    let weights = |kind| {
        let mut job = job(kind, &folder);
        job.config.factors = Some(0);
        saved(&job, &folder).0.weights
    };
    let linear = weights(Kind::Linear);
    for &kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Mf) {
        let found = weights(kind);
        assert_eq!(found.linear.floats(), linear.linear.floats(), "{kind:?}");
        assert!(found.shared.is_empty() && found.factors.floats().is_empty());
    }
}

#[test]
fn models_over_fields_ask_for_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.libsvm").to_string_lossy().into_owned();
    std::fs::write(&path, "1 1:1 2:1\n0 3:1\n".repeat(50)).unwrap();
    for &kind in Kind::ALL {
        let mut job = Job::new(&path);
        job.config.model = kind;
        let error = train(&job, &mut |_| true).err().map(|error| error.to_string());
        let by_fields = !matches!(kind, Kind::Linear | Kind::Fm | Kind::Hofm);
        assert_eq!(error.is_some(), by_fields, "{kind:?}: {error:?}");
        assert!(error.is_none_or(|error| error.contains("--model") && error.contains("fields")));
    }
}

#[test]
fn an_order_above_the_features_of_a_row_adds_nothing() {
    let plan = Plan { order: 4, lower_orders: false, ..Plan::of(3) };
    let kernel = Hofm::<[f32; 4]>::new(&plan);
    let mut sums = kernel.zero();
    for x in [1.0, -0.5, 2.0] {
        kernel.absorb(&[1.0f32, 2.0, 3.0, 0.0], 0, x, &mut sums);
    }
    assert_eq!(kernel.score(&[], &mut sums), 0.0);
}

/// A log of libffm in which each row has some of many fields.
fn many_fields(folder: &tempfile::TempDir) -> String {
    let (mut random, mut text) = (random(4), String::new());
    for _ in 0..120 {
        let first = random.random_range(0..960);
        let pairs = (first..first + 40).map(|field| format!(" {field}:{}:1", field % 3));
        writeln!(text, "{}{}", random.random_range(0..2), pairs.collect::<String>()).unwrap();
        // A row without features has the bias for a score.
        writeln!(text, "1").unwrap();
    }
    let path = folder.path().join("many.libffm").to_string_lossy().into_owned();
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn odd_sizes_work_and_impossible_ones_are_refused_before_they_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = many_fields(&folder);
    let trained = |kind, factors, order| {
        let mut job = Job::new(&path);
        job.config = Config { model: kind, factors: Some(factors), order, ..job.config };
        (job.config.epochs, job.config.batch_size) = (1, Some(8));
        train(&job, &mut |_| true).map_err(|error| error.to_string())
    };
    let kinds = [Kind::Linear, Kind::Fm, Kind::Fwfm, Kind::Dplr, Kind::Hofm];
    for (kind, factors) in kinds.into_iter().flat_map(|kind| [1, 513].map(|k| (kind, k))) {
        let model = trained(kind, factors, 50).unwrap().model.unwrap();
        assert!(model.weights.is_finite(), "{kind:?} {factors}");
    }
    assert!(trained(Kind::Ffm, 1, 3).unwrap().model.is_some());
    for (kind, factors, said) in [
        (Kind::Ffm, 65536, "vectors of 65536 factors needs"),
        (Kind::Fmfm, 4096, "of memory"),
        (Kind::Fm, 65537, "at most 65536"),
    ] {
        let error = trained(kind, factors, 3).unwrap_err();
        assert!(error.contains(said), "{kind:?}: {error}");
    }
    assert!(trained(Kind::Hofm, 4, 65).unwrap_err().contains("from 2 to 64"));
    assert!(trained(Kind::Mf, 4, 3).unwrap_err().contains("two fields"));
}
