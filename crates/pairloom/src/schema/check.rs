//! What a schema must be, given or inferred.

use super::{Column, Role, Schema};
use crate::error::flagged;
use crate::input::{Format, Kind, LIST_SEPARATOR};
use crate::{Error, Result};
use std::collections::HashSet;

impl Schema {
    /// Checks that the columns make a whole.
    ///
    /// # Errors
    /// [`Error::Usage`] saying what is wrong.
    pub fn check(&self) -> Result<()> {
        for role in [Role::Label, Role::Weight, Role::Trials, Role::Pairs] {
            let with_role = self.columns.iter().filter(|column| column.role == role);
            let names: Vec<&str> = with_role.map(|column| column.name.as_str()).collect();
            if let [first, second, ..] = names[..] {
                let role = role.name();
                return Err(Error::usage(format!("'{first}' and '{second}' are both {role}")));
            }
        }
        let mut groups = self.columns.iter().filter(|c| c.role == Role::Group || c.group);
        if let (Some(first), Some(second)) = (groups.next(), groups.next()) {
            let message = format!("'{}' and '{}' are both group", first.name, second.name);
            return Err(Error::usage(message));
        }
        for (place, name) in self.item.iter().enumerate() {
            let column = &self.columns[self.column(name)?];
            let fits = match (place, column.role) {
                (0, role) => role == Role::Categorical,
                (_, role) => role.is_feature() && role != Role::Pairs,
            };
            if !fits {
                let what = if place == 0 {
                    "the name of an item, and so categorical"
                } else {
                    "a feature"
                };
                let role = column.role.name();
                return Err(Error::usage(format!("column '{name}' must be {what}: it is {role}")));
            }
        }
        if !self.columns.iter().any(|c| c.role.is_feature()) {
            let guessed = |c: &&Column| c.role == Role::Ignore && !c.why.is_empty();
            let example = self.columns.iter().find(guessed);
            let example =
                example.map_or(String::new(), |c| format!("; '{}' is left out: {}", c.name, c.why));
            return Err(Error::usage(format!("no column is left to learn from{example}")));
        }
        let mut names = HashSet::new();
        if let Some(Column { name, .. }) = self.columns.iter().find(|c| !names.insert(&c.name)) {
            return Err(Error::usage(format!("two columns are named '{name}'")));
        }
        if self.format != Format::Libsvm && self.columns.iter().any(|c| c.fields.is_some()) {
            return Err(fields_unfit(self.format));
        }
        if self.format.is_sparse() && self.columns.iter().any(|column| column.time.is_some()) {
            let name = self.format.name();
            return Err(Error::usage(format!("time (--time) is for cells, and {name} has pairs")));
        }
        let is_outcome = |c: &&Column| matches!(c.role, Role::Label | Role::Weight | Role::Trials);
        let mut times = self.columns.iter().filter(|column| column.time.is_some());
        if let Some(Column { name, role, .. }) = times.find(is_outcome) {
            let (time, role) = (flagged("time"), role.name());
            let message = format!("'{name}' is {role} and a time too: its parts would tell it");
            return Err(Error::usage(format!("{time}: {message}; leave one out")));
        }
        self.columns.iter().try_for_each(Column::check)
    }

    /// Refuses another separator for a column than stands between the values of its lists: `kind` tells what
    /// the types of a file's columns say, which are called `names`.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the column.
    pub(crate) fn check_lists(&self, names: &[String], kind: impl Fn(usize) -> Kind) -> Result<()> {
        let is_odd = |(column, at): &(&Column, Option<usize>)| {
            let is_list = at.is_some_and(|at| kind(at) == Kind::List);
            is_list && column.role == Role::Multi && column.value_separator() != LIST_SEPARATOR
        };
        match self.columns.iter().zip(self.positions(names)).find(is_odd) {
            None => Ok(()),
            Some((Column { name, .. }, _)) => Err(Error::usage(format!(
                "column '{name}' has lists here, whose values are read with '{LIST_SEPARATOR}' between them: \
                 no other separator (--multi) finds them"
            ))),
        }
    }
}

/// The error of fields for the indices of a format that has fields.
pub(super) fn fields_unfit(format: Format) -> Error {
    let message = "fields (--fields) are for the indices of libsvm, and these rows are";
    Error::usage(format!("{message} {}, which has fields of its own", format.name()))
}

impl Column {
    fn check(&self) -> Result<()> {
        let is_multi = self.role == Role::Multi;
        let rules = [
            ("separator", !is_multi || self.separator.is_some(), "given, as it is multi"),
            ("separator", self.separator.is_none_or(|c| c.is_ascii()), "an ASCII character"),
            ("hash_bits", self.hash_bits.is_none_or(|b| (1..=30).contains(&b)), "from 1 to 30"),
            ("bins", self.bins.is_none_or(|b| (2..=65536).contains(&b)), "from 2 to 65536"),
            (
                "bins",
                self.bins.zip(self.transform).is_none_or(|(b, how)| b >= how.least_bins()),
                "at least 4 for spline",
            ),
            (
                "fields",
                self.fields.is_none() || self.role == Role::Pairs,
                "left out, as it is no pairs",
            ),
            ("min_count", self.min_count != Some(0), "at least 1"),
        ];
        match rules.iter().find(|(_, holds, _)| !holds) {
            None => Ok(()),
            Some((setting, _, rule)) => {
                Err(Error::usage(format!("{setting} of '{}' must be {rule}", self.name)))
            }
        }
    }
}
