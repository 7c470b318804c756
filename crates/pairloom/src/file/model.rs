//! Model files: schema, encoding, settings, history and weights.

use super::container::{self, Container, Tensor, Tensors};
use super::weights::{read_weights, weights};
use crate::calibration::Calibration;
use crate::config::Config;
use crate::encode::{Dictionary, Encoding, FieldKind, Number, Vocabulary};
use crate::fit::Epoch;
use crate::interaction::Sizes;
use crate::loss::Loss;
use crate::model::Model;
use crate::schema::Schema;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Write;

const KIND: &str = "model";

/// Everything of a model but its numbers and dictionaries.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    schema: Cow<'a, Schema>,
    config: Cow<'a, Config>,
    encoding: Cow<'a, Encoding>,
    history: Cow<'a, [Epoch]>,
    epoch: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calibration: Option<Cow<'a, Calibration>>,
}

impl Model {
    /// Writes the model to a file, whole or not at all. Tensors: `bias` `[1]`, `linear`
    /// `[features]`, `factors` `[features, factors]` (`[features, vectors, factors]` of models with
    /// several vectors a feature; of several classes `bias` is `[classes]`, and the others have `classes` after
    /// `features`), `shared` where there is something that belongs to no feature, and the
    /// values of each dictionary. `shared` is, of `fwfm`, the strengths of the pairs of fields `g <= f`, in
    /// the order (0, 0), (0, 1), (1, 1), (0, 2), ...; of `dplr`, `e` and then the rows of `U`; of `fmfm`, the
    /// matrices of the pairs `g < f` in that order, row by row, with `k` rounded up to whole registers (4, or a
    /// multiple of 8); of several classes, that of one after the other. Where it takes less, `linear` and `factors` have only the features
    /// with something that is not 0, whose ids are in `linear.ids` and `factors.ids`, ascending.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if the file cannot be written; the old one is untouched then.
    pub fn save(&self, path: &str) -> Result<()> {
        let (document, tensors) = self.parts();
        container::write(path, KIND, &document, tensors)
    }

    /// Writes the bytes of such a file.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if `out`, which is called `name` in errors, does not take them.
    pub fn write_to(&self, out: &mut dyn Write, name: &str) -> Result<()> {
        let (document, tensors) = self.parts();
        container::write_to(out, KIND, &document, tensors).map_err(|e| Error::io(name, e))
    }

    /// What is written.
    fn parts(&self) -> (Document<'_>, Tensors<'_>) {
        let document = Document {
            schema: Cow::Borrowed(&self.schema),
            config: Cow::Borrowed(&self.config),
            encoding: Cow::Borrowed(&self.encoding),
            history: Cow::Borrowed(&self.history),
            epoch: self.epoch,
            calibration: self.calibration.as_ref().map(Cow::Borrowed),
        };
        let mut tensors = weights(&self.weights, &self.config);
        for (number, dictionary) in dictionaries(&self.encoding) {
            let (bytes, ends) = dictionary.parts();
            tensors.push((format!("dictionary.{number}.bytes"), Tensor::bytes(bytes)));
            tensors.push((format!("dictionary.{number}.ends"), Tensor::numbers(ends)));
        }
        (document, tensors)
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`crate::Error::Io`], or [`crate::Error::ModelFile`] saying why the file is refused;
    /// [`crate::Error::Usage`] for standard input, which can be read only once.
    pub fn load(path: &str) -> Result<Self> {
        let file = Container::open(path)?;
        let Document { schema, config, encoding, history, epoch, calibration } =
            file.document(KIND)?;
        let (schema, config) = (schema.into_owned(), config.into_owned());
        let mut encoding = encoding.into_owned();
        for (number, dictionary) in dictionaries_mut(&mut encoding) {
            let bytes = file.bytes(&format!("dictionary.{number}.bytes"))?;
            let ends = file.numbers(&format!("dictionary.{number}.ends"))?;
            *dictionary = Dictionary::from_parts(bytes, ends)
                .ok_or_else(|| file.refuse(format!("dictionary {number} is damaged")))?;
        }
        schema.check().and(config.check()).map_err(|e| file.refuse(e.to_string()))?;
        let flaw = encoding.flaw(&schema, &config);
        if let Some(flaw) = flaw.or_else(|| Sizes::new(&config, encoding.fields.len()).flaw) {
            return Err(file.refuse(flaw));
        }
        let calibration = calibration.map(Cow::into_owned);
        if let Some(calibration) = &calibration {
            let is_one = config.resolved_loss() == Loss::Logistic && encoding.target.is_binary();
            let unfit = "it has a calibration and predicts no probability of one of two classes";
            let unfit = if is_one { None } else { Some(unfit) };
            if let Some(flaw) = unfit.or_else(|| calibration.flaw()) {
                return Err(file.refuse(flaw));
            }
        }
        let sizes = [encoding.features(), encoding.target.classes()];
        let weights = read_weights(&file, &config, sizes, encoding.starts())?;
        let history = history.into_owned();
        Ok(Model { schema, encoding, config, history, epoch, calibration, weights })
    }
}

/// The dictionaries of an encoding, with the numbers of their fields.
fn dictionaries(encoding: &Encoding) -> impl Iterator<Item = (usize, &Dictionary)> {
    let fields = encoding.fields.iter().enumerate();
    fields.filter_map(|(number, field)| Some((number, dictionary(&field.kind)?)))
}

fn dictionaries_mut(encoding: &mut Encoding) -> impl Iterator<Item = (usize, &mut Dictionary)> {
    let fields = encoding.fields.iter_mut().enumerate();
    fields.filter_map(|(number, field)| Some((number, dictionary_mut(&mut field.kind)?)))
}

fn dictionary(kind: &FieldKind) -> Option<&Dictionary> {
    match kind {
        FieldKind::Values(Vocabulary::Dictionary { values })
        | FieldKind::Number(Number::LogSquare { buckets: Vocabulary::Dictionary { values } }) => {
            Some(values)
        }
        _ => None,
    }
}

fn dictionary_mut(kind: &mut FieldKind) -> Option<&mut Dictionary> {
    match kind {
        FieldKind::Values(Vocabulary::Dictionary { values })
        | FieldKind::Number(Number::LogSquare { buckets: Vocabulary::Dictionary { values } }) => {
            Some(values)
        }
        _ => None,
    }
}
