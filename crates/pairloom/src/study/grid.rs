//! Settings by name, and all combinations of some of their values.

use crate::config::Config;
use crate::error::flagged;
use crate::interaction::Kind;
use crate::schema::did_you_mean;
use crate::{Error, Result};
use serde_json::Value;

/// One combination of settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What sets it apart: names of settings and their values.
    pub said: Vec<(String, String)>,
    /// All settings.
    pub config: Config,
}

impl Point {
    /// What it is called: its values, with the names of all settings but the model's.
    pub fn name(&self) -> String {
        let text = |(name, value): &(String, String)| match name.as_str() {
            "model" => value.clone(),
            "factors" => format!("k={value}"),
            name => format!("{name}={value}"),
        };
        match self.said.is_empty() {
            true => self.config.model.name().into(),
            false => self.said.iter().map(text).collect::<Vec<_>>().join(" "),
        }
    }
}

impl Config {
    /// Whether a setting means nothing to the model.
    pub fn is_moot(&self, name: &str) -> bool {
        match name {
            "factors" | "init_stdev" | "l1_factors" | "l2_factors" | "precision" => {
                self.model == Kind::Linear
            }
            "order" | "lower_orders" => self.model != Kind::Hofm,
            "rank" => self.model != Kind::Dplr,
            _ => false,
        }
    }

    /// The same settings but for one, which is called as its field and has the value that its text says, as in a
    /// model file.
    ///
    /// # Errors
    /// [`Error::Usage`] for a setting that is not there or is none of the model, or a text that is none of its values.
    pub fn with(&self, name: &str, text: &str) -> Result<Config> {
        let name = name.replace('-', "_");
        let mut all = serde_json::to_value(self).unwrap_or_default();
        let fields = all.as_object_mut().into_iter().flat_map(|all| all.keys().cloned());
        let names: Vec<String> = fields.collect();
        if !names.contains(&name) {
            let meant = did_you_mean(&name, names.iter().map(String::as_str));
            let message = format!("there is no setting '{name}'{meant}: the settings are ");
            return Err(Error::usage(message + &names.join(", ")));
        }
        if name == "memory" {
            let message = "it is no setting of the model, and the same for all: give one value";
            return Err(Error::usage(format!("{}: {message}", flagged(&name))));
        }
        // Names are texts, also such as 7; and .05 is a number, but none of JSON.
        let number = text.parse::<f64>().map_or(Value::Null, Value::from);
        let read = [serde_json::from_str(text).unwrap_or(Value::Null), Value::from(text), number];
        let with = |value: &Value| {
            all[&name] = value.clone();
            serde_json::from_value(all.clone()).ok()
        };
        let known = read.iter().filter(|value| !value.is_null()).find_map(with);
        known.ok_or_else(|| {
            Error::usage(format!("{}: '{text}' is none of its values", flagged(&name)))
        })
    }
}

/// All combinations of the values of these settings, the last one changing first. Where a setting means nothing to the
/// model, as the number of factors to a linear one, combinations that differ in it alone are one; so it comes after the
/// model.
///
/// # Errors
/// [`Error::Usage`] for a setting or a value that is not there, or a setting that is named twice.
pub fn grid(base: &Config, axes: &[(String, Vec<String>)]) -> Result<Vec<Point>> {
    let mut points = vec![Point { said: Vec::new(), config: base.clone() }];
    for (at, (name, values)) in axes.iter().enumerate() {
        if axes[..at].iter().any(|(other, _)| other == name) {
            return Err(Error::usage(format!("{} is in the grid twice", flagged(name))));
        }
        let mut next: Vec<Point> = Vec::new();
        for point in &points {
            for value in values {
                let is_moot = point.config.is_moot(name);
                let config = match point.config.with(name, value)? {
                    _ if is_moot => point.config.clone(),
                    config => config,
                };
                let mut said = point.said.clone();
                let tells = !is_moot && (values.len() > 1 || name == "model");
                said.extend(tells.then(|| (name.clone(), value.clone())));
                if !next.iter().any(|known| known.config == config) {
                    next.push(Point { said, config });
                }
            }
        }
        points = next;
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, values: &[&str]) -> (String, Vec<String>) {
        (name.into(), values.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn settings_are_set_by_name() {
        let config = Config::default();
        let with = |name: &str, text: &str| config.with(name, text).unwrap();
        assert_eq!(with("factors", "20"), Config { factors: Some(20), ..config.clone() });
        assert_eq!(with("batch-size", "1").batch_size, Some(1));
        assert_eq!(with("learning_rate", ".05").learning_rate, Some(0.05));
        assert_eq!(with("learning_rate", "5.").learning_rate, Some(5.0));
        assert_eq!(with("learn_l2", "false"), Config { learn_l2: false, ..config.clone() });
        assert_eq!(with("model", "ffm").model, Kind::Ffm);
        assert_eq!(
            with("loss", "huber:2"),
            Config { loss: Some("huber:2".parse().unwrap()), ..config.clone() }
        );
        for (name, text, says) in [
            ("faktors", "3", "did you mean 'factors'?"),
            ("factors", "many", "factors (--factors): 'many' is none"),
            ("model", "fmx", "model (--model): 'fmx' is none"),
            ("factors", "-1", "none of its values"),
            ("memory", "2G", "memory (--memory): it is no setting of the model"),
        ] {
            let error = config.with(name, text).unwrap_err();
            assert!(
                matches!(error, Error::Usage(_)) && error.to_string().contains(says),
                "{error}"
            );
        }
    }

    #[test]
    fn a_grid_is_all_combinations_but_those_that_mean_the_same() {
        let axes = [axis("model", &["linear", "fm"]), axis("factors", &["10", "20"])];
        let points = grid(&Config::default(), &axes).unwrap();
        let names: Vec<String> = points.iter().map(Point::name).collect();
        assert_eq!(names, ["linear", "fm k=10", "fm k=20"]);
        assert_eq!(grid(&Config::default(), &[]).unwrap()[0].name(), "fm");
        let twice = [axis("seed", &["1"]), axis("seed", &["2"])];
        assert!(grid(&Config::default(), &twice).is_err());
    }
}
