//! Ratings of MovieLens.

use super::time;
use crate::config::Config;
use crate::input::{Format, MovieLens};
use crate::schema::{Column, Role, Schema};

pub(super) fn recipe(edition: MovieLens) -> (Schema, Config) {
    let named = |(name, role)| Column::new(name, role);
    let rating =
        [("user", Role::Categorical), ("item", Role::Categorical), ("rating", Role::Label)];
    // The ages of 1M are groups of years. Most codes of places are those of one or two users.
    let age = if edition == MovieLens::Small { Role::Numeric } else { Role::Categorical };
    let user = [
        ("age", age),
        ("gender", Role::Categorical),
        ("occupation", Role::Categorical),
        ("zip", Role::Ignore),
    ];
    let user = user.into_iter().filter(|_| edition != MovieLens::Latest);
    let mut columns: Vec<Column> = rating.map(named).into();
    columns.extend(time("timestamp", "unix", |_| Role::Ignore));
    columns.extend(user.map(named));
    columns.extend([("title", Role::Ignore), ("year", Role::Numeric)].map(named));
    columns.push(Column { separator: Some('|'), ..Column::new("genres", Role::Multi) });
    let format = Format::MovieLens { edition };
    (Schema { format, positive: None, item: Vec::new(), columns }, Config::default())
}
