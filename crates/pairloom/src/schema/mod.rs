//! What each column of the raw rows is, given or inferred.
//!
//! A schema can be saved as TOML, edited and used again; the model file holds the one that was
//! used. Inference looks at the first rows only and explains each choice, so that a wrong guess is
//! seen and can be overridden.

mod check;
mod evidence;
mod fields;
mod hints;
mod infer;
mod look;
mod names;
mod times;

pub(crate) use evidence::centre;
pub use fields::FieldMap;
pub use hints::Hints;
pub use infer::infer;
pub(crate) use infer::numbers_after_all;
pub(crate) use names::{did_you_mean, list, list_features, near};

use crate::encode::Transform;
use crate::input::{Format, Pair, TimePattern};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What is to be predicted.
    Label,
    /// One value out of many: each gets a feature of its own.
    Categorical,
    /// Several values with a separator between them.
    Multi,
    /// A number.
    Numeric,
    /// How much the row counts.
    Weight,
    /// How often it was tried: the label says how many of these were positive, clicks of impressions.
    Trials,
    /// Which rows belong together, and no feature.
    Group,
    /// Not used.
    Ignore,
    /// The `index:value` pairs of a libsvm or libffm row.
    Pairs,
}

impl Role {
    /// The name in schema files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Role::Label => "label",
            Role::Categorical => "categorical",
            Role::Multi => "multi",
            Role::Numeric => "numeric",
            Role::Weight => "weight",
            Role::Trials => "trials",
            Role::Group => "group",
            Role::Ignore => "ignore",
            Role::Pairs => "pairs",
        }
    }

    /// Whether the column gives features.
    pub fn is_feature(self) -> bool {
        matches!(self, Role::Categorical | Role::Multi | Role::Numeric | Role::Pairs)
    }
}

/// One column. The settings below `role` override those of the same name in
/// [`Config`](crate::Config) for this column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name in the header, or the 0-based number as text.
    pub name: String,
    /// What it means.
    pub role: Role,
    /// Between the values of a multi-valued cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    /// What is done to a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    /// Number of quantile bins, of knots, or of functions of a spline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bins: Option<usize>,
    /// Minimum count of a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_count: Option<u32>,
    /// Hash instead of a dictionary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_bits: Option<u8>,
    /// Whether rows with the same value belong together, beside what the column is; see [`Role::Group`] for
    /// one that is nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group: bool,
    /// The fields of libsvm's indices: `["0-99 user", "100- item"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<FieldMap>,
    /// How its cells are written, if they are times: their parts are columns too, called `NAME.hour` and so on
    /// ([`TimePart`](crate::input::TimePart)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimePattern>,
    /// Whether rows may come without it: a weight that was given beside the rows, which then weigh 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Why inference chose the role; empty if it was given.
    #[serde(skip)]
    pub why: String,
    /// Whether its type told the role, so that no values can refute it.
    #[serde(skip)]
    pub typed: bool,
}

impl Column {
    /// A column with no settings of its own.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Column {
            name: name.into(),
            role,
            separator: None,
            transform: None,
            bins: None,
            min_count: None,
            hash_bits: None,
            group: false,
            fields: None,
            time: None,
            optional: false,
            why: String::new(),
            typed: false,
        }
    }

    /// The field of a pair: that of its index, if there are fields of indices.
    #[inline]
    pub(crate) fn field_of(&self, pair: &Pair) -> u32 {
        self.fields.as_ref().map_or(pair.field, |fields| fields.field(pair.index))
    }

    /// The character between the values of a multi-valued cell; [`Schema::check`] asks for one.
    pub(crate) fn value_separator(&self) -> char {
        self.separator.unwrap_or('|')
    }
}

/// Format and columns of a file of raw rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// How rows are written.
    pub format: Format,
    /// The label value that counts as positive in a binary task; `None` leaves it to
    /// [`crate::encode`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// The columns that tell of what is ranked, of which the first names it; the others tell of whom it is
    /// ranked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub item: Vec<String>,
    /// The columns, in the order of the file.
    pub columns: Vec<Column>,
}

impl Schema {
    /// Number of the first column with this role.
    pub fn find(&self, role: Role) -> Option<usize> {
        self.columns.iter().position(|column| column.role == role)
    }

    /// Number of the column that says which rows belong together.
    pub fn group(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.role == Role::Group || column.group)
    }

    /// Whether rows have weights, and whether they have groups.
    pub(crate) fn has_weights_and_groups(&self) -> [bool; 2] {
        let [weight, trials] = [Role::Weight, Role::Trials].map(|role| self.find(role).is_some());
        [weight || trials, self.group().is_some()]
    }

    /// Whether the weight of a row is how many rows it stands for.
    pub(crate) fn are_counts(&self) -> bool {
        self.find(Role::Trials).is_some() && self.find(Role::Weight).is_none()
    }

    /// Number of the column with this name.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the columns there are.
    pub fn column(&self, name: &str) -> Result<usize> {
        let found = self.columns.iter().position(|column| column.name == name);
        found.ok_or_else(|| {
            let names = self.columns.iter().map(|c| c.name.as_str());
            let meant = did_you_mean(name, names.clone());
            Error::usage(format!("there is no column '{name}'{meant}: {}", list(names)))
        })
    }

    /// Ignores all features but those of these columns.
    ///
    /// # Errors
    /// [`Error::Usage`] for a column that is not there or no feature.
    pub(crate) fn keep_features(&mut self, names: &[String]) -> Result<()> {
        for name in names {
            let role = self.columns[self.column(name)?].role;
            if !role.is_feature() {
                return Err(Error::usage(format!(
                    "column '{name}' is {}: no feature",
                    role.name()
                )));
            }
        }
        let others = self.columns.iter_mut().filter(|column| column.role.is_feature());
        for column in others.filter(|column| !names.contains(&column.name)) {
            *column = Column {
                why: "left out".into(),
                ..Column::new(column.name.as_str(), Role::Ignore)
            };
        }
        self.check()
    }

    /// Refuses rows of another format: they have other fields, and all of them would pass as never
    /// seen.
    ///
    /// # Errors
    /// [`Error::Data`] that names `file`.
    pub(crate) fn check_format(&self, found: Format, file: &str) -> Result<()> {
        let kind = |format: Format| (format.is_sparse(), format == Format::Libsvm);
        if kind(found) == kind(self.format) {
            return Ok(());
        }
        let (found, trained) = (found.name(), self.format.name());
        Err(Error::data(file, format!("it is read as {found}, and the model is one for {trained}")))
    }

    /// Whether columns have names, which those of a file without a header may have been given.
    pub(crate) fn has_names(&self) -> bool {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        self.format.has_names() || (!self.format.is_sparse() && !are_numbers(names()))
    }

    /// Whether the columns of a file, called `names`, are told apart by their places alone.
    pub(crate) fn is_by_number(&self, names: &[String]) -> bool {
        let is_bare = matches!(self.format, Format::Csv { header: false, .. });
        is_bare && are_numbers(names.iter().map(String::as_str))
    }

    /// The same for rows with their weights in this column.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is something else.
    pub fn with_weight(mut self, name: &str) -> Result<Schema> {
        for column in self.columns.iter_mut().filter(|column| column.name != name) {
            if column.role == Role::Weight {
                column.role = Role::Ignore;
            }
        }
        let weight = Column { optional: true, ..Column::new(name, Role::Weight) };
        match self.columns.iter_mut().find(|column| column.name == name) {
            None => self.columns.push(weight),
            Some(column) if column.role == Role::Weight => {}
            Some(column) if column.role == Role::Ignore => *column = weight,
            Some(Column { role, .. }) => {
                let message =
                    format!("column '{name}' is {}: it cannot be the weight too", role.name());
                return Err(Error::usage(message));
            }
        }
        Ok(self)
    }

    /// Where each column of the schema stands among a file's columns, called `names`: by name if
    /// they have names, else by number. A file without header that is one column short is
    /// taken to lack the label.
    pub fn positions(&self, names: &[String]) -> Vec<Option<usize>> {
        let by_name = !self.is_by_number(names);
        let short = names.len() + 1 == self.columns.len();
        let label = self.find(Role::Label).filter(|_| short);
        let position = |(number, column): (usize, &Column)| match label {
            _ if by_name => names.iter().position(|name| *name == column.name),
            Some(label) if number == label => None,
            Some(label) if number > label => Some(number - 1),
            _ => Some(number).filter(|&number| number < names.len()),
        };
        self.columns.iter().enumerate().map(position).collect()
    }

    /// Where the cells of the numeric columns are in a file whose columns are called `names`: of which numbers are
    /// enough, and their text says no more ([`Reader::without_text`](crate::input::Reader::without_text)).
    /// Without those that are times or say which rows belong together.
    pub fn numbers_among(&self, names: &[String]) -> Vec<usize> {
        let is_number = |c: &Column| c.role == Role::Numeric && c.time.is_none() && !c.group;
        let columns = self.columns.iter().zip(self.positions(names));
        columns.filter(|(column, _)| is_number(column)).filter_map(|(_, at)| at).collect()
    }

    /// Where the column that says which rows belong together stands in a file whose columns are called `names`,
    /// if there is one.
    ///
    /// # Errors
    /// [`Error::Usage`] if `file` lacks it.
    pub(crate) fn group_cell(&self, file: &str, names: &[String]) -> Result<Option<usize>> {
        let Some(group) = self.group() else { return Ok(None) };
        self.positions(names)[group].map(Some).ok_or_else(|| {
            let name = &self.columns[group].name;
            let others = list(names.iter().map(String::as_str));
            let message = format!("column '{name}' is missing, which says what belongs together");
            Error::usage(format!("{file}: {message}: {others}"))
        })
    }

    /// The same schema for a file with these columns: in their order, ignoring those that it does
    /// not name. Columns that it ignores may be missing.
    ///
    /// # Errors
    /// [`Error::Usage`] naming a column that `file` lacks.
    pub fn for_columns(&self, file: &str, names: &[String]) -> Result<Schema> {
        let mut used =
            self.columns.iter().filter(|c| ![Role::Pairs, Role::Ignore].contains(&c.role));
        if let Some(column) = used.find(|c| !c.optional && !names.contains(&c.name)) {
            let others = names.iter().map(String::as_str);
            let (name, meant) = (&column.name, did_you_mean(&column.name, others.clone()));
            let cut = match names.len() {
                1 if self.columns.len() > 2 => " (other --delimiter?)",
                _ => "",
            };
            let others = list(others);
            let message = format!("column '{name}' of the schema is missing{meant}: {others}{cut}");
            return Err(Error::usage(format!("{file}: {message}")));
        }
        // The reader of sparse rows has a cell for queries even if there are none.
        let is_csv = !self.format.is_sparse();
        let column = |name: &String| {
            let known = self.columns.iter().find(|c| c.name == *name).cloned();
            let unknown = || Column {
                why: "not in the schema".into(),
                ..Column::new(name.as_str(), Role::Ignore)
            };
            known.or_else(|| is_csv.then(unknown))
        };
        let pairs = self.columns.iter().filter(|c| c.role == Role::Pairs).cloned();
        let columns = names.iter().filter_map(column).chain(pairs).collect();
        let schema = Schema { columns, ..self.clone() };
        schema.check()?;
        Ok(schema)
    }

    /// The schema as a TOML document.
    ///
    /// # Errors
    /// [`Error::Usage`] if a name cannot be written.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::usage(format!("cannot write the schema: {e}")))
    }

    /// Reads a TOML document; `file` is its name in errors.
    ///
    /// # Errors
    /// [`Error::Data`] with the place of the mistake, [`Error::Usage`] from [`Schema::check`].
    pub fn from_toml(file: &str, text: &str) -> Result<Self> {
        let schema: Schema = toml::from_str(text).map_err(|e| {
            let line = 1 + text[..e.span().map_or(0, |s| s.start)].matches('\n').count();
            Error::data(format!("{file}:{line}"), e.message().replace('\n', " "))
        })?;
        schema.check()?;
        Ok(schema)
    }
}

/// Whether columns are called by numbers, as those of a file without a header.
fn are_numbers<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
}
