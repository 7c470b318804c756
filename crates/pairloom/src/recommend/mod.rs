//! The best items of a catalogue for each context, and the ranks of given items.
//!
//! Where columns are either a context's or an item's, the score of both is an inner product of two vectors
//! that are made once ([`crate::interaction`]), so the scores of many contexts with all items are a product of
//! matrices. It is computed tile by tile, small enough that the scores of a tile are looked at before they leave
//! the cache.
//!
//! # Exact in spite of rounding
//! The product adds up in another order than a row's score, so the two differ in their last bits. Each is a sum
//! of products, and rounding changes each term by no more than a share `R e` of its size, `e` the precision of a
//! float and `R` how often something is rounded on the way. With `M` the sum of the sizes of all terms, which
//! follows from the same kernels over absolute values, the two are no further apart than
//!
//! ```text
//! d = 2 R e M
//! ```
//!
//! (Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1, for sums in any order.) If `g` is
//! the N-th best score by the product, then N items have a row's score of at least `g - d`, and one of the best N
//! has at least `g - 2 d` by the product. Items down to there are scored again as rows, a few more than N, and
//! these scores decide: they are those of [`Model::score`](crate::Model::score) to the bit. Of items with the same
//! score, the one that the catalogue has first comes first.

mod best;
mod catalogue;
mod columns;
mod contexts;
mod measured;
mod ranks;
mod recommender;
mod seen;
mod sides;
#[cfg(test)]
mod tests;
mod texts;
mod tiles;

pub use catalogue::{Catalogue, CatalogueOptions, Filter};
pub use columns::Columns;
pub use contexts::{ContextOptions, ContextOutcome, Contexts, for_each_piece};
pub use measured::Tested;
pub use ranks::Rank;
pub use recommender::{Recommender, Request, Scored};
pub use seen::Seen;
