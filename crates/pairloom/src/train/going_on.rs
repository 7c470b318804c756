//! Training that goes on from a model.

use super::read::is_same;
use crate::config::Config;
use crate::data::Interned;
use crate::encode::Encoding;
use crate::error::flagged;
use crate::model::Model;
use crate::schema::{Role, Schema};
use crate::{Error, Result};

/// The encoding of a model, for rows that it can go on with.
///
/// # Errors
/// [`Error::Usage`] if their columns are not the model's, [`Error::Data`] for a label that it cannot have.
pub(super) fn encoding(
    model: &Model,
    schema: &Schema,
    interned: &Interned,
    file: &str,
) -> Result<Encoding> {
    // Rows may weigh something else than those before, and have columns that do not count.
    let counting = |schema: &Schema| {
        let mut counting = schema.clone();
        counting.columns.retain(|c| !matches!(c.role, Role::Weight | Role::Ignore));
        counting
    };
    if !is_same(&counting(schema), &counting(&model.schema)) {
        let message = "its columns are not those that the model to go on from was trained on";
        return Err(Error::usage(format!("{file}: {message}")));
    }
    model.encoding.target.check_labels(&interned.labels, file)?;
    let mut encoding = model.encoding.clone();
    for field in &mut encoding.fields {
        field.column = schema.column(&model.schema.columns[field.column].name)?;
    }
    Ok(encoding)
}

/// Refuses settings, in which nothing is left to the data, of another machine than the model's.
///
/// # Errors
/// [`Error::Usage`].
pub(super) fn check_config(model: &Model, config: &Config) -> Result<()> {
    const SAME: [&str; 9] = [
        "model",
        "factors",
        "order",
        "lower_orders",
        "rank",
        "bias",
        "linear",
        "loss",
        "precision",
    ];
    let [before, now] = [&model.config, config].map(Config::values);
    let mut settings = before.iter().zip(&now);
    match settings.find(|(one, other)| SAME.contains(&&*one.0) && one.1 != other.1) {
        None => Ok(()),
        Some(((name, value), _)) => {
            let (name, value) = (flagged(name), value.as_deref().unwrap_or("none"));
            Err(Error::usage(format!(
                "the model to go on from has {name} {value}: it cannot go on with another"
            )))
        }
    }
}
