//! The `pairloom` command: a thin shell over the library. Results go to standard output, progress
//! and notices to standard error; exit status 2 is a wrong command line, be it a column or a label
//! value that is not there, 1 any other failure, as a file that is not there, 130 and 143 a training
//! that was stopped by SIGINT and SIGTERM.

mod args;
mod average;
mod calibrate;
mod catalogue;
mod compare;
mod convert;
mod demo;
mod describe;
mod devices;
mod evaluate;
mod explain;
mod figures;
mod generate;
mod grid;
mod importance;
mod inspect;
mod live;
mod long;
mod output;
mod parse;
mod predict;
mod progress;
mod ranked;
mod recommend;
mod report;
mod screen;
mod segments;
mod settings;
mod signals;
mod study;
mod synth;
mod tell;
mod train;
mod tune;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use pairloom::{Error, Result};
use std::io::{self, Write};
use std::process::ExitCode;

/// Factorization machines: from raw rows to calibrated probabilities
#[derive(Debug, Parser)]
#[command(name = "pairloom", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train on a real data set that is built in, and say what to try next
    Demo(demo::Args),
    /// Train a model on a file of raw rows
    #[command(allow_negative_numbers = true)]
    Train(Box<train::Args>),
    /// Keep the rows of a file in a form that need not be read as text again
    Convert(Box<convert::Args>),
    /// Measure a model on a file of rows with labels
    #[command(allow_negative_numbers = true)]
    Evaluate(evaluate::Args),
    /// Predict the rows of a file
    #[command(allow_negative_numbers = true)]
    Predict(predict::Args),
    /// Find the best items of a catalogue for each context
    Recommend(Box<recommend::Args>),
    /// Calibrate the probabilities of a model on rows that it was not trained on
    Calibrate(calibrate::Args),
    /// Make several models one, whose score is the mean of theirs
    Average(average::Args),
    /// Compare models and settings on the same test rows
    ///
    /// Each setting may have several values, as in --model fm,ffm --factors 10,20: all combinations are trained.
    #[command(allow_negative_numbers = true)]
    Study(Box<study::Args>),
    /// Look for good settings, and train the model with them
    ///
    /// A setting with one value stays at it; one with several, as in --model fm,ffm, is searched among them.
    #[command(allow_negative_numbers = true)]
    Tune(Box<tune::Args>),
    /// Show why rows have their scores, or what columns and pairs of columns are worth
    Explain(explain::Args),
    /// Tell which of two models is better on the same rows, and whether that is more than chance
    Compare(compare::Args),
    /// Show what is in a model file
    Inspect(inspect::Args),
    #[command(allow_negative_numbers = true)]
    Synth(synth::Args),
    /// List what training may run on
    Devices(devices::Args),
    /// Print a completion script for a shell
    Completions(generate::CompletionsArgs),
    /// Write man pages into a folder
    Man(generate::ManArgs),
}

/// The command line as clap sees it, with each setting's default in its help.
fn command() -> clap::Command {
    settings::show_defaults(Cli::command())
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Train(args) => return train::run(&args),
        Command::Convert(args) => return convert::run(&args),
        Command::Study(args) => return study::run(&args),
        Command::Tune(args) => return tune::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Recommend(args) => recommend::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Average(args) => average::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Synth(args) => synth::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Completions(args) => generate::completions(&args),
        Command::Man(args) => generate::man(&args),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    let cli = match command().try_get_matches().and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => cli,
        Err(error) => {
            // A reader of --help that has gone away is no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(cli.command) {
        Ok(status) => status,
        // The reader of our output has seen enough.
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
        }
    }
}
