//! What the user says about columns, which comes before all guesses.

use super::check::fields_unfit;
use super::{FieldMap, Role, Schema};
use crate::encode::Transform;
use crate::input::{Format, TimePattern};
use crate::{Error, Result};

/// What the user has said about columns, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hints {
    /// The label.
    pub label: Option<String>,
    /// The weight.
    pub weight: Option<String>,
    /// How often it was tried.
    pub trials: Option<String>,
    /// The group; a feature too, if that is said of it.
    pub group: Option<String>,
    /// What is ranked.
    pub item: Vec<String>,
    /// Categorical columns.
    pub categorical: Vec<String>,
    /// Numeric columns.
    pub numeric: Vec<String>,
    /// Multi-valued columns and their separators.
    pub multi: Vec<(String, char)>,
    /// Transforms of numeric columns, and the number of bins where one is given.
    pub transforms: Vec<(String, Transform, Option<usize>)>,
    /// Columns that are times, and how they are written.
    pub times: Box<[(String, TimePattern)]>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// The positive label.
    pub positive: Option<String>,
    /// The fields of libsvm's indices.
    pub fields: Option<Box<FieldMap>>,
}

impl Hints {
    /// Names of columns that are mentioned.
    pub(crate) fn names(&self) -> Vec<String> {
        let single = [&self.label, &self.weight, &self.trials, &self.group].into_iter().flatten();
        let several = self.categorical.iter().chain(&self.numeric).chain(&self.ignore);
        let multi = self.multi.iter().map(|(name, _)| name);
        let transforms = self.transforms.iter().map(|(name, ..)| name);
        let columns = single.chain(several).chain(&self.item).chain(multi).chain(transforms);
        columns.chain(self.times.iter().map(|(name, _)| name)).cloned().collect()
    }

    /// Changes a given schema.
    ///
    /// # Errors
    /// As for [`infer`](super::infer).
    pub fn apply(&self, mut schema: Schema) -> Result<Schema> {
        schema.add_times(self)?;
        // Another label takes the place of the old one.
        if let Some(label) = self.label.as_ref().and_then(|_| schema.find(Role::Label)) {
            schema.columns[label].role = Role::Ignore;
        }
        if let Some(group) = self.group.as_ref().and_then(|_| schema.group()) {
            let old = &mut schema.columns[group];
            old.group = false;
            old.role = if old.role == Role::Group { Role::Ignore } else { old.role };
        }
        let mut given = vec![false; schema.columns.len()];
        apply_hints(&mut schema, &mut given, self)?;
        self.give_fields(&mut schema)?;
        schema.positive = self.positive.clone().or(schema.positive);
        schema.check()?;
        Ok(schema)
    }

    /// Whether a column is said to be a feature.
    fn is_feature(&self, name: &String) -> bool {
        let mut others =
            self.multi.iter().map(|(n, _)| n).chain(self.transforms.iter().map(|(n, ..)| n));
        self.categorical.contains(name) || self.numeric.contains(name) || others.any(|n| n == name)
    }

    /// Gives the fields of indices to the pairs, if they are said.
    pub(super) fn give_fields(&self, schema: &mut Schema) -> Result<()> {
        let Some(fields) = &self.fields else { return Ok(()) };
        let pairs = schema.find(Role::Pairs).filter(|_| schema.format == Format::Libsvm);
        let pairs = pairs.ok_or_else(|| fields_unfit(schema.format))?;
        schema.columns[pairs].fields = Some(FieldMap::clone(fields));
        Ok(())
    }
}

pub(super) fn set(schema: &mut Schema, given: &mut [bool], column: usize, role: Role, why: &str) {
    schema.columns[column].role = role;
    schema.columns[column].why = why.into();
    given[column] = true;
}

pub(super) fn apply_hints(schema: &mut Schema, given: &mut [bool], hints: &Hints) -> Result<()> {
    let alone = hints.group.clone().filter(|name| !hints.is_feature(name));
    let single = [
        (&hints.label, Role::Label),
        (&hints.weight, Role::Weight),
        (&hints.trials, Role::Trials),
        (&alone, Role::Group),
    ];
    let single = single.into_iter().flat_map(|(names, role)| names.iter().map(move |n| (n, role)));
    let several = [
        (&hints.categorical, Role::Categorical),
        (&hints.numeric, Role::Numeric),
        (&hints.ignore, Role::Ignore),
    ];
    let several =
        several.into_iter().flat_map(|(names, role)| names.iter().map(move |n| (n, role)));
    let multi = hints.multi.iter().map(|(name, _)| (name, Role::Multi));
    for (name, role) in single.chain(several).chain(multi) {
        let column = schema.column(name)?;
        if given[column] && schema.columns[column].role != role {
            let said = |role: Role| if role == Role::Ignore { "ignored" } else { role.name() };
            let (a, b) = (said(schema.columns[column].role), said(role));
            return Err(Error::usage(format!("column '{name}' cannot be both {a} and {b}")));
        }
        set(schema, given, column, role, "");
    }
    if let Some(group) = hints.group.as_ref().filter(|_| alone.is_none()) {
        let column = schema.column(group)?;
        schema.columns[column].group = true;
    }
    if let Some(name) = hints.item.first() {
        schema.item.clone_from(&hints.item);
        // What names an item is a name, also one that was guessed to be of no use.
        let column = schema.column(name)?;
        let role = schema.columns[column].role;
        if !given[column] && !role.is_feature() && role != Role::Ignore {
            let message = format!("column '{name}' is the {} and no item", role.name());
            return Err(Error::usage(message));
        }
        if !given[column] {
            set(schema, given, column, Role::Categorical, "");
        }
    }
    for (name, separator) in &hints.multi {
        let column = schema.column(name)?;
        schema.columns[column].separator = Some(*separator);
    }
    for (name, transform, bins) in &hints.transforms {
        let column = schema.column(name)?;
        if given[column] && schema.columns[column].role != Role::Numeric {
            let role = schema.columns[column].role.name();
            let message = format!("column '{name}' is {role}: only a numeric one has a transform");
            return Err(Error::usage(message));
        }
        set(schema, given, column, Role::Numeric, "");
        schema.columns[column].transform = Some(*transform);
        schema.columns[column].bins = *bins;
    }
    schema.give_times(given, hints)
}
