//! Several models as one whose score is the mean of theirs.
//!
//! Models of the same rows that began elsewhere (another seed) may be wrong in different places, and the
//! loss of their mean is then less than the mean of their losses, often less than each. For machines that
//! only add up products of vectors nothing more is needed
//! to keep it than a machine with more factors: those of all, side by side,
//!
//! ```text
//! 1/n sum_m <v^m_i, v^m_j> = <V_i, V_j>    with V_i = (v^1_i, ..., v^n_i) / n^(1/2),
//! ```
//!
//! and the `t`-th root where `t` vectors are multiplied.

use crate::config::Config;
use crate::interaction::{Kind, Sizes, degrees};
use crate::model::{Model, Weights};
use crate::precision::{Bf16, Precision, Stored};
use crate::table::{self, Table};
use crate::{Error, Result, memory};

impl Model {
    /// The model whose score of a row is the mean of the scores of these models: of log-odds, or of
    /// predictions in the unit of the target. Each comes with the name that errors call it by. They
    /// must agree in model, loss, order, precision, rate of negatives, schema and encoding; numbers of factors add up, other
    /// settings are those of the first, and the history is empty. Calibrations are left out: that of one model is
    /// none of the mean, which can be calibrated itself ([`Model::calibrate`]).
    ///
    /// # Errors
    /// [`Error::Data`] naming the first model that does not go with the others, or whose pairs of fields
    /// have strengths of their own; [`Error::Usage`] for no model; [`Error::Memory`].
    pub fn average(models: &[(&str, &Model)]) -> Result<Model> {
        let Some(&(name, first)) = models.first() else {
            return Err(Error::usage("there is no model to average"));
        };
        if let Some((name, model)) = models.iter().find(|(_, m)| !m.weights.shared.is_empty()) {
            let model = model.config.model.name();
            return Err(Error::data(
                *name,
                format!(
                    "the mean of several {model} models is none: what it learns of pairs of fields is a factor \
                 of each product; linear, mf, fm, ffm and hofm can be averaged"
                ),
            ));
        }
        for (other_name, other) in models {
            if let Some(what) = difference(first, other) {
                return Err(Error::data(
                    *other_name,
                    format!(
                        "it has {what} than {name}: average models that were trained on the same rows \
                     (the same --valid or --valid-tail) with the same model"
                    ),
                ));
            }
        }
        let all: Vec<&Model> = models.iter().map(|&(_, model)| model).collect();
        let config = Config {
            factors: Some(all.iter().map(|model| model.config.resolved_factors()).sum()),
            bias: all.iter().any(|model| model.config.bias),
            linear: all.iter().any(|model| model.config.linear),
            calibrate: None,
            ..first.config.clone()
        };
        config.check()?;
        let weights = match config.precision {
            Precision::F32 => mean::<f32>(&all, &config)?,
            Precision::Bf16 => mean::<Bf16>(&all, &config)?,
        };
        let (schema, encoding) = (first.schema.clone(), first.encoding.clone());
        let (history, calibration) = (Vec::new(), None);
        Ok(Model { schema, encoding, config, history, epoch: 0, calibration, weights })
    }
}

/// What keeps two models from being averaged.
fn difference(one: &Model, other: &Model) -> Option<&'static str> {
    let (a, b) = (&one.config, &other.config);
    let orders = |config: &Config| (config.order, config.lower_orders);
    let settings = [
        (a.model != b.model, "another model"),
        (a.loss != b.loss, "another loss"),
        (a.model == Kind::Hofm && orders(a) != orders(b), "other orders"),
        (a.precision != b.precision, "another precision"),
        (a.negative_rate != b.negative_rate, "another rate of negatives"),
    ];
    if let Some((_, what)) = settings.into_iter().find(|(differs, _)| *differs) {
        return Some(what);
    }
    let columns = |model: &Model| {
        let mut schema = model.schema.clone();
        // Only a model that was just trained has the reasons.
        schema.columns.iter_mut().for_each(|column| column.why.clear());
        schema
    };
    if columns(one) != columns(other) {
        return Some("other columns");
    }
    (one.encoding != other.encoding).then_some("other values or numbers in its columns")
}

/// The weights of all, whose factors are kept as `T`, for settings with the factors of all.
fn mean<T: Stored>(all: &[&Model], config: &Config) -> Result<Weights> {
    let Weights { linear, fields, .. } = &all[0].weights;
    // Of several classes, each has vectors of its own.
    let (features, fields) = (linear.features(), fields.clone());
    let (sizes, share) = (Sizes::new(config, fields.len()), 1.0 / all.len() as f32);
    let need = table::bytes(features, sizes.width(), 0, T::PRECISION);
    memory::check(need, "the average", memory::FREE_SOME)?;
    let scale = |degree: usize| share.powf(1.0 / degree as f32);
    let scales: Vec<f32> = degrees(config, fields.len()).into_iter().map(scale).collect();
    let mut linear = Table::new(features, 1, 0)?;
    let mut factors = Table::of(features, sizes.width(), 0, T::PRECISION)?;
    let (mut bias, mut before) = (vec![0.0; all[0].weights.classes()], 0);
    for model in all {
        let Weights { bias: w0, linear: w, factors: v, .. } = &model.weights;
        bias.iter_mut().zip(w0).for_each(|(to, w0)| *to += share * w0);
        linear.floats_mut().iter_mut().zip(w.floats()).for_each(|(to, w)| *to += share * w);
        let mine = Sizes::new(&model.config, fields.len());
        for (to, v) in factors.vectors_mut::<T>().zip(v.vectors::<T>()) {
            let parts = sizes.unpadded_mut(to).zip(mine.unpadded(v));
            for ((to, v), scale) in parts.zip(&scales) {
                let place = to[before..].iter_mut().zip(v);
                place.for_each(|(to, v)| *to = T::nearest(scale * v.load()));
            }
        }
        before += mine.factors;
    }
    Ok(Weights { bias, linear, factors, shared: Vec::new(), fields })
}
