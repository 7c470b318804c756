//! The numbers of a model as tensors.
//!
//! Features that say nothing, since a penalty made their weights 0 or no training row has them, are
//! left out where that makes the file smaller: beside a tensor of fewer vectors are then the ids that
//! they belong to.

use super::container::{Container, Floats, Tensor};
use crate::config::Config;
use crate::interaction::{Fields, Sizes};
use crate::model::Weights;
use crate::precision::{Bf16, Precision, Stored};
use crate::table::{self, Table};
use crate::{Result, memory};
use std::iter::once;

/// The tensors of a model's numbers.
pub(super) fn weights<'a>(weights: &'a Weights, config: &Config) -> Vec<(String, Tensor<'a>)> {
    let Weights { bias, linear, factors, shared, fields } = weights;
    let (sizes, classes) = (Sizes::new(config, fields.len()), bias.len());
    let mut tensors = vec![("bias".into(), Tensor::floats(&[classes], once(&bias[..])))];
    tensors.extend(vectors("linear", linear, classes, &[], once::<&[f32]>));
    tensors.extend(match factors.precision() {
        Precision::F32 => factor_tensors::<f32>(factors, classes, sizes),
        Precision::Bf16 => factor_tensors::<Bf16>(factors, classes, sizes),
    });
    if !shared.is_empty() {
        tensors.push(("shared".into(), Tensor::floats(&[shared.len()], once(&shared[..]))));
    }
    tensors
}

fn factor_tensors<T: Stored>(
    factors: &Table,
    classes: usize,
    sizes: Sizes,
) -> Vec<(String, Tensor<'_>)> {
    let each = shape(&sizes);
    vectors("factors", factors, classes, &each, move |all: &[T]| sizes.unpadded(all))
}

/// What a feature has for a class: one vector, or several.
fn shape(sizes: &Sizes) -> Vec<usize> {
    match sizes.parts {
        0 => vec![0],
        1 => vec![sizes.factors],
        parts => vec![parts, sizes.factors],
    }
}

/// The numbers of so many features: for several classes, for each of these, and then `each`.
fn whole_shape(features: usize, classes: usize, each: &[usize]) -> Vec<usize> {
    let classes = if classes > 1 { &[classes][..] } else { &[] };
    [&[features], classes, each].concat()
}

/// The numbers of a table without state, of this shape for `each` feature and class, when its vectors have
/// lost their padding: those of all features, or of those that have a number that is not 0, and their ids.
fn vectors<'a, T: Stored, I: Iterator<Item = &'a [T]> + 'a>(
    name: &str,
    table: &'a Table,
    classes: usize,
    each: &[usize],
    unpadded: impl Fn(&'a [T]) -> I + 'a,
) -> Vec<(String, Tensor<'a>)> {
    let says = |vectors: &[T]| bytemuck::cast_slice(vectors).iter().any(|&byte: &u8| byte != 0);
    let vectors = || table.numbers::<T>().chunks_exact((classes * table.stride()).max(1));
    let shape = |features| whole_shape(features, classes, each);
    let bytes = classes * each.iter().product::<usize>() * size_of::<T>();
    let (all, some) = (table.features() / classes, vectors().filter(|v| says(v)).count());
    if all * bytes <= some * (bytes + size_of::<u32>()) {
        let tensor = Tensor::floats(&shape(all), vectors().flat_map(unpadded));
        return vec![(name.into(), tensor)];
    }
    let ids = (0..).zip(vectors()).filter(move |(_, v)| says(v)).map(|(id, _)| id);
    let numbers = vectors().filter(move |v| says(v)).flat_map(unpadded);
    vec![
        (ids_of(name), Tensor::ids(some, ids)),
        (name.into(), Tensor::floats(&shape(some), numbers)),
    ]
}

/// The tensor of the ids that the vectors of another belong to.
fn ids_of(name: &str) -> String {
    format!("{name}.ids")
}

/// What [`weights`] has written.
pub(super) fn read_weights(
    file: &Container,
    config: &Config,
    [features, classes]: [usize; 2],
    fields: Fields,
) -> Result<Weights> {
    match config.precision {
        Precision::F32 => read_as::<f32>(file, config, [features, classes], fields),
        Precision::Bf16 => read_as::<Bf16>(file, config, [features, classes], fields),
    }
}

/// Factors kept as `T`.
fn read_as<T: Stored>(
    file: &Container,
    config: &Config,
    [features, classes]: [usize; 2],
    fields: Fields,
) -> Result<Weights> {
    let (sizes, mut bias) = (Sizes::new(config, fields.len()), vec![0.0; classes]);
    let linear = Vectors::<f32>::find(file, "linear", [features, classes], &[])?;
    let factors = Vectors::<T>::find(file, "factors", [features, classes], &shape(&sizes))?;
    file.floats("bias", &[classes])?.read(once(&mut bias[..]))?;
    let vectors = features * classes;
    let bytes = table::bytes(vectors, 1, 0, Precision::F32)
        + table::bytes(vectors, sizes.width(), 0, T::PRECISION);
    let what = format!("a model of {features} features and {} factors", config.resolved_factors());
    memory::check(bytes, &what, memory::FREE_SOME)?;
    let (mut weights, mut vectors) =
        (Table::new(vectors, 1, 0)?, Table::of(vectors, sizes.width(), 0, T::PRECISION)?);
    linear.read(&mut weights, once::<&mut [f32]>)?;
    factors.read(&mut vectors, |all| sizes.unpadded_mut(all))?;
    let mut shared = Vec::new();
    if sizes.shared > 0 {
        let count = sizes.shared.saturating_mul(classes);
        let numbers = file.floats("shared", &[count])?;
        shared.resize(count, 0.0);
        numbers.read(once(&mut shared[..]))?;
    }
    Ok(Weights { bias, linear: weights, factors: vectors, shared, fields })
}

/// What [`vectors`] has written, to be read.
struct Vectors<'a, T> {
    /// The features and classes that they belong to, if not to all.
    ids: Option<Vec<u32>>,
    numbers: Floats<'a, T>,
}

impl<'a, T: Stored> Vectors<'a, T> {
    fn find(
        file: &'a Container,
        name: &'a str,
        [features, classes]: [usize; 2],
        each: &[usize],
    ) -> Result<Self> {
        let ids = if file.has(&ids_of(name)) { Some(ids(file, name, features)?) } else { None };
        let count = ids.as_ref().map_or(features, Vec::len);
        let numbers = file.floats(name, &whole_shape(count, classes, each))?;
        let of_classes = |id: u32| (0..classes as u32).map(move |c| id * classes as u32 + c);
        let ids = ids.map(|ids| ids.into_iter().flat_map(of_classes).collect());
        Ok(Vectors { ids, numbers })
    }

    fn read<'t, I: Iterator<Item = &'t mut [T]>>(
        self,
        table: &'t mut Table,
        unpadded: impl Fn(&'t mut [T]) -> I,
    ) -> Result<()> {
        match self.ids {
            None => self.numbers.read(table.vectors_mut().flat_map(unpadded)),
            Some(ids) => self.numbers.read(table.vectors_of_mut(&ids).flat_map(unpadded)),
        }
    }
}

/// Ids that ascend, and that there are.
fn ids(file: &Container, name: &str, features: usize) -> Result<Vec<u32>> {
    let name = ids_of(name);
    let ids = file.ids(&name)?;
    let exist = ids.last().is_none_or(|&id| (id as usize) < features);
    match exist && ids.is_sorted_by(|a, b| a < b) {
        true => Ok(ids),
        false => Err(file.refuse(format!(
            "tensor '{name}' is no list of ascending numbers less than {features}"
        ))),
    }
}
