//! Display advertising by Criteo.

use crate::config::Config;
use crate::encode::Transform;
use crate::input::Format;
use crate::schema::{Column, Role, Schema};

pub(super) fn recipe() -> (Schema, Config) {
    let label = Column::new("label", Role::Label);
    let counts = (1..=13).map(|i| Column {
        transform: Some(Transform::LogSquare),
        ..Column::new(format!("I{i}"), Role::Numeric)
    });
    let names = (1..=26).map(|i| Column::new(format!("C{i}"), Role::Categorical));
    let schema = Schema {
        format: Format::Csv { delimiter: '\t', header: false },
        positive: Some("1".into()),
        item: Vec::new(),
        columns: std::iter::once(label).chain(counts).chain(names).collect(),
    };
    (schema, Config { min_count: 10, ..Config::default() })
}
