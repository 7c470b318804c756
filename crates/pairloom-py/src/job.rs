//! What to train on, and how, from what Python says.

use super::columns::Columns;
use super::model::Model;
use pairloom::backend::DeviceName;
use pairloom::preset::{self, Preset};
use pairloom::reading::OnError;
use pairloom::schema::Schema;
use pairloom::train::{Job, SchemaSource};
use pairloom::{Config, Error, Result};
use pyo3::prelude::*;
use serde_json::Value;

/// What Python says of a job, as keywords of several functions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Asked {
    /// A JSON object: settings that are not left to their defaults.
    settings: String,
    /// A JSON object: what is said of columns.
    columns: String,
    preset: Option<String>,
    schema: Option<String>,
    /// Threads, 0 for one a core.
    threads: usize,
    device: Option<String>,
    on_error: String,
    cache: Option<String>,
    /// The model to go on from.
    init: Option<Py<Model>>,
}

impl Asked {
    /// The column of row weights, if it is said.
    pub fn weight(&self) -> Option<String> {
        Columns::from_json(&self.columns).ok()?.weight
    }

    /// The job over rows that are called so.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is no setting, or no column.
    pub fn job(&self, data: &str) -> Result<Job> {
        let hints = Columns::from_json(&self.columns)?.hints()?;
        let preset = self.preset.as_deref().map(find_preset).transpose()?.map(preset::get);
        let (recipe, config) = preset.map_or((None, Config::default()), |(s, c)| (Some(s), c));
        let schema = match (&self.init, recipe, &self.schema) {
            (Some(model), ..) => {
                let schema = model.get().of.schema.clone();
                SchemaSource::Given(match &hints.weight {
                    Some(weight) => schema.with_weight(weight)?,
                    None => schema,
                })
            }
            (None, Some(schema), _) => SchemaSource::Given(hints.apply(schema)?),
            (None, None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
                SchemaSource::Given(hints.apply(Schema::from_toml(file, &text)?)?)
            }
            (None, None, None) => SchemaSource::Infer(hints),
        };
        Ok(Job {
            schema,
            config: with_settings(&config, &self.settings)?,
            threads: self.threads,
            device: find_device(self.device.as_deref())?,
            on_error: on_error(&self.on_error)?,
            cache: self.cache.clone(),
            init: self.init.as_ref().map(|model| model.get().of.clone()),
            ..Job::new(data)
        })
    }
}

/// What to do with rows that cannot be used.
///
/// # Errors
/// [`Error::Usage`] for what is none of the two.
pub fn on_error(name: &str) -> Result<OnError> {
    match name {
        "stop" => Ok(OnError::Stop),
        "skip" => Ok(OnError::Skip),
        _ => Err(Error::usage(format!("--on-error must be stop or skip, not '{name}'"))),
    }
}

/// A device by its name; the usual one for none.
///
/// # Errors
/// [`Error::Usage`] for what is none.
pub fn find_device(name: Option<&str>) -> Result<DeviceName> {
    let Some(name) = name else { return Ok(DeviceName::default()) };
    let unknown = || {
        let names = DeviceName::ALL.map(DeviceName::name).join(", ");
        Error::usage(format!("--device: '{name}' is none of {names}"))
    };
    DeviceName::ALL.into_iter().find(|device| device.name() == name).ok_or_else(unknown)
}

fn find_preset(name: &str) -> Result<Preset> {
    let unknown = || {
        let names = Preset::ALL.map(Preset::name).join(", ");
        Error::usage(format!("there is no preset '{name}': {names}"))
    };
    Preset::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(unknown)
}

/// The settings with those changed that a JSON object has.
fn with_settings(config: &Config, said: &str) -> Result<Config> {
    let unfit = |e: serde_json::Error| Error::usage(format!("settings: {e}"));
    let mut all = serde_json::to_value(config).map_err(unfit)?;
    let said: Value = serde_json::from_str(said).map_err(unfit)?;
    let mut names = Vec::new();
    if let (Some(all), Value::Object(said)) = (all.as_object_mut(), said) {
        for (name, value) in said {
            // Each by itself, so that an error can name it.
            let one = serde_json::json!({ name.clone(): value });
            serde_json::from_value::<Config>(one)
                .map_err(|e| Error::usage(format!("{name}: {}", plainly(&e))))?;
            names.push(name.clone());
            all.insert(name, value);
        }
    }
    let config: Config = serde_json::from_value(all).map_err(unfit)?;
    names.iter().try_for_each(|name| config.check_of_model(name))?;
    Ok(config)
}

/// What is wrong with a setting, with its type as users of Python know it.
fn plainly(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let Some((what, expected)) = text.rsplit_once("expected ") else { return text };
    let expected = match expected {
        "u8" => "a whole number of at least 0 and at most 255",
        "u32" => "a whole number of at least 0 and at most 4294967295",
        "usize" | "u64" => "a whole number of at least 0",
        "f32" | "f64" => "a number",
        "string or map" => "a string",
        _ => expected,
    };
    format!("{what}expected {expected}")
}
