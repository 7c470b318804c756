//! Recipes: schema and settings of published work, to be reproduced with one word.

use crate::config::Config;
use crate::input::Format;
use crate::optimizer::Optimizer;
use crate::schema::{Column, Role, Schema};

/// The recipes by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The advertising data of "Dive into Deep Learning" (Zhang et al., chapter on factorization
    /// machines): 34 tab-separated categorical columns without header, label first, a minimum
    /// count of 4 and a default id a column; k = 20, Adam at 0.02 over the whole table, batches of
    /// 2048, 30 epochs, no penalty. Two things of its code are mended: the sigmoid is applied once,
    /// and the weights kept are those of the best epoch.
    D2l,
}

impl Preset {
    /// All recipes, for help texts.
    pub const ALL: [Preset; 1] = [Preset::D2l];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::D2l => "d2l",
        }
    }
}

/// Schema and settings of a recipe.
pub fn get(preset: Preset) -> (Schema, Config) {
    match preset {
        Preset::D2l => d2l(),
    }
}

fn d2l() -> (Schema, Config) {
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
