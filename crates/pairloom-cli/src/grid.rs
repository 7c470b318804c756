//! The flags of the settings where each may have several values, which are then combined.

use crate::settings::ConfigArgs;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, value_parser};
use pairloom::study::{Point, grid};
use pairloom::{Config, Error, Result};

/// What was said of the settings.
#[derive(Debug, Clone, Default)]
pub struct GridArgs {
    /// Those with one value.
    pub config: ConfigArgs,
    /// Those with several, by name: first the model, as others may mean nothing to some models.
    pub axes: Vec<(String, Vec<String>)>,
    /// The names of those with one value.
    pub said: Vec<String>,
}

/// Settings whose value is a list itself.
const LISTS: [&str; 1] = ["class_weight"];

/// Settings of one model.
const OF_A_MODEL: [&str; 2] = ["order", "rank"];

impl GridArgs {
    /// The settings that are to be compared, beginning with these.
    pub fn points(&self, mut base: Config) -> Result<(Config, Vec<Point>)> {
        self.config.apply(&mut base)?;
        let points = grid(&base, &self.axes)?;
        let is_moot = |name: &str| points.iter().all(|point| point.config.is_moot(name));
        match self.axes.iter().find(|(name, _)| is_moot(name)) {
            None => Ok((base, points)),
            Some((name, _)) => {
                let flag = name.replace('_', "-");
                Err(Error::usage(format!("--{flag} means nothing to any of the models")))
            }
        }
    }
}

/// The flags of the settings as `train` has them.
fn flags() -> Command {
    <ConfigArgs as clap::Args>::augment_args(Command::new("settings").no_binary_name(true))
}

fn is_list(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !LISTS.contains(&arg.get_id().as_str())
}

impl clap::Args for GridArgs {
    fn augment_args(command: Command) -> Command {
        flags().get_arguments().fold(command, |command, arg| {
            let arg = arg.clone().help_heading("Settings (each may be a list, as in 10,20)");
            command.arg(match is_list(&arg) {
                true => arg
                    .value_parser(value_parser!(String))
                    .action(ArgAction::Append)
                    .value_delimiter(','),
                false => arg,
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GridArgs {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut args = GridArgs::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        let (mut words, mut axes, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for arg in flags().get_arguments() {
            let id = arg.get_id().as_str();
            if matches.value_source(id) != Some(ValueSource::CommandLine) {
                continue;
            }
            let flag = format!("--{}", arg.get_long().unwrap_or_default());
            let raw = matches.get_raw(id).into_iter().flatten();
            let values: Vec<String> = raw.map(|raw| raw.to_string_lossy().into_owned()).collect();
            if values.len() == 1 || !is_list(arg) {
                names.push(id.trim_start_matches("no_").to_string());
            }
            match (is_list(arg), arg.get_action().takes_values()) {
                (true, _) if values.len() > 1 => axes.push((id.to_string(), values)),
                (_, true) => words.extend(values.iter().map(|value| format!("{flag}={value}"))),
                (_, false) => words.push(flag),
            }
        }
        let several_models = axes.iter().any(|(name, _)| name == "model");
        for name in OF_A_MODEL.iter().filter(|_| several_models) {
            let flag = format!("--{name}=");
            let said = words.iter().position(|word| word.starts_with(&flag));
            let said = said.map(|at| words.remove(at)[flag.len()..].to_string());
            axes.extend(said.map(|value| (name.to_string(), vec![value])));
        }
        axes.sort_by_key(|(name, _)| (name != "model", name != "factors"));
        // Each value by itself is one that train takes, or it says why not.
        for (name, values) in &axes {
            let flag = format!("--{}", name.replace('_', "-"));
            for value in values {
                flags().try_get_matches_from([format!("{flag}={value}")])?;
            }
        }
        let config = ConfigArgs::from_arg_matches(&flags().try_get_matches_from(words)?)?;
        *self = GridArgs { config, axes, said: names };
        Ok(())
    }
}
