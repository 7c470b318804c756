//! What exact results hang on: the selection whatever rounding does, and how far it goes.

#![allow(clippy::unwrap_used)]

use super::best::Best;
use super::contexts::for_each_piece;
use super::recommender::{Recommender, Request, Scored};
use super::sides::Whole;
use super::{Catalogue, CatalogueOptions, Columns, ContextOptions, Seen, tiles};
use crate::input::{self, Format, FormatName, OpenOptions, Reader};
use crate::interaction::Kind;
use crate::model::Model;
use crate::parallel::Threads;
use crate::schema::{Column, Role, Schema};
use crate::train::{Job, SchemaSource, train};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::cmp::Reverse;

#[test]
fn the_best_are_found_whatever_the_product_is_within_the_margin() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    for (items, step) in [(40, 0.1), (5_000, 0.002), (60_000, 0.00001), (60_000, 0.0)] {
        // Scores on a grid, so that many are equal, and a margin of several steps of it.
        let scores: Vec<f32> =
            (0..items).map(|_| random.random_range(0..1000) as f32 * step).collect();
        let (margin, own) = (7.3 * f64::from(step) + 1e-5, 2.0f32);
        let products: Vec<f32> = scores
            .iter()
            .map(|score| {
                let off = [-0.9, 0.0, 0.9][random.random_range(0..3)] * margin;
                (f64::from(*score) - f64::from(own) + off) as f32
            })
            .collect();
        let allowed = |item: u32| item % 5 != 2;
        for wanted in [1, 10, 300] {
            let mut order: Vec<u32> = (0..items).filter(|item| allowed(*item)).collect();
            order.sort_by_key(|&item| (Reverse((scores[item as usize] * 1e6) as i64), item));
            let expected: Vec<Scored> = order
                .into_iter()
                .take(wanted)
                .map(|item| Scored { item, score: scores[item as usize] })
                .collect();
            let score = |item: u32| scores[item as usize];
            let part = |from: usize, to: usize| {
                let mut best = Best::new(wanted, margin, own);
                for (at, products) in (from..).step_by(1024).zip(products[from..to].chunks(1024)) {
                    best.take(at, products, allowed, score);
                }
                best
            };
            let mut best = part(0, products.len() / 3);
            best.join(part(products.len() / 3, products.len()));
            assert_eq!(best.done(score), expected, "{items} {step} {wanted}");
        }
    }
}

/// What is no number comes first, whatever its sign, so that whoever takes the best finds it.
#[test]
fn a_score_that_is_no_number_is_found() {
    for nan in [f32::NAN, -f32::NAN] {
        for margin in [1.0, f64::INFINITY] {
            let score = |item: u32| if item == 700 { nan } else { item as f32 / 1e6 };
            let mut best = Best::new(2, margin, 0.0);
            best.take(0, &[0.5; 1024], |_| true, score);
            let found = best.done(score);
            assert!(found.len() == 2 && found[0].item == 700 && found[1].item == 1023, "{found:?}");
        }
    }
}

const NAMES: [(&str, Role); 4] = [
    ("user", Role::Categorical),
    ("age", Role::Numeric),
    ("item", Role::Categorical),
    ("price", Role::Numeric),
];

/// A model of which the first and the third column are used, or all.
fn model(kind: Kind) -> Model {
    let row = |i: u32| {
        let (user, item) = (i * 7 % 11, i * i % 13);
        format!("{},u{user},{},i{item},{}\n", u32::from((user + item) % 3 == 0), user * 5, item * 9)
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv").to_string_lossy().into_owned();
    let rows = (0..400).map(row).collect::<String>();
    std::fs::write(&path, format!("click,user,age,item,price\n{rows}")).unwrap();
    let mut columns = vec![Column::new("click", Role::Label)];
    for (name, role) in NAMES {
        let is_left_out = kind == Kind::Mf && role == Role::Numeric;
        columns.push(Column::new(name, if is_left_out { Role::Ignore } else { role }));
    }
    let format = Format::Csv { delimiter: ',', header: true };
    let mut job = Job::new(path);
    job.schema = SchemaSource::Given(Schema { format, positive: None, item: Vec::new(), columns });
    (job.config.model, job.config.epochs, job.config.factors) = (kind, 4, Some(12));
    let mut model = train(&job, &mut |_| true).unwrap().model.unwrap();
    // Far from what training leaves, and of both signs.
    let mut random = Xoshiro256PlusPlus::seed_from_u64(9);
    let mut draw = |x: &mut f32| *x = random.random_range(-2.0..2.0);
    model.weights.factors.change(|_, v| v.iter_mut().for_each(&mut draw));
    model.weights.linear.floats_mut().iter_mut().for_each(&mut draw);
    model.weights.shared.iter_mut().for_each(draw);
    model
}

fn reader(text: String) -> Box<dyn Reader> {
    let (format, header) = (Some(FormatName::Csv), Some(true));
    let options = OpenOptions { format, header, delimiter: Some(','), ..OpenOptions::default() };
    input::from_bytes("rows.csv", text, &options).unwrap()
}

#[test]
fn rounding_stays_within_the_margin_and_that_is_small() {
    let threads = Threads::new(1).unwrap();
    for &kind in Kind::ALL {
        let model = model(kind);
        let items: String = (0..200).map(|i| format!("i{},{}\n", i % 20, i)).collect();
        let columns = match kind {
            Kind::Mf => Columns::new(&model, &["price".into(), "item".into()]).unwrap(),
            _ => Columns::new(&model, &["price", "item", "price"].map(String::from)).unwrap(),
        };
        let (mut items, options) = (reader(format!("item,price\n{items}")), Default::default());
        let options: &CatalogueOptions = &options;
        let catalogue = Catalogue::read(&model, columns, &mut *items, "items", options).unwrap();
        let recommender = Recommender::new(&model, &catalogue, &threads).unwrap();
        let users: String = (0..11).map(|u| format!("u{u},{}\n", u * 11)).collect();
        let (mut users, options) =
            (reader(format!("user,age\n{users}")), ContextOptions::default());
        let (mut farthest, mut largest, mut scale) = (0.0f64, 0.0f64, 0.0f64);
        for_each_piece(
            &recommender,
            &mut *users,
            "users",
            &options,
            &[&Seen::default()],
            |contexts| {
                let request = Request { contexts: contexts.rows(), seen: &[], among: None };
                let asking = recommender.asking(&request, &threads)?;
                let mut whole = Whole::new(&model);
                let all = 0..catalogue.len();
                tiles::for_each(
                    &asking.halves,
                    &recommender.items,
                    all,
                    |context, first, products| {
                        for (item, product) in (first as u32..).zip(products) {
                            let score =
                                f64::from(recommender.score(&mut whole, &request, context, item));
                            let found =
                                f64::from(*product) + f64::from(asking.halves.scores[context]);
                            let margin = asking.margins[context];
                            assert!(
                                (score - found).abs() <= margin,
                                "{kind:?}: {score} {found} {margin}"
                            );
                            farthest = farthest.max((score - found).abs());
                            (largest, scale) = (largest.max(margin), scale.max(score.abs()));
                        }
                    },
                )
            },
        )
        .unwrap();
        assert!(kind == Kind::Linear || farthest > 0.0, "{kind:?}");
        // Small beside scores, even with weights that let far larger terms cancel than training does.
        assert!(largest < 0.05 * scale, "{kind:?}: {largest} of {scale}");
    }
}
