//! Click-through rates by Avazu.

use super::time;
use crate::config::Config;
use crate::input::{Format, TimePart};
use crate::schema::{Column, Role, Schema};

/// The columns behind the time.
const COLUMNS: [&str; 21] = [
    "C1",
    "banner_pos",
    "site_id",
    "site_domain",
    "site_category",
    "app_id",
    "app_domain",
    "app_category",
    "device_id",
    "device_ip",
    "device_model",
    "device_type",
    "device_conn_type",
    "C14",
    "C15",
    "C16",
    "C17",
    "C18",
    "C19",
    "C20",
    "C21",
];

pub(super) fn recipe() -> (Schema, Config) {
    let mut columns = vec![Column::new("id", Role::Ignore), Column::new("click", Role::Label)];
    // All rows are of one month.
    columns.extend(time("hour", "YYMMDDHH", |part| match part {
        TimePart::Year | TimePart::Month => Role::Ignore,
        _ => Role::Categorical,
    }));
    columns.extend(COLUMNS.map(|name| Column::new(name, Role::Categorical)));
    let schema = Schema {
        format: Format::Csv { delimiter: ',', header: true },
        positive: Some("1".into()),
        item: Vec::new(),
        columns,
    };
    (schema, Config::default())
}
