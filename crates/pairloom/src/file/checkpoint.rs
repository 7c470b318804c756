//! Checkpoints: everything that a training run needs to go on to the same bits.
//!
//! What follows from data, settings and seed (encoding, order of the rows) is not stored; a
//! fingerprint of the encoded rows and the settings are, and must be the same again.

use super::container::{self, Container, Tensor};
use super::model::{read_weights, weights};
use crate::backend::State;
use crate::config::Config;
use crate::fit::Epoch;
use crate::model::Weights;
use crate::optimizer::Update;
use crate::table::Table;
use crate::{Error, Result};
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
    /// The learning rate.
    pub rate: f64,
    /// The best epoch so far, 0 if none is complete.
    pub best_epoch: u32,
    /// Finished epochs.
    pub history: Vec<Epoch>,
}

/// Everything of a run in progress.
pub struct Checkpoint<'a> {
    /// How far it has come.
    pub progress: Cow<'a, Progress>,
    /// The model in training.
    pub state: Cow<'a, State>,
    /// The weights of the best epoch so far.
    pub best: Option<Cow<'a, Weights>>,
}

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    progress: Cow<'a, Progress>,
    config: Cow<'a, Config>,
    fingerprint: u64,
    time: u64,
}

impl Checkpoint<'_> {
    /// Writes the checkpoint of a run over data with this fingerprint.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: &str, config: &Config, fingerprint: u64) -> Result<()> {
        let table = &self.state.table;
        let document = Document {
            progress: Cow::Borrowed(&self.progress),
            config: Cow::Borrowed(config),
            fingerprint,
            time: self.state.time,
        };
        let best = self.best.iter().flat_map(|best| weights(best, config.factors));
        let mut tensors: Vec<_> = best.collect();
        let shape = [table.features(), table.stride()];
        tensors.push(("table".into(), Tensor::floats(&shape, once(table.floats()))));
        let bias = &self.state.bias[..];
        tensors.push(("table_bias".into(), Tensor::floats(&[bias.len()], once(bias))));
        container::write(path, KIND, &document, tensors)
    }

    /// Reads the checkpoint of a run with these settings over data with this fingerprint, whose
    /// table has the size of `like`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::ModelFile`] if the file is damaged or belongs to another run.
    pub fn load(
        path: &str,
        config: &Config,
        fingerprint: u64,
        like: &Table,
    ) -> Result<Checkpoint<'static>> {
        let file = Container::open(path)?;
        let document: Document = file.document(KIND)?;
        if *document.config != *config {
            return Err(differs(&file, "settings"));
        }
        if document.fingerprint != fingerprint {
            return Err(differs(&file, "data"));
        }
        let states = config.optimizer.states();
        let floats = file.floats("table", &[like.features(), like.stride()])?;
        let mut table = Table::new(like.features(), like.width(), states)?;
        floats.read(once(table.floats_mut()))?;
        let mut bias = vec![0.0; 1 + states];
        file.floats("table_bias", &[1 + states])?.read(once(&mut bias[..]))?;
        let state = State { table, bias, time: document.time };
        let best = match document.progress.best_epoch {
            0 => None,
            _ => Some(Cow::Owned(read_weights(&file, config, like.features())?)),
        };
        let progress = Cow::Owned(document.progress.into_owned());
        Ok(Checkpoint { progress, state: Cow::Owned(state), best })
    }
}

fn differs(file: &Container, what: &str) -> Error {
    file.refuse(format!(
        "this checkpoint is of a run with other {what}: resume with the same data and settings, or \
         start anew without --resume"
    ))
}
