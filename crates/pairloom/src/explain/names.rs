//! What features and fields are called.

use crate::encode::{Encoding, FieldKind};
use crate::model::Model;
use crate::schema::{Role, Schema};
use crate::{Error, Result};

/// What stands for all values that training rows had rarely or not at all.
const UNKNOWN: &str = "rare or unseen";

/// The names of a model's fields and features.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    schema: &'a Schema,
    encoding: &'a Encoding,
}

impl<'a> Names<'a> {
    /// Those of a model.
    pub fn new(model: &'a Model) -> Self {
        Names { schema: &model.schema, encoding: &model.encoding }
    }

    /// A field of [`Encoding::fields`]: the name of its column, or of pairs the field that they are of.
    pub fn field(&self, field: usize) -> String {
        let Some(about) = self.encoding.fields.get(field) else { return format!("field {field}") };
        let column = &self.schema.columns[about.column];
        match (&column.fields, column.role) {
            (Some(map), _) => map.name(about.number),
            (None, Role::Pairs) if self.encoding.fields.len() > 1 => {
                format!("field {}", about.number)
            }
            _ => column.name.clone(),
        }
    }

    /// What a feature stands for within its field.
    pub fn value(&self, id: u32) -> String {
        match self.encoding.is_default(id) {
            true => UNKNOWN.into(),
            false => self.encoding.describe(id),
        }
    }

    /// A feature: field and value.
    pub fn feature(&self, id: u32) -> String {
        let field = self.encoding.field_of(id);
        let (name, value) = (self.field(field), self.value(id));
        match &self.encoding.fields[field].kind {
            FieldKind::Values(_) => format!("{name} = {value}"),
            FieldKind::Number(_) => format!("{name} ({value})"),
        }
    }

    /// The field of a feature.
    pub fn field_of(&self, id: u32) -> usize {
        self.encoding.field_of(id)
    }

    /// Whether a feature stands for all values that training rows had rarely or not at all.
    pub fn is_unknown(&self, id: u32) -> bool {
        self.encoding.is_default(id)
    }
}

impl Model {
    /// The place of a class among several, by its name.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is none of this name, or if the model has one score.
    pub fn class(&self, name: &str) -> Result<usize> {
        let names = self.encoding.target.names();
        if names.is_empty() {
            let message = "the model has one score, and no class to choose";
            return Err(Error::usage(format!("class (--class) '{name}': {message}")));
        }
        self.encoding
            .target
            .parse(name.as_bytes())
            .map(|class| class as usize)
            .map_err(|message| Error::usage(format!("class (--class): {message}")))
    }
}
