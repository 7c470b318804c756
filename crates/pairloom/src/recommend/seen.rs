//! Items that contexts have seen already, and are not to get again.

use super::catalogue::Catalogue;
use super::texts::{check_context, key};
use crate::encode::Dictionary;
use crate::input::Reader;
use crate::interaction::Side;
use crate::model::Model;
use crate::predict::positions;
use crate::reading::{Counts, OnError, Skipped, for_each_row};
use crate::schema::Role;
use crate::{Error, Result};

/// The items of each context.
#[derive(Debug, Default)]
pub struct Seen {
    by: Vec<String>,
    keys: Dictionary,
    items: Vec<Vec<u32>>,
    skipped: Skipped,
    unknown: usize,
}

impl Seen {
    /// Reads rows of a context and an item from a file, called `file` in errors, all of them or those that are
    /// `relevant`, with a label above 0. A context is known by the columns `by`; by those of the model's and the
    /// groups' that the file has, if none are named. Items that the catalogue has not got are passed over.
    ///
    /// # Errors
    /// [`Error::Usage`] for a column that is not there or if none tells a context, [`Error::Data`] if no row is relevant, and
    /// [`Error::Row`] for a row that cannot be used, as one whose context is empty.
    pub fn read(
        model: &Model,
        catalogue: &Catalogue,
        reader: &mut dyn Reader,
        file: &str,
        by: &[String],
        relevant: bool,
        on_error: OnError,
    ) -> Result<Self> {
        let columns = catalogue.columns();
        let mut by = by.to_vec();
        if by.is_empty() {
            let there = |name: &&str| reader.columns().iter().any(|there| there == name);
            let mine = columns.names(model, Side::Context).filter(there);
            by.extend(mine.map(String::from));
            // Contexts that are alike to the model may be of several groups, each with items of its own.
            let is_items = |name: &str| {
                name == columns.id() || columns.names(model, Side::Item).any(|n| n == name)
            };
            let group = model.schema.group().map(|group| model.schema.columns[group].name.as_str());
            let group = group.filter(|name| there(name) && !is_items(name));
            by.extend(group.filter(|name| !by.iter().any(|of| of == name)).map(String::from));
        }
        if by.is_empty() {
            return Err(Error::usage(format!(
                "{file}: none of its columns tells whose items these are: name one (--by)"
            )));
        }
        let item = positions(&[columns.id().into()], "that names the items", reader, file)?[0];
        let cells = positions(&by, "by which seen items are known", reader, file)?;
        let label = model.schema.find(Role::Label).filter(|_| relevant);
        let label = label.map(|label| model.schema.columns[label].name.clone());
        let label = positions(label.as_slice(), "that says what is relevant", reader, file)?;
        let group = group_among(model, &by, reader.columns());
        let told_by = [cells.clone(), group.into_iter().collect()];
        let mut seen = Seen { by, ..Seen::default() };
        let (mut buffer, mut any) = (Vec::new(), false);
        let counts = Counts::of(&model.schema, reader).filter(|_| relevant);
        seen.skipped = for_each_row(reader, counts, on_error, |raw| {
            check_context(raw, &told_by)?;
            for &cell in &label {
                if model.encoding.parse_label(raw, cell)? <= 0.0 {
                    return Ok(());
                }
            }
            any = true;
            let Some(item) = catalogue.find(raw.cell(item)) else {
                seen.unknown += 1;
                return Ok(());
            };
            key(cells.iter().map(|&cell| raw.cell(cell)), &mut buffer);
            let context = seen.keys.insert(&buffer)? as usize;
            if context == seen.items.len() {
                seen.items.push(Vec::new());
            }
            seen.items[context].push(item);
            Ok(())
        })?;
        if relevant && !any {
            return Err(Error::data(file, "no row is relevant: none has a label above 0"));
        }
        for items in &mut seen.items {
            items.sort_unstable();
            items.dedup();
        }
        Ok(seen)
    }

    /// The columns by which contexts are known.
    pub fn by(&self) -> &[String] {
        &self.by
    }

    /// Rows left out.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// Rows with items that the catalogue has not.
    pub fn unknown(&self) -> usize {
        self.unknown
    }

    /// Whether some items are known of the context of a key.
    pub(super) fn knows(&self, key: &[u8]) -> bool {
        self.keys.get(key).is_some()
    }

    /// The items of the context of a key, sorted.
    pub(super) fn items(&self, key: &[u8]) -> &[u32] {
        self.keys.get(key).map_or(&[], |context| &self.items[context as usize])
    }
}

/// The cell of the column that says whose rows are whose in training, if contexts are known by it.
pub(super) fn group_among(model: &Model, by: &[String], names: &[String]) -> Option<usize> {
    let group = &model.schema.columns[model.schema.group()?].name;
    by.contains(group).then(|| names.iter().position(|name| name == group))?
}
