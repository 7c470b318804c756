//! Whole numbers under names that do not tell: ids become categories where the label shows it, and
//! quantities stay numbers.

use crate::common::{random, raw_rows};
use pairloom::input::{Format, RawRow};
use pairloom::schema::{Hints, Role, infer};
use rand::RngExt;
use rand_distr::{Distribution, Exp, Normal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What rows of a column are drawn from: a value, and the log-odds of its label.
type Draw<'a> = &'a dyn Fn(&mut Xoshiro256PlusPlus) -> (i64, f64);

/// The role of a column `v` of so many rows, beside its reason.
fn role(seed: u64, rows: usize, label: &dyn Fn(f64, f64) -> String, draw: Draw) -> (Role, String) {
    let mut random = random(seed);
    let line = |_| {
        let (value, log_odds) = draw(&mut random);
        let chance = random.random::<f64>();
        format!("{},{value}\n", label(chance, log_odds))
    };
    let text: String = (0..rows).map(line).collect();
    let format = Format::Csv { delimiter: ',', header: true };
    let (names, rows) = raw_rows("rows", &format!("label,v\n{text}"), format);
    let rows: Vec<&RawRow> = rows.iter().collect();
    let mut schema = infer(format, &names, &[], &rows, true, &Hints::default()).unwrap();
    let column = schema.columns.swap_remove(1);
    (column.role, column.why)
}

fn yes_or_no(chance: f64, log_odds: f64) -> String {
    (if chance < 1.0 / (1.0 + (-log_odds).exp()) { "yes" } else { "no" }).into()
}

/// A rating around 3, with noise of the same size as a log-odds of 1.
fn rating(chance: f64, effect: f64) -> String {
    format!("{:.1}", 3.0 + effect + 3.4 * (chance - 0.5))
}

fn effects(seed: u64, count: usize, spread: f64) -> Vec<f64> {
    let normal = Normal::new(0.0, spread).unwrap();
    let mut random = random(seed);
    (0..count).map(|_| normal.sample(&mut random)).collect()
}

#[test]
fn ids_are_told_by_the_label() {
    for seed in 0..4 {
        // Ids of (count, spread of effects), in samples of so many rows.
        for (ids, spread, rows) in [
            (20, 1.0, 10_000),
            (200, 1.0, 10_000),
            (200, 1.0, 3_000),
            (1000, 1.0, 10_000),
            (5000, 1.2, 10_000),
        ] {
            let effects = effects(100 + seed, ids, spread);
            let draw = |random: &mut Xoshiro256PlusPlus| {
                let id = random.random_range(0..ids);
                (1000 + 3 * id as i64, effects[id] - 1.0)
            };
            for label in [&yes_or_no as &dyn Fn(f64, f64) -> String, &rating] {
                let (role, why) = role(seed, rows, label, &draw);
                assert_eq!(role, Role::Categorical, "{ids} ids, {rows} rows, {seed}: {why}");
            }
        }
    }
}

#[test]
fn ids_that_say_nothing_are_left_alone() {
    for seed in 0..20 {
        for (ids, rows) in [(60, 120), (100, 1000), (200, 10_000), (5000, 10_000)] {
            let draw = |random: &mut Xoshiro256PlusPlus| (random.random_range(0..ids), -1.0);
            let (_, why) = role(seed, rows, &yes_or_no, &draw);
            assert!(!why.contains("label"), "{ids} ids, {rows} rows, {seed}: {why}");
        }
    }
}

#[test]
fn quantities_stay_numbers() {
    fn age(random: &mut Xoshiro256PlusPlus) -> i64 {
        let age: f64 = Normal::new(45.0, 15.0).unwrap().sample(random);
        age.clamp(18.0, 95.0) as i64
    }
    fn long_tail(random: &mut Xoshiro256PlusPlus, mean: f64) -> i64 {
        Exp::new(1.0 / mean).unwrap().sample(random) as i64
    }
    let regions = effects(1, 100, 1.0);
    let or_missing = |random: &mut Xoshiro256PlusPlus| match random.random_range(0..10) {
        0 => (999, 1.5),
        _ => (age(random), -1.5),
    };
    let at_random =
        |random: &mut Xoshiro256PlusPlus, range: std::ops::Range<i64>| random.random_range(range);
    let quantities: [(&str, Draw); 11] = [
        ("age", &|random| {
            let x = age(random);
            (x, x as f64 / 15.0 - 3.0)
        }),
        ("young and old", &|random| {
            let x = age(random);
            (x, (x as f64 - 45.0).abs() / 15.0 - 2.0)
        }),
        ("of age", &|random| {
            let x = age(random);
            (x, if x >= 65 { 0.5 } else { -1.0 })
        }),
        ("or missing", &or_missing),
        ("count", &|random| {
            let x = long_tail(random, 40.0);
            (x, (1.0 + x as f64).ln() - 3.0)
        }),
        ("price in cents", &|random| {
            let x = long_tail(random, 2000.0);
            (x, 1.0 - x as f64 / 1500.0)
        }),
        ("year", &|random| {
            let x = 2013 - long_tail(random, 20.0);
            (x, (x - 1990) as f64 / 20.0)
        }),
        ("time of day", &|random| {
            let x = at_random(random, 5..24) * 100 + at_random(random, 0..60);
            (x, 2.0 * (x as f64 / 300.0).sin())
        }),
        ("post code of a region", &|random| {
            let x = at_random(random, 1000..100_000);
            (x, regions[x as usize / 1000])
        }),
        ("moment", &|random| {
            let x = at_random(random, 1_000_000_000..1_010_000_000);
            (x, (x as f64 / 1e6).sin())
        }),
        ("noise", &|random| (age(random), -1.0)),
    ];
    for (what, draw) in quantities {
        for seed in 0..4 {
            for rows in [150, 400, 1000, 10_000] {
                for label in [&yes_or_no as &dyn Fn(f64, f64) -> String, &rating] {
                    let (role, why) = role(seed, rows, label, draw);
                    assert!(!why.contains("label"), "{what}, {rows} rows, {seed}: {why}");
                    // In few rows there are few different numbers.
                    assert!(rows < 1000 || role == Role::Numeric, "{what}, {rows}, {seed}: {why}");
                }
            }
        }
    }
}
