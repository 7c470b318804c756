//! Finding the columns of a schema in a file, and what to do where they are not there.

use crate::schema::{Role, Schema, list, near};
use crate::{Error, Result};

/// The columns of a file, for finding those of a schema.
pub(super) struct Cells<'a> {
    schema: &'a Schema,
    file: &'a str,
    names: &'a [String],
    positions: Vec<Option<usize>>,
}

impl<'a> Cells<'a> {
    /// A file without a header must have the columns of the schema, in their order; if no labels
    /// are wanted, that of the label may be left out.
    pub(super) fn new(
        schema: &'a Schema,
        file: &'a str,
        names: &'a [String],
        labelled: bool,
    ) -> Result<Self> {
        let (has, wants) = (names.len(), schema.columns.len());
        let optional = usize::from(!labelled && schema.find(Role::Label).is_some());
        let by_number = schema.is_by_number(names);
        if by_number && !(wants - optional..=wants).contains(&has) {
            let trained = format!("the model was trained on {wants} columns without names");
            let or = if optional == 1 { ", or all but the label" } else { "" };
            let hint = if has == 1 { " (other --delimiter?)" } else { "" };
            let message =
                format!("{trained} and this file has {has}{hint}: it must have those{or}");
            return Err(Error::data(file, message));
        }
        Ok(Cells { schema, file, names, positions: schema.positions(names) })
    }

    /// The cell of a column of the schema, if the file has it.
    pub(super) fn position(&self, column: usize) -> Option<usize> {
        self.positions[column]
    }

    /// The cell of a column of the schema, called by its number there.
    pub(super) fn find(&self, column: usize) -> Result<usize> {
        self.positions[column].ok_or_else(|| {
            let about = &self.schema.columns[column];
            let (name, role) = (&about.name, about.role);
            if matches!(role, Role::Label | Role::Weight | Role::Trials) {
                let message = format!("column '{name}' is missing: it is the {} here", role.name());
                let all_alike = match role {
                    Role::Weight => "; a column of 1 counts all rows alike",
                    _ => "",
                };
                return self.missing(&(message + all_alike + &self.hint(name)));
            }
            let (has, wants) = (self.names.len(), self.schema.columns.len());
            let columns =
                format!("the model was trained on {wants} columns and these rows have {has}");
            let hint = self.hint(name);
            self.missing(&format!("column '{name}' is missing: {columns}{hint}"))
        })
    }

    /// The error of a column that is not there.
    fn missing(&self, message: &str) -> Error {
        Error::usage(format!("{}: {message}", self.file))
    }

    /// What may be the matter with a file that lacks the column of this name.
    fn hint(&self, wanted: &str) -> String {
        let names = self.names.iter().map(String::as_str);
        if let Some(delimiter) = self.other_delimiter(wanted) {
            return format!(", as its cells are separated by {delimiter:?}: say --delimiter");
        }
        if let Some(name) = near(wanted, names) {
            return format!("; is it the one called '{name}'?");
        }
        if self.positions.iter().all(Option::is_none) {
            let used = self.schema.columns.iter().filter(|column| column.role.is_feature());
            let names = list(used.map(|column| column.name.as_str()));
            return format!(
                ", none of them by the same name: the first line must name them; {names}"
            );
        }
        String::new()
    }

    /// The character that would cut the one name there is into several with the wanted one.
    fn other_delimiter(&self, wanted: &str) -> Option<char> {
        let [line] = self.names else { return None };
        [',', ';', '\t', '|'].into_iter().find(|&delimiter| {
            line.contains(delimiter) && line.split(delimiter).any(|name| name.trim() == wanted)
        })
    }
}
