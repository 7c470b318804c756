//! Contexts: whatever of a row is not the item's.

use super::recommender::Recommender;
use super::seen::{Seen, group_among};
use super::texts::{Texts, check_context, key};
use crate::batch::Rows;
use crate::encode::{Dictionary, RowEncoder, Unseen};
use crate::input::Reader;
use crate::interaction::Side;
use crate::predict::positions;
use crate::reading::{OnError, Skipped, for_each_row};
use crate::{Error, Result};

/// Contexts that are taken together.
const PIECE: usize = 1024;

/// What to take from a file of contexts.
#[derive(Debug, Clone, Default)]
pub struct ContextOptions {
    /// Columns whose cells are handed on.
    pub keep: Vec<String>,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
}

/// What there is to tell of the contexts of a file.
#[derive(Debug, Clone, Default)]
pub struct ContextOutcome {
    /// Rows that were left out.
    pub skipped: Skipped,
    /// Columns most of whose values the model does not know; of few values, none.
    pub unseen: Vec<Unseen>,
    /// How many contexts there are.
    pub contexts: usize,
    /// How many of them each of the lists of seen items knows.
    pub known: Vec<usize>,
}

/// Some contexts, each once.
#[derive(Debug, Default)]
pub struct Contexts {
    rows: Rows,
    kept: Texts,
    /// For each list of columns by which contexts are known the key of each context.
    keys: Vec<(Vec<String>, Vec<Vec<u8>>)>,
}

impl Contexts {
    /// What the contexts bring to a row.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The kept cells of a context.
    pub fn kept(&self, context: usize) -> impl Iterator<Item = &[u8]> {
        self.kept.row(context)
    }

    /// The items that each has seen, sorted; none, if the contexts were not read for this.
    pub fn seen<'a>(&self, seen: &'a Seen) -> Vec<&'a [u32]> {
        match self.keys.iter().find(|(by, _)| by == seen.by()) {
            Some((_, keys)) => keys.iter().map(|key| seen.items(key)).collect(),
            None => vec![&[]; self.rows.len()],
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.kept.clear();
        self.keys.iter_mut().for_each(|(_, keys)| keys.clear());
    }
}

/// Reads the contexts of a file, called `file` in errors, and gives them to `take` in pieces. Columns of items
/// are left alone. Rows that are alike in the context's columns, in those that are kept and in those by which
/// any of `seen` knows a context are one.
///
/// # Errors
/// [`Error::Usage`] for a column that is not there, [`Error::Data`] for a file without contexts, [`Error::Row`] for a
/// row that cannot be used, as one whose columns of the context are all empty, and the errors of `take`.
pub fn for_each_piece(
    recommender: &Recommender<'_>,
    reader: &mut dyn Reader,
    file: &str,
    options: &ContextOptions,
    seen: &[&Seen],
    mut take: impl FnMut(&Contexts) -> Result<()>,
) -> Result<ContextOutcome> {
    let (model, columns) = (recommender.model, recommender.catalogue.columns());
    model.schema.check_format(reader.format(), file)?;
    let names = reader.columns().to_vec();
    let mine: Vec<&str> = columns.names(model, Side::Context).collect();
    if let Some(missing) = mine.iter().find(|name| !names.iter().any(|there| there == *name)) {
        return Err(Error::usage(format!(
            "{file}: column '{missing}' of the model is missing: a context needs it; if it is the items', their \
             file needs it"
        )));
    }
    let keep = positions(&options.keep, "to keep", reader, file)?;
    let known_by = |seen: &&Seen| {
        positions(seen.by(), "in the contexts, by which seen items are known", reader, file)
    };
    let by: Vec<Vec<usize>> = seen.iter().map(known_by).collect::<Result<_>>()?;
    let own = mine.iter().filter_map(|name| names.iter().position(|there| there == name));
    let own: Vec<usize> = own.collect();
    let mut told_by = by.clone();
    told_by.push(own.clone());
    let known_by: Vec<String> = mine.iter().map(ToString::to_string).collect();
    told_by.push(group_among(model, &known_by, &names).into_iter().collect());
    let all: Vec<usize> =
        own.into_iter().chain(keep.iter().chain(by.iter().flatten()).copied()).collect();
    let mut encoder =
        RowEncoder::bind_some(&model.encoding, &model.schema, file, &names, |column| {
            mine.contains(&column.name.as_str())
        })?;
    let keys = seen.iter().map(|seen| (seen.by().to_vec(), Vec::new())).collect();
    let mut piece = Contexts { rows: Rows::new(), kept: Texts::new(keep.len()), keys };
    let (mut known, mut buffer) = (Dictionary::default(), Vec::new());
    let mut known_of = vec![0; seen.len()];
    let skipped = for_each_row(reader, None, options.on_error, |raw| {
        check_context(raw, &told_by)?;
        key(all.iter().map(|&cell| raw.cell(cell)), &mut buffer);
        if known.get(&buffer).is_some() {
            return Ok(());
        }
        encoder.encode(raw, &mut piece.rows)?;
        known.insert(&buffer)?;
        piece.kept.push(keep.iter().map(|&cell| raw.cell(cell)));
        for (at, (by, (_, keys))) in by.iter().zip(&mut piece.keys).enumerate() {
            key(by.iter().map(|&cell| raw.cell(cell)), &mut buffer);
            known_of[at] += usize::from(seen[at].knows(&buffer));
            keys.push(buffer.clone());
        }
        if piece.rows.len() == PIECE {
            take(&piece)?;
            piece.clear();
        }
        Ok(())
    })?;
    if known.is_empty() {
        return Err(Error::data(file, "no rows, so there are no contexts"));
    }
    if !piece.rows.is_empty() {
        take(&piece)?;
    }
    let (unseen, contexts) = (encoder.unseen_of_few(), known.len());
    Ok(ContextOutcome { skipped, unseen, contexts, known: known_of })
}
