//! Checkpoints: everything that a training run needs to go on to the same bits.
//!
//! What follows from data, settings and seed (encoding, order of the rows) is not stored; a
//! fingerprint of the encoded rows and the settings are, and must be the same again.

use super::container::{self, Container, Tensor};
use super::weights::{read_weights, weights};
use crate::Result;
use crate::backend::State;
use crate::config::Config;
use crate::fit::Epoch;
use crate::model::Weights;
use crate::precision::{Bf16, Precision, Stored};
use crate::table::Table;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::iter::once;

const KIND: &str = "checkpoint";

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The epoch being trained, counted from 1.
    pub epoch: u32,
    /// Rows of this epoch already trained on.
    pub rows: usize,
    /// Sum of their weighted losses.
    pub loss: f64,
    /// Sum of their weights.
    pub weight: f64,
    /// The learning rate.
    pub rate: f64,
    /// The best epoch so far, 0 if none is complete.
    pub best_epoch: u32,
    /// Finished epochs.
    pub history: Vec<Epoch>,
}

impl Progress {
    /// Mean loss of the rows of this epoch so far; 0 if none of them had anything to learn.
    pub fn mean(&self) -> f64 {
        if self.weight > 0.0 { self.loss / self.weight } else { 0.0 }
    }
}

/// Everything of a run in progress.
pub struct Checkpoint<'a> {
    /// How far it has come.
    pub progress: &'a Progress,
    /// The model in training.
    pub state: &'a State,
    /// The weights of the best epoch so far.
    pub best: Option<&'a Weights>,
}

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    progress: Cow<'a, Progress>,
    config: Cow<'a, Config>,
    fingerprint: u64,
    time: u64,
    #[serde(default)]
    learned: u64,
}

impl Checkpoint<'_> {
    /// Writes the checkpoint of a run over data with this fingerprint.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn save(&self, path: &str, config: &Config, fingerprint: u64) -> Result<()> {
        let State { linear, factors, bias, shared, strengths, time, learned, .. } = self.state;
        let document = Document {
            progress: Cow::Borrowed(self.progress),
            config: Cow::Borrowed(config),
            fingerprint,
            time: *time,
            learned: *learned,
        };
        let best = self.best.iter().flat_map(|best| weights(best, config));
        let mut tensors: Vec<_> = best.collect();
        for (name, table) in [("table_linear", linear), ("table_factors", factors)] {
            tensors.push((name.into(), whole(table)));
        }
        let others = [("table_bias", bias), ("table_shared", shared), ("strengths", strengths)];
        for (name, numbers) in others {
            tensors.push((name.into(), Tensor::floats(&[numbers.len()], once(&numbers[..]))));
        }
        container::write(path, KIND, &document, tensors)
    }
}

/// Reads the checkpoint of a run with these settings over data with this fingerprint. Its model
/// takes the place of `state`, which is of the same size: going on takes no more memory than the
/// run itself. Returns how far it had come, and the weights of its best epoch.
///
/// # Errors
/// [`crate::Error::Io`]; [`crate::Error::ModelFile`] if the file is damaged or belongs to another run.
pub fn load(
    path: &str,
    config: &Config,
    fingerprint: u64,
    state: &mut State,
) -> Result<(Progress, Option<Weights>)> {
    let file = Container::open(path)?;
    let document: Document = file.document(KIND)?;
    if let Some(what) = difference(&document, config, fingerprint) {
        return Err(file.refuse(format!(
            "this checkpoint is of a run with other {what}: resume with the same data and settings, \
             or start anew with --restart"
        )));
    }
    let State { linear, factors, bias, shared, fields, strengths, time, learned, classes } = state;
    for (name, table) in [("table_linear", linear), ("table_factors", &mut *factors)] {
        match table.precision() {
            Precision::F32 => read_whole::<f32>(&file, name, table)?,
            Precision::Bf16 => read_whole::<Bf16>(&file, name, table)?,
        }
    }
    let others = [("table_bias", bias), ("table_shared", shared), ("strengths", strengths)];
    for (name, numbers) in others {
        file.floats(name, &[numbers.len()])?.read(once(&mut numbers[..]))?;
    }
    (*time, *learned) = (document.time, document.learned);
    let best = match document.progress.best_epoch {
        0 => None,
        _ => {
            let sizes = [factors.features() / *classes, *classes];
            Some(read_weights(&file, config, sizes, fields.clone())?)
        }
    };
    Ok((document.progress.into_owned(), best))
}

/// A table with the optimizer's state.
fn whole(table: &Table) -> Tensor<'_> {
    let shape = [table.features(), table.stride()];
    match table.precision() {
        Precision::F32 => Tensor::floats(&shape, once(table.numbers::<f32>())),
        Precision::Bf16 => Tensor::floats(&shape, once(table.numbers::<Bf16>())),
    }
}

/// What [`whole`] has written.
fn read_whole<T: Stored>(file: &Container, name: &str, table: &mut Table) -> Result<()> {
    let shape = [table.features(), table.stride()];
    file.floats::<T>(name, &shape)?.read(once(table.numbers_mut()))
}

/// What is not the same in a checkpoint and in this run, if anything.
fn difference(document: &Document<'_>, config: &Config, fingerprint: u64) -> Option<String> {
    let settings = differing(&document.config, config).join(", ");
    match (settings.is_empty(), document.fingerprint == fingerprint) {
        (true, true) => None,
        (true, false) => Some("data (the rows, or what their columns are)".into()),
        (false, true) if settings.contains("batch_growth") => {
            Some(format!("settings ({settings}: a GPU has others where nothing is said of them)"))
        }
        (false, true) => Some(format!("settings ({settings})")),
        // Other settings may be why the rows are split or encoded in another way.
        (false, false) => Some(format!("settings ({settings}) and other rows")),
    }
}

/// The settings that differ, with both values.
fn differing(there: &Config, here: &Config) -> Vec<String> {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "off".into());
    let both = there.values().into_iter().zip(here.values());
    both.filter(|(there, here)| there != here)
        .map(|((name, there), (_, here))| {
            format!("{name} is {} in it and {} here", shown(there), shown(here))
        })
        .collect()
}
