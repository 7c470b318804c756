//! Recipes: schema and settings for data sets as they are downloaded, to be used with one word.
//!
//! What a recipe does not say is left to the defaults. `docs/data` has a page for each data set: where it is, what
//! the recipe decides and why, and what others have published.

mod avazu;
mod criteo;
mod d2l;
mod movielens;

use crate::config::Config;
use crate::input::{MovieLens, TimePart, TimePattern};
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
    /// Display advertising by Criteo, `train.txt` and `test.txt`: tab separated, no header, a label, 13 counts
    /// as log-square buckets and 26 categorical columns, all with a minimum count of 10, as in the solution that
    /// won the contest (Juan et al., "3 Idiots' Approach", 2014) and in the benchmark BARS.
    Criteo,
    /// Click-through rates by Avazu, `train.csv` and `test.csv`: all columns categorical, `hour` as day, weekday
    /// and hour of the day; a minimum count of 2, as in the benchmark BARS.
    Avazu,
    /// MovieLens 100K: ratings by user and item, with age, gender and occupation of the user, year and genres of
    /// the item.
    MovieLens100k,
    /// MovieLens 1M: the same columns.
    MovieLens1m,
    /// MovieLens latest, 20M, 25M and 32M: ratings by user and item, with year and genres of the item.
    MovieLens,
}

impl Preset {
    /// All recipes, for help texts.
    pub const ALL: [Preset; 6] = [
        Preset::D2l,
        Preset::Criteo,
        Preset::Avazu,
        Preset::MovieLens100k,
        Preset::MovieLens1m,
        Preset::MovieLens,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::D2l => "d2l",
            Preset::Criteo => "criteo",
            Preset::Avazu => "avazu",
            Preset::MovieLens100k => "movielens-100k",
            Preset::MovieLens1m => "movielens-1m",
            Preset::MovieLens => "movielens",
        }
    }
}

/// Schema and settings of a recipe.
pub fn get(preset: Preset) -> (Schema, Config) {
    match preset {
        Preset::D2l => d2l::recipe(),
        Preset::Criteo => criteo::recipe(),
        Preset::Avazu => avazu::recipe(),
        Preset::MovieLens100k => movielens::recipe(MovieLens::Small),
        Preset::MovieLens1m => movielens::recipe(MovieLens::Million),
        Preset::MovieLens => movielens::recipe(MovieLens::Latest),
    }
}

/// A column that is a time, and its parts.
fn time(name: &str, pattern: &str, role: impl Fn(TimePart) -> Role) -> Vec<Column> {
    let time = TimePattern::new(pattern).ok();
    let parts = time.iter().flat_map(TimePattern::parts);
    let parts: Vec<Column> = parts.map(|part| Column::new(part.column(name), role(part))).collect();
    let column = Column { time, ..Column::new(name, Role::Ignore) };
    std::iter::once(column).chain(parts).collect()
}
