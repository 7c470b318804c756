//! What commands of many trainings tell meanwhile, and how they begin beside what was left of an earlier one.

use crate::progress::Progress;
use crate::screen::Screen;
use crate::tell;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pairloom::schema::Schema;
use pairloom::train;
use pairloom::{Error, Result};

/// How many trainings go on, and what becomes of what an earlier run has left.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct LongArgs {
    /// Trainings at a time, 0 for one a thread
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub parallel: usize,
    /// Go on from what an earlier run has left
    #[arg(long)]
    resume: bool,
    /// Begin anew even if an earlier run has left something
    #[arg(long, conflicts_with = "resume")]
    pub restart: bool,
}

impl LongArgs {
    /// If something is at `path` already, it must be said what is meant.
    pub fn check(&self, path: &str, is_begun: bool) -> Result<()> {
        match is_begun && !self.resume && !self.restart {
            true => {
                let message = "an earlier run has left this: go on from it with --resume, or begin anew with --restart";
                Err(Error::data(path, message))
            }
            false => Ok(()),
        }
    }
}

/// Rows that are read, then a bar of what has ended, with lines above it.
pub struct Telling<'a> {
    pub screen: &'a mut Screen,
    /// As it is known so far.
    pub schema: Option<Schema>,
    reading: Progress,
    bar: ProgressBar,
}

impl<'a> Telling<'a> {
    pub fn new(screen: &'a mut Screen) -> Self {
        let reading = Progress::new(screen.is_text());
        Telling { screen, schema: None, reading, bar: ProgressBar::hidden() }
    }

    /// Rows are read.
    pub fn rows(&mut self, event: &train::Event<'_>) -> Result<()> {
        self.reading.show(event);
        if let train::Event::Schema(schema) | train::Event::Revised { schema, .. } = event {
            self.schema = Some((*schema).clone());
        }
        tell::reading(event, self.screen)
    }

    /// So many of so many have ended; `what` they are called.
    pub fn begin(&mut self, what: &str, done: usize, all: usize) -> Result<()> {
        self.end();
        if !self.screen.is_text() {
            return Ok(());
        }
        let template = format!("{{spinner}} {{pos}} of {{len}} {what}  {{wide_bar}}  {{elapsed}}");
        let style = ProgressStyle::with_template(&template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = ProgressDrawTarget::stderr();
        self.bar = ProgressBar::with_draw_target(Some(all as u64), target).with_style(style);
        self.bar.set_position(done as u64);
        Ok(())
    }

    /// They go on.
    pub fn tick(&mut self) -> Result<()> {
        self.bar.tick();
        Ok(())
    }

    /// One more has ended, of which there may be something to say.
    pub fn ended(&mut self, line: Option<&str>) -> Result<()> {
        self.bar.inc(1);
        let screen = &mut *self.screen;
        line.map_or(Ok(()), |line| self.bar.suspend(|| screen.text(line)))
    }

    /// Leaves nothing of it on the terminal.
    pub fn end(&mut self) {
        self.reading.end();
        self.bar.finish_and_clear();
    }
}
