//! The batches of a window: rows one by one, whole groups, or rows with others that are drawn for them.

use super::Run;
use crate::backend::{Backend, Learned, Lists, NoStep, Places};
use crate::batch::Rows;
use crate::loss::lists;
use crate::negatives::{Negatives, Purpose};
use crate::store::{Order, Window};
use crate::{Result, memory};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::ops::Range;

/// What the batches of a window are taken from.
pub(super) enum Feed<'a> {
    /// Rows by themselves, told by their numbers or by their places.
    Rows { order: Order, needs_numbers: bool },
    /// Lists of rows that belong together.
    Lists(Grouped),
    /// Rows, each with others that are drawn for it.
    Drawn { negatives: &'a Negatives, order: Order, epoch: u32, window: usize },
}

/// A batch.
#[derive(Default)]
pub(super) struct Batch {
    /// Its places among the rows of the window.
    places: Range<usize>,
    /// These rows, if their numbers are needed.
    given: Vec<u32>,
    /// Where lists end among them, or among those that were made.
    ends: Vec<u32>,
    made: Rows,
    /// Which of those given each list is of, and where it ends.
    drawn: Vec<(u32, u32)>,
    /// All rows that were made.
    all: Vec<u32>,
}

impl Batch {
    /// How many of the given rows are in it.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

impl<'a> Feed<'a> {
    /// That of a window in an epoch.
    pub(super) fn new(
        run: &Run<'a>,
        window: &Window,
        rows: &Rows,
        epoch: u32,
        needs_numbers: bool,
    ) -> Result<Self> {
        let order = run.order(window, epoch);
        let number = window.number;
        Ok(match run.negatives {
            Some(negatives) => Feed::Drawn { negatives, order, epoch, window: number },
            None if run.config.resolved_loss().is_ranking() => {
                let shuffle = run.config.shuffle.then_some((run.config.seed, epoch, number));
                Feed::Lists(Grouped::new(rows, shuffle)?)
            }
            None => Feed::Rows { order, needs_numbers },
        })
    }

    /// Makes the batch of about `size` rows that begins at a place among `rows`; none at the end.
    pub(super) fn fill(
        &self,
        start: usize,
        size: usize,
        rows: &Rows,
        batch: &mut Batch,
    ) -> Result<()> {
        let end = rows.len().min(start + size);
        batch.places = start.min(end)..end;
        match self {
            Feed::Rows { order, needs_numbers: true } => {
                order.fill(batch.places.clone(), &mut batch.given)
            }
            Feed::Rows { .. } => {}
            Feed::Lists(lists) => {
                lists.fill(start, size, batch);
                batch.places.end = batch.places.start + batch.given.len();
            }
            Feed::Drawn { negatives, order, epoch, window } => {
                let Batch { places, given, ends, made, drawn, all } = batch;
                order.fill(places.clone(), given);
                let purpose = Purpose::Train { epoch: *epoch, window: *window, place: start };
                negatives.draw(rows, given, purpose, made, drawn)?;
                ends.clear();
                ends.extend(drawn.iter().map(|list| list.1));
                all.clear();
                all.extend(0..made.len() as u32);
            }
        }
        Ok(())
    }

    /// Takes a step, while the batch after it is prepared. A row whose loss is not finite is told by its number in the
    /// window.
    pub(super) fn step(
        &self,
        backend: &mut dyn Backend,
        rows: &Rows,
        [batch, next]: [&Batch; 2],
        rate: f32,
    ) -> Result<Learned, NoStep> {
        match self {
            Feed::Rows { order, needs_numbers: false } => {
                let [places, next] = [batch, next]
                    .map(|of| Places { order: order.clone(), range: of.places.clone() });
                if !next.range.is_empty() {
                    backend.announce_at(next);
                }
                backend.step_at(rows, places, rate)
            }
            Feed::Rows { .. } => {
                backend.announce(&next.given);
                backend.step(rows, &batch.given, rate)
            }
            Feed::Lists(_) => {
                backend.announce(&next.given);
                let lists = Lists { ends: &batch.ends, each: 1.0 };
                backend.step_lists(rows, &batch.given, lists, rate)
            }
            // No row of the batch is relevant.
            Feed::Drawn { .. } if batch.all.is_empty() => Ok(Learned::default()),
            Feed::Drawn { negatives, .. } => {
                let lists = Lists { ends: &batch.ends, each: negatives.stand_for() };
                backend.enter(&batch.made)?;
                let given = |made: usize| {
                    let list = batch.ends.partition_point(|&end| end as usize <= made);
                    batch.given[batch.drawn[list].0 as usize]
                };
                backend.step_lists(&batch.made, &batch.all, lists, rate).map_err(|no| no.at(given))
            }
        }
    }
}

/// The rows of a window in lists.
pub(super) struct Grouped {
    rows: Vec<u32>,
    /// Where each list ends.
    ends: Vec<u32>,
}

impl Grouped {
    /// The rows of each group, which need not lie together; by seed, epoch and window the groups are in an
    /// order of their own.
    fn new(rows: &Rows, shuffle: Option<(u64, u32, usize)>) -> Result<Self> {
        let full = |_| memory::refused("the order of the groups", memory::FEWER_ROWS);
        let mut sorted: Vec<u32> = Vec::new();
        sorted.try_reserve_exact(rows.len()).map_err(full)?;
        sorted.extend(0..rows.len() as u32);
        let group = |row: u32| rows.group(row as usize);
        sorted.sort_by_key(|&row| group(row));
        let groups: Vec<&mut [u32]> = sorted.chunk_by_mut(|&a, &b| group(a) == group(b)).collect();
        let order = match shuffle {
            None => Order::plain(groups.len()),
            Some((seed, epoch, window)) => {
                Order::shuffled(groups.len(), seed, epoch, !(window as u32))
            }
        };
        // Of groups in the order of the file, too, parts are random: sorted by label they would teach nothing.
        let (seed, epoch, window) = shuffle.unwrap_or_default();
        let mix = u64::from(epoch) << 32 | window as u64;
        let mut random =
            Xoshiro256PlusPlus::seed_from_u64(seed ^ mix.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mut all, mut ends, mut places) = (Vec::new(), Vec::new(), Vec::new());
        all.try_reserve_exact(rows.len()).map_err(full)?;
        order.fill(0..groups.len(), &mut places);
        let mut groups: Vec<Option<&mut [u32]>> = groups.into_iter().map(Some).collect();
        for place in places {
            let Some(group) = groups[place as usize].take() else { continue };
            for list in lists::parts(group, &mut random) {
                all.extend_from_slice(list);
                ends.push(all.len() as u32);
            }
        }
        Ok(Grouped { rows: all, ends })
    }

    fn fill(&self, start: usize, size: usize, batch: &mut Batch) {
        let first = self.ends.partition_point(|&end| end as usize <= start);
        let most = self.ends.partition_point(|&end| (end as usize) < start + size);
        let lists = &self.ends[first..(most + 1).min(self.ends.len())];
        let end = lists.last().map_or(start, |&end| end as usize);
        batch.given.clear();
        batch.given.extend_from_slice(self.rows.get(start..end).unwrap_or_default());
        batch.ends.clear();
        batch.ends.extend(lists.iter().map(|end| end - start as u32));
    }
}
