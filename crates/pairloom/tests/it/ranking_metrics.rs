//! Figures of ranked rows, against their plain definitions: means over all orders that the scores allow.

use crate::common::{cost_of_list, random};
use pairloom::Error;
use pairloom::batch::Outcomes;
use pairloom::loss::Loss;
use pairloom::metric::{Bootstrap, Measure, Ranking};
use pairloom::parallel::Threads;
use rand::RngExt;

/// Rows of (group, score, label, weight).
type Row = (u32, f64, f32, f32);

fn measure(rows: &[Row], loss: Option<Loss>, at: usize) -> pairloom::Result<Ranking> {
    let (scores, outcomes) = columns(rows);
    Ranking::measure(&scores, &outcomes, loss, at)
}

fn columns(rows: &[Row]) -> (Vec<f64>, Outcomes) {
    let mut outcomes = Outcomes::default();
    rows.iter().for_each(|&(group, _, label, weight)| outcomes.push_in(Some(group), label, weight));
    (rows.iter().map(|row| row.1).collect(), outcomes)
}

/// NDCG, average precision, reciprocal rank, recall, precision, hit and area of labels in one order.
fn plain(labels: &[f32], at: usize) -> [f64; 7] {
    let gain = |labels: &[f32]| {
        let top = labels.iter().take(at).enumerate();
        top.map(|(i, &y)| f64::from(y) / (i as f64 + 2.0).log2()).sum::<f64>()
    };
    let mut best = labels.to_vec();
    best.sort_by(|a, b| b.total_cmp(a));
    let places: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] > 0.0).collect();
    let top = places.iter().filter(|&&place| place < at).count() as f64;
    let relevant = places.len() as f64;
    let precision = |(found, &place): (usize, &usize)| (found + 1) as f64 / (place + 1) as f64;
    let right = |&place: &usize| labels[place..].iter().filter(|&&y| y == 0.0).count();
    let pairs = relevant * (labels.len() - places.len()) as f64;
    [
        gain(labels) / gain(&best),
        places.iter().enumerate().map(precision).sum::<f64>() / relevant,
        1.0 / (places[0] + 1) as f64,
        top / relevant,
        top / at as f64,
        f64::from(u8::from(top > 0.0)),
        places.iter().map(right).sum::<usize>() as f64 / pairs,
    ]
}

/// Gives all orders of rows to `take` in which scores fall.
fn orders(rows: &[(f64, f32)], chosen: &mut Vec<usize>, take: &mut impl FnMut(&[usize])) {
    if chosen.len() == rows.len() {
        return take(chosen);
    }
    let left = || (0..rows.len()).filter(|i| !chosen.contains(i));
    let top = left().map(|i| rows[i].0).fold(f64::NEG_INFINITY, f64::max);
    let next: Vec<usize> = left().filter(|&i| rows[i].0 == top).collect();
    for i in next {
        chosen.push(i);
        orders(rows, chosen, take);
        chosen.pop();
    }
}

/// The mean of the figures over all orders.
fn expected(rows: &[(f64, f32)], at: usize) -> [f64; 7] {
    let (mut sums, mut count) = ([0.0; 7], 0.0);
    orders(rows, &mut Vec::new(), &mut |order| {
        let labels: Vec<f32> = order.iter().map(|&i| rows[i].1).collect();
        sums.iter_mut().zip(plain(&labels, at)).for_each(|(sum, x)| *sum += x);
        count += 1.0;
    });
    sums.map(|sum| sum / count)
}

fn figures(found: &Ranking) -> [f64; 7] {
    let Ranking { ndcg, map, mrr, recall, precision, hit_rate, grouped_auc, .. } = *found;
    [ndcg, map, mrr, recall, precision, hit_rate, grouped_auc.unwrap_or(f64::NAN)]
}

#[test]
fn figures_are_means_over_all_orders_of_equal_scores() {
    let mut random = random(5);
    let mut seen = 0;
    for case in 0..300 {
        let rows: Vec<(f64, f32)> = (0..random.random_range(2..7))
            .map(|_| (f64::from(random.random_range(0..3)), random.random_range(0..3) as f32))
            .collect();
        let at = 1 + case % 4;
        let found =
            measure(&rows.iter().map(|&(s, y)| (7, s, y, 1.0)).collect::<Vec<_>>(), None, at);
        if rows.iter().all(|row| row.1 == rows[0].1) {
            let message = found.unwrap_err().to_string();
            assert!(message.contains("no group has rows of different labels"), "{message}");
            continue;
        }
        let (found, expected) = (figures(&found.unwrap()), expected(&rows, at));
        for (which, (a, b)) in found.into_iter().zip(expected).enumerate() {
            // Without rows that are not relevant there is no area.
            let same = (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12;
            assert!(same, "figure {which} of {rows:?} at {at}: {a} {b}");
        }
        seen += 1;
    }
    assert!(seen > 200);
}

/// Some groups, their rows not together, one row of each weighing nothing.
fn some(groups: u32) -> Vec<Row> {
    let mut random = random(11);
    let row = |i: u32, random: &mut rand_xoshiro::Xoshiro256PlusPlus| {
        let label = random.random_range(0..3) as f32;
        let weight = if i < groups { 0.0 } else { 1.0 };
        (i % groups, f64::from(random.random_range(0..9)), label, weight)
    };
    (0..groups * 6).map(|i| row(i, &mut random)).collect()
}

fn of_group(rows: &[Row], group: u32) -> Vec<(f64, f32)> {
    rows.iter().filter(|r| r.0 == group && r.3 > 0.0).map(|&(_, s, y, _)| (s, y)).collect()
}

#[test]
fn groups_count_alike_and_need_not_lie_together() {
    let rows = some(40);
    let found = measure(&rows, None, 3).unwrap();
    let lists: Vec<_> = (0..40).map(|group| of_group(&rows, group)).collect();
    let ranked: Vec<_> =
        lists.iter().filter(|list| list.iter().any(|row| row.1 != list[0].1)).collect();
    assert_eq!(found.groups as usize, ranked.len());
    assert_eq!(found.groups_left_out as usize, 40 - ranked.len());
    let all: Vec<_> = ranked.iter().map(|list| expected(list, 3)).collect();
    for which in 0..6 {
        let mean = all.iter().map(|figures| figures[which]).sum::<f64>() / all.len() as f64;
        assert!((figures(&found)[which] - mean).abs() < 1e-12, "figure {which}");
    }
    let areas: Vec<_> = ranked.iter().zip(&all).filter(|(_, f)| !f[6].is_nan()).collect();
    let weight: f64 = areas.iter().map(|(list, _)| list.len() as f64).sum();
    let area = areas.iter().map(|(list, f)| list.len() as f64 * f[6]).sum::<f64>() / weight;
    assert!((found.grouped_auc.unwrap() - area).abs() < 1e-12);
    let mut sorted = rows.clone();
    sorted.sort_by_key(|row| row.0);
    let together = measure(&sorted, None, 3).unwrap();
    let both = figures(&found).into_iter().zip(figures(&together));
    both.for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
}

#[test]
fn the_loss_is_that_of_the_lists() {
    let rows = some(30);
    for loss in Loss::ranking() {
        let found = measure(&rows, Some(loss), 10).unwrap().loss.unwrap();
        let (mut sum, mut weight) = (0.0, 0.0);
        for group in 0..30 {
            let list = of_group(&rows, group);
            let (scores, labels): (Vec<f64>, Vec<(f64, f64)>) =
                list.iter().map(|&(s, y)| (s, (f64::from(y), 1.0))).unzip();
            sum += cost_of_list(loss, &scores, &labels);
            weight += list.iter().filter(|row| list.iter().any(|o| o.1 < row.1)).count() as f64;
        }
        assert!((found - sum / weight).abs() < 1e-9, "{loss}: {found} {}", sum / weight);
    }
}

/// A group whose rows weigh twice as much counts as two such groups.
#[test]
fn weights_are_repetitions_of_groups() {
    let rows = some(20);
    let twice = |row: &Row| Row::clone(&(row.0, row.1, row.2, row.3 * (1 + row.0 % 2) as f32));
    let weighted: Vec<Row> = rows.iter().map(twice).collect();
    let again =
        rows.iter().filter(|row| row.0 % 2 == 1).map(|row| (row.0 + 100, row.1, row.2, row.3));
    let repeated: Vec<Row> = rows.iter().copied().chain(again).collect();
    for loss in Loss::ranking() {
        let [a, b] = [&weighted, &repeated].map(|rows| measure(rows, Some(loss), 2).unwrap());
        assert!(figures(&a).into_iter().zip(figures(&b)).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((a.loss.unwrap() - b.loss.unwrap()).abs() < 1e-12, "{loss}");
    }
}

/// A million rows of one score: places are as good as drawn.
#[test]
fn long_ties_are_chance() {
    let rows: Vec<Row> = (0..1_000_000).map(|i| (0, 0.5, f32::from(i % 1000 == 0), 1.0)).collect();
    let found = measure(&rows, None, 10).unwrap();
    assert!((found.recall - 1e-5).abs() < 1e-12 && (found.precision - 1e-3).abs() < 1e-12);
    assert!((found.grouped_auc.unwrap() - 0.5).abs() < 1e-9);
    // One of a thousand: 1 - (1 - 1/1000)^10, but for drawing without replacement.
    assert!((found.hit_rate - 0.009_955).abs() < 1e-5, "{}", found.hit_rate);
}

#[test]
fn what_cannot_be_ranked_is_refused() {
    let good = [(0, 1.0, 1.0, 1.0), (0, 2.0, 0.0, 1.0)];
    let refused = |rows: &[Row], at: usize, what: &str| {
        let message = measure(rows, None, at).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    };
    refused(&good, 0, "at");
    refused(&[good[0]], 5, "no group has rows of different labels");
    refused(&[good[0], (1, 2.0, 0.0, 1.0)], 5, "no group has rows of different labels");
    refused(&[good[0], (0, 2.0, 0.0, 0.0)], 5, "no group has rows of different labels");
    refused(&[good[0], (0, 2.0, -1.0, 1.0)], 5, "row 2: the label -1 is no gain");
    refused(&[good[0], (0, 2.0, 0.0, -1.0)], 5, "row 2: weight -1");
    refused(&[], 5, "no group");
    let error = measure(&[good[0], (0, f64::NAN, 0.0, 1.0)], None, 5).unwrap_err();
    assert!(matches!(error, Error::Diverged(_)), "{error}");
}

/// The standard error of a mean over groups is known: an interval is about twice that to either side.
#[test]
fn intervals_draw_groups() {
    let mut random = random(3);
    let rows: Vec<Row> = (0..400)
        .flat_map(|group| {
            let first = f64::from(random.random::<bool>());
            [(group, first, 1.0, 1.0), (group, 1.0 - first, 0.0, 1.0)]
        })
        .collect();
    let (scores, outcomes) = columns(&rows);
    let threads = Threads::new(1).unwrap();
    let found =
        Bootstrap::default().intervals(&Measure::new(Loss::Bpr, 1.0), &scores, &outcomes, &threads);
    let found = found.unwrap().into_iter().find(|(name, _)| *name == "grouped_auc").unwrap();
    let [from, to] = found.1.unwrap();
    // Of a coin: .5 / sqrt(400) = .025, 1.96 times to either side.
    assert!((to - from - 2.0 * 1.96 * 0.025).abs() < 0.015, "{from} {to}");
}
