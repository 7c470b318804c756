//! Factors in bfloat16: rounding against its definition in `f64`, a step against that of 32-bit
//! floats, what the smaller numbers cost in log loss, and files and checkpoints of them.

use crate::common;
use crate::common::{
    bytes, clicks, folder, job, model, path, plain_config, random, trained, write,
};
use pairloom::backend::{Backend, Cpu, StepSettings};
use pairloom::batch::Rows;
use pairloom::encode::Target;
use pairloom::fit::Checkpoints;
use pairloom::interaction::{Fm, Interaction, Plan};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::{Optimizer, Penalty};
use pairloom::parallel::Threads;
use pairloom::precision::{Bf16, Chance, Precision, Stored};
use pairloom::synth::SynthConfig;
use pairloom::table::Table;
use pairloom::train::{Job, train};
use pairloom::{Config, Model};
use rand::RngExt;
use std::time::Duration;

/// The neighbours of a number among bfloat16s: it towards 0, and the next one away from it.
fn neighbours(number: f32) -> [f32; 2] {
    let towards = number.to_bits() & 0xFFFF_0000;
    [f32::from_bits(towards), f32::from_bits(towards + 0x1_0000)]
}

fn numbers() -> impl Iterator<Item = f32> {
    let mut random = random(5);
    let any = move |_| f32::from_bits(random.random::<u32>() % 0x7F00_0000);
    (0..3000).map(any).flat_map(|x| [x, -x]).chain([0.0, -0.0, 1.0, 1e-40])
}

fn closed(number: f32, chance: Chance) -> Bf16 {
    let mut kept = [Bf16::default()];
    Bf16::close(&mut kept, &[number], chance);
    kept[0]
}

#[test]
fn nothing_is_nearer_than_the_nearest() {
    for number in numbers() {
        let far = |other: f32| (f64::from(other) - f64::from(number)).abs();
        let found = Bf16::nearest(number);
        let [a, b] = neighbours(number).map(far);
        assert!(far(found.load()) == a.min(b), "{number:e} became {:e}", found.load());
        assert!(a != b || found.0 % 2 == 0, "{number:e} is between two and became the odd one");
        assert_eq!(Bf16::nearest(found.load()), found);
        assert_eq!(f32::nearest(number).load().to_bits(), number.to_bits());
    }
}

#[test]
fn rounding_by_chance_is_right_on_average() {
    const TIMES: u64 = 400;
    let mut off = 0.0;
    let mut tried = 0.0;
    for (feature, number) in (0..).zip(numbers()).take(500) {
        let [a, b] = neighbours(number);
        let all: Vec<f32> =
            (1..=TIMES).map(|time| closed(number, Chance::new(time, feature)).load()).collect();
        assert!(all.iter().all(|&x| x == a || (x == b && number != a)), "{number:e}");
        let ups = all.iter().filter(|&&x| x == b && b != a).count() as f64 / TIMES as f64;
        let share = (f64::from(number) - f64::from(a)) / (f64::from(b) - f64::from(a));
        // Five deviations of so many throws.
        let most = 5.0 * (share * (1.0 - share) / TIMES as f64).sqrt() + 1e-3;
        assert!((ups - share).abs() <= most, "{number:e}: {ups} of {share}");
        (off, tried) = (off + ups - share, tried + 1.0);
    }
    assert!((off / tried).abs() < 0.005, "{off} in {tried}");
}

#[test]
fn places_of_a_vector_are_rounded_apart() {
    let half = f32::from_bits(0x3F80_8000);
    let mut ups = [0; 32];
    for time in 0..2000 {
        let mut kept = [Bf16::default(); 32];
        Bf16::close(&mut kept, &[half; 32], Chance::new(time, 77));
        kept.iter().zip(&mut ups).for_each(|(x, up)| *up += u32::from(x.load() > half));
        let mean = kept.iter().filter(|x| x.load() > half).count();
        assert!((2..=30).contains(&mean), "all of a vector go one way: {mean}");
    }
    assert!(ups.iter().all(|up| (880..=1120).contains(up)), "{ups:?}");
}

fn settings(optimizer: Optimizer, features: usize) -> StepSettings {
    StepSettings {
        loss: Loss::Logistic,
        target: Target::Binary { negative: Some("0".into()), positive: "1".into() },
        optimizer,
        momentum: 0.0,
        linear: true,
        penalty_linear: Penalty { l1: 0.1, l2: 0.1 },
        penalty_factors: Penalty { l1: 0.2, l2: 0.3 },
        counts: vec![9; features],
        learn_l2: false,
        bias: true,
    }
}

fn rows(features: u32) -> Rows {
    let mut random = random(3);
    let mut rows = Rows::new();
    for _ in 0..300 {
        (0..6).for_each(|_| rows.push(random.random_range(0..features), 1.0));
        rows.finish(f32::from(random.random::<bool>()), 1.0);
    }
    rows
}

fn weights(features: usize, width: usize, precision: Precision) -> Weights {
    let mut random = random(8);
    let mut factors = Table::of(features, width, 0, precision).unwrap();
    factors.change(|_, v| v.iter_mut().for_each(|v| *v = random.random_range(-0.5..0.5)));
    Weights::plain(0.25, Table::new(features, 1, 0).unwrap(), factors)
}

/// The twin starts each step from what is kept, steps in 32-bit floats, and rounds.
#[test]
fn a_step_is_that_of_floats_and_a_rounding() {
    const FEATURES: usize = 60;
    let (rows, threads) = (rows(FEATURES as u32), || Threads::new(1).unwrap());
    for optimizer in Optimizer::ALL {
        for width in [8, 16] {
            let settings = settings(optimizer, FEATURES);
            let of = |precision| weights(FEATURES, width, precision);
            let fm = Fm::<Vec<f32>>::new(&Plan::of(width));
            let mut half =
                Cpu::<_, Bf16>::new(fm.clone(), &of(Precision::Bf16), settings.clone(), threads())
                    .unwrap();
            let mut full =
                Cpu::<_, f32>::new(fm, &of(Precision::F32), settings, threads()).unwrap();
            for (step, batch) in [[0, 1, 2], [2, 7, 5], [0, 7, 100]].into_iter().enumerate() {
                let kept = half.state().factors.numbers::<Bf16>().to_vec();
                let floats = full.state_mut().factors.floats_mut().iter_mut();
                floats.zip(&kept).for_each(|(to, from)| *to = from.load());
                let losses = [half.step(&rows, &batch, 0.1), full.step(&rows, &batch, 0.1)];
                let losses = losses.map(Result::unwrap);
                assert_eq!(losses[0], losses[1], "{optimizer:?}");
                let stride = full.state().factors.stride();
                let met: Vec<u32> =
                    batch.iter().flat_map(|&row| rows.row(row as usize).ids.to_vec()).collect();
                for id in 0..FEATURES as u32 {
                    let range = id as usize * stride..(id as usize + 1) * stride;
                    let mut expected = kept[range.clone()].to_vec();
                    if optimizer.is_dense() || met.contains(&id) {
                        let chance = Chance::new(step as u64 + 1, id);
                        let after = &full.state().factors.floats()[range.clone()];
                        for (place, (to, from)) in (0..).zip(expected.iter_mut().zip(after)) {
                            let more = f64::from(chance.at(place)) / 65536.0;
                            let [a, b] = neighbours(*from).map(f64::from);
                            let away = (f64::from(*from) - a) / (b - a) + more >= 1.0;
                            *to = Bf16::nearest(if away { b } else { a } as f32);
                        }
                    }
                    let found = &half.state().factors.numbers::<Bf16>()[range];
                    assert_eq!(found, expected, "{optimizer:?} {width} {step} {id}");
                }
                assert_eq!(half.state().linear.floats(), full.state().linear.floats());
            }
        }
    }
}

#[test]
fn weights_that_are_kept_in_another_way_are_refused() {
    let all = weights(5, 8, Precision::Bf16);
    let threads = Threads::new(1).unwrap();
    let made = Cpu::<_, f32>::new(
        Fm::<[f32; 8]>::new(&Plan::of(8)),
        &all,
        settings(Optimizer::Adagrad, 5),
        threads,
    );
    assert!(made.err().unwrap().to_string().contains("precision"));
}

fn half(config: Config) -> Config {
    Config { precision: Precision::Bf16, ..config }
}

fn log() -> Vec<u8> {
    let cardinalities = vec![40, 300, 15, 8, 1000];
    clicks(&SynthConfig { rows: 12_000, cardinalities, ..SynthConfig::default() }).0
}

/// What it costs: on held-out rows of a planted machine less than .0005 of log loss either way. (Rounded to the nearest instead, AdaGrad's sums stop growing.)
#[test]
fn it_costs_next_to_nothing_in_log_loss() {
    let folder = folder();
    let data = write(&folder, "clicks.csv", log());
    for (optimizer, rate) in [
        (Optimizer::Adagrad, 0.05),
        (Optimizer::Adam, 0.003),
        (Optimizer::Sgd, 0.003),
        (Optimizer::Ftrl, 0.05),
    ] {
        let config = Config {
            factors: Some(8),
            optimizer,
            learning_rate: Some(rate),
            l2_linear: 1.0,
            l2_factors: Some(10.0),
            epochs: 5,
            ..plain_config()
        };
        let loss = |config| {
            let model = model(&job(&data, &config));
            model.kept_epoch().and_then(|epoch| epoch.valid.as_ref()).unwrap().loss()
        };
        let (full, half) = (loss(config.clone()), loss(half(config)));
        assert!((full - half).abs() < 5e-4, "{optimizer:?}: {full} became {half}");
        assert!(full != half, "{optimizer:?}: nothing was rounded");
    }
}

#[test]
fn a_run_has_the_same_bytes_on_any_number_of_threads_and_from_a_checkpoint() {
    let folder = folder();
    let data = write(&folder, "clicks.csv", common::small_clicks(700));
    for optimizer in Optimizer::ALL {
        let l1_factors = if optimizer == Optimizer::Ftrl { 0.3 } else { 0.0 };
        let config =
            half(Config { optimizer, l1_factors, learning_rate: Some(0.02), ..plain_config() });
        let plain = job(&data, &config);
        let expected = bytes(&model(&plain));
        for threads in [2, 4] {
            assert!(bytes(&model(&Job { threads, ..plain.clone() })) == expected);
        }
        let (path, every) = (path(&folder, "checkpoint"), Duration::ZERO);
        let _ = std::fs::remove_file(&path);
        let checkpoints = Some(Checkpoints { path, every, resume: false });
        let mut job = Job { checkpoints, ..plain };
        let mut heard = 0;
        train(&job, &mut |_| {
            heard += 1;
            heard < 16
        })
        .unwrap();
        job.checkpoints.as_mut().unwrap().resume = true;
        assert!(bytes(&trained(&job).model.unwrap()) == expected, "{optimizer:?}");
        // What was begun in 16 bits cannot go on in 32.
        job.config.precision = Precision::F32;
        let refusal = common::refusal(&job);
        assert!(refusal.contains("precision is bf16 in it and f32 here"), "{refusal}");
    }
}

#[test]
fn a_model_file_takes_half_and_says_the_same() {
    let folder = folder();
    let data = write(&folder, "clicks.csv", log());
    for factors in [0, 3, 16, 17] {
        let config = Config { factors: Some(factors), epochs: 1, ..plain_config() };
        let (full, model) = (model(&job(&data, &config)), model(&job(&data, &half(config))));
        let file = path(&folder, "model");
        model.save(&file).unwrap();
        let loaded = Model::load(&file).unwrap();
        assert_eq!(loaded.config.precision, Precision::Bf16);
        let kept = |model: &Model| model.weights.factors.numbers::<Bf16>().to_vec();
        assert_eq!(kept(&loaded), kept(&model));
        assert!(loaded.weights.factors.floats().is_empty());
        let saved = bytes(&full).len() as i64 - bytes(&model).len() as i64;
        let expected = 2 * (model.encoding.features() * factors) as i64;
        assert!((saved - expected).abs() < 64, "{saved} {expected}");
        assert!(bytes(&loaded) == std::fs::read(&file).unwrap());
    }
}
