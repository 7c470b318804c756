//! The learned L2 strengths against the formula written down again in `f64`, and against weights whose
//! variance is known.

use crate::common::{near, random};
use pairloom::backend::{Backend, Cpu, StepSettings};
use pairloom::encode::Target;
use pairloom::interaction::{Ffm, Fields, Fm, Interaction, Plan};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::{Optimizer, Penalty};
use pairloom::parallel::Threads;
use pairloom::table::Table;
use rand::{Rng, RngExt};

/// Where two fields begin, and where the second one ends: more than is summed in one go.
const STARTS: [u32; 2] = [0, 21_000];
const FEATURES: u32 = 60_000;
const FIRST: [f32; 2] = [2.0, 30.0];

fn settings(learn_l2: bool) -> StepSettings {
    StepSettings {
        loss: Loss::Logistic,
        target: Target::Binary { negative: None, positive: "1".into() },
        optimizer: Optimizer::Adagrad,
        momentum: 0.0,
        linear: true,
        penalty_linear: Penalty { l1: 0.0, l2: FIRST[0] },
        penalty_factors: Penalty { l1: 0.0, l2: FIRST[1] },
        learn_l2,
        // As often as it takes for `learned` to be one pass.
        counts: vec![1; FEATURES as usize],
        bias: true,
    }
}

/// A machine in which nothing is learned yet.
fn machine<M: Interaction>(interaction: M, settings: StepSettings, threads: usize) -> Cpu<M> {
    machine_of(1, interaction, settings, threads)
}

/// The same of so many classes.
fn machine_of<M: Interaction>(
    classes: usize,
    interaction: M,
    settings: StepSettings,
    threads: usize,
) -> Cpu<M> {
    let features = FEATURES as usize * classes;
    let weights = Weights {
        bias: vec![0.0; classes],
        linear: Table::new(features, 1, 0).unwrap(),
        factors: Table::new(features, interaction.width(), 0).unwrap(),
        shared: Vec::new(),
        fields: Fields::new(STARTS),
    };
    Cpu::new(interaction, &weights, settings, Threads::new(threads).unwrap()).unwrap()
}

/// After so many passes, with weights and sums of squared gradients by chance.
fn fill<M: Interaction>(machine: &mut Cpu<M>, passes: u64, random: &mut impl Rng) {
    let state = machine.state_mut();
    state.learned = passes * u64::from(FEATURES);
    for table in [&mut state.linear, &mut state.factors] {
        let (width, stride) = (table.width(), table.stride());
        for row in table.floats_mut().chunks_exact_mut(stride) {
            row[..width].fill_with(|| random.random_range(-1.0..1.0));
            // No row has some features.
            let most = if random.random_bool(0.1) { 0.0 } else { 50.0 };
            row[width..2 * width].fill_with(|| most * random.random::<f32>());
        }
    }
}

/// `d / l2 = (sum r w^2 + 10 d / first) / (sum r^2 + 10)` over the features and the floats of a part.
fn twin(
    table: &Table,
    features: std::ops::Range<u32>,
    part: std::ops::Range<usize>,
    [old, first, passes, dispersion]: [f64; 4],
) -> f64 {
    let (mut squares, mut known) = (10.0 * dispersion / first, 10.0);
    for id in features {
        let row = &table.floats()[id as usize * table.stride()..][..table.stride()];
        for at in part.clone() {
            let (w, sum) = (f64::from(row[at]), f64::from(row[at + table.width()]));
            let h = sum / passes / dispersion;
            let r = h / (h + old / dispersion);
            squares += r * w * w;
            known += r * r;
        }
    }
    dispersion * known / squares
}

#[test]
fn strengths_are_those_of_the_formula() {
    let mut random = random(1);
    let plan = Plan { fields: 2, ..Plan::of(4) };
    for (passes, dispersion) in [(1, 1.0), (3, 1.0), (5, 0.4)] {
        let mut machine = machine(Ffm::<[f32; 4]>::new(&plan), settings(true), 1);
        fill(&mut machine, passes, &mut random);
        let mut expected = machine.state().strengths.clone();
        assert_eq!(expected, [2.0, 30.0, 30.0, 2.0, 30.0, 30.0]);
        for _ in 0..2 {
            let state = machine.state();
            for (field, range) in [STARTS[0]..STARTS[1], STARTS[1]..FEATURES].iter().enumerate() {
                for at in 0..3 {
                    let strength = &mut expected[3 * field + at];
                    let (table, part, first) = match at {
                        0 => (&state.linear, 0..1, FIRST[0]),
                        _ => (&state.factors, 4 * (at - 1)..4 * at, FIRST[1]),
                    };
                    let others =
                        [f64::from(*strength), f64::from(first), passes as f64, dispersion];
                    *strength = twin(table, range.clone(), part, others) as f32;
                }
            }
            machine.learn_strengths(dispersion).unwrap();
            for (&found, &expected) in machine.state().strengths.iter().zip(&expected) {
                let (found, expected) = (f64::from(found), f64::from(expected));
                assert!(near(found, expected, 1e-5, expected), "{found}, {expected}");
            }
        }
    }
}

#[test]
fn strengths_do_not_depend_on_the_number_of_threads() {
    let strengths = [1, 2, 5].map(|threads| {
        let mut machine = machine(Fm::<[f32; 8]>::new(&Plan::of(8)), settings(true), threads);
        fill(&mut machine, 2, &mut random(2));
        machine.learn_strengths(1.0).unwrap();
        machine.state().strengths.clone()
    });
    assert_eq!(strengths[0], strengths[1]);
    assert_eq!(strengths[0], strengths[2]);
}

/// Each class has the strengths that it has alone.
#[test]
fn classes_have_strengths_of_their_own() {
    const CLASSES: usize = 3;
    let fm = || Fm::<[f32; 4]>::new(&Plan::of(4));
    let mut all = machine_of(CLASSES, fm(), settings(true), 2);
    fill(&mut all, 2, &mut random(6));
    all.learn_strengths(1.0).unwrap();
    for class in 0..CLASSES {
        let mut alone = machine(fm(), settings(true), 1);
        let state = alone.state_mut();
        state.learned = all.state().learned;
        let tables =
            [(&mut state.linear, &all.state().linear), (&mut state.factors, &all.state().factors)];
        for (to, from) in tables {
            let stride = to.stride();
            let mine = from.floats().chunks(stride).skip(class).step_by(CLASSES);
            to.floats_mut()
                .chunks_mut(stride)
                .zip(mine)
                .for_each(|(to, from)| to.copy_from_slice(from));
        }
        alone.learn_strengths(1.0).unwrap();
        for (field, strengths) in alone.state().strengths.chunks(2).enumerate() {
            let at = 2 * (field * CLASSES + class);
            assert_eq!(all.state().strengths[at..at + 2], *strengths, "{class} {field}");
        }
    }
}

/// Weights of known variance, seen as well as chance will have it and drawn towards 0 by the strengths,
/// again and again: these come to one over the variance.
#[test]
fn strengths_come_to_one_over_the_variance() {
    let mut random = random(3);
    let mut normal = move || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
    let deviations = [0.15f32, 0.6];
    // Begun so near that what is made up does not matter.
    let settings = StepSettings { penalty_linear: Penalty { l1: 0.0, l2: 15.0 }, ..settings(true) };
    let mut machine = machine(Fm::<[f32; 8]>::new(&Plan::of(8)), settings, 1);
    machine.state_mut().learned = u64::from(FEATURES);
    let field = |id: u32| usize::from(id >= STARTS[1]);
    // A weight is seen with the error of its rows: `h` of them.
    let seen: Vec<(f32, f32)> = (0..FEATURES)
        .map(|id| {
            let h = (3.0 * normal()).exp();
            (deviations[field(id)] * normal() + normal() / h.sqrt(), h)
        })
        .collect();
    for _ in 0..12 {
        let state = machine.state_mut();
        for (id, &(w, h)) in (0..).zip(&seen) {
            let l2 = state.strengths[2 * field(id)];
            let at = id as usize * state.linear.stride();
            state.linear.floats_mut()[at..at + 2].copy_from_slice(&[w * h / (h + l2), h]);
        }
        machine.learn_strengths(1.0).unwrap();
    }
    for (strengths, deviation) in machine.state().strengths.chunks(2).zip(deviations) {
        let expected = 1.0 / f64::from(deviation * deviation);
        assert!(
            (f64::from(strengths[0]) / expected - 1.0).abs() < 0.1,
            "{strengths:?}, {expected}"
        );
        // Nothing is known of the factors.
        assert_eq!(strengths[1], FIRST[1]);
    }
}

#[test]
fn strengths_that_are_not_to_be_learned_stay() {
    let mut random = random(4);
    let none = Penalty::default();
    let kept = settings(false);
    let zero = StepSettings { penalty_linear: none, penalty_factors: none, ..settings(true) };
    for settings in [kept, zero] {
        let mut machine = machine(Fm::<[f32; 8]>::new(&Plan::of(8)), settings, 1);
        fill(&mut machine, 2, &mut random);
        let before = machine.state().strengths.clone();
        machine.learn_strengths(1.0).unwrap();
        assert_eq!(machine.state().strengths, before);
    }
}

/// Labels that are all alike and predicted so leave no dispersion.
#[test]
fn nothing_to_learn_from_leaves_strengths_that_are_numbers() {
    let mut machine = machine(Fm::<[f32; 8]>::new(&Plan::of(8)), settings(true), 1);
    machine.state_mut().learned = u64::from(FEATURES);
    let before = machine.state().strengths.clone();
    machine.learn_strengths(0.0).unwrap();
    for (found, before) in machine.state().strengths.iter().zip(&before) {
        assert!(near(f64::from(*found), f64::from(*before), 1e-5, 1.0), "{found} {before}");
    }
}
