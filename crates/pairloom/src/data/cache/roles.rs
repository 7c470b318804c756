//! Whether kept rows have what a schema asks for.
//!
//! What a column was taken for when rows were kept decides what is left of its text: of a number its
//! bits, of a label its class. Only the text of names is kept as it was.

use crate::data::Interned;
use crate::schema::{Column, Role, Schema};

/// Whether the cells of a column with this role are kept.
pub(super) fn is_held(role: Role) -> bool {
    !matches!(role, Role::Ignore | Role::Group)
}

/// What is wrong with asking for a column that is not kept.
pub(crate) fn not_held(name: &str) -> String {
    format!("converted rows do not hold column '{name}': use the text that they were made from")
}

/// Checks that rows with these `names` of cells have kept what the columns of a schema need. Columns
/// that are missing are told of where they are looked for.
pub(super) fn check_columns(
    of: &Schema,
    interned: &Interned,
    names: &[String],
    schema: &Schema,
) -> Result<(), String> {
    let kept: Vec<&Column> = of.columns.iter().filter(|c| c.role != Role::Pairs).collect();
    for (wanted, position) in schema.columns.iter().zip(schema.positions(names)) {
        match position.map(|position| kept[position]) {
            Some(found) if is_held(wanted.role) => check_column(found, wanted)?,
            _ => {}
        }
    }
    let [found, wanted] = [of, schema].map(|schema| &schema.positive);
    match interned.labels.are_many() && found != wanted {
        true => Err(format!(
            "converted rows tell few of many labels apart, and another positive one was said to \
             pairloom convert: {REMEDY}"
        )),
        false => Ok(()),
    }
}

const REMEDY: &str = "convert them with the schema of the model (train --save-schema, convert \
                      --schema), or use the text";

fn check_column(found: &Column, wanted: &Column) -> Result<(), String> {
    let Column { name, role, separator, .. } = found;
    let is_same = *role == wanted.role && *separator == wanted.separator;
    match role {
        Role::Categorical => Ok(()),
        _ if is_same => Ok(()),
        role if !is_held(*role) => Err(not_held(name)),
        _ if *role == wanted.role => {
            Err(format!("column '{name}' was converted with another separator: {REMEDY}"))
        }
        role => {
            let [role, wanted] = [*role, wanted.role].map(Role::name);
            Err(format!("column '{name}' was converted as {role}, not {wanted}: {REMEDY}"))
        }
    }
}
