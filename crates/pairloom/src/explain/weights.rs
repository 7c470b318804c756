//! The numbers of a model by the names of what they belong to.

use super::Names;
use crate::encode::{FieldKind, Vocabulary};
use crate::file::{self, write_whole};
use crate::interaction::{Naming, Sizes};
use crate::model::Model;
use crate::precision::{Bf16, Precision, Stored};
use crate::table::Table;
use crate::{Error, Result};
use std::borrow::Cow;
use std::io::Write;

/// A feature, and what is large of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// The feature.
    pub id: u32,
    /// The class, if each of several has weights of its own.
    pub class: Option<usize>,
    /// Its linear weight, or the length of its factor vectors.
    pub value: f64,
}

/// The largest weights of a model, those of equal size by feature and class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Largest {
    /// By `|w_i|`.
    pub linear: Vec<Weighted>,
    /// By `|v_i|`: the square root of the sum of the squares of all factors of a feature.
    pub factors: Vec<Weighted>,
}

impl Model {
    /// Those of `top` features each that are not 0.
    pub fn largest(&self, top: usize) -> Largest {
        let (weights, mut floats) = (&self.weights, Vec::new());
        let length = |floats: &[f32]| {
            floats.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt()
        };
        let features = self.features_by_class();
        let linear = features.clone().map(|of| (of, f64::from(weights.linear.vector(of.2)[0])));
        let linear = largest(linear, top);
        let factors = features.map(|of| {
            load(&weights.factors, of.2, &mut floats);
            (of, length(&floats))
        });
        Largest { linear, factors: largest(factors, top) }
    }

    /// All features and classes: feature, class if there are several, and row of the tables.
    fn features_by_class(&self) -> impl Iterator<Item = (u32, Option<usize>, u32)> + Clone {
        let (classes, features) = (self.weights.classes(), self.encoding.features());
        let of = move |id: u32| {
            let class = move |class: usize| (classes > 1).then_some(class);
            (0..classes).map(move |at| (id, class(at), id * classes as u32 + at as u32))
        };
        (0..features as u32).flat_map(of)
    }

    /// Writes all weights by name into a CSV (RFC 4180): a line for each feature with `field`, `value`, `id`, the
    /// linear weight `w` and the factors `v1` to `vk`; where a feature has several vectors the name of a column says
    /// what each is for. With several classes there is a line for each, and a column `class` in front. Lines without
    /// an id are `bias` and what belongs to no feature ([`crate::interaction`]): its name is the value and its
    /// number is `w`. Features of hashed columns whose numbers are all 0 are left out.
    ///
    /// Numbers are the shortest decimals that lead back to the same bits.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save_weights(&self, path: &str) -> Result<()> {
        write_whole(path, |out| {
            Lines { model: self, names: Names::new(self), out }
                .write()
                .map_err(|e| Error::io(file::name(path), e))
        })
    }
}

/// The `top` features of the largest values.
fn largest(
    all: impl Iterator<Item = ((u32, Option<usize>, u32), f64)>,
    top: usize,
) -> Vec<Weighted> {
    let mut found: Vec<Weighted> = Vec::new();
    let cut = |found: &mut Vec<Weighted>| {
        // The sort keeps the order of equals.
        found.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        found.truncate(top);
    };
    for ((id, class, _), value) in all.filter(|(_, value)| *value != 0.0) {
        found.push(Weighted { id, class, value });
        if found.len() >= top.saturating_mul(2).saturating_add(1024) {
            cut(&mut found);
        }
    }
    cut(&mut found);
    found
}

/// The vector in a row of a table, however it is kept.
fn load(table: &Table, row: u32, floats: &mut Vec<f32>) {
    fn numbers<T: Stored>(table: &Table, row: u32) -> impl Iterator<Item = f32> {
        table.view::<T>().vector(row, table.width()).iter().map(|number| number.load())
    }
    floats.clear();
    match table.precision() {
        Precision::F32 => floats.extend(numbers::<f32>(table, row)),
        Precision::Bf16 => floats.extend(numbers::<Bf16>(table, row)),
    }
}

/// The lines of a CSV.
struct Lines<'a> {
    model: &'a Model,
    names: Names<'a>,
    out: &'a mut dyn Write,
}

impl Lines<'_> {
    fn write(&mut self) -> std::io::Result<()> {
        let Model { weights, encoding, config, .. } = self.model;
        let sizes = Sizes::new(config, encoding.fields.len());
        let names = self.names;
        let field = move |field: usize| names.field(field);
        let naming = Naming::new(config, encoding.fields.len(), &field);
        let classes: Vec<Option<usize>> = match weights.classes() {
            1 => vec![None],
            classes => (0..classes).map(Some).collect(),
        };
        self.header(&naming, &sizes, classes.len() > 1)?;
        let blank = vec![String::new(); sizes.parts * sizes.factors];
        let each = weights.shared.len() / classes.len();
        for (at, &class) in classes.iter().enumerate() {
            self.line(class, ["", "bias", ""], weights.bias[at], &blank)?;
            for (number, &shared) in weights.shared[at * each..][..each].iter().enumerate() {
                if let Some(name) = naming.shared(number) {
                    self.line(class, ["", &name, ""], shared, &blank)?;
                }
            }
        }
        let mut floats = Vec::new();
        for (id, class, row) in self.model.features_by_class() {
            let linear = weights.linear.vector(row)[0];
            load(&weights.factors, row, &mut floats);
            if linear == 0.0 && self.is_hashed(id) && floats.iter().all(|v| *v == 0.0) {
                continue;
            }
            let factors = sizes.unpadded(&floats).flatten().map(f32::to_string);
            let factors: Vec<String> = factors.collect();
            let (field, value) = (names.field(encoding.field_of(id)), names.value(id));
            self.line(class, [&field, &value, &id.to_string()], linear, &factors)?;
        }
        Ok(())
    }

    fn header(
        &mut self,
        naming: &Naming<'_>,
        sizes: &Sizes,
        has_classes: bool,
    ) -> std::io::Result<()> {
        let mut names = if has_classes { vec!["class".to_string()] } else { Vec::new() };
        names.extend(["field", "value", "id", "w"].map(String::from));
        for part in 0..sizes.parts {
            let of = naming.part(part);
            let name = |k: usize| format!("v{k} {of}").trim_end().to_string();
            names.extend((1..=sizes.factors).map(name));
        }
        self.cells(names.iter().map(String::as_str))
    }

    fn line(
        &mut self,
        class: Option<usize>,
        what: [&str; 3],
        w: f32,
        factors: &[String],
    ) -> std::io::Result<()> {
        let class = class.map(|class| self.model.encoding.target.names()[class].as_str());
        let w = w.to_string();
        let numbers = std::iter::once(w.as_str()).chain(factors.iter().map(String::as_str));
        self.cells(class.into_iter().chain(what).chain(numbers))
    }

    fn cells<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> std::io::Result<()> {
        for (at, cell) in cells.enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(self.out, "{comma}{}", quoted(cell))?;
        }
        self.out.write_all(b"\n")
    }

    fn is_hashed(&self, id: u32) -> bool {
        let field = &self.model.encoding.fields[self.model.encoding.field_of(id)];
        matches!(field.kind, FieldKind::Values(Vocabulary::Hash { .. }))
    }
}

/// A cell as RFC 4180 has it.
fn quoted(cell: &str) -> Cow<'_, str> {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")).into(),
        false => cell.into(),
    }
}
