//! What ranking asks of settings and rows.

use super::prepare::Prepared;
use crate::config::Config;
use crate::data::Interned;
use crate::encode::{AsNumbers, Target};
use crate::error::flagged;
use crate::loss::Loss;
use crate::negatives::{Catalogue, NegativeSampling, Negatives, Seen};
use crate::schema::Schema;
use crate::store::Store;
use crate::{Error, Result, memory};

/// Groups of rows to be ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groups {
    /// Those with rows of different labels: the others teach nothing.
    pub ranked: usize,
    /// All.
    pub all: usize,
}

/// Refuses settings of ranking that do not fit the schema.
pub(super) fn check(config: &Config, schema: &Schema) -> Result<()> {
    let [loss_flag, group, item, negatives] = ["loss", "group", "item", "negatives"].map(flagged);
    let (how, uniform) = (flagged("negative_sampling"), NegativeSampling::Uniform);
    if config.negative_sampling != uniform && config.drawn_negatives(schema) == 0 {
        let message =
            format!("{how} says how items are drawn, and none are: see {item} and {negatives}");
        return Err(Error::usage(message));
    }
    let Some(loss) = config.loss.filter(|loss| loss.is_ranking()) else {
        let ranking = Loss::ranking().map(Loss::name).collect::<Vec<_>>().join(", ");
        let message = format!("{item} is for ranking: take {ranking} as {loss_flag}");
        return if schema.item.is_empty() { Ok(()) } else { Err(Error::usage(message)) };
    };
    if schema.group().is_none() {
        let how = match schema.has_names() {
            true => format!("say which column it is, by {group}"),
            false => "write it after the label of each row, as qid:7".into(),
        };
        return Err(Error::usage(format!(
            "{loss_flag} {} ranks the rows of a group: {how}",
            loss.name()
        )));
    }
    if schema.item.is_empty() && config.negatives.is_some_and(|n| n > 0) {
        let message = format!("{negatives} draws items: say which columns they are, by {item}");
        return Err(Error::usage(message));
    }
    Ok(())
}

/// What draws items for rows, if it is to be done.
pub(super) fn negatives(
    config: &Config,
    prepared: &Prepared,
    file: &str,
) -> Result<Option<Negatives>> {
    let Prepared { schema, encoding, train, valid, valid_file, .. } = prepared;
    let each = config.drawn_negatives(schema);
    if each == 0 {
        return Ok(None);
    }
    let catalogue = Catalogue::learn(train, schema, encoding)?;
    if catalogue.len() < 2 {
        let message = "the training rows have one item, and to rank it takes two: see --item";
        return Err(Error::data(file, message));
    }
    let seen = Seen::of_rows(&[train], &catalogue)?;
    let with_valid = match valid.is_empty() {
        true => None,
        false => Some(Seen::of_rows(&[train, valid], &catalogue)?),
    };
    let (sampling, seed) = (config.negative_sampling, config.seed);
    let negatives = Negatives::new(catalogue, (seen, with_valid), sampling, each, seed);
    for (rows, file, what) in [(train, file, "training"), (valid, valid_file, "validation")] {
        if !rows.is_empty() && !negatives.can_draw(rows, what == "validation")? {
            let message = format!(
                "each group of the {what} rows has all {} items, so none can be drawn to rank below them",
                negatives.items()
            );
            return Err(Error::data(file, message));
        }
    }
    Ok(Some(negatives))
}

/// Whether each row has no label above 0: others are drawn in its place.
pub(super) fn not_relevant(interned: &Interned, target: &Target) -> Result<Vec<bool>> {
    let labels = AsNumbers::new(&interned.labels, target);
    let full = |_| memory::refused("what is known of each row", memory::FEWER_ROWS);
    let mut found = Vec::new();
    found.try_reserve_exact(interned.rows).map_err(full)?;
    interned.heads(|_, head| {
        let not = |&label: &f64| labels.of(label) <= 0.0;
        found.extend(head.labels.iter().map(not));
    })?;
    Ok(found)
}

/// The groups of rows that are given to be ranked; `what` they are called in errors.
///
/// # Errors
/// [`Error::Data`] if no group has rows of different labels.
pub(super) fn groups(rows: &Store, file: &str, what: &str) -> Result<Groups> {
    let mut labels: Vec<Option<[f32; 2]>> = Vec::new();
    rows.each(|rows| {
        for row in 0..rows.len() {
            let (label, weight) = rows.label(row);
            let group = rows.group(row).unwrap_or(0) as usize;
            labels.resize(labels.len().max(group + 1), None);
            if weight > 0.0 {
                let [least, most] = labels[group].unwrap_or([label; 2]);
                labels[group] = Some([least.min(label), most.max(label)]);
            }
        }
        Ok(())
    })?;
    let all = labels.iter().flatten();
    let groups = Groups {
        ranked: all.clone().filter(|[least, most]| least < most).count(),
        all: all.count(),
    };
    if groups.ranked == 0 {
        let [group, item] = ["group", "item"].map(flagged);
        return Err(Error::data(
            file,
            format!(
                "none of the {} groups of {what} rows has rows of different labels, so there is nothing to \
                 rank: is {group} right? Where all rows are of one label, {item} draws others",
                groups.all
            ),
        ));
    }
    Ok(groups)
}
