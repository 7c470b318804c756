//! The arithmetic of models and losses against slow twins in `f64` that are written as the papers
//! are: every interaction runs through one suite. No figure here is a recorded one; all come from
//! the twins or from finite differences of them.

use crate::common::{near, random};
use pairloom::batch::Rows;
use pairloom::interaction::{Dplr, Ffm, Fm, Fmfm, Fwfm, Hofm, Interaction, Mf, Plan, Side, Sides};
use proptest::prelude::*;
use rand::RngExt;
use rand::seq::SliceRandom;

/// What 32-bit arithmetic may differ by, as a share of the sum of the absolute terms.
const SINGLE: f64 = 2e-5;

/// One feature of a row: its vectors without padding, its field and its value.
#[derive(Clone)]
struct Feature {
    vectors: Vec<Vec<f64>>,
    field: usize,
    x: f64,
}

/// A row, and what belongs to no feature.
#[derive(Clone)]
struct Case {
    row: Vec<Feature>,
    shared: Vec<f64>,
    plan: Plan,
}

/// A model as its paper defines it: what it adds to the score.
type Twin = fn(&Case) -> f64;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The sum over all pairs of features of `of(i, j) x_i x_j`.
fn over_pairs(case: &Case, of: impl Fn(&Feature, &Feature) -> f64) -> f64 {
    let row = &case.row;
    let with_later =
        |(i, a): (usize, &Feature)| row[i + 1..].iter().map(|b| of(a, b) * a.x * b.x).sum::<f64>();
    row.iter().enumerate().map(with_later).sum()
}

/// Rendle 2010, equation 1.
fn fm(case: &Case) -> f64 {
    over_pairs(case, |a, b| dot(&a.vectors[0], &b.vectors[0]))
}

/// Koren, Bell, Volinsky 2009, equation 4, for any number of features in the two fields.
fn mf(case: &Case) -> f64 {
    over_pairs(case, |a, b| match a.field == b.field {
        true => 0.0,
        false => dot(&a.vectors[0], &b.vectors[0]),
    })
}

/// Juan et al. 2016, equation 4.
fn ffm(case: &Case) -> f64 {
    over_pairs(case, |a, b| dot(&a.vectors[b.field], &b.vectors[a.field]))
}

/// Pan et al. 2018, equation 6, with the strengths as a triangle.
fn fwfm(case: &Case) -> f64 {
    over_pairs(case, |a, b| {
        let (less, more) = (a.field.min(b.field), a.field.max(b.field));
        case.shared[more * (more + 1) / 2 + less] * dot(&a.vectors[0], &b.vectors[0])
    })
}

/// Shtoff et al. 2024, equation 5: `e`, then the rows of `U`.
fn dplr(case: &Case) -> f64 {
    let Plan { rank, fields, .. } = case.plan;
    let (e, u) = case.shared.split_at(rank);
    over_pairs(case, |a, b| {
        let of = |t: usize| e[t] * u[t * fields + a.field] * u[t * fields + b.field];
        let strength: f64 = (0..rank).map(of).sum();
        if a.field == b.field { 0.0 } else { strength * dot(&a.vectors[0], &b.vectors[0]) }
    })
}

/// Sun et al. 2021, equation 8: matrices by pairs of fields, with a row for each factor of the later
/// field, padded.
fn fmfm(case: &Case) -> f64 {
    let width = case.plan.width();
    over_pairs(case, |a, b| {
        let (g, f) = if a.field < b.field { (a, b) } else { (b, a) };
        if f.field == g.field {
            return 0.0;
        }
        let matrix = &case.shared[(f.field * (f.field - 1) / 2 + g.field) * width * width..];
        let row = |(at, v): (usize, &f64)| v * dot(&matrix[at * width..], &g.vectors[0]);
        f.vectors[0].iter().enumerate().map(row).sum()
    })
}

/// Blondel et al. 2016, equation 4: products over all subsets of so many features.
fn hofm(case: &Case) -> f64 {
    fn subsets(row: &[Feature], order: usize, of: &dyn Fn(&Feature) -> f64) -> f64 {
        match (order, row) {
            (0, _) => 1.0,
            (_, []) => 0.0,
            (_, [first, rest @ ..]) => {
                of(first) * subsets(rest, order - 1, of) + subsets(rest, order, of)
            }
        }
    }
    let Plan { order, lower_orders, factors, .. } = case.plan;
    let lowest = if lower_orders { 2 } else { order };
    let of = |(part, order): (usize, usize)| {
        let by_factor = |f: usize| subsets(&case.row, order, &|a| a.vectors[part][f] * a.x);
        (0..factors).map(by_factor).sum::<f64>()
    };
    (lowest..=order).enumerate().map(of).sum()
}

impl Case {
    /// A row whose numbers are exact in 32 bits, of features in any order.
    fn random<M: Interaction>(random: &mut impl RngExt, plan: Plan, features: usize) -> Self {
        const VALUES: [f32; 6] = [0.0, 1.0, 1.0, -1.0, 0.5, -2.25];
        let mut row = Vec::new();
        for _ in 0..features {
            let wild: f32 = random.random_range(-3.0..3.0);
            let x = if random.random::<bool>() { VALUES[random.random_range(0..6)] } else { wild };
            let mut vector = |_| {
                let numbers = (0..plan.factors).map(|_| random.random_range(-1.0f32..1.0));
                numbers.map(f64::from).collect()
            };
            let vectors = (0..M::parts(&plan)).map(&mut vector).collect();
            let field = random.random_range(0..plan.fields.max(1));
            row.push(Feature { vectors, field, x: f64::from(x) });
        }
        let mut near = |first: f32| f64::from(first + random.random_range(-1.0f32..1.0));
        let shared = (0..M::shared(&plan)).map(|at| near(M::first(&plan, at))).collect();
        Case { row, shared, plan }
    }

    /// All numbers without their signs.
    fn absolute(&self) -> Case {
        let mut case = self.clone();
        case.shared.iter_mut().for_each(|s| *s = s.abs());
        for feature in &mut case.row {
            feature.vectors.iter_mut().flatten().for_each(|v| *v = v.abs());
            feature.x = feature.x.abs();
        }
        case
    }

    fn shared(&self) -> Vec<f32> {
        self.shared.iter().map(|&s| s as f32).collect()
    }

    /// The vectors of a feature with their padding.
    fn padded(&self, at: usize) -> Vec<f32> {
        let mut all = Vec::new();
        for vector in &self.row[at].vectors {
            all.extend(vector.iter().map(|&v| v as f32));
            all.resize(all.len().next_multiple_of(self.plan.width().max(1)), 0.0);
        }
        all
    }

    fn absorbed<M: Interaction>(&self, kernel: &M, places: &[usize], sums: &mut M::Sums) {
        for &at in places {
            let Feature { field, x, .. } = self.row[at];
            kernel.absorb(&self.padded(at), field, x as f32, sums);
        }
    }

    fn score<M: Interaction>(&self, kernel: &M, places: &[usize]) -> (f32, M::Sums) {
        let mut sums = kernel.zero();
        self.absorbed(kernel, places, &mut sums);
        (kernel.score(&self.shared(), &mut sums), sums)
    }

    /// What the terms of the score add up to without their signs. Squares are added and taken away
    /// again by most kernels, and rounded.
    fn terms(&self, twin: Twin) -> f64 {
        let absolute = self.absolute();
        let strength = absolute.shared.iter().fold(1.0f64, |most, s| most.max(*s));
        let squares =
            |f: &Feature| f.vectors.iter().flatten().map(|v| (v * f.x).powi(2)).sum::<f64>();
        twin(&absolute) + strength * absolute.row.iter().map(squares).sum::<f64>()
    }
}

/// The derivative of a twin's score by one number of a case, by central differences. A score is of
/// degree 2 in each number at the most, and so they are exact but for rounding.
fn derivative(case: &Case, twin: Twin, number: impl Fn(&mut Case) -> &mut f64) -> f64 {
    const STEP: f64 = 1e-2;
    let moved = |step: f64| {
        let mut case = case.clone();
        *number(&mut case) += step;
        twin(&case)
    };
    (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
}

/// All checks of one kernel beside its twin.
fn check<M: Interaction>(name: &str, plan: Plan, twin: Twin, most: usize) {
    let (mut random, kernel) = (random(plan.factors as u64), M::new(&plan));
    assert_eq!(kernel.width(), M::parts(&plan) * plan.width(), "{name}");
    for features in 0..most {
        let name = format!("{name}, {plan:?}, {features} features");
        let case = Case::random::<M>(&mut random, plan, features);
        let places: Vec<usize> = (0..features).collect();
        let (score, sums) = case.score(&kernel, &places);
        let terms = case.terms(twin);
        assert!(near(f64::from(score), twin(&case), SINGLE, terms), "{name}: score");
        if features < 12 || features % 8 == 3 {
            check_parts(&name, &kernel, &case, twin);
        }
        check_orders(&name, &kernel, &case, terms, &mut random);
        check_sides(&name, &kernel, &case, twin, &mut random);
        check_backward(&name, &kernel, &case, twin, &sums, &mut random);
        check_shared(&name, &kernel, &case, twin, &sums, &mut random);
    }
}

/// What the kernel says of pairs and of longer products adds up to the twin's score, in any order of a pair.
fn check_parts<M: Interaction>(name: &str, kernel: &M, case: &Case, twin: Twin) {
    const DOUBLE: f64 = 1e-12;
    let (shared, row) = (case.shared(), &case.row);
    let vectors: Vec<Vec<f32>> = (0..row.len()).map(|at| case.padded(at)).collect();
    let pair = |i: usize, j: usize| {
        let [one, other] = [i, j].map(|at| (&vectors[at][..], row[at].field));
        kernel.pair(&shared, one, other) * row[i].x * row[j].x
    };
    let features: Vec<_> =
        (0..row.len()).map(|at| (&vectors[at][..], row[at].field, row[at].x as f32)).collect();
    let products = kernel.products(&features);
    assert!(M::DEEP || products.is_empty(), "{name}: orders");
    let orders = |lowest: usize| (lowest.max(3)..=case.plan.order).collect::<Vec<_>>();
    let expected = orders(if case.plan.lower_orders { 3 } else { case.plan.order });
    let found: Vec<usize> = products.iter().map(|&(order, _)| order).collect();
    assert!(!M::DEEP || found == expected, "{name}: orders {found:?}");
    for turned in [false, true] {
        let pairs = (0..row.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        let of = |(i, j)| if turned { pair(j, i) } else { pair(i, j) };
        let sum = pairs.map(of).sum::<f64>() + products.iter().map(|part| part.1).sum::<f64>();
        let scale = case.terms(twin).max(1.0);
        assert!(near(sum, twin(case), DOUBLE, scale), "{name}: parts {sum} {}", twin(case));
    }
}

fn check_orders<M: Interaction>(
    name: &str,
    kernel: &M,
    case: &Case,
    terms: f64,
    random: &mut impl RngExt,
) {
    let mut places: Vec<usize> = (0..case.row.len()).collect();
    let (score, mut used) = case.score(kernel, &places);
    // Half of the row first, kept, and the rest later, in memory that was used: the same to the bit.
    let (first, second) = places.split_at(places.len() / 2);
    let mut sums = kernel.afresh(&mut used);
    case.absorbed(kernel, first, &mut sums);
    let mut sums = sums.clone();
    case.absorbed(kernel, second, &mut sums);
    let halves = kernel.score(&case.shared(), &mut sums);
    assert_eq!(halves.to_bits(), score.to_bits(), "{name}: halves");
    places.shuffle(random);
    let (shuffled, _) = case.score(kernel, &places);
    assert!(near(f64::from(score), f64::from(shuffled), SINGLE, terms), "{name}: order");
    let vectors: Vec<Vec<f32>> = (0..places.len()).map(|at| case.padded(at)).collect();
    let feature = |&at: &usize| (&vectors[at][..], case.row[at].field, case.row[at].x as f32);
    for what in ["at once", "in the order of fields"] {
        let mut sums = kernel.zero();
        kernel.absorb_row(places.iter().map(feature), &mut sums);
        let found = kernel.score(&case.shared(), &mut sums);
        assert!(near(f64::from(score), f64::from(found), SINGLE, terms), "{name}: {what}");
        places.sort_by_key(|&at| case.row[at].field);
    }
}

/// The product of the vectors of two sides is what both have together beyond what each has alone.
fn check_sides<M: Interaction>(
    name: &str,
    kernel: &M,
    case: &Case,
    twin: Twin,
    random: &mut impl RngExt,
) {
    let fields = case.plan.fields;
    if M::BY_FIELD && fields < 2 {
        return;
    }
    let mut is_item: Vec<bool> = (0..fields).map(|_| random.random()).collect();
    // Where fields do not count, a side is any part of the row.
    let of_item = |is_item: &[bool], at: usize| match fields {
        0 | 1 => at.is_multiple_of(2),
        _ => is_item[case.row[at].field],
    };
    if let [first, .., last] = &mut is_item[..] {
        [*first, *last] = [false, true];
    }
    let sides = Sides::new(&is_item);
    let part = |side: Side| -> Vec<usize> {
        (0..case.row.len()).filter(|&at| of_item(&is_item, at) == (side == Side::Item)).collect()
    };
    // In memory that was used for all of the row.
    let (_, mut used) = case.score(kernel, &(0..case.row.len()).collect::<Vec<_>>());
    let [(a, alone_a), (b, alone_b)] = [Side::Context, Side::Item].map(|side| {
        let mut sums = kernel.afresh(&mut used);
        case.absorbed(kernel, &part(side), &mut sums);
        let mut vector = vec![f32::NAN; kernel.half_width(&sides)];
        kernel.half(&case.shared(), &sides, side, &sums, &mut vector);
        used = sums;
        let row = part(side).iter().map(|&at| case.row[at].clone()).collect();
        (vector, twin(&Case { row, ..case.clone() }))
    });
    let product: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    let between = twin(case) - alone_a - alone_b;
    assert!(near(product, between, SINGLE, case.terms(twin)), "{name}: {product} {between}");
}

/// The gradient by a few numbers of the vectors.
fn check_backward<M: Interaction>(
    name: &str,
    kernel: &M,
    case: &Case,
    twin: Twin,
    sums: &M::Sums,
    random: &mut impl RngExt,
) {
    let (slope, Plan { factors, .. }) = (-0.75, case.plan);
    for (at, feature) in case.row.iter().enumerate() {
        // What is there before must stay: gradients of many rows are added up.
        let mut gradient = vec![0.5; kernel.width()];
        let (vector, x) = (case.padded(at), feature.x as f32);
        kernel.backward(&vector, feature.field, x, sums, slope, &mut gradient);
        kernel.own(&case.shared(), &vector, feature.field, slope * x * x, &mut gradient);
        for _ in 0..if factors == 0 { 0 } else { feature.vectors.len().min(2) } {
            let part = random.random_range(0..feature.vectors.len());
            let f = random.random_range(0..factors);
            let by =
                |case: &Case| derivative(case, twin, |case| &mut case.row[at].vectors[part][f]);
            let (exact, terms) = (f64::from(slope) * by(case), by(&case.absolute()));
            let own = (feature.x * feature.x * feature.vectors[part][f]).abs();
            let found = f64::from(gradient[part * case.plan.width() + f]) - 0.5;
            assert!(
                near(found, exact, SINGLE, terms + 3.0 * own + 0.5),
                "{name}: backward {part} {f}"
            );
        }
        let padding = gradient.chunks(case.plan.width().max(1)).flat_map(|part| &part[factors..]);
        assert!(padding.into_iter().all(|&g| g == 0.5), "{name}: padding");
    }
}

/// The gradient by a few of the shared numbers.
fn check_shared<M: Interaction>(
    name: &str,
    kernel: &M,
    case: &Case,
    twin: Twin,
    sums: &M::Sums,
    random: &mut impl RngExt,
) {
    let (slope, mut gradient) = (1.5, vec![0.5; case.shared.len()]);
    kernel.backward_shared(&case.shared(), sums, slope, &mut gradient);
    for _ in 0..if gradient.is_empty() { 0 } else { 12 } {
        let at = random.random_range(0..gradient.len());
        let by = |case: &Case| derivative(case, twin, |case| &mut case.shared[at]);
        let (exact, found) = (f64::from(slope) * by(case), f64::from(gradient[at]) - 0.5);
        let terms = 2.0 * by(&case.absolute()).abs() + case.terms(fm) + 0.5;
        assert!(near(found, exact, SINGLE, terms), "{name}: shared {at}");
    }
}

const PLAN: Plan = Plan { fields: 5, factors: 8, order: 3, lower_orders: true, rank: 2 };

/// A model in vectors whose length the compiler knows, and in others.
macro_rules! check_model {
    ($model:ident, $twin:ident, $most:expr, $plans:expr) => {
        for plan in $plans {
            let name = stringify!($model);
            check::<$model<Vec<f32>>>(name, plan, $twin, $most);
            match plan.width() {
                4 => check::<$model<[f32; 4]>>(name, plan, $twin, $most),
                8 => check::<$model<[f32; 8]>>(name, plan, $twin, $most),
                16 => check::<$model<[f32; 16]>>(name, plan, $twin, $most),
                24 => check::<$model<[f32; 24]>>(name, plan, $twin, $most),
                32 => check::<$model<[f32; 32]>>(name, plan, $twin, $most),
                64 => check::<$model<[f32; 64]>>(name, plan, $twin, $most),
                _ => {}
            }
        }
    };
}

fn with_factors(all: &[usize]) -> impl Iterator<Item = Plan> {
    all.iter().map(|&factors| Plan { factors, ..PLAN })
}

#[test]
fn fm_equals_the_sum_over_pairs() {
    let factors = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 24, 31, 32, 50, 64, 100];
    check_model!(Fm, fm, 60, with_factors(&factors));
}

#[test]
fn mf_equals_the_sum_over_pairs_of_two_fields() {
    let plans = with_factors(&[1, 3, 8, 16, 100]).map(|plan| Plan { fields: 2, ..plan });
    check_model!(Mf, mf, 20, plans);
}

#[test]
fn ffm_equals_the_sum_over_pairs() {
    let plans = with_factors(&[1, 4, 7, 16, 40]);
    check_model!(Ffm, ffm, 25, plans.chain([1, 2, 9, 40].map(|fields| Plan { fields, ..PLAN })));
    // More features than are absorbed at once, most of them of a field of their own.
    check_model!(Ffm, ffm, 60, with_factors(&[4]).map(|plan| Plan { fields: 90, ..plan }));
}

#[test]
fn fwfm_equals_the_sum_over_pairs() {
    let plans = with_factors(&[1, 4, 7, 16, 40]);
    check_model!(Fwfm, fwfm, 25, plans.chain([1, 2, 9].map(|fields| Plan { fields, ..PLAN })));
}

#[test]
fn dplr_equals_the_sum_over_pairs() {
    let plans = with_factors(&[1, 4, 7, 16, 40]);
    let others = [(2, 1), (9, 3), (3, 5)].map(|(fields, rank)| Plan { fields, rank, ..PLAN });
    check_model!(Dplr, dplr, 25, plans.chain(others));
}

#[test]
fn fmfm_equals_the_sum_over_pairs() {
    // Whole registers: random numbers in the padding of matrices would be none. With padding, steps are
    // looked at in `family.rs`.
    let plans = with_factors(&[4, 8, 16, 40]);
    check_model!(Fmfm, fmfm, 25, plans.chain([1, 2, 9].map(|fields| Plan { fields, ..PLAN })));
}

#[test]
fn hofm_equals_the_sum_over_subsets() {
    let orders = [(2, true), (3, false), (4, true), (5, false)];
    let others = orders.map(|(order, lower_orders)| Plan { order, lower_orders, ..PLAN });
    check_model!(Hofm, hofm, 13, with_factors(&[1, 4, 20]).chain(others));
}

proptest! {
    /// Merging adds up the values of equal ids: `sum x` of every id stays what it was, but for those
    /// of defaults (0 and 7 here), whose greatest stays. Each id is there once, a row without
    /// duplicates is left alone, and so are the rows before.
    #[test]
    fn duplicates_are_merged(
        before in prop::collection::vec((0u32..5, -3i8..4), 0..4),
        row in prop::collection::vec((0u32..12, -3i8..4), 0..20),
    ) {
        let mut rows = Rows::new();
        before.iter().for_each(|&(id, x)| rows.push(id, f32::from(x)));
        rows.finish(1.0, 1.0);
        row.iter().for_each(|&(id, x)| rows.push(id, f32::from(x)));
        rows.merge_duplicates(|id| id % 7 == 0);
        rows.finish(0.0, 2.0);
        let expected: Vec<(u32, f32)> = before.iter().map(|&(id, x)| (id, f32::from(x))).collect();
        prop_assert_eq!(rows.row(0).features().collect::<Vec<_>>(), expected);
        let merged: Vec<(u32, f32)> = rows.row(1).features().collect();
        let mut sums = [0.0f32; 12];
        for &(id, x) in &row {
            let (sum, x) = (&mut sums[id as usize], f32::from(x));
            let is_greater = x.abs() > sum.abs();
            match id % 7 {
                0 if is_greater => *sum = x,
                0 => {}
                _ => *sum += x,
            }
        }
        let mut seen = [false; 12];
        for &(id, x) in &merged {
            prop_assert!(!std::mem::replace(&mut seen[id as usize], true));
            prop_assert_eq!(x, sums[id as usize]);
        }
        prop_assert!(row.iter().all(|&(id, _)| seen[id as usize]));
        if merged.len() == row.len() {
            let as_given: Vec<(u32, f32)> = row.iter().map(|&(id, x)| (id, f32::from(x))).collect();
            prop_assert_eq!(merged, as_given);
        }
    }
}
