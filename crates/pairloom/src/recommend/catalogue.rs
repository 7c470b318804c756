//! Items: read and encoded once.

use super::columns::Columns;
use super::texts::Texts;
use crate::batch::Rows;
use crate::encode::{Dictionary, RowEncoder, split_values};
use crate::input::Reader;
use crate::interaction::Side;
use crate::model::Model;
use crate::predict::positions;
use crate::reading::{OnError, Outcome, for_each_row};
use crate::schema::{Role, did_you_mean, list};
use crate::{Error, Result};

/// What to take from a file of items.
#[derive(Debug, Clone, Default)]
pub struct CatalogueOptions {
    /// Columns whose cells are kept, to be filtered by and to be handed on.
    pub keep: Vec<String>,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
}

/// A value that a column of the items must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The column, which the catalogue keeps.
    pub column: String,
    /// The cell's text, or one of its values where the model takes several from it.
    pub value: String,
}

/// All items that may be recommended, in the order of their file.
#[derive(Debug)]
pub struct Catalogue {
    file: String,
    columns: Columns,
    names: Dictionary,
    keep: Vec<(String, Option<char>)>,
    kept: Texts,
    rows: Rows,
    duplicates: u64,
    outcome: Outcome,
}

impl Catalogue {
    /// Reads the items of a file, called `file` in errors. Of rows that name the same item the first counts.
    ///
    /// # Errors
    /// [`Error::Data`] for a file without items or without one of the item's columns, [`Error::Row`] for a row
    /// that cannot be used, [`Error::Usage`] for a column that is not there.
    pub fn read(
        model: &Model,
        columns: Columns,
        reader: &mut dyn Reader,
        file: &str,
        options: &CatalogueOptions,
    ) -> Result<Self> {
        model.schema.check_format(reader.format(), file)?;
        let id = positions(&[columns.id().into()], "that names the items", reader, file)?[0];
        let cells = positions(&options.keep, "in the items", reader, file)?;
        let mine: Vec<&str> = columns.names(model, Side::Item).collect();
        let mut encoder = RowEncoder::bind_some(
            &model.encoding,
            &model.schema,
            file,
            reader.columns(),
            |column| mine.contains(&column.name.as_str()),
        )?;
        let (mut names, mut rows, mut duplicates) = (Dictionary::default(), Rows::new(), 0);
        let mut kept = Texts::new(cells.len());
        let skipped = for_each_row(reader, None, options.on_error, |raw| {
            let name = raw.cell(id);
            if name.is_empty() {
                let message = format!("column '{}' is empty: it names the item", columns.id());
                return Err(raw.cell_error(id, message));
            }
            if names.get(name).is_some() {
                duplicates += 1;
                return Ok(());
            }
            encoder.encode(raw, &mut rows)?;
            names.insert(name)?;
            kept.push(cells.iter().map(|&cell| raw.cell(cell)));
            Ok(())
        })?;
        if names.is_empty() {
            return Err(Error::data(file, "no items: there is nothing to recommend"));
        }
        let outcome = Outcome { skipped, unseen: encoder.unseen_of_few() };
        let separator = |name: &String| {
            let column = model.schema.columns.iter().find(|column| column.name == *name);
            let separator = column.filter(|column| column.role == Role::Multi);
            (name.clone(), separator.map(|column| column.value_separator()))
        };
        let keep = options.keep.iter().map(separator).collect();
        let file = file.into();
        Ok(Catalogue { file, columns, names, keep, kept, rows, duplicates, outcome })
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Never: that is an error.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What the name of an item's column and the other columns are.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The name of an item.
    pub fn name(&self, item: u32) -> &[u8] {
        self.names.key(item)
    }

    /// The item of a name.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        self.names.get(name)
    }

    /// The kept cells of an item.
    pub fn kept(&self, item: u32) -> impl Iterator<Item = &[u8]> {
        self.kept.row(item as usize)
    }

    /// How many rows named an item that was already there.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Rows left out, and values unseen.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Which items have all these values.
    ///
    /// # Errors
    /// [`Error::Usage`] for a column that is not kept, [`Error::Data`] if no item is left.
    pub fn matching(&self, filters: &[Filter]) -> Result<Vec<bool>> {
        let mut matching = vec![true; self.len()];
        for Filter { column, value } in filters {
            let Some(at) = self.keep.iter().position(|(name, _)| name == column) else {
                let names = self.keep.iter().map(|(name, _)| name.as_str());
                let (meant, names) = (did_you_mean(column, names.clone()), list(names));
                let message = format!("there is no column '{column}' to filter by{meant}: {names}");
                return Err(Error::usage(message));
            };
            let (separator, value) = (self.keep[at].1, value.as_bytes());
            for (item, matching) in matching.iter_mut().enumerate() {
                let cell = self.kept.cell(item, at);
                *matching &= match separator {
                    Some(separator) => split_values(cell, separator).any(|v| v == value),
                    None => cell == value,
                };
            }
        }
        if matching.contains(&true) {
            return Ok(matching);
        }
        let said = |Filter { column, value }: &Filter| format!("{column}={value}");
        let said = filters.iter().map(said).collect::<Vec<_>>().join(" and ");
        Err(Error::data(&self.file, format!("no item has {said}: there is nothing to recommend")))
    }

    /// The name of the file.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// What the items bring to a row.
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }
}
