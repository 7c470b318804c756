//! Windows that several threads read beside the same windows read by one.

use super::Spill;
use crate::batch::{BLOCK_ROWS, Rows};
use crate::store::{Filling, Room, Store, Window};
use crate::{Error, Result};
use std::sync::{Arc, Mutex};

/// Two windows and a little, of blocks enough for three threads. The first rows that are dealt have values and weights, and
/// the last have none.
fn spill() -> Spill {
    let folder = std::env::temp_dir().to_string_lossy().into_owned();
    let room = Room { bytes: 4 << 20, folder, threads: 1 };
    let mut filling = Filling::new(&room, 100, 4 << 20, Some(3)).unwrap();
    let rows = 58 * BLOCK_ROWS + 77;
    let is_early = |i: usize| i < rows / 3 && i.is_multiple_of(50);
    for first in (0..rows).step_by(BLOCK_ROWS) {
        let mut block = Rows::new();
        for i in first..rows.min(first + BLOCK_ROWS) {
            let value = if is_early(i) { 0.5 } else { 1.0 };
            (0..i % 3).for_each(|at| block.push((i % 97 + at) as u32, value));
            block.finish(i as f32, if is_early(i) { 2.0 } else { 1.0 });
        }
        filling.add(&block).unwrap();
    }
    let Store::Spilled(mut spill) = filling.done().unwrap() else { panic!("it is in memory") };
    assert_eq!(spill.buckets.len(), 16);
    spill.per_window = 7;
    spill
}

/// The same rows, read by so many threads.
fn by(threads: usize, spill: &mut Spill) -> &Spill {
    spill.threads = threads;
    let windows = spill.windows(None);
    assert_eq!(windows.len(), 3);
    assert_eq!(windows[..2].iter().map(|w| spill.readers(w.rows)).min(), Some(threads));
    spill
}

/// The rows of each window that a walk gets, and how it ends.
fn walked(spill: &Spill, order: Option<(u64, u32)>) -> (Vec<Rows>, Result<()>) {
    let mut found = Vec::new();
    let mut take = |_: &Window, rows: &Rows, _: bool| {
        found.push(rows.clone());
        Ok(None::<()>)
    };
    let end = spill.walk(&spill.windows(order), None, &mut take).map(|_| ());
    (found, end)
}

/// One segment after the other.
fn in_turn(spill: &Spill, window: &Window) -> Rows {
    let (mut rows, mut words) = (Rows::new(), Vec::new());
    let buckets = window.buckets.iter().map(|&at| &spill.buckets[at as usize]);
    for segment in buckets.flat_map(|bucket| &bucket.segments) {
        rows.extend(&spill.part(segment, &mut words).unwrap()).unwrap();
    }
    if !spill.scale.is_empty() {
        rows.scale(|id| spill.scale[id as usize]).unwrap();
    }
    rows
}

#[test]
fn rows_and_blocks_are_the_same_for_any_number_of_threads() {
    let mut spill = spill();
    for scale in [vec![], (0..100).map(|id| id as f32).collect()] {
        spill.scale = scale;
        for order in [None, Some((1, 2))] {
            let windows = spill.windows(order);
            let expected: Vec<Rows> =
                windows.iter().map(|window| in_turn(&spill, window)).collect();
            let has_values = |is| expected[0].blocks().iter().any(|b| b.values().is_empty() != is);
            assert!(has_values(true) && (has_values(false) || !spill.scale.is_empty()));
            for threads in [1, 2, 3] {
                let (found, end) = walked(by(threads, &mut spill), order);
                end.unwrap();
                assert!(found == expected, "{threads} {order:?}");
            }
        }
    }
}

#[test]
fn a_walk_may_end_early() {
    let mut spill = spill();
    for threads in [1, 2, 3] {
        let spill = by(threads, &mut spill);
        let windows = spill.windows(None);
        for last in 0..windows.len() {
            let found = spill.walk(&windows, None, &mut |window, rows, _| {
                assert_eq!(rows.len(), window.rows);
                Ok((window.number == last).then_some(window.number))
            });
            assert_eq!(found.unwrap(), Some(last));
            let failed =
                spill.walk(&windows, None, &mut |window, _, _| match window.number == last {
                    true => Err(Error::usage("enough")),
                    false => Ok(None::<()>),
                });
            assert_eq!(failed.unwrap_err().to_string(), "enough");
        }
    }
}

/// Whoever reads it, and however many others are damaged too.
#[test]
fn the_first_segment_that_is_damaged_is_the_error() {
    let mut spill = spill();
    let whole = spill.buckets.clone();
    for bucket in [0, 2, 3, 6, 7, 10, 13, 15] {
        let is_another = &mut spill.buckets[bucket].segments[0];
        let [start, words] = is_another.place.parts();
        is_another.place = [start + 4, words - 1].into();
        for later in &mut spill.buckets[bucket + 1..] {
            later.segments[0].place = [u64::MAX, words].into();
        }
        for threads in [1, 2, 3] {
            let spill = by(threads, &mut spill);
            let (found, end) = walked(spill, None);
            assert_eq!(found.len(), bucket / spill.per_window);
            let error = end.unwrap_err().to_string();
            assert!(error.contains("is not as it was written (a checksum is another)"), "{error}");
        }
        spill.buckets.clone_from(&whole);
    }
    spill.buckets[3].segments[0].rows += 1;
    spill.buckets[3].segments[1].rows -= 1;
    for threads in [1, 2, 3] {
        let error = walked(by(threads, &mut spill), None).1.unwrap_err().to_string();
        assert!(error.contains("it has another number of rows"), "{error}");
    }
}

/// Each window is brought before it is taken, and what that says comes with it.
#[test]
fn windows_are_brought_before_they_are_taken() {
    let spill = spill();
    let windows = spill.windows(Some((1, 1)));
    let brought = Arc::new(Mutex::new(Vec::new()));
    let sizes = brought.clone();
    let bring = move |rows: &Rows| {
        let mut sizes = sizes.lock().unwrap();
        sizes.push(rows.len());
        Ok(sizes.len() % 2 == 0)
    };
    let mut take = |window: &Window, rows: &Rows, is_brought: bool| {
        assert_eq!(brought.lock().unwrap()[window.number], rows.len());
        assert_eq!(is_brought, window.number % 2 == 1);
        Ok(None::<()>)
    };
    spill.walk(&windows, Some(Box::new(bring)), &mut take).unwrap();
    let mut taken = 0;
    let fails = |_: &Rows| Err(Error::usage("not brought"));
    let failed = spill.walk(&windows, Some(Box::new(fails)), &mut |_, _, _| {
        taken += 1;
        Ok(None::<()>)
    });
    assert_eq!((failed.unwrap_err().to_string(), taken), ("not brought".into(), 0));
}
