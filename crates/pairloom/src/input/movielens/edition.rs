//! What the files of each of the data sets are called, and what is in them.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Which of the data sets of MovieLens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MovieLens {
    /// 100K: `u.data` and its parts, beside `u.user` and `u.item`.
    #[serde(rename = "100k")]
    Small,
    /// 1M: `ratings.dat`, beside `users.dat` and `movies.dat`.
    #[serde(rename = "1m")]
    Million,
    /// Latest, 20M, 25M and 32M: `ratings.csv`, beside `movies.csv`.
    #[serde(rename = "latest")]
    Latest,
}

/// Which of the files of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Ratings,
    Users,
    Items,
}

/// What the flags of 100K stand for, in their order (its `u.genre`).
pub(super) const GENRES: [&str; 19] = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
];

/// Columns of the users, and of the items.
pub(super) const USER: [&str; 5] = ["user", "age", "gender", "occupation", "zip"];
pub(super) const ITEM: [&str; 4] = ["item", "title", "year", "genres"];
pub(super) const RATING: [&str; 4] = ["user", "item", "rating", "timestamp"];

impl MovieLens {
    /// The name of the format.
    pub fn name(self) -> &'static str {
        match self {
            MovieLens::Small => "movielens-100k",
            MovieLens::Million => "movielens-1m",
            MovieLens::Latest => "movielens",
        }
    }

    /// The file of users or of items.
    pub(super) fn file(self, table: Table) -> Option<&'static str> {
        match (self, table) {
            (MovieLens::Small, Table::Users) => Some("u.user"),
            (MovieLens::Small, Table::Items) => Some("u.item"),
            (MovieLens::Million, Table::Users) => Some("users.dat"),
            (MovieLens::Million, Table::Items) => Some("movies.dat"),
            (MovieLens::Latest, Table::Items) => Some("movies.csv"),
            _ => None,
        }
    }

    /// Which table a file of this name is. Of the latest ones its first line tells.
    pub(super) fn table(self, file: &str) -> Table {
        let name = Path::new(file).file_name().map(|name| name.to_string_lossy().to_lowercase());
        let name = name.unwrap_or_default();
        let plain = [".gz", ".zst", ".zstd"].iter().find_map(|end| name.strip_suffix(end));
        let plain = plain.unwrap_or(&name);
        let found = [Table::Users, Table::Items].into_iter();
        found.into_iter().find(|&t| self.file(t) == Some(plain)).unwrap_or(Table::Ratings)
    }

    /// What separates the parts of a line, how many there are, and what they are.
    pub(super) fn line(self, table: Table) -> (&'static [u8], usize, &'static str) {
        match (self, table) {
            (MovieLens::Small, Table::Users) => (b"|", 5, "user|age|gender|occupation|zip"),
            (MovieLens::Small, Table::Items) => {
                (b"|", 24, "item|title|release|video release|URL and 19 genres of 0 or 1")
            }
            (MovieLens::Million, Table::Users) => (b"::", 5, "user::gender::age::occupation::zip"),
            (MovieLens::Million, Table::Items) => (b"::", 3, "item::title::genres"),
            (MovieLens::Million, _) => (b"::", 4, "user::item::rating::timestamp"),
            _ => (b"\t", 4, "user, item, rating and timestamp"),
        }
    }

    /// Where the file of users or of items is, for a file of ratings.
    pub(super) fn beside(self, ratings: &str, table: Table) -> Option<PathBuf> {
        let folder = Path::new(ratings).parent().filter(|_| ratings != "-")?;
        self.file(table).map(|file| folder.join(file))
    }

    /// The files beside one of ratings that its rows are joined with.
    pub(crate) fn joined(self, ratings: &str) -> Vec<PathBuf> {
        let tables = [Table::Users, Table::Items].into_iter();
        tables.filter_map(|table| self.beside(ratings, table)).collect()
    }
}
