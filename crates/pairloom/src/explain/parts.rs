//! The parts of a score.

use crate::batch::Row;
use crate::interaction::{Feature, Interaction, WithInteraction, with_slow_interaction};
use crate::memory;
use crate::model::{Model, Weights};
use crate::precision::Stored;
use crate::{Error, Result};
use std::ops::Range;

/// The parts of the score of a row for one class, in 64 bits.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// `w0`.
    pub(super) bias: f64,
    /// `w_i x_i` of each feature of the row, in its order.
    pub(super) values: Vec<f64>,
    /// What each pair of features adds, where that of `i < j` is at `j (j - 1) / 2 + i`; empty where there are no
    /// pairs.
    pub(super) pairs: Vec<f64>,
    /// What the products of each order beyond two add.
    pub(super) products: Vec<(usize, f64)>,
}

impl Parts {
    /// Those of a row and a class.
    ///
    /// # Errors
    /// [`Error::Memory`] if there is no room for all pairs.
    pub(super) fn of(model: &Model, row: Row<'_>, class: usize) -> Result<Self> {
        let weights = &model.weights;
        with_slow_interaction(&model.config, &weights.fields, Taking { weights, row, class })
    }

    /// All of them together.
    pub(super) fn sum(&self) -> f64 {
        let parts = self.values.iter().chain(&self.pairs);
        let products = self.products.iter().map(|(_, sum)| sum);
        self.bias + parts.chain(products).sum::<f64>()
    }

    /// All pairs: the places of both in the row, the earlier one first, and what they add.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let later = (1..self.values.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        later.zip(&self.pairs).map(|((i, j), &pair)| (i, j, pair))
    }

    /// What the features at the places `one` add with those at the places `other`, which are the same or all later.
    pub(super) fn between(
        &self,
        one: &Range<usize>,
        other: &Range<usize>,
    ) -> impl Iterator<Item = f64> {
        let one = one.clone();
        let later = other.clone().flat_map(move |j| {
            let before = one.start..one.end.min(j);
            before.filter_map(move |i| self.pairs.get(j * (j - 1) / 2 + i))
        });
        later.copied()
    }
}

/// Taking a score apart.
struct Taking<'a> {
    weights: &'a Weights,
    row: Row<'a>,
    class: usize,
}

impl WithInteraction for Taking<'_> {
    type Output = Result<Parts>;

    fn with<M: Interaction, T: Stored>(self, interaction: M) -> Result<Parts> {
        let Taking { weights, row, class } = self;
        let (classes, width) = (weights.classes(), interaction.width());
        let linear = weights.linear.view::<f32>().of_class(class, classes);
        let factors = weights.factors.view::<T>().of_class(class, classes);
        let each = weights.shared.len() / classes.max(1);
        let shared = &weights.shared[class * each..][..each];
        let (mut values, mut floats) = (Vec::new(), Vec::new());
        for (id, x) in row.features() {
            values.push(f64::from(linear.vector(id, 1)[0]) * f64::from(x));
            floats.extend(factors.vector(id, width).iter().map(|v| v.load()));
        }
        let mut walk = weights.fields.walk();
        let vector = |at: usize| &floats[at * width..][..width];
        let features = row.features().enumerate();
        let features: Vec<Feature<'_, f32>> =
            features.map(|(at, (id, x))| (vector(at), walk.field(id), x)).collect();
        let bias = f64::from(weights.bias[class]);
        if width == 0 {
            return Ok(Parts { bias, values, ..Parts::default() });
        }
        let products = interaction.products(&features);
        Ok(Parts { bias, values, pairs: pairs(&interaction, shared, &features)?, products })
    }
}

/// What each pair adds, in the order of [`Parts::pairs`].
fn pairs<M: Interaction>(
    interaction: &M,
    shared: &[f32],
    features: &[Feature<'_, f32>],
) -> Result<Vec<f64>> {
    let count = features.len();
    let mut pairs = Vec::new();
    pairs.try_reserve_exact(count * count.saturating_sub(1) / 2).map_err(|_| too_many(count))?;
    for (j, &(other, g, y)) in features.iter().enumerate() {
        for &(one, f, x) in &features[..j] {
            let of_one = interaction.pair(shared, (one, f), (other, g));
            pairs.push(of_one * f64::from(x) * f64::from(y));
        }
    }
    Ok(pairs)
}

fn too_many(features: usize) -> Error {
    memory::refused(&format!("all pairs of a row of {features} features"), memory::FREE_SOME)
}
