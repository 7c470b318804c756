//! Which columns of a model are an item's, and which a context's.

use crate::interaction::{Side, Sides};
use crate::model::Model;
use crate::predict::no_column;
use crate::schema::{Column, Role, list_features};
use crate::{Error, Result};

/// The feature columns of a model on their sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    id: String,
    /// For each column of the schema whether it is one of the item's.
    is_item: Vec<bool>,
}

impl Columns {
    /// The item's columns by their names, of which the first names the item: that one need be no feature.
    ///
    /// # Errors
    /// [`Error::Usage`] for another column that is no feature, if no feature is the item's, if none is left for
    /// the context, and for a model of rows without named columns.
    pub fn new(model: &Model, item: &[String]) -> Result<Self> {
        let Some(id) = item.first() else {
            return Err(Error::usage(
                "the item has no column: name the one that names it (--item)",
            ));
        };
        for name in &item[1..] {
            let number = model.schema.column(name)?;
            if !model.schema.columns[number].role.is_feature() {
                let message = format!("--item: column '{name}' is none of the model's features");
                return Err(Error::usage(message));
            }
        }
        Columns::of(model, id, |column| item.contains(&column.name))
    }

    /// The same of a file of items, called `file`, with columns of these names.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file lacks the first; else as for [`Columns::new`].
    pub fn of_file(model: &Model, item: &[String], file: &str, names: &[String]) -> Result<Self> {
        match item.first() {
            Some(id) if model.schema.has_names() && !names.contains(id) => {
                Err(no_column(id, "that names the items", names, file))
            }
            _ => Columns::new(model, item),
        }
    }

    /// The features that a file of items has, called `file`, with columns of these names: all of them are the
    /// item's, and the first one that is categorical (else the first one) names it.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file has none; else as for [`Columns::new`].
    pub fn found(model: &Model, file: &str, names: &[String]) -> Result<Self> {
        let features = || model.schema.columns.iter().filter(|column| column.role.is_feature());
        let find = |is_one: fn(&Column) -> bool| {
            let is_one = |name: &&String| features().any(|c| is_one(c) && c.name == **name);
            names.iter().find(is_one)
        };
        match find(|column| column.role == Role::Categorical).or_else(|| find(|_| true)) {
            Some(id) => Columns::of(model, id, |column| names.contains(&column.name)),
            // The model may be one without names.
            None => Columns::of(model, "", |_| true).and_then(|_| {
                let names = list_features(features().map(|column| column.name.as_str()));
                Err(Error::usage(format!(
                    "{file}: none of its columns is a feature of the model, of which {names}"
                )))
            }),
        }
    }

    fn of(model: &Model, id: &str, is_item: impl Fn(&Column) -> bool) -> Result<Self> {
        if model.outputs() > 1 {
            let message = "items are ordered by one score, and this model has one for each class";
            return Err(Error::usage(message));
        }
        let format = model.schema.format;
        if !model.schema.has_names() {
            return Err(Error::usage(format!(
                "items and contexts are told apart by the names of their columns, and the rows of this model \
                 ({}) have none: train on CSV or TSV with a header",
                format.name()
            )));
        }
        let columns = &model.schema.columns;
        let is_item = columns.iter().map(|c| c.role.is_feature() && is_item(c)).collect();
        let columns = Columns { id: id.into(), is_item };
        if columns.names(model, Side::Item).next().is_none() {
            let message = format!("none of the item's columns ('{id}') is a feature of the model");
            return Err(Error::usage(message));
        }
        if id.is_empty() || columns.names(model, Side::Context).next().is_some() {
            return Ok(columns);
        }
        Err(Error::usage(
            "all features of the model are the item's, so every context would get the same: say which \
             columns are the item's (--item), or take a file of items without the others",
        ))
    }

    /// The column that names an item.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The feature columns of a side, in the order of the schema.
    pub fn names<'a>(&'a self, model: &'a Model, side: Side) -> impl Iterator<Item = &'a str> {
        let columns = model.schema.columns.iter().zip(&self.is_item);
        let mine = columns.filter(move |(column, is_item)| {
            column.role.is_feature() && **is_item == (side == Side::Item)
        });
        mine.map(|(column, _)| column.name.as_str())
    }

    /// The fields of the two sides.
    pub(super) fn sides(&self, model: &Model) -> Sides {
        let is_item = |column: usize| self.is_item.get(column).is_some_and(|is_item| *is_item);
        let fields = model.encoding.fields.iter().map(|field| is_item(field.column));
        Sides::new(&fields.collect::<Vec<_>>())
    }
}
