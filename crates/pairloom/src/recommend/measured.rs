//! How well a catalogue is ranked: where the items stand that contexts turned out to want.

use super::contexts::{ContextOptions, ContextOutcome, for_each_piece};
use super::ranks::Rank;
use super::recommender::{Recommender, Request};
use super::seen::Seen;
use crate::input::Reader;
use crate::metric::Ranking;
use crate::metric::ranking::{Tally, Tie};
use crate::parallel::Threads;
use crate::reading::OnError;
use crate::{Error, Result};

/// What contexts have had, and what they want.
#[derive(Debug, Clone, Copy)]
pub struct Tested<'a> {
    /// Items that a context wants: those of its relevant rows.
    pub wanted: &'a Seen,
    /// Items that are left out, but for those that are wanted.
    pub seen: &'a Seen,
    /// The place at which lists end: [`Ranking::at`].
    pub at: usize,
}

impl Recommender<'_> {
    /// Ranks for each context of a file, called `file` in errors, the whole catalogue but for what it has seen,
    /// and measures where the items stand that it wants. A context that wants none of the items is left out. The
    /// outcome says how many contexts want something, and of how many it is known what they have had.
    ///
    /// # Errors
    /// As for [`for_each_piece`] and [`Recommender::ranks`]; [`Error::Data`] if nothing of the catalogue is
    /// wanted.
    pub fn measure(
        &self,
        reader: &mut dyn Reader,
        file: &str,
        tested: Tested<'_>,
        on_error: OnError,
        threads: &Threads,
    ) -> Result<(Ranking, ContextOutcome)> {
        let Tested { wanted, seen, at } = tested;
        if at == 0 {
            return Err(Error::setting("at", "at least 1"));
        }
        let mut tally = Tally::new(at);
        let options = ContextOptions { on_error, ..ContextOptions::default() };
        let outcome = for_each_piece(self, reader, file, &options, &[wanted, seen], |contexts| {
            let wanted: Vec<Vec<u32>> =
                contexts.seen(wanted).into_iter().map(<[u32]>::to_vec).collect();
            let others: Vec<Vec<u32>> = contexts
                .seen(seen)
                .into_iter()
                .zip(&wanted)
                .map(|(seen, wanted)| {
                    let other = |item: &&u32| wanted.binary_search(item).is_err();
                    seen.iter().filter(other).copied().collect()
                })
                .collect();
            let left_out: Vec<&[u32]> = others.iter().map(Vec::as_slice).collect();
            let request = Request { contexts: contexts.rows(), seen: &left_out, among: None };
            let ranks = self.ranks(&request, &wanted, threads)?;
            for (ranks, others) in ranks.into_iter().zip(&others) {
                let items = (self.catalogue.len() - others.len()) as u64;
                if ranks.is_empty() {
                    tally.leave_out(0);
                    continue;
                }
                let gains = vec![1.0; ranks.len()];
                tally.add_ties(&ties(ranks, items), &gains, 1.0);
            }
            Ok(())
        })?;
        let nothing = || Error::data(file, "no relevant row has an item of the catalogue");
        Ok((tally.done().ok_or_else(nothing)?, outcome))
    }
}

/// All of so many items in falling order, those of the same score together, of which only the wanted ones are
/// known by their ranks.
fn ties(mut ranks: Vec<Rank>, items: u64) -> Vec<Tie> {
    ranks.sort_unstable_by_key(|rank| rank.better);
    let (mut ties, mut before) = (Vec::new(), 0);
    let others = |rows: u64| Tie { rows, ..Tie::default() };
    for same in ranks.chunk_by(|a, b| a.better == b.better) {
        let Rank { better, equal } = same[0];
        ties.push(others(better - before));
        let relevant = same.len() as u64;
        ties.push(Tie { rows: equal + 1, relevant, gain: relevant as f64 });
        before = better + equal + 1;
    }
    ties.push(others(items - before));
    ties.retain(|tie| tie.rows > 0);
    ties
}
