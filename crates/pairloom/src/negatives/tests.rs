#![allow(clippy::unwrap_used)]

use super::*;
use crate::store::Store;

/// Rows with features of a user, one of an item and one of its kind between two others: ids 0 to 9 are users, 10
/// to 19 items, 20 to 29 something beside, 30 and 31 the kind of an item.
fn rows(pairs: &[(u32, u32)]) -> Rows {
    let mut rows = Rows::new();
    for &(user, item) in pairs {
        [user, 10 + item, 20 + (user + item) % 10, 30 + item % 2]
            .into_iter()
            .for_each(|id| rows.push(id, 1.0));
        rows.finish_in(Some(user), 1.0, 1.0);
    }
    rows
}

fn negatives(rows: &Rows, sampling: NegativeSampling, each: usize) -> Negatives {
    with_rare(rows, None, sampling, each)
}

/// One where an id stands for all rare items.
fn with_rare(rows: &Rows, rare: Option<u32>, sampling: NegativeSampling, each: usize) -> Negatives {
    let store = Store::from(rows.clone());
    let catalogue = Catalogue::of(vec![10..20, 30..32], (10..20, rare), &store).unwrap();
    let seen = (Seen::of_rows(&[&store], &catalogue).unwrap(), None);
    Negatives::new(catalogue, seen, sampling, each, 5)
}

fn drawn(negatives: &Negatives, rows: &Rows, epoch: u32) -> (Rows, Vec<(u32, u32)>) {
    let batch: Vec<u32> = (0..rows.len() as u32).collect();
    let (mut made, mut lists) = (Rows::new(), Vec::new());
    let purpose = Purpose::Train { epoch, window: 0, place: 0 };
    negatives.draw(rows, &batch, purpose, &mut made, &mut lists).unwrap();
    (made, lists)
}

#[test]
fn drawn_rows_have_another_item_and_the_rest_of_the_row() {
    let given = rows(&[(0, 1), (0, 2), (1, 1), (1, 3), (2, 9), (3, 4), (3, 5)]);
    for sampling in NegativeSampling::ALL {
        let negatives = negatives(&given, sampling, 4);
        assert_eq!(negatives.items(), 6);
        let (made, lists) = drawn(&negatives, &given, 1);
        assert_eq!((made.len(), lists.len()), (7 * 5, 7));
        for (number, &(of, end)) in lists.iter().enumerate() {
            let (of, first) = (of as usize, end as usize - 5);
            assert_eq!(of, number);
            assert_eq!(made.row(first).ids, given.row(of).ids);
            assert_eq!(made.label(first), (1.0, 1.0));
            let [user, _, beside, _] = given.row(of).ids.try_into().unwrap();
            for row in first + 1..end as usize {
                let [of_user, item, of_beside, kind] = made.row(row).ids.try_into().unwrap();
                assert_eq!((of_user, of_beside, made.label(row).0), (user, beside, 0.0));
                assert_eq!(kind, 30 + item % 2, "the features of the item come with it");
                let has = (0..given.len()).any(|i| given.row(i).ids[..2] == [user, item]);
                assert!(!has, "user {user} has item {item}");
            }
        }
        assert!(drawn(&negatives, &given, 1).0 == made, "the same place gives the same");
        assert!(drawn(&negatives, &given, 2).0 != made, "another epoch draws others");
    }
}

#[test]
fn popular_items_are_drawn_as_often_as_they_have_rows() {
    // Item i has i + 1 rows, of users who have nothing else; user 9 has item 9 alone.
    let pairs: Vec<(u32, u32)> =
        (0..4).flat_map(|item| (0..=item).map(move |i| (i, item))).collect();
    let mut given = rows(&pairs);
    (0..3000).for_each(|_| {
        given.push(9, 1.0);
        given.push(19, 1.0);
        given.finish_in(Some(9), 1.0, 1.0);
    });
    for (sampling, expected) in [
        (NegativeSampling::Uniform, [0.25; 4]),
        (NegativeSampling::Popularity, [0.1, 0.2, 0.3, 0.4]),
    ] {
        let negatives = negatives(&given, sampling, 1);
        let (made, _) = drawn(&negatives, &given, 1);
        let mut counts = [0.0f64; 4];
        let of_9 =
            (0..made.len()).filter(|&row| made.row(row).ids[0] == 9 && made.label(row).0 == 0.0);
        of_9.for_each(|row| counts[made.row(row).ids[1] as usize - 10] += 1.0 / 3000.0);
        for (found, expected) in counts.into_iter().zip(expected) {
            // Four standard errors of a share of 3,000.
            assert!((found - expected).abs() < 0.036, "{sampling:?}: {found} {expected}");
        }
    }
}

#[test]
fn validation_draws_do_not_depend_on_how_training_draws() {
    let given = rows(&[(0, 1), (0, 2), (1, 1), (1, 3), (2, 1), (2, 9), (3, 4), (3, 5)]);
    let [uniform, popular] = NegativeSampling::ALL.map(|sampling| {
        let negatives = negatives(&given, sampling, 3);
        let batch: Vec<u32> = (0..given.len() as u32).collect();
        let (mut made, mut lists) = (Rows::new(), Vec::new());
        let purpose = Purpose::Valid { each: 4, place: 0 };
        negatives.draw(&given, &batch, purpose, &mut made, &mut lists).unwrap();
        (made, drawn(&negatives, &given, 1).0)
    });
    assert!(uniform.0 == popular.0);
    assert!(uniform.1 != popular.1, "those of training do");
}

#[test]
fn who_has_nearly_all_gets_what_is_left_and_who_has_all_nothing() {
    let all = (0..10).map(|item| (0, item));
    let nearly = (0..9).map(|item| (1, item));
    let given = rows(&all.chain(nearly).collect::<Vec<_>>());
    let (made, lists) = drawn(&negatives(&given, NegativeSampling::Uniform, 3), &given, 1);
    assert_eq!((lists.len(), made.len()), (19, 10 + 9 * 4));
    let of_1 = (0..made.len()).filter(|&row| made.row(row).ids[0] == 1 && made.label(row).0 == 0.0);
    assert!(of_1.into_iter().all(|row| made.row(row).ids[1] == 19));
}

#[test]
fn rows_that_are_not_relevant_are_no_lists_and_no_items() {
    let mut given = rows(&[(0, 1), (1, 2), (1, 3)]);
    [0, 18, 20, 30].into_iter().for_each(|id| given.push(id, 1.0));
    given.finish_in(Some(0), 0.0, 1.0);
    let negatives = negatives(&given, NegativeSampling::Uniform, 50);
    assert_eq!(negatives.items(), 3);
    let (made, lists) = drawn(&negatives, &given, 1);
    assert_eq!(lists.len(), 3);
    assert!((0..made.len()).all(|row| !made.row(row).ids.contains(&18)));
}

/// The counts by which features pay their penalty are those that an epoch is expected to have.
#[test]
fn counts_are_those_of_an_epoch() {
    let pairs: Vec<(u32, u32)> =
        (0..10).flat_map(|user| (0..4).map(move |i| (user, (user * i) % 7))).collect();
    let given = rows(&pairs);
    for sampling in NegativeSampling::ALL {
        let negatives = negatives(&given, sampling, 3);
        let mut counts = vec![0; 40];
        given.count(&mut counts);
        negatives.count(&mut counts);
        let mut found = vec![0; 40];
        (0..400).for_each(|epoch| drawn(&negatives, &given, epoch).0.count(&mut found));
        for id in 0..10 {
            assert_eq!(found[id], 400 * counts[id], "user {id}");
        }
        // Items that a user has are not drawn for them, which the expectation leaves out.
        let all = |counts: &[u32]| counts[10..20].iter().sum::<u32>();
        assert!(all(&counts).abs_diff(all(&found) / 400) <= 10, "{counts:?}");
    }
}

/// What rare items share is drawn as often as there are such items, with the features of each, also for groups
/// that have one of them.
#[test]
fn rare_items_are_as_many_as_their_rows() {
    let mut given = rows(&[(0, 1), (1, 2)]);
    for (user, kind) in [(1, 30), (2, 31), (3, 31)] {
        [user, 10, 20, kind].into_iter().for_each(|id| given.push(id, 1.0));
        given.finish_in(Some(user), 1.0, 1.0);
    }
    let negatives = with_rare(&given, Some(10), NegativeSampling::Uniform, 3000);
    assert_eq!(negatives.items(), 5);
    let (made, lists) = drawn(&negatives, &given, 1);
    assert_eq!(lists.len(), 5);
    // For user 1, who has item 2 and a rare one: item 1, and the three rare ones as often each.
    let of_1 = made.row((lists[0].1) as usize).ids[0];
    assert_eq!(of_1, 1);
    let range = lists[0].1 as usize + 1..lists[1].1 as usize;
    let share = |item, kind| {
        let is = |row: &usize| made.row(*row).ids[1] == item && made.row(*row).ids[3] == kind;
        range.clone().filter(is).count() as f64 / 3000.0
    };
    for (item, kind, expected) in [(11, 31, 0.25), (10, 30, 0.25), (10, 31, 0.5)] {
        assert!((share(item, kind) - expected).abs() < 0.036, "{item} {kind}");
    }
}
