//! The models by name.
//!
//! To add one, write its file and its line here. The numbers in the line are widths of vectors that its
//! kernel is compiled for, which makes it two to four times as fast; each takes time to build.

use super::{Dplr, Ffm, Fields, Fm, Fmfm, Fwfm, Hofm, Interaction, Linear, Mf, Plan, padded};
use crate::config::Config;
use crate::precision::{Bf16, Precision, Stored};
use crate::{Result, memory};
use serde::{Deserialize, Serialize};

/// Something to do with the interaction that the settings ask for, whichever it is, and with vectors
/// that are kept as `T`.
pub(crate) trait WithInteraction {
    /// What comes of it.
    type Output;

    /// Does it.
    fn with<M: Interaction + 'static, T: Stored>(self, interaction: M) -> Self::Output;
}

macro_rules! family {
    ($($(#[$doc:meta])* $kind:ident = $model:ident[$($width:literal)*], $name:literal, $title:literal, $formula:literal;)*) => {
        /// A model of the family.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)*
        }

        impl Kind {
            /// All models, for help texts and tests.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The name in settings and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name),* }
            }

            /// The name in words.
            pub fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title),* }
            }

            /// What it computes.
            pub fn formula(self) -> &'static str {
                match self { $(Kind::$kind => $formula),* }
            }

            /// What follows from its sizes.
            fn sizes(self, plan: &Plan) -> Sizes {
                match self { $(Kind::$kind => Sizes::of::<$model<Vec<f32>>>(plan)),* }
            }

            /// How many vectors make up a product.
            fn degree(self, plan: &Plan, part: usize) -> usize {
                match self { $(Kind::$kind => $model::<Vec<f32>>::degree(plan, part)),* }
            }

            /// What a vector of a feature is called.
            fn part_name(self, plan: &Plan, part: usize, field: &dyn Fn(usize) -> String) -> String {
                match self { $(Kind::$kind => $model::<Vec<f32>>::part_name(plan, part, field)),* }
            }

            /// What a shared number is called.
            fn shared_name(
                self,
                plan: &Plan,
                at: usize,
                field: &dyn Fn(usize) -> String,
            ) -> Option<String> {
                match self { $(Kind::$kind => $model::<Vec<f32>>::shared_name(plan, at, field)),* }
            }

            /// What a shared number is before training.
            fn first(self, plan: &Plan, at: usize) -> f32 {
                match self { $(Kind::$kind => $model::<Vec<f32>>::first(plan, at)),* }
            }
        }

        fn with_kind<T: Stored, W: WithInteraction>(kind: Kind, plan: &Plan, what: W) -> W::Output {
            match (kind, plan.width()) {
                // Unit tests and fuzzing do without: the tests in `tests` have them.
                $($(
                    #[cfg(not(any(test, fuzzing)))]
                    (Kind::$kind, $width) => what.with::<_, T>($model::<[f32; $width]>::new(plan)),
                )*)*
                _ => with_any_width::<T, W>(kind, plan, what),
            }
        }

        fn with_any_width<T: Stored, W: WithInteraction>(
            kind: Kind,
            plan: &Plan,
            what: W,
        ) -> W::Output {
            match kind { $(Kind::$kind => what.with::<_, T>($model::<Vec<f32>>::new(plan)),)* }
        }
    };
}

family! {
    /// Linear or logistic regression.
    Linear = Linear[], "linear", "linear model", "w0 + sum_i w_i x_i";
    /// Matrix factorization with biases, over two fields.
    Mf = Mf[16], "mf", "matrix factorization", "w0 + w_u + w_i + <v_u, v_i>";
    /// The two-way factorization machine.
    Fm = Fm[4 8 16 24 32 64], "fm", "factorization machine",
        "w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j";
    /// The field-aware factorization machine: a vector of each feature for each field.
    Ffm = Ffm[4 8], "ffm", "field-aware factorization machine",
        "w0 + sum_i w_i x_i + sum_{i<j} <v_{i,F(j)}, v_{j,F(i)}> x_i x_j";
    /// The field-weighted factorization machine: a strength for each pair of fields.
    Fwfm = Fwfm[16], "fwfm", "field-weighted factorization machine",
        "w0 + sum_i w_i x_i + sum_{i<j} r_{F(i),F(j)} <v_i, v_j> x_i x_j";
    /// The same with strengths of low rank.
    Dplr = Dplr[16], "dplr", "low-rank field-weighted factorization machine",
        "w0 + sum_i w_i x_i + sum_{i<j, F(i)!=F(j)} (U^T diag(e) U)_{F(i),F(j)} <v_i, v_j> x_i x_j";
    /// The field-matrixed factorization machine: a matrix for each pair of fields.
    Fmfm = Fmfm[16], "fmfm", "field-matrixed factorization machine",
        "w0 + sum_i w_i x_i + sum_{i<j, F(i)!=F(j)} <M_{F(i),F(j)} v_i, v_j> x_i x_j";
    /// The higher-order factorization machine.
    Hofm = Hofm[16], "hofm", "higher-order factorization machine",
        "w0 + sum_i w_i x_i + sum_t sum_{i1<...<it} <v^t_i1, ..., v^t_it> x_i1 ... x_it";
}

/// What keeps a model from working that is about different fields.
pub(super) fn too_few_fields(plan: &Plan) -> Option<String> {
    (plan.fields < 2).then(|| {
        "is about pairs of fields, and all features of these rows are of one: give columns, libffm, or \
         the fields of libsvm's indices (--fields)"
            .into()
    })
}

/// What follows from the sizes of a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sizes {
    /// Vectors of a feature.
    pub(crate) parts: usize,
    /// Factors of a vector.
    pub(crate) factors: usize,
    /// About how many floats the running sums of an example are.
    pub(crate) room: usize,
    /// About how much longer training takes than with `fm`: [`Interaction::work`].
    pub(crate) work: usize,
    /// How many shared numbers there are.
    pub(crate) shared: usize,
    /// What keeps the model from working.
    pub(crate) flaw: Option<String>,
}

impl Sizes {
    /// Those of the model that the settings ask for, over so many fields.
    pub(crate) fn new(config: &Config, fields: usize) -> Self {
        kind(config).sizes(&plan(config, fields))
    }

    fn of<M: Interaction>(plan: &Plan) -> Self {
        Sizes {
            parts: M::parts(plan),
            factors: plan.factors,
            room: M::room(plan),
            work: M::work(plan),
            shared: M::shared(plan),
            flaw: M::flaw(plan),
        }
    }

    /// Floats of all vectors of a feature, with their padding.
    pub(crate) fn width(&self) -> usize {
        self.parts * padded(self.factors)
    }

    /// The vectors of a feature without their padding.
    pub(crate) fn unpadded<'a, T>(
        &self,
        all: &'a [T],
    ) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
        let factors = self.factors;
        all.chunks_exact(padded(factors).max(1)).map(move |vector| &vector[..factors])
    }

    /// The same, to be changed.
    pub(crate) fn unpadded_mut<'a, T>(
        &self,
        all: &'a mut [T],
    ) -> impl Iterator<Item = &'a mut [T]> + use<'a, T> {
        let factors = self.factors;
        all.chunks_exact_mut(padded(factors).max(1)).map(move |vector| &mut vector[..factors])
    }
}

/// What the numbers of a model are called, by the names of fields.
pub(crate) struct Naming<'a> {
    kind: Kind,
    plan: Plan,
    field: &'a dyn Fn(usize) -> String,
}

impl<'a> Naming<'a> {
    /// Those of the model that the settings ask for, over so many fields.
    pub(crate) fn new(config: &Config, fields: usize, field: &'a dyn Fn(usize) -> String) -> Self {
        Naming { kind: kind(config), plan: plan(config, fields), field }
    }

    /// A vector of a feature; nothing, if it has one only.
    pub(crate) fn part(&self, part: usize) -> String {
        self.kind.part_name(&self.plan, part, self.field)
    }

    /// A shared number of a class; nothing, if it is padding.
    pub(crate) fn shared(&self, at: usize) -> Option<String> {
        self.kind.shared_name(&self.plan, at, self.field)
    }
}

/// How many vectors make up each product that a vector of a feature is in, for each of its vectors.
pub(crate) fn degrees(config: &Config, fields: usize) -> Vec<usize> {
    let (kind, plan) = (kind(config), plan(config, fields));
    (0..kind.sizes(&plan).parts).map(|part| kind.degree(&plan, part)).collect()
}

/// The shared numbers of so many classes before training.
///
/// # Errors
/// [`crate::Error::Memory`] if they do not fit.
pub(crate) fn first_shared(config: &Config, fields: usize, classes: usize) -> Result<Vec<f32>> {
    let (kind, plan, mut first) = (kind(config), plan(config, fields), Vec::new());
    let full = |_| memory::refused("what pairs of fields share", memory::SMALLER_MODEL);
    let count = kind.sizes(&plan).shared;
    first.try_reserve_exact(count.saturating_mul(classes)).map_err(full)?;
    for _ in 0..classes {
        first.extend((0..count).map(|at| kind.first(&plan, at)));
    }
    Ok(first)
}

/// Without factors, all models are linear.
pub(crate) fn kind(config: &Config) -> Kind {
    if config.resolved_factors() == 0 { Kind::Linear } else { config.model }
}

fn plan(config: &Config, fields: usize) -> Plan {
    let Config { order, lower_orders, rank, .. } = *config;
    Plan { fields, factors: config.resolved_factors(), order, lower_orders, rank }
}

/// Does `what` with the interaction that the settings ask for, compiled for its width if it is one of the usual.
pub(crate) fn with_interaction<W: WithInteraction>(
    config: &Config,
    fields: &Fields,
    what: W,
) -> W::Output {
    let plan = plan(config, fields.len());
    match config.precision {
        Precision::F32 => with_kind::<f32, W>(kind(config), &plan, what),
        Precision::Bf16 => with_kind::<Bf16, W>(kind(config), &plan, what),
    }
}

/// The same for what is no matter of speed: compiled once for all widths.
pub(crate) fn with_slow_interaction<W: WithInteraction>(
    config: &Config,
    fields: &Fields,
    what: W,
) -> W::Output {
    let plan = plan(config, fields.len());
    match config.precision {
        Precision::F32 => with_any_width::<f32, W>(kind(config), &plan, what),
        Precision::Bf16 => with_any_width::<Bf16, W>(kind(config), &plan, what),
    }
}
