//! What is said of columns, by the names that the flags of the command have.

use pairloom::encode::Transform;
use pairloom::input::TimePattern;
use pairloom::schema::{FieldMap, Hints};
use pairloom::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is said of columns.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Columns {
    label: Option<String>,
    positive: Option<String>,
    pub weight: Option<String>,
    trials: Option<String>,
    group: Option<String>,
    item: Vec<String>,
    categorical: Vec<String>,
    numeric: Vec<String>,
    multi: BTreeMap<String, char>,
    transforms: BTreeMap<String, String>,
    time: BTreeMap<String, String>,
    ignore: Vec<String>,
    fields: Option<String>,
}

impl Columns {
    /// From a JSON object.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::usage(format!("columns: {e}")))
    }

    /// As the library wants it.
    ///
    /// # Errors
    /// [`Error::Usage`] for a transform, a pattern or a map of fields that is none.
    pub fn hints(self) -> Result<Hints> {
        let transform = |(name, how): (String, String)| {
            let (how, bins) = Transform::with_bins(&how)?;
            Ok((name, how, bins))
        };
        let time = |(name, pattern): (String, String)| {
            let pattern = TimePattern::new(&pattern).map_err(Error::Usage)?;
            Ok((name, pattern))
        };
        Ok(Hints {
            label: self.label,
            weight: self.weight,
            trials: self.trials,
            group: self.group,
            item: self.item,
            categorical: self.categorical,
            numeric: self.numeric,
            multi: self.multi.into_iter().collect(),
            transforms: self.transforms.into_iter().map(transform).collect::<Result<_>>()?,
            times: self.time.into_iter().map(time).collect::<Result<_>>()?,
            ignore: self.ignore,
            positive: self.positive,
            fields: self.fields.as_deref().map(FieldMap::said).transpose()?.map(Box::new),
        })
    }
}
