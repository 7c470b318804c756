//! The data of the guide.

use crate::config::Config;
use crate::input::Format;
use crate::optimizer::Optimizer;
use crate::schema::{Column, Role, Schema};

pub(super) fn recipe() -> (Schema, Config) {
    let label = Column::new("0", Role::Label);
    let columns = (1..=34).map(|i| Column::new(i.to_string(), Role::Categorical));
    let schema = Schema {
        format: Format::Csv { delimiter: '\t', header: false },
        positive: Some("1".into()),
        item: Vec::new(),
        columns: std::iter::once(label).chain(columns).collect(),
    };
    let config = Config {
        factors: Some(20),
        optimizer: Optimizer::AdamDense,
        learning_rate: Some(0.02),
        warm_up: 0,
        batch_size: Some(2048),
        epochs: 30,
        l2_linear: 0.0,
        l2_factors: Some(0.0),
        learn_l2: false,
        patience: 0,
        rate_decay: 1.0,
        min_count: 4,
        ..Config::default()
    };
    (schema, config)
}
