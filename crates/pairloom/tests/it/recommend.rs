//! The best items and the ranks of items, beside scoring every context with every item as a row.

use crate::common;
use crate::common::{folder, random, write};
use pairloom::Model;
use pairloom::batch::Rows;
use pairloom::config::Config;
use pairloom::encode::RowEncoder;
use pairloom::input::{self, RawRow};
use pairloom::interaction::Kind;
use pairloom::parallel::Threads;
use pairloom::precision::Precision;
use pairloom::recommend::{
    Catalogue, CatalogueOptions, Columns, ContextOptions, Filter, Rank, Recommender, Request,
    Scored, Seen, for_each_piece,
};
use pairloom::schema::{Column, Role};
use pairloom::train::{Job, SchemaSource};
use rand::RngExt;
use std::fmt::Write as _;

/// Columns of a context and of an item, and their roles.
const CONTEXT: [(&str, Role); 3] =
    [("user", Role::Categorical), ("hour", Role::Numeric), ("likes", Role::Multi)];
const ITEM: [(&str, Role); 3] =
    [("tags", Role::Multi), ("item", Role::Categorical), ("price", Role::Numeric)];

/// Cells of a context or an item. Some say the same twice, and some are empty.
fn context(n: u32) -> [String; 3] {
    let likes = ["a|b", "b|b|c", "", "c|a", "zz|yy"][n as usize % 5];
    [format!("u{}", n % 23), format!("{}", n * 7 % 24), likes.into()]
}

fn item(n: u32) -> [String; 3] {
    let tags = ["red", "blue|red", "red|red|old", "", "new|old", "odd|even"][n as usize % 6];
    let price = if n % 11 == 3 { String::new() } else { format!("{}", n * 13 % 40) };
    [tags.into(), format!("i{n}"), price]
}

/// What a file of these columns holds, of a context or an item in each row.
fn csv(names: &[(&str, Role)], rows: impl Iterator<Item = Vec<String>>) -> String {
    let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let rows = rows.map(|cells| cells.join(",") + "\n");
    names.join(",") + "\n" + &rows.collect::<String>()
}

/// Columns that matrix factorization can take.
fn sides(kind: Kind) -> (usize, usize) {
    if kind == Kind::Mf { (1, 1) } else { (3, 3) }
}

/// A model of a few rows: items above 150 are unknown to it.
fn model(kind: Kind, change: impl FnOnce(&mut Config)) -> Model {
    let (mut random, mut text) = (random(2), String::from("click"));
    // Columns of the two sides take turns.
    let named = |name: &str| kind != Kind::Mf || ["user", "item"].contains(&name);
    let mut columns = vec![Column::new("click", Role::Label)];
    for (name, role) in CONTEXT.into_iter().zip(ITEM).flat_map(|(c, i)| [c, i]) {
        let separator = (role == Role::Multi).then_some('|');
        columns.push(Column { separator, ..Column::new(name, role) });
        write!(text, ",{name}").unwrap();
    }
    for column in columns.iter_mut().filter(|c| c.role != Role::Label && !named(&c.name)) {
        (column.role, column.separator) = (Role::Ignore, None);
    }
    for _ in 0..1500 {
        let (c, i) = (random.random_range(0..100), random.random_range(0..150));
        let click = (c % 23 + i % 7) % 3 == 0 || (c % 5 == i % 6 && i * 13 % 40 > 20);
        let cells = context(c).into_iter().zip(item(i)).flat_map(|(c, i)| [c, i]);
        writeln!(text, "\n{},{}", u8::from(click), cells.collect::<Vec<_>>().join(",")).unwrap();
        text.pop();
    }
    let folder = folder();
    let mut job = Job::new(write(&folder, "clicks.csv", text));
    job.threads = 1;
    job.config = Config { model: kind, factors: Some(5), epochs: 3, ..job.config };
    change(&mut job.config);
    let format = common::CSV;
    let schema = pairloom::schema::Schema { format, positive: None, item: Vec::new(), columns };
    job.schema = SchemaSource::Given(schema);
    common::model(&job)
}

/// Contexts and items beside each other.
struct Shop {
    model: Model,
    contexts: Vec<u32>,
    items: Vec<u32>,
}

impl Shop {
    fn read<T>(&self, text: String, read: impl FnOnce(&mut dyn input::Reader) -> T) -> T {
        read(&mut *input::from_bytes("rows.csv", text, &common::csv(true)).unwrap())
    }

    fn item_cells(&self, n: u32) -> Vec<String> {
        let cells = item(n);
        let (_, item) = sides(self.model.config.model);
        if item == 1 { vec![cells[1].clone()] } else { cells.to_vec() }
    }

    fn catalogue(&self) -> Catalogue {
        let (_, count) = sides(self.model.config.model);
        let names = if count == 1 { &ITEM[1..2] } else { &ITEM[..] };
        let text = csv(names, self.items.iter().map(|&n| self.item_cells(n)));
        self.read(text, |reader| {
            let columns = Columns::new(&self.model, &["item".into()]);
            let columns = match count {
                1 => columns.unwrap(),
                _ => {
                    Columns::new(&self.model, &["item", "tags", "price"].map(String::from)).unwrap()
                }
            };
            let keep = names.iter().map(|(name, _)| name.to_string()).collect();
            let options = CatalogueOptions { keep, ..Default::default() };
            Catalogue::read(&self.model, columns, reader, "items.csv", &options).unwrap()
        })
    }

    /// The contexts, encoded.
    fn asked(&self, recommender: &Recommender<'_>) -> Rows {
        let (count, _) = sides(self.model.config.model);
        let rows = self.contexts.iter().map(|&n| context(n)[..count].to_vec());
        let mut all = None;
        self.read(csv(&CONTEXT[..count], rows), |reader| {
            let options = ContextOptions::default();
            let seen = Seen::default();
            for_each_piece(recommender, reader, "contexts.csv", &options, &[&seen], |contexts| {
                all = Some(contexts.rows().clone());
                Ok(())
            })
            .unwrap();
        });
        all.unwrap()
    }

    /// The scores of all items, as rows with the cells of a context and of each of them.
    fn scores(&self, of: u32) -> Vec<f32> {
        let names: Vec<(&str, Role)> =
            CONTEXT.into_iter().zip(ITEM).flat_map(|(c, i)| [c, i]).collect();
        let row =
            |&i: &u32| context(of).into_iter().zip(item(i)).flat_map(|(c, i)| [c, i]).collect();
        self.read(csv(&names, self.items.iter().map(row)), |reader| {
            let (model, names) = (&self.model, reader.columns().to_vec());
            let mut encoder =
                RowEncoder::bind(&model.encoding, &model.schema, "rows", &names, false).unwrap();
            let (mut rows, mut raw) = (Rows::new(), RawRow::new());
            while reader.read(&mut raw).unwrap() {
                encoder.encode(&raw, &mut rows).unwrap();
            }
            model.scores(&rows, &Threads::new(1).unwrap())
        })
    }
}

/// The best of these scores by a sort of all.
fn best(scores: &[f32], n: usize, may_come: impl Fn(u32) -> bool) -> Vec<Scored> {
    let all = (0..).zip(scores).map(|(item, &score)| Scored { item, score });
    let mut all: Vec<Scored> = all.filter(|scored| may_come(scored.item)).collect();
    all.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap().then(a.item.cmp(&b.item)));
    all.truncate(n);
    all
}

fn rank(scores: &[f32], item: u32, may_come: impl Fn(u32) -> bool) -> Rank {
    let others = |other: &u32| *other != item && may_come(*other);
    let own = scores[item as usize];
    let count = |beside: fn(f32, f32) -> bool| {
        let others = (0..scores.len() as u32).filter(others);
        others.filter(|&other| beside(scores[other as usize], own)).count() as u64
    };
    Rank { better: count(|other, own| other > own), equal: count(|other, own| other == own) }
}

/// Compares all that is asked of a shop with scores row by row.
fn check(shop: &Shop, what: &str) {
    let (catalogue, mut random) = (shop.catalogue(), random(8));
    let items = catalogue.len() as u32;
    let mut of_one = None;
    for threads in [1, 3] {
        let threads = Threads::new(threads).unwrap();
        let recommender = Recommender::new(&shop.model, &catalogue, &threads).unwrap();
        let contexts = shop.asked(&recommender);
        assert_eq!(contexts.len(), shop.contexts.len(), "{what}");
        let scores: Vec<Vec<f32>> = shop.contexts.iter().map(|&of| shop.scores(of)).collect();
        let some = |share: u32| (0..items).filter(move |item| item * 7919 % 100 < share);
        let seen: Vec<Vec<u32>> = [0, 1, 40, 100]
            .iter()
            .cycle()
            .take(contexts.len())
            .map(|&s| some(s).collect())
            .collect();
        let seen: Vec<&[u32]> = seen.iter().map(Vec::as_slice).collect();
        let among: Vec<bool> = (0..items).map(|item| item % 3 == 1).collect();
        for (seen, among) in [(&[][..], None), (&seen[..], None), (&seen[..], Some(&among[..]))] {
            let request = Request { contexts: &contexts, seen, among };
            let may_come = |context: usize, item: u32| {
                let known = seen.get(context).is_some_and(|seen| seen.contains(&item));
                !known && among.is_none_or(|among| among[item as usize])
            };
            for n in [1, 7, 5000] {
                let found = recommender.top(&request, n, &threads).unwrap();
                for (context, found) in found.iter().enumerate() {
                    let expected = best(&scores[context], n, |item| may_come(context, item));
                    assert_eq!(*found, expected, "{what}, {context}, {n}");
                    let bits = found.iter().zip(&expected);
                    assert!(bits.into_iter().all(|(a, b)| a.score.to_bits() == b.score.to_bits()));
                }
            }
            let wanted: Vec<Vec<u32>> = (0..contexts.len())
                .map(|c| (0..c % 4).map(|_| random.random_range(0..items)).collect())
                .collect();
            let ranks = recommender.ranks(&request, &wanted, &threads).unwrap();
            for (context, (ranks, wanted)) in ranks.iter().zip(&wanted).enumerate() {
                let of = |&item: &u32| rank(&scores[context], item, |i| may_come(context, i));
                let expected: Vec<Rank> = wanted.iter().map(of).collect();
                assert_eq!(*ranks, expected, "{what}, {context}: {wanted:?}");
            }
        }
        let request = Request { contexts: &contexts, seen: &[], among: None };
        let found = recommender.top(&request, 20, &threads).unwrap();
        assert_eq!(*of_one.get_or_insert_with(|| found.clone()), found, "{what}: threads");
    }
}

#[test]
fn every_model_finds_what_scoring_every_row_finds() {
    // Of more items than a tile has, most are unknown, and those of the same tags and price tie.
    let items: Vec<u32> = (0..1300).map(|n| n * 31 % 1300).collect();
    let contexts: Vec<u32> = vec![0, 1, 2, 8, 14, 99, 400, 3];
    for &kind in Kind::ALL {
        let contexts = match kind {
            Kind::Mf => vec![0, 1, 2, 8, 14],
            _ => contexts.clone(),
        };
        for precision in [Precision::F32, Precision::Bf16] {
            let model = model(kind, |config| config.precision = precision);
            let shop = Shop { model, contexts: contexts.clone(), items: items.clone() };
            check(&shop, &format!("{kind:?} {precision:?}"));
            if kind == Kind::Mf {
                break;
            }
        }
    }
}

#[test]
fn the_highest_order_alone_is_found_too() {
    let model = model(Kind::Hofm, |config| {
        (config.order, config.lower_orders) = (4, false);
    });
    check(&Shop { model, contexts: vec![5, 6], items: (0..300).collect() }, "hofm of order 4");
}

#[test]
fn any_number_of_items_may_tie() {
    let model = model(Kind::Mf, |_| {});
    // All of them unknown: no two are told apart.
    let shop = Shop { model, contexts: vec![1, 2], items: (1000..41_000).collect() };
    let catalogue = shop.catalogue();
    for threads in [1, 2] {
        let threads = Threads::new(threads).unwrap();
        let recommender = Recommender::new(&shop.model, &catalogue, &threads).unwrap();
        let contexts = shop.asked(&recommender);
        let request = Request { contexts: &contexts, seen: &[&[0, 2], &[]], among: None };
        let found = recommender.top(&request, 3, &threads).unwrap();
        let items = |of: &[Scored]| of.iter().map(|scored| scored.item).collect::<Vec<_>>();
        assert_eq!(found.iter().map(|of| items(of)).collect::<Vec<_>>(), [[1, 3, 4], [0, 1, 2]]);
        let ranks = recommender.ranks(&request, &[vec![7], vec![7]], &threads).unwrap();
        let expected = [39_997, 39_999].map(|equal| vec![Rank { better: 0, equal }]);
        assert_eq!(ranks, expected);
    }
}

#[test]
fn scores_that_are_none_are_refused_and_large_ones_are_exact() {
    let mut large = model(Kind::Fm, |_| {});
    large.weights.factors.change(|id, v| v.iter_mut().for_each(|v| *v *= 1e3 * (id % 7) as f32));
    check(&Shop { model: large, contexts: vec![5, 6], items: (0..300).collect() }, "large");
    // Products of these are beyond what floats hold, or the difference of two that are.
    let mut huge = model(Kind::Fm, |_| {});
    huge.weights.factors.change(|_, v| v.iter_mut().for_each(|v| *v *= 1e21));
    let shop = Shop { model: huge, contexts: vec![5, 6], items: (0..300).collect() };
    let (catalogue, threads) = (shop.catalogue(), Threads::new(2).unwrap());
    let recommender = Recommender::new(&shop.model, &catalogue, &threads).unwrap();
    let contexts = shop.asked(&recommender);
    let request = Request { contexts: &contexts, seen: &[], among: None };
    let error = recommender.top(&request, 3, &threads).unwrap_err().to_string();
    assert!(error.starts_with("items.csv: the score of item ") && error.contains("not finite"));
    assert!(recommender.ranks(&request, &[vec![1], vec![2]], &threads).is_err());
}

#[test]
fn filters_look_at_values_of_cells() {
    let shop = Shop { model: model(Kind::Fm, |_| {}), contexts: vec![1], items: (0..60).collect() };
    let catalogue = shop.catalogue();
    let filter = |column: &str, value: &str| Filter { column: column.into(), value: value.into() };
    let matching = |filters: &[Filter]| -> Vec<u32> {
        let all = catalogue.matching(filters).unwrap();
        (0..60).filter(|item| all[*item as usize]).collect()
    };
    let expected = |of: fn(u32) -> bool| (0..60).filter(|n| of(*n)).collect::<Vec<u32>>();
    assert_eq!(matching(&[filter("tags", "red")]), expected(|n| n % 6 < 3));
    assert_eq!(matching(&[filter("tags", "red"), filter("tags", "old")]), expected(|n| n % 6 == 2));
    assert_eq!(matching(&[filter("tags", "")]), expected(|n| n % 6 == 3));
    // The whole of a cell that has one value.
    assert_eq!(matching(&[filter("item", "i7")]), [7]);
    let refused = |filter| catalogue.matching(&[filter]).unwrap_err().to_string();
    let error = "items.csv: no item has tags=green: there is nothing to recommend";
    assert_eq!(refused(filter("tags", "green")), error);
    let error = "there is no column 'tag' to filter by (did you mean 'tags'?)";
    assert!(refused(filter("tag", "red")).starts_with(error));
}

#[test]
fn requests_that_do_not_fit_are_refused() {
    let shop = Shop { model: model(Kind::Fm, |_| {}), contexts: vec![1, 2], items: vec![1, 2, 3] };
    let (catalogue, threads) = (shop.catalogue(), Threads::new(1).unwrap());
    let recommender = Recommender::new(&shop.model, &catalogue, &threads).unwrap();
    let contexts = shop.asked(&recommender);
    let plain = Request { contexts: &contexts, seen: &[], among: None };
    assert!(recommender.top(&plain, 0, &threads).is_err());
    assert!(recommender.top(&Request { seen: &[&[]], ..plain }, 1, &threads).is_err());
    assert!(recommender.top(&Request { among: Some(&[true]), ..plain }, 1, &threads).is_err());
    assert!(recommender.ranks(&plain, &[vec![]], &threads).is_err());
    assert!(recommender.ranks(&plain, &[vec![3], vec![]], &threads).is_err());
    let none = Rows::new();
    let nobody = Request { contexts: &none, ..plain };
    assert!(recommender.top(&nobody, 1, &threads).unwrap().is_empty());
}

#[test]
fn columns_that_leave_a_side_empty_are_refused() {
    let model = model(Kind::Fm, |_| {});
    let refused = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        Columns::new(&model, &names).unwrap_err().to_string()
    };
    assert!(refused(&[]).starts_with("the item has no column"));
    assert!(refused(&["sku"]).starts_with("none of the item's columns ('sku') is a feature"));
    assert!(refused(&["item", "prise"]).contains("did you mean 'price'?"));
    assert!(refused(&["item", "click"]).contains("'click' is none of the model's features"));
    let all = ["item", "user", "hour", "likes", "tags", "price"];
    assert!(refused(&all).starts_with("all features of the model are the item's"));
    let found = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        Columns::found(&model, "items.csv", &names)
    };
    assert_eq!(found(&["title", "price", "item"]).unwrap().id(), "item");
    assert_eq!(found(&["title", "price", "tags"]).unwrap().id(), "price");
    let error = found(&["title"]).unwrap_err().to_string();
    assert!(error.starts_with("items.csv: none of its columns is a feature of the model"));
    // An item may be named by what is no feature.
    let sku = Columns::new(&model, &["sku".into(), "tags".into()]).unwrap();
    assert_eq!(sku.id(), "sku");
}
