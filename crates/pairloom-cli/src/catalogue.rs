//! Flags about items and who has seen them, and reading these files.

use crate::args::InputArgs;
use crate::screen::{notice, notice_skipped, notice_unseen_in, thousands};
use pairloom::input::{self, Reader};
use pairloom::parallel::Threads;
use pairloom::recommend::{Catalogue, CatalogueOptions, Columns, ContextOutcome, Seen};
use pairloom::{Model, Result, reading};

/// What tells items from contexts.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CatalogueArgs {
    /// Columns of the item, of which the first names it [default: those that the model was trained with, else
    /// the features of the model that the items have, named by the first that is categorical]
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',', requires = "items")]
    item: Vec<String>,
    /// Rows of a context and an item, such as the training rows: these items are left out for it
    #[arg(long, value_name = "FILE", requires = "items")]
    pub seen: Option<String>,
    /// Columns by which a context is known again [default: those of the context's and that of
    /// the groups, as far as the file has them]
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',', requires = "items")]
    pub by: Vec<String>,
}

/// How rows for a model are opened.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    pub model: &'a Model,
    pub input: &'a InputArgs,
    pub threads: &'a Threads,
}

impl Opening<'_> {
    /// Opens rows in the format of the training rows, unless another is asked for.
    pub fn open(&self, path: &str) -> Result<Box<dyn Reader>> {
        let reader = reading::open(path, &self.input.open(), &self.model.schema)?;
        reading::ahead(reader, self.threads)
    }
}

impl CatalogueArgs {
    /// Reads the items, and keeps these columns of theirs.
    pub fn items(&self, opening: Opening<'_>, path: &str, keep: Vec<String>) -> Result<Catalogue> {
        let Opening { model, input, .. } = opening;
        let (mut reader, name) = (opening.open(path)?, input::name(path));
        let known = if self.item.is_empty() { &model.schema.item } else { &self.item };
        let columns = match known.is_empty() {
            true => Columns::found(model, name, reader.columns())?,
            false => Columns::of_file(model, known, name, reader.columns())?,
        };
        let options = CatalogueOptions { keep, on_error: input.on_error() };
        let catalogue = Catalogue::read(model, columns, &mut *reader, name, &options)?;
        notice_skipped(&catalogue.outcome().skipped);
        notice_unseen_in(name, &catalogue.outcome().unseen);
        if catalogue.duplicates() > 0 {
            let rows = if catalogue.duplicates() == 1 { "row" } else { "rows" };
            let duplicates = thousands(catalogue.duplicates() as i64);
            notice(&format!(
                "{name}: left out {duplicates} {rows} of items that were there before"
            ));
        }
        Ok(catalogue)
    }

    /// Reads what contexts have seen, if there is something.
    pub fn seen(&self, opening: Opening<'_>, catalogue: &Catalogue) -> Result<Seen> {
        match &self.seen {
            Some(path) => self.pairs(opening, catalogue, path, false),
            None => Ok(Seen::default()),
        }
    }

    /// Says what there is to be told of the contexts of a file, the last of whose lists is what they have seen.
    pub fn tell(&self, found: &ContextOutcome, file: &str, seen: &Seen) {
        notice_skipped(&found.skipped);
        notice_unseen_in(file, &found.unseen);
        let none = found.known.last() == Some(&0);
        if let Some(of) = self.seen.as_deref().map(input::name).filter(|_| none) {
            let contexts = match found.contexts {
                1 => format!("the one context of {file} has"),
                contexts => {
                    format!("none of the {} contexts of {file} has", thousands(contexts as i64))
                }
            };
            let (not, by) = (if found.contexts == 1 { "no" } else { "an" }, seen.by().join(", "));
            notice(&format!(
                "warning: {contexts} {not} item of the catalogue in {of}, so nothing is left out as seen: is \
                 {by}, by which they are known (--by), written in another way there?"
            ));
        }
    }

    /// Reads rows of a context and an item, all or those that are relevant.
    pub fn pairs(
        &self,
        opening: Opening<'_>,
        catalogue: &Catalogue,
        path: &str,
        relevant: bool,
    ) -> Result<Seen> {
        let Opening { model, input, .. } = opening;
        let (mut reader, name) = (opening.open(path)?, input::name(path));
        let (by, on_error) = (&self.by, input.on_error());
        let pairs = Seen::read(model, catalogue, &mut *reader, name, by, relevant, on_error)?;
        notice_skipped(pairs.skipped());
        notice_unknown(pairs.unknown(), name);
        Ok(pairs)
    }
}

/// Says how many rows of a file are of other items than the catalogue's.
fn notice_unknown(rows: usize, file: &str) {
    let count = thousands(rows as i64);
    match rows {
        0 => {}
        1 => notice(&format!("1 row of {file} names an item that is not in the catalogue")),
        _ => notice(&format!("{count} rows of {file} name items that are not in the catalogue")),
    }
}
