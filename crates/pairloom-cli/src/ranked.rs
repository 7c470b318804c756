//! `pairloom evaluate --items`: the whole catalogue ranked for each context.

use crate::catalogue::{CatalogueArgs, Opening};
use crate::screen::{Screen, metric_rows};
use pairloom::metric::Metrics;
use pairloom::recommend::{Recommender, Tested};
use pairloom::{Error, Result, input};

/// What is ranked, and where lists end.
pub struct Ranked<'a> {
    pub data: &'a str,
    pub items: &'a str,
    pub catalogue: &'a CatalogueArgs,
    pub at: usize,
}

/// Measures where the relevant items of each context stand among all that it has not seen.
pub fn run(ranked: &Ranked<'_>, opening: Opening<'_>, screen: &mut Screen) -> Result<()> {
    let Ranked { data, items, catalogue: args, at } = *ranked;
    if [data, items].iter().chain(&args.seen.as_deref()).any(|file| *file == "-") {
        return Err(Error::usage("with --items files are read more than once: - is none of them"));
    }
    let catalogue = args.items(opening, items, Vec::new())?;
    let wanted = args.pairs(opening, &catalogue, data, true)?;
    let seen = args.seen(opening, &catalogue)?;
    let recommender = Recommender::new(opening.model, &catalogue, opening.threads)?;
    let tested = Tested { wanted: &wanted, seen: &seen, at };
    let (mut reader, name) = (opening.open(data)?, input::name(data));
    let on_error = opening.input.on_error();
    let (found, outcome) =
        recommender.measure(&mut *reader, name, tested, on_error, opening.threads)?;
    args.tell(&outcome, name, &seen);
    let metrics = Metrics::Ranking(found);
    screen.table(&metric_rows(&metrics), true)?;
    screen.json(&serde_json::to_value(&metrics).unwrap_or_default())
}
